"""What the floors read out of the warehouse, in a small one made by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from pipeline.assets.analytics.common import contract
from pipeline.assets.analytics.floors import (
    cheapest_hosts,
    cost_floor_bottom_up_frame,
    cost_floor_statistical_frame,
    floor_estimates_frame,
    floor_gap_frame,
    host_prices,
    monthly_prices,
    self_hosting_crossover_frame,
)
from pipeline.settings import PROJECT
from pipeline.warehouse.tables import write_table

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
START = date(2024, 1, 1)
MADE_BY = {
    "cost_floor_bottom_up": cost_floor_bottom_up_frame,
    "cost_floor_statistical": cost_floor_statistical_frame,
    "floor_estimates": floor_estimates_frame,
    "floor_gap": floor_gap_frame,
    "self_hosting_crossover": self_hosting_crossover_frame,
}


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema seeds; create schema marts")
        for name in ("floor_models", "gpu_rents", "throughput", "gpu_hardware"):
            connection.execute(f"create table seeds.{name} as from read_csv('{PROJECT / 'seeds' / name}.csv')")
        connection.execute(
            """
            create table marts.dim_model (
                model_id varchar, open_weights boolean, parameters_total_b double, parameters_active_b double
            );
            insert into marts.dim_model values
                ('open 8B', true, 8, 8), ('open 9B', true, 9, 9), ('open 12B', true, 12, 12),
                ('closed 8B', false, 8, 8), ('open MoE of 8B', true, 8, 1), ('unknown', true, null, null);
            create table marts.dim_provider as
                select unnest(['a', 'b', 'c', 'd', 'e', 'f', 'router']) as provider_id,
                    if(provider_id = 'router', 'aggregator', 'first_party') as provider_kind;
            create table marts.mart_blended_price (
                model_id varchar, provider_id varchar, workload_id varchar, usd_per_mtok double,
                day_from date, day_to date, service_tier varchar, context_from bigint, is_promo boolean
            );
            create table marts.mart_frontier_price_daily as
                select 'tier' as tier_id, 'all' as model_group, 'input_output_3_1' as workload_id,
                    cast(day as date) as price_date, cast(year(day) as double) as p_star
                from generate_series(timestamp '2024-01-01', timestamp '2026-06-01', interval 1 day) as _ (day)
            """
        )
        yield connection


def sell(connection: duckdb.DuckDBPyConnection, provider_id: str, price: float | None, **changed: Any) -> None:
    offer = {
        "model_id": "open 8B",
        "provider_id": provider_id,
        "workload_id": "input_output_3_1",
        "usd_per_mtok": price,
        "day_from": START,
        "day_to": None,
        "service_tier": "standard",
        "context_from": None,
        "is_promo": False,
    } | changed
    connection.execute("insert into marts.mart_blended_price values (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(offer.values()))


def test_a_host_asks_the_mean_of_its_lowest_prices(warehouse: duckdb.DuckDBPyConnection) -> None:
    day = AS_OF.date()
    # 30 days at 1 and 60 at 8; a dearer model beside it does not count.
    sell(warehouse, "a", 8.0, day_to=day - timedelta(days=29))
    sell(warehouse, "a", 1.0, day_from=day - timedelta(days=29))
    sell(warehouse, "a", 9.0, model_id="open 9B")
    # Gone before the window, and not yet sold.
    sell(warehouse, "b", 1.0, day_to=day - timedelta(days=89))
    sell(warehouse, "c", 1.0, day_from=day + timedelta(days=1))
    sell(warehouse, "d", 3.0, day_to=day - timedelta(days=88), workload_id="output_only")
    rows = host_prices(warehouse, AS_OF)
    assert rows[["model_class", "meter", "provider_id"]].to_numpy().tolist() == [
        ["8b_dense", "blend_3_1", "a"],
        ["8b_dense", "output", "d"],
    ]
    assert rows["usd_per_mtok"].tolist() == pytest.approx([4.0, 3.0])


@pytest.mark.parametrize(
    "changed",
    [
        {"provider_id": "router"},
        {"model_id": "open 12B"},
        {"model_id": "closed 8B"},
        {"model_id": "open MoE of 8B"},
        {"model_id": "unknown"},
        {"service_tier": "batch"},
        {"context_from": 128_000},
        {"is_promo": True},
        {"price": 0.0},
        {"price": None},
        {"workload_id": "chat"},
    ],
)
def test_what_is_no_host_price_of_a_class(warehouse: duckdb.DuckDBPyConnection, changed: dict[str, Any]) -> None:
    sell(warehouse, **{"provider_id": "a", "price": 0.01} | changed)
    assert host_prices(warehouse, AS_OF).empty
    assert cheapest_hosts(warehouse, AS_OF).empty
    assert set(monthly_prices(warehouse, AS_OF)["series_kind"]) == {"capability_tier"}


def test_the_cheapest_host_of_the_day(warehouse: duckdb.DuckDBPyConnection) -> None:
    sell(warehouse, "a", 1.0, day_to=AS_OF.date())
    sell(warehouse, "b", 2.0)
    sell(warehouse, "c", 3.0)
    assert cheapest_hosts(warehouse, AS_OF).to_numpy().tolist() == [["8b_dense", "b", "open 8B", 2.0]]


def test_months_go_back_from_the_day(warehouse: duckdb.DuckDBPyConnection) -> None:
    sell(warehouse, "a", 1.0, day_to=date(2026, 5, 2))
    sell(warehouse, "b", 2.0)
    rows = monthly_prices(warehouse, AS_OF)
    small = rows[rows["series_kind"] == "model_class"].set_index("at")["price"]
    assert small.index.is_monotonic_increasing
    assert len(small) == 30
    assert small.iloc[-2:].tolist() == [1.0, 2.0]
    tier = rows[rows["series_kind"] == "capability_tier"].set_index("at")["price"]
    assert tier.index.equals(small.index)
    assert tier.tolist() == [2024] * 12 + [2025] * 12 + [2026] * 6
    # On the last day of a long month, the months before end where they end.
    ends = monthly_prices(warehouse, datetime(2026, 3, 31, tzinfo=UTC))["at"].drop_duplicates()
    assert [f"{at:%m-%d}" for at in ends.iloc[-3:]] == ["01-31", "02-28", "03-31"]


def test_all_tables_of_the_floors_keep_their_contracts(warehouse: duckdb.DuckDBPyConnection) -> None:
    for provider_id, price in zip("abcdef", (0.05, 0.06, 0.07, 0.08, 0.1, 0.2), strict=True):
        sell(warehouse, provider_id, price)
    for table, made in MADE_BY.items():
        write_table(warehouse, contract(table), made(warehouse, AS_OF))
        grain = ", ".join(contract(table)["config"]["meta"]["grain"])
        [(rows, keys)] = warehouse.execute(
            f"select count(*), count(distinct ({grain})) from analytics.{table}"
        ).fetchall()
        assert rows == keys > 0
    [(n_components, hosts, p50)] = warehouse.execute(
        """
        select n_components, competitive_hosts, p50 from analytics.floor_estimates
        where model_class = '8b_dense' and meter = 'blend_3_1'
        """
    ).fetchall()
    assert (n_components, hosts) == (2, 6)
    assert 0.03 < p50 < 0.06
    [(gap,)] = warehouse.execute(
        """
        select ln_gap - ln(0.05 / estimates.p50) from analytics.floor_gap as gaps
        join analytics.floor_estimates as estimates
            on estimates.model_class = gaps.series_id and estimates.meter = gaps.meter
        where gaps.component = 'combined' and gaps.gate = 'ok'
        """
    ).fetchall()
    assert gap == pytest.approx(0)
    [(providers,)] = warehouse.execute(
        "select list(distinct api_provider_id) from analytics.self_hosting_crossover where model_class = '8b_dense'"
    ).fetchall()
    assert providers == ["a"]
