"""How fast a price falls, per year, and how sure that is.

A price is a step function of time: it stays until it is changed. All rates are natural logarithms per year of 365 days,
a positive rate is a decline, and `lo90` and `hi90` are the limits of a 90 % interval of the same quantity. Nothing here
is ever NaN or infinite: what the data cannot support is None, and `reason` says why.

The interval of one series counts what happens to it: cuts and rises are two compound Poisson processes, each with the
gamma limits of Fay and Feuer (Statistics in Medicine 16, 1997), and the limits of their difference follow from MOVER
(Zou and Donner, Statistics in Medicine 27, 2008). Regressions on forward-filled daily prices have no interval here:
such prices are one observation many times over, and the textbook interval covers the truth far too rarely.
"""

from pipeline.analytics.decline.intervals import (
    CONFIDENCE,
    gamma_limits,
    mover_difference,
)
from pipeline.analytics.decline.rates import (
    MIN_EVENTS,
    Gate,
    Rate,
    Slowdown,
    endpoint_rate,
    ols_daily,
    panel_rate,
    records_ols,
    slowdown,
    theil_sen,
)
from pipeline.analytics.decline.steps import (
    SAME_PRICE,
    YEAR_DAYS,
    Floats,
    utc_moment,
)
from pipeline.analytics.decline.tables import (
    DECLINE_RATE_COLUMNS,
    DECLINE_SLOWDOWN_COLUMNS,
    decline_rates,
    decline_slowdowns,
)

__all__ = [
    "CONFIDENCE",
    "DECLINE_RATE_COLUMNS",
    "DECLINE_SLOWDOWN_COLUMNS",
    "MIN_EVENTS",
    "SAME_PRICE",
    "YEAR_DAYS",
    "Floats",
    "Gate",
    "Rate",
    "Slowdown",
    "decline_rates",
    "decline_slowdowns",
    "endpoint_rate",
    "gamma_limits",
    "mover_difference",
    "ols_daily",
    "panel_rate",
    "records_ols",
    "slowdown",
    "theil_sen",
    "utc_moment",
]
