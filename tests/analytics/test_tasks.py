from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.analytics.tasks import (
    MARGIN_SQUEEZE_COLUMNS,
    TASK_COST_COLUMNS,
    attempt_cost,
    gross_margin,
    margin_squeeze,
    task_cost,
)

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
SEED = Path(__file__).parents[2] / "seeds" / "tasks.csv"


def tasks(**changed: object) -> pd.DataFrame:
    task = {
        "task_id": "answer",
        "prompt_tokens": 4000,
        "input_tokens": 4000,
        "cache_read_tokens": 0,
        "output_tokens": 300,
        "success_rate": 0.8,
        "sold_at_usd": 0.01,
    }
    return pd.DataFrame([task | changed])


def offer(offer_id: str, band: tuple[int | None, int | None] = (None, None), **prices: float) -> pd.DataFrame:
    """An offer of the model of the same name, at prices per meter."""
    rows = pd.DataFrame({"meter": list(prices), "usd_per_mtok": list(prices.values())})
    rows = rows.assign(offer_id=offer_id, model_id=offer_id.split("@")[0], provider_id=offer_id.split("@")[-1])
    return rows.assign(
        context_from=pd.array([band[0]] * len(rows), "Int64"), context_to=pd.array([band[1]] * len(rows), "Int64")
    )


def choices(**models: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [("capability_tier", tier, model) for tier, of_tier in models.items() for model in of_tier],
        columns=["choice_kind", "choice_id", "model_id"],
    )


def cheapest(task: pd.DataFrame, *offers: pd.DataFrame, models: tuple[str, ...] = ("small", "large")) -> pd.Series:
    costs = task_cost(task, pd.concat(offers, ignore_index=True), choices(tier=list(models)), AS_OF)
    assert len(costs) == 1
    return costs.iloc[0]


# --- what a task costs ----------------------------------------------------------------------------------------------


def test_a_finished_task_costs_tokens_by_price_over_success_rate() -> None:
    row = cheapest(
        tasks(input_tokens=100_000, cache_read_tokens=900_000, output_tokens=20_000, success_rate=0.5),
        offer("large", input=3.0, cache_read=0.3, output=15.0),
    )
    # 0.30 + 0.27 + 0.30 per attempt, two attempts.
    assert row["cost_usd_per_task"] == pytest.approx(1.74)
    assert row[["input_usd_per_mtok", "cache_read_usd_per_mtok", "output_usd_per_mtok"]].tolist() == [3.0, 0.3, 15.0]
    assert row[["as_of", "task_id", "choice_kind", "choice_id", "gate"]].tolist() == [
        pd.Timestamp(AS_OF),
        "answer",
        "capability_tier",
        "tier",
        "ok",
    ]


def test_a_meter_that_is_not_used_needs_no_price() -> None:
    cost = attempt_cost(np.array([1e6, 0, 0]), np.array([[2.0, np.nan, np.nan], [np.nan, 1.0, 1.0]]))
    assert cost[0] == 2
    assert np.isnan(cost[1])


def test_the_cheapest_offer_of_any_model_of_the_choice_counts() -> None:
    offers = [offer("small@b", input=2.0, output=8.0), offer("small@a", input=1.0, output=9.0)]
    row = cheapest(tasks(), *offers, offer("large@a", input=9.0, output=9.0), offer("other", input=0.1, output=0.1))
    assert row[["model_id", "provider_id", "offer_id"]].tolist() == ["small", "a", "small@a"]
    # With much output the other one is cheaper.
    assert cheapest(tasks(output_tokens=9000), *offers)["offer_id"] == "small@b"


def test_the_longest_prompt_decides_the_band() -> None:
    bands = (
        offer("small@low", (0, 32_000), input=1.0, output=1.0),
        offer("small@high", (32_000, None), input=2.0, output=2.0),
    )
    found = {prompt: cheapest(tasks(prompt_tokens=prompt), *bands)["offer_id"] for prompt in (1, 32_000, 32_001)}
    assert found == {1: "small@low", 32_000: "small@low", 32_001: "small@high"}


@pytest.mark.parametrize(
    "unfit",
    [
        offer("small", input=1.0),
        offer("small", output=1.0),
        offer("small", input=0.0, output=0.0),
        offer("small", (32_000, None), input=1.0, output=1.0),
        offer("other", input=1.0, output=1.0),
        offer("small", input=1.0, output=1.0).head(0),
    ],
    ids=["no output", "no input", "free", "other band", "other model", "nothing"],
)
def test_what_has_no_price_is_null_with_a_reason(unfit: pd.DataFrame) -> None:
    row = cheapest(tasks(), unfit)
    assert row["cost_usd_per_task"] is pd.NA
    assert row["offer_id"] is pd.NA
    assert (row["gate"], row["reason"]) == ("insufficient", "no offer in force prints all prices that it takes")


def test_every_task_and_choice_has_a_row() -> None:
    both = pd.concat([tasks(), tasks(task_id="sort", output_tokens=1)], ignore_index=True)
    of = choices(tier=["small", "large"], alone=["missing"])
    costs = task_cost(both, offer("small", input=1.0, output=1.0), of, AS_OF)
    assert costs.dtypes.astype(str).to_dict() == TASK_COST_COLUMNS
    assert costs[["task_id", "choice_id", "gate"]].to_numpy().tolist() == [
        ["answer", "alone", "insufficient"],
        ["answer", "tier", "ok"],
        ["sort", "alone", "insufficient"],
        ["sort", "tier", "ok"],
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"success_rate": 0.0},
        {"success_rate": 1.1},
        {"output_tokens": -1},
        {"prompt_tokens": np.nan},
        {"sold_at_usd": 0.0},
    ],
)
def test_impossible_tasks_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"tokens|success|sold"):
        cheapest(tasks(**wrong), offer("small", input=1.0, output=1.0))


@pytest.mark.parametrize("price", [-1.0, np.inf])
def test_impossible_prices_are_refused(price: float) -> None:
    with pytest.raises(ValueError, match="prices are finite"):
        cheapest(tasks(), offer("small", input=price, output=1.0))


def test_two_prices_of_one_meter_are_refused() -> None:
    twice = offer("small", input=1.0, output=1.0)
    with pytest.raises(ValueError, match="duplicate"):
        cheapest(tasks(), twice, twice)


def test_the_described_tasks_add_up() -> None:
    described = pd.read_csv(SEED)
    costs = task_cost(described, offer("small", input=1.0, cache_read=0.1, output=4.0), choices(t=["small"]), AS_OF)
    assert set(costs["gate"]) == {"ok"}
    # One request has no more input than its prompt; many requests have at least their longest prompt.
    taken = described["input_tokens"] + described["cache_read_tokens"]
    assert (taken >= described["prompt_tokens"]).all()
    # 0.14 + 0.126 + 0.064 per attempt, every second of which succeeds.
    assert costs.set_index("task_id").loc["agent_session", "cost_usd_per_task"] == pytest.approx(0.66)


# --- what that does to a margin -------------------------------------------------------------------------------------


def test_gross_margin_by_hand() -> None:
    assert gross_margin(np.array([2.0, 2.0, 2.0]), np.array([0.5, 2.0, 5.0])).tolist() == [0.75, 0.0, -1.5]


def outlook(*rows: tuple[int, float | None, float | None, float | None], origin: float | None = 4.0) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["horizon_months", "p05", "p50", "p95"]).astype("Float64")
    return frame.assign(
        series_id="tier",
        method="drift_walk",
        origin_usd_per_mtok=origin,
        reason=frame["p50"].isna().map({True: "no forecast"}),
    )


def squeezed(forecasts: pd.DataFrame, sold_at_usd: float = 2.0, price: float = 1.0) -> pd.DataFrame:
    task = tasks(input_tokens=1_000_000, output_tokens=0, success_rate=1.0, sold_at_usd=sold_at_usd)
    costs = task_cost(task, offer("small", input=price, output=1.0), choices(tier=["small"]), AS_OF)
    margins = margin_squeeze(task, costs, forecasts, AS_OF)
    assert margins.dtypes.astype(str).to_dict() == MARGIN_SQUEEZE_COLUMNS
    return margins.set_index("horizon_months")


def test_the_cost_moves_by_the_factor_of_the_forecast() -> None:
    margins = squeezed(outlook((6, 1.0, 2.0, 12.0), (12, 0.5, 1.0, 16.0)))
    costs = [f"cost_{quantile}_usd_per_task" for quantile in ("p05", "p50", "p95")]
    places = [f"gross_margin_{place}" for place in ("low", "median", "high")]
    assert margins[costs].to_numpy().tolist() == [[1, 1, 1], [0.25, 0.5, 3], [0.125, 0.25, 4]]
    assert margins[places].to_numpy().tolist() == [[0.5] * 3, [-0.5, 0.75, 0.875], [-1, 0.875, 0.9375]]
    assert set(margins["gate"]) == {"ok"}


def test_without_a_forecast_there_is_the_margin_of_today() -> None:
    margins = squeezed(outlook((6, None, None, None)))
    assert margins["gate"].tolist() == ["ok", "insufficient"]
    assert margins["gross_margin_median"].tolist() == [0.5, pd.NA]
    assert margins["reason"].tolist() == [pd.NA, "no forecast"]


def test_without_a_cost_there_is_no_margin() -> None:
    margins = squeezed(outlook((6, 1.0, 2.0, 12.0)), price=0.0)
    assert set(margins["gate"]) == {"insufficient"}
    assert set(margins["reason"]) == {"no offer in force prints all prices that it takes"}
    assert margins["gross_margin_low"].isna().all()


def test_no_forecasts_no_margins() -> None:
    assert squeezed(outlook()).empty
