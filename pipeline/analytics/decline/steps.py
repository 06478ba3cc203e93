"""A price as a step function of time, and what one window shows of it."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
YEAR_DAYS = 365.0
MIN_COVERAGE = 0.90
# Without a window a series is judged since its start. Under a month, a year's rate would be mostly extrapolation.
MIN_SPAN_DAYS = 30.0
# Blended prices carry the rounding of floats; a smaller relative change is not a price change.
SAME_PRICE = 1e-9
DAY_US = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# A price changes a few times a year: lists of a few numbers, which Python reads faster than numpy does.
class Steps(NamedTuple):
    """A step function: microseconds since 1970 in UTC, ascending, and the price from then on (NaN: none in force).

    It begins with a price.
    """

    at: list[int]
    price: list[float]


class Window(NamedTuple):
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


def utc_moment(as_of: datetime) -> pd.Timestamp:
    """The moment in UTC. Raises ValueError for one without a zone."""
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        raise ValueError(f"as_of has no time zone: {as_of!r}")
    return moment.tz_convert("UTC")


def microseconds(moment: pd.Timestamp) -> int:
    """Since 1970."""
    return moment.value // 1000


def iso_day(microseconds: int) -> str:
    """The day, in UTC, of so many microseconds since 1970."""
    return f"{EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d}"


def read_steps(steps: pd.DataFrame) -> Steps:
    """One series. Raises ValueError as `endpoint_rate` says."""
    at, price = read_columns(steps)
    [one] = split_offers(at, price, np.zeros(len(at), dtype=np.int64), 1)
    return one


def read_offers(steps: pd.DataFrame, offer: str, cluster: str) -> list[tuple[str, Steps]]:
    """Every offer's cluster and steps, in the order of the offers."""
    codes, names = steps[offer].factorize(sort=True)
    clusters = steps[cluster].to_numpy()[np.unique(codes, return_index=True)[1]]
    return list(zip(map(str, clusters), split_offers(*read_columns(steps), codes, len(names)), strict=True))


def read_columns(steps: pd.DataFrame) -> tuple[npt.NDArray[np.int64], Floats]:
    """Microseconds since 1970, and prices (NaN for null). Raises ValueError as `endpoint_rate` says."""
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


def split_offers(
    microseconds: npt.NDArray[np.int64], price: Floats, offer: npt.NDArray[np.int64], n_offers: int
) -> list[Steps]:
    """The steps of each of the offers that are numbered from 0: in order, no time twice, from the first price on."""
    order = np.lexsort((microseconds, offer))
    microseconds, price, offer = microseconds[order], price[order], offer[order]
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (np.diff(microseconds) == 0) & (np.diff(offer) == 0)
    twice = np.flatnonzero(again)
    differs = ~np.isclose(price[twice], price[twice - 1], rtol=SAME_PRICE, atol=0, equal_nan=True)
    if differs.any():
        raise ValueError(f"two prices come into force at one time, on {iso_day(int(microseconds[twice[differs][0]]))}")
    n_prices = np.append(0, np.cumsum(~np.isnan(price)))
    has_begun = n_prices[1:] > n_prices[np.searchsorted(offer, offer)]
    kept = has_begun & ~again
    at, prices = microseconds[kept].tolist(), price[kept].tolist()
    edges = np.searchsorted(offer[kept], np.arange(n_offers + 1)).tolist()
    return [Steps(at[start:end], prices[start:end]) for start, end in pairwise(edges)]


def window_of(steps: Steps, moment: pd.Timestamp, window_days: int | None) -> Window:
    """The days up to `moment`; without a number of them, all since the first price."""
    if window_days is not None and window_days <= 0:
        raise ValueError(f"a window has a positive number of days, not {window_days}")
    end = microseconds(moment)
    n_seen = bisect_right(steps.at, end)
    if not n_seen:
        return Window(0.0, [], [], 0, 0.0, "no price came into force by this day")
    start = steps.at[0] if window_days is None else end - window_days * DAY_US
    if start == end:
        return Window(0.0, [], [], 0, 0.0, "the price came into force at this moment")

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
    return Window(
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
        return f"no price in force on this day: the series ended on {iso_day(last_step)}"
    if math.isnan(prices[0]):
        return "no price in force at the start of the window"
    if coverage < MIN_COVERAGE:
        return f"a price was in force on {coverage:.0%} of the days, under {MIN_COVERAGE:.0%}"
    if 0.0 in prices:
        return f"free from {iso_day(edges[prices.index(0.0)])}: a price of 0 has no logarithm"
    return None
