import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from scipy import stats

from pipeline.analytics.decline import (
    DECLINE_RATE_COLUMNS,
    DECLINE_SLOWDOWN_COLUMNS,
    Rate,
    decline_rates,
    decline_slowdowns,
    endpoint_rate,
    gamma_limits,
    mover_difference,
    ols_daily,
    panel_rate,
    records_ols,
    slowdown,
    theil_sen,
)

AS_OF = pd.Timestamp("2026-01-01", tz="UTC")
LN2 = math.log(2)
RATES = (endpoint_rate, ols_daily, theil_sen)


def steps(*pairs: tuple[float, float | None]) -> pd.DataFrame:
    """Steps from (days before AS_OF, price)."""
    at = [AS_OF - pd.Timedelta(days=days) for days, _ in pairs]
    return pd.DataFrame({"at": pd.Series(at, dtype="datetime64[us, UTC]"), "price": [price for _, price in pairs]})


def halvings(n: int, days: float = 365) -> pd.DataFrame:
    """`n` halvings, evenly spread over the days before AS_OF."""
    return steps(*((days * (1 - i / (n + 1)), 2.0**-i) for i in range(n + 1)))


def numbers(rate: Rate) -> list[float | None]:
    return [rate.ln_rate_per_year, rate.factor_per_year, rate.halving_months, rate.lo90, rate.hi90]


def assert_refused(rate: Rate, reason: str) -> None:
    assert rate.gate == "insufficient"
    assert rate.reason is not None
    assert reason in rate.reason
    assert numbers(rate) == [None] * 5


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 10])
def test_gamma_limits_of_equal_weights_are_the_exact_poisson_limits(n: int) -> None:
    lower, upper = gamma_limits(np.full(n, 0.3), 0.3)
    assert stats.poisson.sf(n - 1, lower / 0.3) == pytest.approx(0.05)
    assert stats.poisson.cdf(n, upper / 0.3) == pytest.approx(0.05)


def test_gamma_limits_of_unequal_weights_by_hand() -> None:
    lower, upper = gamma_limits(np.array([1.0, 2.0]), 2.0)
    assert lower == pytest.approx(5 / 6 * stats.chi2.ppf(0.05, 18 / 5))
    assert upper == pytest.approx(9 / 10 * stats.chi2.ppf(0.95, 50 / 9))


def test_gamma_limits_without_events_depend_on_the_largest_possible_one() -> None:
    assert gamma_limits(np.array([]), 0.5) == (0, pytest.approx(-0.5 * math.log(0.05)))
    assert gamma_limits(np.array([]), 0.0) == (0, 0)


def test_mover_by_hand() -> None:
    low, high = mover_difference(5, (3, 8), 1, (0.2, 2.5))
    assert low == pytest.approx(4 - math.sqrt(2**2 + 1.5**2))
    assert high == pytest.approx(4 + math.sqrt(3**2 + 0.8**2))


# --- the headline ---------------------------------------------------------------------------------------------------


def test_twelve_halvings_in_a_year() -> None:
    rate = endpoint_rate(halvings(12), AS_OF, 365)
    assert rate.ln_rate_per_year == pytest.approx(12 * LN2)
    assert rate.factor_per_year == pytest.approx(4096)
    assert rate.halving_months == pytest.approx(1)
    cuts, rises = gamma_limits(np.full(12, LN2), LN2), gamma_limits(np.array([]), LN2)
    assert (rate.lo90, rate.hi90) == pytest.approx(mover_difference(12 * LN2, cuts, 0, rises))
    assert (rate.n_events, rate.coverage_share, rate.gate, rate.reason) == (12, 1.0, "ok", None)
    assert (rate.method, rate.as_of, rate.window_days) == ("asof_endpoint", AS_OF, 365)


def test_rate_is_per_year_of_365_days_whatever_the_window() -> None:
    assert endpoint_rate(halvings(4, 73), AS_OF, 73).ln_rate_per_year == pytest.approx(20 * LN2)


def test_cuts_and_rises_have_their_own_limits() -> None:
    rate = endpoint_rate(steps((400, 8), (300, 4), (200, 1), (100, 1.25), (50, 1)), AS_OF, 365)
    cuts = np.log([2, 4, 1.25])
    rise = math.log(1.25)
    limits = mover_difference(cuts.sum(), gamma_limits(cuts, math.log(4)), rise, gamma_limits(np.array([rise]), rise))
    assert rate.ln_rate_per_year == pytest.approx(math.log(8))
    assert (rate.lo90, rate.hi90) == pytest.approx(limits)


def test_no_halving_time_where_the_interval_includes_zero() -> None:
    rate = endpoint_rate(halvings(3), AS_OF, 365)
    assert rate.lo90 is not None
    assert rate.lo90 < 0
    assert rate.halving_months is None
    assert rate.reason == "the interval includes 0, so no halving time"
    assert rate.gate == "ok"


def test_quiet_time_lowers_the_rate() -> None:
    then = endpoint_rate(halvings(12), AS_OF, None).ln_rate_per_year
    later = endpoint_rate(halvings(12), AS_OF + timedelta(days=365), None).ln_rate_per_year
    assert then is not None
    assert later == pytest.approx(then / 2)


def test_the_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    at_the_start = steps((365, 8), (200, 4), (100, 2), (0, 1))
    assert endpoint_rate(at_the_start, AS_OF, 365).n_events == 3
    assert endpoint_rate(at_the_start, AS_OF, 365).ln_rate_per_year == pytest.approx(3 * LN2)


def test_what_lies_after_as_of_is_not_looked_at() -> None:
    known = halvings(5)
    future = pd.concat([known, steps((-1, 0.0), (-2, 1e9))])
    assert endpoint_rate(future, AS_OF, 365) == endpoint_rate(known, AS_OF, 365)


def test_order_repetition_and_other_zones_of_the_steps_do_not_matter() -> None:
    known = halvings(5)
    again = pd.concat([known.iloc[::-1], known.iloc[:2]])
    again["at"] = again["at"].dt.tz_convert("Asia/Tokyo")
    assert endpoint_rate(again, AS_OF.tz_convert("America/New_York").to_pydatetime(), 365) == endpoint_rate(
        known, AS_OF, 365
    )


def test_decimals_and_python_datetimes_are_read() -> None:
    known = halvings(5)
    plain = pd.DataFrame(
        {
            "at": pd.Series([moment.to_pydatetime() for moment in known["at"]], dtype=object),
            "price": [Decimal(str(price)) for price in known["price"]],
        }
    )
    assert endpoint_rate(plain, AS_OF, 365) == endpoint_rate(known, AS_OF, 365)


def test_the_rounding_of_floats_is_no_price_change() -> None:
    noisy = steps((365, 0.1 + 0.2), (300, 0.3), (200, 0.1 + 0.2), (100, 0.3))
    assert endpoint_rate(noisy, AS_OF, 365).n_events == 0


def test_a_gap_keeps_the_step_across_it() -> None:
    rate = endpoint_rate(steps((365, 8), (300, 4), (200, None), (190, 2), (100, 1)), AS_OF, 365)
    assert rate.ln_rate_per_year == pytest.approx(3 * LN2)
    assert rate.n_events == 3
    assert rate.coverage_share == pytest.approx(355 / 365)


# --- gates and degenerate series ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", RATES)
@pytest.mark.parametrize("window", [90, 365, None])
@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (steps(), "no price came into force"),
        (steps((300, None)), "no price came into force"),
        (steps((-5, 1)), "no price came into force"),
        (steps((0, 1)), "came into force"),
        (steps((400, 1)), "0 price changes, under 3"),
        (steps((400, 2), (50, 1)), "1 price changes, under 3"),
        (steps((400, 1), (60, 1), (50, 1), (40, 1)), "0 price changes"),
        (steps((400, 8), (60, 0), (50, 1), (40, 2)), "free from 2025-11-02"),
        (steps((400, 8), (70, 4), (60, 2), (50, 1), (5, None)), "the series ended on 2025-12-27"),
        (steps((900, 8), (800, 4), (700, 2), (600, 1), (500, None)), "the series ended on 2024-08-19"),
        (steps((400, 0)), "free from"),
    ],
)
def test_no_rate_without_support(method: object, window: int | None, series: pd.DataFrame, reason: str) -> None:
    rate = method(series, AS_OF, window)  # type: ignore[operator]
    if window is not None and reason == "came into force":
        reason = "at the start of the window"
    assert_refused(rate, reason)


def test_a_late_entry_has_no_price_at_the_start_of_the_window() -> None:
    assert_refused(
        endpoint_rate(steps((300, 8), (200, 4), (100, 2), (50, 1)), AS_OF, 365), "at the start of the window"
    )


def test_coverage_under_ninety_percent() -> None:
    rate = endpoint_rate(steps((365, 8), (300, 4), (200, None), (160, 2), (100, 1)), AS_OF, 365)
    assert_refused(rate, "89% of the days, under 90%")
    assert rate.n_events == 3


def test_a_series_of_a_few_days_is_not_extrapolated() -> None:
    assert_refused(endpoint_rate(halvings(5, 20), AS_OF, None), "known for 20 days, under 30")


def test_free_before_the_window_does_not_matter() -> None:
    assert endpoint_rate(pd.concat([steps((900, 0)), halvings(5)]), AS_OF, 365).gate == "ok"


@pytest.mark.parametrize(("last", "gate"), [(4 / 3, "ok"), (4.1 / 3, "nonmonotone")])
def test_nonmonotone_over_a_quarter(last: float, gate: str) -> None:
    # Two cuts by ln 4/3 and one by another: rises are a quarter of the movement exactly where `last` is 4/3.
    step = 4 / 3
    series = steps((365, 1), (300, 1 / step), (200, step**-2), (100, step**-3), (50, step**-3 * last / 1.0000001))
    rate = endpoint_rate(series, AS_OF, 365)
    assert rate.gate == gate
    assert rate.ln_rate_per_year is not None


def test_only_rises_are_a_negative_rate() -> None:
    doublings = steps(*((365 * (1 - i / 13), 2.0**i) for i in range(13)))
    rate = endpoint_rate(doublings, AS_OF, 365)
    assert rate.gate == "nonmonotone"
    assert rate.ln_rate_per_year == pytest.approx(-12 * LN2)
    assert rate.halving_months == pytest.approx(-1)


def test_an_outlier_that_is_taken_back_leaves_the_rate_and_widens_the_interval() -> None:
    calm = endpoint_rate(halvings(6), AS_OF, 365)
    wild = endpoint_rate(pd.concat([halvings(6), steps((20, 100.0), (19, 2.0**-6))]), AS_OF, 365)
    assert wild.ln_rate_per_year == pytest.approx(calm.ln_rate_per_year)
    assert wild.gate == "nonmonotone"
    assert None not in (wild.lo90, wild.hi90, calm.lo90, calm.hi90)
    assert wild.hi90 - wild.lo90 > calm.hi90 - calm.lo90  # type: ignore[operator]


def test_a_factor_beyond_floats_is_not_infinite() -> None:
    rate = endpoint_rate(steps((90, 1e300), (60, 1e200), (30, 1.0), (10, 1e-300)), AS_OF, 90)
    assert rate.factor_per_year is None
    assert "beyond a float" in str(rate.reason)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (steps((10, -1)), "not negative"),
        (steps((10, math.inf)), "finite"),
        (steps((10, 1), (10, 2)), "two prices come into force at one time, on 2025-12-22"),
        (steps((10, 1), (10, None)), "two prices"),
        (pd.DataFrame({"at": pd.to_datetime(["2025-01-01"]), "price": [1.0]}), "time zone"),
        (pd.DataFrame({"at": pd.to_datetime(["2025-01-01", None], utc=True), "price": [1.0, 2.0]}), "null"),
    ],
)
def test_bad_steps_raise(series: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        endpoint_rate(series, AS_OF, 365)


def test_bad_arguments_raise() -> None:
    with pytest.raises(ValueError, match="time zone"):
        endpoint_rate(halvings(5), datetime(2026, 1, 1), 365)
    with pytest.raises(ValueError, match="positive number of days"):
        endpoint_rate(halvings(5), AS_OF, 0)


moments = st.datetimes(datetime(2024, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))
prices = st.one_of(st.none(), st.just(0.0), st.floats(min_value=0, max_value=1e308), st.floats(0.01, 100))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(moments, prices, max_size=12), st.sampled_from([1, 90, 365, None]))
def test_never_nan_or_infinite(series: dict[datetime, float | None], window: int | None) -> None:
    frame = pd.DataFrame(
        {"at": pd.Series(list(series), dtype="datetime64[us, UTC]"), "price": pd.Series(series.values(), dtype=float)}
    )
    frame = frame.assign(offer_id="a", cluster="c")
    for rate in (
        *(method(frame, AS_OF, window) for method in RATES),
        panel_rate(frame, "cluster", as_of=AS_OF, window_days=window),
        panel_rate(frame, "cluster", as_of=AS_OF, window_days=window, shared_events=True),
        records_ols(frame.rename(columns={"at": "date"}), as_of=AS_OF),
    ):
        assert all(number is None or math.isfinite(number) for number in numbers(rate))
        assert (rate.gate == "insufficient") == (rate.ln_rate_per_year is None)
        assert rate.gate == "ok" or rate.reason


# --- beside the headline --------------------------------------------------------------------------------------------


def test_daily_regressions_follow_a_steady_decline_and_have_no_interval() -> None:
    daily = steps(*((days, math.exp(2 * days / 365)) for days in range(365, -1, -1)))
    for method in (ols_daily, theil_sen):
        rate = method(daily, AS_OF, 365)
        assert rate.ln_rate_per_year == pytest.approx(2)
        assert (rate.lo90, rate.hi90, rate.halving_months) == (None, None, None)
        assert rate.reason == "no interval, so no halving time"
        assert rate.method == method.__name__


def test_daily_regressions_against_scipy() -> None:
    series = steps((365, 8), (300, 4), (200, None), (190, 2), (100, 3), (50, 1))
    days = np.arange(366)
    price = np.select([days < 65, days < 165, days < 175, days < 265, days < 315], [8.0, 4, np.nan, 2, 3], 1.0)
    known = ~np.isnan(price)
    years, logs = days[known] / 365, np.log(price[known])
    assert ols_daily(series, AS_OF, 365).ln_rate_per_year == pytest.approx(-stats.linregress(years, logs).slope)
    assert theil_sen(series, AS_OF, 365).ln_rate_per_year == pytest.approx(-stats.theilslopes(logs, years).slope)


def test_records_by_hand() -> None:
    points = pd.DataFrame(
        {
            "date": [date(2023, 1, 1), date(2024, 1, 1), date(2024, 6, 1), date(2024, 12, 31), date(2025, 12, 31)],
            "price": [1000.0, 90.0, 95.0, 11.0, 1.0],
        }
    )
    rate = records_ols(points)
    # log10 at 0, 1, 2, 3 years without the point that was no record: 3, log 90, log 11, 0
    y = np.log10([1000, 90, 11, 1])
    slope = float(np.array([-1.5, -0.5, 0.5, 1.5]) @ y / 5)
    residuals = y - y.mean() - slope * np.array([-1.5, -0.5, 0.5, 1.5])
    reach = stats.t.ppf(0.95, 2) * math.sqrt(float(residuals @ residuals) / 2 / 5)
    assert rate.n_events == 4
    assert rate.factor_per_year == pytest.approx(10**-slope)
    assert rate.lo90 == pytest.approx((-slope - reach) * math.log(10))
    assert rate.hi90 == pytest.approx((-slope + reach) * math.log(10))
    assert rate.as_of == pd.Timestamp("2025-12-31", tz="UTC")


def test_records_use_the_year_they_are_given_and_stop_at_as_of() -> None:
    points = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=5, freq="100D"), "price": 10.0 ** -np.arange(5)})
    assert records_ols(points, 100).factor_per_year == pytest.approx(10)
    assert records_ols(points, 200).factor_per_year == pytest.approx(100)
    assert records_ols(points, as_of=datetime(2020, 8, 1, tzinfo=UTC)).n_events == 3


def test_records_without_support() -> None:
    two = pd.DataFrame({"date": [date(2024, 1, 1), date(2025, 1, 1), date(2025, 6, 1)], "price": [2.0, 1.0, 1.5]})
    assert_refused(records_ols(two), "2 records, under 3")
    free = pd.DataFrame({"date": [date(2024, 1, 1), date(2025, 1, 1), date(2025, 6, 1)], "price": [2.0, 1.0, 0.0]})
    assert_refused(records_ols(free), "free from 2025-06-01")
    nothing = records_ols(pd.DataFrame({"date": [], "price": []}))
    assert_refused(nothing, "no point")
    assert nothing.as_of is None


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (steps((300, 1)), "1 records"),
        (steps((300, None)), "0 records"),
        (steps((300, 2), (200, 1)), "2 records"),
        (steps((300, 1), (200, 1), (100, 1)), "1 records"),
        (steps((300, 1), (200, 2), (100, 3), (50, 4)), "1 records"),
        (steps((300, 0)), "free from"),
        # An outlier that is taken back leaves no room for records after it.
        (steps((300, 8), (200, 0.01), (199, 8), (100, 4), (50, 2)), "2 records"),
    ],
)
def test_records_of_degenerate_points(series: pd.DataFrame, reason: str) -> None:
    assert_refused(records_ols(series.rename(columns={"at": "date"}), as_of=AS_OF), reason)


def test_records_of_a_series_that_ended_stay() -> None:
    ended = pd.concat([halvings(5), steps((10, None))]).rename(columns={"at": "date"})
    assert records_ols(ended, as_of=AS_OF).factor_per_year == pytest.approx(2**6)


# --- panels ---------------------------------------------------------------------------------------------------------


def panel(**offers: pd.DataFrame) -> pd.DataFrame:
    """Offers named `provider_model`."""
    return pd.concat(
        [frame.assign(offer_id=name, provider=name.split("_")[0]) for name, frame in offers.items()], ignore_index=True
    )


PANEL = panel(
    a_1=halvings(3),
    a_2=halvings(2),
    b_1=halvings(1),
    b_2=steps((365, 2)),
    c_1=halvings(4),
    d_1=steps((365, 1), (100, 1.1)),
)


def test_panel_is_the_mean_with_the_cr1_interval() -> None:
    rate = panel_rate(PANEL, "provider", as_of=AS_OF, window_days=365)
    rates = np.array([3 * LN2, 2 * LN2, LN2, 0, 4 * LN2, -math.log(1.1)])
    fit = sm.OLS(rates, np.ones(6)).fit(
        cov_type="cluster", cov_kwds={"groups": np.array([0, 0, 1, 1, 2, 3])}, use_t=True
    )
    assert rate.ln_rate_per_year == pytest.approx(rates.mean())
    assert (rate.lo90, rate.hi90) == pytest.approx(tuple(fit.conf_int(alpha=0.1)[0]))
    assert (rate.gate, rate.method, rate.coverage_share) == ("ok", "panel_endpoint", 1)


def test_a_cut_of_several_offers_of_a_cluster_on_one_day_is_one_event() -> None:
    together = panel(**{f"{p}_{m}": halvings(2) for p in "ab" for m in "12"}, c_1=steps((365, 1)))
    assert panel_rate(together, "provider", as_of=AS_OF, window_days=365).n_events == 4
    assert panel_rate(together, "provider", as_of=AS_OF, window_days=365, shared_events=True).n_events == 2


def test_panel_leaves_out_entries_and_exits_and_says_so() -> None:
    late = panel(e_1=steps((100, 8), (50, 1)), f_1=steps((365, 8), (50, None)))
    rate = panel_rate(pd.concat([PANEL, late]), "provider", as_of=AS_OF, window_days=365)
    full = panel_rate(PANEL, "provider", as_of=AS_OF, window_days=365)
    assert rate.ln_rate_per_year == full.ln_rate_per_year
    assert "2 of 8 offers left out (no price in force at the start of the window)" in str(rate.reason)


def test_panel_since_the_start_weighs_offers_by_their_time() -> None:
    young = panel(a_1=halvings(3, 730), b_1=halvings(2, 365), c_1=halvings(1, 73))
    assert panel_rate(young, "provider", as_of=AS_OF).ln_rate_per_year == pytest.approx(6 * LN2 / 3.2)


def test_panel_gates() -> None:
    assert_refused(panel_rate(PANEL.iloc[:0], "provider", as_of=AS_OF, window_days=365), "no offer")
    two = PANEL[PANEL["provider"].isin(["a", "c"])]
    assert_refused(panel_rate(two, "provider", as_of=AS_OF, window_days=365), "2 clusters, under 3")
    constant = panel(a_1=steps((365, 1)), b_1=steps((365, 2)), c_1=steps((365, 3)))
    assert_refused(panel_rate(constant, "provider", as_of=AS_OF, window_days=365), "0 price changes")
    alike = panel(a_1=halvings(3), b_1=halvings(3), c_1=halvings(3))
    assert_refused(panel_rate(alike, "provider", as_of=AS_OF, window_days=365), "moved alike")
    rising = panel(a_1=halvings(1), b_1=steps((365, 1), (100, 2)), c_1=steps((365, 1), (100, 3)))
    assert panel_rate(rising, "provider", as_of=AS_OF, window_days=365).gate == "nonmonotone"


def test_panel_is_as_of_its_last_step_unless_told_otherwise() -> None:
    rate = panel_rate(PANEL, "provider")
    last = PANEL["at"].max()
    assert rate == panel_rate(PANEL, "provider", as_of=last)
    assert rate.as_of == last < AS_OF
    nothing = panel_rate(PANEL.iloc[:0], "provider")
    assert_refused(nothing, "no offer")
    assert nothing.as_of is None


def test_panel_of_points_that_support_nothing() -> None:
    for frame in (steps((365, 1)), steps((365, 2), (100, 1)), steps((400, 0)), steps((365, 1), (100, None))):
        points = panel(a_1=frame, b_1=frame, c_1=frame)
        assert panel_rate(points, "provider", as_of=AS_OF, window_days=365).gate == "insufficient"
    outlier = panel(a_1=steps((365, 1), (20, 100), (19, 1)), b_1=halvings(2), c_1=halvings(1))
    rate = panel_rate(outlier, "provider", as_of=AS_OF, window_days=365)
    assert rate.ln_rate_per_year == pytest.approx(LN2)
    assert rate.gate == "nonmonotone"


def test_decisions_of_one_provider_are_one_series() -> None:
    """Models that always move together say no more than one of them."""
    one = endpoint_rate(halvings(6), AS_OF, 365)
    models = panel(a_1=halvings(6), a_2=halvings(6), a_3=halvings(6), a_4=halvings(6))
    together = panel_rate(models, "offer_id", as_of=AS_OF, window_days=365, shared_events=True)
    assert (together.lo90, together.hi90) == pytest.approx((one.lo90, one.hi90))
    assert together.n_events == 6
    # ... and where they differ, the interval is never narrower than the clustered one.
    apart = PANEL.assign(provider="a")
    clustered = panel_rate(apart, "offer_id", as_of=AS_OF, window_days=365)
    shared = panel_rate(apart, "offer_id", as_of=AS_OF, window_days=365, shared_events=True)
    assert None not in (clustered.lo90, clustered.hi90, shared.lo90, shared.hi90)
    assert shared.lo90 <= clustered.lo90 < clustered.hi90 <= shared.hi90  # type: ignore[operator]


# --- slowdown -------------------------------------------------------------------------------------------------------

YEAR_BEFORE = AS_OF - pd.Timedelta(days=365)


def test_slowdown_is_the_difference_of_two_intervals_by_mover() -> None:
    # Six halvings in the year before, four in the last one.
    series = steps(*((730 - 50 * i, 2.0**-i) for i in range(7)), *((330 - 50 * i, 2.0 ** -(7 + i)) for i in range(4)))
    last, before = endpoint_rate(series, AS_OF, 365), endpoint_rate(series, YEAR_BEFORE, 365)
    change = slowdown(last, before)
    assert change.ln_slowdown == pytest.approx(2 * LN2)
    assert (change.n_events_last, change.n_events_before, change.gate) == (4, 6, "ok")
    assert None not in (last.lo90, last.hi90, before.lo90, before.hi90, change.lo90, change.hi90)
    below = math.hypot(6 * LN2 - before.lo90, last.hi90 - 4 * LN2)  # type: ignore[operator]
    above = math.hypot(before.hi90 - 6 * LN2, 4 * LN2 - last.lo90)  # type: ignore[operator]
    assert (change.lo90, change.hi90) == pytest.approx((2 * LN2 - below, 2 * LN2 + above))


def test_no_slowdown_without_two_rates() -> None:
    young = halvings(6)
    change = slowdown(endpoint_rate(young, AS_OF, 365), endpoint_rate(young, YEAR_BEFORE, 365))
    assert (change.gate, change.ln_slowdown, change.lo90, change.hi90) == ("insufficient", None, None, None)
    assert str(change.reason).startswith("the one before: ")
    assert change.ln_rate_last is not None
    with pytest.raises(ValueError, match="ols_daily has no interval"):
        slowdown(ols_daily(young, AS_OF, 365), ols_daily(young, AS_OF, 365))


def test_slowdown_says_where_rises_make_much_of_a_year() -> None:
    rising = pd.concat([halvings(6), steps((730, 1), (600, 2), (500, 3), (400, 4))])
    change = slowdown(endpoint_rate(rising, AS_OF, 365), endpoint_rate(rising, YEAR_BEFORE, 365))
    assert change.gate == "nonmonotone"
    assert "the one before: rises make 50%" in str(change.reason)
    assert change.ln_slowdown == -6 * LN2
    assert str(change.ln_rate_before) == "0.0"


def test_slowdowns_of_all_series() -> None:
    both = steps(*((730 - 60 * i, 2.0**-i) for i in range(12))).assign(series_id="tier-c", series_kind="frontier")
    series = pd.concat([all_series(), both.assign(workload="3:1")])
    changes = decline_slowdowns(series, AS_OF)
    assert dict(changes.dtypes.astype(str)) == DECLINE_SLOWDOWN_COLUMNS
    assert list(changes["series_id"]) == ["acme", "tier-a", "tier-b", "tier-c"]
    found = changes.set_index("series_id").loc["tier-c"]
    direct = slowdown(endpoint_rate(both, AS_OF, 365), endpoint_rate(both, YEAR_BEFORE, 365))
    assert (found["ln_slowdown"], found["lo90"], found["hi90"]) == (direct.ln_slowdown, direct.lo90, direct.hi90)
    assert (changes["ln_slowdown"].isna() == changes["reason"].str.contains("window|before").fillna(False)).all()
    assert len(decline_slowdowns(series.iloc[:0], AS_OF)) == 0


# --- all series -----------------------------------------------------------------------------------------------------


def all_series() -> pd.DataFrame:
    return pd.concat(
        [
            halvings(12).assign(series_id="tier-a", series_kind="frontier", workload="3:1", offer_id="x"),
            steps((300, 1)).assign(series_id="tier-b", series_kind="frontier", workload=None, offer_id="y"),
            PANEL.drop(columns="provider").assign(series_id="acme", series_kind="provider", workload="3:1"),
        ]
    )


def test_decline_rates_has_one_row_per_series_window_and_method() -> None:
    rates = decline_rates(all_series(), AS_OF)
    assert dict(rates.dtypes.astype(str)) == DECLINE_RATE_COLUMNS
    assert not rates.duplicated(["series_id", "window_days", "method"]).any()
    count = rates.groupby(["series_id", "method"]).size()
    expected = {(s, m): 4 for s in ("tier-a", "tier-b") for m in ("asof_endpoint", "ols_daily", "theil_sen")}
    expected |= {("tier-a", "records_ols"): 1, ("tier-b", "records_ols"): 1, ("acme", "panel_endpoint"): 4}
    assert count.to_dict() == expected
    a_year = rates[(rates["series_id"] == "tier-a") & (rates["window_days"] == 365)].set_index("method")
    assert a_year.loc["asof_endpoint", "halving_months"] == pytest.approx(1)
    records = rates[(rates["series_id"] == "tier-a") & (rates["method"] == "records_ols")].iloc[0]
    assert records["factor_per_year"] == pytest.approx(2**13)


def test_a_provider_is_a_panel_with_shared_events() -> None:
    rates = decline_rates(all_series(), AS_OF, windows=[365])
    acme = rates[rates["series_id"] == "acme"].iloc[0]
    direct = panel_rate(PANEL, "offer_id", as_of=AS_OF, window_days=365, shared_events=True)
    assert (acme["lo90"], acme["hi90"], acme["n_events"]) == (direct.lo90, direct.hi90, direct.n_events)


def test_decline_rates_are_nulls_and_not_nans_in_duckdb() -> None:
    rates = decline_rates(all_series(), AS_OF)
    [(nulls, nans)] = duckdb.sql(
        "select count(*) filter (lo90 is null), count(*) filter (isnan(lo90) or isinf(lo90)) from rates"
    ).fetchall()
    assert nulls == int(rates["lo90"].isna().sum()) > 0
    assert nans == 0


def test_decline_rates_of_nothing() -> None:
    empty = decline_rates(all_series().iloc[:0], AS_OF)
    assert len(empty) == 0
    assert list(empty.columns) == list(DECLINE_RATE_COLUMNS)


def test_decline_rates_name_the_series_that_is_at_fault() -> None:
    bad = all_series()
    bad.loc[bad["series_id"] == "tier-b", "price"] = -1
    with pytest.raises(ValueError, match="series tier-b: prices are finite and not negative"):
        decline_rates(bad, AS_OF)


# --- coverage -------------------------------------------------------------------------------------------------------


def test_the_interval_covers_the_truth() -> None:
    """Five cuts and two rises a year; `benchmarks/coverage.py` has more designs."""
    rng = np.random.default_rng(7)
    truth = 5 * 0.3 - 2 * 0.2
    covered = []
    for _ in range(300):
        cuts, rises = rng.poisson(5), rng.poisson(2)
        log_steps = np.concatenate([-rng.exponential(0.3, cuts), rng.exponential(0.2, rises)])
        days = np.sort(rng.uniform(0, 365, cuts + rises))[::-1]
        log_price = np.cumsum(rng.permutation(log_steps))
        rate = endpoint_rate(steps((365, 1.0), *zip(days, np.exp(log_price), strict=True)), AS_OF, 365)
        if rate.lo90 is not None and rate.hi90 is not None:
            covered.append(rate.lo90 <= truth <= rate.hi90)
    assert len(covered) > 250
    assert 0.80 <= np.mean(covered) <= 0.98
