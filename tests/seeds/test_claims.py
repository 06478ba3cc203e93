"""The claims, what they contradict, and the queries that test them."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.analytics.claims import ROUNDING
from pipeline.assets.analytics.claims import QUERIES
from pipeline.warehouse.publish import contracts, load_manifest
from pipeline.warehouse.transform import prepare

SEEDS = Path(__file__).parents[2] / "seeds"


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


CLAIMS = {row["claim_id"]: row for row in seed("claims")}
PAIRS = seed("claim_contradictions")


def test_there_are_56_claims() -> None:
    assert list(CLAIMS) == [f"C{number:03}" for number in range(1, 57)]


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_every_claim_can_be_tested_or_says_why_not(claim_id: str) -> None:
    claim = CLAIMS[claim_id]
    assert all(claim[column].strip() for column in ("source", "claim", "subject", "unit"))
    assert claim["kind"] in ROUNDING
    assert date.fromisoformat(claim["date_from"]) <= date.fromisoformat(claim["date_to"])
    low, high = (float(claim[column]) if claim[column] else None for column in ("value_low", "value_high"))
    assert low is None or high is None or low <= high
    assert bool(claim["untestable_because"]) != (claim_id in QUERIES)
    if claim_id in QUERIES:
        needed = {"at_most": [high], "at_least": [low], "within": [low, high], "spans": [low, high]}
        assert None not in needed[claim["comparison"]]
    else:
        assert claim["untestable_because"].endswith(".")


@pytest.mark.parametrize("claim_id", QUERIES)
def test_every_query_begins_with_its_question(claim_id: str) -> None:
    question, *_ = QUERIES[claim_id].partition("\n")
    assert question.startswith("-- ")
    assert "?" in question


@pytest.fixture(scope="module")
def empty_warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every published table as its contract declares it, without rows."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema analytics")
        for (schema, table), contract in contracts(load_manifest(prepare())).items():
            columns = ", ".join(f"{name} {column['data_type']}" for name, column in contract["columns"].items())
            connection.execute(f"create table {schema}.{table} ({columns})")
        yield connection


@pytest.mark.parametrize("claim_id", QUERIES)
def test_where_nothing_is_known_every_query_says_so(claim_id: str, empty_warehouse: duckdb.DuckDBPyConnection) -> None:
    [answer] = empty_warehouse.execute(QUERIES[claim_id]).df().to_dict("records")
    assert answer.keys() >= {"observed_low", "observed_high", "n_evidence", "evidence"}
    assert answer["n_evidence"] == 0


def test_contradictions_link_two_claims_once_and_say_why() -> None:
    pairs = [(row["claim_a"], row["claim_b"]) for row in PAIRS]
    assert pairs == sorted(set(pairs))
    assert all(first < second for first, second in pairs)
    assert {claim_id for pair in pairs for claim_id in pair} <= CLAIMS.keys()
    assert all(row["why"].strip() for row in PAIRS)
