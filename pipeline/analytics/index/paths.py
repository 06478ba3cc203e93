"""Log indices of a panel, with and without each cluster: two periods compared, and many at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipeline.analytics.index.panel import Bools, Floats, Ints, Items, Panel, dot

Splice = Literal["mean", "movement", "window"]

# Of matrices with entries of the order of 1.
SINGULAR = 1e-9

# A ratio formula is numerator / denominator, a geometric one exp(numerator / denominator).
RATIOS: dict[str, Callable[[Items], tuple[Floats, Floats]]] = {
    "carli": lambda x: (dot(np.divide(x.s, x.p, out=np.zeros_like(x.p), where=x.s > 0), x.p), dot(x.s, x.s)),
    "dutot": lambda x: (dot(x.s, x.p), dot(x.p, x.s)),
    "laspeyres": lambda x: (dot(x.q, x.p), dot(x.p * x.q, x.s)),
    "paasche": lambda x: (dot(x.s, x.p * x.q), dot(x.p, x.q)),
    "walsh": lambda x: (dot(np.sqrt(x.q), x.p * np.sqrt(x.q)), dot(x.p * np.sqrt(x.q), np.sqrt(x.q))),
}
GEOMETRIC: dict[str, Callable[[Items], tuple[Floats, Floats]]] = {
    "jevons": lambda x: (dot(x.s, x.ln) - dot(x.ln, x.s), dot(x.s, x.s)),
    "geometric_laspeyres": lambda x: (
        dot(x.p * x.q, x.ln) - dot(x.p * x.q * x.ln, x.s),
        dot(x.p * x.q, x.s),
    ),
    "geometric_paasche": lambda x: (
        dot(x.s, x.p * x.q * x.ln) - dot(x.ln, x.p * x.q),
        dot(x.s, x.p * x.q),
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
class Path:
    """A log index over the rows of a panel, NaN where there is none, and how it differs without each cluster."""

    log: Floats
    differences: Floats  # cluster by row; 0 where there is no index without it
    compared_with: Ints  # row; -1 for none
    base: int = 0
    fixed_base: bool = False
    no_index: str = "no item links it to the base period"


Build = Callable[[Panel], Path]


def _compare(data: Panel, formula: str) -> Floats:
    """The log index from every row to every other, NaN without a common item, and its differences without a cluster.

    Shape: 1 + clusters, rows, rows.
    """
    halves = [_comparison(data, half) for half in CROSSED.get(formula, (formula,))]
    return np.asarray(sum(halves) / len(halves))


def _comparison(data: Panel, formula: str) -> Floats:
    sums = (RATIOS | GEOMETRIC)[formula]
    split = [np.split(table, data.starts[1:], axis=1) for table in data.items]
    parts = [(*sums(Items(*cluster)), dot(cluster[-1], cluster[-1])) for cluster in zip(*split, strict=True)]
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


def bilateral_path(data: Panel, formula: str, base: int, chained: bool) -> Path:
    """`bilateral` from a row on, or from row to row."""
    comparisons = _compare(data, formula)
    n_rows = len(data.priced)
    if not chained:
        levels = comparisons[:, base]
        levels[:, base] = 0.0
        compared_with = np.where(np.arange(n_rows) == base, -1, base)
        return Path(levels[0], levels[1:], compared_with, base, True, "no item in common with the base period")
    levels = np.full((len(comparisons), n_rows), np.nan)
    levels[:, 0] = 0.0
    compared_with = np.full(n_rows, -1)
    for row in range(1, n_rows):
        linked = np.flatnonzero(~np.isnan(levels[0, :row]) & ~np.isnan(comparisons[0, :row, row]))
        if len(linked):
            compared_with[row] = linked[-1]
            levels[:, row] = levels[:, linked[-1]] + comparisons[:, linked[-1], row]
    levels -= levels[:, base : base + 1]
    return Path(levels[0], levels[1:], compared_with, base)


# The log levels of a window and their differences without each cluster, and which rows hang together.
Window = tuple[Floats, Ints]


def check_window(window: int | None, splice: str) -> None:
    """Raises ValueError for a window or splice that there is not."""
    if window is not None and window < 2:
        raise ValueError(f"a window has at least 2 periods, not {window}")
    if splice not in get_args(Splice):
        raise ValueError(f"no such splice: {splice}; there are {', '.join(get_args(Splice))}")


def _spliced(n_rows: int, window: int | None, splice: Splice, solve: Callable[[slice], Window]) -> Path:
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
    return Path(levels[0], levels[1:], np.arange(n_rows) - 1)


def geks_path(data: Panel, formula: str, window: int | None, splice: Splice) -> Path:
    """`geks` of a panel that is read."""
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


def dummy_path(data: Panel, window: int | None, splice: Splice) -> Path:
    """`time_product_dummy` of a panel that is read."""
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
            np.diag(of_cluster.sum(axis=1)) - dot(of_cluster, shares)
            for of_cluster, shares in zip(*(np.split(x, data.starts[1:], axis=1) for x in (weight, share)), strict=True)
        ]
        laplacian = _with_and_without(np.stack(laplacians))
        right = _with_and_without(np.add.reduceat(around_item, data.starts, axis=1).T)
        counts = (weight > 0).astype(np.float64)
        component = _components(dot(counts, counts) > 0)
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


def hedonic_path(data: Panel, rows: pd.DataFrame, design: Floats) -> Path:
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
        return Path(nothing, nothing[np.newaxis], compared_with, no_index="characteristics move with time alone")
    slopes = np.linalg.pinv(within[:, :-1, :-1], rcond=SINGULAR, hermitian=True) @ within[:, :-1, -1:]
    levels = means[..., -1] - (means[..., :-1] @ slopes)[..., 0]
    levels = _differences(levels - levels[:, :1])
    return Path(levels[0], levels[1:], compared_with)


def median_path(data: Panel) -> Path:
    """`unmatched_median` of a panel that is read."""
    log = np.log([np.median(row[seen]) for row, seen in zip(data.items.p, data.items.s > 0, strict=True)])
    return Path(log - log[0], np.zeros((0, len(log))), np.arange(len(log)) - 1)
