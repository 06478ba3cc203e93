"""Rolling decline rates per capability tier, provider and model, and whether they slow down."""

from datetime import datetime
from functools import partial

import duckdb
import pandas as pd

from pipeline.assets.analytics.common import HEADLINE_WORKLOAD, Result, analytic, bars, columns, mart, outside, result

SERIES = [
    mart(name) for name in ("mart_frontier_price", "mart_blended_price", "dim_provider", "dim_model", "dim_clock")
]
# Hundreds of models are for the table; a plot has room for the classes and the providers.
PLOTTED_KINDS = ["capability_tier", "provider"]


def decline_series(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The price series whose rates are measured, as `pipeline.analytics.decline.decline_rates` takes them.

    Per capability tier and workload the frontier price, of all models and of those that reason or do not alone; per
    provider whose pages are read the blended prices of its standard offers, in which the labels of one model move
    together; per known model the lowest blended price at which it was on sale, by the rules of the frontier price: what
    somebody who needs this model pays. A model that is on offer nowhere has no price until it returns.
    """
    series = connection.execute(
        """
        with frontier as (
            select
                *,
                case model_group when 'all' then 'capability_tier' else 'capability_tier_' || model_group end as kind,
                lag(day_to) over in_time as previous_to,
                lag(p_star) over in_time as previous_price,
                lead(day_from) over in_time as next_from
            from marts.mart_frontier_price
            where day_from <= (select as_of from marts.dim_clock)
            window in_time as (partition by tier_id, model_group, workload_id order by day_from)
        ),
        frontier_steps as (
            -- The leader may change while the price stays.
            select tier_id, kind, workload_id, day_from as step_at, p_star as price from frontier
            where previous_to is distinct from day_from or p_star is distinct from previous_price
            union all
            -- Without any offer there is no price, until the next one.
            select tier_id, kind, workload_id, day_to, null from frontier where day_to is distinct from next_from
        ),
        model_offers as (
            select blends.* from marts.mart_blended_price as blends
            join marts.dim_provider as providers using (provider_id)
            join marts.dim_model as models using (model_id)
            where providers.provider_kind <> 'aggregator' and blends.workload_id = $workload
                and blends.service_tier = 'standard' and coalesce(blends.context_from, 0) = 0
                and blends.usd_per_mtok > 0 and not blends.is_promo
        ),
        model_edges as (
            select model_id, day_from as edge from model_offers
            union
            select model_id, day_to from model_offers where day_to is not null
        ),
        model_steps as (
            select model_edges.model_id, model_edges.edge as step_at, min(model_offers.usd_per_mtok) as price
            from model_edges
            left join model_offers on model_edges.model_id = model_offers.model_id
                and model_edges.edge >= model_offers.day_from
                and model_edges.edge < coalesce(model_offers.day_to, cast('infinity' as date))
            group by all
        ),
        offers as (
            select blends.* from marts.mart_blended_price as blends
            join marts.dim_provider as providers using (provider_id)
            where providers.pages > 0 and blends.workload_id = $workload and blends.service_tier = 'standard'
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
        select tier_id as series_id, kind as series_kind, workload_id as workload,
            cast(step_at as timestamp) as step_at, price,
            cast(null as varchar) as offer_id, cast(null as varchar) as cluster
        from frontier_steps
        union all
        select provider_id, 'provider', workload_id, cast(step_at as timestamp), price,
            offer_id || '/' || model_id, model_id
        from offer_steps
        union all
        select model_id, 'model', $workload, cast(step_at as timestamp), price, null, null from model_steps
        order by all
        """,
        {"workload": HEADLINE_WORKLOAD},
    ).df()
    series["at"] = series.pop("step_at").dt.tz_localize("UTC")
    return series


def decline_rates_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.decline_rates`, from the marts of this connection."""
    from pipeline.analytics import decline

    return decline.decline_rates(decline_series(connection), as_of)


def decline_slowdown_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.decline_slowdown`, from the marts of this connection."""
    from pipeline.analytics import decline

    return decline.decline_slowdowns(decline_series(connection), as_of)


@analytic("decline_rates", [*SERIES, mart("mart_frontier_price_daily")])
def decline_rates(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    rates = decline_rates_frame(connection, as_of)
    tiers = tier_names(connection)
    curves = connection.execute(
        "select price_date, tier_id, p_star from marts.mart_frontier_price_daily"
        " where model_group = 'all' and workload_id = ? and p_star is not null order by price_date",
        [HEADLINE_WORKLOAD],
    ).df()
    headline = rates[
        (rates["workload"] == HEADLINE_WORKLOAD)
        & rates["method"].isin(["asof_endpoint", "panel_endpoint"])
        & rates["series_kind"].isin(PLOTTED_KINDS)
        & (rates["window_days"] == 365)
    ]
    forest = bars(
        [tiers.get(series, series) for series in headline["series_id"]], headline, "ln_rate_per_year", "lo90", "hi90"
    )
    broken = rates[
        (rates["gate"].isin(["ok"]) & rates["ln_rate_per_year"].isna() & rates["reason"].isna())
        | outside(rates, "lo90", "ln_rate_per_year", "hi90")
    ]
    title = f"Price of a fixed capability, 3:1 input to output, as of {as_of:%Y-%m-%d}"
    return result(
        rates,
        broken,
        "Every rate lies in its interval, and every missing one has a reason.",
        frontier=partial(plots.frontier, columns(curves, "price_date", "tier_id", "p_star"), tiers, title),
        last_year=partial(
            plots.intervals, forest, "Decline over the last 365 days", "natural log per year, 90 % interval"
        ),
    )


@analytic("decline_slowdown", SERIES)
def decline_slowdown(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    slowdowns = decline_slowdown_frame(connection, as_of)
    tiers = tier_names(connection)
    headline = slowdowns[(slowdowns["workload"] == HEADLINE_WORKLOAD) & (slowdowns["series_kind"] == "capability_tier")]
    forest = bars(
        [tiers.get(series, series) for series in headline["series_id"]], headline, "ln_slowdown", "lo90", "hi90"
    )
    broken = slowdowns[
        (slowdowns["ln_slowdown"].isna() & slowdowns["reason"].isna())
        | outside(slowdowns, "lo90", "ln_slowdown", "hi90")
    ]
    return result(
        slowdowns,
        broken,
        "Every change of a rate lies in its interval, and every missing one has a reason.",
        slowdown=partial(
            plots.intervals,
            forest,
            "By how much the decline of the last 365 days is slower than that of the 365 days before",
            "natural log per year, 90 % interval; above 0: slower",
        ),
    )


def tier_names(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The tiers on the Epoch Capabilities Index by id, the least capable first."""
    return dict(
        connection.execute(
            "select tier_id, tier_name from seeds.capability_tiers where benchmark = 'eci' order by threshold"
        ).fetchall()
    )
