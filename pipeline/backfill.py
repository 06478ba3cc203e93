"""The past, from the web archive: every change of every page that its crawlers have seen, read by today's parsers.

A memento is archived before it is read and never fetched again, so an interruption costs the one that was under way.
Which mementos are wanted does not depend on how the past is cut into backfills: the months of a year want what the year
wants.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

import duckdb

from pipeline.capture.archive import Archive
from pipeline.capture.client import Client
from pipeline.capture.web_archive import Memento, addresses, changes, client_for, fetch_memento, index_url, mementos
from pipeline.day import PageResult, load_archive, read_capture
from pipeline.domain import Provider, Source
from pipeline.errors import ScrapeError
from pipeline.progress import report, time_left
from pipeline.settings import Settings
from pipeline.warehouse.build import connect


class _Page(NamedTuple):
    provider_id: str
    source: Source


class _Wanted(NamedTuple):
    page: _Page
    memento: Memento


def backfill_web_archive(
    config: Settings, known: Mapping[str, Provider], chosen: Iterable[Provider], first: date, last: date
) -> Iterator[PageResult]:
    """Archives and reads what the web archive has of the chosen providers' pages from the first to the last day.

    That begins with the memento of each page that held when the first day began, which is older than that day.
    Yields what came of each memento that the archive did not have yet, and of each address whose index could not be
    read; an error is archived by name and stops no other. `known` are all providers, for the raw tables, which have
    everything when the last one is done. Raises ArchiveInUse where another process writes.
    """
    pages = [_Page(provider.provider_id, source) for provider in chosen for source in provider.sources]
    with Archive(config.archive) as archive, client_for(config) as client:
        with connect(config.build) as connection:
            load_archive(connection, archive, known)
            held = _held(connection)
        wanted: list[_Wanted] = []
        for page, found in _indexed(archive, client, pages, first, last):
            if isinstance(found, PageResult):
                yield found
                continue
            wanted += [
                _Wanted(page, memento)
                for memento in found
                if (page.provider_id, page.source.page_id, memento.captured_at) not in held
            ]
        yield from _fetched(archive, client, wanted, config.web_archive_pause)
        with connect(config.build) as connection:
            load_archive(connection, archive, known)


def _held(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str, datetime]]:
    """Provider, page and time of every memento that was fetched, whether or not it could be read."""
    rows = connection.execute(
        """
        select provider_id, page_id, captured_at from raw.captures
        where origin = 'web_archive' and sha256 is not null
        """
    ).fetchall()
    return {(provider_id, page_id, captured_at.replace(tzinfo=UTC)) for provider_id, page_id, captured_at in rows}


def _indexed(
    archive: Archive, client: Client, pages: list[_Page], first: date, last: date
) -> Iterator[tuple[_Page, list[Memento] | PageResult]]:
    """The changes of each page, and the failures of its addresses before them."""
    total = sum(len(addresses(page.source)) for page in pages)
    began = time.monotonic()
    done = 0
    for page in pages:
        by_address: list[list[Memento]] = []
        for url in addresses(page.source):
            requested_at = datetime.now(UTC)
            try:
                by_address.append(mementos(client, page.provider_id, page.source, url, last))
                outcome = f"{len(by_address[-1])} mementos"
            except ScrapeError as error:
                failure = _failed(archive, page, index_url(url, last), requested_at, error)
                yield page, failure
                outcome = failure.outcome
            done += 1
            left = time_left(time.monotonic() - began, done, total)
            report("index", done, total, _in_words(page.provider_id, page.source.page_id, url, outcome, left))
        yield page, changes(by_address, first)


def _fetched(archive: Archive, client: Client, wanted: list[_Wanted], pause: float) -> Iterator[PageResult]:
    if wanted:
        report("mementos", 0, len(wanted), f"at least {len(wanted) * pause:.0f} s")
    began = time.monotonic()
    for done, (page, memento) in enumerate(wanted, start=1):
        result = _fetch(archive, client, page, memento)
        left = time_left(time.monotonic() - began, done, len(wanted))
        what = f"{memento.captured_at:%Y-%m-%d %H:%M} {result.outcome}"
        prices = f"{result.quotes} prices"
        report("mementos", done, len(wanted), _in_words(page.provider_id, page.source.page_id, what, prices, left))
        yield result


def _fetch(archive: Archive, client: Client, page: _Page, memento: Memento) -> PageResult:
    requested_at = datetime.now(UTC)
    try:
        capture = fetch_memento(client, page.provider_id, page.source, memento)
    except ScrapeError as error:
        return _failed(archive, page, memento.url, requested_at, error)
    attempt = archive.append_capture(capture, requested_at)
    reading = read_capture(archive, attempt.capture_id, page.source)
    return PageResult(
        page.provider_id, page.source.page_id, reading.outcome, reading.message, len(reading.quotes), attempt
    )


def _failed(archive: Archive, page: _Page, url: str, requested_at: datetime, error: ScrapeError) -> PageResult:
    attempt = archive.append_failure(
        page.provider_id, page.source.page_id, url, requested_at, error, origin="web_archive"
    )
    return PageResult(page.provider_id, page.source.page_id, attempt.outcome, str(error), 0, attempt)


def _in_words(provider_id: str, page_id: str, *rest: str) -> str:
    return ", ".join(filter(None, (f"{provider_id}/{page_id} {rest[0]}", *rest[1:])))
