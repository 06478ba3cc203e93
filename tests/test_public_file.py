"""What readers of the public file rely on: the questions in dbt_project/analyses, and the data dictionary."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.settings import settings
from pipeline.warehouse.dictionary import DICTIONARY, GENERATED_FROM, dictionary, grains
from pipeline.warehouse.publish import contracts, load_manifest
from pipeline.warehouse.transform import DBT_PROJECT, prepare
from tests.conftest import SHARED_CAPTURES, needs_shared
from tests.world import environment, served, tokenfall, write_pages_of_all_providers

QUESTIONS = {path.stem: path.read_text() for path in (DBT_PROJECT / "analyses").glob("*.sql")}
JUNE = date(2026, 6, 30)
DAYS = (date(2026, 8, 21), date(2026, 11, 3))
Row = dict[str, Any]


@pytest.fixture(scope="module")
def public_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The public file after two days on which all providers answered with the pages in tests/providers."""
    from pipeline.run import run_job

    captures = write_pages_of_all_providers(tmp_path_factory.mktemp("captures"), (JUNE, *DAYS))
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for day in DAYS:
            with served(captures, day, renderings=True) as origin:
                for name, value in environment(home, origin).items():
                    patch.setenv(name, value)
                settings.cache_clear()
                # On the second day pages are read that are older than what the price map says of their providers, so
                # that nothing is believed any more of some offers: no reason not to publish.
                result = run_job("daily")
                assert result.success, result.failed_audits
            # What an older version of the project left behind is nobody's to read.
            with duckdb.connect(settings().build) as connection:
                connection.execute("create table if not exists marts.mart_of_an_older_version as select 1 as price")
        yield settings().public / "tokenfall.duckdb"
    settings.cache_clear()


def rows_of(public_file: Path, query: str) -> list[Row]:
    with duckdb.connect(public_file, read_only=True) as connection:
        result = connection.execute(query)
        columns = [column[0] for column in result.description or []]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def ask(public_file: Path, question: str) -> list[Row]:
    return rows_of(public_file, QUESTIONS[question])


def rows_with(rows: list[Row], **wanted: object) -> list[Row]:
    return [row for row in rows if wanted.items() <= row.items()]


def test_there_are_twelve_questions_and_each_is_stated_first() -> None:
    assert len(QUESTIONS) == 12
    for name, query in QUESTIONS.items():
        comment = query.partition("\n")[0]
        assert comment.startswith("-- "), name
        assert "?" in query.partition("\nwith ")[0].partition("\nselect")[0], name


def test_what_did_a_model_cost_on_a_day(public_file: Path) -> None:
    rows = ask(public_file, "what_did_a_model_cost_on_a_day")
    of_the_page = rows_with(rows, provider_id="openai", service_tier="standard", context_from=0)
    assert {row["meter"]: (row["usd_per_mtok"], row["evidence"]) for row in of_the_page} == {
        "input": (Decimal(2), "$2.00"),
        "cache_read": (Decimal("0.2"), "$0.20"),
        "cache_write": (Decimal("2.5"), "$2.50"),
        "output": (Decimal(12), "$12.00"),
    }
    assert {row["provider_id"] for row in rows} >= {"openai", "aws-bedrock"}


def test_what_was_believed_of_a_day(public_file: Path) -> None:
    rows = ask(public_file, "what_was_believed_of_a_day")
    first, second = rows_with(rows, provider_id="zai", meter="input", service_tier="standard")
    # The first run saw the price, the second one its end.
    assert (first["valid_to"], second["valid_to"]) == (None, datetime(2026, 9, 2))
    assert (first["ended_by"], second["ended_by"]) == (None, "delisted")
    assert first["known_from"] < first["known_to"] == second["known_from"]
    assert second["known_to"] is None
    assert (first["is_believed_today"], second["is_believed_today"]) == (False, True)
    assert {(row["beliefs"], row["price_is_revised"], row["quality"]) for row in (first, second)} == {(2, False, "ok")}


def test_who_sells_a_model_cheapest(public_file: Path) -> None:
    rows = ask(public_file, "who_sells_a_model_cheapest")
    assert len({row["provider_id"] for row in rows}) > 5
    assert [row["place"] for row in rows] == sorted(row["place"] for row in rows)
    for row in rows:
        blend = 0.75 * float(row["input_usd_per_mtok"]) + 0.25 * float(row["output_usd_per_mtok"])
        assert row["blended_usd_per_mtok"] == pytest.approx(blend)
        assert row["evidence_sha256"]
        assert row["input_locator"] != row["output_locator"]
    assert rows[0]["blended_usd_per_mtok"] == min(row["blended_usd_per_mtok"] for row in rows)
    assert rows_with(rows, provider_id="openrouter") == []


def test_how_did_the_price_of_an_offer_move(public_file: Path) -> None:
    rows = rows_with(ask(public_file, "how_did_the_price_of_an_offer_move"), meter="input", service_tier="standard")
    curve = [row for row in rows if not row["context_from"]]
    assert [(row["valid_from"], row["usd_per_mtok"]) for row in curve] == [
        (datetime(2026, 7, 15), Decimal("2.5")),
        (datetime(2026, 8, 21), Decimal(2)),
    ]
    assert [row["change_percent"] for row in curve] == [None, pytest.approx(-20)]
    assert (curve[0]["valid_to"], curve[0]["ended_by"]) == (curve[1]["valid_from"], "better_witness")
    assert len(rows) > len(curve)


def test_which_prices_moved_most(public_file: Path) -> None:
    rows = ask(public_file, "which_prices_moved_most")
    for direction, moves in (("cut", rows_with(rows, direction="cut")), ("rise", rows_with(rows, direction="rise"))):
        assert 0 < len(moves) <= 25
        assert [move["place"] for move in moves] == list(range(1, len(moves) + 1))
        assert all((move["new_price"] < move["old_price"]) == (direction == "cut") for move in moves)
        sizes = [abs((move["new_price"] / move["old_price"]).ln()) for move in moves]
        assert sizes == sorted(sizes, reverse=True)
    with duckdb.connect(public_file, read_only=True) as connection:
        [biggest] = connection.execute(
            "select min(change_percent) from marts.mart_price_changes where quality = 'ok' and new_price > 0"
            " and changed_at > (select recorded_until - interval 365 day from marts.dim_clock)"
        ).fetchone() or [None]
    assert rows[0]["change_percent"] == biggest


def test_how_long_do_prices_last(public_file: Path) -> None:
    rows = ask(public_file, "how_long_do_prices_last")
    with_a_median = [row for row in rows if row["median_days"] is not None]
    assert with_a_median
    assert all(row["lives_seen_whole"] > 0 for row in with_a_median)
    assert all(row["median_days"] is None for row in rows_with(rows, lives_seen_whole=0))


def test_the_median_life_is_that_of_kaplan_and_meier(tmp_path: Path) -> None:
    """Lives of 1, 2+, 3, 4+ and 5 days (+: end not seen): survival 4/5, 4/5 x 2/3 = 8/15, then 0 at 5 days."""
    file = tmp_path / "tokenfall.duckdb"
    with duckdb.connect(file) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.dim_clock as select timestamp '2026-03-01' as recorded_until")
        connection.execute(
            """
            create table marts.fct_price_history as
            select
                'acme' as provider_id, precision as date_precision, ended_by, timestamp '2026-01-01' as valid_from,
                timestamp '2026-01-01' + days * interval 1 day as valid_to, null::timestamp as known_to, 'ok' as quality
            from (
                values
                    (1, 'price_change', 'observed'), (2, 'delisted', 'observed'), (3, 'announced_end', 'exact'),
                    (4, 'better_witness', 'declared'), (5, 'price_change', 'observed'),
                    (1, 'price_change', 'left_censored')
            ) as lives (days, ended_by, precision)
            """
        )
    assert ask(file, "how_long_do_prices_last") == [
        {
            "provider_id": "acme",
            "median_days": 5.0,
            "lives_seen_whole": 3,
            "lives_without_an_end_yet": 2,
            "starts_unseen": 1,
            "longest_observed_days": 5.0,
        }
    ]


def test_what_do_batches_and_caches_save(public_file: Path) -> None:
    rows = ask(public_file, "what_do_batches_and_caches_save")
    assert {row["discount"] for row in rows} == {"batch input", "batch output", "cached input"}
    [anthropic] = rows_with(rows, provider_id="anthropic", discount="cached input")
    assert anthropic["median_ratio"] == pytest.approx(0.1)
    [anthropic] = rows_with(rows, provider_id="anthropic", discount="batch output")
    assert (anthropic["lowest_ratio"], anthropic["highest_ratio"]) == (0.5, 0.5)


def test_what_do_long_prompts_cost_more(public_file: Path) -> None:
    rows = rows_with(
        ask(public_file, "what_do_long_prompts_cost_more"),
        provider_id="openai",
        model_label="gpt-5.6-terra",
        service_tier="standard",
    )
    assert {row["meter"]: row["times_the_short_price"] for row in rows} == {
        "input": 2,
        "cache_read": 2,
        "cache_write": 2,
        "output": 1.5,
    }
    assert {(row["above_prompt_tokens"], row["up_to_prompt_tokens"]) for row in rows} == {(272_000, None)}


def test_how_did_the_price_of_a_capability_fall(public_file: Path) -> None:
    rows = ask(public_file, "how_did_the_price_of_a_capability_fall")
    for tier in {row["tier_id"] for row in rows}:
        steps = rows_with(rows, tier_id=tier)
        assert [step["is_last_day"] for step in steps] == [False] * (len(steps) - 1) + [True]
        assert steps[0]["times_cheaper_than_first"] == 1
        fall = steps[0]["usd_per_mtok"] / steps[-1]["usd_per_mtok"]
        assert steps[-1]["times_cheaper_than_first"] == pytest.approx(fall)
        assert all(step["step_percent"] for step in steps[1:-1])
    assert {row["tier_id"] for row in rows} >= {"eci-gpt-4", "eci-gpt-5"}


def test_how_far_apart_are_hosts_of_an_open_model(public_file: Path) -> None:
    rows = ask(public_file, "how_far_apart_are_hosts_of_an_open_model")
    [model] = rows_with(rows, model_id="openai/gpt-oss-120b")
    offers = ask(public_file, "who_sells_a_model_cheapest")
    assert model["n_hosts"] == len({offer["provider_id"] for offer in offers}) >= 3
    assert (model["cheapest_host"], model["lowest_usd_per_mtok"]) == (
        offers[0]["provider_id"],
        offers[0]["blended_usd_per_mtok"],
    )
    assert all(row["lowest_usd_per_mtok"] <= row["median_usd_per_mtok"] <= row["highest_usd_per_mtok"] for row in rows)
    assert all(row["cheapest_for_days"] >= 0 for row in rows)


def frontier_moves(public_file: Path) -> list[Row]:
    """What moved each frontier, day by day, beside what the attribution says of it; in natural log units."""
    return rows_of(
        public_file,
        """
        with days as (
            select
                *,
                lag(price_date) over in_time = price_date - 1 as goes_on,
                lag(p_star) over in_time as p_before
            from marts.mart_frontier_price_daily
            where p_star is not null
            window in_time as (partition by tier_id, model_group, workload_id order by price_date)
        ),
        moved as (
            select tier_id, model_group, workload_id, count(*) as steps, sum(ln(p_star / p_before)) as ln_moved
            from days
            where goes_on and p_star <> p_before
            group by all
        ),
        attributed as (
            select tier_id, model_group, workload_id, count(*) as steps, sum(ln_step) as ln_moved
            from marts.mart_frontier_event_attribution
            group by all
        )
        select
            moved.steps as steps, attributed.steps as attributed_steps, moved.ln_moved as ln_moved,
            attributed.ln_moved as ln_attributed
        from moved full join attributed using (tier_id, model_group, workload_id)
        """,
    )


def assert_all_is_attributed(moves: list[Row]) -> None:
    assert moves
    assert [move["attributed_steps"] for move in moves] == [move["steps"] for move in moves]
    assert [move["ln_attributed"] for move in moves] == pytest.approx([move["ln_moved"] for move in moves], abs=1e-9)


def test_the_steps_of_a_frontier_add_up_to_what_it_moved(public_file: Path) -> None:
    assert_all_is_attributed(frontier_moves(public_file))


def test_which_pages_need_attention(public_file: Path) -> None:
    rows = ask(public_file, "which_pages_need_attention")
    pages = {(row["provider_id"], row["page_id"]): row["why"].split(", ") for row in rows}
    assert pages["hyperbolic", "limits"] == ["failed", "never read", "unverified parser"]
    assert "stale" in pages["anthropic", "marketing"]
    assert "stale" not in pages["genai-prices", "package"]
    assert all(row["unmapped_labels"] > 0 for row in rows if "unmapped labels" in row["why"])


def test_what_do_foreign_prices_come_to(public_file: Path) -> None:
    rows = ask(public_file, "what_do_foreign_prices_come_to")
    assert {row["currency"] for row in rows} == {"CNY", "EUR"}
    assert all(row["usd_per_mtok_converted"] is not None for row in rows)
    assert all(row["exchange_rate_date"] <= row["valid_from"].date() for row in rows)
    with_own_price = [row for row in rows if row["own_usd_per_mtok"]]
    assert {"deepseek", "mistral"} <= {row["provider_id"] for row in with_own_price}
    for row in with_own_price:
        ratio = float(row["usd_per_mtok_converted"]) / float(row["own_usd_per_mtok"])
        assert row["converted_over_own"] == pytest.approx(ratio)


def test_every_claim_is_judged_by_the_query_beside_it(public_file: Path) -> None:
    with duckdb.connect(public_file, read_only=True) as connection:
        cards = connection.execute("from analytics.claim_scorecard order by claim_id").df()
        for card in cards[cards["query"].notna()].itertuples():
            [answer] = connection.execute(card.query).df().to_dict("records")
            for column in ("observed_low", "observed_high", "n_evidence"):
                assert answer[column] == pytest.approx(getattr(card, column), nan_ok=True), card.claim_id
            assert (card.n_evidence > 0) or card.verdict == "untestable"
    assert len(cards) == 56
    assert not np.isinf(cards.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)).any()
    assert not cards["reason"].str.strip().eq("").any()
    contradicted = {(card.claim_id, other) for card in cards.itertuples() for other in card.contradicts}
    assert contradicted
    assert contradicted == {(second, first) for first, second in contradicted}


def test_the_dictionary_is_what_the_yml_says_now() -> None:
    generated = DICTIONARY.read_text().partition(GENERATED_FROM)[2]
    assert generated == f"\n{dictionary(load_manifest(prepare()))}", "run python -m pipeline.warehouse.dictionary"


def test_the_public_file_is_what_the_yml_says(public_file: Path) -> None:
    declared = {
        (schema, table, column["name"]): (column["data_type"], column["description"])
        for (schema, table), contract in contracts(load_manifest(prepare())).items()
        for column in contract["columns"].values()
    }
    with duckdb.connect(public_file, read_only=True) as connection:
        columns = connection.execute(
            "select schema_name, table_name, column_name, lower(data_type), comment from duckdb_columns()"
            " where not internal"
        ).fetchall()
    assert {tuple(names): (data_type, comment) for *names, data_type, comment in columns} == declared


def test_every_row_of_the_public_file_is_of_the_grain_that_is_stated(public_file: Path) -> None:
    manifest = load_manifest(prepare())
    with duckdb.connect(public_file, read_only=True) as connection:
        for schema, table in contracts(manifest):
            keys = ", ".join(grains(manifest)[schema, table])
            counted = connection.execute(f"select count(*), count(distinct ({keys})) from {schema}.{table}").fetchall()
            assert counted[0][0] == counted[0][1], table


def test_every_price_has_a_unit_and_every_moment_a_meaning() -> None:
    for (_, table), contract in contracts(load_manifest(prepare())).items():
        assert contract["description"].startswith("One row"), table
        for column in contract["columns"].values():
            name, data_type, meaning = column["name"], column["data_type"], column["description"]
            assert meaning, (table, name)
            if data_type == "timestamp":
                assert "UTC" in meaning, (table, name)
            if data_type == "date":
                assert re.search(r"\b[Dd]ay\b", meaning), (table, name)
            if data_type.startswith("decimal") or re.search(r"usd|p_star|^p\d\d$", name):
                units = "USD per (1(M|,000,000) tokens|GPU and hour)|`currency` per `pricing_unit`"
                assert re.search(units, meaning), (table, name)
            if name.endswith("_days"):
                assert re.search(r"\b[Dd]ays\b", meaning), (table, name)


@needs_shared
def test_the_questions_have_answers_in_captures_of_real_pages(tmp_path: Path) -> None:
    with served(SHARED_CAPTURES, DAYS[0], renderings=True) as origin:
        run = tokenfall(tmp_path, "run", origin=origin)
    assert run.returncode == 0, run.stderr
    real_file = tmp_path / "public" / "tokenfall.duckdb"
    assert [question for question in QUESTIONS if not ask(real_file, question)] == []
    assert_all_is_attributed(frontier_moves(real_file))
    prices = ask(real_file, "what_did_a_model_cost_on_a_day")
    [price] = rows_with(prices, provider_id="openai", service_tier="standard", context_from=0, meter="output")
    assert price["usd_per_mtok"] == 12
    discounts = ask(real_file, "what_do_batches_and_caches_save")
    [anthropic] = rows_with(discounts, provider_id="anthropic", discount="batch input")
    assert (anthropic["lowest_ratio"], anthropic["highest_ratio"]) == (0.5, 0.5)
