"""What all analytics assets share: their contracts and keys, and the step that makes, writes and shows them."""

import base64
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, time
from graphlib import TopologicalSorter
from multiprocessing import get_context
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.assets import OWNERS
from pipeline.progress import report
from pipeline.settings import settings
from pipeline.warehouse.build import connect
from pipeline.warehouse.publish import contracts, load_manifest
from pipeline.warehouse.tables import write_table
from pipeline.warehouse.transform import end_with_the_run, prepare

GROUP = "analytics"
HEADLINE_WORKLOAD = "input_output_3_1"

_CONTRACTS = contracts(load_manifest(prepare()))


def contract(table: str) -> dict[str, Any]:
    """The columns, types and descriptions that dbt's yml declares for a table of schema `analytics`."""
    return _CONTRACTS[GROUP, table]


Draw = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a table, those that contradict what is claimed of all, and by name how to draw plots as SVG text."""

    frame: pd.DataFrame
    broken: pd.DataFrame
    claim: str
    plots: dict[str, Draw]


def result(frame: pd.DataFrame, broken: pd.DataFrame, claim: str, **plots: Draw) -> Result:
    """What an analytic says. The check `supported` states `claim` and fails if there are `broken` rows.

    Plots are drawn in another process, so what draws one is a `functools.partial` of a function of a module.
    """
    return Result(frame, broken, claim, plots)


def columns(frame: pd.DataFrame, *names: str) -> dict[str, npt.NDArray[Any]]:
    """These columns of a frame as `pipeline.analytics.plots` takes them, moments in UTC."""
    taken: dict[str, npt.NDArray[Any]] = {}
    for name in names:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            taken[name] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        elif isinstance(column.dtype, pd.DatetimeTZDtype):
            taken[name] = column.dt.tz_convert(None).to_numpy()
        else:
            taken[name] = column.to_numpy()
    return taken


def bars(labels: Iterable[str], rows: pd.DataFrame, value: Any, low: Any, high: Any) -> dict[str, npt.NDArray[Any]]:
    """The rows of an interval plot, from the columns of these names."""
    named = rows[[value, low, high]].set_axis(["value", "low", "high"], axis=1).assign(label=list(labels))
    return columns(named, "label", "value", "low", "high")


def outside(rows: pd.DataFrame, low: str, value: str, high: str) -> "pd.Series[bool]":
    """Which rows have a value that is not within its limits."""
    return (rows[low] > rows[value]) | (rows[high] < rows[value])


Make = Callable[[duckdb.DuckDBPyConnection, datetime], Result]


@dataclass(frozen=True, slots=True)
class Analytic:
    """A table of schema `analytics`: what it is made of, and how, from the build file and as of a moment."""

    table: str
    deps: tuple[dg.AssetKey, ...]
    make: Make


def analytic(table: str, deps: Iterable[dg.AssetKey]) -> Callable[[Make], Analytic]:
    """The asset that writes `table`, with the check `supported` that gates publishing."""
    return lambda make: Analytic(table, tuple(deps), make)


def in_order(analytics: Iterable[Analytic]) -> list[Analytic]:
    """What reads other analytics after them."""
    by_key = {analytic_key(one.table): one for one in analytics}
    order = TopologicalSorter({key: [dep for dep in one.deps if dep in by_key] for key, one in by_key.items()})
    return [by_key[key] for key in order.static_order()]


@dg.resource(description="A process that draws plots on the other core; it begins with the first thing to do.")
def pen() -> Iterator[ProcessPoolExecutor]:
    """The process of one run; ended with it."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=end_with_the_run) as process:
        yield process


def analytics_step(analytics: Iterable[Analytic]) -> dg.AssetsDefinition:
    """All of them as assets of one step: opening the build file and starting a step take longer than most of them."""
    ordered = in_order(analytics)

    @dg.multi_asset(
        name=GROUP,
        specs=[
            dg.AssetSpec(
                analytic_key(one.table),
                deps=one.deps,
                group_name=GROUP,
                kinds={"python", "duckdb"},
                owners=OWNERS,
                description=contract(one.table)["description"],
            )
            for one in ordered
        ],
        check_specs=[dg.AssetCheckSpec("supported", asset=analytic_key(one.table), blocking=True) for one in ordered],
        can_subset=True,
    )
    def step(
        context: dg.AssetExecutionContext, pen: dg.ResourceParam[ProcessPoolExecutor]
    ) -> Iterator[dg.MaterializeResult]:
        selected = [one for one in ordered if analytic_key(one.table) in context.selected_asset_keys]
        results, plots = {}, {}
        with connect(settings().build) as connection:
            # One core is for drawing, which takes as long as all statistics together; and queries as small as these
            # take less of one core than of two.
            connection.execute("set threads = 1")
            as_of = as_of_moment(connection)
            for done, one in enumerate(selected, start=1):
                made = results[one.table] = one.make(connection, as_of)
                plots[one.table] = {name: pen.submit(draw) for name, draw in made.plots.items()}
                write_table(connection, contract(one.table), made.frame)
                report(GROUP, done, len(selected), f"{one.table}: {len(made.frame)} rows")
        for table, made in results.items():
            yield dg.MaterializeResult(
                asset_key=analytic_key(table),
                metadata={
                    **{name: _picture(svg.result()) for name, svg in plots[table].items()},
                    "dagster/row_count": len(made.frame),
                },
                check_results=[
                    dg.AssetCheckResult(
                        check_name="supported",
                        asset_key=analytic_key(table),
                        passed=made.broken.empty,
                        description=made.claim,
                        metadata={"broken_rows": len(made.broken)},
                    )
                ],
            )

    return step


def analytic_key(table: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, table])


def mart(name: str) -> dg.AssetKey:
    return dg.AssetKey(["marts", name])


def seed(name: str) -> dg.AssetKey:
    return dg.AssetKey(["seeds", name])


def as_of_moment(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The last day on which a page was seen: every statistic is as of that day."""
    [(day,)] = connection.execute("select as_of from marts.dim_clock").fetchall()
    return datetime.combine(day, time(), UTC)


def as_stored(moment: datetime) -> datetime:
    """A moment as tables hold it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _picture(svg: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![plot](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})")
