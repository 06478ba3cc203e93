"""Write, audit, publish: the last step puts the audited marts where readers open them, whole or not at all."""

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from pipeline.warehouse.build import CONFIG
from pipeline.warehouse.tables import escaped

PUBLISHED_SCHEMAS = ("marts", "analytics")
FILE_NAME = "tokenfall.duckdb"
GENERATIONS = 3
# The oldest storage format that holds everything we publish: clients from DuckDB 1.2 on can open it.
STORAGE_VERSION = "v1.2.0"
MACROS = (Path(__file__).parent / "price_on.sql").read_text()


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: the file, its size in bytes, and how many rows each table and view has."""

    path: Path
    size: int
    rows: dict[str, int]


def publish(build_file: Path, public: Path, manifest: Mapping[str, Any]) -> Published:
    """Writes the public DuckDB file and Parquet beside it, then swaps both in.

    `manifest` is dbt's: what it describes is published, its descriptions become comments, and a view that reads
    published tables only stays a view.
    Readers that have the old file open keep it; the last three generations stay in `generations/`.
    """
    public.mkdir(parents=True, exist_ok=True)
    draft = public / f".{FILE_NAME}.draft"
    parquet = public / f".parquet-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    for leftover in (*public.glob(f".{FILE_NAME}.draft*"), *public.glob(".parquet-*")):
        if leftover.is_file():
            leftover.unlink()
        elif (public / "parquet").resolve() != leftover.resolve():
            shutil.rmtree(leftover)
    parquet.mkdir()
    # One thread: the same warehouse gives the same bytes, without sorting millions of daily rows.
    with duckdb.connect(config={**CONFIG, "threads": 1}) as connection:
        connection.execute(f"attach '{escaped(draft)}' as public (storage_version '{STORAGE_VERSION}')")
        connection.execute(f"attach '{escaped(build_file)}' as build (read_only)")
        connection.execute("use public")
        # In one transaction: each of hundreds of comments would wait for the disk.
        connection.execute("begin")
        daily, other = _copy(connection, manifest)
        connection.execute("commit")
        # The views of daily rows take the longest.
        with ThreadPoolExecutor(2) as pool:
            exports = [
                *(
                    pool.submit(_export_by_month, connection, view, days, parquet, public / "parquet")
                    for view, days in daily.items()
                ),
                *(pool.submit(_write, connection, relation, parquet / f"{relation}.parquet") for relation in other),
            ]
            rows = dict(sorted(zip([*daily, *other], (export.result() for export in exports), strict=True)))
        connection.execute(MACROS)
        connection.execute("use memory; detach build; checkpoint public; detach public")
    if draft.with_name(draft.name + ".wal").exists():
        raise RuntimeError(f"{draft} was not closed cleanly: its log is still there")
    _swap(public, draft, parquet)
    return Published(public / FILE_NAME, (public / FILE_NAME).stat().st_size, rows)


class _Days(NamedTuple):
    """The spans whose days a view counts out, and what of them is the view's grain, with the day."""

    key: list[str]
    spans: str
    day_from: str
    day_to: str
    among: str


def _copy(connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> tuple[dict[str, _Days], list[str]]:
    """Writes all tables and views; returns the views that count out the days of spans, and the names of all others."""
    described = contracts(manifest)
    # Of a build file what the project still has: tables of an older version may be left in it.
    tables = [
        (schema, name, is_view)
        for schema, name, is_view in connection.execute(
            """
            select schema_name, table_name, false from duckdb_tables() where database_name = 'build'
            union all
            select schema_name, view_name, true from duckdb_views() where database_name = 'build'
            """
        ).fetchall()
        if (schema, name) in described
    ]
    stay_views = {
        (schema, name)
        for schema, name, is_view in tables
        if is_view and _reads_published(described[schema, name], manifest)
    }
    for schema in PUBLISHED_SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    # Tables before the views that read them; by name for the same file from the same warehouse.
    in_order = sorted(tables, key=lambda table: ((table[0], table[1]) in stay_views, table[:2]))
    for schema, name, _ in in_order:
        if (schema, name) in stay_views:
            connection.execute(f"create view {schema}.{name} as {described[schema, name]['compiled_code']}")
        else:
            connection.execute(f"create table {schema}.{name} as from build.{schema}.{name} order by all")
        _describe(connection, described[schema, name], "view" if (schema, name) in stay_views else "table")

    days = _daily_views(manifest)
    daily = {f"{schema}.{name}": days[schema, name] for schema, name, _ in in_order if (schema, name) in days}
    relations = [f"{schema}.{name}" for schema, name, _ in in_order]
    return daily, [relation for relation in relations if relation not in daily]


def _daily_views(manifest: Mapping[str, Any]) -> dict[tuple[str, str], _Days]:
    """The views that count out days, as the test of their grain describes them."""
    nodes = manifest["nodes"]
    views = {}
    for node in nodes.values():
        if node["resource_type"] == "test" and node["test_metadata"]["name"] == "grain_of_days":
            view = nodes[node["attached_node"]]
            [spans] = set(node["depends_on"]["nodes"]) - {node["attached_node"]}
            described = node["test_metadata"]["kwargs"]
            views[view["schema"], view["name"]] = _Days(
                described["columns"],
                f"{nodes[spans]['schema']}.{nodes[spans]['name']}",
                described["day_from"],
                described["day_to"],
                described["among"],
            )
    return views


def _export_by_month(
    connection: duckdb.DuckDBPyConnection, view: str, days: _Days, folder: Path, previous: Path
) -> int:
    """One file a month, key by key; a month of the previous publication in which nothing differs keeps its file.

    Each file bears a digest of what its rows come from: the view, and the spans that reach into the month, cut to it.
    What cannot be read of the previous publication is written anew.
    """
    (folder / view).mkdir()
    with connection.cursor() as cursor:
        cursor.execute("use public")
        try:
            written = dict(
                cursor.execute(
                    "select parse_filename(file_name), decode(value) from parquet_kv_metadata(?) where key = 'spans'",
                    [str(previous / view / "*.parquet")],
                ).fetchall()
            )
        except duckdb.Error:
            written = {}
        described = cursor.execute(f"describe {view}").fetchall()
        columns = ", ".join(column for column, *_ in described if column != "price_date")
        [[sql]] = cursor.execute(
            "select sql from duckdb_views() where database_name = 'public' and schema_name || '.' || view_name = ?",
            [view],
        ).fetchall()
        months = cursor.execute(
            f"""
            with spans as (
                select {columns}, {days.day_from} as span_from,
                    least({days.day_to}, (select as_of + 1 from marts.dim_clock)) as span_to
                from {days.spans} where {days.among}
            ),
            parts as (
                select * exclude (month), cast(month as date) as month, greatest(span_from, month) as part_from,
                    least(span_to, month + interval 1 month) as part_to
                from (
                    select *, unnest(range(date_trunc('month', span_from), span_to, interval 1 month)) as month
                    from spans where span_from < span_to
                )
            )
            select month, cast(sum(date_diff('day', part_from, part_to)) as bigint),
                md5(concat_ws('|', version(), ?, count(*), sum(hash({columns}, part_from, part_to))))
            from parts group by month order by month
            """,  # noqa: S608
            [f"{described}{sql}"],
        ).fetchall()
    for month, _, digest in months:
        name = f"{month:%Y-%m}.parquet"
        target = folder / view / name
        if written.get(name) == digest:
            target.hardlink_to(previous / view / name)
        else:
            rows = f"from {view} where price_date between date '{month}' and last_day(date '{month}')"
            in_order = f"({rows} order by {', '.join(days.key)}, price_date)"
            _write(connection, in_order, target, f", kv_metadata {{spans: '{digest}'}}")
    return sum(n_rows for _, n_rows, _ in months)


def _write(connection: duckdb.DuckDBPyConnection, rows: str, target: Path, more_options: str = "") -> int:
    with connection.cursor() as cursor:
        cursor.execute("use public")
        # Row groups are held in memory until they are full.
        options = f"format parquet, compression zstd, row_group_size 40960{more_options}"
        [n_rows] = cursor.execute(f"copy {rows} to '{escaped(target)}' ({options})").fetchone() or [0]
    return int(n_rows)


def _reads_published(node: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    parents = node["depends_on"]["nodes"]
    return all(
        parent in manifest["nodes"] and manifest["nodes"][parent]["schema"] in PUBLISHED_SCHEMAS for parent in parents
    )


def _describe(connection: duckdb.DuckDBPyConnection, contract: Mapping[str, Any], kind: str) -> None:
    relation = f"{contract['schema']}.{contract['name']}"
    connection.execute(f"comment on {kind} {relation} is '{escaped(contract['description'])}'")
    for column in contract["columns"].values():
        connection.execute(f"comment on column {relation}.{column['name']} is '{escaped(column['description'])}'")


def _swap(public: Path, draft: Path, parquet: Path) -> None:
    """Each name changes hands in one atomic rename; Parquet is a directory behind a link, for the same reason."""
    current = public / FILE_NAME
    generations = public / "generations"
    generations.mkdir(exist_ok=True)
    if current.exists():
        written = datetime.fromtimestamp(current.stat().st_mtime, UTC)
        kept = generations / f"tokenfall-{written:%Y%m%dT%H%M%S%f}.duckdb"
        kept.unlink(missing_ok=True)
        kept.hardlink_to(current)
    draft.replace(current)
    link = public / ".parquet.link"
    link.unlink(missing_ok=True)
    link.symlink_to(parquet.name, target_is_directory=True)
    link.replace(public / "parquet")
    for outdated in sorted(generations.glob("tokenfall-*.duckdb"))[:-GENERATIONS]:
        outdated.unlink()
    for outdated in public.glob(".parquet-*"):
        if outdated.name != parquet.name:
            shutil.rmtree(outdated)


def load_manifest(path: Path) -> dict[str, Any]:
    """dbt's manifest of a build, compiled SQL included."""
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def contracts(manifest: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What is published, by schema and table: dbt's models, and the sources that Python writes."""
    return {
        (node["schema"], node["name"]): node
        for node in (*manifest["nodes"].values(), *manifest["sources"].values())
        if node["resource_type"] in {"model", "source"} and node["schema"] in PUBLISHED_SCHEMAS
    }
