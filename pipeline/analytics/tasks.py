"""What a task costs, and what that does to the margin of a product that does it.

A task is described by the tokens of one attempt; an attempt that fails is paid and made again. Prices are USD per 1M
tokens, costs USD per finished task, margins shares of the price.
"""

from datetime import datetime

import numpy as np
import pandas as pd

from pipeline.analytics.decline import Floats, utc_moment

METERS = ("input", "cache_read", "output")
_PRICES = [f"{meter}_usd_per_mtok" for meter in METERS]
# A cost at its 5 % quantile leaves the highest margin.
QUANTILES = {"p05": "high", "p50": "median", "p95": "low"}
CHOICE = ["choice_kind", "choice_id"]
TASK_COST_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    "task_id": "string",
    **dict.fromkeys(CHOICE, "string"),
    "cost_usd_per_task": "Float64",
    "offer_id": "string",
    "provider_id": "string",
    "model_id": "string",
    **dict.fromkeys(_PRICES, "Float64"),
    "gate": "string",
    "reason": "string",
}
MARGIN_SQUEEZE_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    "task_id": "string",
    "tier_id": "string",
    "method": "string",
    "horizon_months": "Int64",
    "sold_at_usd_per_task": "Float64",
    **{f"cost_{quantile}_usd_per_task": "Float64" for quantile in QUANTILES},
    **{f"gross_margin_{place}": "Float64" for place in QUANTILES.values()},
    "gate": "string",
    "reason": "string",
}


def attempt_cost(tokens: Floats, usd_per_mtok: Floats) -> Floats:
    """USD per attempt: `sum(tokens x price) / 1e6` over the last axis, the meters.

    A meter without a price (NaN) makes the cost NaN where the attempt uses it, and does not matter where it does not.
    """
    used = np.where(tokens > 0, tokens * usd_per_mtok, 0.0)
    cost: Floats = used.sum(axis=-1) / 1e6
    return cost


def gross_margin(sold_at: Floats, cost: Floats) -> Floats:
    """`1 - cost / sold_at`: negative where a task costs more than it brings in."""
    return 1 - cost / sold_at


def task_cost(tasks: pd.DataFrame, offers: pd.DataFrame, choices: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.task_cost`: what each task costs at the cheapest offer of each choice of models.

    `tasks` is the seed of that name. `offers` holds the prices in force at `as_of`, one row per `offer_id`, `model_id`
    and `meter`, with `provider_id`, `context_from` and `context_to` (prompt tokens, the first exclusive, null: no
    bound) and `usd_per_mtok`. `choices` says which models will do: `choice_kind`, `choice_id`, `model_id` (null for a
    choice without a model). A finished task costs `attempt_cost / success_rate`. Left out are offers whose band does
    not hold the longest prompt, that print no price for a meter of the task, and that are free. Raises ValueError for
    tokens, rates or prices that are none, and for two prices of one meter.
    """
    _require_tasks(tasks)
    key = ["offer_id", "model_id"]
    offers = offers[offers["model_id"].isin(choices["model_id"].dropna())]
    prices = offers.pivot(index=key, columns="meter", values="usd_per_mtok").reindex(columns=list(METERS))
    usd_per_mtok = prices.to_numpy(dtype=np.float64)
    if (usd_per_mtok < 0).any() or np.isinf(usd_per_mtok).any():
        raise ValueError("prices are finite and not negative")
    about = offers.drop_duplicates(key).set_index(key).loc[prices.index].reset_index()
    band_from = about["context_from"].astype("Float64").fillna(0).to_numpy(dtype=np.float64)
    band_to = about["context_to"].astype("Float64").fillna(np.inf).to_numpy(dtype=np.float64)
    prompt, success = (tasks[[name]].to_numpy(dtype=np.float64) for name in ("prompt_tokens", "success_rate"))
    tokens = tasks[[f"{meter}_tokens" for meter in METERS]].to_numpy(dtype=np.float64)
    cost = attempt_cost(tokens[:, np.newaxis], usd_per_mtok) / success
    task, offer = np.nonzero((band_from < prompt) & (prompt <= band_to) & (cost > 0))
    usable = about[[*key, "provider_id"]].iloc[offer].reset_index(drop=True)
    usable["task_id"] = tasks["task_id"].to_numpy()[task]
    usable["cost_usd_per_task"] = cost[task, offer]
    usable[_PRICES] = usd_per_mtok[offer]
    cheapest = (
        usable.merge(choices, on="model_id")
        .sort_values(["cost_usd_per_task", "offer_id", "model_id"])
        .drop_duplicates(["task_id", *CHOICE])
    )
    every = tasks[["task_id"]].merge(choices[CHOICE].drop_duplicates(), how="cross")
    table = every.merge(cheapest, on=["task_id", *CHOICE], how="left").assign(as_of=utc_moment(as_of))
    missing = table["cost_usd_per_task"].isna()
    table["gate"] = np.where(missing, "insufficient", "ok")
    table["reason"] = missing.map({True: "no offer in force prints all prices that it takes"})
    table = table.sort_values(["task_id", *CHOICE], ignore_index=True)
    return table[list(TASK_COST_COLUMNS)].astype(TASK_COST_COLUMNS)


def margin_squeeze(tasks: pd.DataFrame, costs: pd.DataFrame, forecasts: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.margin_squeeze`: the gross margin of a task sold at a fixed price, now and as forecast.

    `tasks` is the seed of that name, `costs` are the rows of `analytics.task_cost` of capability tiers and `forecasts`
    those of `analytics.forecasts` of one workload, one row per `series_id`, `method` and `horizon_months`. The cost of
    today (horizon 0) moves by the factor by which the forecast moves the price of the tier from
    `origin_usd_per_mtok`: `cost x p05 / origin`, and so on. The lowest margin is that of the highest cost. Raises
    ValueError for tokens, rates or prices that are none.
    """
    _require_tasks(tasks)
    factors = forecasts[["series_id", "method", "horizon_months", "reason"]].rename(columns={"series_id": "tier_id"})
    for quantile in QUANTILES:
        factors[quantile] = forecasts[quantile].astype(float) / forecasts["origin_usd_per_mtok"].astype(float)
    today = factors[["tier_id", "method"]].drop_duplicates().assign(horizon_months=0, **dict.fromkeys(QUANTILES, 1.0))
    of_tiers = costs.rename(columns={"choice_id": "tier_id", "reason": "no_cost"})
    table = (
        tasks[["task_id", "sold_at_usd"]]
        .merge(of_tiers[["task_id", "tier_id", "cost_usd_per_task", "no_cost"]], on="task_id")
        .merge(pd.concat([today, factors], ignore_index=True), on="tier_id")
        .assign(as_of=utc_moment(as_of))
        .rename(columns={"sold_at_usd": "sold_at_usd_per_task"})
    )
    sold_at, cost = (table[name].to_numpy(dtype=np.float64) for name in ("sold_at_usd_per_task", "cost_usd_per_task"))
    for quantile, place in QUANTILES.items():
        future = cost * table[quantile].to_numpy(dtype=np.float64)
        table[f"cost_{quantile}_usd_per_task"] = future
        table[f"gross_margin_{place}"] = gross_margin(sold_at, future)
    table["reason"] = table["no_cost"].fillna(table["reason"])
    table["gate"] = np.where(table["gross_margin_median"].isna(), "insufficient", "ok")
    table = table.sort_values(["task_id", "tier_id", "method", "horizon_months"], ignore_index=True)
    return table[list(MARGIN_SQUEEZE_COLUMNS)].astype(MARGIN_SQUEEZE_COLUMNS)


def _require_tasks(tasks: pd.DataFrame) -> None:
    tokens = tasks[["prompt_tokens", *(f"{meter}_tokens" for meter in METERS)]].to_numpy(dtype=np.float64)
    success, sold_at = (tasks[name].to_numpy(dtype=np.float64) for name in ("success_rate", "sold_at_usd"))
    if not ((tokens >= 0) & np.isfinite(tokens)).all():
        raise ValueError("tokens are finite and not negative")
    if not ((success > 0) & (success <= 1)).all():
        raise ValueError("a success rate is above 0 and at most 1")
    if not ((sold_at > 0) & np.isfinite(sold_at)).all():
        raise ValueError("a task is sold at a finite price above 0")
