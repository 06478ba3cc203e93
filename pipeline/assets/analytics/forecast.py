"""Where the frontier prices go, and how good such forecasts were."""

from datetime import datetime
from functools import partial

import duckdb
import pandas as pd

from pipeline.assets.analytics.common import (
    HEADLINE_WORKLOAD,
    Result,
    analytic,
    analytic_key,
    as_stored,
    bars,
    columns,
    mart,
    outside,
    result,
    seed,
)

# Each workload that is forecast, and the meter of the floor that bounds it.
FLOOR_METERS = {HEADLINE_WORKLOAD: "blend_3_1", "output_only": "output"}
FAN_TIER = "eci-gpt-4"
FAN = ("target_month", "p05", "p50", "p95")


def month_end_prices(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The frontier prices in force at the end of each month, as `pipeline.analytics.forecast.forecasts` takes them."""
    return connection.execute(
        """
        select tier_id as series_id, workload_id as workload, price_date as month_end, p_star as price
        from marts.mart_frontier_price_daily
        where model_group = 'all' and price_date = last_day(price_date) and list_contains(?, workload_id)
        order by all
        """,
        [list(FLOOR_METERS)],
    ).df()


def forecast_scores_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.forecast_scores`."""
    from pipeline.analytics import forecast

    return forecast.forecast_scores(month_end_prices(connection), as_of)


def forecasts_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.forecasts`, from the scores and floors as of the same day."""
    from pipeline.analytics import forecast

    scored = connection.execute("from analytics.forecast_scores where as_of = ?", [as_stored(as_of)]).df()
    lowest = dict(
        connection.execute(
            "select meter, min(p05) from analytics.floor_estimates where gate = 'ok' and as_of = ? group by meter",
            [as_stored(as_of)],
        ).fetchall()
    )
    floors = {workload: lowest[meter] for workload, meter in FLOOR_METERS.items() if meter in lowest}
    return forecast.forecasts(month_end_prices(connection), scored, floors, as_of)


@analytic("forecast_scores", [mart("mart_frontier_price_daily"), mart("dim_clock")])
def forecast_scores(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    scored = forecast_scores_frame(connection, as_of)
    pooled = scored[
        (scored["series_id"] == "pooled")
        & (scored["workload"] == HEADLINE_WORKLOAD)
        & (scored["method"] != "no_change")
        & (scored["gate"] == "ok")
    ]
    labels = [f"{row.method}, {row.horizon_months} months" for row in pooled.itertuples()]
    broken = scored[
        ((scored["gate"] == "ok") != scored["log_score"].notna())
        | (scored["log_score"].isna() & scored["reason"].isna())
        | ~scored["coverage"].between(0, 1).fillna(True)
    ]
    return result(
        scored,
        broken,
        "Every score is there or has a reason, and coverages are shares.",
        errors=partial(
            plots.intervals,
            bars(labels, pooled, *["mase"] * 3),
            f"Hindcasts over all tiers, as of {as_of:%Y-%m-%d}",
            "mean absolute error over that of no change: above 1 is worse",
        ),
    )


@analytic(
    "forecasts",
    [
        mart("mart_frontier_price_daily"),
        mart("dim_clock"),
        seed("capability_tiers"),
        analytic_key("forecast_scores"),
        analytic_key("floor_estimates"),
    ],
)
def forecasts(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    forecast = forecasts_frame(connection, as_of)
    prices = month_end_prices(connection)
    [(tier,)] = connection.execute(
        "select tier_name from seeds.capability_tiers where tier_id = ?", [FAN_TIER]
    ).fetchall()
    history = prices[(prices["series_id"] == FAN_TIER) & (prices["workload"] == HEADLINE_WORKLOAD)]
    ahead = forecast[
        (forecast["series_id"] == FAN_TIER)
        & (forecast["workload"] == HEADLINE_WORKLOAD)
        & (forecast["method"] == "drift_walk")
        & (forecast["gate"] == "ok")
    ]
    broken = forecast[
        (forecast["p50"].isna() & forecast["reason"].isna())
        | outside(forecast, "p05", "p50", "p95")
        | (forecast["p05"] < forecast["floor_p05"])
        | (forecast["p05"] <= 0)
    ]
    return result(
        forecast,
        broken,
        "Quantiles are positive, in order and not below the floor, and every missing one has a reason.",
        fan=partial(
            plots.fan,
            columns(history, "month_end", "price"),
            columns(ahead[~ahead["with_floor"]], *FAN),
            columns(ahead[ahead["with_floor"]], *FAN),
            f"Price of the {tier}, 3:1 input to output, as of {as_of:%Y-%m-%d}",
        ),
    )
