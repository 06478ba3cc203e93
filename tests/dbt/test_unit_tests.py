"""The rules of the SQL: dbt's unit tests, which stand beside the models and are left out of the daily build."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.domain import Attempt
from pipeline.settings import settings
from pipeline.warehouse import build, transform

MODELS_WITH_RULES = {
    "dim_clock",
    "fct_price_daily",
    "fct_price_history",
    "int_blended_price",
    "int_discount_ladder",
    "int_doubtful_prices",
    "int_good_readings",
    "int_headline_spells",
    "int_page_cover",
    "int_page_events",
    "int_page_looks",
    "int_price_claims",
    "int_price_history",
    "int_price_moves",
    "int_quote_set_losses",
    "int_quote_set_pairs",
    "int_reading_judgements",
    "int_reading_neighbours",
    "int_restated_days",
    "int_seen_claims",
    "int_witness_spells",
    "mart_announced_prices",
    "mart_coverage",
    "mart_frontier_event_attribution",
    "mart_frontier_price",
    "mart_frontier_price_daily",
    "mart_price_changes",
    "mart_provider_dispersion",
    "mart_restatements",
    "mart_source_conflicts",
    "mart_source_scorecard",
    "stg_exchange_rates",
    "stg_quotes",
}


@pytest.fixture
def empty_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A warehouse with all its relations, from which dbt takes the columns and types of fixtures."""
    monkeypatch.setenv("TOKENFALL_HOME", str(tmp_path))
    settings.cache_clear()
    # Without any attempt the clock has no time, which its contract forbids.
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    attempt = Attempt("c1", "acme", "pricing", "https://acme.example/pricing", "live", noon, noon, "ok")
    with build.connect(settings().build) as connection:
        build.prepare(connection, [])
        build.load(connection, [attempt], {})
    assert transform.invoke(["build", "--resource-type", "seed", "--resource-type", "model"])
    yield
    settings.cache_clear()


@pytest.mark.usefixtures("empty_warehouse")
def test_all_unit_tests_of_dbt_pass() -> None:
    passed = transform.invoke(["test", "--select", "test_type:unit"])

    manifest = json.loads(transform.built_manifest().read_text())
    written = {test["unique_id"]: test["model"] for test in manifest["unit_tests"].values()}
    run = json.loads(transform.built_manifest().with_name("run_results.json").read_text())["results"]
    # Beside them stands what is set when dbt starts.
    results = [result for result in run if result["unique_id"].startswith("unit_test.")]
    assert [(result["unique_id"], result["message"]) for result in results if result["status"] != "pass"] == []
    assert passed
    assert {result["unique_id"] for result in results} == set(written)
    assert set(written.values()) >= MODELS_WITH_RULES
    assert len(written) > 15
