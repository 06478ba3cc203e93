"""Rolling decline rates, per capability tier and per provider."""

import dagster as dg
import duckdb
import pandas as pd

from pipeline.assets.analytics.common import HEADLINE_WORKLOAD, analytic, as_of_moment, contract, mart, result
from pipeline.settings import settings
from pipeline.warehouse.build import connect
from pipeline.warehouse.tables import write_table


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


@analytic("decline_rates", [mart("mart_frontier_price_daily"), mart("mart_blended_price"), mart("dim_clock")])
def decline_rates() -> dg.MaterializeResult:
    from pipeline.analytics import decline, plots

    with connect(settings().build) as connection:
        as_of = as_of_moment(connection)
        rates = decline.decline_rates(decline_series(connection), as_of)
        write_table(connection, contract("decline_rates"), rates)
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
    title = f"Price of a fixed capability, 3:1 input to output, as of {as_of:%Y-%m-%d}"
    return result(
        "decline_rates",
        rates,
        broken,
        "Every rate lies in its interval, and every missing one has a reason.",
        frontier=plots.frontier(curves, tiers, title),
        last_year=plots.intervals(forest, "Decline over the last 365 days", "natural log per year, 90 % interval"),
    )
