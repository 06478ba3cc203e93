import math
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.analytics.floor import (
    COST_COLUMNS,
    Assumptions,
    CostSettings,
    Gpu,
    ModelShape,
    OwnedHardware,
    Range,
    RentQuantiles,
    RooflineAssumptions,
    bottom_up,
    cost_floor_bottom_up,
    crossover,
    decode_step_seconds,
    monte_carlo,
    owned_rent,
    roofline,
)

SEEDS = Path(__file__).parents[2] / "seeds"
AS_OF = pd.Timestamp("2026-06-01", tz="UTC")

DENSE = ModelShape(total_params=8e9, active_params=8e9, kv_values_per_token=65_536)
MOE = ModelShape(
    total_params=100e9,
    active_params=10e9,
    kv_values_per_token=10_000,
    expert_params=90e9,
    n_experts=64,
    experts_per_token=8,
)
H100 = Gpu(flops=1979e12, bandwidth=3.35e12, memory=80e9)
CERTAIN = Assumptions(
    utilisation=Range(0.5, 0.5, 0.5),
    field_ratio=Range(0.8, 0.8, 0.8),
    usd_per_kwh=Range(0.1, 0.1, 0.1),
    pue=Range(1.2, 1.2, 1.2),
)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def seed(name: str) -> pd.DataFrame:
    return pd.read_csv(SEEDS / f"{name}.csv")


# --- what a token costs ---------------------------------------------------------------------------------------------


def test_mlperf_llama_2_70b_on_eight_h100() -> None:
    assert bottom_up(2.0, 24_525 / 8, 1.0) == pytest.approx(0.181, abs=5e-4)


def test_the_day_that_deepseek_published() -> None:
    """226.75 nodes of 8 GPUs at $2 an hour served 608B input tokens (342B from the cache) and 168B output tokens."""
    paid = 226.75 * 8 * 2 * 24
    assert paid == 87_072
    bill = 608e3 * bottom_up(2, 73_700 / 8, 1) + 168e3 * bottom_up(2, 14_800 / 8, 1)
    nodes = bill / (8 * 2 * 24)
    assert nodes == pytest.approx(226.75, rel=1e-3)
    assert bill == pytest.approx(paid, rel=1e-3)


def test_bottom_up_takes_arrays() -> None:
    np.testing.assert_allclose(bottom_up(np.array([3.6, 7.2]), 1000.0, np.array([1.0, 0.5])), [1.0, 4.0])


@pytest.mark.parametrize("bad", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (math.inf, 1, 1), (1, math.nan, 1), (-1, 1, 1)])
def test_bottom_up_refuses_what_is_not_positive(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        bottom_up(*bad)


def test_utilisation_is_a_share() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        bottom_up(1, 1, 1.01)


def test_owned_rent_by_hand() -> None:
    # An annuity of 10 % over two years costs 0.1 x 1.21 / 0.21 of the price a year.
    capital = 8760 * 0.1 * 1.21 / 0.21 / 8760
    assert owned_rent(8760, 2, 0.10, 1.5, 1.2, 0.1, 0.05) == pytest.approx(capital + 1.5 * 1.2 * 0.1 + 0.05)
    assert owned_rent(8760, 4, 0, 1, 1, 0.1, 0) == pytest.approx(0.25 + 0.1)
    assert owned_rent(8760, 4, 1e-12, 1, 1, 0.1, 0) == pytest.approx(0.35)


@pytest.mark.parametrize("bad", [{"life_years": 0}, {"wacc": -0.1}, {"opex_per_hour": -1}, {"capex": math.inf}])
def test_owned_rent_refuses(bad: dict[str, float]) -> None:
    good = {
        "capex": 1,
        "life_years": 1,
        "wacc": 0.1,
        "kw": 1,
        "pue": 1,
        "usd_per_kwh": 1,
        "opex_per_hour": 0,
    }
    with pytest.raises(ValueError, match="finite"):
        owned_rent(**(good | bad))


# --- roofline -------------------------------------------------------------------------------------------------------


def test_a_mixture_of_experts_reads_more_weights_in_a_larger_batch() -> None:
    assert MOE.params_read(1) == pytest.approx(10e9 + 90e9 * 8 / 64)
    assert MOE.params_read(2) == pytest.approx(10e9 + 90e9 * (1 - (7 / 8) ** 2))
    assert MOE.params_read(10_000) == pytest.approx(100e9)
    assert DENSE.params_read(1) == DENSE.params_read(1000) == 8e9


def test_a_decoding_step_is_bound_by_memory_or_by_arithmetic() -> None:
    few = RooflineAssumptions(context=1000)
    reading = (8e9 + 10 * 1000 * 65_536) * 2 / (2 * 3.35e12 * 0.7)
    assert decode_step_seconds(DENSE, H100, 2, 2.0, 10, few) == pytest.approx(reading)
    short = RooflineAssumptions(context=1)
    assert decode_step_seconds(DENSE, H100, 2, 2.0, 10_000, short) == pytest.approx(
        2 * 8e9 * 10_000 / (2 * 1979e12 * 0.5)
    )


def test_roofline_fills_the_memory_where_speed_allows() -> None:
    assumptions = RooflineAssumptions(context=1000, min_tokens_per_s=1)
    result = roofline(DENSE, H100, 1, 1.0, assumptions)
    batch = int((72e9 - 8e9) / (1000 * 65_536))
    assert result.batch == batch
    step = decode_step_seconds(DENSE, H100, 1, 1.0, batch, assumptions)
    assert result.decode_tokens_per_s_per_gpu == pytest.approx(batch / step)
    assert result.prefill_tokens_per_s_per_gpu == pytest.approx(1979e12 * 0.5 / 16e9)


@pytest.mark.parametrize("model", [DENSE, MOE])
def test_roofline_keeps_the_promised_speed_with_the_largest_batch(model: ModelShape) -> None:
    assumptions = RooflineAssumptions(min_tokens_per_s=60)
    result = roofline(model, H100, 4, 1.0, assumptions)
    assert decode_step_seconds(model, H100, 4, 1.0, result.batch, assumptions) <= 1 / 60
    assert decode_step_seconds(model, H100, 4, 1.0, result.batch + 1, assumptions) > 1 / 60
    relaxed = roofline(model, H100, 4, 1.0, RooflineAssumptions(min_tokens_per_s=20))
    assert relaxed.decode_tokens_per_s_per_gpu is not None
    assert result.decode_tokens_per_s_per_gpu is not None
    assert relaxed.decode_tokens_per_s_per_gpu >= result.decode_tokens_per_s_per_gpu


def test_roofline_says_what_does_not_work() -> None:
    too_large = roofline(MOE, H100, 1, 1.0)
    assert (too_large.prefill_tokens_per_s_per_gpu, too_large.decode_tokens_per_s_per_gpu) == (None, None)
    assert too_large.reason == "the weights and one sequence do not fit into 1 GPUs"
    too_slow = roofline(DENSE, H100, 1, 1.0, RooflineAssumptions(min_tokens_per_s=1000))
    assert too_slow.decode_tokens_per_s_per_gpu is None
    assert too_slow.prefill_tokens_per_s_per_gpu is not None
    assert too_slow.reason == "one sequence alone decodes slower than 1000 tokens per second"


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at most n_experts"):
        replace(MOE, experts_per_token=65)
    with pytest.raises(ValueError, match="positive"):
        Gpu(flops=0, bandwidth=1, memory=1)
    with pytest.raises(ValueError, match="shares of a peak"):
        RooflineAssumptions(mfu=1.5)


# --- Monte Carlo ----------------------------------------------------------------------------------------------------


def test_a_range_is_triangular() -> None:
    drawn = Range(1, 2, 5).draw(rng(), 100_000)
    reference = stats.triang(c=0.25, loc=1, scale=4)
    assert stats.kstest(drawn, reference.cdf).pvalue > 0.01
    assert set(Range(3, 3, 3).draw(rng(), 10)) == {3}
    for edge in (Range(1, 1, 2), Range(1, 2, 2)):
        assert edge.draw(rng(), 1000).min() >= 1
        assert edge.draw(rng(), 1000).max() <= 2
    with pytest.raises(ValueError, match="not in order"):
        Range(2, 1, 3)


def test_rents_are_drawn_through_their_quartiles() -> None:
    drawn = RentQuantiles(2.29, 2.59, 3.83).draw(rng(), 200_000)
    assert np.quantile(drawn, [0.25, 0.5, 0.75]) == pytest.approx([2.29, 2.59, 3.83], rel=0.01)
    assert set(RentQuantiles(2, 2, 2).draw(rng(), 10)) == {2}
    with pytest.raises(ValueError, match="not in order"):
        RentQuantiles(2, 1, 3)


def test_without_uncertainty_monte_carlo_is_bottom_up() -> None:
    cost = monte_carlo(1000, RentQuantiles(2, 2, 2), rng(), CERTAIN)
    assert (cost.p05, cost.p50, cost.p95) == pytest.approx((bottom_up(2, 800, 0.5),) * 3)
    owned = monte_carlo(1000, OwnedHardware(30_000, 1.2), rng(), CERTAIN)
    assert owned.p50 == pytest.approx(bottom_up(owned_rent(30_000, 4, 0.1, 1.2, 1.2, 0.1, 0.1), 800, 0.5))


def test_quantiles_are_ordered_repeatable_and_scale_with_throughput() -> None:
    rent = RentQuantiles(2.29, 2.59, 3.83)
    cost = monte_carlo(1000, rent, rng())
    assert cost.p05 < cost.p50 < cost.p95
    assert cost == monte_carlo(1000, rent, rng())
    assert monte_carlo(2000, rent, rng()).p95 == pytest.approx(cost.p95 / 2)


@pytest.mark.parametrize("hardware", [RentQuantiles(2, 2.5, 3), OwnedHardware(30_000, 1.2)])
def test_elasticities_against_differences(hardware: RentQuantiles | OwnedHardware) -> None:
    """One input at a time, 0.1 % up from the middle of its range."""
    middle = {
        "rent": 2.5,
        "capex": 30_000.0,
        "utilisation": 0.5,
        "field_ratio": 0.75,
        "power_price": 0.08,
        "pue": 1.25,
    }

    def cost(x: dict[str, float]) -> float:
        hourly = x["rent"]
        if isinstance(hardware, OwnedHardware):
            hourly = owned_rent(x["capex"], 4, 0.1, 1.2, x["pue"], x["power_price"], 0.1)
        return bottom_up(hourly, 1000 * x["field_ratio"], x["utilisation"])

    estimate = monte_carlo(1000, hardware, rng())
    assert estimate.elasticity_utilisation == -1
    for name, value in middle.items():
        up, down = cost(middle | {name: value * 1.001}), cost(middle | {name: value / 1.001})
        assert getattr(estimate, f"elasticity_{name}") == pytest.approx(
            math.log(up / down) / math.log(1.001**2), abs=1e-4
        )


# --- crossover ------------------------------------------------------------------------------------------------------


def test_crossover_by_hand() -> None:
    table = crossover(8, 2.0, 0.5, 10_000)
    # 8 GPUs x 24 h x $2 = $384 a day; 8 x 10,000 x 86,400 = 6,912 Mtok a day
    assert table["mtok_per_day"].tolist() == [768, 2304, 3840]
    assert table["capacity_mtok_per_day"].tolist() == [6912] * 3
    assert table["feasible"].all()
    assert table["reason"].isna().all()


def test_a_machine_that_is_idle_half_of_the_time_makes_half() -> None:
    table = crossover(8, 2.0, 0.5, 10_000, utilisation=0.5)
    assert table["mtok_per_day"].tolist() == [768, 2304, 3840]
    assert table["capacity_mtok_per_day"].tolist() == [3456] * 3
    assert table["feasible"].tolist() == [True, True, False]


def test_crossover_beyond_capacity_or_against_a_free_api() -> None:
    table = crossover(8, 2.0, 0.1, 10_000)
    assert table["feasible"].tolist() == [True, False, False]
    assert table["reason"].iloc[1] == "more than the machine can make"
    free = crossover(8, 2.0, 0.0, 10_000)
    assert free["mtok_per_day"].isna().all()
    assert free["reason"].tolist() == ["the API is free"] * 3
    assert not free["feasible"].any()
    with pytest.raises(ValueError, match="positive"):
        crossover(0, 2.0, 0.1, 10_000)


# --- the table ------------------------------------------------------------------------------------------------------


def frames() -> dict[str, pd.DataFrame]:
    return {
        "models": pd.DataFrame(
            {
                "model_class": ["small"],
                "total_params": [8e9],
                "active_params": [8e9],
                "expert_params": [0.0],
                "n_experts": [0],
                "experts_per_token": [0],
                "kv_values_per_token": [65_536],
                "source_date": ["2024-01-01"],
            }
        ),
        "rents": pd.DataFrame(
            {
                "month": ["2025-01-01", "2026-01-01", "2026-05-01", "2026-07-01"],
                "gpu": "G",
                "kind": "on_demand",
                "usd_per_gpu_hour_p25": [9.0, 9.0, 2.0, 9.0],
                "usd_per_gpu_hour_median": [9.0, 9.0, 2.0, 9.0],
                "usd_per_gpu_hour_p75": [9.0, 9.0, 2.0, 9.0],
                "n_providers": [5, 5, 5, 5],
            }
        ),
        "throughput": pd.DataFrame(
            {
                "model_class": "small",
                "gpu": "G",
                "n_gpu": 2,
                "precision": "fp8",
                "basis": "benchmark_split",
                "counts": "output",
                "input_tokens": [100, 1000],
                "output_tokens": [1000, 100],
                # GPU seconds per token: input 0.0001, output 0.001
                "tokens_per_s": [2 * 1000 / (100 * 1e-4 + 1000 * 1e-3), 2 * 100 / (1000 * 1e-4 + 100 * 1e-3)],
                "cached_share": 0.0,
                "source": "a benchmark",
                "published_on": "2025-01-01",
            }
        ),
        "hardware": pd.DataFrame(
            {
                "gpu": ["G"],
                "rented_as": ["G"],
                "dense_tflops_bf16": [989.0],
                "dense_tflops_fp8": [1979.0],
                "memory_gb": [80.0],
                "bandwidth_tb_per_s": [3.35],
                "source_date": ["2023-01-01"],
                "capex_usd_per_gpu": [np.nan],
                "server_kw_per_gpu": [np.nan],
                "capex_published_on": [None],
            }
        ),
    }


def estimate(as_of: pd.Timestamp = AS_OF, **changed: pd.DataFrame) -> pd.DataFrame:
    return cost_floor_bottom_up(
        **(frames() | changed), as_of=as_of, settings=CostSettings(assumptions=CERTAIN, draws=100)
    )


def test_two_shapes_give_input_output_and_blend() -> None:
    rows = estimate().set_index("meter")
    assert rows["tokens_per_s_per_gpu"].to_dict() == pytest.approx(
        {"input": 10_000, "output": 1_000, "blend_3_1": 1 / (0.75e-4 + 0.25e-3)}
    )
    assert rows.loc["output", "p50"] == pytest.approx(bottom_up(2.0, 800, 0.5))
    assert rows.loc["blend_3_1", "p50"] == pytest.approx(
        0.75 * rows.loc["input", "p50"] + 0.25 * rows.loc["output", "p50"]
    )
    assert set(rows["method"]) == {"benchmark_split"}
    assert set(rows["gate"]) == {"ok"}
    assert set(rows["n_obs"]) == {2}
    assert set(rows["n_providers"]) == {5}
    assert set(rows["rent_month"]) == {pd.Timestamp("2026-05-01")}
    assert (rows["as_of"] == AS_OF).all()
    assert set(rows["usd_per_gpu_hour"]) == {2.0}
    assert set(rows["n_gpu"]) == {2}


def test_only_what_was_published_by_as_of_counts() -> None:
    before = estimate(pd.Timestamp("2026-02-01", tz="UTC"))
    assert set(before["rent_month"]) == {pd.Timestamp("2026-01-01")}
    assert set(estimate(pd.Timestamp("2024-06-01", tz="UTC"))["method"]) == {"roofline"}
    assert estimate(pd.Timestamp("2023-06-01", tz="UTC")).empty


def test_the_newest_throughput_counts() -> None:
    old = frames()["throughput"]
    new = old.assign(tokens_per_s=old["tokens_per_s"] * 3, published_on="2026-03-01", source="a newer one")
    rows = estimate(throughput=pd.concat([old, new]))
    assert set(rows["throughput_source"]) == {"a newer one"}
    assert rows.set_index("meter").loc["output", "tokens_per_s_per_gpu"] == pytest.approx(3_000)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n_providers": 2}, "rents of 2 providers, under 3"),
        ({"month": "2025-05-01"}, "no on_demand rent of G in the 365 days before"),
        ({"kind": "spot"}, "no on_demand rent"),
    ],
)
def test_no_floor_without_rents(change: dict[str, object], reason: str) -> None:
    rows = estimate(rents=frames()["rents"].iloc[2:3].assign(**change))
    assert set(rows["gate"]) == {"insufficient"}
    assert rows["reason"].str.startswith(reason).all()
    assert rows[["p05", "p50", "p95", "elasticity_utilisation"]].isna().all(axis=None)


def test_a_benchmark_that_counts_output_says_nothing_about_input() -> None:
    one = frames()["throughput"].iloc[:1].assign(basis="benchmark_output", tokens_per_s=4_000.0)
    rows = estimate(throughput=one).set_index("meter")
    assert rows.loc["output", "tokens_per_s_per_gpu"] == 2_000
    for meter in ("input", "blend_3_1"):
        assert rows.loc[meter, "reason"] == "the benchmark counts output tokens only"
        assert rows.loc[meter, "p50"] is pd.NA


@pytest.mark.parametrize(
    ("throughput", "reason"),
    [
        (frames()["throughput"].iloc[:1], "1 shapes of requests"),
        (frames()["throughput"].assign(input_tokens=100, output_tokens=1000), "2 shapes of requests"),
        (frames()["throughput"].assign(tokens_per_s=[1e5, 1.0]), "contradict"),
    ],
)
def test_shapes_that_do_not_come_apart(throughput: pd.DataFrame, reason: str) -> None:
    rows = estimate(throughput=throughput)
    assert set(rows["gate"]) == {"insufficient"}
    assert rows["reason"].str.contains(reason).all()


def test_production_needs_no_guess_at_utilisation_and_takes_out_the_cache() -> None:
    day = frames()["throughput"].assign(
        basis="production", counts=["input", "output"], tokens_per_s=[8_000.0, 1_000.0], cached_share=[0.75, 0.0]
    )
    rows = estimate(throughput=day).set_index("meter")
    assert rows.loc["input", "p50"] == pytest.approx(bottom_up(2.0, 1_000, 1.0))
    assert rows.loc["output", "p50"] == pytest.approx(bottom_up(2.0, 500, 1.0))


def test_a_roofline_stands_in_where_nothing_was_measured() -> None:
    rows = estimate(throughput=frames()["throughput"].iloc[:0]).set_index("meter")
    expected = roofline(DENSE, H100, 1, 1.0)
    assert rows.loc["output", "tokens_per_s_per_gpu"] == pytest.approx(expected.decode_tokens_per_s_per_gpu)
    assert rows.loc["input", "tokens_per_s_per_gpu"] == pytest.approx(expected.prefill_tokens_per_s_per_gpu)
    assert set(rows["n_obs"]) == {0}
    sixteen = estimate(
        throughput=frames()["throughput"].iloc[:0], hardware=frames()["hardware"].assign(dense_tflops_fp8=np.nan)
    )
    assert set(sixteen["precision"]) == {"bf16"}
    # What cannot be rented under its own name has no roofline.
    relative = frames()["hardware"].assign(rented_as="H")
    assert estimate(throughput=frames()["throughput"].iloc[:0], hardware=relative).empty


def test_a_purchase_price_adds_owned_rows_once_it_is_known() -> None:
    hardware = frames()["hardware"].assign(
        capex_usd_per_gpu=30_000.0, server_kw_per_gpu=1.2, capex_published_on="2026-01-15"
    )
    rows = estimate(hardware=hardware)
    owned = rows[rows["acquisition"] == "owned"].set_index("meter")
    hourly = owned_rent(30_000, 4, 0.1, 1.2, 1.2, 0.1, 0.1)
    assert owned.loc["output", "p50"] == pytest.approx(bottom_up(hourly, 800, 0.5))
    assert owned.loc["output", "usd_per_gpu_hour"] == pytest.approx(hourly)
    assert 0 < owned.loc["output", "elasticity_power_price"] < 1
    assert set(estimate(pd.Timestamp("2026-01-10", tz="UTC"), hardware=hardware)["acquisition"]) == {"rented"}


# --- the seeds ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def floors() -> pd.DataFrame:
    return cost_floor_bottom_up(
        seed("floor_models"), seed("gpu_rents"), seed("throughput"), seed("gpu_hardware"), as_of=AS_OF
    )


@pytest.mark.parametrize(
    ("name", "key", "dated"),
    [
        ("floor_models", ["model_class"], "source_date"),
        ("gpu_hardware", ["gpu"], "source_date"),
        ("gpu_rents", ["month", "gpu", "kind"], "month"),
        (
            "throughput",
            ["model_class", "gpu", "basis", "published_on", "counts", "input_tokens"],
            "published_on",
        ),
    ],
)
def test_every_seed_row_is_unique_and_has_a_source_and_a_date(name: str, key: list[str], dated: str) -> None:
    rows = seed(name)
    assert not rows.duplicated(key).any()
    assert rows[["source", "source_reference", dated]].notna().all(axis=None)
    assert pd.to_datetime(rows[dated], format="%Y-%m-%d").notna().all()


def test_every_seed_row_is_of_use() -> None:
    hardware = seed("gpu_hardware")
    assert set(seed("throughput")["gpu"]) <= set(hardware["gpu"])
    assert set(seed("throughput")["model_class"]) == set(seed("floor_models")["model_class"])
    assert set(seed("gpu_rents")["gpu"]) == set(hardware["rented_as"])
    owned = hardware.dropna(subset="capex_usd_per_gpu")
    assert len(owned)
    assert owned[["server_kw_per_gpu", "capex_source", "capex_published_on"]].notna().all(axis=None)


def test_floors_of_the_seeds(floors: pd.DataFrame) -> None:
    assert dict(floors.dtypes.astype(str)) == COST_COLUMNS
    assert not floors.duplicated(["model_class", "meter", "gpu", "method", "acquisition"]).any()
    good = floors[floors["gate"] == "ok"]
    assert set(good["model_class"]) == {"8b_dense", "70b_dense", "moe_37b_active"}
    for model_class in set(good["model_class"]):
        assert set(good.loc[good["model_class"] == model_class, "meter"]) == {"input", "output", "blend_3_1"}
    assert (good["p05"] <= good["p50"]).all()
    assert (good["p50"] <= good["p95"]).all()
    assert (good["elasticity_utilisation"] == -1).all()
    assert floors.loc[floors["gate"] != "ok", "p50"].isna().all()
    assert floors.loc[floors["gate"] != "ok", "reason"].notna().all()
    [(nans,)] = duckdb.sql("select count(*) from floors where isnan(p50) or isinf(p50)").fetchall()
    assert nans == 0


def test_the_seeds_give_the_same_out_of_duckdb(floors: pd.DataFrame) -> None:
    names = ("floor_models", "gpu_rents", "throughput", "gpu_hardware")
    models, rents, throughput, hardware = (duckdb.read_csv(str(SEEDS / f"{name}.csv")).df() for name in names)
    assert rents["month"].dtype.kind == "M"
    pd.testing.assert_frame_equal(cost_floor_bottom_up(models, rents, throughput, hardware, AS_OF), floors)


def test_the_roofline_against_what_was_measured_for_dense_models(floors: pd.DataFrame) -> None:
    """What `RooflineAssumptions` says of its own error. A 128/2048 benchmark decodes at a context of 1,152."""
    like_the_benchmark = CostSettings(roofline=RooflineAssumptions(context=128 + 2048 // 2))
    nothing = seed("throughput").iloc[:0]
    modelled = cost_floor_bottom_up(
        seed("floor_models"), seed("gpu_rents"), nothing, seed("gpu_hardware"), AS_OF, like_the_benchmark
    )
    pairs = floors[floors["method"] == "benchmark_split"].merge(
        modelled, on=["model_class", "gpu", "meter", "acquisition", "precision"], suffixes=("_measured", "")
    )
    ratio = pairs.set_index("meter")["tokens_per_s_per_gpu"] / pairs["tokens_per_s_per_gpu_measured"].to_numpy()
    assert ratio["input"].between(0.85, 1.15).all()
    assert ratio["output"].between(1.15, 1.9).all()
    assert set(pairs["gpu"]) == {"H100_SXM", "H200"}


def test_a_roofline_of_a_mixture_of_experts_carries_its_caveat() -> None:
    nothing = seed("throughput").iloc[:0]
    rows = cost_floor_bottom_up(seed("floor_models"), seed("gpu_rents"), nothing, seed("gpu_hardware"), as_of=AS_OF)
    experts = rows[(rows["model_class"] == "moe_37b_active") & (rows["gpu"] == "H200")]
    assert set(experts["gate"]) == {"ok"}
    assert experts["reason"].str.startswith("a bound from below").all()
    assert rows.loc[(rows["model_class"] == "70b_dense") & (rows["gpu"] == "H200"), "reason"].isna().all()
