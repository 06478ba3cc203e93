"""The rates of all series, and their changes, as tables."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.analytics.decline.rates import (
    ENDPOINT,
    SLOPES,
    Rate,
    Slowdown,
    rate_of_panel,
    rate_of_records,
    rates_in_window,
    slowdown,
)
from pipeline.analytics.decline.steps import YEAR_DAYS, Steps, read_columns, read_offers, split_offers, utc_moment

LABELS = ["series_id", "series_kind", "workload"]
DECLINE_RATE_COLUMNS = {
    "series_id": "string",
    "series_kind": "string",
    "workload": "string",
    "window_days": "Int64",
    "as_of": "datetime64[us, UTC]",
    "method": "string",
    "ln_rate_per_year": "Float64",
    "factor_per_year": "Float64",
    "halving_months": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "n_events": "Int64",
    "coverage_share": "Float64",
    "gate": "string",
    "reason": "string",
}
DECLINE_SLOWDOWN_COLUMNS = {
    "series_id": "string",
    "series_kind": "string",
    "workload": "string",
    "window_days": "Int64",
    "as_of": "datetime64[us, UTC]",
    "method": "string",
    "ln_rate_last": "Float64",
    "ln_rate_before": "Float64",
    "ln_slowdown": "Float64",
    "lo90": "Float64",
    "hi90": "Float64",
    "n_events_last": "Int64",
    "n_events_before": "Int64",
    "gate": "string",
    "reason": "string",
}


def decline_rates(
    series: pd.DataFrame, as_of: datetime, windows: Sequence[int | None] = (90, 180, 365, None)
) -> pd.DataFrame:
    """All series to the rows of `analytics.decline_rates`, one row per series, window and method.

    `series` is long: `series_id`, `series_kind`, `workload`, `at`, `price` as in `endpoint_rate`; for panels also
    `offer_id` and, where offers move in groups, `cluster`. A series with several offers is a panel and gets
    `panel_endpoint`; its offers share events where `series_kind` is "provider". Any other series gets `asof_endpoint`,
    `ols_daily`, `theil_sen` and, since the start, `records_ols`. Raises ValueError as `endpoint_rate` does, naming the
    series. Nulls are real nulls (nullable types), never NaN.
    """
    moment = utc_moment(as_of)
    rows = [(of_one, rate) for of_one in _all_series(series) for rate in _rates_of_series(of_one, moment, windows)]
    return _frame(rows, DECLINE_RATE_COLUMNS)


def decline_slowdowns(series: pd.DataFrame, as_of: datetime, window_days: int = 365) -> pd.DataFrame:
    """All series to the rows of `analytics.decline_slowdown`: the last window against the one of equal length before.

    `series` is as in `decline_rates`, and so are both rates: `asof_endpoint` or, for panels, `panel_endpoint`.
    """
    moment = utc_moment(as_of)
    earlier = moment - pd.Timedelta(days=window_days)
    rows = [
        (of_one, slowdown(_headline(of_one, moment, window_days), _headline(of_one, earlier, window_days)))
        for of_one in _all_series(series)
    ]
    return _frame(rows, DECLINE_SLOWDOWN_COLUMNS)


class _Series(NamedTuple):
    """A series: its id, kind and workload, and the cluster and the steps of each of its offers."""

    labels: tuple[str, str, str]
    offers: Sequence[tuple[str, Steps]]

    @property
    def is_panel(self) -> bool:
        return len(self.offers) > 1


def _frame(rows: Iterable[tuple[_Series, Rate | Slowdown]], dtypes: dict[str, str]) -> pd.DataFrame:
    """One row for each result, whose fields are in the order of the columns, labelled with its series."""
    labelled = [(*of_one.labels, *found) for of_one, found in rows]
    return pd.DataFrame(labelled, columns=list(dtypes)).astype(dtypes)


def _all_series(series: pd.DataFrame) -> list[_Series]:
    """Every series, in order, read all at once: pandas takes longer over one than its arithmetic does."""
    groups = series.groupby(LABELS, dropna=False, sort=True)
    number = groups.ngroup().to_numpy()
    offer = (
        series["offer_id"].factorize(sort=True)[0] if "offer_id" in series else np.zeros(len(series), dtype=np.int64)
    )
    cluster = next(series[name] for name in ("cluster", "offer_id", "series_id") if name in series).to_numpy()
    _, first, codes = np.unique(number * (offer.max(initial=0) + 2) + offer, return_index=True, return_inverse=True)
    try:
        split = split_offers(*read_columns(series), codes, len(first))
    except ValueError:
        _blame(series)
        raise
    offers = [(str(name), steps) for name, steps in zip(cluster[first], split, strict=True)]
    edges = np.searchsorted(number[first], np.arange(groups.ngroups + 1)).tolist()
    labels = series[LABELS].iloc[first[edges[:-1]]].itertuples(index=False, name=None)
    return [_Series(key, offers[start:end]) for key, (start, end) in zip(labels, pairwise(edges), strict=True)]


def _blame(series: pd.DataFrame) -> None:
    """Raises ValueError naming the first series that cannot be read."""
    offer = "offer_id" if "offer_id" in series else "series_id"
    for name, group in series.groupby("series_id", dropna=False):
        try:
            read_offers(group, offer, offer)
        except ValueError as error:
            raise ValueError(f"series {name}: {error}") from error


def _headline(of_one: _Series, moment: pd.Timestamp, window_days: int | None) -> Rate:
    if of_one.is_panel:
        # A provider decides for all its models.
        return rate_of_panel(of_one.offers, moment, window_days, shared_events=of_one.labels[1] == "provider")
    [(_, steps)] = of_one.offers
    [rate] = rates_in_window(steps, moment, window_days, [ENDPOINT])
    return rate


def _rates_of_series(of_one: _Series, moment: pd.Timestamp, windows: Iterable[int | None]) -> Iterator[Rate]:
    if of_one.is_panel:
        for days in windows:
            yield _headline(of_one, moment, days)
        return
    [(_, steps)] = of_one.offers
    for days in windows:
        yield from rates_in_window(steps, moment, days, [ENDPOINT, *SLOPES])
        if days is None:
            yield rate_of_records(steps, moment, YEAR_DAYS)
