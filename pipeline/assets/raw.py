"""The archive as tables."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from pipeline.assets import OWNERS
from pipeline.assets.capture import asset_key, daily_providers, every_provider
from pipeline.capture.archive import Archive
from pipeline.day import load_archive, stale_pages
from pipeline.errors import NothingToBuildFrom
from pipeline.settings import settings
from pipeline.warehouse.build import connect

STALE_AFTER = timedelta(hours=48)
TABLES = {
    "captures": "Every attempt at every page, whatever came of it.",
    "readings": "What every reading of a capture found, and when.",
    "price_quotes": "The prices of providers' pages, exactly as printed.",
    "observations": "The prices of outside price maps.",
    "exchange_rates": "The reference rates that prices are converted with.",
    "sources": "The pages that are read.",
    "pricing_units": "The units that count tokens.",
}


@dg.multi_asset(
    name="load_archive",
    specs=[
        dg.AssetSpec(
            key=["raw", table],
            deps=[asset_key(provider_id) for provider_id in daily_providers()],
            group_name="raw",
            kinds={"duckdb"},
            owners=OWNERS,
            description=description,
        )
        for table, description in TABLES.items()
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "fresh",
            asset=["raw", "captures"],
            description=f"Every page has a good capture that is younger than {STALE_AFTER}.",
        )
    ],
)
def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Loads what the archive has and the tables have not. Raises NothingToBuildFrom where there is no price at all."""
    config = settings()
    with Archive(config.archive) as archive, connect(config.build) as connection:
        loaded = load_archive(connection, archive, every_provider())
        context.log.info("%d attempts and %d readings were new", loaded.attempts, loaded.readings)
        counts = {}
        for table in TABLES:
            [counts[table]] = connection.execute(f"select count(*) from raw.{table}").fetchone() or [0]  # noqa: S608
        stale = stale_pages(connection, datetime.now(UTC) - STALE_AFTER)
    if not counts["price_quotes"] and not counts["observations"]:
        raise NothingToBuildFrom(
            f"There is no price to build from: no page could be captured, the archive in {config.archive} holds none, "
            "and no price map could be read. Check the network, or restore the archive, and run again."
        )
    for table, count in counts.items():
        yield dg.MaterializeResult(asset_key=["raw", table], metadata={"dagster/row_count": count})
    yield dg.AssetCheckResult(
        asset_key=["raw", "captures"],
        check_name="fresh",
        passed=not stale,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(stale)} pages have no good capture since then" if stale else None,
        metadata={page: f"{last:%Y-%m-%d %H:%M} UTC" if last else "never" for page, last in stale.items()},
    )
