"""Backfills from the web archive: over real HTTP into a real archive and a real warehouse."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from pipeline.assets.capture import every_provider
from pipeline.backfill import backfill_web_archive
from pipeline.capture.archive import Archive
from pipeline.capture.web_archive import addresses, index_url
from pipeline.cli import app
from pipeline.day import PageResult, last_good_attempts
from pipeline.domain import Attempt, Reading
from pipeline.progress import time_left
from pipeline.providers import discover
from pipeline.settings import settings
from pipeline.warehouse.build import connect
from tests.capture.conftest import Reply, Web, running
from tests.conftest import SHARED_CAPTURES, needs_shared
from tests.world import URL, environment, pricing_page, served, write_captures

DAYS = [date(2026, 3, day) for day in (1, 2, 3, 4, 5)]
ALWAYS = {"Claude Opus 4.1": "15", "Claude Opus 4": "15"}
PAGES = {
    DAYS[0]: pricing_page(ALWAYS | {"Claude Opus 4.5": "5"}),
    DAYS[1]: pricing_page(ALWAYS | {"Claude Opus 4.5": "5"}),
    DAYS[2]: pricing_page(ALWAYS | {"Claude Opus 4.5": "4"}, column="Base Input Tokens (beta)"),
    DAYS[3]: pricing_page(ALWAYS | {"Claude Opus 4.5": "4", "Claude Haiku 4.5": "1"}),
    DAYS[4]: pricing_page(ALWAYS | {"Claude Opus 4.5": "3", "Claude Haiku 4.5": "1"}),
}
# The second day repeats the first.
CHANGES = [DAYS[0], *DAYS[2:]]


@contextmanager
def at_home(home: Path, origin: str) -> Iterator[pytest.MonkeyPatch]:
    """This process as a tokenfall process of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (environment(home, origin) | {"TOKENFALL_WEB_ARCHIVE_INTERVAL": "0"}).items():
            patch.setenv(name, value)
        settings.cache_clear()
        yield patch
    settings.cache_clear()


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    return write_captures(tmp_path / "captures", PAGES)


def bring_in(first: date = DAYS[0], last: date = DAYS[-1]) -> Iterator[PageResult]:
    return backfill_web_archive(settings(), every_provider(), [discover()["anthropic"]], first, last)


def in_the_archive(home: Path) -> list[Attempt | Reading]:
    return list(Archive(home / "archive").records())


def raw(query: str) -> list[tuple[Any, ...]]:
    with connect(settings().build) as connection:
        return connection.execute(query).fetchall()


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def test_every_change_is_kept_at_its_own_time_and_read(tmp_path: Path, captures: Path) -> None:
    with served(captures) as origin, at_home(tmp_path, origin):
        results = list(bring_in())
        assert [result.outcome for result in results] == ["ok", "LayoutChanged", "ok", "ok"]
        assert [result.attempt.captured_at for result in results] == [midnight(day) for day in CHANGES]
        assert [result.quotes for result in results] == [12, 0, 16, 16]
        assert {result.attempt.origin for result in results} == {"web_archive"}
        assert results[0].attempt.url == f"https://web.archive.org/web/20260301000000id_/{URL}"
        with Archive(tmp_path / "archive") as archive:
            bodies = [archive.load_capture(result.attempt.capture_id).body.decode() for result in results]
        assert bodies == [PAGES[day] for day in CHANGES]
        loaded = raw("select origin, captured_at, outcome from raw.captures order by captured_at")
        assert loaded == [
            ("web_archive", midnight(result.attempt.captured_at.date()).replace(tzinfo=None), result.outcome)
            for result in results
        ]
        assert raw("select count(*) from raw.readings") == [(4,)]
        # The page itself was never asked for, so there is nothing that it could be compared with.
        with connect(settings().build) as connection:
            assert last_good_attempts(connection) == {}


def test_a_second_run_fetches_nothing_and_adds_nothing(tmp_path: Path, captures: Path) -> None:
    with served(captures) as origin, at_home(tmp_path, origin):
        list(bring_in(last=DAYS[3]))
        first = in_the_archive(tmp_path)
        assert list(bring_in(last=DAYS[3])) == []
        assert in_the_archive(tmp_path) == first
        assert raw("select count(*) from raw.captures") == [(3,)]
        # Neither is fetched again what could not be read, nor what another span of time has in common.
        assert [result.attempt.captured_at for result in bring_in()] == [midnight(DAYS[4])]


def test_the_past_may_be_brought_in_piece_by_piece(tmp_path: Path, captures: Path) -> None:
    with served(captures) as origin, at_home(tmp_path, origin):
        # The 2nd is as the 1st: what held then was captured on the 1st, and no piece asks for it again.
        pieces = [[result.attempt.captured_at for result in bring_in(day, day)] for day in (DAYS[1], *DAYS)]
    assert pieces == [[midnight(DAYS[0])], [], [], *([midnight(day)] for day in DAYS[2:])]


def memento(day: date, body: str) -> Reply:
    return Reply(200, body.encode(), {"Memento-Datetime": f"{day:%a, %d %b %Y} 00:00:00 GMT"})


def web_archive(web: Web, mementos: Mapping[date, Reply]) -> None:
    """The pricing page's mementos, and nothing of any other address."""
    for source in discover()["anthropic"].sources:
        for address in addresses(source):
            web.serve(index_path(address), b"[]")
    rows = [["timestamp", "original", "statuscode", "digest"]]
    for day, reply in mementos.items():
        rows.append([f"{day:%Y%m%d}000000", URL, "200", str(day)])
        web.serve(memento_path(day), reply)
    web.serve(index_path(URL), json.dumps(rows).encode())


def index_path(address: str) -> str:
    return index_url(address, DAYS[-1]).removeprefix("https://")


def memento_path(day: date) -> str:
    return f"web.archive.org/web/{day:%Y%m%d}000000id_/{URL}"


def test_errors_have_names_stop_nothing_and_are_tried_again(tmp_path: Path) -> None:
    with running(Web()) as web, at_home(tmp_path, web.url):
        good = {day: memento(day, PAGES[day]) for day in CHANGES}
        web_archive(web, good | {DAYS[0]: Reply(404), DAYS[2]: memento(DAYS[1], PAGES[DAYS[2]])})
        web.serve(index_path("https://claude.com/pricing"), Reply(500))
        results = list(bring_in())
        assert [(result.page_id, result.outcome) for result in results] == [
            ("marketing", "FetchError"),
            *[("pricing", outcome) for outcome in ("FetchError", "FetchError", "ok", "ok")],
        ]
        assert "answered 500" in (results[0].message or "")
        assert "answered 404" in (results[1].message or "")
        assert "captured at 2026-03-02" in (results[2].message or "")
        assert raw("select outcome, origin, count(*) from raw.captures group by all order by all") == [
            ("FetchError", "web_archive", 3),
            ("ok", "web_archive", 2),
        ]
        web_archive(web, good)
        assert [result.outcome for result in bring_in()] == ["ok", "LayoutChanged"]
        assert [len(web.asked(memento_path(day))) for day in CHANGES] == [2, 2, 1, 1]


def test_the_archive_is_never_asked_more_than_once_a_second(tmp_path: Path) -> None:
    """As it is set up, where a memento leads elsewhere and another is asked for again."""
    [source] = discover()["huggingface"].sources
    first, second = (f"web.archive.org/web/2026030{day}000000id_/{source.url}" for day in (1, 2))
    rows = [["timestamp", "original", "statuscode", "digest"]]
    rows += [[f"2026030{day}000000", source.url, "200", str(day)] for day in (1, 2)]
    with running(Web()) as web, at_home(tmp_path, web.url) as patch:
        patch.delenv("TOKENFALL_WEB_ARCHIVE_INTERVAL")
        patch.setenv("TOKENFALL_MAX_RETRIES", "1")
        web.serve(index_path(source.url), json.dumps(rows).encode())
        web.serve(first, Reply(302, headers={"Location": "/web/elsewhere"}))
        web.serve("web.archive.org/web/elsewhere", Reply(404))
        web.serve(second, Reply(503), memento(DAYS[1], "{}"))
        outcomes = [
            result.outcome
            for result in backfill_web_archive(
                settings(), every_provider(), [discover()["huggingface"]], DAYS[0], DAYS[-1]
            )
        ]
        began = [request.began for request in web.requests]
    assert outcomes == ["FetchError", "LayoutChanged"]
    assert [path.rpartition("/")[2] for path in web.paths[2:]] == ["models", "elsewhere", "models", "models"]
    assert min(after - before for before, after in pairwise(began)) >= 1


def test_an_archive_that_wants_to_be_left_alone_is(tmp_path: Path) -> None:
    with running(Web()) as web, at_home(tmp_path, web.url):
        busy = Reply(429, headers={"Retry-After": "3600"})
        web_archive(web, {day: memento(day, PAGES[day]) for day in CHANGES} | {DAYS[2]: busy})
        results = list(bring_in())
        assert [result.outcome for result in results] == ["ok", "FetchError", "FetchError", "FetchError"]
        assert all("is to be left alone" in (result.message or "") for result in results[2:])
        assert [len(web.asked(memento_path(day))) for day in CHANGES] == [1, 1, 0, 0]


def test_a_killed_backfill_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(Web()) as web:
        web_archive(web, {day: memento(day, PAGES[day]) for day in CHANGES})

        def kill(_: BaseHTTPRequestHandler) -> None:
            process.send_signal(signal.SIGKILL)

        web.serve(memento_path(DAYS[3]), kill, memento(DAYS[3], PAGES[DAYS[3]]))
        days = ["--from", str(DAYS[0]), "--to", str(DAYS[-1])]
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "backfill", "web-archive", "anthropic", *days],
            env=environment(tmp_path, web.url) | {"TOKENFALL_WEB_ARCHIVE_INTERVAL": "0"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert process.wait(timeout=120) == -signal.SIGKILL
        with at_home(tmp_path, web.url):
            results = list(bring_in())
            assert [result.attempt.captured_at for result in results] == [midnight(DAYS[3]), midnight(DAYS[4])]
            assert [len(web.asked(memento_path(day))) for day in CHANGES] == [1, 1, 2, 1]
            assert raw("select count(*), count(distinct captured_at) from raw.captures") == [(4, 4)]
            assert raw("select count(distinct capture_id) from raw.readings") == [(4,)]


def test_histories_are_the_same_whatever_arrives_first(tmp_path: Path, captures: Path) -> None:
    """The page's newest state and the past, in both orders, by way of the command and what it publishes."""
    runner = CliRunner()

    def command(*arguments: str) -> str:
        result = runner.invoke(app, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    def the_past(first: date, last: date) -> str:
        return command("backfill", "web-archive", "anthropic", "--from", str(first), "--to", str(last))

    def history(home: Path) -> list[tuple[Any, ...]]:
        with duckdb.connect(home / "public" / "tokenfall.duckdb", read_only=True) as connection:
            return connection.execute(
                "select model_label, meter, service_tier, usd_per_mtok, valid_from, valid_to, ended_by, date_precision,"
                " source_kind, evidence_sha256, last_observed_at"
                " from marts.fct_price_history where known_to is null and page_key = 'anthropic/pricing' order by all"
            ).fetchall()

    def believed(home: Path, day: date, known_at: datetime) -> list[float]:
        with duckdb.connect(home / "public" / "tokenfall.duckdb", read_only=True) as connection:
            prices = connection.execute(
                "select usd_per_mtok from price_on(?, ?) where (model_label, meter, service_tier) = (?, ?, ?)",
                [day, known_at.replace(tzinfo=None), *OPUS_INPUT],
            ).fetchall()
        return [float(price) for (price,) in prices]

    page_first, past_first = tmp_path / "page_first", tmp_path / "past_first"
    with served(captures, DAYS[3]) as origin, at_home(page_first, origin):
        command("capture", "anthropic")
        before = datetime.now(UTC)
        said = the_past(DAYS[0], DAYS[-1])
        assert re.search(r"anthropic/pricing\s+ok\s+2\s+2026-03-01\s+2026-03-04", said)
        assert re.search(r"anthropic/pricing\s+LayoutChanged\s+1\s+2026-03-03", said)
        assert "Published: " in said
        assert "nothing that is not in ours already" in the_past(DAYS[0], DAYS[-1])
        # When it was learnt is not when it was so: before the backfill nobody here knew the price of that day.
        assert believed(page_first, DAYS[1], before) == []
        assert believed(page_first, DAYS[1], datetime.now(UTC)) == [5]
        assert believed(page_first, DAYS[3], before) == [4]
        published = history(page_first)
        for folder in ("build", "public"):
            shutil.rmtree(page_first / folder)
        command("rebuild")
        assert history(page_first) == published
        assert believed(page_first, DAYS[1], before) == []
    with served(captures, DAYS[3]) as origin, at_home(past_first, origin):
        list(bring_in(last=DAYS[2]))
        command("capture", "anthropic")
        the_past(DAYS[3], DAYS[3])
        coverage = raw(
            "select last_outcome, attempts, good_captures from marts.mart_coverage"
            " where (provider_id, page_id) = ('anthropic', 'pricing')"
        )
    # An old layout that could not be read does not hide that the page can be.
    assert coverage == [("ok", 1, 3)]
    assert history(page_first) == history(past_first)
    steps = [(float(row[3]), row[4].day, row[5] and row[5].day) for row in history(page_first) if row[:3] == OPUS_INPUT]
    assert steps == [(4.0, 4, None), (5.0, 1, 4)]


OPUS_INPUT = ("Claude Opus 4.5", "input", "standard")


def test_the_job_brings_in_one_month_and_a_day_does_not(tmp_path: Path, captures: Path) -> None:
    import dagster as dg

    from pipeline.definitions import defs

    assert "web_archive_month" not in {node.name for node in defs.resolve_job_def("daily").nodes}
    job = defs.resolve_job_def("backfill_web_archive")
    assert job.partitions_def is not None
    assert job.partitions_def.get_first_partition_key() == "2023-01-01"
    # The daily run, whose priority is 0, waits for no month in the queue.
    assert job.tags["dagster/priority"] == "-1"

    def month(key: str, *providers: str) -> dg.ExecuteInProcessResult:
        return job.execute_in_process(
            partition_key=key,
            run_config={"ops": {"web_archive_month": {"config": {"providers": list(providers)}}}} if providers else {},
            raise_on_error=False,
        )

    with served(captures) as origin, at_home(tmp_path, origin):
        assert month("2026-02-01").success
        assert in_the_archive(tmp_path) == []
        assert not month("2026-03-01", "anthropic", "nobody").success
        assert in_the_archive(tmp_path) == []
        assert month("2026-03-01", "anthropic").success
        assert raw("select count(*) from raw.captures") == [(4,)]


def test_a_month_with_a_memento_that_did_not_arrive_is_not_done(tmp_path: Path) -> None:
    from pipeline.definitions import defs

    with running(Web()) as web, at_home(tmp_path, web.url):
        job = defs.resolve_job_def("backfill_web_archive")
        config = {"ops": {"web_archive_month": {"config": {"providers": ["groq"]}}}}
        # Every index is a 404.
        result = job.execute_in_process(partition_key="2026-03-01", run_config=config, raise_on_error=False)
        assert not result.success
        assert raw("select distinct outcome from raw.captures") == [("FetchError",)]


@pytest.mark.parametrize(
    ("seconds", "done", "total", "said"),
    [
        (9, 0, 10, ""),
        (5, 5, 15, "about 10 s left"),
        (119, 1, 2, "about 119 s left"),
        (120, 1, 2, "about 2 min left"),
        (60, 1, 121, "about 2 h left"),
        (60, 9, 9, ""),
    ],
)
def test_the_time_left_goes_on_as_before(seconds: float, done: int, total: int, said: str) -> None:
    assert time_left(seconds, done, total) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody", "--from", "2026-01-01", "--to", "2026-01-31"], "unknown provider 'nobody'"),
        (["--from", "2026-01-02", "--to", "2026-01-01"], "2026-01-01 is before 2026-01-02"),
        (["--from", "soon", "--to", "2026-01-01"], "'soon' does not match the format"),
        (["anthropic"], "Missing option '--from'"),
    ],
)
def test_wrong_words_are_explained(tmp_path: Path, arguments: list[str], said: str) -> None:
    with at_home(tmp_path, "http://127.0.0.1:1"):
        result = CliRunner().invoke(app, ["backfill", "web-archive", *arguments])
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


@needs_shared
def test_all_captures_of_real_pages_come_in_by_way_of_the_web_archive(tmp_path: Path) -> None:
    """All addresses in one go and, with nothing left to fetch, month by month."""
    everybody = discover()
    with served(SHARED_CAPTURES) as origin, at_home(tmp_path, origin):
        results = list(
            backfill_web_archive(settings(), every_provider(), everybody.values(), date(2023, 1, 1), date(2026, 11, 21))
        )
        again = list(
            backfill_web_archive(settings(), every_provider(), everybody.values(), date(2026, 5, 1), date(2026, 5, 31))
        )
    assert again == []
    read = [result for result in results if result.outcome == "ok"]
    assert len(read) >= 70
    assert sum(result.quotes for result in read) >= 16_000
    assert len({result.provider_id for result in read}) >= 15
    assert min(result.attempt.captured_at for result in read).year == 2024
    # What its parser does not know is kept, and what a server answered browsers only is seen for what it is.
    assert {result.outcome for result in results} == {"ok", "LayoutChanged", "BotChallenge"}
    assert all(result.attempt.sha256 for result in results)
