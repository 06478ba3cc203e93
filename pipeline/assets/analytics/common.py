"""What all analytics assets share: their contracts, keys, the day they are as of, and plots as metadata."""

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from pipeline.assets import OWNERS
from pipeline.progress import report
from pipeline.warehouse.publish import contracts, load_manifest
from pipeline.warehouse.transform import prepare

GROUP = "analytics"
HEADLINE_WORKLOAD = "input_output_3_1"

_CONTRACTS = contracts(load_manifest(prepare()))
_TABLES = sorted(table for schema, table in _CONTRACTS if schema == GROUP)


def contract(table: str) -> dict[str, Any]:
    """The columns, types and descriptions that dbt's yml declares for a table of schema `analytics`."""
    return _CONTRACTS[GROUP, table]


def analytic(
    table: str, deps: Iterable[dg.AssetKey]
) -> Callable[[Callable[[], dg.MaterializeResult]], dg.AssetsDefinition]:
    """The asset that writes `table` of schema `analytics`, with the check `supported` that gates publishing."""
    return dg.asset(
        key=analytic_key(table),
        deps=list(deps),
        group_name=GROUP,
        kinds={"python", "duckdb"},
        owners=OWNERS,
        description=contract(table)["description"],
        check_specs=[dg.AssetCheckSpec("supported", asset=analytic_key(table), blocking=True)],
    )


def result(table: str, frame: pd.DataFrame, broken: pd.DataFrame, claim: str, **plots: str) -> dg.MaterializeResult:
    """What an analytic reports once its frame is written: the rows, plots as SVG text, and its check.

    The check `supported` states `claim` and fails if there are `broken` rows, which contradict it.
    """
    report(GROUP, _TABLES.index(table) + 1, len(_TABLES), f"{table}: {len(frame)} rows")
    return dg.MaterializeResult(
        metadata={**{name: _picture(svg) for name, svg in plots.items()}, "dagster/row_count": len(frame)},
        check_results=[
            dg.AssetCheckResult(
                check_name="supported",
                passed=broken.empty,
                description=claim,
                metadata={"broken_rows": len(broken)},
            )
        ],
    )


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


def _picture(svg: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![plot](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})")
