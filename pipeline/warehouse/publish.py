"""Write, audit, publish: the last step puts the audited marts where readers open them, whole or not at all."""

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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
        rows = _copy(connection, manifest, parquet)
        connection.execute(MACROS)
        connection.execute("use memory; detach build; checkpoint public; detach public")
    if draft.with_name(draft.name + ".wal").exists():
        raise RuntimeError(f"{draft} was not closed cleanly: its log is still there")
    _swap(public, draft, parquet)
    return Published(public / FILE_NAME, (public / FILE_NAME).stat().st_size, rows)


def _copy(connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], parquet: Path) -> dict[str, int]:
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

    def export(relation: str) -> int:
        target = escaped(parquet / f"{relation}.parquet")
        with connection.cursor() as cursor:
            cursor.execute("use public")
            # Row groups are held in memory until they are full.
            options = "format parquet, compression zstd, row_group_size 40960"
            copied = cursor.execute(f"copy {relation} to '{target}' ({options})")
            [n_rows] = copied.fetchone() or [0]
        return int(n_rows)

    relations = [f"{schema}.{name}" for schema, name, _ in in_order]
    # The views of daily rows, at the end, take the longest.
    with ThreadPoolExecutor(2) as pool:
        return dict(sorted(zip(relations, pool.map(export, relations), strict=True)))


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
