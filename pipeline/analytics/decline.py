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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

Gate = Literal["ok", "insufficient", "nonmonotone"]
Floats = npt.NDArray[np.float64]

YEAR_DAYS = 365.0
CONFIDENCE = 0.90
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One rate of decline, with everything that is needed to judge it.

    `ln_rate_per_year` is the decline of the natural log price in a year of 365 days, `factor_per_year` its exponential,
    `lo90` and `hi90` the 90 % limits of `ln_rate_per_year`. `halving_months` is 12 ln 2 / ln_rate_per_year; it is None
    where the interval includes 0 or there is no interval, and negative (months to double) where the price surely rises.
    `n_events` counts the price changes in the window (for `records_ols`: the records) and `coverage_share` is the share
    of the window during which a price was in force. `window_days` None means since the start of the series.
    """

    ln_rate_per_year: float | None
    factor_per_year: float | None
    halving_months: float | None
    lo90: float | None
    hi90: float | None
    n_events: int
    coverage_share: float | None
    gate: Gate
    reason: str | None
    method: str
    as_of: pd.Timestamp
    window_days: int | None


@dataclass(frozen=True, slots=True)
class _Steps:
    """A step function: microseconds since 1970 in UTC, ascending, and the price from then on (NaN: none in force)."""

    at: npt.NDArray[np.int64]
    price: Floats


@dataclass(frozen=True, slots=True)
class _Window:
    """What one window shows of one step function. `refusal` says why its ends or coverage carry no rate at all."""

    years: float
    moved_at: npt.NDArray[np.int64]
    log_steps: Floats
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
    moment = utc_moment(as_of)
    window = _window(_read(steps), moment, window_days)
    return _endpoint(window, moment, window_days)


def ols_daily(steps: pd.DataFrame, as_of: datetime, window_days: int | None) -> Rate:
    """Least-squares slope of the daily log price, as `endpoint_rate` gates it. For comparison: it has no interval."""
    return _beside(_read(steps), utc_moment(as_of), window_days, "ols_daily")


def theil_sen(steps: pd.DataFrame, as_of: datetime, window_days: int | None) -> Rate:
    """Median of all pairwise slopes of the daily log price, gated as `endpoint_rate`. It has no interval either."""
    return _beside(_read(steps), utc_moment(as_of), window_days, "theil_sen")


def records_ols(points: pd.DataFrame, year_days: float = YEAR_DAYS, *, as_of: datetime | None = None) -> Rate:
    """The field's published method: log10 price of each new record low against its date, ordinary least squares.

    `points` holds `date` and `price`; a point that is not below every earlier one is no record and is left out, as are
    points after `as_of` (None: the last date). The interval is the t interval of the slope, with n - 2 degrees of
    freedom; `n_events` is the number of records. Under 3 records, or with a free price, there is no rate.
    Raises ValueError for negative or infinite prices and two prices on one date.
    """
    dates = pd.to_datetime(points["date"], utc=True)
    steps = _read(pd.DataFrame({"at": dates, "price": points["price"]}))
    if as_of is not None:
        moment = utc_moment(as_of)
    elif len(dates):
        moment = dates.max()
    else:
        raise ValueError("records without a point need an explicit as_of")
    return _records(steps, moment, year_days)


def panel_rate(
    steps: pd.DataFrame,
    cluster: str,
    *,
    as_of: datetime,
    window_days: int | None = None,
    offer: str = "offer_id",
    shared_events: bool = False,
) -> Rate:
    """The mean endpoint rate of many offers, with a clustered interval.

    `steps` is as in `endpoint_rate` with two more columns: `offer` names the offer and `cluster` the group within which
    offers move together (the provider of an offer, or its model in a panel of one provider). Offers without a price at
    both ends, or covered under 90 %, are left out, and `reason` counts them. Since the start (`window_days` None) each
    offer counts by the time it has been observed; with a window that is the plain mean.

    The interval is CR1 with P - 1 degrees of freedom, for at least 3 clusters. `shared_events` says that one decision
    can move several clusters at once, as a provider that cuts all its models in a day. The clusters are then not
    independent, and the interval is widened to hold that of the panel's net movement per day as one series, which
    stands alone under 3 clusters. Gates are those of `endpoint_rate`; changes in one cluster (with `shared_events`: in
    the panel) on one day count as one event.
    """
    moment = utc_moment(as_of)
    groups = [(name, _window(of_one, moment, window_days)) for name, of_one in _read_offers(steps, offer, cluster)]
    return _panel(groups, moment, window_days, shared_events)


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
    rows = []
    for key, group in series.groupby(["series_id", "series_kind", "workload"], dropna=False, sort=True):
        labels = dict(zip(("series_id", "series_kind", "workload"), key, strict=True))
        try:
            rates = list(_rates_of_series(group, str(labels["series_kind"]), moment, windows))
        except ValueError as error:
            raise ValueError(f"series {labels['series_id']}: {error}") from error
        rows += [{**labels, **{name: getattr(rate, name) for name in Rate.__slots__}} for rate in rates]
    return pd.DataFrame(rows, columns=list(DECLINE_RATE_COLUMNS)).astype(DECLINE_RATE_COLUMNS)


def _rates_of_series(
    group: pd.DataFrame, kind: str, moment: pd.Timestamp, windows: Iterable[int | None]
) -> Iterator[Rate]:
    if "offer_id" in group and group["offer_id"].nunique() > 1:
        cluster = "cluster" if "cluster" in group else "offer_id"
        offers = _read_offers(group, "offer_id", cluster)
        for days in windows:
            panel = [(name, _window(steps, moment, days)) for name, steps in offers]
            yield _panel(panel, moment, days, shared_events=kind == "provider")
        return
    steps = _read(group)
    for days in windows:
        yield _endpoint(_window(steps, moment, days), moment, days)
        yield _beside(steps, moment, days, "ols_daily")
        yield _beside(steps, moment, days, "theil_sen")
        if days is None:
            yield _records(steps, moment, YEAR_DAYS)


def utc_moment(as_of: datetime) -> pd.Timestamp:
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        raise ValueError(f"as_of has no time zone: {as_of!r}")
    return moment.tz_convert("UTC")


def _microseconds(moment: pd.Timestamp) -> int:
    return moment.value // 1000


def _day(microseconds: int) -> str:
    return f"{pd.Timestamp(microseconds, unit='us'):%Y-%m-%d}"


def _read(steps: pd.DataFrame) -> _Steps:
    return _in_order(*_columns(steps))


def _read_offers(steps: pd.DataFrame, offer: str, cluster: str) -> list[tuple[str, _Steps]]:
    """Every offer's cluster and steps, in the order of the offers."""
    microseconds, price = _columns(steps)
    codes = steps[offer].factorize(sort=True)[0]
    names = steps[cluster].to_numpy()
    rows = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[rows], prepend=-1))
    return [
        (str(names[of_one[0]]), _in_order(microseconds[of_one], price[of_one])) for of_one in np.split(rows, starts)[1:]
    ]


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


def _in_order(microseconds: npt.NDArray[np.int64], price: Floats) -> _Steps:
    order = np.argsort(microseconds, kind="stable")
    microseconds, price = microseconds[order], price[order]
    again = np.diff(microseconds) == 0
    differs = ~np.isclose(price[1:], price[:-1], rtol=SAME_PRICE, atol=0, equal_nan=True)
    if (again & differs).any():
        raise ValueError(
            f"two prices come into force at one time, on {_day(int(microseconds[1:][again & differs][0]))}"
        )
    first = np.concatenate([[True], ~again])[: len(price)]
    return _Steps(microseconds[first], price[first])


def _window(steps: _Steps, moment: pd.Timestamp, window_days: int | None) -> _Window:
    if window_days is not None and window_days <= 0:
        raise ValueError(f"a window has a positive number of days, not {window_days}")
    nothing = np.array([], dtype=np.int64)
    end = _microseconds(moment)
    # In order of time, so that a slice does where a mask would cost several times as much: panels have many offers.
    n_seen = int(np.searchsorted(steps.at, end, side="right"))
    at, price = steps.at[:n_seen], steps.price[:n_seen]
    in_force = ~np.isnan(price)
    if not in_force.any():
        return _Window(0.0, nothing, np.array([]), 0, 0.0, "no price came into force by this day")
    start = int(at[in_force][0]) if window_days is None else end - window_days * DAY_US
    if start == end:
        return _Window(0.0, nothing, np.array([]), 0, 0.0, "the price came into force at this moment")

    n_before = int(np.searchsorted(at, start, side="right"))
    edges = np.concatenate([[start], at[n_before:], [end]])
    at = edges[:-1]
    price = np.concatenate([price[n_before - 1 : n_before] if n_before else [np.nan], price[n_before:]])
    in_force = ~np.isnan(price)
    coverage = float((edges[1:] - at)[in_force].sum() / (end - start))
    known = price[in_force]
    moved = np.abs(known[1:] - known[:-1]) > SAME_PRICE * np.maximum(known[1:], known[:-1])

    refusal = None
    if not in_force[-1]:
        refusal = f"no price in force on this day: the series ended on {_day(int(at[~in_force][-1]))}"
    elif not in_force[0]:
        refusal = "no price in force at the start of the window"
    elif coverage < MIN_COVERAGE:
        refusal = f"a price was in force on {coverage:.0%} of the days, under {MIN_COVERAGE:.0%}"
    elif (known == 0).any():
        refusal = f"free from {_day(int(at[in_force][known == 0][0]))}: a price of 0 has no logarithm"
    elif window_days is None and end - start < MIN_SPAN_DAYS * DAY_US:
        refusal = f"known for {(end - start) / DAY_US:.0f} days, under {MIN_SPAN_DAYS:.0f}"
    return _Window(
        years=(end - start) / DAY_US / YEAR_DAYS,
        moved_at=at[in_force][1:][moved],
        log_steps=np.array([]) if refusal else np.log(known[1:][moved]) - np.log(known[:-1][moved]),
        n_events=int(moved.sum()),
        coverage_share=coverage,
        refusal=refusal,
    )


def _verdict(log_steps: Floats, n_events: int, refusal: str | None) -> tuple[Gate, str | None]:
    if refusal:
        return "insufficient", refusal
    if n_events < MIN_EVENTS:
        return "insufficient", f"{n_events} price changes, under {MIN_EVENTS}"
    rise_share = float(log_steps[log_steps > 0].sum() / np.abs(log_steps).sum())
    if rise_share > MAX_RISE_SHARE:
        return "nonmonotone", f"rises make {rise_share:.0%} of the movement, over {MAX_RISE_SHARE:.0%}"
    return "ok", None


def _movement_limits(log_steps: Floats) -> tuple[float, float]:
    cuts, rises = -log_steps[log_steps < 0], log_steps[log_steps > 0]
    largest = float(np.abs(log_steps).max(initial=0.0))
    return mover_difference(
        math.fsum(cuts),
        gamma_limits(cuts, float(cuts.max(initial=0.0)) or largest),
        math.fsum(rises),
        gamma_limits(rises, float(rises.max(initial=0.0)) or largest),
    )


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a rate is about, known before there is a number."""

    method: str
    as_of: pd.Timestamp
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
        reasons = [reason]
        factor = halving = None
        if ln_rate is not None:
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
        lo90, hi90 = limits or (None, None)
        return Rate(
            ln_rate_per_year=ln_rate,
            factor_per_year=factor,
            halving_months=halving,
            lo90=lo90,
            hi90=hi90,
            n_events=self.n_events,
            coverage_share=self.coverage_share,
            gate=gate,
            reason=_joined(reasons),
            method=self.method,
            as_of=self.as_of,
            window_days=self.window_days,
        )


def _joined(reasons: Iterable[str | None]) -> str | None:
    return "; ".join(filter(None, reasons)) or None


def _endpoint(window: _Window, moment: pd.Timestamp, window_days: int | None) -> Rate:
    subject = _Subject("asof_endpoint", moment, window_days, window.n_events, window.coverage_share)
    verdict = _verdict(window.log_steps, window.n_events, window.refusal)
    if verdict[0] == "insufficient":
        return subject.rate(verdict)
    low, high = _movement_limits(window.log_steps)
    return subject.rate(verdict, window.movement / window.years, (low / window.years, high / window.years))


def _beside(steps: _Steps, moment: pd.Timestamp, window_days: int | None, method: str) -> Rate:
    window = _window(steps, moment, window_days)
    subject = _Subject(method, moment, window_days, window.n_events, window.coverage_share)
    verdict = _verdict(window.log_steps, window.n_events, window.refusal)
    if verdict[0] == "insufficient":
        return subject.rate(verdict)
    years, log_price = _daily(steps, moment, window.years)
    slope = _theil_sen_slope(years, log_price) if method == "theil_sen" else _ols_slope(years, log_price)
    return subject.rate(verdict, -slope)


def _daily(steps: _Steps, moment: pd.Timestamp, years: float) -> tuple[Floats, Floats]:
    """Years and log prices at `as_of` and every whole day before it in the window, where a price was in force."""
    n_days = round(years * YEAR_DAYS * DAY_US) // DAY_US
    days = _microseconds(moment) - DAY_US * np.arange(n_days, -1, -1, dtype=np.int64)
    price = steps.price[np.searchsorted(steps.at, days, side="right") - 1]
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
    earlier, later = np.triu_indices(len(first), k=1)
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


def _records(steps: _Steps, moment: pd.Timestamp, year_days: float) -> Rate:
    seen = (steps.at <= _microseconds(moment)) & ~np.isnan(steps.price)
    at, price = steps.at[seen], steps.price[seen]
    record = np.ones(len(price), dtype=bool)
    record[1:] = price[1:] < np.minimum.accumulate(price)[:-1] * (1 - SAME_PRICE)
    at, price = at[record], price[record]
    subject = _Subject("records_ols", moment, None, len(at), None)
    if (price == 0).any():
        return subject.rate(
            ("insufficient", f"free from {_day(int(at[price == 0][0]))}: a price of 0 has no logarithm")
        )
    if len(at) < MIN_EVENTS:
        return subject.rate(("insufficient", f"{len(at)} records, under {MIN_EVENTS}"))
    years = (at - at[0]) / DAY_US / year_days
    log_price = np.log(price)
    slope = _ols_slope(years, log_price)
    residuals = log_price - log_price.mean() - slope * (years - years.mean())
    error = math.sqrt(float(residuals @ residuals) / (len(at) - 2)) / math.sqrt(float(np.var(years) * len(at)))
    rate, reach = -slope, error * float(special.stdtrit(len(at) - 2, (1 + CONFIDENCE) / 2))
    return subject.rate(("ok", None), rate, (rate - reach, rate + reach))


def _panel(
    groups: Sequence[tuple[str, _Window]], moment: pd.Timestamp, window_days: int | None, shared_events: bool
) -> Rate:
    used = [(name, window) for name, window in groups if window.refusal is None]
    left_out = [window.refusal for _, window in groups if window.refusal is not None]
    note = f"{len(left_out)} of {len(groups)} offers left out ({left_out[0]})" if left_out else None
    if not used:
        nothing = _Subject("panel_endpoint", moment, window_days, 0, None)
        return nothing.rate(("insufficient", note or "no offer"))

    clusters = np.array([name for name, _ in used], dtype=object)
    years = np.array([window.years for _, window in used])
    movements = np.array([window.movement for _, window in used])
    changes = pd.DataFrame(
        {
            "log_step": np.concatenate([window.log_steps for _, window in used]),
            "day": np.concatenate([window.moved_at for _, window in used]) // DAY_US,
            "cluster": np.repeat(clusters, [len(window.log_steps) for _, window in used]),
        }
    )
    log_steps = changes["log_step"].to_numpy()
    n_events = len(changes[["day"] if shared_events else ["day", "cluster"]].drop_duplicates())
    coverage = float(np.average([window.coverage_share for _, window in used], weights=years))
    subject = _Subject("panel_endpoint", moment, window_days, n_events, coverage)
    gate, reason = _verdict(log_steps, n_events, None)
    if gate == "insufficient":
        return subject.rate((gate, _joined([reason, note])))

    rate = math.fsum(movements) / years.sum()
    intervals = []
    residuals = pd.Series(movements - rate * years).groupby(clusters).sum()
    n_clusters = len(residuals)
    if n_clusters >= MIN_CLUSTERS:
        error = math.sqrt(n_clusters / (n_clusters - 1) * float((residuals**2).sum())) / years.sum()
        reach = error * float(special.stdtrit(n_clusters - 1, (1 + CONFIDENCE) / 2))
        intervals.append((rate - reach, rate + reach))
    if shared_events:
        low, high = _movement_limits(changes.groupby("day")["log_step"].sum().to_numpy())
        intervals.append((low / years.sum(), high / years.sum()))
    if not intervals:
        return subject.rate(("insufficient", _joined([f"{n_clusters} clusters, under {MIN_CLUSTERS}", note])))
    limits = min(low for low, _ in intervals), max(high for _, high in intervals)
    if limits[1] - limits[0] <= SAME_PRICE:
        return subject.rate(("insufficient", _joined(["all clusters moved alike: the spread is unknown", note])))
    return subject.rate((gate, _joined([reason, note])), rate, limits)
