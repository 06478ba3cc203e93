"""Which prices the decline rates are measured on: the SQL of `decline_series`, on marts made by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import pytest

from pipeline.assets.analytics.rates import decline_rates_frame, decline_series, decline_slowdown_frame

MARTS = """
    create schema marts;
    create table marts.dim_provider (provider_id varchar, provider_kind varchar, pages integer);
    insert into marts.dim_provider values
        ('maker', 'first_party', 1), ('host', 'reseller', 1), ('router', 'aggregator', 1), ('map', 'unread', 0);
    create table marts.dim_model (model_id varchar);
    insert into marts.dim_model values ('m/one'), ('m/two');
    create table marts.mart_blended_price (
        offer_id varchar, model_id varchar, provider_id varchar, workload_id varchar, service_tier varchar,
        context_from bigint, day_from date, day_to date, usd_per_mtok double, is_promo boolean
    );
    create table marts.mart_frontier_price (
        tier_id varchar, model_group varchar, workload_id varchar, day_from date, day_to date, p_star double
    );
    create table marts.dim_clock as select date '2025-01-31' as as_of;
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        yield connection


def offer(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    price: float,
    since: str,
    until: str | None = None,
    *,
    model: str = "m/one",
    workload: str = "input_output_3_1",
    tier: str = "standard",
    context_from: int | None = None,
    promo: bool = False,
) -> None:
    row = [f"{provider}/{model}", model, provider, workload, tier, context_from, since, until, price, promo]
    connection.execute(f"insert into marts.mart_blended_price values ({', '.join('?' * len(row))})", row)


def series(connection: duckdb.DuckDBPyConnection, kind: str, series_id: str) -> list[tuple[date, float | None]]:
    found = decline_series(connection)
    found = found[(found["series_kind"] == kind) & (found["series_id"] == series_id)]
    assert str(found["at"].dtype) == "datetime64[us, UTC]"
    return [(row.at.date(), None if pd.isna(row.price) else row.price) for row in found.itertuples()]


def test_a_model_costs_what_its_cheapest_maker_or_host_asks(connection: duckdb.DuckDBPyConnection) -> None:
    offer(connection, "maker", 10, "2025-01-01", "2025-06-01")
    offer(connection, "maker", 8, "2025-06-01")
    offer(connection, "host", 9, "2025-03-01", "2025-09-01")
    # None of these is a price of the model by the rules of the frontier.
    offer(connection, "router", 1, "2025-01-01")
    offer(connection, "host", 2, "2025-04-01", "2025-04-20", promo=True)
    offer(connection, "host", 3, "2025-01-01", tier="batch")
    offer(connection, "host", 4, "2025-01-01", context_from=200_000)
    offer(connection, "host", 0, "2025-01-01", "2025-02-01")
    offer(connection, "host", 5, "2025-01-01", workload="output_only")
    offer(connection, "host", 6, "2025-01-01", model="host:unknown")
    assert series(connection, "model", "m/one") == [
        (date(2025, 1, 1), 10),
        (date(2025, 3, 1), 9),
        (date(2025, 6, 1), 8),
        (date(2025, 9, 1), 8),
    ]
    assert series(connection, "model", "host:unknown") == []
    assert series(connection, "model", "m/two") == []


def test_a_model_that_is_on_offer_nowhere_has_no_price(connection: duckdb.DuckDBPyConnection) -> None:
    offer(connection, "maker", 10, "2025-01-01", "2025-06-01")
    offer(connection, "host", 7, "2025-08-01")
    assert series(connection, "model", "m/one") == [
        (date(2025, 1, 1), 10),
        (date(2025, 6, 1), None),
        (date(2025, 8, 1), 7),
    ]


def test_a_provider_is_a_panel_of_its_offers_by_model(connection: duckdb.DuckDBPyConnection) -> None:
    offer(connection, "maker", 10, "2025-01-01", "2025-06-01")
    offer(connection, "maker", 8, "2025-06-01", "2025-07-01")
    offer(connection, "maker", 3, "2025-01-01", model="m/two")
    offer(connection, "map", 3, "2025-01-01")
    found = decline_series(connection)
    panel = found[found["series_kind"] == "provider"]
    assert set(panel["series_id"]) == {"maker"}
    assert set(panel["cluster"]) == {"m/one", "m/two"}
    assert set(panel["offer_id"]) == {"maker/m/one/m/one", "maker/m/two/m/two"}
    assert series(connection, "provider", "maker") == [
        (date(2025, 1, 1), 3),
        (date(2025, 1, 1), 10),
        (date(2025, 6, 1), 8),
        (date(2025, 7, 1), None),
    ]


def test_a_tier_has_a_series_for_each_group_of_models(connection: duckdb.DuckDBPyConnection) -> None:
    spans = [
        ("all", "2025-01-01", "2025-01-02", 9),
        # Another offer leads at the same price.
        ("all", "2025-01-02", "2025-01-03", 9),
        ("all", "2025-01-03", "2025-01-04", 7),
        ("all", "2025-01-05", None, 7),
        ("reasoning", "2025-01-02", "2025-01-03", 8),
        # Promos alone are no price.
        ("reasoning", "2025-01-03", None, None),
        # Ended, with an offer announced for later.
        ("non_reasoning", "2025-01-01", "2025-01-20", 9),
        ("non_reasoning", "2025-02-01", None, 1),
    ]
    for group, since, until, price in spans:
        connection.execute(
            "insert into marts.mart_frontier_price values ('eci-x', ?, 'chat', ?, ?, ?)", [group, since, until, price]
        )
    assert series(connection, "capability_tier", "eci-x") == [
        (date(2025, 1, 1), 9),
        (date(2025, 1, 3), 7),
        # A day without any offer.
        (date(2025, 1, 4), None),
        (date(2025, 1, 5), 7),
    ]
    assert series(connection, "capability_tier_reasoning", "eci-x") == [
        (date(2025, 1, 2), 8),
        (date(2025, 1, 3), None),
    ]
    assert series(connection, "capability_tier_non_reasoning", "eci-x") == [
        (date(2025, 1, 1), 9),
        (date(2025, 1, 20), None),
    ]


def test_every_series_has_its_rows_also_without_a_change(connection: duckdb.DuckDBPyConnection) -> None:
    offer(connection, "maker", 10, "2025-01-01")
    as_of = datetime(2026, 1, 1, tzinfo=UTC)
    rates = decline_rates_frame(connection, as_of)
    of_model = rates[rates["series_kind"] == "model"]
    assert len(of_model) == 4 * 3 + 1
    assert set(of_model["gate"]) == {"insufficient"}
    assert of_model["reason"].notna().all()
    assert not rates.duplicated(["series_kind", "series_id", "workload", "window_days", "method"]).any()
    slowdowns = decline_slowdown_frame(connection, as_of)
    assert list(slowdowns["series_kind"]) == ["model", "provider"]
    assert slowdowns["reason"].notna().all()
