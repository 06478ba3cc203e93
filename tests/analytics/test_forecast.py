import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from pipeline.analytics.forecast import (
    BENCHMARKS,
    FORECAST_COLUMNS,
    FORECAST_SCORE_COLUMNS,
    HINDCAST_COLUMNS,
    WALK,
    drift_walk,
    fit,
    forecast_scores,
    forecasts,
    hindcast,
    scores,
)

# Differences -1, 0, -2, 1, -1, -3: m = 6, mean -1, squared deviations 0 + 1 + 1 + 4 + 0 + 4 = 10.
Y = np.array([10.0, 9, 9, 7, 8, 7, 4])
M, MU, K = 6, -1.0, math.sqrt(10 / 5)
AS_OF = datetime(2026, 10, 1, tzinfo=UTC)


def walk(y: np.ndarray, *horizons: int, **options: float) -> pd.DataFrame:
    return drift_walk(y, horizons, **{"min_months": 3, **options}).set_index("horizon_months")


def wandering(n: int, seed: int = 1) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(-0.1, 0.3, n))


# --- one forecast ---------------------------------------------------------------------------------------------------


def test_the_interval_by_hand() -> None:
    rows = walk(Y, 1, 6, 24)
    for tau in (1, 6, 24):
        half = special.stdtrit(M - 1, 0.95) * K * math.sqrt(tau + tau**2 / M)
        assert rows.loc[tau, ["low", "median", "high"]].tolist() == pytest.approx(
            [4 - tau - half, 4 - tau, 4 - tau + half]
        )
    assert rows[["mu", "k", "theta", "n_months"]].drop_duplicates().to_numpy().tolist() == [[MU, K, 0, 7]]
    assert rows[["gate", "reason"]].drop_duplicates().to_numpy().tolist() == [["ok", pd.NA]]


def test_another_coverage_takes_another_quantile() -> None:
    [row] = walk(Y, 3, coverage=0.5).itertuples()
    assert row.high - row.median == pytest.approx(special.stdtrit(5, 0.75) * K * math.sqrt(3 + 9 / 6))
    assert row.median - row.low == pytest.approx(row.high - row.median)


def test_a_floor_cuts_off_what_is_below_it() -> None:
    free, cut = walk(Y, 1, 6), walk(Y, 1, 6, floor=2.5)
    assert cut.loc[1].equals(free.loc[1].where(free.loc[1].index != "low", 2.5))
    assert cut.loc[6, ["low", "median"]].tolist() == [2.5, 2.5]
    assert cut.loc[6, "high"] == free.loc[6, "high"]


@pytest.mark.parametrize("floor", [4.0, 5.0])
def test_no_forecast_from_a_floor_that_the_price_has_reached(floor: float) -> None:
    assert_refused(walk(Y, 3, floor=floor), "the price is at the floor or below")


def assert_refused(rows: pd.DataFrame, reason: str) -> None:
    assert rows[["low", "median", "high", "mu", "k", "theta"]].isna().all(axis=None)
    assert set(rows["gate"]) == {"insufficient"}
    assert set(rows["reason"]) == {reason}


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        ([], "no price in the last month"),
        ([1.0], "under 12 months"),
        ([1.0, 0.0], "under 12 months"),
        (wandering(11), "under 12 months"),
        ([3.0] * 20, "every month moved alike: no spread is known"),
        (-0.1 * np.arange(20), "every month moved alike: no spread is known"),
        ([*wandering(20), math.nan], "no price in the last month"),
        ([*wandering(20), -math.inf], "no price in the last month"),
        ([*wandering(20), math.nan, 1.0, 0.5], "under 12 months"),
        (np.arange(20) ** 2 * 10.0, "the interval is wider than any price"),
    ],
)
def test_what_cannot_be_forecast_says_why(y: list[float], reason: str) -> None:
    assert_refused(drift_walk(y, [3, 24]), reason)


def test_twelve_months_are_enough() -> None:
    assert drift_walk(wandering(12), [3])["gate"].tolist() == ["ok"]


def test_an_outlier_or_rises_only_are_forecast_like_any_other() -> None:
    for y in ([0.0] * 6 + [9.0] + [0.0] * 6, np.arange(13) ** 1.5):
        assert np.isfinite(drift_walk(y, [3])[["low", "median", "high"]].to_numpy(dtype=float)).all()


def test_only_the_months_since_the_last_gap_count() -> None:
    late = wandering(15)
    pd.testing.assert_frame_equal(
        drift_walk(np.concatenate([[50, 20, math.nan], late]), [3]), drift_walk(pd.Series(late), [3])
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizons": [0]},
        {"horizons": [1.5]},
        {"coverage": 1.0},
        {"floor": math.nan},
        {"min_months": 2},
        {"y": [1.0, math.inf]},
    ],
)
def test_arguments_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"horizons|coverage|floor|months|infinite"):
        drift_walk(**{"y": Y, "horizons": [3], **wrong})


# --- the moving average ---------------------------------------------------------------------------------------------


def alternating(r: float) -> np.ndarray:
    """Prices whose differences have mean 0 and lag-1 autocorrelation `r` exactly: noise turned by a fitted weight."""
    noise = np.random.default_rng(5).normal(size=200)
    pair = np.array([np.convolve(noise, [1, weight])[: len(noise)] for weight in np.linspace(-3, 3, 2001)])
    pair -= pair.mean(axis=1, keepdims=True)
    correlation = (pair[:, 1:] * pair[:, :-1]).sum(axis=1) / (pair**2).sum(axis=1)
    return np.concatenate([[0], np.cumsum(pair[np.abs(correlation - r).argmin()])])


@pytest.mark.parametrize("r", [-0.4, -0.2, 0.2, 0.4])
def test_theta_solves_its_equation_where_the_differences_are_autocorrelated(r: float) -> None:
    theta = fit(alternating(r)[np.newaxis]).theta.item()
    assert theta / (1 + theta**2) == pytest.approx(r, abs=2e-3)
    assert abs(theta) < 1


def test_noise_within_bartletts_limit_has_no_moving_average() -> None:
    limit = 1.96 / math.sqrt(200)
    assert fit(alternating(limit - 0.01)[np.newaxis]).theta.item() == 0
    assert fit(alternating(limit + 0.01)[np.newaxis]).theta.item() != 0


def test_an_impossible_autocorrelation_is_cut_off() -> None:
    assert fit(np.cumsum([0.0] + [1, -1] * 10)[np.newaxis]).theta.item() == -1
    assert fit(np.cumsum([0.0] + [1] * 10 + [-1] * 10)[np.newaxis]).theta.item() == 1


@pytest.mark.parametrize("theta", [-1.0, -0.4, 0.0, 0.7, 1.0])
@pytest.mark.parametrize("tau", [1, 5, 24])
def test_the_spread_is_the_standard_deviation_of_the_error_with_a_moving_average(theta: float, tau: int) -> None:
    m = 13
    # The error is the sum of the noise ahead less tau times its mean so far; noise = v(i) + theta v(i-1).
    on_noise = np.concatenate([np.full(m, -tau / m), np.ones(tau)])
    on_v = np.append(0, on_noise) + theta * np.append(on_noise, 0)
    model = fit(wandering(m + 1)[np.newaxis])
    of_theta = type(model)(**{name: getattr(model, name) for name in model.__slots__} | {"theta": np.array([[theta]])})
    # k is the standard deviation of the noise, (1 + theta^2)^(1/2) times that of v.
    expected = model.k.item() * math.sqrt((on_v**2).sum() / (1 + theta**2))
    assert of_theta.spread(np.array([[float(tau)]])).item() == pytest.approx(expected)


# --- coverage, with known truth -------------------------------------------------------------------------------------


def test_intervals_cover_as_often_as_they_say() -> None:
    rng, draws, m, tau = np.random.default_rng(20260101), 4000, 20, 12
    walks = np.cumsum(rng.normal(-0.1, 0.3, (draws, m + tau + 1)), axis=1)
    model = fit(walks[:, : m + 1])
    white = type(model)(**{name: getattr(model, name) for name in model.__slots__} | {"theta": 0 * model.theta})
    # Exact with white noise; where a moving average is fitted to it by chance, a little is lost.
    for walk_of, least, most in ((white, 0.885, 0.915), (model, 0.86, 0.92)):
        low, high = (walk_of.quantile(np.array([[float(tau)]]), p)[:, 0] for p in (0.05, 0.95))
        assert least < ((low <= walks[:, -1]) & (walks[:, -1] <= high)).mean() < most


def test_the_moving_average_repairs_the_coverage_of_correlated_noise() -> None:
    rng, draws, m, tau = np.random.default_rng(20260102), 2000, 60, 12
    v = rng.normal(0, 0.3, (draws, m + tau + 1))
    walks = np.cumsum(np.hstack([np.zeros((draws, 1)), v[:, 1:] + 0.8 * v[:, :-1]]), axis=1)
    model = fit(walks[:, : m + 1])
    white = type(model)(**{name: getattr(model, name) for name in model.__slots__} | {"theta": 0 * model.theta})

    def coverage(of: type[model]) -> float:
        low, high = (of.quantile(np.array([[float(tau)]]), p)[:, 0] for p in (0.05, 0.95))
        return float(((low <= walks[:, -1]) & (walks[:, -1] <= high)).mean())

    assert coverage(white) < 0.80
    assert coverage(model) > 0.86


# --- hindcasts ------------------------------------------------------------------------------------------------------


def test_hindcasts_are_the_forecasts_of_their_day() -> None:
    months = pd.period_range("2024-01", periods=30, freq="M")
    y = pd.Series(wandering(30), index=months)
    table = hindcast(y, [3, 6])
    assert table.columns.tolist() == HINDCAST_COLUMNS
    assert (table["target"] == table["origin"] + table["horizon_months"]).all()
    for row in table[table["method"] == WALK].itertuples():
        [then] = drift_walk(y[: row.origin], [row.horizon_months]).itertuples()
        assert (row.low, row.median, row.high) == pytest.approx((then.low, then.median, then.high))
        assert (row.last, row.actual) == (y[row.origin], y[row.target])
    # From the twelfth month on, as long as there is a month to compare with.
    assert table.groupby("horizon_months")["origin"].agg(["min", "max"]).to_numpy().tolist() == [
        [months[11], months[26]],
        [months[11], months[23]],
    ]


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(12, 29), later=st.floats(-9, 9))
def test_no_hindcast_knows_anything_later_than_its_origin(cut: int, later: float) -> None:
    y = wandering(30)
    changed = np.where(np.arange(30) > cut, later * np.sin(np.arange(30)), y)
    forecast_only = [name for name in HINDCAST_COLUMNS if name not in ("actual", "log_score")]
    before, after = (
        table[table["origin"] <= cut][forecast_only].reset_index(drop=True)
        for table in (hindcast(y, [1, 3]), hindcast(changed, [1, 3]))
    )
    pd.testing.assert_frame_equal(before, after)


def test_benchmarks_are_walks_with_the_drift_that_they_claim() -> None:
    [*rows] = hindcast(np.append(Y, [0.0, 1.0]), [2], min_months=7).itertuples()
    assert [row.method for row in rows] == [WALK, *BENCHMARKS]
    differences = np.diff(Y)
    for row in rows[1:]:
        drift = {"no_change": 0, "ten_times_a_year": math.log(0.1) / 12, "ten_times_in_18_months": math.log(0.1) / 18}[
            row.method
        ]
        scale = math.sqrt(((differences - drift) ** 2).mean() * 2)
        predicted = stats.t(M, loc=4 + 2 * drift, scale=scale)
        assert (row.low, row.median, row.high) == pytest.approx(predicted.ppf([0.05, 0.5, 0.95]))
        assert row.log_score == pytest.approx(predicted.logpdf(1.0))


def test_the_log_score_is_the_log_of_the_predictive_density() -> None:
    y = np.append(Y, [0.0, 1.0])
    row = hindcast(y, [2], min_months=7).iloc[0]
    predicted = stats.t(M - 1, loc=4 + 2 * MU, scale=K * math.sqrt(2 + 4 / M))
    assert row["log_score"] == pytest.approx(predicted.logpdf(1.0))


def test_a_gap_is_neither_forecast_from_nor_scored() -> None:
    y = wandering(40)
    y[20] = math.nan
    origins = set(hindcast(y, [1])["origin"])
    # 19 would be compared with the gap; after it, twelve months pass before there is a walk again.
    assert origins == set(range(11, 19)) | set(range(32, 39))


@pytest.mark.parametrize("y", [[], [1.0], [1.0, 2.0], [3.0] * 30, [math.nan] * 30])
def test_nothing_to_hindcast(y: list[float]) -> None:
    table = hindcast(y, [3])
    assert table.columns.tolist() == HINDCAST_COLUMNS
    assert table.empty


# --- scores ---------------------------------------------------------------------------------------------------------


def made(actual: list[float], last: float = 0.0) -> pd.DataFrame:
    """Hindcasts that all said -1, 0.5, 2."""
    return pd.DataFrame(
        {
            "method": WALK,
            "origin": range(len(actual)),
            "target": range(3, len(actual) + 3),
            "horizon_months": 3,
            "last": last,
            "low": -1.0,
            "median": 0.5,
            "high": 2.0,
            "actual": actual,
            "log_score": np.arange(len(actual)) / 10,
        }
    )


def test_scores_by_hand() -> None:
    [row] = scores(made([-2.0, -1.0, 0.0, 1.0, 2.0, 4.0])).itertuples()
    assert (row.n_origins, row.gate, row.reason) == (6, "ok", pd.NA)
    assert row.coverage == pytest.approx(4 / 6)  # the limits themselves are inside
    assert row.log_score == pytest.approx(0.25)
    # Below -1 by 1, above it by 0, 1, 2, 3, 5.
    assert row.pinball_05 == pytest.approx((0.95 * 1 + 0.05 * 11) / 6)
    assert row.pinball_50 == pytest.approx(0.5 * (2.5 + 1.5 + 0.5 + 0.5 + 1.5 + 3.5) / 6)
    assert row.pinball_95 == pytest.approx((0.05 * (4 + 3 + 2 + 1 + 0) + 0.95 * 2) / 6)
    assert row.mase == pytest.approx(10.0 / (2 + 1 + 0 + 1 + 2 + 4))


def test_few_hindcasts_have_no_score() -> None:
    [row] = scores(made([0.0] * 5)).itertuples()
    assert (row.n_origins, row.gate, row.reason) == (5, "insufficient", "fewer than 6 hindcasts")
    assert [row.coverage, row.log_score, row.pinball_05, row.mase] == [pd.NA] * 4


def test_no_mase_against_a_price_that_never_moved() -> None:
    [row] = scores(made([0.7] * 6, last=0.7)).itertuples()
    assert (row.gate, row.mase, row.reason) == ("ok", pd.NA, "the price never moved: no mase")
    assert row.coverage == 1


def test_no_change_scores_one_against_itself() -> None:
    table = scores(hindcast(wandering(40), [3, 6]))
    assert table.loc[table["method"] == "no_change", "mase"].tolist() == pytest.approx([1, 1])


# --- the tables -----------------------------------------------------------------------------------------------------


def prices(until: str = "2026-09", months: int = 30, **series: np.ndarray) -> pd.DataFrame:
    ends = pd.period_range(end=until, periods=months, freq="M").to_timestamp(how="end").normalize()
    return pd.concat(
        pd.DataFrame({"series_id": name, "workload": "blend", "month_end": ends, "price": np.exp(y)})
        for name, y in series.items()
    )


def tables(
    frame: pd.DataFrame, as_of: datetime = AS_OF, floors: dict[str, float] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    scored = forecast_scores(frame, as_of)
    return forecasts(frame, scored, {"blend": 1e-9} if floors is None else floors, as_of), scored


def test_every_series_method_and_horizon_has_its_forecast_and_score() -> None:
    y = wandering(30)
    made_of, scored = tables(prices(a=y, b=np.zeros(30)))
    assert made_of.dtypes.astype(str).to_dict() == FORECAST_COLUMNS
    assert scored.dtypes.astype(str).to_dict() == FORECAST_SCORE_COLUMNS
    assert len(made_of) == 2 * 4 * (len(BENCHMARKS) + 2)
    assert len(scored) == 3 * 4 * (len(BENCHMARKS) + 1)
    row = made_of.query("series_id == 'a' and method == @WALK and not with_floor and horizon_months == 6").iloc[0]
    [plain] = drift_walk(y, [6]).itertuples()
    assert row[["p05", "p50", "p95"]].tolist() == pytest.approx(np.exp([plain.low, plain.median, plain.high]))
    assert row[["mu", "k", "theta", "n_months"]].tolist() == pytest.approx([plain.mu, plain.k, plain.theta, 30])
    assert row[["origin_month", "target_month"]].tolist() == [pd.Timestamp("2026-09-30"), pd.Timestamp("2027-03-31")]
    assert row["origin_usd_per_mtok"] == pytest.approx(math.exp(y[-1]))
    beside = scored.query("series_id == 'a' and method == @WALK and horizon_months == 6").iloc[0]
    expected = scores(hindcast(y)).query("method == @WALK and horizon_months == 6").iloc[0]
    for name in ("n_origins", "coverage", "log_score", "mase"):
        assert row[name] == beside[name] == pytest.approx(expected[name])
    constant = made_of[made_of["series_id"] == "b"]
    assert constant[["p05", "p50", "p95"]].isna().all(axis=None)
    assert set(constant["reason"]) == {"every month moved alike: no spread is known"}
    assert set(constant["n_origins"]) == {0}


def test_pooled_scores_count_every_hindcast_once() -> None:
    a, b = wandering(30), wandering(30, seed=2)
    _, scored = tables(prices(a=a, b=b))
    both = pd.concat([hindcast(a), hindcast(b)])
    expected = scores(both).set_index(["method", "horizon_months"])
    pooled = scored[scored["series_id"] == "pooled"].set_index(["method", "horizon_months"])
    assert pooled.loc[(WALK, 6), "n_origins"] == 2 * 13
    for name in ("coverage", "log_score", "pinball_05", "mase"):
        assert pooled.loc[(WALK, 6), name] == pytest.approx(expected.loc[(WALK, 6), name])


def test_the_floor_is_that_of_the_workload() -> None:
    y = np.append(wandering(29), 0.0)
    made_of, _ = tables(prices(a=y), floors={"blend": 0.9, "other": 5.0})
    floored = made_of[made_of["with_floor"]]
    assert set(floored["method"]) == {WALK}
    assert floored["p05"].tolist() == [0.9] * 4
    assert floored["floor_p05"].tolist() == [0.9] * 4
    assert made_of.loc[~made_of["with_floor"], "floor_p05"].isna().all()
    assert (made_of.query("method == @WALK and not with_floor")["p05"] < 0.9).all()
    for floors, reason in (({}, "no floor is known"), ({"blend": 2.0}, "the price is at the floor or below")):
        floored = tables(prices(a=y), floors=floors)[0].query("with_floor")
        assert set(floored["reason"]) == {reason}
        assert floored["p50"].isna().all()


def test_forecasts_start_from_the_last_month_that_is_over() -> None:
    frame = prices(a=wandering(30), until="2026-09")
    for day, origin in (
        (datetime(2026, 9, 29, tzinfo=UTC), "2026-08-31"),
        (datetime(2026, 9, 30, tzinfo=UTC), "2026-09-30"),
    ):
        made_of, _ = tables(frame, day)
        assert set(made_of["origin_month"]) == {pd.Timestamp(origin)}
        assert set(made_of["as_of"]) == {pd.Timestamp(day)}


def test_the_past_is_what_would_have_been_said_then() -> None:
    frame = prices(a=wandering(30), b=wandering(30, seed=2))
    early = datetime(2026, 3, 31, tzinfo=UTC)
    known = frame[frame["month_end"] <= pd.Timestamp("2026-03-31")]
    for then, now in zip(tables(known, early), tables(frame, early), strict=True):
        pd.testing.assert_frame_equal(then, now)


def test_series_that_ended_or_are_free_or_begin_later() -> None:
    frame = pd.concat(
        [
            prices(ended=wandering(30), until="2026-05"),
            prices(free=np.full(30, -np.inf)),
            prices(later=wandering(30), until="2030-01").tail(3),
        ]
    )
    made_of, scored = tables(frame)
    assert set(made_of["series_id"]) == {"ended", "free"}
    assert set(made_of["reason"]) == {"no price in the last month"}
    assert made_of[["p05", "p50", "p95"]].isna().all(axis=None)
    # What ended can no longer be forecast; its hindcasts remain.
    assert scored.query("series_id == 'ended' and horizon_months == 3")["n_origins"].tolist() == [16] * 4


def test_no_series_no_rows() -> None:
    made_of, scored = tables(prices(a=wandering(30)).head(0))
    assert made_of.empty
    assert scored.empty
    assert made_of.columns.tolist() == list(FORECAST_COLUMNS)


def test_two_prices_in_a_month_are_refused() -> None:
    with pytest.raises(ValueError, match="duplicate"):
        tables(pd.concat([prices(a=wandering(30))] * 2))
