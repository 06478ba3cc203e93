"""Statistics on the price history: pure functions behind thin assets, results in schema `analytics`."""

import base64
from datetime import UTC, datetime, time

import dagster as dg
import duckdb
import pandas as pd

from pipeline.assets import OWNERS
from pipeline.progress import report
from pipeline.settings import settings
from pipeline.warehouse.build import connect
from pipeline.warehouse.publish import contracts, load_manifest
from pipeline.warehouse.tables import write_table
from pipeline.warehouse.transform import prepare

HEADLINE_WORKLOAD = "input_output_3_1"

_CONTRACTS = contracts(load_manifest(prepare()))
DECLINE_RATES = _CONTRACTS["analytics", "decline_rates"]
FLOOR_ESTIMATES = _CONTRACTS["analytics", "floor_estimates"]


def _asset_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["analytics", table])


def _mart(name: str) -> dg.AssetKey:
    return dg.AssetKey(["marts", name])


def as_of_moment(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The last day on which a page was seen: every statistic is as of that day."""
    [(day,)] = connection.execute("select as_of from marts.dim_clock").fetchall()
    return datetime.combine(day, time(), UTC)


def decline_series(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The price series whose rates are measured, as `pipeline.analytics.decline.decline_rates` takes them.

    Per capability tier and workload the frontier price; per provider whose pages are read the blended prices of its
    standard offers, in which the labels of one model move together.
    """
    series = connection.execute(
        """
        with frontier as (
            select *, lag(price_date) over (partition by tier_id, workload_id order by price_date) as previous_date,
                lag(p_star) over (partition by tier_id, workload_id order by price_date) as previous_price
            from marts.mart_frontier_price_daily where model_group = 'all'
        ),
        frontier_steps as (
            select tier_id, workload_id, price_date as step_at, p_star as price from frontier
            where previous_date is null or p_star is distinct from previous_price
            union all
            -- A day without any offer ends the series until the next one.
            select tier_id, workload_id, previous_date + 1, null from frontier where previous_date + 1 < price_date
        ),
        offers as (
            select blends.* from marts.mart_blended_price as blends
            join marts.dim_provider as providers using (provider_id)
            where providers.pages > 0 and blends.workload_id = ? and blends.service_tier = 'standard'
                and coalesce(blends.context_from, 0) = 0 and blends.usd_per_mtok > 0
        ),
        offer_steps as (
            select provider_id, workload_id, offer_id, model_id, day_from as step_at, usd_per_mtok as price from offers
            union all
            select provider_id, workload_id, offer_id, model_id, day_to, null from offers as ended
            where day_to is not null and not exists (
                from offers as next where next.offer_id = ended.offer_id and next.model_id = ended.model_id
                    and next.day_from = ended.day_to
            )
        )
        select tier_id as series_id, 'capability_tier' as series_kind, workload_id as workload,
            cast(step_at as timestamp) as step_at, price,
            cast(null as varchar) as offer_id, cast(null as varchar) as cluster
        from frontier_steps
        union all
        select provider_id, 'provider', workload_id, cast(step_at as timestamp), price,
            offer_id || '/' || model_id, model_id
        from offer_steps
        order by all
        """,
        [HEADLINE_WORKLOAD],
    ).df()
    series["at"] = series.pop("step_at").dt.tz_localize("UTC")
    return series


@dg.asset(
    key=_asset_key("decline_rates"),
    deps=[_mart("mart_frontier_price_daily"), _mart("mart_blended_price"), _mart("dim_clock")],
    group_name="analytics",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    description=DECLINE_RATES["description"],
    check_specs=[dg.AssetCheckSpec("supported", asset=_asset_key("decline_rates"), blocking=True)],
)
def decline_rates() -> dg.MaterializeResult:
    from pipeline.analytics import decline, plots

    report("analytics", 0, 2, "decline rates")
    with connect(settings().build) as connection:
        as_of = as_of_moment(connection)
        rates = decline.decline_rates(decline_series(connection), as_of)
        write_table(connection, DECLINE_RATES, rates)
        tiers = dict(
            connection.execute(
                "select tier_id, tier_name from seeds.capability_tiers where benchmark = 'eci' order by threshold"
            ).fetchall()
        )
        curves = connection.execute(
            "from marts.mart_frontier_price_daily where model_group = 'all' and workload_id = ? and p_star is not null",
            [HEADLINE_WORKLOAD],
        ).df()
    headline = rates[
        (rates["workload"] == HEADLINE_WORKLOAD)
        & rates["method"].isin(["asof_endpoint", "panel_endpoint"])
        & (rates["window_days"] == 365)
    ]
    forest = pd.DataFrame(
        {
            "label": [tiers.get(series, series) for series in headline["series_id"]],
            "value": headline["ln_rate_per_year"],
            "low": headline["lo90"],
            "high": headline["hi90"],
        }
    )
    broken = rates[
        (rates["gate"].isin(["ok"]) & rates["ln_rate_per_year"].isna() & rates["reason"].isna())
        | (rates["lo90"] > rates["ln_rate_per_year"])
        | (rates["hi90"] < rates["ln_rate_per_year"])
    ]
    report("analytics", 1, 2, f"{len(rates)} decline rates")
    title = f"Price of a fixed capability, 3:1 input to output, as of {as_of:%Y-%m-%d}"
    return dg.MaterializeResult(
        metadata={
            "frontier": _picture(plots.frontier(curves, tiers, title)),
            "last_year": _picture(
                plots.intervals(forest, "Decline over the last 365 days", "natural log per year, 90 % interval")
            ),
            "dagster/row_count": len(rates),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="supported",
                passed=broken.empty,
                description="Every rate lies in its interval, and every missing one has a reason.",
                metadata={"broken_rows": len(broken)},
            )
        ],
    )


@dg.asset(
    key=_asset_key("floor_estimates"),
    deps=[dg.AssetKey(["seeds", name]) for name in ("floor_models", "gpu_rents", "throughput", "gpu_hardware")]
    + [_mart("dim_clock")],
    group_name="analytics",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    description=FLOOR_ESTIMATES["description"],
    check_specs=[dg.AssetCheckSpec("supported", asset=_asset_key("floor_estimates"), blocking=True)],
)
def floor_estimates() -> dg.MaterializeResult:
    from pipeline.analytics import floor, plots

    with connect(settings().build) as connection:
        as_of = as_of_moment(connection)
        seeds = {
            name: connection.execute(f"from seeds.{name}").df()
            for name in ("floor_models", "gpu_rents", "throughput", "gpu_hardware")
        }
        floors = floor.floor_estimates(
            seeds["floor_models"], seeds["gpu_rents"], seeds["throughput"], seeds["gpu_hardware"], as_of
        )
        write_table(connection, FLOOR_ESTIMATES, floors)
    # Output is the meter that every method knows.
    known = floors[(floors["gate"] == "ok") & (floors["meter"] == "output")]
    forest = pd.DataFrame(
        {
            "label": [f"{row.model_class} on {row.gpu} {row.acquisition} ({row.method})" for row in known.itertuples()],
            "value": known["p50"],
            "low": known["p05"],
            "high": known["p95"],
        }
    )
    broken = floors[
        (floors["p50"].isna() & floors["reason"].isna())
        | (floors["p05"] > floors["p50"])
        | (floors["p95"] < floors["p50"])
        | (floors["p05"] <= 0)
    ]
    report("analytics", 2, 2, f"{len(floors)} floor estimates")
    return dg.MaterializeResult(
        metadata={
            "floors": _picture(
                plots.intervals(
                    forest,
                    f"What a million output tokens cost to make, as of {as_of:%Y-%m-%d}",
                    "USD per 1M tokens, 5 % to 95 %",
                    log=True,
                )
            ),
            "dagster/row_count": len(floors),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="supported",
                passed=broken.empty,
                description="Quantiles are positive and in order, and every missing number has a reason.",
                metadata={"broken_rows": len(broken)},
            )
        ],
    )


def _picture(svg: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![plot](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})")


ANALYTICS: list[dg.AssetsDefinition] = [decline_rates, floor_estimates]
