"""What is published of a log index: levels, intervals, counts and reasons."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline.analytics.index.panel import Bools, Panel
from pipeline.analytics.index.paths import Build, Path

CONFIDENCE = 0.90
# With two clusters there is one degree of freedom: it is too wide to say anything, and fragile.
MIN_CLUSTERS = 3
# Differences of sums of logs; a smaller one is what is left of rounding.
NO_DIFFERENCE = 1e-12
AT_BASE = "the base period"
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


def published(data: Panel, build: Build, no_interval: str | None = None) -> pd.DataFrame:
    """A published index as a frame, see `published_columns`."""
    return pd.DataFrame(published_columns(data, build, no_interval)).astype(INDEX_COLUMNS)


def published_columns(data: Panel, build: Build, no_interval: str | None = None) -> dict[str, Any]:
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


def _rows(data: Panel, path: Path, no_interval: str | None) -> dict[str, npt.NDArray[Any]]:
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
