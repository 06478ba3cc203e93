"""Floors from cost, from the course of a price and from competition, pooled, and how far a price is above them.

A floor is believed to be log-normal. The components are pooled as opinions are (Stone, Annals of Mathematical
Statistics 32, 1961): the mixture of their distributions, with weights inverse to the variances of their logs, described
by its mean and variance in logs,

    w_i = s_i^-2 / sum(s_j^-2)      m = sum(w_i m_i)      s^2 = sum(w_i (s_i^2 + (m_i - m)^2)).

Where components disagree the spread between them is in s, and however many agree, s is not under the least of theirs:
they are not independent, as two of them come from the same prices. The quantiles that are published are those of a
log-normal with this m and s. So that rents count once, bottom-up cost enters with a single row: rented, by the most
telling method (production, two shapes of a benchmark, roofline), on the GPU where that costs least.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from pipeline.analytics.decline import utc_moment
from pipeline.analytics.floor.cost import METERS, rented
from pipeline.analytics.floor.decay import asymptote

COMPONENTS = ("bottom_up", "statistical", "competitive")
TAIL = float(special.ndtri(0.95))
# No component is believed to be better than that: list prices are themselves rounded, and bought at discounts.
LEAST_LOG_SD = 0.05
LOWER_SHARE = 0.05
# Of fewer hosts the lower 5 % are the cheapest one.
MIN_HOSTS = 5

STATISTICAL_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    "series_kind": "string",
    "series_id": "string",
    "meter": "string",
    "floor": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "amplitude": "Float64",
    "decay_per_year": "Float64",
    "p_value_zero": "Float64",
    "p_now": "Float64",
    "p_now_over_floor": "Float64",
    "recent_floor": "Float64",
    "recent_lo90": "Float64",
    "recent_hi90": "Float64",
    "recent_reason": "string",
    "n_obs": "Int64",
    "n_events": "Int64",
    "n_effective": "Float64",
    "gate": "string",
    "reason": "string",
}

ESTIMATE_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    "model_class": "string",
    "meter": "string",
    "p05": "Float64",
    "p50": "Float64",
    "p95": "Float64",
    **{f"{component}_{what}": "Float64" for component in COMPONENTS for what in ("p05", "p50", "p95", "weight")},
    "bottom_up_gpu": "string",
    "bottom_up_method": "string",
    "competitive_hosts": "Int64",
    "n_components": "Int64",
    "gate": "string",
    "reason": "string",
}

GAP_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    "series_kind": "string",
    "series_id": "string",
    "meter": "string",
    "component": "string",
    "p_star": "Float64",
    "floor": "Float64",
    "ln_gap": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "probability_below": "Float64",
    "implied_gross_margin": "Float64",
    "gate": "string",
    "reason": "string",
}


@dataclass(frozen=True, slots=True)
class LogNormal:
    """A floor as it is believed: `mean` and `sd` of its natural log, in USD per 1M tokens."""

    mean: float
    sd: float

    @classmethod
    def through(cls, p05: float, p50: float, p95: float) -> "LogNormal":
        """With this median, and as wide as from `p05` to `p95`. Raises ValueError for quantiles out of order."""
        if not 0 < p05 <= p50 <= p95 < math.inf:
            raise ValueError(f"quantiles are positive and in order, not {p05}, {p50}, {p95}")
        return cls(math.log(p50), math.log(p95 / p05) / (2 * TAIL))

    def quantile(self, z: float) -> float:
        """The value `z` standard deviations of its log above the median."""
        return math.exp(self.mean + z * self.sd)

    def above(self, price: float) -> float:
        """The probability that the floor is above `price`."""
        if not self.sd:
            return float(self.mean > math.log(price))
        return float(special.ndtr((self.mean - math.log(price)) / self.sd))


def pool(components: Mapping[str, LogNormal]) -> tuple[LogNormal, dict[str, float]]:
    """The pooled floor and the weight of each component, see the formula above. Raises ValueError without any."""
    if not components:
        raise ValueError("nothing to pool")
    means = np.array([component.mean for component in components.values()])
    sds = np.maximum([component.sd for component in components.values()], LEAST_LOG_SD)
    weights = sds**-2 / (sds**-2).sum()
    mean = float(weights @ means)
    variance = float(weights @ (sds**2 + (means - mean) ** 2))
    return LogNormal(mean, math.sqrt(variance)), dict(zip(components, weights.tolist(), strict=True))


def competitive(prices: Sequence[float]) -> LogNormal | None:
    """The lower 5 % of the log prices at which hosts sell, one price per host; None for fewer than 5 hosts.

    The quantile of Harrell and Davis (Biometrika 69, 1982), a mean of all order statistics, each weighted by the chance
    that it is the quantile of a bootstrap sample: `w_i = I(i/n; a, b) - I((i-1)/n; a, b)`, `a = 0.05 (n + 1)`, `b =
    0.95 (n + 1)`, I being the incomplete beta function. Its standard error is that of Maritz and Jarrett (JASA 73,
    1978), the standard deviation under the same weights. Raises ValueError for prices that are not positive.
    """
    if not all(0 < price < math.inf for price in prices):
        raise ValueError("prices are positive and finite")
    n = len(prices)
    if n < MIN_HOSTS:
        return None
    logs = np.sort(np.log(prices))
    weights = np.diff(special.betainc(LOWER_SHARE * (n + 1), (1 - LOWER_SHARE) * (n + 1), np.arange(n + 1) / n))
    mean = float(weights @ logs)
    return LogNormal(mean, math.sqrt(float(weights @ (logs - mean) ** 2)))


def cost_floor_statistical(series: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """`asymptote` of every series: the rows of `analytics.cost_floor_statistical`.

    `series` is long: `series_kind`, `series_id`, `meter`, `at` (with time zone) and `price` (USD per 1M tokens), one
    point a month, the last of them at `as_of`. A series without a price then has ended, and has no floor.
    """
    moment = utc_moment(as_of)
    rows = []
    for (kind, series_id, meter), points in series.groupby(["series_kind", "series_id", "meter"], sort=True):
        fit = asymptote(points["at"], points["price"])
        now = points.loc[points["at"] == moment, "price"].dropna()
        row: dict[str, Any] = {name: getattr(fit, name) for name in STATISTICAL_COLUMNS if hasattr(fit, name)}
        if fit.recent is not None:
            row |= {f"recent_{name}": getattr(fit.recent, name) for name in ("floor", "lo90", "hi90", "reason")}
        if now.empty:
            last = points.dropna(subset="price")["at"].max()
            row = {name: row[name] for name in ("n_obs", "n_events")} | {
                "gate": "insufficient",
                "reason": "no price" if pd.isna(last) else f"no price since {last:%Y-%m-%d}",
            }
        else:
            row["p_now"] = float(now.iloc[0])
        rows.append({"as_of": moment, "series_kind": kind, "series_id": series_id, "meter": meter, **row})
    return pd.DataFrame(rows, columns=list(STATISTICAL_COLUMNS)).astype(STATISTICAL_COLUMNS)


def floor_estimates(
    costs: pd.DataFrame, statistical: pd.DataFrame, hosts: pd.DataFrame, as_of: datetime
) -> pd.DataFrame:
    """The pooled floor of every model class and meter, each component in columns of its own.

    `costs` and `statistical` are the rows of `cost_floor_bottom_up` and `cost_floor_statistical`; `hosts` has
    `model_class`, `meter`, `provider_id` and `usd_per_mtok`, the price at which a host sold the class over 90 days,
    without promos. A row has gate `ok` if it has any component; `reason` says which are missing, and why.
    """
    moment = utc_moment(as_of)
    cheapest = _by_key(rented(costs).drop_duplicates(["model_class", "meter"]), "model_class", "meter")
    fits = _by_key(statistical[statistical["series_kind"] == "model_class"], "series_id", "meter")
    asked = {key: group.to_list() for key, group in hosts.groupby(["model_class", "meter"])["usd_per_mtok"]}
    rows = []
    for model_class in sorted({*costs["model_class"], *hosts["model_class"]}):
        for meter in METERS:
            key = model_class, meter
            known: dict[str, LogNormal] = {}
            missing: dict[str, str] = {}
            row: dict[str, Any] = {"as_of": moment, "model_class": model_class, "meter": meter}

            cost = cheapest.get(key, {"gate": None, "reason": "no throughput"})
            if cost["gate"] == "ok":
                known["bottom_up"] = LogNormal.through(cost["p05"], cost["p50"], cost["p95"])
                row |= {f"bottom_up_{name}": cost[name] for name in ("gpu", "method")}
            else:
                missing["bottom_up"] = cost["reason"]

            fit = fits.get(key, {"gate": None, "reason": "no price"})
            if fit["gate"] == "ok":
                known["statistical"] = LogNormal.through(fit["lo90"], fit["floor"], fit["hi90"])
            else:
                missing["statistical"] = fit["reason"]

            prices = asked.get(key, [])
            row["competitive_hosts"] = len(prices)
            lower = competitive(prices)
            if lower is not None:
                known["competitive"] = lower
            else:
                missing["competitive"] = f"{len(prices)} hosts, under {MIN_HOSTS}"

            weights: dict[str, float] = {}
            if known:
                pooled, weights = pool(known)
                row |= _quantiles(pooled)
            for component, believed in known.items():
                row |= {f"{component}_{name}": value for name, value in _quantiles(believed).items()}
                row[f"{component}_weight"] = weights[component]
            rows.append(
                {
                    **row,
                    "n_components": len(known),
                    "gate": "ok" if known else "insufficient",
                    "reason": "; ".join(f"not {component}: {why}" for component, why in missing.items()) or None,
                }
            )
    return pd.DataFrame(rows, columns=list(ESTIMATE_COLUMNS)).astype(ESTIMATE_COLUMNS)


def floor_gap(estimates: pd.DataFrame, statistical: pd.DataFrame) -> pd.DataFrame:
    """How far today's lowest price is above each floor: the rows of `analytics.floor_gap`.

    Per model class and meter against the combined floor and each component, per capability tier against the statistical
    one. `ln_gap = ln(p* / floor)`, `lo90` and `hi90` from the floor's p95 and p05, `probability_below` the chance that
    the price is below the floor; `implied_gross_margin = 1 - floor / p*` only where the floor is a cost.
    """
    by_class = {(row.model_class, row.meter): row for row in estimates.itertuples()}
    rows: list[dict[str, Any]] = []
    for series in statistical.itertuples():
        about = {
            "as_of": series.as_of,
            "series_kind": series.series_kind,
            "series_id": series.series_id,
            "meter": series.meter,
            "p_star": series.p_now,
        }
        if series.series_kind != "model_class":
            limits: tuple[Any, ...] = (series.lo90, series.floor, series.hi90)
            rows.append({**about, "component": "statistical", **_gap(series.p_now, limits, series.reason, cost=False)})
            continue
        estimate = by_class.get((series.series_id, series.meter))
        for component in ("combined", *COMPONENTS):
            prefix = "" if component == "combined" else f"{component}_"
            limits = tuple(getattr(estimate, f"{prefix}{name}", pd.NA) for name in ("p05", "p50", "p95"))
            reason = getattr(estimate, "reason", "no floor")
            gap = _gap(series.p_now, limits, reason, cost=component == "bottom_up")
            rows.append({**about, "component": component, **gap})
    return pd.DataFrame(rows, columns=list(GAP_COLUMNS)).astype(GAP_COLUMNS)


def _gap(price: Any, limits: Sequence[Any], reason: Any, *, cost: bool) -> dict[str, Any]:
    if pd.isna(price):
        return {"gate": "insufficient", "reason": "no price on that day"}
    if pd.isna(limits[1]) or not price:
        missing = reason if price else "free: a price of 0 has no logarithm"
        return {"gate": "insufficient", "reason": missing}
    low, middle, high = (float(limit) for limit in limits)
    return {
        "floor": middle,
        "ln_gap": math.log(price / middle),
        "lo90": math.log(price / high),
        "hi90": math.log(price / low),
        "probability_below": LogNormal.through(low, middle, high).above(price),
        "implied_gross_margin": 1 - middle / price if cost else None,
        "gate": "ok",
    }


def _by_key(frame: pd.DataFrame, *key: str) -> dict[tuple[Any, ...], dict[Any, Any]]:
    return {tuple(row[name] for name in key): row for row in frame.to_dict("records")}


def _quantiles(floor: LogNormal) -> dict[str, float]:
    return {"p05": floor.quantile(-TAIL), "p50": floor.quantile(0), "p95": floor.quantile(TAIL)}
