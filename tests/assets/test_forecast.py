"""What the forecasts read from the warehouse."""

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pytest

from pipeline.analytics import plots
from pipeline.assets.analytics.common import columns, contract
from pipeline.assets.analytics.forecast import FAN, forecast_scores_frame, forecasts_frame, month_end_prices
from pipeline.warehouse.tables import write_table

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A tier whose price halves every other month, in a rhythm of its own, and the floors of two model classes."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema analytics")
        connection.execute(
            """
            create table marts.mart_frontier_price_daily as
            select day::date as price_date, 'tier' as tier_id, model_group, workload_id,
                64 * pow(0.5, floor(pow(datediff('month', timestamp '2024-01-01', day), 0.9) / 2)) as p_star
            from generate_series(timestamp '2024-01-01', timestamp '2026-10-01', interval 1 day) as days (day),
                unnest(['all', 'reasoning']) as model_groups (model_group),
                unnest(['input_output_3_1', 'output_only', 'rag']) as workloads (workload_id)
            """
        )
        connection.execute(
            """
            create table analytics.floor_estimates (as_of timestamp, meter varchar, p05 double, gate varchar);
            insert into analytics.floor_estimates values
                ('2026-10-01', 'blend_3_1', 0.002, 'ok'), ('2026-10-01', 'blend_3_1', 0.001, 'ok'),
                ('2026-10-01', 'blend_3_1', null, 'insufficient'), ('2026-10-01', 'input', 1e-9, 'ok'),
                ('2026-10-01', 'output', 0.003, 'ok')
            """
        )
        yield connection


def made(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    write_table(connection, contract("forecast_scores"), forecast_scores_frame(connection, as_of))
    write_table(connection, contract("forecasts"), forecasts_frame(connection, as_of))
    return connection.execute("from analytics.forecasts").df()


def test_the_series_are_the_prices_at_the_ends_of_months(warehouse: duckdb.DuckDBPyConnection) -> None:
    prices = month_end_prices(warehouse)
    assert set(prices["workload"]) == {"input_output_3_1", "output_only"}
    assert len(prices) == 2 * 33
    assert (prices["month_end"] == prices["month_end"] + pd.offsets.MonthEnd(0)).all()


def test_forecasts_stand_beside_their_scores_and_above_the_lowest_floor(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = made(warehouse, AS_OF)
    assert set(rows["gate"]) == {"ok"}
    assert rows.loc[rows["horizon_months"] == 3, "coverage"].notna().all()
    floors = rows[rows["with_floor"]].groupby("workload")["floor_p05"].unique()
    assert floors.map(list).to_dict() == {"input_output_3_1": [0.001], "output_only": [0.003]}
    assert set(rows["origin_month"]) == {pd.Timestamp("2026-09-30")}


def test_floors_of_another_day_are_not_known(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = made(warehouse, datetime(2026, 6, 15, tzinfo=UTC))
    assert set(rows.loc[rows["with_floor"], "reason"]) == {"no floor is known"}
    assert set(rows.loc[~rows["with_floor"], "gate"]) == {"ok"}
    assert set(rows["origin_month"]) == {pd.Timestamp("2026-05-31")}


def test_a_fan_is_drawn_of_what_there_is(warehouse: duckdb.DuckDBPyConnection) -> None:
    history = columns(month_end_prices(warehouse), "month_end", "price")
    ahead = made(warehouse, AS_OF).query("method == 'drift_walk'")
    free, floored = (columns(rows, *FAN) for rows in (ahead[~ahead["with_floor"]], ahead[ahead["with_floor"]]))
    no_history, nothing = ({name: values[:0] for name, values in some.items()} for some in (history, free))
    drawn = plots.fan(history, free, floored, "one tier")
    assert "median, with floor" in drawn
    assert drawn == plots.fan(history, free, floored, "one tier")
    assert "<svg" in plots.fan(history, nothing, nothing, "without a forecast")
    assert "<svg" in plots.fan(no_history, nothing, nothing, "nothing")
