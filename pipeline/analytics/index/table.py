"""Every index of every series, as a table."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from pipeline.analytics.index.methods import NO_MEDIAN_INTERVAL, WINDOW_MONTHS, hedonic_model
from pipeline.analytics.index.panel import read_panel
from pipeline.analytics.index.paths import bilateral_path, dummy_path, geks_path, median_path
from pipeline.analytics.index.published import AT_BASE, INDEX_COLUMNS, MIN_CLUSTERS, published_columns

CHARACTERISTICS = ["capability_eci", "context_tokens", "reasoning", "age_months"]
# With age the index compares models as old as each other, without it all that are sold. Prices that stay while models
# age make these two very different questions.
HEDONIC_FORMULAS = {
    "hedonic": "capability_eci + np.log(context_tokens) + reasoning + age_months",
    "hedonic_without_age": "capability_eci + np.log(context_tokens) + reasoning",
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
    data = read_panel(panel.assign(quantity=1 / panel["price"].where(panel["price"] > 0)), weighted=True)
    yield "jevons_chained", published_columns(data, lambda data: bilateral_path(data, "jevons", 0, chained=True))
    yield "geks_tornqvist", published_columns(data, lambda data: geks_path(data, "tornqvist", WINDOW_MONTHS, "mean"))
    yield "time_product_dummy", published_columns(data, lambda data: dummy_path(data, None, "mean"))
    scored = panel[["period", "item", "price", "cluster", *CHARACTERISTICS]].dropna()
    for method, formula in HEDONIC_FORMULAS.items():
        yield method, published_columns(*hedonic_model(scored, formula, data.periods))
    yield "unmatched_median", published_columns(data, median_path, NO_MEDIAN_INTERVAL)
