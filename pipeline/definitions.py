"""All Dagster wiring: assets, jobs, schedule, executor; nothing else."""

import dagster as dg

from pipeline.assets.analytics import analytics
from pipeline.assets.analytics.common import pen
from pipeline.assets.backfill import backfill_web_archive
from pipeline.assets.capture import capture
from pipeline.assets.dbt import dbt_build, dbt_process, made_of_seeds_alone
from pipeline.assets.publish import published_asset
from pipeline.assets.raw import load
from pipeline.warehouse import transform

published = published_asset([*dbt_build.keys, *analytics.keys])
assets = [capture, load, dbt_build, analytics, published]
everything = dg.AssetSelection.all()

daily = dg.define_asset_job(
    "daily", selection=everything, description="One whole day: capture, read, build, audit, publish."
)
rebuild = dg.define_asset_job(
    "rebuild",
    selection=everything - dg.AssetSelection.assets(*capture.keys),
    description="The same without the network: the warehouse from the archive alone.",
)


def due(goes_on: bool) -> set[dg.AssetKey]:
    """What a run of `daily` makes: all but seeds and what is made of them alone, if those still stand."""
    standing = made_of_seeds_alone() if goes_on else set()
    return {key for made in assets for key in made.keys} - standing


@dg.schedule(
    name="daily_schedule",
    job=daily,
    cron_schedule="0 6 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def every_morning() -> dg.RunRequest:
    """One whole day."""
    return dg.RunRequest(asset_selection=sorted(due(transform.goes_on())))


defs = dg.Definitions(
    assets=assets,
    resources={"dbt_process": dbt_process, "pen": pen},
    jobs=[daily, rebuild, backfill_web_archive],
    schedules=[every_morning],
    # One process: most of a day's run would otherwise be spent on starting others.
    executor=dg.in_process_executor,
)
