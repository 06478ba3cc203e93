"""Whole runs over real HTTP, DuckDB, dbt and Dagster: what several days leave behind."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from pipeline.day import stale_pages
from pipeline.settings import settings
from pipeline.warehouse.build import connect
from pipeline.warehouse.publish import load_manifest, publish
from tests.conftest import SHARED_CAPTURES, needs_shared
from tests.world import (
    environment,
    forget_parquet,
    parquet_digests,
    pricing_page,
    served,
    tokenfall,
    write_captures,
)

DAYS = [date(2026, 3, day) for day in (1, 2, 3, 4, 5)]
# Never in question; with it, the loss of one model is no reason to doubt a page.
ALWAYS = {"Claude Opus 4.1": "15", "Claude Opus 4": "15"}
PAGES = {
    DAYS[0]: pricing_page(ALWAYS | {"Claude Opus 4.5": "5", "Claude Sonnet 4.5": "3"}),
    # A price cut and a new model.
    DAYS[1]: pricing_page(ALWAYS | {"Claude Opus 4.5": "4", "Claude Sonnet 4.5": "3", "Claude Haiku 4.5": "1"}),
    # A column that no parser knows: nothing may be believed of this page.
    DAYS[2]: pricing_page(ALWAYS | {"Claude Opus 4.5": "4"}, column="Base Input Tokens (beta)"),
    # The broken day is over, and one model is gone.
    DAYS[3]: pricing_page(ALWAYS | {"Claude Opus 4.5": "4", "Claude Haiku 4.5": "1"}),
}


class History(NamedTuple):
    home: Path
    known: dict[date, datetime]
    rows_after: dict[str, int]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Four days, the first of them run twice, in one process to save its imports."""
    from pipeline.run import run_job

    home = tmp_path_factory.mktemp("days")
    captures = write_captures(tmp_path_factory.mktemp("captures"), PAGES)
    known: dict[date, datetime] = {}
    rows_after: dict[str, int] = {}
    with pytest.MonkeyPatch.context() as patch:
        for day in PAGES:
            with served(captures, day) as origin:
                for name, value in environment(home, origin).items():
                    patch.setenv(name, value)
                settings.cache_clear()
                result = run_job("daily")
                assert result.success, result
                rows_after[f"{day}"] = ask(home, "select count(*) from marts.fct_price_history")[0][0]
                if day == DAYS[0]:
                    assert run_job("daily").success
                    rows_after["again"] = ask(home, "select count(*) from marts.fct_price_history")[0][0]
            known[day] = datetime.now(UTC)
        yield History(home, known, rows_after)
    settings.cache_clear()


def ask(home: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    return ask_file(home / "public", query, *parameters)


def ask_file(public: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(public / "tokenfall.duckdb", read_only=True) as connection:
        return connection.execute(query, parameters).fetchall()


def price_on(home: Path, day: date, known_at: datetime | None = None) -> dict[str, float]:
    arguments = [day] if known_at is None else [day, known_at.replace(tzinfo=None)]
    rows = ask(
        home,
        f"select model_label, usd_per_mtok from price_on({', '.join('?' * len(arguments))})"
        " where provider_id = 'anthropic' and meter = 'input' and service_tier = 'standard'"
        " and source_kind = 'provider_page'",
        *arguments,
    )
    return {label: float(price) for label, price in rows if label not in ALWAYS}


def test_every_day_shows_the_prices_of_its_page(history: History) -> None:
    assert price_on(history.home, DAYS[0]) == {"Claude Opus 4.5": 5, "Claude Sonnet 4.5": 3}
    assert price_on(history.home, DAYS[1]) == {"Claude Opus 4.5": 4, "Claude Sonnet 4.5": 3, "Claude Haiku 4.5": 1}
    assert price_on(history.home, DAYS[3]) == {"Claude Opus 4.5": 4, "Claude Haiku 4.5": 1}


def test_a_broken_page_is_a_gap_and_a_missing_model_is_delisted(history: History) -> None:
    assert price_on(history.home, DAYS[2]) == price_on(history.home, DAYS[1])
    [(ended_by, valid_to)] = ask(
        history.home,
        "select ended_by, valid_to from marts.fct_price_history where model_label = 'Claude Sonnet 4.5'"
        " and provider_id = 'anthropic' and meter = 'input' and service_tier = 'standard' and known_to is null",
    )
    assert (ended_by, valid_to) == ("delisted", datetime(2026, 3, 4))
    with duckdb.connect(history.home / "build" / "warehouse.duckdb", read_only=True) as connection:
        outcomes = connection.execute(
            "select captured_at::date, outcome, message from raw.captures"
            " where provider_id = 'anthropic' and page_id = 'pricing' order by requested_at"
        ).fetchall()
    assert [outcome for _, outcome, _ in outcomes] == ["ok", "unchanged", "ok", "LayoutChanged", "ok"]
    assert "base input tokens (beta)" in outcomes[3][2].lower()


def test_what_was_believed_on_a_day_can_still_be_asked(history: History) -> None:
    before_the_cut = history.known[DAYS[0]]
    assert price_on(history.home, DAYS[3], before_the_cut) == {"Claude Opus 4.5": 5, "Claude Sonnet 4.5": 3}
    assert price_on(history.home, DAYS[3], history.known[DAYS[2]])["Claude Sonnet 4.5"] == 3
    assert price_on(history.home, DAYS[3], history.known[DAYS[0]] - timedelta(days=1)) == {}


def test_a_second_run_on_the_same_day_adds_no_history(history: History) -> None:
    assert history.rows_after["again"] == history.rows_after[f"{DAYS[0]}"]


def test_the_price_cut_is_a_change_and_nothing_else_is(history: History) -> None:
    changes = ask(
        history.home,
        "select model_label, meter, direction, old_price, new_price, changed_at from marts.mart_price_changes"
        " where provider_id = 'anthropic' and changed_at between '2026-03-01' and '2026-03-05'",
    )
    assert [(*change[:3], float(change[3]), float(change[4]), change[5]) for change in changes] == [
        ("Claude Opus 4.5", "input", "cut", 5.0, 4.0, datetime(2026, 3, 2))
    ]


def test_every_price_leads_back_to_the_bytes_of_its_page(history: History) -> None:
    pages = {hashlib.sha256(page.encode()).hexdigest() for page in PAGES.values()}
    evidence = {
        digest
        for (digest,) in ask(
            history.home,
            "select evidence_sha256 from marts.fct_price_history where page_key = 'anthropic/pricing'",
        )
    }
    assert evidence
    assert evidence <= pages


def test_published_tables_are_described(history: History) -> None:
    missing = ask(
        history.home,
        "select table_name, column_name from duckdb_columns()"
        " where schema_name in ('marts', 'analytics') and coalesce(comment, '') = ''",
    )
    assert missing == []


def test_a_rebuild_from_the_archive_gives_the_same_parquet(history: History) -> None:
    public = history.home / "public"
    published = parquet_digests(public)
    forget_parquet(public)
    (history.home / "build" / "warehouse.duckdb").unlink()
    rebuilt = tokenfall(history.home, "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert len(published) > 10
    assert parquet_digests(public) == published


def test_a_month_in_which_nothing_changed_keeps_its_file(history: History, tmp_path: Path) -> None:
    public, build_file = tmp_path / "public", tmp_path / "warehouse.duckdb"
    shutil.copy(history.home / "build" / "warehouse.duckdb", build_file)

    def published() -> tuple[dict[str, str], dict[str, int]]:
        publish(build_file, public, load_manifest(history.home / "build" / "dbt" / "manifest.json"))
        files = sorted((public / "parquet" / "marts.fct_price_daily").iterdir())
        return parquet_digests(public), {file.stem: file.stat().st_ino for file in files}

    first, months = published()
    assert min(months) == "2023-12"
    assert max(months) == "2026-03"
    with duckdb.connect() as connection:
        rows = connection.execute(f"from read_parquet('{public}/parquet/marts.fct_price_daily/*.parquet')").fetchall()
    assert sorted(map(repr, rows)) == sorted(map(repr, ask_file(public, "from marts.fct_price_daily")))

    assert published() == (first, months)

    with duckdb.connect(build_file) as connection:
        connection.execute(
            "update intermediate.int_price_history set usd_per_mtok = 7"
            " where known_to is null and provider_id = 'anthropic'"
            " and valid_from >= '2026-03-01' and valid_from < '2026-03-02'"
        )
    _, after_a_change = published()
    assert [month for month, inode in after_a_change.items() if inode != months[month]] == ["2026-03"]

    (public / "parquet" / "marts.fct_price_daily" / "2024-05.parquet").write_bytes(b"torn")
    shutil.copy(history.home / "build" / "warehouse.duckdb", build_file)
    assert published()[0] == first


def test_the_last_three_generations_stay(history: History) -> None:
    assert len(list((history.home / "public" / "generations").iterdir())) == 3


def test_a_failing_provider_is_a_failed_check_and_the_run_goes_on(history: History) -> None:
    import dagster as dg

    os.environ["DAGSTER_HOME"] = str(history.home / "dagster")
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_run_records()
        assert {record.dagster_run.status for record in runs} == {dg.DagsterRunStatus.SUCCESS}
        broken_day = runs[-4]
        checks = {
            (
                entry.dagster_event.event_specific_data.asset_key.path[-1],
                entry.dagster_event.event_specific_data.check_name,
            ): entry.dagster_event.event_specific_data
            for entry in instance.all_logs(broken_day.dagster_run.run_id)
            if entry.dagster_event and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"
        }
    check = checks["anthropic", "captured"]
    assert not check.passed
    assert "LayoutChanged" in (check.description or "")
    fresh = checks["captures", "fresh"]
    assert not fresh.passed
    assert fresh.metadata["anthropic/pricing"].value == "2026-03-02 00:00 UTC"
    assert fresh.metadata["openai/pricing"].value == "never"


def test_seeds_are_made_on_the_first_day_and_stay(history: History) -> None:
    import dagster as dg

    os.environ["DAGSTER_HOME"] = str(history.home / "dagster")
    with dg.DagsterInstance.get() as instance:
        days = [record.dagster_run.run_id for record in instance.get_run_records()][:-6:-1]

        def made(key: str) -> list[str]:
            records = instance.fetch_materializations(dg.AssetKey(key.split("/")), limit=100).records
            return [day for day in days if day in {record.run_id for record in records}]

        assert made("seeds/models") == made("marts/dim_model") == days[:1]
        assert made("marts/dim_offer") == made("analytics/decline_rates") == days


def test_a_page_is_stale_from_its_last_good_capture_on(history: History) -> None:
    with connect(history.home / "build" / "warehouse.duckdb") as connection:
        last = datetime(2026, 3, 4, tzinfo=UTC)
        assert "anthropic/pricing" not in stale_pages(connection, last)
        assert stale_pages(connection, last + timedelta(seconds=1))["anthropic/pricing"] == last
        assert not any(page.startswith("genai-prices/") for page in stale_pages(connection, last))


def test_a_reader_keeps_the_file_that_it_has_open(history: History, tmp_path: Path) -> None:
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys\n"
            "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
            "count = lambda: connection.execute('select count(*) from marts.fct_price_history').fetchone()[0]\n"
            "print(count(), flush=True)\n"
            "sys.stdin.readline()\n"
            "print(count(), flush=True)\n",
            str(history.home / "public" / "tokenfall.duckdb"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    before = int(reader.stdout.readline())
    page = pricing_page(ALWAYS | {"Claude Opus 4.5": "2", "Claude Haiku 4.5": "1"})
    with served(write_captures(tmp_path, {DAYS[4]: page}), DAYS[4]) as origin:
        run = tokenfall(history.home, "run", origin=origin)
    assert run.returncode == 0, run.stderr
    reader.stdin.write("\n")
    reader.stdin.flush()
    assert int(reader.stdout.readline()) == before
    reader.communicate()
    assert price_on(history.home, DAYS[4])["Claude Opus 4.5"] == 2
    assert "Since the last run: 1 price change, 0 new offers, 0 offers delisted." in run.stdout


def test_a_killed_run_loses_nothing_and_publishes_nothing_half(tmp_path: Path) -> None:
    home = tmp_path / "home"
    captures = write_captures(tmp_path / "captures", PAGES)
    with served(captures, DAYS[0]) as origin:
        assert tokenfall(home, "run", origin=origin).returncode == 0
    published = (home / "public" / "tokenfall.duckdb").read_bytes()
    for stage in ("capture ", "build 20/", "publish 0/1"):
        with served(captures, DAYS[1]) as origin:
            run = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli", "run"],
                env=environment(home, origin),
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
            assert run.stderr is not None
            for line in run.stderr:
                if line.startswith(stage):
                    break
            time.sleep(0.02)
            run.send_signal(signal.SIGKILL)
            # No process that it began lives on and holds its pipe.
            run.communicate(timeout=60)
        assert run.returncode == -signal.SIGKILL
        assert (home / "public" / "tokenfall.duckdb").read_bytes() == published
    with served(captures, DAYS[1]) as origin:
        good = tokenfall(home, "run", origin=origin)
    assert good.returncode == 0, good.stderr
    assert price_on(home, DAYS[0]) == {"Claude Opus 4.5": 5, "Claude Sonnet 4.5": 3}
    assert price_on(home, DAYS[1]) == {"Claude Opus 4.5": 4, "Claude Sonnet 4.5": 3, "Claude Haiku 4.5": 1}
    assert [path.name for path in (home / "public").glob(".tokenfall*")] == []


def test_a_page_that_lost_its_offers_waits_for_a_person(tmp_path: Path) -> None:
    pages = {
        DAYS[0]: pricing_page({"Claude Opus 4.5": "5", "Claude Sonnet 4.5": "3", "Claude Haiku 4.5": "1"}),
        DAYS[1]: pricing_page({"Claude Opus 4.5": "5"}),
    }
    home = tmp_path / "home"
    captures = write_captures(tmp_path / "captures", pages)
    for day in pages:
        with served(captures, day) as origin:
            run = tokenfall(home, "run", origin=origin)
        assert run.returncode == 0, run.stderr
    coverage = (
        "select last_outcome, is_held_back from marts.mart_coverage"
        " where provider_id = 'anthropic' and page_id = 'pricing'"
    )
    assert ask(home, coverage) == [("suspect", True)]
    assert set(price_on(home, DAYS[1])) == {"Claude Opus 4.5", "Claude Sonnet 4.5", "Claude Haiku 4.5"}
    released = tokenfall(home, "release", "anthropic/pricing")
    assert released.returncode == 0, released.stderr
    assert "4 offers delisted" in released.stdout
    assert ask(home, coverage) == [("ok", False)]
    assert set(price_on(home, DAYS[1])) == {"Claude Opus 4.5"}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a machine without a network and without an archive, after its first run."""
    home = tmp_path_factory.mktemp("bare")
    started = time.monotonic()
    # Nothing listens there: every connection is refused, like every name on a machine without a network.
    run = tokenfall(home, "run", origin="http://127.0.0.1:9")
    assert run.returncode == 0, run.stderr
    assert "No page could be fetched" in run.stdout
    assert time.monotonic() - started < 120
    return home


def test_without_a_network_the_installed_price_maps_are_published(bare: Path) -> None:
    assert ask(bare, "select distinct source_kind from marts.fct_price_history") == [("price_map",)]
    assert ask(bare, "select count(*) from price_on(date '2026-11-20') where provider_id = 'openai'")[0][0] > 50


@pytest.mark.parametrize(
    ("day", "provider_id", "label", "input_price", "output_price"),
    [
        ("2023-12-20", "openai", "gpt-4", 30, 60),
        ("2024-07-01", "openai", "gpt-4o", 5, 15),
        ("2025-01-01", "openai", "gpt-4o", 2.5, 10),
        ("2025-01-01", "openai", "gpt-4o-mini", 0.15, 0.6),
        ("2025-02-01", "deepseek", "deepseek-chat", 0.14, 0.28),
        ("2025-03-01", "deepseek", "deepseek-chat", 0.27, 1.1),
    ],
)
def test_without_a_network_the_past_is_known_since_2023(
    bare: Path, day: str, provider_id: str, label: str, input_price: float, output_price: float
) -> None:
    prices = ask(
        bare,
        "select meter, cast(usd_per_mtok as double), date_precision, source_kind, quality,"
        " locator similar to '(litellm|tokencost) .*' from price_on(cast(? as date))"
        " where provider_id = ? and model_label = ? and meter in ('input', 'output') and service_tier = 'standard'"
        " order by meter",
        day,
        provider_id,
        label,
    )
    declared = ("declared", "price_map", "ok", True)
    assert prices == [("input", input_price, *declared), ("output", output_price, *declared)]


def test_the_rise_of_february_2025_is_a_move_and_errors_of_the_map_are_none(bare: Path) -> None:
    rises = ask(
        bare,
        "select meter, direction, cast(old_price as double), cast(new_price as double), date_precision"
        " from marts.mart_price_changes where provider_id = 'deepseek' and model_label = 'deepseek-chat'"
        " and changed_at between '2025-02-01' and '2025-02-28' and meter in ('input', 'output') order by meter",
    )
    assert rises == [("input", "rise", 0.14, 0.27, "declared"), ("output", "rise", 0.28, 1.1, "declared")]
    moves = (
        "select count(*) from marts.mart_price_changes as moves join marts.fct_price_history as history"
        " on moves.offer_id = history.offer_id and moves.meter = history.meter"
        " and moves.changed_at = history.valid_from"
        " where history.page_key = 'litellm/releases' and history.known_to is null"
    )
    assert ask(bare, moves)[0][0] > 500
    # Both prices of such a move have another map that says the same.
    assert ask(bare, f"{moves} and abs(ln_step) > ln(10)")[0][0] < 5
    [(doubted,)] = ask(
        bare,
        "select count(*) from marts.fct_price_history where page_key = 'litellm/releases' and quality = 'quarantined'",
    )
    assert doubted > 50


def test_with_nothing_to_build_from_it_says_so(tmp_path: Path) -> None:
    rebuilt = tokenfall(tmp_path, "rebuild")
    assert rebuilt.returncode == 1
    assert "There is no price to build from" in rebuilt.stderr
    assert not (tmp_path / "public").exists()


def test_the_public_file_opens_in_an_older_client(history: History, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(tmp_path), "duckdb==1.4.0"],
        check=True,
    )
    query = (
        "import duckdb, sys; print(duckdb.__version__); public = duckdb.connect(sys.argv[1], read_only=True);"
        "print(*public.execute(\"select count(*) from price_on(date '2026-03-02')\").fetchone());"
        "print(*public.execute('select count(*) from marts.fct_price_daily').fetchone())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", query, str(history.home / "public" / "tokenfall.duckdb")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    version, on_a_day, daily = answer.stdout.split()
    assert version == "1.4.0"
    assert int(on_a_day) > 0
    assert int(daily) > 0


def test_the_queries_of_the_readme_run_on_the_public_file(history: History) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", readme, re.DOTALL)
    queries = [query for block in blocks for query in duckdb.extract_statements(block)]
    assert len(queries) >= 6
    with duckdb.connect(history.home / "public" / "tokenfall.duckdb", read_only=True) as connection:
        for query in queries:
            connection.execute(query).fetchall()


def test_the_readme_names_every_published_table(history: History) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    tables = ask(
        history.home, "select distinct table_name from duckdb_columns() where schema_name in ('marts', 'analytics')"
    )
    named = {table for (table,) in tables if table.removesuffix("_daily") in readme}
    assert {table for (table,) in tables} == named


@needs_shared
def test_a_fresh_home_captures_all_six_providers(tmp_path: Path) -> None:
    with served(SHARED_CAPTURES, date(2026, 8, 21), renderings=True) as origin:
        run = tokenfall(tmp_path, "run", origin=origin)
    assert run.returncode == 0, run.stderr
    good = {
        provider
        for (provider,) in ask(
            tmp_path, "select provider_id from marts.mart_coverage where role = 'primary' and last_outcome = 'ok'"
        )
    }
    assert {"anthropic", "deepseek", "google", "mistral", "openai", "openrouter"} <= good
    kinds_on = (
        "select distinct source_kind, date_precision from price_on(cast(? as date)) where provider_id = 'openai'"
        " and model_label = 'gpt-4o' and meter = 'input' and service_tier = 'standard'"
    )
    assert ask(tmp_path, kinds_on, "2024-07-01") == [("price_map", "declared")]
    assert ask(tmp_path, kinds_on, "2026-08-21") == [("provider_page", "left_censored")]
    assert ask(
        tmp_path,
        "select count(*) from price_on(date '2026-08-21') where source_kind = 'price_map'"
        " and provider_id in ('anthropic', 'deepseek', 'google', 'mistral', 'openai', 'openrouter')",
    ) == [(0,)]
    on_the_page = (SHARED_CAPTURES / "anthropic" / "2026-08-13_docs-pricing.md").read_bytes()
    prices = ask(
        tmp_path,
        "select model_label, evidence_sha256, evidence, usd_per_mtok from price_on(date '2026-08-21')"
        " where provider_id = 'anthropic' and pricing_unit = '1M tokens'",
    )
    assert len(prices) > 80
    assert {digest for _, digest, _, _ in prices} == {hashlib.sha256(on_the_page).hexdigest()}
    text = on_the_page.decode().replace("\\$", "$")
    assert all(label.split(" (")[0] in text and evidence.split(" ")[0] in text for label, _, evidence, _ in prices)
