"""The past as a job of its own, by the month: a day's run never goes back in time."""

from datetime import timedelta

import dagster as dg
from pydantic import Field

from pipeline.assets.capture import every_provider
from pipeline.backfill import backfill_web_archive as bring_in
from pipeline.providers import discover
from pipeline.settings import settings

MONTHS = dg.MonthlyPartitionsDefinition(start_date="2023-01-01")


class WebArchiveConfig(dg.Config):
    """Whose pages are asked for."""

    providers: list[str] = Field(default_factory=list)


@dg.op(description="Archives and reads the mementos of a month; the next daily run builds with them and publishes.")
def web_archive_month(context: dg.OpExecutionContext, config: WebArchiveConfig) -> None:
    """Fails where a provider is unknown, and at the end where a memento did not arrive: run again, it asks for those.

    A memento that arrived and cannot be read is no failure: it is kept for a replay.
    """
    known = discover()
    if unknown := sorted(set(config.providers) - set(known)):
        raise dg.Failure(f"unknown providers: {', '.join(unknown)}; known are {', '.join(known)}", allow_retries=False)
    chosen = [known[provider_id] for provider_id in config.providers or known]
    month = context.partition_time_window
    last = (month.end - timedelta(days=1)).date()
    outcomes: dict[str, int] = {}
    missing = []
    for result in bring_in(settings(), every_provider(), chosen, month.start.date(), last):
        outcomes[result.outcome] = outcomes.get(result.outcome, 0) + 1
        if result.attempt.sha256 is None:
            missing.append(f"{result.outcome}: {result.message}")
    context.add_output_metadata(dict(outcomes))
    if missing:
        raise dg.Failure(f"{len(missing)} requests did not succeed; the first: {missing[0]}", metadata=dict(outcomes))


@dg.job(
    partitions_def=MONTHS,
    # Many months may wait in the queue; the daily run does not wait for them.
    tags={"dagster/priority": "-1"},
    description="What the web archive has of pricing pages, one month a partition; `providers` names whose, none all.",
)
def backfill_web_archive() -> None:
    """One step a month."""
    web_archive_month()
