"""The rate of decline of one series or panel over one window, by every method, and its change."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from pipeline.analytics.decline.intervals import CONFIDENCE, movement_limits, mover_difference
from pipeline.analytics.decline.steps import (
    DAY_US,
    SAME_PRICE,
    YEAR_DAYS,
    Floats,
    Steps,
    iso_day,
    microseconds,
    read_offers,
    read_steps,
    utc_moment,
    window_of,
)

Gate = Literal["ok", "insufficient", "nonmonotone"]
ENDPOINT = "asof_endpoint"
MIN_EVENTS = 3
MAX_RISE_SHARE = 0.25
# The CR1 t interval of two clusters has one degree of freedom: it is too wide to say anything, and fragile.
MIN_CLUSTERS = 3
# exp() of more than this is beyond a float.
MAX_EXPONENT = 700.0


class Rate(NamedTuple):
    """One rate of decline, with everything that is needed to judge it.

    `ln_rate_per_year` is the decline of the natural log price in a year of 365 days, `factor_per_year` its exponential,
    `lo90` and `hi90` the 90 % limits of `ln_rate_per_year`. `halving_months` is 12 ln 2 / ln_rate_per_year; it is None
    where the interval includes 0 or there is no interval, and negative (months to double) where the price surely rises.
    `n_events` counts the price changes in the window (for `records_ols`: the records) and `coverage_share` is the share
    of the window during which a price was in force. `window_days` None means since the start of the series. `as_of` is
    None only where neither the caller nor the data name a time.
    """

    window_days: int | None
    as_of: pd.Timestamp | None
    method: str
    ln_rate_per_year: float | None
    factor_per_year: float | None
    halving_months: float | None
    lo90: float | None
    hi90: float | None
    n_events: int
    coverage_share: float | None
    gate: Gate
    reason: str | None


class Slowdown(NamedTuple):
    """By how much a rate has fallen from one window to the next.

    `ln_slowdown` is `ln_rate_before - ln_rate_last`, natural logarithms per year: positive where the decline has slowed
    down. `lo90` and `hi90` are its 90 % limits; the data decide nothing while they lie on both sides of 0.
    """

    window_days: int | None
    as_of: pd.Timestamp | None
    method: str
    ln_rate_last: float | None
    ln_rate_before: float | None
    ln_slowdown: float | None
    lo90: float | None
    hi90: float | None
    n_events_last: int
    n_events_before: int
    gate: Gate
    reason: str | None


def endpoint_rate(steps: pd.DataFrame, as_of: datetime, window_days: int | None) -> Rate:
    """The headline: `[ln p(t0) - ln p(as_of)] / years`, both ends read from the step function.

    `steps` holds `at` (when a price came into force; with a time zone) and `price` (positive; null: not in force from
    then on), in any order; what lies after `as_of` is not looked at. The window is `(as_of - window_days, as_of]`; None
    starts it with the first price. Raises ValueError for timestamps without a zone, negative or infinite prices, and
    two prices at one time.

    Gates: `insufficient` (no numbers) without a price at both ends, under 90 % of the window covered, under 3 price
    changes, or with a free price; `nonmonotone` (numbers, with a warning) where rises make over 25 % of the movement.
    """
    return _rate_of(steps, as_of, window_days, ENDPOINT)


def ols_daily(steps: pd.DataFrame, as_of: datetime, window_days: int | None) -> Rate:
    """Least-squares slope of the daily log price, as `endpoint_rate` gates it. For comparison: it has no interval."""
    return _rate_of(steps, as_of, window_days, "ols_daily")


def theil_sen(steps: pd.DataFrame, as_of: datetime, window_days: int | None) -> Rate:
    """Median of all pairwise slopes of the daily log price, gated as `endpoint_rate`. It has no interval either."""
    return _rate_of(steps, as_of, window_days, "theil_sen")


def records_ols(points: pd.DataFrame, year_days: float = YEAR_DAYS, *, as_of: datetime | None = None) -> Rate:
    """The field's published method: log10 price of each new record low against its date, ordinary least squares.

    `points` holds `date` and `price`; a point that is not below every earlier one is no record and is left out, as are
    points after `as_of` (None: the last date). The interval is the t interval of the slope, with n - 2 degrees of
    freedom; `n_events` is the number of records. Under 3 records, or with a free price, there is no rate.
    Raises ValueError for negative or infinite prices and two prices on one date.
    Source: Cottier et al., LLM inference prices have fallen rapidly but unequally (Epoch AI, 2025).
    """
    dates = pd.to_datetime(points["date"], utc=True)
    steps = read_steps(pd.DataFrame({"at": dates, "price": points["price"]}))
    moment = _moment_or_last(as_of, dates)
    if moment is None:
        return _Subject("records_ols", None, None, 0, None).rate(("insufficient", "no point"))
    return rate_of_records(steps, moment, year_days)


def panel_rate(
    steps: pd.DataFrame,
    cluster: str,
    *,
    as_of: datetime | None = None,
    window_days: int | None = None,
    offer: str = "offer_id",
    shared_events: bool = False,
) -> Rate:
    """The mean endpoint rate of many offers, with a clustered interval.

    `steps` is as in `endpoint_rate` with two more columns: `offer` names the offer and `cluster` the group within which
    offers move together (the provider of an offer, or its model in a panel of one provider). Offers without a price at
    both ends, or covered under 90 %, are left out, and `reason` counts them. Since the start (`window_days` None) each
    offer counts by the time it has been observed; with a window that is the plain mean. `as_of` None is the time of the
    last step: give it where the prices are known to have stood still since.

    The interval is CR1 with P - 1 degrees of freedom, for at least 3 clusters. `shared_events` says that one decision
    can move several clusters at once, as a provider that cuts all its models in a day. The clusters are then not
    independent, and the interval is widened to hold that of the panel's net movement per day as one series, which
    stands alone under 3 clusters. Gates are those of `endpoint_rate`; changes in one cluster (with `shared_events`: in
    the panel) on one day count as one event. Raises ValueError as `endpoint_rate` does.
    Source of the interval: Cameron and Miller, Journal of Human Resources 50 (2015), with T(P - 1).
    """
    offers = read_offers(steps, offer, cluster)
    moment = _moment_or_last(as_of, pd.to_datetime(steps["at"], utc=True))
    if moment is None:
        return _Subject("panel_endpoint", None, window_days, 0, None).rate(("insufficient", "no offer"))
    return rate_of_panel(offers, moment, window_days, shared_events)


def slowdown(last: Rate, before: Rate) -> Slowdown:
    """`before - last` of two rates over windows that follow one another, its limits by MOVER from theirs.

    Events in windows apart are independent, so the two estimates are. Where either has no interval there is no
    difference; where rises make much of either, `gate` says so.
    """
    reasons = [
        f"{window}: {rate.reason}"
        for window, rate in (("the last window", last), ("the one before", before))
        if rate.gate != "ok"
    ]
    gate: Gate = "nonmonotone" if reasons else "ok"
    difference = limits = None
    if last.ln_rate_per_year is None or before.ln_rate_per_year is None:
        gate = "insufficient"
    elif last.lo90 is None or last.hi90 is None or before.lo90 is None or before.hi90 is None:
        raise ValueError(f"a rate by {last.method} has no interval, so its change has none")
    else:
        difference = before.ln_rate_per_year - last.ln_rate_per_year
        limits = mover_difference(
            before.ln_rate_per_year, (before.lo90, before.hi90), last.ln_rate_per_year, (last.lo90, last.hi90)
        )
    lo90, hi90 = limits or (None, None)
    return Slowdown(
        window_days=last.window_days,
        as_of=last.as_of,
        method=last.method,
        ln_rate_last=last.ln_rate_per_year,
        ln_rate_before=before.ln_rate_per_year,
        ln_slowdown=difference,
        lo90=lo90,
        hi90=hi90,
        n_events_last=last.n_events,
        n_events_before=before.n_events,
        gate=gate,
        reason=_joined(reasons),
    )


def _moment_or_last(as_of: datetime | None, times: "pd.Series[pd.Timestamp]") -> pd.Timestamp | None:
    if as_of is not None:
        return utc_moment(as_of)
    return times.max() if len(times) else None


def _rate_of(steps: pd.DataFrame, as_of: datetime, window_days: int | None, method: str) -> Rate:
    [rate] = rates_in_window(read_steps(steps), utc_moment(as_of), window_days, [method])
    return rate


def rates_in_window(
    steps: Steps, moment: pd.Timestamp, window_days: int | None, methods: Iterable[str]
) -> Iterator[Rate]:
    """The rates of one series by these methods: `ENDPOINT` and those of `SLOPES`, which are refused alike."""
    window = window_of(steps, moment, window_days)
    verdict = _verdict(window.log_steps, window.n_events, window.refusal)
    daily: tuple[Floats, Floats] | None = None
    for method in methods:
        subject = _Subject(method, moment, window_days, window.n_events, window.coverage_share)
        if verdict[0] == "insufficient":
            yield subject.rate(verdict)
        elif method == ENDPOINT:
            low, high = movement_limits(window.log_steps)
            yield subject.rate(verdict, window.movement / window.years, (low / window.years, high / window.years))
        else:
            daily = daily or _daily(steps, moment, window.years)
            yield subject.rate(verdict, -SLOPES[method](*daily))


def _verdict(log_steps: Sequence[float], n_events: int, refusal: str | None) -> tuple[Gate, str | None]:
    if refusal:
        return "insufficient", refusal
    if n_events < MIN_EVENTS:
        return "insufficient", f"{n_events} price changes, under {MIN_EVENTS}"
    rise_share = math.fsum(step for step in log_steps if step > 0) / math.fsum(map(abs, log_steps))
    if rise_share > MAX_RISE_SHARE:
        return "nonmonotone", f"rises make {rise_share:.0%} of the movement, over {MAX_RISE_SHARE:.0%}"
    return "ok", None


class _Subject(NamedTuple):
    """What a rate is about, known before there is a number."""

    method: str
    as_of: pd.Timestamp | None
    window_days: int | None
    n_events: int
    coverage_share: float | None

    def rate(
        self,
        verdict: tuple[Gate, str | None],
        ln_rate: float | None = None,
        limits: tuple[float, float] | None = None,
    ) -> Rate:
        """The published numbers; without `ln_rate` they are all None."""
        gate, reason = verdict
        factor = halving = None
        if ln_rate is not None:
            reasons = [reason]
            ln_rate += 0.0  # of a price that came back: 0, not -0
            if abs(ln_rate) <= MAX_EXPONENT:
                factor = math.exp(ln_rate)
            else:
                reasons.append("the yearly factor is beyond a float")
            if limits is None:
                reasons.append("no interval, so no halving time")
            elif limits[0] <= 0 <= limits[1]:
                reasons.append("the interval includes 0, so no halving time")
            else:
                halving = 12 * math.log(2) / ln_rate
            reason = _joined(reasons)
        lo90, hi90 = limits or (None, None)
        return Rate(
            window_days=self.window_days,
            as_of=self.as_of,
            method=self.method,
            ln_rate_per_year=ln_rate,
            factor_per_year=factor,
            halving_months=halving,
            lo90=lo90,
            hi90=hi90,
            n_events=self.n_events,
            coverage_share=self.coverage_share,
            gate=gate,
            reason=reason,
        )


def _joined(reasons: Iterable[str | None]) -> str | None:
    return "; ".join(filter(None, reasons)) or None


def _daily(steps: Steps, moment: pd.Timestamp, years: float) -> tuple[Floats, Floats]:
    """Years and log prices at `as_of` and every whole day before it in the window, where a price was in force."""
    n_days = round(years * YEAR_DAYS * DAY_US) // DAY_US
    days = microseconds(moment) - DAY_US * np.arange(n_days, -1, -1, dtype=np.int64)
    price = np.array(steps.price)[np.searchsorted(steps.at, days, side="right") - 1]
    known = ~np.isnan(price)
    return (days[known] - days[0]) / DAY_US / YEAR_DAYS, np.log(price[known])


def ols_slope(years: Floats, log_price: Floats) -> float:
    """The least-squares slope of log prices."""
    centred = years - years.mean()
    return float(centred @ log_price / (centred @ centred))


def _theil_sen_slope(years: Floats, log_price: Floats) -> float:
    """The median slope of all pairs of days. Days of one price in a row are taken together: prices seldom move."""
    day = np.rint(years * YEAR_DAYS).astype(np.int64)
    first = np.flatnonzero(np.concatenate([[True], (np.diff(log_price) != 0) | (np.diff(day) != 1)]))
    length = np.diff(first, append=len(day))
    run = np.arange(len(first))
    earlier, later = np.nonzero(run[:, np.newaxis] < run)
    # Between two such runs, every distance from the nearest days to the farthest ones, as often as it occurs.
    n_lags = length[earlier] + length[later] - 1
    step = np.arange(n_lags.sum()) - np.repeat(np.cumsum(n_lags) - n_lags, n_lags)
    nearest = day[first[later]] - day[first[earlier]] - length[earlier] + 1
    lag = np.repeat(nearest, n_lags) + step
    shorter = np.repeat(np.minimum(length[earlier], length[later]), n_lags)
    count = np.minimum(np.minimum(step, np.repeat(n_lags, n_lags) - 1 - step) + 1, shorter)
    slope = np.repeat(log_price[first[later]] - log_price[first[earlier]], n_lags) / (lag / YEAR_DAYS)
    # Within a run the slope is 0.
    slope = np.append(slope, 0.0)
    count = np.append(count, (length * (length - 1) // 2).sum())
    order = np.argsort(slope)
    rank = np.cumsum(count[order])
    middle = [(rank[-1] - 1) // 2, rank[-1] // 2]
    return float(slope[order][np.searchsorted(rank, middle, side="right")].mean())


SLOPES: dict[str, Callable[[Floats, Floats], float]] = {"ols_daily": ols_slope, "theil_sen": _theil_sen_slope}


def rate_of_records(steps: Steps, moment: pd.Timestamp, year_days: float) -> Rate:
    """`records_ols` of steps that are read."""
    records: list[tuple[int, float]] = []
    n_seen = bisect_right(steps.at, microseconds(moment))
    for at, price in zip(steps.at[:n_seen], steps.price, strict=False):
        if not math.isnan(price) and (not records or price < records[-1][1] * (1 - SAME_PRICE)):
            records.append((at, price))
    subject = _Subject("records_ols", moment, None, len(records), None)
    # Nothing is lower than free, so only the last record can be.
    if records and records[-1][1] == 0:
        return subject.rate(("insufficient", f"free from {iso_day(records[-1][0])}: a price of 0 has no logarithm"))
    if len(records) < MIN_EVENTS:
        return subject.rate(("insufficient", f"{len(records)} records, under {MIN_EVENTS}"))
    years = np.array([at - records[0][0] for at, _ in records]) / DAY_US / year_days
    log_price = np.log([price for _, price in records])
    slope = ols_slope(years, log_price)
    residuals = log_price - log_price.mean() - slope * (years - years.mean())
    error = math.sqrt(float(residuals @ residuals) / (len(years) - 2)) / math.sqrt(float(np.var(years) * len(years)))
    rate, reach = -slope, error * float(special.stdtrit(len(years) - 2, (1 + CONFIDENCE) / 2))
    return subject.rate(("ok", None), rate, (rate - reach, rate + reach))


def rate_of_panel(
    offers: Sequence[tuple[str, Steps]], moment: pd.Timestamp, window_days: int | None, shared_events: bool
) -> Rate:
    """`panel_rate` of offers that are read, each with its cluster."""
    windows = [(cluster, window_of(steps, moment, window_days)) for cluster, steps in offers]
    used = [(cluster, window) for cluster, window in windows if window.refusal is None]
    left_out = [window.refusal for _, window in windows if window.refusal is not None]
    note = f"{len(left_out)} of {len(offers)} offers left out ({left_out[0]})" if left_out else None
    if not used:
        nothing = _Subject("panel_endpoint", moment, window_days, 0, None)
        return nothing.rate(("insufficient", note or "no offer"))

    changes = [
        (cluster, at // DAY_US, step)
        for cluster, window in used
        for at, step in zip(window.moved_at, window.log_steps, strict=True)
    ]
    n_events = len({(None if shared_events else cluster, day) for cluster, day, _ in changes})
    years = math.fsum(window.years for _, window in used)
    coverage = math.fsum(window.coverage_share * window.years for _, window in used) / years
    subject = _Subject("panel_endpoint", moment, window_days, n_events, coverage)
    gate, reason = _verdict([step for _, _, step in changes], n_events, None)
    if gate == "insufficient":
        return subject.rate((gate, _joined([reason, note])))

    rate = math.fsum(window.movement for _, window in used) / years
    intervals = []
    residuals: defaultdict[str, float] = defaultdict(float)
    for cluster, window in used:
        residuals[cluster] += window.movement - rate * window.years
    n_clusters = len(residuals)
    if n_clusters >= MIN_CLUSTERS:
        variance = n_clusters / (n_clusters - 1) * math.fsum(residual**2 for residual in residuals.values())
        reach = math.sqrt(variance) / years * float(special.stdtrit(n_clusters - 1, (1 + CONFIDENCE) / 2))
        intervals.append((rate - reach, rate + reach))
    if shared_events:
        net: defaultdict[int, float] = defaultdict(float)
        for _, day, step in changes:
            net[day] += step
        low, high = movement_limits(list(net.values()))
        intervals.append((low / years, high / years))
    if not intervals:
        return subject.rate(("insufficient", _joined([f"{n_clusters} clusters, under {MIN_CLUSTERS}", note])))
    limits = min(low for low, _ in intervals), max(high for _, high in intervals)
    if limits[1] - limits[0] <= SAME_PRICE:
        return subject.rate(("insufficient", _joined(["all clusters moved alike: the spread is unknown", note])))
    return subject.rate((gate, _joined([reason, note])), rate, limits)
