"""The data dictionary: what every published table and column means, in the words of the public file itself.

    python -m pipeline.warehouse.dictionary

writes `dbt_project/DICTIONARY.md` anew from the public file of the last run. Its preface is written by hand and stays.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from pipeline.settings import settings
from pipeline.warehouse.build import connect
from pipeline.warehouse.publish import FILE_NAME, PUBLISHED_SCHEMAS, load_manifest
from pipeline.warehouse.transform import DBT_PROJECT, built_manifest

DICTIONARY = DBT_PROJECT / "DICTIONARY.md"
# Everything up to this line, and the line itself, is written by hand.
GENERATED_FROM = "<!-- generated from here on: python -m pipeline.warehouse.dictionary -->\n"
# What a generic test adds to its columns where it proves that they are the grain.
_GRAIN_TESTS = {"grain": [], "grain_of_days": ["price_date"]}


def dictionary(public_file: Path, manifest: Mapping[str, Any]) -> str:
    """One section in Markdown per table and view of a public file; `manifest` is dbt's and knows the tested grains."""
    with connect(public_file, read_only=True) as connection:
        relations = connection.execute(
            """
            select * from (
                select schema_name, table_name, comment, false as is_view from duckdb_tables()
                union all
                select schema_name, view_name, comment, true from duckdb_views() where not internal
            ) as relations
            order by list_position(?, schema_name), table_name
            """,
            [list(PUBLISHED_SCHEMAS)],
        ).fetchall()
        grains = _grains(manifest)
        return "\n".join(
            _section(connection, schema, table, comment, is_view=is_view, grain=grains.get((schema, table)))
            for schema, table, comment, is_view in relations
        )


def _section(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    comment: str,
    *,
    is_view: bool,
    grain: list[str] | None,
) -> str:
    columns = connection.execute(
        "select column_name, lower(data_type), comment from duckdb_columns()"
        " where (schema_name, table_name) = (?, ?) order by column_index",
        [schema, table],
    ).fetchall()
    lines = [f"## {schema}.{table}", "", comment, ""]
    if grain:
        lines += [f"Grain: {', '.join(f'`{column}`' for column in grain)}.{' A view.' if is_view else ''}", ""]
    lines += ["| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {data_type} | {_cell(meaning)} |" for name, data_type, meaning in columns]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _grains(manifest: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """The columns that a test proves to be the grain, by schema and table."""
    return {
        (model["schema"], model["name"]): test["test_metadata"]["kwargs"]["columns"] + _GRAIN_TESTS[name]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test" and (name := test.get("test_metadata", {}).get("name")) in _GRAIN_TESTS
        for model in [manifest["nodes"][test["attached_node"]]]
    }


def main() -> None:
    """Replaces what is generated in the dictionary; exits with 1 if there is no public file."""
    public_file = settings().public / FILE_NAME
    if not public_file.exists():
        sys.exit(f"There is no {public_file} yet: `tokenfall run` makes it.")
    preface, line, _ = DICTIONARY.read_text().partition(GENERATED_FROM)
    DICTIONARY.write_text(f"{preface}{line}\n{dictionary(public_file, load_manifest(built_manifest()))}")


if __name__ == "__main__":
    main()
