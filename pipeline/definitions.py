"""All Dagster wiring: assets, jobs, schedule, executor; nothing else."""

import dagster as dg

from pipeline.assets.analytics import analytics
from pipeline.assets.backfill import backfill_web_archive
from pipeline.assets.capture import capture
from pipeline.assets.dbt import dbt_build, dbt_process
from pipeline.assets.publish import published_asset
from pipeline.assets.raw import load

published = published_asset([*dbt_build.keys, *analytics.keys])
everything = dg.AssetSelection.all()

daily = dg.define_asset_job(
    "daily", selection=everything, description="One whole day: capture, read, build, audit, publish."
)
rebuild = dg.define_asset_job(
    "rebuild",
    selection=everything - dg.AssetSelection.assets(*capture.keys),
    description="The same without the network: the warehouse from the archive alone.",
)

defs = dg.Definitions(
    assets=[capture, load, dbt_build, analytics, published],
    resources={"dbt_process": dbt_process},
    jobs=[daily, rebuild, backfill_web_archive],
    schedules=[
        dg.ScheduleDefinition(
            job=daily,
            cron_schedule="0 6 * * *",
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ],
    # One process: most of a day's run would otherwise be spent on starting others.
    executor=dg.in_process_executor,
)
