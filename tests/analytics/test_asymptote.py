import dataclasses
import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from pipeline.analytics.floor import Asymptote, asymptote

MONTHS = pd.date_range("2023-01-01", periods=36, freq="MS", tz="UTC")


def decay(floor: float, amplitude: float, rate: float, n: int = 36, noise: float = 0.0, seed: int = 1) -> list[float]:
    years = ((MONTHS[:n] - MONTHS[0]) / pd.Timedelta(days=365)).to_numpy()
    errors = noise * np.random.default_rng(seed).standard_normal(n)
    return [float(price) for price in (floor + amplitude * np.exp(-rate * years)) * np.exp(errors)]


def numbers(result: Asymptote) -> list[float]:
    values = [value for value in dataclasses.asdict(result).values() if isinstance(value, (int, float))]
    return values + (numbers(result.recent) if result.recent else [])


def sound(result: Asymptote) -> bool:
    """What holds of every result: finite numbers, limits in order, and a reason for what is missing."""
    assert all(math.isfinite(value) for value in numbers(result))
    if result.gate == "insufficient":
        assert result.reason
        assert result.floor is result.lo90 is result.amplitude is result.p_now_over_floor is None
        return False
    assert result.floor is not None
    assert result.lo90 is not None
    assert result.hi90 is not None
    assert 0 < result.lo90 <= result.floor <= result.hi90
    return True


# --- the fit --------------------------------------------------------------------------------------------------------


def test_a_curve_without_errors_is_found_again() -> None:
    result = asymptote(MONTHS, decay(0.1, 5.0, 2.5))
    assert sound(result)
    assert result.floor == pytest.approx(0.1, rel=1e-6)
    assert result.amplitude == pytest.approx(5.0, rel=1e-6)
    assert result.decay_per_year == pytest.approx(2.5, rel=1e-6)
    assert (result.lo90, result.hi90) == pytest.approx((0.1, 0.1), rel=1e-4)
    assert result.p_value_zero == pytest.approx(0, abs=1e-12)
    assert (result.n_obs, result.n_events) == (36, 35)


@pytest.mark.parametrize(("rate", "noise", "seed"), [(2.0, 0.1, 1), (1.7, 0.03, 2), (4.0, 0.3, 3), (2.0, 0.002, 4)])
def test_the_interval_and_the_p_value_from_first_principles(rate: float, noise: float, seed: int) -> None:
    """The profile fitted anew for every F, in A and k as they stand in the formula."""
    n = 36
    prices = decay(0.1, 3.0, rate, noise=noise, seed=seed)
    t = ((MONTHS - MONTHS[0]) / pd.Timedelta(days=365)).to_numpy()
    y = np.log(prices)

    def least(floor: float) -> optimize.OptimizeResult:
        fits = [
            optimize.least_squares(
                lambda x: y - np.log(floor + np.exp(x[0]) * np.exp(-np.exp(x[1]) * t)), [math.log(3), math.log(k)]
            )
            for k in (rate / 2, rate, rate * 2)
        ]
        return min(fits, key=lambda fit: fit.cost)

    best = optimize.minimize_scalar(lambda x: least(math.exp(x)).cost, (math.log(0.07), math.log(0.12)), tol=1e-10)
    fit = least(math.exp(best.x))
    rss = 2 * fit.cost
    r = max((fit.fun[1:] @ fit.fun[:-1] / rss + 3 / n) / (1 - 4 / n), 0)
    effective = n * (1 - r) / (1 + r)
    room = rss / (effective - 3) * stats.t.ppf(0.95, effective - 3) ** 2

    def beyond(x: float) -> float:
        return 2 * float(least(math.exp(x)).cost) - rss - room

    low, high = (optimize.brentq(beyond, *bracket) for bracket in ((best.x - 4, best.x), (best.x, best.x + 2)))
    straight = float(np.polyfit(t, y, 1, full=True)[1][0])
    statistic = (straight - rss) / (rss / (effective - 3))

    result = asymptote(MONTHS, prices)
    assert sound(result)
    assert result.n_effective == pytest.approx(effective, rel=1e-3)
    assert result.floor == pytest.approx(math.exp(best.x), rel=1e-4)
    assert math.log(result.lo90 or 0) - best.x == pytest.approx(low - best.x, rel=5e-3)
    assert math.log(result.hi90 or 0) - best.x == pytest.approx(high - best.x, rel=5e-3)
    assert result.p_value_zero == pytest.approx(stats.f.sf(statistic, 1, effective - 3) / 2, rel=2e-2)


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(1e-6, 1e6), days=st.integers(0, 4000), seed=st.integers(0, 5))
def test_units_and_dates_do_not_matter(scale: float, days: int, seed: int) -> None:
    prices = decay(0.1, 3.0, 2.0, noise=0.1, seed=seed)
    here = asymptote(MONTHS, prices)
    # Weeks of the same length, so that the months are not what moves.
    there = asymptote(MONTHS + pd.Timedelta(days=days), [scale * price for price in prices])
    assert sound(here) == sound(there)
    assert there.p_value_zero == pytest.approx(here.p_value_zero, rel=1e-3)
    for name in ("floor", "lo90", "hi90", "amplitude"):
        assert getattr(there, name) == pytest.approx(scale * getattr(here, name), rel=1e-3)


def test_order_gaps_and_kinds_of_dates_do_not_matter() -> None:
    prices: list[Any] = decay(0.1, 3.0, 2.0, noise=0.1)
    expected = asymptote(MONTHS, prices)
    assert asymptote(MONTHS[::-1], prices[::-1]) == expected
    assert asymptote([date(at.year, at.month, at.day) for at in MONTHS], prices) == expected
    assert asymptote([*MONTHS, *(MONTHS[:2] + pd.Timedelta(days=3))], [*prices, None, math.nan]) == expected


def test_alike_errors_of_neighbours_count_as_fewer_points() -> None:
    independent = asymptote(MONTHS, decay(0.1, 3.0, 2.5, noise=0.1))
    # Quarterly prices that are told every month hold no more than the quarters do.
    quarters = [price for price in decay(0.1, 3.0, 2.5, noise=0.1)[::3] for _ in range(3)]
    repeated = asymptote(MONTHS, quarters)
    assert independent.n_effective is not None
    assert repeated.n_effective is not None
    assert independent.n_effective > 25
    assert repeated.n_effective < 20


# --- what is published ----------------------------------------------------------------------------------------------


def test_without_a_floor_there_is_only_an_upper_bound() -> None:
    result = asymptote(MONTHS, decay(0.0, 3.0, 1.0, noise=0.1, seed=2))
    assert not sound(result)
    assert "a floor of 0 is not rejected" in str(result.reason)
    assert result.p_value_zero is not None
    assert result.p_value_zero > 0.1
    assert result.hi90 is not None
    assert result.hi90 < 3 * math.exp(-2.9) * 1.6


def test_a_price_still_far_above_its_floor_does_not_identify_it() -> None:
    result = asymptote(MONTHS, decay(0.1, 5.0, 0.9, noise=0.01))
    assert not sound(result)
    assert result.reason == "the last price is over 1.6 times the fitted floor"
    assert result.p_value_zero is not None
    assert result.p_value_zero < 0.01


def test_under_24_months_there_is_no_floor() -> None:
    result = asymptote(MONTHS[:23], decay(0.1, 5.0, 4.0, n=23, noise=0.02))
    assert not sound(result)
    assert result.reason == "points in 23 months, under 24"
    assert result.hi90 == pytest.approx(0.1, rel=0.1)
    assert asymptote(MONTHS[:24], decay(0.1, 5.0, 4.0, n=24, noise=0.02)).gate == "ok"
    # Daily prices do not make more months.
    daily = pd.date_range("2023-01-01", periods=300, tz="UTC")
    assert asymptote(daily, np.exp(-np.arange(300) / 40) + 0.1).reason == "points in 10 months, under 24"


def test_a_price_below_the_interval_refutes_the_floor() -> None:
    prices = [*decay(0.1, 3.0, 4.0, noise=0.02)[:-1], 0.08]
    result = asymptote(MONTHS, prices)
    assert not sound(result)
    assert "the last price is below the interval" in str(result.reason)


def test_a_floor_that_rose_shows_in_the_last_24_months() -> None:
    prices = decay(0.1, 3.0, 5.0, noise=0.02)
    risen = prices[:12] + [2 * price for price in decay(0.1, 0.5, 5.0, noise=0.02)[:24]]
    result = asymptote(MONTHS, risen)
    assert result.recent is not None
    assert result.recent.gate == "ok"
    assert result.recent.floor == pytest.approx(0.2, rel=0.1)
    assert result.recent.n_obs == 24
    assert asymptote(MONTHS[:24], prices[:24]).recent is None


def test_a_floor_that_only_the_past_shows_says_so() -> None:
    prices = [*decay(0.1, 3.0, 6.0, noise=0.05)[:12], *[0.1, 0.101, 0.1, 0.099] * 6]
    result = asymptote(MONTHS, prices)
    assert sound(result)
    assert str(result.reason).startswith("not known from the last 24 months alone")


# --- degenerate input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        ([], "0 points, under 12"),
        ([1.0], "1 points, under 12"),
        ([1.0, 0.5], "2 points, under 12"),
        ([1.0] * 36, "0 price moves, under 3"),
        ([1.0] * 20 + [0.5] * 16, "1 price moves, under 3"),
        ([1.0, 0.5, 0.0], "free on 2023-03-01: a price of 0 has no logarithm"),
        ([0.0] * 36, "free on 2023-01-01: a price of 0 has no logarithm"),
        ([float(n) for n in range(1, 37)], "errors of neighbouring months are alike: 36 points count as"),
        ([1.0] * 17 + [50.0] + [1.0] * 15 + [0.9, 0.8, 0.7], "a floor of 0 is not rejected"),
        ([1.0, 1.01, 0.99] * 12, "a floor of 0 is not rejected"),
        ([math.exp(-0.1 * n) for n in range(36)], "a floor of 0 is not rejected"),
        (
            [1.0] * 9 + [0.9] * 9 + [0.8] * 9 + [0.1] * 9,
            "errors of neighbouring months are alike: 36 points count as",
        ),
    ],
)
def test_degenerate_series_have_a_reason(prices: list[float], reason: str) -> None:
    result = asymptote(MONTHS[: len(prices)], prices)
    assert not sound(result)
    assert str(result.reason).startswith(reason)


def test_prices_that_never_end_in_one_place_stay_finite() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        walk = np.exp(np.cumsum(rng.normal(-0.1, 0.3, 36)))
        sound(asymptote(MONTHS, np.where(rng.random(36) < 0.1, np.nan, walk)))
        jumps = np.exp(np.cumsum(rng.normal(0, 1, 36) * (rng.random(36) < 0.15)))
        sound(asymptote(MONTHS, jumps))


@pytest.mark.parametrize("bad", [-1.0, math.inf])
def test_impossible_prices_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        asymptote(MONTHS[:2], [1.0, bad])


def test_two_prices_at_once_and_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="two prices at 2023-01-01"):
        asymptote([MONTHS[0], MONTHS[0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="2 times and 1 prices"):
        asymptote(MONTHS[:2], [1.0])
