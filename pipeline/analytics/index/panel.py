"""A long panel of prices as tables of periods by items."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Items(NamedTuple):
    """Periods (rows) by items (columns): prices, log prices, quantities, 1 where an item is seen; 0 elsewhere."""

    p: Floats
    ln: Floats
    q: Floats
    s: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Prices by period (rows) and item (columns), for the periods that have any; what is not seen is 0."""

    periods: pd.Index
    priced: Ints  # where in `periods` the rows are
    items: Items
    shared: Floats  # how many items each pair of rows has in common
    weighted: bool  # whether quantities were given; they are 1 otherwise
    starts: Ints  # the first column of each cluster, which is one run of columns; 0 where there are no clusters
    clustered: bool


def dot(before: Floats, after: Floats) -> Floats:
    """Sums over items for all pairs of periods at once: rows are compared with, columns are compared.

    What is not seen is 0, so that every product runs over matched items only. It is `before @ after.T` without BLAS,
    whose threads wait for each other: on a busy machine that was tens of times slower.
    """
    return np.asarray(np.einsum("ai,bi->ab", before, after))


def periods_of(panel: pd.DataFrame) -> pd.Index:
    """The periods of a panel, in order."""
    periods: pd.Index = pd.Index(panel["period"].unique()).sort_values()
    return periods


def read_panel(panel: pd.DataFrame, *, weighted: bool, periods: pd.Index | None = None) -> Panel:
    """The panel as tables. `periods` are those of the result, if it has more. Raises ValueError as `jevons` says."""
    names = ["period", "item", "cluster"] if "cluster" in panel else ["period", "item"]
    if panel[names].isna().any(axis=None):
        raise ValueError(f"{', '.join(names)}: none may be null")
    if weighted and "quantity" not in panel:
        raise ValueError("a weighted formula needs a column `quantity`")
    price = not_negative(panel, "price")
    quantity = not_negative(panel, "quantity") if weighted else np.ones_like(price)
    periods = periods_of(panel) if periods is None else periods
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
    return Panel(
        periods=periods,
        priced=priced,
        items=Items(table(price), table(np.log(np.where(known, price, 1.0))), table(quantity), seen),
        shared=dot(seen, seen),
        weighted=weighted,
        starts=np.flatnonzero(np.diff(np.sort(cluster_of), prepend=-1)),
        clustered="cluster" in panel,
    )


def not_negative(panel: pd.DataFrame, column: str) -> Floats:
    """A column, NaN for null. Raises ValueError for a number that is negative or infinite."""
    values = panel[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if (np.isinf(values) | (values < 0)).any():
        raise ValueError(f"every {column} is finite and not negative")
    return values
