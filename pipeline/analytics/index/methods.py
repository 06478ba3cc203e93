"""The indices, one function each."""

import numpy as np
import pandas as pd

from pipeline.analytics.index.panel import Panel, not_negative, periods_of, read_panel
from pipeline.analytics.index.paths import (
    FORMULAS,
    REVERSIBLE,
    UNWEIGHTED,
    Build,
    Splice,
    bilateral_path,
    check_window,
    dummy_path,
    geks_path,
    hedonic_path,
    median_path,
)
from pipeline.analytics.index.published import published

WINDOW_MONTHS = 25
NO_MEDIAN_INTERVAL = "biased: entries and exits move it, so no interval"


def jevons(panel: pd.DataFrame, chained: bool = True) -> pd.DataFrame:
    """The geometric mean of price relatives, `exp(mean(ln p1 - ln p0))` over the items that both periods have.

    Chained: each period is linked to the last one before it that has an index and an item in common, so that a period
    without prices breaks nothing. Otherwise each is compared with the first period. Raises ValueError for negative or
    infinite prices, an item that has two prices in a period or belongs to two clusters, and a null in `period`, `item`
    or `cluster`.
    """
    return bilateral(panel, "jevons", chained=chained)


def bilateral(panel: pd.DataFrame, formula: str, base: object = None, *, chained: bool = False) -> pd.DataFrame:
    """A bilateral formula over matched items, with a fixed base or chained period by period.

    `base` is the period in which the index is 1; None: the first. With prices p, quantities q and shares s of the
    matched value, from period 0 to 1:

    - laspeyres `sum(p1 q0) / sum(p0 q0)`, paasche `sum(p1 q1) / sum(p0 q1)`, fisher their geometric mean;
    - geometric_laspeyres `prod((p1/p0)^s0)`, geometric_paasche with s1, tornqvist their geometric mean;
    - walsh `sum(p1 sqrt(q0 q1)) / sum(p0 sqrt(q0 q1))`;
    - without quantities: jevons, carli `mean(p1/p0)`, dutot `sum(p1) / sum(p0)`.

    An item without a quantity is not seen in that period by the weighted formulas. Raises ValueError as `jevons` does,
    for another formula, for no column of quantities, for negative or infinite ones, and for a base without a price.
    """
    if formula not in FORMULAS:
        raise ValueError(f"no such formula: {formula}; there are {', '.join(FORMULAS)}")
    data = read_panel(panel, weighted=formula not in UNWEIGHTED)
    row = 0
    if base is not None:
        found = np.flatnonzero(data.periods[data.priced] == base)
        if not len(found):
            raise ValueError(f"no price in the base period {base}")
        row = int(found[0])
    return published(data, lambda data: bilateral_path(data, formula, row, chained))


def geks(
    panel: pd.DataFrame, formula: str = "tornqvist", window: int | None = WINDOW_MONTHS, splice: Splice = "mean"
) -> pd.DataFrame:
    """The GEKS index: in a window, the levels that come nearest to all bilateral comparisons at once.

    `ln P(b) - ln P(a)` is the mean over all periods l of `ln P(a, l) + ln P(l, b)`: transitive, so free of chain drift.
    Periods without a common item have no comparison; the levels are then the least-squares fit of the others, of which
    GEKS is the case without gaps. `formula` is fisher, tornqvist (also called CCDI), walsh, jevons or dutot. Without
    quantities there is no superlative index: with equal expenditures, GEKS-Tornqvist is GEKS-Jevons.

    `window` counts periods; None takes all. A later period never revises an earlier one: what its window says is
    spliced on by `ln P(t) - ln P(t-1) = mean([N(t) - N(l)] - [O(t-1) - O(l)])` of the logs in the new and the old
    window, over all overlapping periods l ("mean"), l = t-1 ("movement") or the first of them ("window"). Where nothing
    overlaps, the index ends. Raises ValueError as `bilateral` does, and for a formula that does not reverse in time, a
    window under 2 and another splice.
    """
    if formula not in REVERSIBLE:
        raise ValueError(f"GEKS needs a formula that reverses in time, {', '.join(REVERSIBLE)}; not {formula}")
    check_window(window, splice)
    return published(
        read_panel(panel, weighted=formula not in UNWEIGHTED), lambda data: geks_path(data, formula, window, splice)
    )


def time_product_dummy(panel: pd.DataFrame, *, window: int | None = None, splice: Splice = "mean") -> pd.DataFrame:
    """The time-product dummy index: `ln p(i, t) = d(t) + g(i)` by weighted least squares, index `exp(d(t))`.

    With a column `quantity` an observation's weight is its share in the value of its period, otherwise 1. `window` and
    `splice` as in `geks`; by default one regression over all periods, which later ones revise. Raises as `geks` does.
    """
    check_window(window, splice)
    return published(read_panel(panel, weighted="quantity" in panel), lambda data: dummy_path(data, window, splice))


def hedonic(panel: pd.DataFrame, formula: str) -> pd.DataFrame:
    """The time-dummy hedonic index: `ln p(i, t) = d(t) + x(i, t)'b` by ordinary least squares, index `exp(d(t))`.

    `formula` gives the characteristics x, the right-hand side of a patsy formula over columns of the panel, as in
    `capability + np.log(context)`; patsy evaluates it as Python, so it must never come from outside. Rows that lack a
    characteristic are left out and not among `n_items`. Every row counts alike, also where there are quantities.

    There is no index where characteristics move with time alone, as the age of a single item does. Raises ValueError
    as `jevons` does and for infinite characteristics, and patsy.PatsyError for what patsy cannot read.
    """
    return published(*hedonic_model(panel, formula, periods_of(panel)))


def unmatched_median(panel: pd.DataFrame) -> pd.DataFrame:
    """The median price of whatever is on offer, against that of the first period. Biased: for comparison only.

    It moves when cheap items enter or dear ones leave although no price has changed, and no interval could say how far
    it is from the truth. Raises ValueError as `jevons` does.
    """
    return published(read_panel(panel, weighted=False), median_path, no_interval=NO_MEDIAN_INTERVAL)


def hedonic_model(panel: pd.DataFrame, formula: str, periods: pd.Index) -> tuple[Panel, Build]:
    """The rows with a price and all characteristics, and the regression on them."""
    if "~" in formula:
        raise ValueError(f"characteristics only, the left side is the log price: {formula}")
    rows = panel[not_negative(panel, "price") > 0].reset_index(drop=True)
    design = np.empty((0, 0))
    if len(rows):
        import patsy

        # Of arrays it makes a design ten times faster than of a frame; what it leaves out is missing from the index.
        columns = {name: rows[name].to_numpy() for name in rows if str(name) in formula}
        model = patsy.dmatrix(formula, columns, return_type="dataframe")
        rows, design = rows.loc[model.index], model.to_numpy(dtype=np.float64)
        if not np.isfinite(design).all():
            raise ValueError("characteristics are finite")
    return read_panel(rows, weighted=False, periods=periods), lambda data: hedonic_path(data, rows, design)
