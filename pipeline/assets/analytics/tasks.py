"""What described tasks cost, and the margins of products that do them."""

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
    mart,
    outside,
    result,
    seed,
)

# Models that people ask for by name, of several developers and prices. One that is no longer on sale says so.
NAMED_MODELS = (
    "anthropic/claude-haiku-4.5",
    "anthropic/claude-sonnet-4.5",
    "deepseek/deepseek-v3.2",
    "google/gemini-2.5-flash",
    "google/gemini-2.5-pro",
    "openai/gpt-5",
    "openai/gpt-5-mini",
    "openai/gpt-oss-120b",
)
# Three tiers from cheap to dear: the ends of a line in the plot, and the dot on it.
PLOTTED_TIERS = {"low": "eci-gpt-3.5", "value": "eci-o1", "high": "eci-gpt-5"}
SQUEEZED = ("agent_session", "eci-o1")


def task_cost_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.task_cost`. Offers count as in `marts.mart_frontier_price_daily`."""
    from pipeline.analytics import tasks

    offers = connection.execute(
        """
        select prices.offer_id, prices.model_id, prices.provider_id, prices.context_from, prices.context_to,
            prices.meter, cast(prices.usd_per_mtok as double) as usd_per_mtok
        from marts.fct_price_history as prices
        join marts.dim_provider as providers using (provider_id)
        where prices.known_to is null and prices.quality <> 'quarantined' and prices.currency = 'USD'
            and prices.usd_per_mtok is not null and prices.service_tier = 'standard'
            and providers.provider_kind <> 'aggregator' and list_contains(?, prices.meter)
            and cast(prices.valid_from as date) <= ? and coalesce(cast(prices.valid_to as date) > ?, true)
            -- A price in force under 30 days is a promo.
            and not coalesce(cast(prices.valid_to as date) < cast(prices.valid_from as date) + 30, false)
        """,
        [list(tasks.METERS), as_of.date(), as_of.date()],
    ).df()
    choices = connection.execute(
        """
        select 'capability_tier' as choice_kind, tiers.tier_id as choice_id, scores.model_id
        from seeds.capability_tiers as tiers
        left join seeds.capability_scores as scores
            on tiers.benchmark = scores.benchmark and scores.score >= tiers.threshold
        union all
        select 'model', model_id, model_id from unnest(?) as named (model_id)
        """,
        [list(NAMED_MODELS)],
    ).df()
    return tasks.task_cost(connection.execute("from seeds.tasks").df(), offers, choices, as_of)


def margin_squeeze_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.margin_squeeze`, from the costs and forecasts as of the same day."""
    from pipeline.analytics import tasks

    day = as_stored(as_of)
    costs = connection.execute(
        "from analytics.task_cost where choice_kind = 'capability_tier' and as_of = ?", [day]
    ).df()
    forecasts = connection.execute(
        "from analytics.forecasts where workload = ? and not with_floor and as_of = ?", [HEADLINE_WORKLOAD, day]
    ).df()
    return tasks.margin_squeeze(connection.execute("from seeds.tasks").df(), costs, forecasts, as_of)


@analytic(
    "task_cost",
    [
        *map(mart, ("fct_price_history", "dim_provider", "dim_clock")),
        *map(seed, ("tasks", "capability_tiers", "capability_scores")),
    ],
)
def task_cost(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    costs = task_cost_frame(connection, as_of)
    by_tier = costs.pivot(index="task_id", columns="choice_id", values="cost_usd_per_task")
    broken = costs[(costs["cost_usd_per_task"].isna() == costs["reason"].isna()) | (costs["cost_usd_per_task"] <= 0)]
    return result(
        costs,
        broken,
        "Costs are positive, and every missing one has a reason.",
        costs=partial(
            plots.intervals,
            bars(by_tier.index, by_tier, *(PLOTTED_TIERS[place] for place in ("value", "low", "high"))),
            f"Cheapest offer, as of {as_of:%Y-%m-%d}",
            "USD per finished task, from {low} to {high}; dot: {value}".format(**PLOTTED_TIERS),
            log=True,
        ),
    )


@analytic("margin_squeeze", [seed("tasks"), mart("dim_clock"), analytic_key("task_cost"), analytic_key("forecasts")])
def margin_squeeze(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    margins = margin_squeeze_frame(connection, as_of)
    task, tier = SQUEEZED
    shown = margins[(margins["task_id"] == task) & (margins["tier_id"] == tier) & (margins["method"] == "drift_walk")]
    labels = [f"in {row.horizon_months} months" for row in shown.itertuples()]
    broken = margins[
        (margins["gross_margin_median"].isna() == margins["reason"].isna())
        | outside(margins, "gross_margin_low", "gross_margin_median", "gross_margin_high")
        | (margins["gross_margin_high"] > 1)
    ]
    return result(
        margins,
        broken,
        "Margins are in order and at most 1, and every missing one has a reason.",
        margins=partial(
            plots.intervals,
            bars(labels, shown, "gross_margin_median", "gross_margin_low", "gross_margin_high"),
            f"Gross margin of {task} with {tier}, as of {as_of:%Y-%m-%d}",
            "share of the price, 90 % interval",
        ),
    )
