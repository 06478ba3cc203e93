"""What a day does between the network and the raw tables: capture pages, read captures, load the archive.

Everything goes through the archive. A capture is stored before it is read and a reading before it is loaded, so a
crash anywhere loses nothing: the next run loads what the archive has and reads what has not been read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from pipeline.capture.archive import Archive
from pipeline.capture.client import Client, Job
from pipeline.domain import Attempt, Capture, Provider, Reading, Source, Unchanged
from pipeline.errors import NothingNew, ScrapeError
from pipeline.reading.extract import read
from pipeline.warehouse import build

# The message of a reading by which a person lets a suspect capture speak; stg_readings knows it.
RELEASED = "released"


@dataclass(frozen=True, slots=True)
class PageResult:
    """What came of one page: "ok", "unchanged" or the class name of an error, and how many quotes were read."""

    provider_id: str
    page_id: str
    outcome: str
    message: str | None
    quotes: int
    attempt: Attempt

    @property
    def is_good(self) -> bool:
        """Whether the page was captured and read."""
        return self.outcome in {"ok", "unchanged"}


def capture_pages(
    archive: Archive, client: Client, providers: Iterable[Provider], previous: Mapping[tuple[str, str], Attempt]
) -> Iterator[PageResult]:
    """Fetches all pages of the providers, archives what came, reads it and archives the reading; yields page by page.

    `previous` are the last good attempts by provider and page; such pages are asked for only if they have changed.
    """
    jobs = [
        Job(provider.provider_id, source, previous.get((provider.provider_id, source.page_id)))
        for provider in providers
        for source in provider.sources
    ]
    for fetched in client.fetch_all(jobs):
        provider_id, source = fetched.job.provider_id, fetched.job.source
        match fetched.outcome:
            case ScrapeError() as error:
                attempt = archive.append_failure(provider_id, source.page_id, source.url, fetched.requested_at, error)
                yield PageResult(provider_id, source.page_id, attempt.outcome, str(error), 0, attempt)
                continue
            case Unchanged() as unchanged:
                attempt = archive.append_unchanged(unchanged, fetched.requested_at)
            case Capture() as capture:
                attempt = archive.append_capture(capture, fetched.requested_at)
        reading = read_capture(archive, attempt.capture_id, source)
        outcome = attempt.outcome if reading.outcome == "ok" else reading.outcome
        yield PageResult(provider_id, source.page_id, outcome, reading.message, len(reading.quotes), attempt)


def capture_history(archive: Archive, capture: Capture, source: Source, known: Attempt | None) -> PageResult:
    """Archives and reads a history of an outside price map; `known` is the last one that the archive has of it.

    Raises NothingNew where that one is the same or goes on for longer.
    """
    if known is not None and (known.sha256 == capture.sha256 or known.captured_at > capture.captured_at):
        raise NothingNew(
            f"the archive has the history of {capture.provider_id} until {known.captured_at:%Y-%m-%d %H:%M} already"
        )
    return capture_map(archive, capture, source)


def capture_map(archive: Archive, capture: Capture, source: Source) -> PageResult:
    """Archives and reads a snapshot of an outside price map."""
    attempt = archive.append_capture(capture, datetime.now(UTC))
    reading = read_capture(archive, attempt.capture_id, source)
    return PageResult(
        capture.provider_id, source.page_id, reading.outcome, reading.message, len(reading.quotes), attempt
    )


def read_capture(archive: Archive, capture_id: str, source: Source) -> Reading:
    """Reads one archived capture and archives what was read, or the error by name."""
    capture = archive.load_capture(capture_id)
    try:
        quotes = read(capture, source)
    except ScrapeError as error:
        return archive.append_reading(capture_id, datetime.now(UTC), type(error).__name__, str(error))
    return archive.append_reading(capture_id, datetime.now(UTC), "ok", None, quotes)


def load_archive(
    connection: duckdb.DuckDBPyConnection, archive: Archive, providers: Mapping[str, Provider]
) -> build.Loaded:
    """Brings the raw tables up to the archive, and first reads the captures that a crash left unread."""
    build.prepare(connection, providers.values())
    kinds = {provider_id: provider.kind for provider_id, provider in providers.items()}
    loaded = build.load(connection, archive.records(build.loaded_until(connection)), kinds)
    unread = connection.execute(
        """
        select capture_id, provider_id, page_id from raw.captures
        anti join raw.readings using (capture_id)
        where outcome in ('ok', 'unchanged') order by requested_at, capture_id
        """
    ).fetchall()
    sources = sources_by_page(providers.values())
    for capture_id, provider_id, page_id in unread:
        if (provider_id, page_id) in sources:
            read_capture(archive, capture_id, sources[provider_id, page_id])
    if unread:
        more = build.load(connection, archive.records(build.loaded_until(connection)), kinds)
        loaded = build.Loaded(loaded.attempts + more.attempts, loaded.readings + more.readings)
    return loaded


def replay(
    connection: duckdb.DuckDBPyConnection,
    archive: Archive,
    providers: Mapping[str, Provider],
    provider_ids: Iterable[str],
) -> Iterator[tuple[str, str, bool]]:
    """Reads archived captures again with today's parsers and archives each reading that differs from the last.

    Yields provider, page and whether the reading changed, capture by capture.
    """
    sources = sources_by_page(providers.values())
    captures = connection.execute(
        """
        select captures.capture_id, captures.provider_id, captures.page_id,
            last(readings.outcome order by readings.read_at),
            last(readings.quotes_sha256 order by readings.read_at)
        from raw.captures join raw.readings using (capture_id)
        where list_contains(?, captures.provider_id)
        group by all order by min(captures.requested_at), captures.capture_id
        """,
        [list(provider_ids)],
    ).fetchall()
    for capture_id, provider_id, page_id, outcome, quotes_sha256 in captures:
        if (provider_id, page_id) not in sources:
            continue
        changed = _differs(archive, capture_id, sources[provider_id, page_id], outcome, quotes_sha256)
        yield provider_id, page_id, changed


def release(
    connection: duckdb.DuckDBPyConnection, archive: Archive, source: Source, provider_id: str
) -> Reading | None:
    """Lets the last capture of a page speak that is held back or has quarantined prices; None where it was not read.

    A person has looked at the page. What they say is archived as a reading of its own: what was believed until now
    stays on record.
    """
    row = connection.execute(
        """
        select capture_id from raw.captures join raw.readings using (capture_id)
        where (provider_id, page_id) = (?, ?) and readings.outcome = 'ok'
        order by captured_at desc, requested_at desc, read_at desc limit 1
        """,
        [provider_id, source.page_id],
    ).fetchone()
    if row is None:
        return None
    quotes = read(archive.load_capture(row[0]), source)
    return archive.append_reading(row[0], datetime.now(UTC), "ok", RELEASED, quotes)


def _differs(archive: Archive, capture_id: str, source: Source, outcome: str, quotes_sha256: str | None) -> bool:
    capture = archive.load_capture(capture_id)
    try:
        quotes = read(capture, source)
    except ScrapeError as error:
        name = type(error).__name__
        if name == outcome:
            return False
        archive.append_reading(capture_id, datetime.now(UTC), name, str(error))
        return True
    if outcome == "ok" and archive.quotes_digest(quotes) == quotes_sha256:
        return False
    archive.append_reading(capture_id, datetime.now(UTC), "ok", None, quotes)
    return True


def last_good_attempts(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Attempt]:
    """The newest attempt of each page that brought or confirmed its bytes and was read, by provider and page.

    Mementos are none: they say nothing of whether the page has changed since it was last asked for.
    """
    rows = connection.execute(
        """
        select capture_id, provider_id, page_id, url, origin, requested_at, captured_at, outcome, status, sha256,
            size_bytes, etag, last_modified
        from raw.captures where outcome in ('ok', 'unchanged') and origin <> 'web_archive'
        qualify row_number() over (partition by provider_id, page_id order by requested_at desc) = 1
        """
    ).fetchall()
    attempts = [
        Attempt(
            capture_id=capture_id,
            provider_id=provider_id,
            page_id=page_id,
            url=url,
            origin=origin,
            requested_at=requested_at.replace(tzinfo=UTC),
            captured_at=captured_at.replace(tzinfo=UTC),
            outcome=outcome,
            status=status,
            sha256=sha256,
            size=size,
            etag=etag,
            last_modified=last_modified,
        )
        for (
            capture_id,
            provider_id,
            page_id,
            url,
            origin,
            requested_at,
            captured_at,
            outcome,
            status,
            sha256,
            size,
            etag,
            last_modified,
        ) in rows
    ]
    return {(attempt.provider_id, attempt.page_id): attempt for attempt in attempts}


def stale_pages(connection: duckdb.DuckDBPyConnection, since: datetime) -> dict[str, datetime | None]:
    """The pages without a good capture since then, and when each was last captured and read; price maps have none."""
    rows = connection.execute(
        """
        select sources.provider_id || '/' || sources.page_id as page, max(good.captured_at) as last_captured_at
        from raw.sources as sources
        left join (
            select captures.* from raw.captures
            semi join raw.readings on captures.capture_id = readings.capture_id and readings.outcome = 'ok'
        ) as good using (provider_id, page_id)
        where sources.role not in ('price_map', 'price_history')
        group by page having coalesce(last_captured_at < ?, true) order by page
        """,
        [since.astimezone(UTC).replace(tzinfo=None)],
    ).fetchall()
    return {page: last and last.replace(tzinfo=UTC) for page, last in rows}


def sources_by_page(providers: Iterable[Provider]) -> dict[tuple[str, str], Source]:
    """All sources by provider and page."""
    return {(provider.provider_id, source.page_id): source for provider in providers for source in provider.sources}
