"""The build file: what the archive says as raw tables, ready for dbt. One writer at a time; nobody else reads it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from pipeline.domain import MTOK_FACTOR, Attempt, Position, PriceQuote, Provider, Reading

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
# The same for every connection of a process, dbt's included: DuckDB refuses a second configuration for one file.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # What does not fit is spilled beside the file: ten years of history are built from nothing in under 2 GB in all.
    "memory_limit": "1200MB",
    # A checkpoint would write whole tables anew, to close the holes of what was told again.
    "max_vacuum_tasks": 0,
    # One checkpoint at the end of a day, and not another one in the middle of it.
    "checkpoint_threshold": "1GB",
}
# Where quotes go that are not prices on a provider's own page, by the kind of the provider.
QUOTE_TABLES = {"price_map": "raw.observations", "exchange_rates": "raw.exchange_rates"}
# Rows are loaded in portions, so that a rebuild of a long archive needs no more memory than a day.
_PORTION = 50_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many new records the archive had."""

    attempts: int
    readings: int


@contextmanager
def connect(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a DuckDB file, closed whatever happens, so that no lock outlives its use."""
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(path, read_only=read_only, config=CONFIG)
    try:
        yield connection
    finally:
        connection.close()


def prepare(connection: duckdb.DuckDBPyConnection, providers: Iterable[Provider]) -> None:
    """Creates the raw tables and writes down what the code knows of sources and units."""
    connection.execute(SCHEMA)
    sources = pd.DataFrame(
        [
            {
                "provider_id": provider.provider_id,
                "provider_name": provider.name,
                "homepage": provider.homepage,
                "provider_kind": provider.kind,
                "page_id": source.page_id,
                "url": source.url,
                "format": source.format,
                "role": source.role,
                "is_verified": source.verified,
                "source_order": order,
            }
            for order, (provider, source) in enumerate(
                (provider, source) for provider in providers for source in provider.sources
            )
        ]
    )
    units = pd.DataFrame(
        [{"pricing_unit": str(unit), "mtok_factor": str(factor)} for unit, factor in MTOK_FACTOR.items()]
    )
    connection.execute("begin")
    connection.execute("delete from raw.sources")
    connection.execute("delete from raw.pricing_units")
    _insert(connection, "raw.sources", sources)
    _insert(connection, "raw.pricing_units", units)
    connection.execute("commit")


def load(
    connection: duckdb.DuckDBPyConnection, records: Iterable[Attempt | Reading], kinds: Mapping[str, str]
) -> Loaded:
    """Loads archive records that the tables do not have yet, in the order in which they were written.

    `kinds` are the kinds of the providers: what price maps and exchange rates say goes to tables of their own. Quotes
    of a set that is already there are not loaded again. The position in the archive moves with the rows, in one
    transaction.
    """
    attempts = readings = 0
    portion: list[Attempt | Reading] = []
    size = 0
    for record in records:
        portion.append(record)
        if isinstance(record, Reading):
            readings += 1
            size += len(record.quotes)
        else:
            attempts += 1
        if size > _PORTION:
            _load_portion(connection, portion, kinds)
            portion, size = [], 0
    if portion:
        _load_portion(connection, portion, kinds)
    return Loaded(attempts, readings)


def loaded_until(connection: duckdb.DuckDBPyConnection) -> Position | None:
    """The position in the archive behind the last record that was loaded; None for a new warehouse."""
    row = connection.execute("select file_name, file_offset from raw.archive_position").fetchone()
    return Position(*row) if row else None


def _load_portion(
    connection: duckdb.DuckDBPyConnection, records: list[Attempt | Reading], kinds: Mapping[str, str]
) -> None:
    attempts = [record for record in records if isinstance(record, Attempt)]
    readings = [record for record in records if isinstance(record, Reading)]
    providers = dict(
        connection.execute(
            "select capture_id, provider_id from raw.captures where capture_id = any(?)",
            [[reading.capture_id for reading in readings]],
        ).fetchall()
    ) | {attempt.capture_id: attempt.provider_id for attempt in attempts}
    known = {
        digest
        for (digest,) in connection.execute(
            "select quotes_sha256 from raw.readings where quotes_sha256 = any(?)",
            [[reading.quotes_sha256 for reading in readings if reading.quotes_sha256]],
        ).fetchall()
    }
    quotes: dict[str, list[dict[str, Any]]] = {}
    for reading in readings:
        if reading.quotes_sha256 is None or reading.quotes_sha256 in known:
            continue
        known.add(reading.quotes_sha256)
        provider_id = providers[reading.capture_id]
        target = QUOTE_TABLES.get(kinds.get(provider_id, ""), "raw.price_quotes")
        quotes.setdefault(target, []).extend(
            _quote_row(reading.quotes_sha256, number, quote, provider_id) for number, quote in enumerate(reading.quotes)
        )
    connection.execute("begin")
    _insert(connection, "raw.captures", pd.DataFrame([_attempt_row(attempt) for attempt in attempts]))
    _insert(connection, "raw.readings", pd.DataFrame([_reading_row(reading) for reading in readings]))
    for table, rows in quotes.items():
        _insert(connection, table, pd.DataFrame(rows))
    # What became of a capture is what its latest reading made of it, unless it never arrived.
    connection.execute(
        """
        update raw.captures set
            outcome = case when latest.outcome = 'ok' and captures.outcome = 'unchanged' then 'unchanged'
                else latest.outcome end,
            message = latest.message
        from (
            select capture_id, last(outcome order by read_at) as outcome, last(message order by read_at) as message
            from raw.readings where capture_id = any(?) group by capture_id
        ) as latest
        where captures.capture_id = latest.capture_id
        """,
        [[*(attempt.capture_id for attempt in attempts), *(reading.capture_id for reading in readings)]],
    )
    connection.execute("delete from raw.archive_position")
    connection.execute("insert into raw.archive_position values (?, ?)", list(records[-1].position))
    connection.execute("commit")


def _attempt_row(attempt: Attempt) -> dict[str, Any]:
    return {
        "capture_id": attempt.capture_id,
        "provider_id": attempt.provider_id,
        "page_id": attempt.page_id,
        "url": attempt.url,
        "origin": attempt.origin,
        "requested_at": _utc(attempt.requested_at),
        "captured_at": _utc(attempt.captured_at),
        "outcome": attempt.outcome,
        "message": attempt.message,
        "status": attempt.status,
        "sha256": attempt.sha256,
        "size_bytes": attempt.size,
        "etag": attempt.etag,
        "last_modified": attempt.last_modified,
    }


def _reading_row(reading: Reading) -> dict[str, Any]:
    return {
        "reading_id": reading.reading_id,
        "capture_id": reading.capture_id,
        "read_at": _utc(reading.read_at),
        "outcome": reading.outcome,
        "message": reading.message,
        "quotes_sha256": reading.quotes_sha256,
    }


def _quote_row(digest: str, number: int, quote: PriceQuote, provider_id: str) -> dict[str, Any]:
    return {
        "quotes_sha256": digest,
        "quote_no": number,
        "provider_id": quote.provider_id or provider_id,
        "model_label": quote.model_label,
        "meter": str(quote.meter),
        "list_unit_price": None if quote.list_unit_price is None else f"{quote.list_unit_price:f}",
        "pricing_unit": str(quote.pricing_unit),
        "currency": quote.currency,
        "service_tier": str(quote.service_tier),
        "context_from": quote.context_from,
        "context_to": quote.context_to,
        "region": quote.region,
        "time_window": quote.time_window,
        "announced_from": _utc(quote.announced_from),
        "valid_until": _utc(quote.valid_until),
        "doubt": quote.doubt,
        "evidence": quote.evidence,
        "locator": quote.locator,
    }


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame) -> None:
    """Inserts by name. Every value travels as text or whole number, so that no decimal passes through a float."""
    if rows.empty:
        return
    rows = rows.astype(object).where(rows.notna(), None).map(lambda value: value if value is None else str(value))
    connection.register("new_rows", rows)
    try:
        connection.execute(f"insert into {table} by name select * from new_rows")  # noqa: S608 (a name of our own)
    finally:
        connection.unregister("new_rows")
