"""What the costs of tasks read from the warehouse."""

from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import pytest

from pipeline.assets.analytics.common import contract
from pipeline.assets.analytics.tasks import NAMED_MODELS, margin_squeeze_frame, task_cost_frame
from pipeline.settings import PROJECT
from pipeline.warehouse.tables import write_table

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
NAMED = NAMED_MODELS[0]


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """One offer that counts, at 5 and 25, and one at 1 and 1 for each reason not to count. A tier holds one model."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema seeds; create schema analytics")
        connection.execute("create table seeds.tasks as from read_csv(?)", [str(PROJECT / "seeds" / "tasks.csv")])
        connection.execute(
            """
            create table marts.dim_provider as
            from (values ('maker', 'first_party'), ('router', 'aggregator')) as rows (provider_id, provider_kind);
            create table seeds.capability_tiers as
            from (values ('high', 'eci', 150), ('low', 'eci', 100), ('mmlu', 'mmlu', 0.5))
                as rows (tier_id, benchmark, threshold);
            """
        )
        connection.execute(
            "create table seeds.capability_scores as select ? as model_id, 'eci' as benchmark, 120.0 as score", [NAMED]
        )
        connection.execute(
            """
            create table marts.fct_price_history as
            select offer_id, provider_id, ? as model_id, meter, if(offer_id = 'counts', dear, 1)::decimal(38, 18)
                as usd_per_mtok, service_tier, null::bigint as context_from, null::bigint as context_to, currency,
                quality, valid_from::timestamp as valid_from, valid_to::timestamp as valid_to,
                known_to::timestamp as known_to
            from (values
                ('counts', 'maker', 'standard', 'USD', 'ok', '2026-10-01', null, null),
                ('promo', 'maker', 'standard', 'USD', 'ok', '2026-09-20', '2026-10-10', null),
                ('routed', 'router', 'standard', 'USD', 'ok', '2026-01-01', null, null),
                ('batch', 'maker', 'batch', 'USD', 'ok', '2026-01-01', null, null),
                ('foreign', 'maker', 'standard', 'CNY', 'ok', '2026-01-01', null, null),
                ('doubted', 'maker', 'standard', 'USD', 'quarantined', '2026-01-01', null, null),
                ('ended', 'maker', 'standard', 'USD', 'ok', '2026-01-01', '2026-10-01', null),
                ('future', 'maker', 'standard', 'USD', 'ok', '2026-10-02', null, null),
                ('disbelieved', 'maker', 'standard', 'USD', 'ok', '2026-01-01', null, '2026-02-01')
            ) as offers (offer_id, provider_id, service_tier, currency, quality, valid_from, valid_to, known_to),
                (values ('input', 5), ('cache_read', 0.5), ('output', 25), ('video', 0)) as meters (meter, dear)
            """,
            [NAMED],
        )
        yield connection


def test_only_offers_that_count_for_the_frontier_are_bought(warehouse: duckdb.DuckDBPyConnection) -> None:
    costs = task_cost_frame(warehouse, AS_OF)
    assert set(costs["choice_id"]) == {"high", "low", "mmlu", *NAMED_MODELS}
    bought = costs[costs["gate"] == "ok"]
    assert set(bought["choice_id"]) == {"low", NAMED}
    assert set(bought["offer_id"]) == {"counts"}
    assert set(bought["output_usd_per_mtok"]) == {25.0}
    # 4,000 x 5 + 300 x 25 per million, 85 of 100 of which succeed.
    by_task = bought.set_index(["task_id", "choice_id"])["cost_usd_per_task"]
    assert by_task["answer_question", "low"] == pytest.approx(0.0275 / 0.85)


def test_margins_follow_the_forecasts_of_the_same_day_without_a_floor(warehouse: duckdb.DuckDBPyConnection) -> None:
    write_table(warehouse, contract("task_cost"), task_cost_frame(warehouse, AS_OF))
    columns = {name: column["data_type"] for name, column in contract("forecasts")["columns"].items()}
    warehouse.execute(f"create table analytics.forecasts ({', '.join(f'{n} {t}' for n, t in columns.items())})")
    for day, workload, with_floor, p50 in (
        ("2026-10-01", "input_output_3_1", False, 2.0),
        ("2026-10-01", "input_output_3_1", True, 3.0),
        ("2026-10-01", "output_only", False, 3.0),
        ("2026-09-01", "input_output_3_1", False, 3.0),
    ):
        warehouse.execute(
            "insert into analytics.forecasts by name select ?::timestamp as as_of, 'low' as series_id, ? as workload,"
            " 'drift_walk' as method, ? as with_floor, 6 as horizon_months, 4.0 as origin_usd_per_mtok, 1.0 as p05,"
            " ? as p50, 8.0 as p95",
            [day, workload, with_floor, p50],
        )
    margins = margin_squeeze_frame(warehouse, AS_OF)
    row = margins.set_index(["task_id", "tier_id", "horizon_months"]).loc[("answer_question", "low", 6)]
    assert row["cost_p50_usd_per_task"] == pytest.approx(0.0275 / 0.85 / 2)
    assert row["gross_margin_low"] == pytest.approx(1 - 2 * 0.0275 / 0.85 / 0.05)
    assert set(margins["horizon_months"]) == {0, 6}
    assert set(margins["tier_id"]) == {"low"}
