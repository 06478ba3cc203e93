"""Which prices the index takes from the marts, and what an item's price in a month is."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import pytest

from pipeline.analytics.plots import indices
from pipeline.assets.analytics.common import columns
from pipeline.assets.analytics.indices import price_index_frame, price_panel

AS_OF = datetime(2024, 3, 10, tzinfo=UTC)
PROVIDERS = {"alpha": "first_party", "beta": "reseller", "gamma": "reseller", "router": "aggregator", "map": "unread"}


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("""
            create schema marts;
            create table marts.dim_provider (provider_id varchar, provider_kind varchar);
            create table marts.dim_model (
                model_id varchar, open_weights boolean, capability_eci double, context_tokens bigint, reasoning boolean,
                release_date date
            );
            create table marts.mart_blended_price (
                offer_id varchar, model_id varchar, provider_id varchar, workload_id varchar, service_tier varchar,
                context_from bigint, day_from date, day_to date, usd_per_mtok double
            );
            insert into marts.dim_model values ('open', true, 120, 8000, false, '2023-11-20'),
                ('closed', false, 130, 128000, true, '2024-01-05'), ('unknown', null, null, null, null, null);
        """)
        connection.executemany("insert into marts.dim_provider values (?, ?)", list(PROVIDERS.items()))
        yield connection


def sell(
    connection: duckdb.DuckDBPyConnection,
    day_from: str,
    day_to: str | None,
    price: float | None,
    *,
    offer: str = "a",
    model: str = "open",
    provider: str = "alpha",
    workload: str = "input_output_3_1",
    tier: str = "standard",
    context_from: int | None = None,
) -> None:
    row = [offer, model, provider, workload, tier, context_from, date.fromisoformat(day_from), day_to, price]
    connection.execute("insert into marts.mart_blended_price values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def monthly(connection: duckdb.DuckDBPyConnection, as_of: datetime = AS_OF) -> dict[str, float]:
    panel = price_panel(connection, as_of)
    everything = panel[panel["series_id"] == "all"]
    return {f"{row.period:%Y-%m}": row.price for row in everything.itertuples()}


def test_a_month_is_the_geometric_mean_of_its_days(marts: duckdb.DuckDBPyConnection) -> None:
    sell(marts, "2024-01-22", "2024-02-11", 8.0)
    sell(marts, "2024-02-11", None, 2.0)
    # Of February's 29 days 10 cost 8 and 19 cost 2; January and March know one price each.
    assert monthly(marts) == pytest.approx({"2024-01": 8, "2024-02": 2 * 4 ** (10 / 29), "2024-03": 2})


def test_nothing_after_as_of_is_seen(marts: duckdb.DuckDBPyConnection) -> None:
    sell(marts, "2024-01-22", "2024-03-10", 8.0)
    sell(marts, "2024-03-10", "2024-03-20", 2.0)
    sell(marts, "2024-03-20", None, 1.0)
    # Of the ten days to as_of, the last has the new price.
    assert monthly(marts)["2024-03"] == pytest.approx(8 * 4**-0.1)
    assert list(monthly(marts, datetime(2024, 2, 1, tzinfo=UTC))) == ["2024-01", "2024-02"]


def test_a_price_that_ends_leaves_the_next_month_without_one(marts: duckdb.DuckDBPyConnection) -> None:
    sell(marts, "2024-01-22", "2024-02-01", 8.0)
    assert monthly(marts) == pytest.approx({"2024-01": 8})


@pytest.mark.parametrize(
    "other",
    [
        {"provider": "router"},
        {"provider": "map"},
        {"tier": "batch"},
        {"context_from": 200_000},
        {"workload": "rag"},
        {"price": 0.0},
        {"price": None},
    ],
    ids=str,
)
def test_what_is_no_price_of_the_standard_tier_is_left_out(
    marts: duckdb.DuckDBPyConnection, other: dict[str, object]
) -> None:
    sell(marts, "2024-01-01", None, **({"price": 8.0} | other))  # type: ignore[arg-type]
    assert price_panel(marts, AS_OF).empty


def test_an_item_is_an_offer_of_a_model_in_the_series_of_its_weights(marts: duckdb.DuckDBPyConnection) -> None:
    for offer, model in [("a", "open"), ("b", "open"), ("b", "closed"), ("b", "unknown")]:
        sell(marts, "2024-03-01", None, 8.0, offer=offer, model=model)
    panel = price_panel(marts, AS_OF)
    assert panel.groupby("series_id")["item"].nunique().to_dict() == {"all": 4, "open_weights": 2, "closed_weights": 1}
    closed = panel[panel["series_id"] == "closed_weights"].iloc[0]
    assert (closed["capability_eci"], closed["context_tokens"], closed["reasoning"], closed["age_months"]) == (
        130,
        128_000,
        1,
        2,
    )


def test_the_index_of_a_market(marts: duckdb.DuckDBPyConnection) -> None:
    for provider, new_price in [("alpha", 4.0), ("beta", 8.0), ("gamma", 2.0), ("router", 100.0)]:
        sell(marts, "2024-01-01", "2024-02-01", 8.0, provider=provider, offer=provider)
        sell(marts, "2024-02-01", None, new_price, provider=provider, offer=provider)
    table = price_index_frame(marts, AS_OF)
    headline = table[(table["series_id"] == "all") & (table["method"] == "jevons_chained")].set_index("period")
    assert headline["index_value"].tolist() == pytest.approx([100, 50, 50])
    assert headline["ln_change"].tolist()[1:] == pytest.approx([-math.log(2), 0])
    assert headline["n_providers"].tolist() == [3, 3, 3]
    assert headline["is_live"].tolist() == [False, False, True]
    assert headline.index[0] == pd.Timestamp("2024-01-01", tz="UTC")


def test_a_market_of_two_providers_has_no_index_yet_and_is_plotted_all_the_same(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    for provider in ("alpha", "beta"):
        sell(marts, "2024-01-01", None, 8.0, provider=provider, offer=provider)
    table = price_index_frame(marts, AS_OF)
    assert table.empty
    assert "<svg" in indices(columns(table, "method", "period", "index_value", "lo90", "hi90"), "nothing")
