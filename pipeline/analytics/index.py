"""Price indices of a changing set of items: matched models, multilateral methods, time dummies.

Every function takes a long panel with one row per `period` and `item`: `price` in any one unit, for weighted formulas
`quantity`, and, for intervals, `cluster`, the group in which prices move together (the provider of an offer). Every
function gives one row per period, in order, with `index_value` 1 in the base period, the first one that has a price:

- `ln_change`: natural log change of the index against the period before it;
- `lo90`, `hi90`: 90 % limits of `index_value`, not of the change;
- `n_items`: items with a price; `n_matched`: those of them that the period it is compared with has too, which is the
  base for a fixed base and the period before otherwise; `n_clusters`: clusters with a price;
- `reason`: why a number is missing.

An item that is priced in one of two periods only says nothing about the change between them: entry and exit move
nothing, except in `hedonic`, which explains the prices of new items, and in `unmatched_median`, which is here to show
what goes wrong without matching. A price of 0 has no logarithm and no relative: an item is missing while it is free.

The limits treat the clusters as drawn at random and whatever happens within one as dependent, over time too. They are
a jackknife: the log index is worked out again without each cluster in turn, its variance is (G - 1) / G times the sum
of the squared differences, and the limits are those of Student's t with G - 1 degrees of freedom. G counts the clusters
that have had items to compare since the base. What rests on a single cluster cannot be worked out without it and adds
nothing to the variance.

Formulas: Balk, "Price and Quantity Index Numbers" (2008), and the Producer Price Index Manual (IMF 2004), chapters 15,
16 and 20; multilateral methods and splices: Diewert and Fox, "Substitution Bias in Multilateral Methods for CPI
Construction" (2022).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Splice = Literal["mean", "movement", "window"]

CONFIDENCE = 0.90
# With two clusters there is one degree of freedom: it is too wide to say anything, and fragile.
MIN_CLUSTERS = 3
# Differences of sums of logs; a smaller one is what is left of rounding.
NO_DIFFERENCE = 1e-12
# Of matrices with entries of the order of 1.
SINGULAR = 1e-9
WINDOW_MONTHS = 25
CHARACTERISTICS = ["capability_eci", "context_tokens", "reasoning", "age_months"]
# With age the index compares models as old as each other, without it all that are sold. Prices that stay while models
# age make these two very different questions.
HEDONIC_FORMULAS = {
    "hedonic": "capability_eci + np.log(context_tokens) + reasoning + age_months",
    "hedonic_without_age": "capability_eci + np.log(context_tokens) + reasoning",
}

AT_BASE = "the base period"
NO_MEDIAN_INTERVAL = "biased: entries and exits move it, so no interval"

INDEX_COLUMNS = {
    "index_value": "Float64",
    "ln_change": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "n_items": "Int64",
    "n_matched": "Int64",
    "n_clusters": "Int64",
    "reason": "string",
}
PRICE_INDEX_COLUMNS = {
    "series_id": "string",
    "workload": "string",
    "method": "string",
    "period": "datetime64[us, UTC]",
    "as_of": "datetime64[us, UTC]",
    "index_value": "Float64",
    "ln_change": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "n_items": "Int64",
    "n_matched": "Int64",
    "n_providers": "Int64",
    "gate": "string",
    "reason": "string",
    "is_live": "boolean",
}


class _Items(NamedTuple):
    """Periods (rows) by items (columns): prices, log prices, quantities, 1 where an item is seen; 0 elsewhere."""

    p: Floats
    ln: Floats
    q: Floats
    s: Floats


def _dot(before: Floats, after: Floats) -> Floats:
    """Sums over items for all pairs of periods at once: rows are compared with, columns are compared.

    What is not seen is 0, so that every product runs over matched items only. It is `before @ after.T` without BLAS,
    whose threads wait for each other: on a busy machine that was tens of times slower.
    """
    return np.asarray(np.einsum("ai,bi->ab", before, after))


# A ratio formula is numerator / denominator, a geometric one exp(numerator / denominator).
RATIOS: dict[str, Callable[[_Items], tuple[Floats, Floats]]] = {
    "carli": lambda x: (_dot(np.divide(x.s, x.p, out=np.zeros_like(x.p), where=x.s > 0), x.p), _dot(x.s, x.s)),
    "dutot": lambda x: (_dot(x.s, x.p), _dot(x.p, x.s)),
    "laspeyres": lambda x: (_dot(x.q, x.p), _dot(x.p * x.q, x.s)),
    "paasche": lambda x: (_dot(x.s, x.p * x.q), _dot(x.p, x.q)),
    "walsh": lambda x: (_dot(np.sqrt(x.q), x.p * np.sqrt(x.q)), _dot(x.p * np.sqrt(x.q), np.sqrt(x.q))),
}
GEOMETRIC: dict[str, Callable[[_Items], tuple[Floats, Floats]]] = {
    "jevons": lambda x: (_dot(x.s, x.ln) - _dot(x.ln, x.s), _dot(x.s, x.s)),
    "geometric_laspeyres": lambda x: (
        _dot(x.p * x.q, x.ln) - _dot(x.p * x.q * x.ln, x.s),
        _dot(x.p * x.q, x.s),
    ),
    "geometric_paasche": lambda x: (
        _dot(x.s, x.p * x.q * x.ln) - _dot(x.ln, x.p * x.q),
        _dot(x.s, x.p * x.q),
    ),
}
# Geometric means of two others.
CROSSED = {
    "fisher": ("laspeyres", "paasche"),
    "tornqvist": ("geometric_laspeyres", "geometric_paasche"),
}
FORMULAS = (*RATIOS, *GEOMETRIC, *CROSSED)
UNWEIGHTED = ("carli", "dutot", "jevons")
# The index from b to a is the reciprocal of that from a to b; without that a multilateral index means nothing.
REVERSIBLE = ("dutot", "jevons", "fisher", "tornqvist", "walsh")


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """Prices by period (rows) and item (columns), for the periods that have any; what is not seen is 0."""

    periods: pd.Index
    priced: Ints  # where in `periods` the rows are
    items: _Items
    shared: Floats  # how many items each pair of rows has in common
    weighted: bool  # whether quantities were given; they are 1 otherwise
    starts: Ints  # the first column of each cluster, which is one run of columns; 0 where there are no clusters
    clustered: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """A log index over the rows of a panel, NaN where there is none, and how it differs without each cluster."""

    log: Floats
    differences: Floats  # cluster by row; 0 where there is no index without it
    compared_with: Ints  # row; -1 for none
    base: int = 0
    fixed_base: bool = False
    no_index: str = "no item links it to the base period"


Build = Callable[[_Panel], _Path]


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
    data = _read(panel, weighted=formula not in UNWEIGHTED)
    row = 0
    if base is not None:
        found = np.flatnonzero(data.periods[data.priced] == base)
        if not len(found):
            raise ValueError(f"no price in the base period {base}")
        row = int(found[0])
    return _published(data, lambda data: _bilateral(data, formula, row, chained))


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
    _check_window(window, splice)
    return _published(
        _read(panel, weighted=formula not in UNWEIGHTED), lambda data: _geks(data, formula, window, splice)
    )


def time_product_dummy(panel: pd.DataFrame, *, window: int | None = None, splice: Splice = "mean") -> pd.DataFrame:
    """The time-product dummy index: `ln p(i, t) = d(t) + g(i)` by weighted least squares, index `exp(d(t))`.

    With a column `quantity` an observation's weight is its share in the value of its period, otherwise 1. `window` and
    `splice` as in `geks`; by default one regression over all periods, which later ones revise. Raises as `geks` does.
    """
    _check_window(window, splice)
    return _published(
        _read(panel, weighted="quantity" in panel), lambda data: _time_product_dummy(data, window, splice)
    )


def hedonic(panel: pd.DataFrame, formula: str) -> pd.DataFrame:
    """The time-dummy hedonic index: `ln p(i, t) = d(t) + x(i, t)'b` by ordinary least squares, index `exp(d(t))`.

    `formula` gives the characteristics x, the right-hand side of a patsy formula over columns of the panel, as in
    `capability + np.log(context)`; patsy evaluates it as Python, so it must never come from outside. Rows that lack a
    characteristic are left out and not among `n_items`. Every row counts alike, also where there are quantities.

    There is no index where characteristics move with time alone, as the age of a single item does. Raises ValueError
    as `jevons` does and for infinite characteristics, and patsy.PatsyError for what patsy cannot read.
    """
    return _published(*_hedonic_model(panel, formula, _periods(panel)))


def unmatched_median(panel: pd.DataFrame) -> pd.DataFrame:
    """The median price of whatever is on offer, against that of the first period. Biased: for comparison only.

    It moves when cheap items enter or dear ones leave although no price has changed, and no interval could say how far
    it is from the truth. Raises ValueError as `jevons` does.
    """
    return _published(_read(panel, weighted=False), _median, no_interval=NO_MEDIAN_INTERVAL)


def price_index(panel: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The rows of `analytics.price_index`: every series, workload, method and month, first month = 100.

    `panel` is long: `series_id`, `workload`, `period` (the first day of a month, UTC), `item`, `price` (of the last
    month: up to `as_of`), `cluster` and CHARACTERISTICS; months after `as_of` are not looked at. No quantities are
    known, so that every item counts for the same expenditure: the quantity is 1 / price. A series begins in the first
    month in which 3 clusters have prices. Raises ValueError as the methods do, naming the series.
    """
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        raise ValueError(f"as_of has no time zone: {as_of!r}")
    moment = moment.tz_convert("UTC")
    this_month = moment.normalize().replace(day=1)
    table: dict[str, list[Any]] = {name: [] for name in ("series_id", "workload", "method", "period", *INDEX_COLUMNS)}
    seen = panel[panel["period"] <= moment]
    for (series_id, workload), rows in seen.groupby(["series_id", "workload"], sort=True):
        clusters = rows[rows["price"] > 0].groupby("period")["cluster"].nunique()
        started = clusters.index[clusters >= MIN_CLUSTERS]
        if not len(started):
            continue
        try:
            for method, columns in _methods(rows[rows["period"] >= started[0]]):
                labels = {"series_id": series_id, "workload": workload, "method": method}
                for name, values in (labels | columns).items():
                    table[name] += [values] * len(columns["period"]) if name in labels else list(values)
        except ValueError as error:
            raise ValueError(f"series {series_id}, {workload}: {error}") from error
    frame = pd.DataFrame(table).rename(columns={"n_clusters": "n_providers"})
    frame[["index_value", "lo90", "hi90"]] *= 100
    frame["gate"] = np.where(frame["lo90"].notna() | (frame["reason"] == AT_BASE), "ok", "insufficient")
    frame["as_of"] = moment
    frame["is_live"] = (frame["period"] == this_month) & (moment.normalize() < this_month + pd.offsets.MonthEnd(1))
    return frame[list(PRICE_INDEX_COLUMNS)].astype(PRICE_INDEX_COLUMNS)


def _methods(panel: pd.DataFrame) -> Iterator[tuple[str, dict[str, Any]]]:
    """All published methods with their columns; the panel is read once for those that take all of it."""
    data = _read(panel.assign(quantity=1 / panel["price"].where(panel["price"] > 0)), weighted=True)
    yield "jevons_chained", _columns(data, lambda data: _bilateral(data, "jevons", 0, chained=True))
    yield "geks_tornqvist", _columns(data, lambda data: _geks(data, "tornqvist", WINDOW_MONTHS, "mean"))
    yield "time_product_dummy", _columns(data, lambda data: _time_product_dummy(data, None, "mean"))
    scored = panel[["period", "item", "price", "cluster", *CHARACTERISTICS]].dropna()
    for method, formula in HEDONIC_FORMULAS.items():
        yield method, _columns(*_hedonic_model(scored, formula, data.periods))
    yield "unmatched_median", _columns(data, _median, NO_MEDIAN_INTERVAL)


# --- reading --------------------------------------------------------------------------------------------------------


def _periods(panel: pd.DataFrame) -> pd.Index:
    periods: pd.Index = pd.Index(panel["period"].unique()).sort_values()
    return periods


def _read(panel: pd.DataFrame, *, weighted: bool, periods: pd.Index | None = None) -> _Panel:
    """`periods` are those of the result, if it has more than the panel."""
    names = ["period", "item", "cluster"] if "cluster" in panel else ["period", "item"]
    if panel[names].isna().any(axis=None):
        raise ValueError(f"{', '.join(names)}: none may be null")
    if weighted and "quantity" not in panel:
        raise ValueError("a weighted formula needs a column `quantity`")
    price = _not_negative(panel, "price")
    quantity = _not_negative(panel, "quantity") if weighted else np.ones_like(price)
    periods = _periods(panel) if periods is None else periods
    at = periods.get_indexer(pd.Index(panel["period"]))
    item, items = pd.factorize(panel["item"])
    cluster = pd.factorize(panel["cluster"])[0] if "cluster" in panel else np.zeros_like(item)
    cluster_of = np.zeros(len(items), dtype=np.int64)
    cluster_of[item] = cluster
    for wrong, complaint in (
        (pd.Series(at * len(items) + item).duplicated().to_numpy(), "has two prices in one period"),
        (cluster_of[item] != cluster, "belongs to two clusters"),
    ):
        if wrong.any():
            raise ValueError(f"item {items[item[wrong.argmax()]]} {complaint}")
    column_of = np.argsort(np.argsort(cluster_of, kind="stable"))
    known = ~np.isnan(quantity) & (price > 0)
    priced, row = np.unique(at[known], return_inverse=True)

    def table(values: Floats) -> Floats:
        filled = np.zeros((len(priced), len(items)))
        filled[row, column_of[item[known]]] = values[known]
        return filled

    seen = table(np.ones_like(price))
    return _Panel(
        periods=periods,
        priced=priced,
        items=_Items(table(price), table(np.log(np.where(known, price, 1.0))), table(quantity), seen),
        shared=_dot(seen, seen),
        weighted=weighted,
        starts=np.flatnonzero(np.diff(np.sort(cluster_of), prepend=-1)),
        clustered="cluster" in panel,
    )


def _not_negative(panel: pd.DataFrame, column: str) -> Floats:
    values = panel[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if (np.isinf(values) | (values < 0)).any():
        raise ValueError(f"every {column} is finite and not negative")
    return values


def _hedonic_model(panel: pd.DataFrame, formula: str, periods: pd.Index) -> tuple[_Panel, Build]:
    """The rows with a price and all characteristics, and the regression on them."""
    if "~" in formula:
        raise ValueError(f"characteristics only, the left side is the log price: {formula}")
    rows = panel[_not_negative(panel, "price") > 0].reset_index(drop=True)
    design = np.empty((0, 0))
    if len(rows):
        import patsy

        # Of arrays it makes a design ten times faster than of a frame; what it leaves out is missing from the index.
        columns = {name: rows[name].to_numpy() for name in rows if str(name) in formula}
        model = patsy.dmatrix(formula, columns, return_type="dataframe")
        rows, design = rows.loc[model.index], model.to_numpy(dtype=np.float64)
        if not np.isfinite(design).all():
            raise ValueError("characteristics are finite")
    return _read(rows, weighted=False, periods=periods), lambda data: _hedonic(data, rows, design)


# --- comparing two periods ------------------------------------------------------------------------------------------


def _compare(data: _Panel, formula: str) -> Floats:
    """The log index from every row to every other, NaN without a common item, and its differences without a cluster.

    Shape: 1 + clusters, rows, rows.
    """
    halves = [_comparison(data, half) for half in CROSSED.get(formula, (formula,))]
    return np.asarray(sum(halves) / len(halves))


def _comparison(data: _Panel, formula: str) -> Floats:
    sums = (RATIOS | GEOMETRIC)[formula]
    split = [np.split(table, data.starts[1:], axis=1) for table in data.items]
    parts = [(*sums(_Items(*cluster)), _dot(cluster[-1], cluster[-1])) for cluster in zip(*split, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        numerator, denominator, shared = (_with_and_without(np.stack(part)) for part in zip(*parts, strict=True))
        log = numerator / denominator if formula in GEOMETRIC else np.log(numerator / denominator)
    # Quantities may all be 0, and relatives beyond a float.
    return _differences(np.where((shared > 0) & np.isfinite(log), log, np.nan))


def _with_and_without(parts: Floats) -> Floats:
    """The sum of the clusters' parts, followed by what it is without each."""
    total = parts.sum(axis=0)
    return np.concatenate([total[np.newaxis], total - parts])


def _differences(logs: Floats) -> Floats:
    """The first log as it is, the others as differences from it, 0 where there are none."""
    return np.concatenate([logs[:1], np.nan_to_num(logs[1:] - logs[:1])])


def _bilateral(data: _Panel, formula: str, base: int, chained: bool) -> _Path:
    comparisons = _compare(data, formula)
    n_rows = len(data.priced)
    if not chained:
        levels = comparisons[:, base]
        levels[:, base] = 0.0
        compared_with = np.where(np.arange(n_rows) == base, -1, base)
        return _Path(levels[0], levels[1:], compared_with, base, True, "no item in common with the base period")
    levels = np.full((len(comparisons), n_rows), np.nan)
    levels[:, 0] = 0.0
    compared_with = np.full(n_rows, -1)
    for row in range(1, n_rows):
        linked = np.flatnonzero(~np.isnan(levels[0, :row]) & ~np.isnan(comparisons[0, :row, row]))
        if len(linked):
            compared_with[row] = linked[-1]
            levels[:, row] = levels[:, linked[-1]] + comparisons[:, linked[-1], row]
    levels -= levels[:, base : base + 1]
    return _Path(levels[0], levels[1:], compared_with, base)


# --- comparing many periods -----------------------------------------------------------------------------------------

# The log levels of a window and their differences without each cluster, and which rows hang together.
Window = tuple[Floats, Ints]


def _check_window(window: int | None, splice: str) -> None:
    if window is not None and window < 2:
        raise ValueError(f"a window has at least 2 periods, not {window}")
    if splice not in get_args(Splice):
        raise ValueError(f"no such splice: {splice}; there are {', '.join(get_args(Splice))}")


def _spliced(n_rows: int, window: int | None, splice: Splice, solve: Callable[[slice], Window]) -> _Path:
    width = min(window or n_rows, n_rows)
    new, component = solve(slice(0, width))
    levels = np.full((len(new), n_rows), np.nan)
    levels[:, :width] = np.where(component == component[0], new - new[:, :1], np.nan)
    for row in range(width, n_rows):
        old, old_component = new, component
        new, component = solve(slice(row - width + 1, row + 1))
        # A period's place in the old window is one more than in the new one.
        overlap = np.flatnonzero((component[:-1] == component[-1]) & (old_component[1:] == old_component[-1]))
        if splice != "mean":
            overlap = overlap[overlap == (width - 2 if splice == "movement" else 0)]
        if not len(overlap):
            break
        steps = (new[:, -1:] - new[:, overlap]) - (old[:, -1:] - old[:, overlap + 1])
        levels[:, row] = levels[:, row - 1] + steps.mean(axis=1)
    return _Path(levels[0], levels[1:], np.arange(n_rows) - 1)


def _geks(data: _Panel, formula: str, window: int | None, splice: Splice) -> _Path:
    comparisons = _compare(data, formula)

    def solve(rows: slice) -> Window:
        within = comparisons[:, rows, rows]
        known = ~np.isnan(within[0])
        component = _components(known)
        # The normal equations of ln P(b) - ln P(a) = comparison of a and b, over all known pairs.
        laplacian = np.diag(known.sum(axis=0)) - known.astype(np.float64)
        right = np.where(known, within, 0.0).sum(axis=1)
        return np.linalg.solve(_regular(laplacian[np.newaxis], component)[0], right.T).T, component

    return _spliced(len(data.priced), window, splice, solve)


def _time_product_dummy(data: _Panel, window: int | None, splice: Splice) -> _Path:
    weights = data.items.s
    if data.weighted:
        value = data.items.p * data.items.q
        total = value.sum(axis=1, keepdims=True)
        weights = np.divide(value, total, out=np.zeros_like(value), where=total > 0)

    def solve(rows: slice) -> Window:
        weight, log = weights[rows], data.items.ln[rows]
        per_item = weight.sum(axis=0)
        share = np.divide(weight, per_item, out=np.zeros_like(weight), where=per_item > 0)
        # The normal equations without the items' effects, which leave one per period; each item is in one cluster.
        around_item = weight * (log - (share * log).sum(axis=0))
        laplacians = [
            np.diag(of_cluster.sum(axis=1)) - _dot(of_cluster, shares)
            for of_cluster, shares in zip(*(np.split(x, data.starts[1:], axis=1) for x in (weight, share)), strict=True)
        ]
        laplacian = _with_and_without(np.stack(laplacians))
        right = _with_and_without(np.add.reduceat(around_item, data.starts, axis=1).T)
        counts = (weight > 0).astype(np.float64)
        component = _components(_dot(counts, counts) > 0)
        solved = np.linalg.solve(_regular(laplacian, component), right[..., np.newaxis])
        levels = np.asarray(solved[..., 0], dtype=np.float64)
        levels -= levels[:, :1]
        levels[np.diagonal(laplacian, axis1=1, axis2=2) < SINGULAR] = np.nan
        return _differences(levels), component

    return _spliced(len(data.priced), window, splice, solve)


def _regular(laplacians: Floats, component: Ints) -> Floats:
    """Equations for levels that are free by a constant per component, made regular by fixing their sums at 0.

    Without a cluster more may fall apart. The equations are consistent, so that next to nothing is enough there.
    """
    regular = laplacians + np.equal.outer(component, component)
    regular[1:] += SINGULAR * np.eye(len(component))
    return regular


def _components(linked: Bools) -> Ints:
    """Which rows hang together, by links between them."""
    return np.zeros(len(linked), dtype=np.int64) if linked.all() else connected_components(linked, directed=False)[1]


def _hedonic(data: _Panel, rows: pd.DataFrame, design: Floats) -> _Path:
    """Period effects: the periods' mean log prices, less what their mean characteristics explain."""
    n_rows = len(data.priced)
    compared_with = np.arange(n_rows) - 1
    row = np.searchsorted(data.priced, data.periods.get_indexer(pd.Index(rows["period"])))
    cluster = pd.factorize(rows["cluster"])[0] if data.clustered else np.zeros_like(row)
    # In units of their own, so that their ranks are not a matter of units.
    spread = design.std(axis=0)
    x = np.divide(design - design.mean(axis=0), spread, out=np.zeros_like(design), where=spread > 0)
    y = np.log(rows["price"].to_numpy(dtype=np.float64))

    n_clusters = cluster.max() + 1
    cells = csr_array(
        (np.ones(len(y)), (cluster * n_rows + row, np.arange(len(y)))), shape=(n_clusters * n_rows, len(y))
    )
    xy = np.column_stack([x, y])
    moments = np.stack([xy[cluster == one].T @ xy[cluster == one] for one in range(n_clusters)])
    n, sums, moments = (
        _with_and_without(part)
        for part in (
            cells.sum(axis=1).reshape(n_clusters, n_rows, 1),
            (cells @ xy).reshape(n_clusters, n_rows, -1),
            moments,
        )
    )
    means = np.divide(sums, n, out=np.full_like(sums, np.nan), where=n > 0)
    within = moments - sums.mT @ np.nan_to_num(means)
    rounding = SINGULAR * len(y)
    within[np.abs(within) < rounding] = 0.0
    ranks = np.linalg.matrix_rank(np.stack([within[0], moments[0]])[:, :-1, :-1], rounding, hermitian=True)
    if ranks[0] < ranks[1]:
        nothing = np.full(n_rows, np.nan)
        return _Path(nothing, nothing[np.newaxis], compared_with, no_index="characteristics move with time alone")
    slopes = np.linalg.pinv(within[:, :-1, :-1], rcond=SINGULAR, hermitian=True) @ within[:, :-1, -1:]
    levels = means[..., -1] - (means[..., :-1] @ slopes)[..., 0]
    levels = _differences(levels - levels[:, :1])
    return _Path(levels[0], levels[1:], compared_with)


def _median(data: _Panel) -> _Path:
    log = np.log([np.median(row[seen]) for row, seen in zip(data.items.p, data.items.s > 0, strict=True)])
    return _Path(log - log[0], np.zeros((0, len(log))), np.arange(len(log)) - 1)


# --- publishing -----------------------------------------------------------------------------------------------------


def _published(data: _Panel, build: Build, no_interval: str | None = None) -> pd.DataFrame:
    return pd.DataFrame(_columns(data, build, no_interval)).astype(INDEX_COLUMNS)


def _columns(data: _Panel, build: Build, no_interval: str | None = None) -> dict[str, Any]:
    """A published index, NaN for null. `no_interval` says why a method has none."""
    n_periods = len(data.periods)
    columns = {name: np.full(n_periods, np.nan) for name in INDEX_COLUMNS}
    columns["n_items"] = np.zeros(n_periods)
    columns["n_clusters"] = np.full(n_periods, 0.0 if data.clustered else np.nan)
    columns["reason"] = np.full(n_periods, "no price", dtype=object)
    if len(data.priced):
        for name, values in _rows(data, build(data), no_interval).items():
            columns[name][data.priced] = values
    return {"period": data.periods, **columns}


def _rows(data: _Panel, path: _Path, no_interval: str | None) -> dict[str, npt.NDArray[Any]]:
    seen, before, row = data.items.s, path.compared_with, np.arange(len(path.log))
    has_price = np.add.reduceat(seen, data.starts, axis=1) > 0
    linked = (np.add.reduceat(seen * seen[before], data.starts, axis=1) > 0) & (before >= 0)[:, np.newaxis]
    since_base = np.cumsum(linked, axis=0)
    n_clusters = (linked if path.fixed_base else since_base != since_base[path.base]).sum(axis=1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        error = np.sqrt((n_clusters - 1.0) / n_clusters * (path.differences**2).sum(axis=0))
        reach = error * special.stdtrit(n_clusters - 1.0, (1 + CONFIDENCE) / 2)
        index, low, high = np.exp(path.log), np.exp(path.log - reach), np.exp(path.log + reach)
    # The first that applies.
    verdicts: list[tuple[Bools | bool, str | None]] = [
        (np.isnan(path.log), path.no_index),
        (~np.isfinite(index) | (index == 0), "the index is beyond a float"),
        (row == path.base, AT_BASE),
        (no_interval is not None, no_interval),
        (not data.clustered, "no clusters given, so no interval"),
        (n_clusters < MIN_CLUSTERS, f"under {MIN_CLUSTERS} clusters had items to compare, so no interval"),
        (np.abs(path.differences).max(axis=0, initial=0.0) < NO_DIFFERENCE, "all clusters moved alike, so no interval"),
        (~np.isfinite(high) | (low == 0), "the interval is beyond a float"),
        (True, None),
    ]
    verdict = np.select([np.broadcast_to(applies, row.shape) for applies, _ in verdicts], range(len(verdicts)))
    known, bounded = verdict >= 2, verdict == len(verdicts) - 1
    return {
        "index_value": np.where(known, index, np.nan),
        "ln_change": np.diff(np.where(known, path.log, np.nan), prepend=np.nan),
        "lo90": np.where(bounded, low, np.nan),
        "hi90": np.where(bounded, high, np.nan),
        "n_items": seen.sum(axis=1),
        "n_matched": np.where(before >= 0, data.shared[before, row], np.nan),
        "n_clusters": has_price.sum(axis=1) if data.clustered else np.full(len(row), np.nan),
        "reason": np.array([reason for _, reason in verdicts], dtype=object)[verdict],
    }
