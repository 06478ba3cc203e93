import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.analytics.floor import (
    COST_COLUMNS,
    CROSSOVER_COLUMNS,
    ESTIMATE_COLUMNS,
    GAP_COLUMNS,
    METERS,
    STATISTICAL_COLUMNS,
    LogNormal,
    asymptote,
    bottom_up,
    competitive,
    cost_floor_statistical,
    floor_estimates,
    floor_gap,
    pool,
    self_hosting_crossover,
)

AS_OF = pd.Timestamp("2026-06-01", tz="UTC")
Z95 = stats.norm.ppf(0.95)


# --- log-normal floors and their pool -------------------------------------------------------------------------------


def test_a_log_normal_goes_through_its_quantiles() -> None:
    floor = LogNormal.through(0.5, 1.0, 2.0)
    assert (floor.quantile(-Z95), floor.quantile(0), floor.quantile(Z95)) == pytest.approx((0.5, 1.0, 2.0))
    assert floor.above(2.0) == pytest.approx(0.05)
    assert floor.above(1.0) == pytest.approx(0.5)
    certain = LogNormal.through(1.0, 1.0, 1.0)
    assert (certain.above(0.9), certain.above(1.1)) == (1, 0)
    with pytest.raises(ValueError, match="in order"):
        LogNormal.through(0.0, 1.0, 2.0)


def test_the_pool_by_hand() -> None:
    """Weights 4/5 and 1/5; mean 0.2, variance 0.8 (0.01 + 0.04) + 0.2 (0.04 + 0.64) = 0.176."""
    pooled, weights = pool({"a": LogNormal(0.0, 0.1), "b": LogNormal(1.0, 0.2)})
    assert weights == pytest.approx({"a": 0.8, "b": 0.2})
    assert pooled.mean == pytest.approx(0.2)
    assert pooled.sd**2 == pytest.approx(0.176)


def test_the_pool_is_the_mixture_of_its_components() -> None:
    rng = np.random.default_rng(1)
    components = {"a": LogNormal(-2.0, 0.3), "b": LogNormal(-1.4, 0.5), "c": LogNormal(-2.5, 0.2)}
    pooled, weights = pool(components)
    drawn = np.concatenate(
        [rng.normal(components[name].mean, components[name].sd, int(1e6 * weight)) for name, weight in weights.items()]
    )
    assert drawn.mean() == pytest.approx(pooled.mean, abs=2e-3)
    assert drawn.std() == pytest.approx(pooled.sd, abs=2e-3)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 2)), min_size=1, max_size=3), st.floats(-5, 5))
def test_what_holds_of_every_pool(parts: list[tuple[float, float]], shift: float) -> None:
    components = {str(i): LogNormal(*part) for i, part in enumerate(parts)}
    pooled, weights = pool(components)
    assert math.fsum(weights.values()) == pytest.approx(1)
    means = [mean for mean, _ in parts]
    assert min(means) - 1e-9 <= pooled.mean <= max(means) + 1e-9
    assert pooled.sd >= min(sd for _, sd in parts) - 1e-9
    moved, _ = pool({name: LogNormal(part.mean + shift, part.sd) for name, part in components.items()})
    assert moved.mean == pytest.approx(pooled.mean + shift, abs=1e-9)
    assert moved.sd == pytest.approx(pooled.sd, abs=1e-6)


def test_agreement_does_not_make_surer_and_nothing_is_certain() -> None:
    one = LogNormal(0.0, 0.4)
    assert pool({"a": one, "b": one, "c": one})[0].sd == pytest.approx(0.4)
    certain, weights = pool({"a": LogNormal(0.0, 0.0), "b": LogNormal(0.0, 0.05)})
    assert weights == pytest.approx({"a": 0.5, "b": 0.5})
    assert certain.sd == pytest.approx(0.05)
    with pytest.raises(ValueError, match="nothing to pool"):
        pool({})


# --- competition ----------------------------------------------------------------------------------------------------


def test_the_lower_hosts_against_scipy() -> None:
    prices = np.random.default_rng(3).lognormal(size=14)
    floor = competitive(prices.tolist())
    assert floor is not None
    assert floor.mean == pytest.approx(float(stats.mstats.hdquantiles(np.log(prices), [0.05])[0]))


def test_the_error_of_the_lower_hosts_is_that_of_its_bootstrap() -> None:
    prices = np.random.default_rng(4).lognormal(size=20)
    floor = competitive(prices.tolist())
    # Harrell and Davis's weights are the bootstrap distribution of the order statistic 0.05 (n + 1) if that is whole.
    n, a = 20, 0.05 * 21
    weights = np.diff(stats.beta(a, 21 - a).cdf(np.linspace(0, 1, n + 1)))
    logs = np.sort(np.log(prices))
    assert floor is not None
    assert floor.sd == pytest.approx(math.sqrt(weights @ logs**2 - (weights @ logs) ** 2))


def test_competition_needs_five_hosts_that_ask_something() -> None:
    assert competitive([1.0, 2.0, 3.0, 4.0]) is None
    alike = competitive([2.0] * 5)
    assert alike is not None
    assert (alike.mean, alike.sd) == pytest.approx((math.log(2), 0))
    with pytest.raises(ValueError, match="positive"):
        competitive([0.0, 1.0, 1.0, 1.0, 1.0])


# --- the tables -----------------------------------------------------------------------------------------------------


def cost_rows(**changed: Any) -> pd.DataFrame:
    rows = [
        {
            "as_of": AS_OF,
            "model_class": "small",
            "meter": meter,
            "gpu": gpu,
            "method": method,
            "acquisition": acquisition,
            "p05": 0.5 * cost,
            "p50": cost,
            "p95": 2 * cost,
            "usd_per_gpu_hour": 2.0,
            "n_gpu": 4,
            "tokens_per_s_per_gpu": 1000.0,
            "gate": "ok",
        }
        for meter, (gpu, method, acquisition, cost) in product(
            METERS,
            [
                ("A", "roofline", "rented", 0.01),
                ("A", "benchmark_output", "rented", 0.02),
                ("A", "benchmark_split", "rented", 0.3),
                ("B", "benchmark_split", "rented", 0.2),
                ("B", "benchmark_split", "owned", 0.1),
            ],
        )
    ]
    return pd.DataFrame([row | changed for row in rows], columns=list(COST_COLUMNS)).astype(COST_COLUMNS)


def host_rows(prices: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"model_class": "small", "meter": meter, "provider_id": f"host {i}", "usd_per_mtok": price}
            for meter in METERS
            for i, price in enumerate(prices)
        ],
        columns=["model_class", "meter", "provider_id", "usd_per_mtok"],
    )


def series(prices: list[float], kind: str = "model_class", name: str = "small", end: pd.Timestamp = AS_OF) -> Any:
    at = [end - pd.DateOffset(months=back) for back in range(len(prices))][::-1]
    return pd.DataFrame({"series_kind": kind, "series_id": name, "meter": "blend_3_1", "at": at, "price": prices})


LEVELLED = [float(price) for price in (0.2 + 3 * np.exp(-0.4 * np.arange(30))) * np.tile([1.01, 0.99, 1.0], 10)]


def test_every_series_gets_its_asymptote() -> None:
    falling = [math.exp(-0.1 * n) for n in range(30)]
    points = pd.concat([series(LEVELLED), series(falling, "capability_tier", "tier")])
    rows = cost_floor_statistical(points, AS_OF).set_index("series_id")
    expected = asymptote(series(LEVELLED)["at"], LEVELLED)
    assert rows.loc["small", "floor"] == expected.floor
    assert rows.loc["small", "hi90"] == expected.hi90
    assert rows.loc["small", "p_now"] == LEVELLED[-1]
    assert expected.recent is not None
    assert rows.loc["small", "recent_hi90"] == expected.recent.hi90
    assert rows.loc["small", "recent_floor"] == expected.recent.floor
    assert rows.loc["tier", "gate"] == "insufficient"
    assert rows.loc["tier", "floor"] is pd.NA
    assert rows.loc["tier", "n_obs"] == 30
    assert dict(rows.reset_index()[list(STATISTICAL_COLUMNS)].dtypes.astype(str)) == STATISTICAL_COLUMNS


def test_a_series_that_has_ended_has_no_floor() -> None:
    rows = cost_floor_statistical(series(LEVELLED, end=AS_OF - pd.DateOffset(months=1)), AS_OF)
    assert rows["reason"].tolist() == ["no price since 2026-05-01"]
    assert rows[["floor", "hi90", "p_now", "recent_floor"]].isna().all(axis=None)
    assert cost_floor_statistical(series([]), AS_OF).empty
    assert cost_floor_statistical(series([math.nan, math.nan]), AS_OF)["reason"].tolist() == ["no price"]


def test_rents_count_once_by_the_most_telling_method_on_the_cheapest_gpu() -> None:
    rows = floor_estimates(cost_rows(), cost_floor_statistical(series([]), AS_OF), host_rows([]), AS_OF)
    assert dict(rows.dtypes.astype(str)) == ESTIMATE_COLUMNS
    assert set(rows["bottom_up_gpu"]) == {"B"}
    assert set(rows["bottom_up_method"]) == {"benchmark_split"}
    assert set(rows["bottom_up_weight"]) == {1}
    assert set(rows["n_components"]) == {1}
    # Alone, a component is the floor.
    assert rows["p50"].tolist() == pytest.approx([0.2] * 3)
    assert rows["p05"].tolist() == pytest.approx([0.1] * 3)
    assert rows["p95"].tolist() == pytest.approx([0.4] * 3)
    assert set(rows["reason"]) == {"not statistical: no price; not competitive: 0 hosts, under 5"}


def test_all_three_components_are_pooled() -> None:
    statistical = cost_floor_statistical(series(LEVELLED), AS_OF)
    prices = [0.25, 0.3, 0.35, 0.4, 0.5, 0.6]
    rows = floor_estimates(cost_rows(), statistical, host_rows(prices), AS_OF).set_index("meter")
    row, fit = rows.loc["blend_3_1"], statistical.iloc[0]
    lower = competitive(prices)
    assert lower is not None
    expected, weights = pool(
        {
            "bottom_up": LogNormal.through(0.1, 0.2, 0.4),
            "statistical": LogNormal.through(fit["lo90"], fit["floor"], fit["hi90"]),
            "competitive": lower,
        }
    )
    assert row["n_components"] == 3
    assert row["reason"] is pd.NA
    assert row["p50"] == pytest.approx(math.exp(expected.mean))
    assert row["p95"] == pytest.approx(math.exp(expected.mean + Z95 * expected.sd))
    assert {name: row[f"{name}_weight"] for name in weights} == pytest.approx(weights)
    assert row["competitive_p50"] == pytest.approx(math.exp(lower.mean))
    assert row["statistical_p50"] == pytest.approx(fit["floor"])
    assert row["competitive_hosts"] == 6
    # The statistical floor is that of its own meter only.
    assert rows.loc["input", "n_components"] == 2


def test_without_any_component_there_is_a_reason() -> None:
    costs = cost_rows(gate="insufficient", reason="no rent", p05=None, p50=None, p95=None)
    rows = floor_estimates(costs, cost_floor_statistical(series([]), AS_OF), host_rows([0.3]), AS_OF)
    assert set(rows["gate"]) == {"insufficient"}
    assert rows[["p05", "p50", "p95", "bottom_up_weight"]].isna().all(axis=None)
    assert set(rows["reason"]) == {
        "not bottom_up: no rent; not statistical: no price; not competitive: 1 hosts, under 5"
    }


def test_gaps_by_hand() -> None:
    statistical = cost_floor_statistical(
        pd.concat(
            [series(LEVELLED), series(LEVELLED, "capability_tier", "tier"), series([1.0], "capability_tier", "new")]
        ),
        AS_OF,
    )
    estimates = floor_estimates(cost_rows(), statistical, host_rows([]), AS_OF)
    gaps = floor_gap(estimates, statistical)
    assert dict(gaps.dtypes.astype(str)) == GAP_COLUMNS
    gaps = gaps.set_index(["series_id", "component"])
    price = LEVELLED[-1]
    cost = gaps.loc[("small", "bottom_up")]
    assert cost["ln_gap"] == pytest.approx(math.log(price / 0.2))
    assert (cost["lo90"], cost["hi90"]) == pytest.approx((math.log(price / 0.4), math.log(price / 0.1)))
    assert cost["implied_gross_margin"] == pytest.approx(1 - 0.2 / price)
    assert cost["probability_below"] == pytest.approx(stats.norm.cdf(math.log(0.2 / price) / (math.log(2) / Z95)))
    assert gaps.loc[("small", "combined"), "floor"] == estimates.set_index("meter").loc["blend_3_1", "p50"]
    assert gaps.loc[("small", "combined"), "implied_gross_margin"] is pd.NA
    assert gaps.loc[("small", "competitive"), "gate"] == "insufficient"
    assert gaps.loc[("tier", "statistical"), "ln_gap"] == gaps.loc[("small", "statistical"), "ln_gap"]
    assert gaps.loc[("new", "statistical"), "reason"] == "1 points, under 12"
    ok = gaps[gaps["gate"] == "ok"]
    assert ((ok["ln_gap"] > 0) == (ok["probability_below"] < 0.5)).all()


def test_a_free_class_has_no_gap() -> None:
    free = cost_floor_statistical(series([0.0]), AS_OF)
    gaps = floor_gap(floor_estimates(cost_rows(), free, host_rows([]), AS_OF), free)
    assert set(gaps["gate"]) == {"insufficient"}
    assert set(gaps["reason"]) == {"free: a price of 0 has no logarithm"}
    assert set(gaps["p_star"]) == {0}


def test_an_ended_series_has_no_gap() -> None:
    ended = cost_floor_statistical(series(LEVELLED, end=AS_OF - pd.DateOffset(months=1)), AS_OF)
    gaps = floor_gap(floor_estimates(cost_rows(), ended, host_rows([]), AS_OF), ended)
    assert set(gaps["reason"]) == {"no price on that day"}
    assert floor_gap(floor_estimates(cost_rows(), ended, host_rows([]), AS_OF), ended.iloc[:0]).empty


def test_self_hosting_is_cheaper_exactly_where_its_cost_is_below_the_price() -> None:
    api = pd.DataFrame(
        {"model_class": ["small"], "usd_per_mtok": [4.0], "provider_id": ["host"], "model_id": ["a model"]}
    )
    rows = self_hosting_crossover(cost_rows(), api, AS_OF)
    assert dict(rows.dtypes.astype(str)) == CROSSOVER_COLUMNS
    assert rows["gpu"].tolist() == ["A"] * 3 + ["B"] * 3
    assert set(rows["method"]) == {"benchmark_split"}
    assert set(rows["utilisation"]) == {0.5 * 0.75}
    # 4 GPUs x 24 h x $2 = $192 a day
    assert rows["mtok_per_day"].tolist()[:3] == [48, 144, 240]
    assert rows["capacity_mtok_per_day"].iloc[0] == pytest.approx(4 * 1000 * 0.375 * 86_400 / 1e6)
    costs = [bottom_up(2.0 * overhead, 1000, 0.375) for overhead in rows["overhead"]]
    assert rows["feasible"].tolist() == [cost <= 4.0 for cost in costs]
    assert set(rows["feasible"]) == {True, False}


def test_a_whole_service_is_not_one_machine() -> None:
    api = pd.DataFrame({"model_class": ["small"], "usd_per_mtok": [4.0], "provider_id": ["x"], "model_id": ["y"]})
    rows = self_hosting_crossover(cost_rows(method="production", n_gpu=8), api, AS_OF)
    assert set(rows["utilisation"]) == {1}
    assert rows["reason"].iloc[0] == "measured over a whole service: one machine alone is slower"


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        (cost_rows(), "no host sells the class on that day"),
        (cost_rows(gate="insufficient", reason="no rent", p50=None, usd_per_gpu_hour=None), "no rent"),
    ],
)
def test_a_crossover_that_is_not_known_says_why(costs: pd.DataFrame, reason: str) -> None:
    sold = reason == "no rent"
    api = pd.DataFrame({"model_class": ["small"], "usd_per_mtok": [1.0], "provider_id": ["x"], "model_id": ["y"]})
    rows = self_hosting_crossover(costs, api if sold else api.iloc[:0], AS_OF)
    assert len(rows) == 6
    assert set(rows["gate"]) == {"insufficient"}
    assert set(rows["reason"]) == {reason}
    assert rows[["mtok_per_day", "feasible"]].isna().all(axis=None)
