"""Tables that Python writes keep their contracts."""

from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import pytest

from pipeline.warehouse.tables import write_table

FLOORS: dict[str, Any] = {
    "schema": "analytics",
    "name": "floors",
    "columns": {
        name: {"data_type": data_type}
        for name, data_type in {"as_of": "timestamp", "p50": "double", "reason": "varchar"}.items()
    },
}


def test_a_table_of_python_has_the_types_of_its_contract_whatever_is_in_it() -> None:
    frame = pd.DataFrame({"reason": [None], "as_of": [datetime(2026, 8, 21, tzinfo=UTC)], "p50": [2]})
    with duckdb.connect() as connection:
        write_table(connection, FLOORS, frame)
        columns = connection.execute("select column_name, column_type from (describe analytics.floors)").fetchall()
        rows = connection.execute("from analytics.floors").fetchall()
    assert columns == [("as_of", "TIMESTAMP"), ("p50", "DOUBLE"), ("reason", "VARCHAR")]
    assert rows == [(datetime(2026, 8, 21), 2.0, None)]


@pytest.mark.parametrize("columns", [["as_of", "p50"], ["as_of", "p50", "reason", "note"]])
def test_a_table_of_python_with_other_columns_than_its_contract_is_not_written(columns: list[str]) -> None:
    with duckdb.connect() as connection, pytest.raises(ValueError, match=r"contract of analytics\.floors"):
        write_table(connection, FLOORS, pd.DataFrame(columns=columns))
