"""Dated captures of real pages, arriving in any order: what days build is what is built from nothing."""

import csv
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.capture.archive import Archive
from pipeline.domain import Attempt, Capture, Reading, Source
from pipeline.errors import ScrapeError
from pipeline.providers import discover
from pipeline.reading.extract import read
from pipeline.settings import settings
from pipeline.warehouse import build, transform
from tests.conftest import SHARED_CAPTURES, needs_shared
from tests.warehouse.compiled import table_rows

PROVIDERS = ["anthropic", "deepseek", "moonshot", "openai"]
LEARNT = datetime(2026, 12, 1, tzinfo=UTC)
# All of it is what is believed today, whenever we came to know it.
OF_TODAY = [
    "marts.dim_offer",
    "marts.fct_price_daily",
    "marts.mart_announced_prices",
    "marts.mart_source_conflicts",
    "marts.mart_source_scorecard",
]

Records = list[tuple[Attempt, Reading]]


@needs_shared
def test_days_in_any_order_build_what_is_built_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    captures = list(dated_captures())
    assert len(captures) > 25
    one, another = (in_order_of_arrival(captures, seed) for seed in (1, 2))
    build_warehouse(tmp_path / "days", monkeypatch, one[: len(one) // 2])
    build_warehouse(tmp_path / "days", monkeypatch, one)
    day_by_day = all_tables()
    build_warehouse(tmp_path / "nothing", monkeypatch, one)
    assert all_tables() == day_by_day
    build_warehouse(tmp_path / "another", monkeypatch, another)
    otherwise = all_tables()
    assert {name: otherwise[name] for name in OF_TODAY} == {name: day_by_day[name] for name in OF_TODAY}
    assert otherwise["marts.mart_restatements"] != day_by_day["marts.mart_restatements"]


def dated_captures() -> Iterator[tuple[Source, Capture]]:
    """Every complete capture of a page that one of the providers has, as its server answered."""
    sources = {
        source.url: (provider_id, source) for provider_id in PROVIDERS for source in discover()[provider_id].sources
    }
    with (SHARED_CAPTURES / "MANIFEST.csv").open(newline="") as manifest:
        for row in csv.DictReader(manifest):
            if row["page_url"] not in sources or row["complete"] != "yes" or len(row["capture_date"]) != 10:
                continue
            provider_id, source = sources[row["page_url"]]
            captured_at = datetime.fromisoformat(row["capture_date"]).replace(tzinfo=UTC)
            body = (SHARED_CAPTURES / row["file"]).read_bytes()
            yield source, Capture(provider_id, source.page_id, source.url, captured_at, body)


def in_order_of_arrival(captures: Sequence[tuple[Source, Capture]], seed: int) -> Records:
    """The captures as the archive would record them if they became known an hour after one another, in any order."""
    chance = random.Random(seed)  # noqa: S311
    arrived: Records = []
    for number, (source, capture) in enumerate(chance.sample(captures, len(captures))):
        known_at = LEARNT + timedelta(hours=number)
        capture_id = f"{capture.page_id}-{capture.captured_at:%F}-{capture.sha256}"
        attempt = Attempt(
            capture_id=capture_id,
            provider_id=capture.provider_id,
            page_id=capture.page_id,
            url=capture.url,
            origin="live",
            # Of two captures of one day the later request speaks: which one that is must not depend on the order.
            requested_at=capture.captured_at,
            captured_at=capture.captured_at,
            outcome="ok",
            sha256=capture.sha256,
        )
        try:
            quotes = read(capture, source)
        except ScrapeError as error:
            reading = Reading(capture_id, capture_id, known_at, type(error).__name__, str(error))
        else:
            digest = Archive.quotes_digest(quotes)
            reading = Reading(capture_id, capture_id, known_at, "ok", None, tuple(quotes), digest)
        arrived.append((attempt, reading))
    return arrived


def build_warehouse(home: Path, monkeypatch: pytest.MonkeyPatch, arrived: Records) -> None:
    """Loads what is not there yet, and builds all models on top of what is."""
    monkeypatch.setenv("TOKENFALL_HOME", str(home))
    settings.cache_clear()
    providers = discover()
    with build.connect(settings().build) as connection:
        build.prepare(connection, providers.values())
        loaded = {name for (name,) in connection.execute("select capture_id from raw.captures").fetchall()}
        new = [record for pair in arrived if pair[0].capture_id not in loaded for record in pair]
        build.load(connection, new, {provider_id: provider.kind for provider_id, provider in providers.items()})
    assert transform.invoke(["build", "--resource-type", "seed", "--resource-type", "model"])


def all_tables() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every model, by schema and table."""
    with duckdb.connect(settings().build, read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name in ('intermediate', 'marts')"
            " union all select schema_name || '.' || view_name from duckdb_views() where schema_name = 'marts'"
        ).fetchall()
        return {name: table_rows(connection, name) for (name,) in names}
