"""dbt in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from pipeline.domain import Attempt
from pipeline.settings import settings
from pipeline.warehouse import build
from pipeline.warehouse.transform import BUILT_FROM, REFRESH_SECONDS, Build, built_manifest


@pytest.fixture
def build_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A warehouse that knows of one attempt, whose time its clock shows."""
    monkeypatch.setenv("TOKENFALL_HOME", str(tmp_path))
    settings.cache_clear()
    load_one_attempt(settings().build)
    yield settings().build
    settings.cache_clear()


def load_one_attempt(build_file: Path) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    attempt = Attempt("c1", "acme", "pricing", "https://acme.example/pricing", "live", noon, noon, "ok")
    with build.connect(build_file) as connection:
        build.prepare(connection, [])
        build.load(connection, [attempt], {})


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_events_of_all_nodes_arrive_and_the_file_is_free_again(build_file: Path) -> None:
    with Build() as dbt:
        dbt.begin()
        nodes = {event["data"]["node_info"]["node_name"]: event["data"]["status"] for event in dbt.events()}
    assert dbt.succeeded
    assert (nodes["models"], nodes["fct_price_history"]) == ("success", "OK")
    assert nodes["grain_dim_model_model_id"] == "pass"
    with build.connect(build_file) as connection:
        assert connection.execute("select count(*) from marts.fct_price_history").fetchall() == [(0,)]


def test_a_project_goes_on_with_what_it_built_until_it_changes_or_a_month_has_passed(build_file: Path) -> None:
    def note_after_a_build() -> str | None:
        with Build() as dbt:
            dbt.begin()
            list(dbt.events())
        assert dbt.succeeded
        with build.connect(build_file) as connection:
            [(note,)] = connection.execute(
                "select comment from duckdb_tables() where table_name = 'int_witness_spells'"
            ).fetchall()
            return note

    def take_note() -> None:
        with build.connect(build_file) as connection:
            connection.execute("comment on table intermediate.int_witness_spells is 'the same table'")

    built_from = built_manifest().with_name(BUILT_FROM)
    assert note_after_a_build() is None
    take_note()
    assert note_after_a_build() == "the same table"
    built_from.write_text("another project")
    assert note_after_a_build() is None
    take_note()
    long_ago = time.time() - REFRESH_SECONDS
    os.utime(built_from, (long_ago, long_ago))
    assert note_after_a_build() is None
    take_note()
    assert note_after_a_build() == "the same table"


def test_what_is_selected_is_built_but_everything_where_it_cannot_go_on(build_file: Path) -> None:
    def built(*selection: str) -> list[str]:
        with Build() as dbt:
            dbt.begin(selection)
            nodes = sorted(event["data"]["node_info"]["node_name"] for event in dbt.events())
        assert dbt.succeeded
        return nodes

    everything = built("--select", "dim_clock")
    assert {"models", "dim_clock", "mart_coverage"} <= set(everything)
    assert built("--select", "dim_clock", "--indirect-selection", "empty") == ["dim_clock"]
    with Build() as dbt:
        assert dbt.goes_on
    # What another hand makes of the same file has none of the seeds.
    build_file.unlink()
    with Build() as dbt:
        assert not dbt.goes_on
    load_one_attempt(build_file)
    assert built("--select", "dim_clock") == everything


def test_a_failed_model_is_an_event_and_no_success(build_file: Path) -> None:
    with build.connect(build_file) as connection:
        connection.execute("drop table raw.exchange_rates")
    with Build() as dbt:
        dbt.begin()
        nodes = {event["data"]["node_info"]["node_name"]: event["data"]["status"] for event in dbt.events()}
    assert not dbt.succeeded
    assert nodes["stg_exchange_rates"] == "error"


def test_a_process_that_is_killed_is_named(build_file: Path) -> None:  # noqa: ARG001
    before = {child.pid for child in children()}
    with Build() as dbt:
        [process] = [
            child
            for child in children()
            if child.pid not in before and "resource_tracker" not in " ".join(child.cmdline())
        ]
        process.kill()
        dbt.begin()
        with pytest.raises(RuntimeError, match="dbt's process ended with exit code -9"):
            list(dbt.events())


def test_a_build_that_was_never_asked_for_ends_with_its_run(build_file: Path) -> None:
    with Build():
        pass
    with build.connect(build_file) as connection:
        assert connection.execute(
            "select count(*) from information_schema.tables where table_schema = 'marts'"
        ).fetchall() == [(0,)]


BUILDS = """
from pipeline.warehouse.transform import Build
with Build():
"""
DRAWS = """
import os
import dagster as dg
from pipeline.assets.analytics.common import pen
with dg.build_resources({"pen": pen}) as resources:
    resources.pen.submit(os.getpid).result()
"""


@pytest.mark.parametrize("begin", [BUILDS, DRAWS])
def test_no_process_outlives_a_run_that_is_killed(build_file: Path, begin: str) -> None:  # noqa: ARG001
    wait = "    print('ready', flush=True)\n    time.sleep(60)\n"
    with subprocess.Popen(
        [sys.executable, "-c", f"import time\n{begin}{wait}"], env=os.environ, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        started = psutil.Process(run.pid).children()
        run.send_signal(signal.SIGKILL)
    assert len(started) > 1
    _, alive = psutil.wait_procs(started, timeout=30)
    assert not alive
