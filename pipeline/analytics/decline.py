"""How fast a price falls, per year, and how sure that is.

A price is a step function of time: it stays until it is changed. All rates are natural logarithms per year of 365 days,
a positive rate is a decline, and `lo90` and `hi90` are the limits of a 90 % interval of the same quantity. Nothing here
is ever NaN or infinite: what the data cannot support is None, and `reason` says why.

The interval of one series counts what happens to it: cuts and rises are two compound Poisson processes, each with the
gamma limits of Fay and Feuer (Statistics in Medicine 16, 1997), and the limits of their difference follow from MOVER
(Zou and Donner, Statistics in Medicine 27, 2008). Regressions on forward-filled daily prices have no interval here:
such prices are one observation many times over, and the textbook interval covers the truth far too rarely.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Gate = Literal["ok", "insufficient", "nonmonotone"]
Floats = npt.NDArray[np.float64]

YEAR_DAYS = 365.0
CONFIDENCE = 0.90
ENDPOINT = "asof_endpoint"
MIN_EVENTS = 3
MIN_COVERAGE = 0.90
MAX_RISE_SHARE = 0.25
# Without a window a series is judged since its start. Under a month, a year's rate would be mostly extrapolation.
MIN_SPAN_DAYS = 30.0
# The CR1 t interval of two clusters has one degree of freedom: it is too wide to say anything, and fragile.
MIN_CLUSTERS = 3
# Blended prices carry the rounding of floats; a smaller relative change is not a price change.
SAME_PRICE = 1e-9
# exp() of more than this is beyond a float.
MAX_EXPONENT = 700.0

DAY_US = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LABELS = ["series_id", "series_kind", "workload"]
DECLINE_RATE_COLUMNS = {
    "series_id": "string",
    "series_kind": "string",
    "workload": "string",
    "window_days": "Int64",
    "as_of": "datetime64[us, UTC]",
    "method": "string",
    "ln_rate_per_year": "Float64",
    "factor_per_year": "Float64",
    "halving_months": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "n_events": "Int64",
    "coverage_share": "Float64",
    "gate": "string",
    "reason": "string",
}
DECLINE_SLOWDOWN_COLUMNS = {
    "series_id": "string",
    "series_kind": "string",
    "workload": "string",
    "window_days": "Int64",
    "as_of": "datetime64[us, UTC]",
    "method": "string",
    "ln_rate_last": "Float64",
    "ln_rate_before": "Float64",
    "ln_slowdown": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "n_events_last": "Int64",
    "n_events_before": "Int64",
    "gate": "string",
    "reason": "string",
}


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


# A price changes a few times a year: lists of a few numbers, which Python reads faster than numpy does.
class _Steps(NamedTuple):
    """A step function: microseconds since 1970 in UTC, ascending, and the price from then on (NaN: none in force).

    It begins with a price.
    """

    at: list[int]
    price: list[float]


class _Window(NamedTuple):
    """What one window shows of one step function. `refusal` says why its ends or coverage carry no rate at all."""

    years: float
    moved_at: Sequence[int]
    log_steps: Sequence[float]
    n_events: int
    coverage_share: float
    refusal: str | None

    @property
    def movement(self) -> float:
        """ln p(start) - ln p(end): the steps telescope, also across gaps."""
        return -math.fsum(self.log_steps)


def gamma_limits(weights: Floats, largest: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Fay-Feuer limits of the expected sum of the weights of events that come as a Poisson process.

    `largest` is the weight that one more, unseen event might have had. With equal weights these are the exact Poisson
    limits times the weight. `confidence` is two-sided. Without events the lower limit is 0.
    """
    tail = (1 - confidence) / 2
    total, variance = float(weights.sum()), float((weights**2).sum())
    lower = variance / total * special.gammaincinv(total**2 / variance, tail) if total > 0 else 0.0
    total, variance = total + largest, variance + largest**2
    upper = variance / total * special.gammainccinv(total**2 / variance, tail) if total > 0 else 0.0
    return float(lower), float(upper)


def mover_difference(
    first: float, first_limits: tuple[float, float], second: float, second_limits: tuple[float, float]
) -> tuple[float, float]:
    """Limits of `first - second` from the separate limits of two independent estimates (MOVER)."""
    difference = first - second
    return (
        difference - math.hypot(first - first_limits[0], second_limits[1] - second),
        difference + math.hypot(first_limits[1] - first, second - second_limits[0]),
    )


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
    steps = _read(pd.DataFrame({"at": dates, "price": points["price"]}))
    moment = _moment_or_last(as_of, dates)
    if moment is None:
        return _Subject("records_ols", None, None, 0, None).rate(("insufficient", "no point"))
    return _records(steps, moment, year_days)


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
    offers = _read_offers(steps, offer, cluster)
    moment = _moment_or_last(as_of, pd.to_datetime(steps["at"], utc=True))
    if moment is None:
        return _Subject("panel_endpoint", None, window_days, 0, None).rate(("insufficient", "no offer"))
    return _panel(offers, moment, window_days, shared_events)


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


def decline_rates(
    series: pd.DataFrame, as_of: datetime, windows: Sequence[int | None] = (90, 180, 365, None)
) -> pd.DataFrame:
    """All series to the rows of `analytics.decline_rates`, one row per series, window and method.

    `series` is long: `series_id`, `series_kind`, `workload`, `at`, `price` as in `endpoint_rate`; for panels also
    `offer_id` and, where offers move in groups, `cluster`. A series with several offers is a panel and gets
    `panel_endpoint`; its offers share events where `series_kind` is "provider". Any other series gets `asof_endpoint`,
    `ols_daily`, `theil_sen` and, since the start, `records_ols`. Raises ValueError as `endpoint_rate` does, naming the
    series. Nulls are real nulls (nullable types), never NaN.
    """
    moment = utc_moment(as_of)
    rows = [(of_one, rate) for of_one in _all_series(series) for rate in _rates_of_series(of_one, moment, windows)]
    return _frame(rows, DECLINE_RATE_COLUMNS)


def decline_slowdowns(series: pd.DataFrame, as_of: datetime, window_days: int = 365) -> pd.DataFrame:
    """All series to the rows of `analytics.decline_slowdown`: the last window against the one of equal length before.

    `series` is as in `decline_rates`, and so are both rates: `asof_endpoint` or, for panels, `panel_endpoint`.
    """
    moment = utc_moment(as_of)
    earlier = moment - pd.Timedelta(days=window_days)
    rows = [
        (of_one, slowdown(_headline(of_one, moment, window_days), _headline(of_one, earlier, window_days)))
        for of_one in _all_series(series)
    ]
    return _frame(rows, DECLINE_SLOWDOWN_COLUMNS)


class _Series(NamedTuple):
    """A series: its id, kind and workload, and the cluster and the steps of each of its offers."""

    labels: tuple[str, str, str]
    offers: Sequence[tuple[str, _Steps]]

    @property
    def is_panel(self) -> bool:
        return len(self.offers) > 1


def _frame(rows: Iterable[tuple[_Series, Rate | Slowdown]], dtypes: dict[str, str]) -> pd.DataFrame:
    """One row for each result, whose fields are in the order of the columns, labelled with its series."""
    labelled = [(*of_one.labels, *found) for of_one, found in rows]
    return pd.DataFrame(labelled, columns=list(dtypes)).astype(dtypes)


def _all_series(series: pd.DataFrame) -> list[_Series]:
    """Every series, in order, read all at once: pandas takes longer over one than its arithmetic does."""
    groups = series.groupby(LABELS, dropna=False, sort=True)
    number = groups.ngroup().to_numpy()
    offer = (
        series["offer_id"].factorize(sort=True)[0] if "offer_id" in series else np.zeros(len(series), dtype=np.int64)
    )
    cluster = next(series[name] for name in ("cluster", "offer_id", "series_id") if name in series).to_numpy()
    _, first, codes = np.unique(number * (offer.max(initial=0) + 2) + offer, return_index=True, return_inverse=True)
    try:
        split = _split(*_columns(series), codes, len(first))
    except ValueError:
        _blame(series)
        raise
    offers = [(str(name), steps) for name, steps in zip(cluster[first], split, strict=True)]
    edges = np.searchsorted(number[first], np.arange(groups.ngroups + 1)).tolist()
    labels = series[LABELS].iloc[first[edges[:-1]]].itertuples(index=False, name=None)
    return [_Series(key, offers[start:end]) for key, (start, end) in zip(labels, pairwise(edges), strict=True)]


def _blame(series: pd.DataFrame) -> None:
    """Raises ValueError naming the first series that cannot be read."""
    offer = "offer_id" if "offer_id" in series else "series_id"
    for name, group in series.groupby("series_id", dropna=False):
        try:
            _read_offers(group, offer, offer)
        except ValueError as error:
            raise ValueError(f"series {name}: {error}") from error


def _headline(of_one: _Series, moment: pd.Timestamp, window_days: int | None) -> Rate:
    if of_one.is_panel:
        # A provider decides for all its models.
        return _panel(of_one.offers, moment, window_days, shared_events=of_one.labels[1] == "provider")
    [(_, steps)] = of_one.offers
    [rate] = _rates_in_window(steps, moment, window_days, [ENDPOINT])
    return rate


def _rates_of_series(of_one: _Series, moment: pd.Timestamp, windows: Iterable[int | None]) -> Iterator[Rate]:
    if of_one.is_panel:
        for days in windows:
            yield _headline(of_one, moment, days)
        return
    [(_, steps)] = of_one.offers
    for days in windows:
        yield from _rates_in_window(steps, moment, days, [ENDPOINT, *SLOPES])
        if days is None:
            yield _records(steps, moment, YEAR_DAYS)


def utc_moment(as_of: datetime) -> pd.Timestamp:
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        raise ValueError(f"as_of has no time zone: {as_of!r}")
    return moment.tz_convert("UTC")


def _moment_or_last(as_of: datetime | None, times: "pd.Series[pd.Timestamp]") -> pd.Timestamp | None:
    if as_of is not None:
        return utc_moment(as_of)
    return times.max() if len(times) else None


def _microseconds(moment: pd.Timestamp) -> int:
    return moment.value // 1000


def _day(microseconds: int) -> str:
    return f"{EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d}"


def _read(steps: pd.DataFrame) -> _Steps:
    at, price = _columns(steps)
    [one] = _split(at, price, np.zeros(len(at), dtype=np.int64), 1)
    return one


def _read_offers(steps: pd.DataFrame, offer: str, cluster: str) -> list[tuple[str, _Steps]]:
    """Every offer's cluster and steps, in the order of the offers."""
    codes, names = steps[offer].factorize(sort=True)
    clusters = steps[cluster].to_numpy()[np.unique(codes, return_index=True)[1]]
    return list(zip(map(str, clusters), _split(*_columns(steps), codes, len(names)), strict=True))


def _columns(steps: pd.DataFrame) -> tuple[npt.NDArray[np.int64], Floats]:
    at = steps["at"]
    if not isinstance(at.dtype, pd.DatetimeTZDtype):
        if any(getattr(moment, "tzinfo", None) is None for moment in at):
            raise ValueError("`at` holds a value that is not a timestamp with a time zone")
        at = pd.to_datetime(at, utc=True)
    if at.isna().any():
        raise ValueError("`at` holds a null: every step has a time")
    price = steps["price"].to_numpy(dtype=np.float64, na_value=np.nan)
    if (np.isinf(price) | (price < 0)).any():
        raise ValueError("prices are finite and not negative")
    return at.dt.as_unit("us").astype(np.int64).to_numpy(), price


def _split(
    microseconds: npt.NDArray[np.int64], price: Floats, offer: npt.NDArray[np.int64], n_offers: int
) -> list[_Steps]:
    """The steps of each of the offers that are numbered from 0: in order, no time twice, from the first price on."""
    order = np.lexsort((microseconds, offer))
    microseconds, price, offer = microseconds[order], price[order], offer[order]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (np.diff(microseconds) == 0) & (np.diff(offer) == 0)
    twice = np.flatnonzero(again)
    differs = ~np.isclose(price[twice], price[twice - 1], rtol=SAME_PRICE, atol=0, equal_nan=True)
    if differs.any():
        raise ValueError(f"two prices come into force at one time, on {_day(int(microseconds[twice[differs][0]]))}")
    n_prices = np.append(0, np.cumsum(~np.isnan(price)))
    has_begun = n_prices[1:] > n_prices[np.searchsorted(offer, offer)]
    kept = has_begun & ~again
    at, prices = microseconds[kept].tolist(), price[kept].tolist()
    edges = np.searchsorted(offer[kept], np.arange(n_offers + 1)).tolist()
    return [_Steps(at[start:end], prices[start:end]) for start, end in pairwise(edges)]


def _window(steps: _Steps, moment: pd.Timestamp, window_days: int | None) -> _Window:
    if window_days is not None and window_days <= 0:
        raise ValueError(f"a window has a positive number of days, not {window_days}")
    end = _microseconds(moment)
    n_seen = bisect_right(steps.at, end)
    if not n_seen:
        return _Window(0.0, [], [], 0, 0.0, "no price came into force by this day")
    start = steps.at[0] if window_days is None else end - window_days * DAY_US
    if start == end:
        return _Window(0.0, [], [], 0, 0.0, "the price came into force at this moment")

    n_before = bisect_right(steps.at, start)
    edges = [start, *steps.at[n_before:n_seen], end]
    prices = [steps.price[n_before - 1] if n_before else math.nan, *steps.price[n_before:n_seen]]
    in_force, before = 0, None
    moved_at, moves = [], []
    for since, until, price in zip(edges, edges[1:], prices, strict=False):
        if math.isnan(price):
            continue
        in_force += until - since
        if before is not None and abs(price - before) > SAME_PRICE * max(price, before):
            moved_at.append(since)
            moves.append((before, price))
        before = price
    coverage = in_force / (end - start)
    refusal = _refusal(edges, prices, coverage, steps.at[n_seen - 1])
    if refusal is None and window_days is None and end - start < MIN_SPAN_DAYS * DAY_US:
        refusal = f"known for {(end - start) / DAY_US:.0f} days, under {MIN_SPAN_DAYS:.0f}"
    return _Window(
        years=(end - start) / DAY_US / YEAR_DAYS,
        moved_at=moved_at,
        log_steps=[] if refusal else [math.log(after) - math.log(before) for before, after in moves],
        n_events=len(moves),
        coverage_share=coverage,
        refusal=refusal,
    )


def _refusal(edges: Sequence[int], prices: Sequence[float], coverage: float, last_step: int) -> str | None:
    """Why these prices, in force from these times on, carry no rate."""
    if math.isnan(prices[-1]):
        return f"no price in force on this day: the series ended on {_day(last_step)}"
    if math.isnan(prices[0]):
        return "no price in force at the start of the window"
    if coverage < MIN_COVERAGE:
        return f"a price was in force on {coverage:.0%} of the days, under {MIN_COVERAGE:.0%}"
    if 0.0 in prices:
        return f"free from {_day(edges[prices.index(0.0)])}: a price of 0 has no logarithm"
    return None


def _verdict(log_steps: Sequence[float], n_events: int, refusal: str | None) -> tuple[Gate, str | None]:
    if refusal:
        return "insufficient", refusal
    if n_events < MIN_EVENTS:
        return "insufficient", f"{n_events} price changes, under {MIN_EVENTS}"
    rise_share = math.fsum(step for step in log_steps if step > 0) / math.fsum(map(abs, log_steps))
    if rise_share > MAX_RISE_SHARE:
        return "nonmonotone", f"rises make {rise_share:.0%} of the movement, over {MAX_RISE_SHARE:.0%}"
    return "ok", None


def _movement_limits(log_steps: Sequence[float]) -> tuple[float, float]:
    cuts = np.array([-step for step in log_steps if step < 0])
    rises = np.array([step for step in log_steps if step > 0])
    largest = max(map(abs, log_steps), default=0.0)
    return mover_difference(
        math.fsum(cuts),
        gamma_limits(cuts, float(cuts.max(initial=0.0)) or largest),
        math.fsum(rises),
        gamma_limits(rises, float(rises.max(initial=0.0)) or largest),
    )


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


def _rate_of(steps: pd.DataFrame, as_of: datetime, window_days: int | None, method: str) -> Rate:
    [rate] = _rates_in_window(_read(steps), utc_moment(as_of), window_days, [method])
    return rate


def _rates_in_window(
    steps: _Steps, moment: pd.Timestamp, window_days: int | None, methods: Iterable[str]
) -> Iterator[Rate]:
    """The rates of one series by these methods: `ENDPOINT` and those of `SLOPES`, which are refused alike."""
    window = _window(steps, moment, window_days)
    verdict = _verdict(window.log_steps, window.n_events, window.refusal)
    daily: tuple[Floats, Floats] | None = None
    for method in methods:
        subject = _Subject(method, moment, window_days, window.n_events, window.coverage_share)
        if verdict[0] == "insufficient":
            yield subject.rate(verdict)
        elif method == ENDPOINT:
            low, high = _movement_limits(window.log_steps)
            yield subject.rate(verdict, window.movement / window.years, (low / window.years, high / window.years))
        else:
            daily = daily or _daily(steps, moment, window.years)
            yield subject.rate(verdict, -SLOPES[method](*daily))


def _daily(steps: _Steps, moment: pd.Timestamp, years: float) -> tuple[Floats, Floats]:
    """Years and log prices at `as_of` and every whole day before it in the window, where a price was in force."""
    n_days = round(years * YEAR_DAYS * DAY_US) // DAY_US
    days = _microseconds(moment) - DAY_US * np.arange(n_days, -1, -1, dtype=np.int64)
    price = np.array(steps.price)[np.searchsorted(steps.at, days, side="right") - 1]
    known = ~np.isnan(price)
    return (days[known] - days[0]) / DAY_US / YEAR_DAYS, np.log(price[known])


def _ols_slope(years: Floats, log_price: Floats) -> float:
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


SLOPES: dict[str, Callable[[Floats, Floats], float]] = {"ols_daily": _ols_slope, "theil_sen": _theil_sen_slope}


def _records(steps: _Steps, moment: pd.Timestamp, year_days: float) -> Rate:
    records: list[tuple[int, float]] = []
    n_seen = bisect_right(steps.at, _microseconds(moment))
    for at, price in zip(steps.at[:n_seen], steps.price, strict=False):
        if not math.isnan(price) and (not records or price < records[-1][1] * (1 - SAME_PRICE)):
            records.append((at, price))
    subject = _Subject("records_ols", moment, None, len(records), None)
    # Nothing is lower than free, so only the last record can be.
    if records and records[-1][1] == 0:
        return subject.rate(("insufficient", f"free from {_day(records[-1][0])}: a price of 0 has no logarithm"))
    if len(records) < MIN_EVENTS:
        return subject.rate(("insufficient", f"{len(records)} records, under {MIN_EVENTS}"))
    years = np.array([at - records[0][0] for at, _ in records]) / DAY_US / year_days
    log_price = np.log([price for _, price in records])
    slope = _ols_slope(years, log_price)
    residuals = log_price - log_price.mean() - slope * (years - years.mean())
    error = math.sqrt(float(residuals @ residuals) / (len(years) - 2)) / math.sqrt(float(np.var(years) * len(years)))
    rate, reach = -slope, error * float(special.stdtrit(len(years) - 2, (1 + CONFIDENCE) / 2))
    return subject.rate(("ok", None), rate, (rate - reach, rate + reach))


def _panel(
    offers: Sequence[tuple[str, _Steps]], moment: pd.Timestamp, window_days: int | None, shared_events: bool
) -> Rate:
    windows = [(cluster, _window(steps, moment, window_days)) for cluster, steps in offers]
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
        low, high = _movement_limits(list(net.values()))
        intervals.append((low / years, high / years))
    if not intervals:
        return subject.rate(("insufficient", _joined([f"{n_clusters} clusters, under {MIN_CLUSTERS}", note])))
    limits = min(low for low, _ in intervals), max(high for _, high in intervals)
    if limits[1] - limits[0] <= SAME_PRICE:
        return subject.rate(("insufficient", _joined(["all clusters moved alike: the spread is unknown", note])))
    return subject.rate((gate, _joined([reason, note])), rate, limits)
