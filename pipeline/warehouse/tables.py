"""Statistics of Python as tables of the warehouse."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pandas as pd


def write_table(connection: duckdb.DuckDBPyConnection, contract: Mapping[str, Any], frame: pd.DataFrame) -> None:
    """Replaces a table with a frame, in the columns and types that dbt's yml declares for it.

    `contract` is the table's source in dbt's manifest. Moments become UTC without zone, like everywhere else. Raises
    ValueError if the frame has other columns, and DuckDB's ConversionException if a value has no place in its type.
    """
    table, columns = f"{contract['schema']}.{contract['name']}", contract["columns"]
    if differing := set(frame.columns) ^ set(columns):
        raise ValueError(f"columns and contract of {table} differ: {differing}")
    frame = frame.copy()
    for column in frame.select_dtypes("datetimetz").columns:
        frame[column] = frame[column].dt.tz_localize(None)
    typed = ", ".join(f"cast({name} as {column['data_type']}) as {name}" for name, column in columns.items())
    connection.execute(f"create schema if not exists {contract['schema']}")
    connection.register("new_table", frame)
    try:
        connection.execute(f"create or replace table {table} as from new_table select {typed}")
    finally:
        connection.unregister("new_table")


def escaped(text: object) -> str:
    """A text as it stands within single quotes in SQL, for statements that take no parameters."""
    return str(text).replace("'", "''")
