"""How low prices can go: floors from cost, from the course of prices and from competition, and what is above them."""

from datetime import datetime
from functools import partial

import duckdb
import pandas as pd

from pipeline.assets.analytics.common import (
    HEADLINE_WORKLOAD,
    Result,
    analytic,
    analytic_key,
    bars,
    mart,
    outside,
    result,
    seed,
)

SEEDS = ("floor_models", "gpu_rents", "throughput", "gpu_hardware")
SOLD = (seed("floor_models"), mart("dim_model"), mart("dim_provider"), mart("mart_blended_price"), mart("dim_clock"))
COMPETITIVE_DAYS = 90
# Of a model's parameters, total and active, from those of its class: a 72B costs about as much to run as a 70B.
PARAMETER_TOLERANCE = 0.15


def _with_class_offers(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes a temporary table of what hosts ask for the open models of each class, promos and free offers left out.

    Once per connection: nothing changes the marts while statistics are made of them.
    """
    connection.execute(
        """
        create temp table if not exists class_offers as
        select classes.model_class,
            case blends.workload_id when 'input_only' then 'input' when 'output_only' then 'output' else 'blend_3_1' end
                as meter,
            blends.provider_id, blends.model_id, blends.usd_per_mtok, blends.day_from,
            coalesce(blends.day_to, date 'infinity') as day_to
        from seeds.floor_models as classes
        join marts.dim_model as models
            on models.open_weights
            and abs(models.parameters_total_b * 1e9 / classes.total_params - 1) < $tolerance
            and abs(models.parameters_active_b * 1e9 / classes.active_params - 1) < $tolerance
        join marts.mart_blended_price as blends using (model_id)
        join marts.dim_provider as providers using (provider_id)
        where blends.workload_id in ('input_only', 'output_only', $headline)
            and providers.provider_kind <> 'aggregator' and blends.service_tier = 'standard'
            and coalesce(blends.context_from, 0) = 0 and blends.usd_per_mtok > 0 and not blends.is_promo
        """,
        {"tolerance": PARAMETER_TOLERANCE, "headline": HEADLINE_WORKLOAD},
    )


def host_prices(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """Per model class, meter and host the geometric mean over 90 days of the lowest price of the day."""
    _with_class_offers(connection)
    return connection.execute(
        """
        with days as (select $day - cast(back as integer) as price_date from range($days) as _ (back)),
        daily as (
            select model_class, meter, provider_id, price_date, min(usd_per_mtok) as usd_per_mtok
            from days join class_offers on price_date >= day_from and price_date < day_to
            group by all
        )
        select model_class, meter, provider_id, exp(avg(ln(usd_per_mtok) order by price_date)) as usd_per_mtok
        from daily group by all order by all
        """,
        {"day": as_of.date(), "days": COMPETITIVE_DAYS},
    ).df()


def cheapest_hosts(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The cheapest 3:1 blend of each model class on the day, and who sells it."""
    _with_class_offers(connection)
    return connection.execute(
        """
        select model_class, provider_id, model_id, usd_per_mtok from class_offers
        where meter = 'blend_3_1' and $day >= day_from and $day < day_to
        qualify row_number() over (partition by model_class order by usd_per_mtok, provider_id, model_id) = 1
        order by model_class
        """,
        {"day": as_of.date()},
    ).df()


def monthly_prices(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The lowest price of each capability tier and model class on the day, and on the same day of earlier months."""
    _with_class_offers(connection)
    series = connection.execute(
        """
        with months as (
            select cast($day - to_months(cast(back as integer)) as date) as price_date
            from range((select datediff('month', min(day_from), $day) + 1 from marts.mart_blended_price)) as _ (back)
        )
        select 'capability_tier' as series_kind, tier_id as series_id, 'blend_3_1' as meter, price_date, p_star as price
        from months join marts.mart_frontier_price_daily using (price_date)
        where model_group = 'all' and workload_id = $headline
        union all
        select 'model_class', model_class, meter, price_date, min(usd_per_mtok)
        from months join class_offers on price_date >= day_from and price_date < day_to
        group by all
        order by all
        """,
        {"day": as_of.date(), "headline": HEADLINE_WORKLOAD},
    ).df()
    series["at"] = pd.to_datetime(series.pop("price_date")).dt.tz_localize("UTC")
    return series


def cost_floor_bottom_up_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.cost_floor_bottom_up`."""
    from pipeline.analytics import floor

    models, rents, throughput, hardware = (connection.execute(f"from seeds.{name}").df() for name in SEEDS)
    return floor.cost_floor_bottom_up(models, rents, throughput, hardware, as_of)


def cost_floor_statistical_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.cost_floor_statistical`."""
    from pipeline.analytics import floor

    return floor.cost_floor_statistical(monthly_prices(connection, as_of), as_of)


def floor_estimates_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.floor_estimates`, from its components in the same schema."""
    from pipeline.analytics import floor

    costs, statistical = _read(connection, "cost_floor_bottom_up"), _read(connection, "cost_floor_statistical")
    return floor.floor_estimates(costs, statistical, host_prices(connection, as_of), as_of)


def floor_gap_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:  # noqa: ARG001
    """The rows of `analytics.floor_gap`, from the floors in the same schema, which are as of the same day."""
    from pipeline.analytics import floor

    return floor.floor_gap(_read(connection, "floor_estimates"), _read(connection, "cost_floor_statistical"))


def self_hosting_crossover_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.self_hosting_crossover`."""
    from pipeline.analytics import floor

    costs = _read(connection, "cost_floor_bottom_up")
    return floor.self_hosting_crossover(costs, cheapest_hosts(connection, as_of), as_of)


def _read(connection: duckdb.DuckDBPyConnection, table: str) -> pd.DataFrame:
    """A table of the schema with moments in UTC, as the functions that made it gave it."""
    frame = connection.execute(f"from analytics.{table}").df()
    frame["as_of"] = frame["as_of"].dt.tz_localize("UTC")
    return frame


def _disordered(floors: pd.DataFrame, low: str, value: str, high: str) -> "pd.Series[bool]":
    """Rows that contradict what a floor with limits is: positive, in order, or missing with a reason."""
    return (floors[value].isna() & floors["reason"].isna()) | outside(floors, low, value, high) | (floors[low] <= 0)


@analytic("cost_floor_bottom_up", [*map(seed, SEEDS), mart("dim_clock")])
def cost_floor_bottom_up(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    floors = cost_floor_bottom_up_frame(connection, as_of)
    # Output is the meter that every method knows.
    known = floors[(floors["gate"] == "ok") & (floors["meter"] == "output")]
    labels = [f"{row.model_class} on {row.gpu} {row.acquisition} ({row.method})" for row in known.itertuples()]
    return result(
        floors,
        floors[_disordered(floors, "p05", "p50", "p95")],
        "Quantiles are positive and in order, and every missing number has a reason.",
        floors=partial(
            plots.intervals,
            bars(labels, known, "p50", "p05", "p95"),
            f"What a million output tokens cost to make, as of {as_of:%Y-%m-%d}",
            "USD per 1M tokens, 5 % to 95 %",
            log=True,
        ),
    )


@analytic("cost_floor_statistical", [mart("mart_frontier_price_daily"), *SOLD])
def cost_floor_statistical(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    floors = cost_floor_statistical_frame(connection, as_of)
    blends = floors[floors["meter"] == "blend_3_1"]
    return result(
        floors,
        floors[_disordered(floors, "lo90", "floor", "hi90")],
        "Every floor lies in its interval above 0, and every missing one has a reason.",
        floors=partial(
            plots.intervals,
            bars(blends["series_id"], blends, "floor", "lo90", "hi90"),
            f"Where prices of a 3:1 blend level off, as of {as_of:%Y-%m-%d}",
            "USD per 1M tokens, 90 % interval",
            log=True,
        ),
    )


@analytic("floor_estimates", [*map(analytic_key, ("cost_floor_bottom_up", "cost_floor_statistical")), *SOLD])
def floor_estimates(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    floors = floor_estimates_frame(connection, as_of)
    labels = floors["model_class"] + " " + floors["meter"]
    return result(
        floors,
        floors[_disordered(floors, "p05", "p50", "p95")],
        "Quantiles are positive and in order, and every missing number has a reason.",
        floors=partial(
            plots.intervals,
            bars(labels, floors, "p50", "p05", "p95"),
            f"How low prices can go, as of {as_of:%Y-%m-%d}",
            "USD per 1M tokens, 5 % to 95 %",
            log=True,
        ),
    )


@analytic("floor_gap", [*map(analytic_key, ("floor_estimates", "cost_floor_statistical")), mart("dim_clock")])
def floor_gap(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    gaps = floor_gap_frame(connection, as_of)
    shown = gaps[(gaps["meter"] == "blend_3_1") & (gaps["gate"] == "ok")]
    broken = gaps[
        (gaps["ln_gap"].isna() & gaps["reason"].isna())
        | outside(gaps, "lo90", "ln_gap", "hi90")
        | ((gaps["ln_gap"] > 0) & (gaps["probability_below"] > 0.5))
    ]
    return result(
        gaps,
        broken,
        "Every gap lies in its interval, and a price above the floor is more likely above than below.",
        gaps=partial(
            plots.intervals,
            bars(shown["series_id"] + " " + shown["component"], shown, "ln_gap", "lo90", "hi90"),
            f"Lowest price of a 3:1 blend against its floors, as of {as_of:%Y-%m-%d}",
            "ln(price / floor), 90 % interval",
        ),
    )


@analytic("self_hosting_crossover", [analytic_key("cost_floor_bottom_up"), *SOLD])
def self_hosting_crossover(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots
    from pipeline.analytics.floor import OVERHEADS

    crossovers = self_hosting_crossover_frame(connection, as_of)
    by_overhead = crossovers.pivot(index=["model_class", "gpu"], columns="overhead", values="mtok_per_day")
    labels = [f"{model_class} on {gpu}" for model_class, gpu in by_overhead.index]
    broken = crossovers[
        (crossovers["mtok_per_day"].isna() & crossovers["reason"].isna())
        | (crossovers["feasible"] & (crossovers["mtok_per_day"] > crossovers["capacity_mtok_per_day"]))
    ]
    return result(
        crossovers,
        broken,
        "Nothing is feasible beyond what the machine can make, and every missing number has a reason.",
        crossovers=partial(
            plots.intervals,
            bars(labels, by_overhead, *(float(overhead) for overhead in (OVERHEADS[1], OVERHEADS[0], OVERHEADS[2]))),
            f"From where a machine of one's own is cheaper, as of {as_of:%Y-%m-%d}",
            "million tokens a day, for operations of x1, x3 and x5",
            log=True,
        ),
    )
