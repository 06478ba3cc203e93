"""Where a price goes, and how good such forecasts were.

`y` is the natural logarithm of a price, one per month, evenly spaced. NaN, and minus infinity, mean that nothing was on
sale, or that it was free. Forecasts are quantiles of the same logarithm. They are never NaN or infinite: what the data
cannot support is null, and `reason` says why.

The model is the random walk with drift of Farmer and Lafond ("How predictable is technological progress?", Research
Policy 45, 2016), whose forecast error is known in closed form although drift and spread are estimated. A trend line
through the prices has no interval here: its residuals are not independent, and the textbook interval of what it
predicts covers the truth far too rarely.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline.analytics.decline import CONFIDENCE, SAME_PRICE, Floats, utc_moment

HORIZONS = (3, 6, 12, 24)
# Eleven differences: with fewer, the spread says more about the months it is from than about the price.
MIN_MONTHS = 12
# A score of fewer forecasts is an anecdote.
MIN_ORIGINS = 6
TOO_FEW = f"fewer than {MIN_ORIGINS} hindcasts"
# Bartlett's limit for the autocorrelation of white noise, two-sided 5 %, in units of 1/sqrt(m).
WHITE_NOISE_LIMIT = 1.96
# No price has a logarithm beyond this, and the exponential of what is within it can still be reckoned with.
MAX_LOG_PRICE = 300.0

WALK = "drift_walk"
# The drift per month that each benchmark claims.
BENCHMARKS = {
    "no_change": 0.0,
    "ten_times_a_year": -math.log(10) / 12,
    "ten_times_in_18_months": -math.log(10) / 18,
}

WALK_COLUMNS = {
    "horizon_months": "Int64",
    "low": "Float64",
    "median": "Float64",
    "high": "Float64",
    "mu": "Float64",
    "k": "Float64",
    "theta": "Float64",
    "n_months": "Int64",
    "gate": "string",
    "reason": "string",
}
HINDCAST_COLUMNS = [
    "method",
    "origin",
    "target",
    "horizon_months",
    "last",
    "low",
    "median",
    "high",
    "actual",
    "log_score",
]
SCORES = ("coverage", "log_score", "pinball_05", "pinball_50", "pinball_95", "mase")
SCORE_COLUMNS = {
    "n_origins": "Int64",
    **dict.fromkeys(SCORES, "Float64"),
    "gate": "string",
    "reason": "string",
}
POOLED = "pooled"
SERIES = ["series_id", "workload"]
FORECAST_SCORE_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    **dict.fromkeys(SERIES, "string"),
    "method": "string",
    "horizon_months": "Int64",
    **SCORE_COLUMNS,
}
FORECAST_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    **dict.fromkeys(SERIES, "string"),
    "method": "string",
    "with_floor": "boolean",
    "horizon_months": "Int64",
    "origin_month": "datetime64[us]",
    "target_month": "datetime64[us]",
    "origin_usd_per_mtok": "Float64",
    "p05": "Float64",
    "p50": "Float64",
    "p95": "Float64",
    "floor_p05": "Float64",
    "mu": "Float64",
    "k": "Float64",
    "theta": "Float64",
    "n_months": "Int64",
    "n_origins": "Int64",
    "coverage": "Float64",
    "log_score": "Float64",
    "mase": "Float64",
    "gate": "string",
    "reason": "string",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Walks in logs as of their last months: in tau months at `centre(tau) + spread(tau) t`, t with `dof` degrees.

    `mu` is the drift and `k` the standard deviation of the `m` differences around it, per month, `theta` the moving
    average in their noise, `v(i) + theta v(i-1)`. `drift_m` is how many differences the drift is from: infinite for one
    that is not estimated. All are columns, a row per walk; `tau` is a row of months.
    """

    last: Floats
    mu: Floats
    k: Floats
    theta: Floats
    m: Floats
    drift_m: Floats
    dof: Floats

    def centre(self, tau: Floats) -> Floats:
        """The median after `tau` months."""
        return self.last + self.mu * tau

    def spread(self, tau: Floats) -> Floats:
        """`k sqrt(tau + tau^2/m)`, and with a moving average Farmer and Lafond's equation for theta:

        `k sqrt([(1 + theta)^2 (tau + tau^2/m) - 2 theta (1 + tau/m + tau^2/m^2)] / (1 + theta^2))`
        """
        ahead = tau / self.drift_m
        variance = (1 + self.theta) ** 2 * tau * (1 + ahead) - 2 * self.theta * (1 + ahead + ahead**2)
        return self.k * np.sqrt(variance / (1 + self.theta**2))

    def quantile(self, tau: Floats, probability: float) -> Floats:
        """A quantile of the log price after `tau` months."""
        t: Floats = special.stdtrit(self.dof, probability)
        return self.centre(tau) + self.spread(tau) * t

    def log_density(self, tau: Floats, actual: Floats) -> Floats:
        """The natural logarithm of the predictive density at `actual`."""
        spread = self.spread(tau)
        z = (actual - self.centre(tau)) / spread
        gammas: Floats = special.gammaln((self.dof + 1) / 2) - special.gammaln(self.dof / 2)
        return gammas - np.log(np.pi * self.dof) / 2 - np.log(spread) - (self.dof + 1) / 2 * np.log1p(z**2 / self.dof)

    def claiming(self, drift: float) -> "Walk":
        """The same differences around a drift that is claimed, not estimated: `k^2 = mean((difference - drift)^2)`."""
        k = np.sqrt(self.k**2 * (self.m - 1) / self.m + (self.mu - drift) ** 2)
        mu, theta, never = (np.full_like(k, value) for value in (drift, 0.0, np.inf))
        return replace(self, mu=mu, k=k, theta=theta, drift_m=never, dof=self.m)


def fit(runs: Floats) -> Walk:
    """The walks through log prices, a row each, as `drift_walk` describes them.

    A row is one run of prices with NaN before and after it. With under 3 prices it has no walk: all is NaN.
    """
    differences = np.diff(runs, axis=1)
    inside = np.isfinite(differences)
    m = inside.sum(axis=1, keepdims=True).astype(np.float64)
    m[m < 2] = np.nan
    mu = np.where(inside, differences, 0).sum(axis=1, keepdims=True) / m
    noise = np.where(inside, differences - mu, 0)
    k = np.sqrt((noise**2).sum(axis=1, keepdims=True) / (m - 1))
    theta = moving_average(noise, m)
    at = runs.shape[1] - 1 - np.isfinite(runs)[:, ::-1].argmax(axis=1)
    last = np.take_along_axis(runs, at[:, np.newaxis], axis=1)
    return Walk(last=last, mu=mu, k=k, theta=theta, m=m, drift_m=m, dof=m - 1)


def moving_average(noise: Floats, m: Floats) -> Floats:
    """Theta of `v(i) + theta v(i-1)`, by moments, where the noise calls for one; otherwise 0. A row per walk.

    It does where its lag-1 autocorrelation r is beyond Bartlett's limit for white noise, `|r| > 1.96 / sqrt(m)`. Of the
    two roots of `r = theta / (1 + theta^2)` it is the one within [-1, 1], with r cut off at +-0.5, where both meet.
    """
    products = (noise[:, 1:] * noise[:, :-1]).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        r = products / (noise**2).sum(axis=1, keepdims=True)
    cut = np.clip(r, -0.5, 0.5)
    return np.where(np.abs(r) * np.sqrt(m) > WHITE_NOISE_LIMIT, 2 * cut / (1 + np.sqrt(1 - 4 * cut**2)), 0.0)


def drift_walk(
    y: "pd.Series[float] | npt.ArrayLike",
    horizons: Sequence[int],
    *,
    floor: float | None = None,
    coverage: float = CONFIDENCE,
    min_months: int = MIN_MONTHS,
) -> pd.DataFrame:
    """Forecasts of monthly log prices from their last month: `median = y_m + mu tau`, and an interval around it.

    The interval is `y_m + mu tau +- t(m-1) k sqrt(tau + tau^2/m)`, tau months ahead, where m counts the first
    differences (of m + 1 prices), mu is their mean and k their standard deviation with divisor m - 1. The second term
    is the drift's own uncertainty. Where `moving_average` finds the differences autocorrelated, `Walk.spread` accounts
    for it. A gap ends what came before it: only the months since the last one without a price count.

    One row per horizon (months): `low`, `median` and `high`, with `coverage` between the outer two; `mu`, `k`, `theta`
    are per month, `n_months` counts prices. A `floor` (a log price) cuts the forecast off: what the walk does below it
    happens at it, `max(quantile, floor)`. Gate `insufficient`, with null numbers and a reason: under `min_months`
    prices, none in the last month, differences that are all alike (no spread is known), or a price that is at the floor
    or below. Raises ValueError for horizons that are no whole months, prices that are infinite, a coverage outside
    (0, 1) and `min_months` under 3.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage lies between 0 and 1: {coverage!r}")
    if floor is not None and not math.isfinite(floor):
        raise ValueError(f"a floor is a finite log price: {floor!r}")
    tail = (1 - coverage) / 2
    runs = _runs(_log_prices(y)[np.newaxis])[-1:]
    limit = np.array([[-np.inf if floor is None else floor]])
    rows = _outlook(fit(runs), _refusals(runs, min_months), _months(horizons), (tail, 0.5, 1 - tail), limit)
    return rows.assign(n_months=np.isfinite(runs).sum())[list(WALK_COLUMNS)].astype(WALK_COLUMNS)


def hindcast(
    y: "pd.Series[float] | npt.ArrayLike", horizons: Sequence[int] = HORIZONS, *, min_months: int = MIN_MONTHS
) -> pd.DataFrame:
    """What `drift_walk` and the benchmarks would have said in every month, beside what came, in logs.

    A forecast is made at each `origin` from which `drift_walk` supports one, out of the prices up to it and no others,
    for every `target` with a price. One row per method, origin and horizon, labelled by the index of `y` (an array: by
    position): `last` is the price at the origin, `low`, `median` and `high` the 5, 50 and 95 % quantiles, `log_score`
    the log density of `actual`. A benchmark is a walk with the drift it claims and `k^2 = mean((difference - drift)^2)`
    over the m differences, hence `y_m + drift tau +- t(m) k sqrt(tau)`. Raises ValueError as `drift_walk` does.
    """
    values = _log_prices(y)
    labels = y.index if isinstance(y, pd.Series) else pd.RangeIndex(len(values))
    table = _hindcasts(values[np.newaxis], _months(horizons), min_months)
    for name in ("origin", "target"):
        table[name] = labels.take(table[name].to_numpy())
    return table[HINDCAST_COLUMNS]


def scores(hindcasts: pd.DataFrame, by: Sequence[str] = ("method", "horizon_months")) -> pd.DataFrame:
    """How good hindcasts were: one row for each value of the columns `by` that occurs.

    `coverage` is the share of targets within the 90 % interval, `log_score` the mean log density (higher is better),
    `pinball_05`, `_50` and `_95` the mean pinball losses `max(q (y - f), (q - 1)(y - f))` of the quantiles (lower is
    better), `mase` the mean absolute error of the median over that of no change at the same origins (null where the
    price never moved). Losses are in natural logs. Under 6 origins the scores are null, gate `insufficient`. Targets of
    neighbouring origins overlap: `n_origins` is not the number of independent observations.
    """
    actual = hindcasts["actual"]
    groups = hindcasts.assign(
        coverage=actual.between(hindcasts["low"], hindcasts["high"]).astype(float),
        pinball_05=_pinball(actual - hindcasts["low"], 0.05),
        pinball_50=_pinball(actual - hindcasts["median"], 0.5),
        pinball_95=_pinball(actual - hindcasts["high"], 0.95),
        missed_by=(actual - hindcasts["median"]).abs(),
        moved_by=(actual - hindcasts["last"]).abs(),
    ).groupby([*by], sort=True)
    table = groups[[*SCORES[:-1], "missed_by", "moved_by"]].mean().assign(n_origins=groups.size())
    moved, few = table["moved_by"] > SAME_PRICE, table["n_origins"] < MIN_ORIGINS
    table["mase"] = table["missed_by"] / table["moved_by"].where(moved)
    table.loc[few, list(SCORES)] = np.nan
    table["gate"] = np.where(few, "insufficient", "ok")
    table["reason"] = few.map({True: TOO_FEW}).where(few | moved, "the price never moved: no mase")
    return table.reset_index()[[*by, *SCORE_COLUMNS]].astype(SCORE_COLUMNS)


def forecast_scores(prices: pd.DataFrame, as_of: datetime, horizons: Sequence[int] = HORIZONS) -> pd.DataFrame:
    """The rows of `analytics.forecast_scores`: `scores` per series, method and horizon, and pooled over all series.

    `prices` is as in `forecasts`. A pooled row has `series_id` "pooled": each origin of each series of the workload
    counts once in it. A series without hindcasts has rows too, `insufficient` with 0 origins.
    """
    moment, by = utc_moment(as_of), [*SERIES, "method", "horizon_months"]
    y = _monthly(prices, moment)
    every = _hindcasts(y.to_numpy(), _months(horizons), MIN_MONTHS)
    for name in SERIES:
        every[name] = y.index.get_level_values(name).take(every["row"].to_numpy())
    scored = scores(pd.concat([every, every.assign(series_id=POOLED)]), by)
    names = sorted({*y.index, *((POOLED, workload) for _, workload in y.index)})
    rows = [(*name, method, months) for name in names for method in (WALK, *BENCHMARKS) for months in horizons]
    table = pd.DataFrame(rows, columns=by).merge(scored, on=by, how="left").assign(as_of=moment)
    unscored = table["n_origins"].isna()
    table["n_origins"] = table["n_origins"].fillna(0)
    table["gate"] = table["gate"].mask(unscored, "insufficient")
    table["reason"] = table["reason"].mask(unscored, TOO_FEW)
    return table[list(FORECAST_SCORE_COLUMNS)].astype(FORECAST_SCORE_COLUMNS)


def forecasts(
    prices: pd.DataFrame,
    scored: pd.DataFrame,
    floors: Mapping[str, float],
    as_of: datetime,
    horizons: Sequence[int] = HORIZONS,
) -> pd.DataFrame:
    """The rows of `analytics.forecasts`: every series, method and horizon, `drift_walk` with and without the floor.

    `prices` holds `series_id`, `workload`, `month_end` (the last day of a month) and `price` (USD per 1M tokens, in
    force at the end of that day; null, 0 or no row where nothing had a price). The origin is the last month that is
    over at the end of the day `as_of`. `scored`, the `forecast_scores` of the same prices, stands beside the forecasts.
    `floors` holds, by workload, the lowest price that is thinkable, in USD per 1M tokens. Raises ValueError for two
    prices of a series in one month.
    """
    moment, tau = utc_moment(as_of), _months(horizons)
    y = _monthly(prices, moment)
    runs = _runs(y.to_numpy())[y.shape[1] - 1 :: y.shape[1]]
    methods = _methods(fit(runs))
    variants = [*((method, False) for method in methods), (WALK, True)]
    about = pd.concat(
        y.index.to_frame(index=False).assign(
            method=method,
            with_floor=with_floor,
            origin_usd_per_mtok=np.exp(y.iloc[:, -1].to_numpy()),
            n_months=np.isfinite(runs).sum(axis=1),
            refusal=_refusals(runs),
        )
        for method, with_floor in variants
    )
    about["floor_p05"] = about["workload"].map(floors).astype(float).where(about["with_floor"])
    rows = _outlook(
        _stacked([methods[method] for method, _ in variants]),
        about["refusal"].to_numpy(),
        tau,
        (0.05, 0.5, 0.95),
        np.where(about["with_floor"], np.log(about["floor_p05"].to_numpy()), -np.inf)[:, np.newaxis],
    )
    table = pd.concat([about.iloc[rows.pop("row")].reset_index(drop=True), rows], axis=1)
    for price, log in (("p05", "low"), ("p50", "median"), ("p95", "high")):
        # Through its logarithm and back a floor may come out a rounding below itself.
        table[price] = np.exp(table[log]).clip(lower=table["floor_p05"])
    origin = _last_month(moment)
    ends = {months: _last_day(origin + months) for months in (0, *tau.tolist())}
    table = table.assign(as_of=moment, origin_month=ends[0], target_month=table["horizon_months"].map(ends))
    key = [*SERIES, "method", "horizon_months"]
    table = table.merge(scored[[*key, "n_origins", "coverage", "log_score", "mase"]], on=key, how="left")
    return table[list(FORECAST_COLUMNS)].astype(FORECAST_COLUMNS)


def _months(horizons: Sequence[int]) -> npt.NDArray[np.int64]:
    if any(months != int(months) or months < 1 for months in horizons):
        raise ValueError(f"horizons are whole months, at least 1: {list(horizons)}")
    return np.array(horizons, dtype=np.int64)


def _log_prices(y: "pd.Series[float] | npt.ArrayLike") -> Floats:
    values = np.asarray(pd.Series(y, dtype="Float64").to_numpy(na_value=np.nan), dtype=np.float64)
    if (values == np.inf).any():
        raise ValueError("a log price is not infinite")
    # No month at all is like one without a price.
    return values if values.size else np.array([np.nan])


def _runs(y: Floats) -> Floats:
    """What is known in each month of each row of `y`: the prices up to then since the last gap, NaN elsewhere.

    One row per row of `y` and month, in this order.
    """
    at = np.arange(y.shape[1])
    gap = np.maximum.accumulate(np.where(np.isfinite(y), -1, at), axis=1)
    known = (at <= at[:, np.newaxis]) & (at > gap[:, :, np.newaxis])
    runs: Floats = np.where(known, y[:, np.newaxis, :], np.nan)
    return runs.reshape(y.size, y.shape[1])


def _refusals(runs: Floats, min_months: int = MIN_MONTHS) -> npt.NDArray[np.str_]:
    """Why a run supports no walk, or an empty text."""
    if min_months < 3:
        raise ValueError(f"a spread takes at least 3 months: {min_months}")
    n_months, k = np.isfinite(runs).sum(axis=1), fit(runs).k[:, 0]
    return np.select(
        [n_months == 0, n_months < min_months, k <= SAME_PRICE],
        ["no price in the last month", f"under {min_months} months", "every month moved alike: no spread is known"],
        "",
    )


def _methods(walk: Walk) -> dict[str, Walk]:
    return {WALK: walk, **{name: walk.claiming(drift) for name, drift in BENCHMARKS.items()}}


def _stacked(walks: Sequence[Walk]) -> Walk:
    return Walk(**{field.name: np.vstack([getattr(walk, field.name) for walk in walks]) for field in fields(Walk)})


def _hindcasts(y: Floats, horizons: npt.NDArray[np.int64], min_months: int) -> pd.DataFrame:
    """`hindcast` of every row of `y`, its number in `row`."""
    runs = _runs(y)
    supported = np.flatnonzero(_refusals(runs, min_months) == "")
    row, origin = np.divmod(supported, y.shape[1])
    methods = _methods(fit(runs[supported]))
    walks = _stacked(list(methods.values()))
    row, origin = (np.tile(at, len(methods))[:, np.newaxis] for at in (row, origin))
    target, tau = origin + horizons, horizons.astype(np.float64)
    beyond = np.pad(y, ((0, 0), (0, 1)), constant_values=np.nan)
    actual = beyond[row, np.minimum(target, y.shape[1])]
    columns = {
        "row": row,
        "method": np.repeat(list(methods), len(supported))[:, np.newaxis],
        "origin": origin,
        "target": target,
        "horizon_months": horizons,
        "last": walks.last,
        "low": walks.quantile(tau, 0.05),
        "median": walks.centre(tau),
        "high": walks.quantile(tau, 0.95),
        "actual": actual,
        "log_score": walks.log_density(tau, actual),
    }
    came = np.isfinite(actual)
    return pd.DataFrame({name: np.broadcast_to(values, came.shape)[came] for name, values in columns.items()})


def _outlook(
    walk: Walk,
    refusals: npt.NDArray[np.str_],
    horizons: npt.NDArray[np.int64],
    probabilities: tuple[float, float, float],
    floor: Floats,
) -> pd.DataFrame:
    """One row per walk, its number in `row`, and horizon: quantiles in logs, or why there are none.

    `floor` is a column: minus infinity for no floor, NaN for one that is not known.
    """
    tau = horizons.astype(np.float64)
    quantiles = [np.maximum(walk.quantile(tau, probability), floor) for probability in probabilities]
    reason = np.select(
        [
            refusals[:, np.newaxis] != "",
            np.isnan(floor),
            walk.last <= floor,
            np.abs(quantiles).max(axis=0) > MAX_LOG_PRICE,
        ],
        [
            refusals[:, np.newaxis],
            "no floor is known",
            "the price is at the floor or below",
            "the interval is wider than any price",
        ],
        "",
    )
    ok: npt.NDArray[np.bool_] = reason == ""
    numbers = dict(zip(("low", "median", "high"), quantiles, strict=True))
    numbers |= {name: getattr(walk, name) for name in ("mu", "k", "theta")}
    return pd.DataFrame(
        {
            "row": np.repeat(np.arange(len(ok)), tau.size),
            "horizon_months": np.tile(horizons, len(ok)),
            **{name: np.where(ok, values, np.nan).ravel() for name, values in numbers.items()},
            "gate": np.where(ok, "ok", "insufficient").ravel(),
            "reason": pd.Series(reason.ravel()).where(~ok.ravel()),
        }
    )


def _pinball(error: "pd.Series[float]", quantile: float) -> "pd.Series[float]":
    return (quantile * error).where(error > 0, (quantile - 1) * error)


def _last_month(moment: pd.Timestamp) -> pd.Period:
    """The last month that is over at the end of that day."""
    return (moment.tz_localize(None) + pd.Timedelta(days=1)).to_period("M") - 1


def _last_day(month: pd.Period) -> pd.Timestamp:
    return month.to_timestamp(how="end").normalize()


def _monthly(prices: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Log prices up to the last month: one row per series and workload, one column per month, NaN without a price."""
    last = _last_month(moment)
    months = pd.DatetimeIndex(prices["month_end"]).to_period("M")
    known = prices.assign(month=months)[months <= last]
    every = pd.period_range(last if known.empty else known["month"].min(), last, freq="M")
    table = known.pivot(index=SERIES, columns="month", values="price").reindex(columns=every).astype("float64")
    return table.where(table > 0).transform(np.log)
