"""Does a price decay towards a floor above zero? `ln p = ln(F + A exp(-k t))`, and what the data say of F.

The curve is `ln p = ln F + h(t)`, `h = ln(1 + (A / F) exp(-k t))`. Its shape `h` has two parameters, of which `d`, the
log decline from the first point to the last, is well known, and `c = k T - d > 0` is what a floor is known by: with
`c = 0` there is none. For a given shape the sum of squares is a parabola in `ln F`.

Prices stay until they are changed, so the errors of neighbouring months are alike. The series therefore counts as
`m = n (1 - r) / (1 + r)` independent points, `r` being the first autocorrelation of the residuals (not under 0), and
the likelihood is that of m normal errors, its ratio held against F(1, m - 3): Bates and Watts, Nonlinear Regression
Analysis and Its Applications (1988), chapter 6, for the profile; Box, Jenkins and Reinsel, Time Series Analysis,
chapter 2, for m. Residuals are less alike than the errors were: for three parameters `r` is corrected by its bias
-(3 + 4 r) / n, after Marriott and Pope (Biometrika 41, 1954). `benchmarks/coverage_floor.py` shows what the intervals
cover.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from pipeline.analytics.decline import CONFIDENCE, MIN_EVENTS, SAME_PRICE, YEAR_DAYS, Floats
from pipeline.analytics.nonlinear import fit_nonlinear

RECENT_MONTHS = 24
MIN_MONTHS = 24
MAX_P_VALUE_ZERO = 0.10
MAX_NOW_OVER_FLOOR = 1.6
PARAMETERS = 3
MIN_POINTS = 12
# A faster decay, a half-life of half a month, is a step to monthly prices; with a smaller c the floor is under a
# ten-thousandth of the last price.
FASTEST, LEAST_C, LEAST_DECLINE = 24 * math.log(2), 1e-4, 1e-4
# Log prices carry their rounding: no fit is believed to be closer.
LEAST_LOG_ERROR = 1e-6
TOLERANCE = 1e-7
# Shapes per axis that a fit starts from, steps until a profile has settled, and how far from the best ln F to look.
GRID, STEPS, NEAREST, FARTHEST = 16, 8, 1e-5, 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asymptote:
    """The floor of one series, in the unit of its prices, or why none is published.

    `ln p = ln(floor + amplitude x exp(-decay_per_year x years since the first point))`, years of 365 days. `lo90` and
    `hi90` are the limits of the profile-likelihood interval of the floor. `p_value_zero` is `P(F(1, m - 3) >= W) / 2`,
    W being the likelihood ratio statistic of no floor at all, and 1 where the best floor is 0: the mixture in equal
    parts of chi-square(0) and chi-square(1) that a parameter on its boundary has (Self and Liang, JASA 82, 1987), for
    small samples. `n_effective` is m.

    Unless `gate` is "ok" the floor, its curve and `lo90` are None, and `hi90`, where there is one, is an upper bound
    that holds with 95 %. `recent` is the same fit to the last 24 months, None where these are all there is: a floor may
    rise.
    """

    floor: float | None = None
    amplitude: float | None = None
    decay_per_year: float | None = None
    lo90: float | None = None
    hi90: float | None = None
    p_value_zero: float | None = None
    p_now_over_floor: float | None = None
    n_obs: int
    n_events: int
    n_effective: float | None = None
    gate: Literal["ok", "insufficient"]
    reason: str | None
    recent: "Asymptote | None" = None


def asymptote(times: Iterable[datetime | date], prices: Iterable[float | None]) -> Asymptote:
    """Fits `ln p = ln(F + A exp(-k t))`, A and F not negative, to monthly prices and judges whether F is identified.

    `times` are moments (UTC where they have no zone), `prices` positive numbers in any unit; None and NaN are gaps, and
    a price of 0 leaves nothing to fit. The floor is published (`gate` "ok") only if there are points in 24 months and 3
    price moves, no floor is rejected at 10 %, the interval is closed and the last price is at most 1.6 times the floor
    and not below the interval. `reason` then says if the last 24 months alone do not show it.
    Raises ValueError for negative or infinite prices, two at one time, and lists of different length.
    """
    at = pd.DatetimeIndex(pd.to_datetime(list(times), utc=True)).as_unit("us")
    price = np.array([np.nan if pd.isna(value) else float(value) for value in prices])
    if len(at) != len(price):
        raise ValueError(f"{len(at)} times and {len(price)} prices")
    if (price < 0).any() or np.isinf(price).any():
        raise ValueError("prices are finite and not negative")
    order = at.argsort()
    order = order[~np.isnan(price[order])]
    at, price = at[order], price[order]
    if at.has_duplicates:
        raise ValueError(f"two prices at {at[at.duplicated()][0]}")
    result = _judged(at, price)
    if not len(at):
        return result
    late = at > at[-1] - pd.DateOffset(months=RECENT_MONTHS)
    if late.all():
        return result
    recent = _judged(at[late], price[late])
    doubt = result.reason
    if result.gate == "ok" and recent.gate != "ok":
        doubt = f"not known from the last {RECENT_MONTHS} months alone: {recent.reason}"
    return replace(result, reason=doubt, recent=recent)


def _judged(at: pd.DatetimeIndex, price: Floats) -> Asymptote:
    moves = int((np.abs(np.diff(price)) > SAME_PRICE * price[1:]).sum())

    def unsupported(reason: str) -> Asymptote:
        return Asymptote(n_obs=len(price), n_events=moves, gate="insufficient", reason=reason)

    if not price.all():
        return unsupported(f"free on {at[price == 0][0]:%Y-%m-%d}: a price of 0 has no logarithm")
    if len(price) < MIN_POINTS:
        return unsupported(f"{len(price)} points, under {MIN_POINTS}")
    if moves < MIN_EVENTS:
        return unsupported(f"{moves} price moves, under {MIN_EVENTS}")

    curve = _fit(np.asarray((at - at[0]) / pd.Timedelta(days=YEAR_DAYS), dtype=np.float64), np.log(price))
    if curve.low is None or curve.high is None or curve.p_value_zero is None:
        alike = f"errors of neighbouring months are alike: {len(price)} points count as {curve.effective:.1f}"
        return replace(unsupported(alike), n_effective=curve.effective)
    n_months = len(set(zip(at.year, at.month, strict=True)))
    ratio = float(price[-1] / curve.floor)
    doubts = []
    if n_months < MIN_MONTHS:
        doubts.append(f"points in {n_months} months, under {MIN_MONTHS}")
    if curve.p_value_zero > MAX_P_VALUE_ZERO:
        doubts.append(f"a floor of 0 is not rejected (p = {curve.p_value_zero:.2f})")
    elif not curve.low:
        doubts.append("the interval reaches down to 0")
    if ratio > MAX_NOW_OVER_FLOOR:
        doubts.append(f"the last price is over {MAX_NOW_OVER_FLOOR} times the fitted floor")
    if price[-1] < curve.low:
        doubts.append("the last price is below the interval")
    bound = Asymptote(
        hi90=curve.high,
        p_value_zero=curve.p_value_zero,
        n_obs=len(price),
        n_events=moves,
        n_effective=curve.effective,
        gate="insufficient" if doubts else "ok",
        reason="; ".join(doubts) or None,
    )
    if doubts:
        return bound
    return replace(
        bound,
        floor=curve.floor,
        amplitude=curve.amplitude,
        decay_per_year=curve.decay,
        lo90=curve.low,
        p_now_over_floor=ratio,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """The best curve; no interval and no p value where too few points are independent."""

    floor: float
    amplitude: float
    decay: float
    effective: float
    low: float | None = None
    high: float | None = None
    p_value_zero: float | None = None


def _fit(years: Floats, y: Floats) -> _Curve:
    n, span = len(y), float(years[-1])
    profile = _Profile(years / span, y, math.log(FASTEST * span))
    d, c = profile.shape
    rss = max(profile.rss, n * LEAST_LOG_ERROR**2)
    r = float(profile.residuals[1:] @ profile.residuals[:-1]) / rss
    r = max((r + PARAMETERS / n) / (1 - 4 / n), 0.0)
    effective = max(n * (1 - r) / (1 + r), 0.0)
    curve = _Curve(
        floor=math.exp(profile.log_floor),
        amplitude=math.exp(profile.log_floor + _log_ratio(d, c)),
        decay=(d + c) / span,
        effective=effective,
    )
    free = effective - PARAMETERS
    if free < 1:
        return curve
    variance = rss / free
    # Without a floor the curve is a straight line that does not rise.
    centred, x = y - y.mean(), years - years.mean()
    straight = centred - min(float(centred @ x / (x @ x)), 0.0) * x
    statistic = (float(straight @ straight) - profile.rss) / variance
    reach = float(special.stdtrit(free, (1 + CONFIDENCE) / 2)) ** 2
    low, high = profile.limits(variance * reach)
    return replace(
        curve,
        low=math.exp(low) if statistic > reach else 0.0,
        high=math.exp(high),
        p_value_zero=float(special.fdtrc(1, free, statistic)) / 2 if statistic > 0 else 1.0,
    )


def _log_ratio(d: Any, c: Any) -> Any:
    """ln(A / F) of a shape: the curve then falls by d from t = 0 to t = 1."""
    return np.log(np.expm1(d) / -np.expm1(-c))


def _h(d: Any, c: Any, t: Floats) -> tuple[Floats, Floats, Floats]:
    """The shape `h(t)`, and its derivatives by d and ln c."""
    rise = _log_ratio(d, c) - (d + c) * t
    share = special.expit(rise)
    return np.logaddexp(0, rise), share * (-1 / np.expm1(-d) - t), -share * c * (1 / np.expm1(c) + t)


class _Profile:
    """The best curve through log prices `y` at `t` from 0 to 1, and the least sum of squares for every other F."""

    def __init__(self, t: Floats, y: Floats, largest_log_c: float) -> None:
        self.t, self.y = t, y
        # In d and ln c.
        self.bounds = np.array([[LEAST_DECLINE, math.log(LEAST_C)], [np.ptp(y) + 1, largest_log_c]])
        # Closer where the decline is small: a nearly constant price has many shapes.
        u = np.linspace(0, 1, GRID)
        (least_d, least_log_c), (largest_d, _) = self.bounds
        d, log_c = np.meshgrid(least_d + (largest_d - least_d) * u**2, least_log_c + (largest_log_c - least_log_c) * u)
        self.grid = np.array([d.ravel(), log_c.ravel()])
        rest = y - _h(self.grid[0][:, None], np.exp(self.grid[1])[:, None], t)[0]
        self.grid_log_floors = rest.mean(axis=1)
        self.grid_rss = ((rest - self.grid_log_floors[:, None]) ** 2).sum(axis=1)
        i = self.grid_rss.argmin()

        def residuals(x: Floats) -> Floats:
            d, log_c = np.clip(x[1:], *self.bounds)
            rest: Floats = y - x[0] - _h(d, np.exp(log_c), t)[0]
            return rest

        def slopes(x: Floats) -> Floats:
            d, log_c = shape = np.clip(x[1:], *self.bounds)
            _, *by_shape = _h(d, np.exp(log_c), t)
            # Beyond its bounds a shape stays what it is on them.
            negative: Floats = -np.column_stack([np.ones_like(t), *((shape == x[1:])[:, None] * by_shape)])
            return negative

        start = np.array([self.grid_log_floors[i], *self.grid[:, i]])
        best = fit_nonlinear(residuals, start, slopes, tolerance=TOLERANCE)
        self.log_floor, self.rss, self.residuals = float(best.parameters[0]), best.rss, best.residuals
        shape = np.clip(best.parameters[1:], *self.bounds)
        self.shape = float(shape[0]), math.exp(shape[1])
        self.grid = np.column_stack([self.grid, shape])
        self.grid_rss = np.append(self.grid_rss, self.rss)
        self.grid_log_floors = np.append(self.grid_log_floors, self.log_floor)

    def least(self, log_floors: Floats) -> Floats:
        """The least sum of squares for each ln F, all at once: Levenberg and Marquardt from the lowest parabola on."""
        parabolas = self.grid_rss + len(self.y) * (log_floors[:, None] - self.grid_log_floors) ** 2
        x = self.grid[:, parabolas.argmin(axis=1)]
        low, high = self.bounds[:, :, None]
        target = self.y - log_floors[:, None]
        damping = np.full(len(log_floors), 1e-3)

        def at(x: Floats) -> tuple[Floats, Floats]:
            h, *slopes = _h(x[0][:, None], np.exp(x[1])[:, None], self.t)
            rows = np.array([*slopes, target - h])
            # Sums of the products of both slopes and the rest: the normal equations, and the sum of squares.
            return x, np.einsum("ijk,ljk->ilj", rows, rows)

        x, sums = at(x)
        for _ in range(STEPS):
            dd, cc = sums[0, 0] * (1 + damping), sums[1, 1] * (1 + damping)
            determinant = dd * cc - sums[0, 1] ** 2
            step = np.array(
                [cc * sums[0, 2] - sums[0, 1] * sums[1, 2], dd * sums[1, 2] - sums[0, 1] * sums[0, 2]]
            ) / np.where(determinant > 0, determinant, np.inf)
            tried, tried_sums = at(np.clip(x + step, low, high))
            better = tried_sums[2, 2] < sums[2, 2]
            damping *= np.where(better, 0.1, 10)
            x, sums = np.where(better, tried, x), np.where(better, tried_sums, sums)
        squares: Floats = sums[2, 2]
        return squares

    def limits(self, room: float) -> tuple[float, float]:
        """The ln F below and above the best at which the least sum of squares exceeds its own by `room`."""
        sides = np.array([[-1.0], [1.0]])
        offsets = np.tile(np.append(0, np.geomspace(NEAREST, FARTHEST, 14)), (2, 1))
        for _ in range(2):
            # The root is nearly a straight line in the offset.
            tried = (self.log_floor + sides * offsets).ravel()
            root = np.sqrt(np.maximum(self.least(tried) - self.rss, 0)).reshape(offsets.shape)
            outside = root > math.sqrt(room)
            outside[:, 0], outside[:, -1] = False, True
            first = np.argmax(outside, axis=1)[:, None]
            near, far = (np.take_along_axis(offsets, first - step, axis=1) for step in (1, 0))
            offsets = np.linspace(near[:, 0], far[:, 0], 9, axis=1)
        below, above = (np.take_along_axis(root, first - step, axis=1) for step in (1, 0))
        share = (math.sqrt(room) - below) / np.where(above > below, above - below, np.inf)
        low, high = (self.log_floor + sides * (near + np.clip(share, 0, 1) * (far - near))).ravel()
        return float(low), float(high)
