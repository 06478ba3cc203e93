"""Captures and readings to and from WARC files, kept for ever; the warehouse can be remade from them alone.

A writing session appends to a file of its own (`tokenfall-<UTC>-<pid>.warc.gz`, WARC/1.1, one gzip member per record),
so a crash can only tear the last record of its own file. What is stored as what:

| WARC record            | holds                                                          |
|------------------------|----------------------------------------------------------------|
| response, resource     | a captured page as HTTP answer, or a file                      |
| revisit of one of them | the same bytes of the same page again, or a 304                |
| metadata               | an attempt that failed                                         |
| conversion             | the quotes that one parse read from one capture, a JSON a line |
| revisit of it          | a reading of the same page that found the same quotes          |

Beside each file of an ended session lies `<file>.index.json`, which says where its records are, so that the next
session need not inflate years of pages to know. It is made anew where it is missing or does not fit.
"""

import fcntl
import json
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from sys import intern
from typing import BinaryIO, NamedTuple

from requests.structures import CaseInsensitiveDict
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders

from pipeline.capture import records
from pipeline.capture.records import Fields, optional, record_id, required
from pipeline.domain import Attempt, Capture, Origin, Position, PriceQuote, Reading, Unchanged
from pipeline.errors import ArchiveInUse, ScrapeError

_log = logging.getLogger(__name__)
_CHUNK = 1 << 20
_GZIP = zlib.MAX_WBITS | 16
_SPECIFICATION = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_NAME_TIME = "tokenfall-%Y%m%d-%H%M%S"


class _Entry(NamedTuple):
    """Where a record is and what later records say of it; `holder_id` names the record that has its payload."""

    file: str
    start: int
    page: str
    url: str
    date: str
    holder_id: str


class _Note(NamedTuple):
    """What the index needs to know of a record."""

    start: int
    kind: str
    record_id: str
    page: str
    url: str
    date: str
    refers_to: str
    digest: str


class Archive:
    """The WARC files of one directory. Not for several threads.

    Reading needs nothing; the first append takes the directory's lock, `close` gives it back. `torn` names the files
    whose last record turned out, when they were read, to be cut off or damaged, and the offset at which that begins.
    """

    def __init__(self, directory: Path, max_file_bytes: int = 500_000_000) -> None:
        self.torn: dict[str, int] = {}
        self._directory = directory
        self._max_file_bytes = max_file_bytes
        self._lock: BinaryIO | None = None
        self._file: BinaryIO | None = None
        self._entries: dict[str, _Entry] = {}
        # The first record that holds a payload, by kind of record, page and digest.
        self._holders: dict[tuple[str, str, str], str] = {}
        self._indexed_to: Position | None = None
        self._quotes = lru_cache(maxsize=256)(self._load_quotes)

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the writing session, if there was one."""
        for file in (self._file, self._lock):
            if file is not None:
                file.close()
        self._file = self._lock = None

    # Every append returns when its record is on the disk. It raises ArchiveInUse where another process writes.

    def append_capture(self, capture: Capture, requested_at: datetime) -> Attempt:
        """Stores a page; where the archive has the same bytes of the same page already, a reference to them."""
        self._lock_out_others()
        page = f"{capture.provider_id}/{capture.page_id}"
        headers = CaseInsensitiveDict(capture.headers)
        is_file = capture.origin == "file"
        kind = "resource" if is_file else "response"
        named = records.attempt_fields(page, capture.url, capture.origin, requested_at, capture.captured_at, "ok") | {
            "Content-Type": headers.get("Content-Type", "application/octet-stream") if is_file else None,
            "WARC-Payload-Digest": f"sha256:{capture.sha256}",
            "Tokenfall-Size": str(len(capture.body)),
            "Tokenfall-ETag": headers.get("ETag"),
            "Tokenfall-Last-Modified": headers.get("Last-Modified"),
        }
        http = None if is_file else records.http_headers(capture.status, capture.headers, len(capture.body))
        holder_id = self._holders.get((kind, page, capture.sha256))
        if holder_id is None:
            record, position = self._append(kind, named, capture.body, http)
        else:
            named |= self._refers_to(holder_id, records.SAME_BYTES)
            record, position = self._append("revisit", named, b"", http)
        return records.attempt_of(record, position)

    def append_unchanged(self, unchanged: Unchanged, requested_at: datetime) -> Attempt:
        """Stores a 304 as another sight of the page that the previous attempt found.

        Raises KeyError where that page is not in this archive.
        """
        self._lock_out_others()
        previous = self._attempt(unchanged.previous.capture_id)
        page = f"{previous.provider_id}/{previous.page_id}"
        headers = CaseInsensitiveDict(unchanged.headers)
        named = records.attempt_fields(
            page, unchanged.url, "live", requested_at, unchanged.captured_at, "unchanged"
        ) | {
            "WARC-Payload-Digest": f"sha256:{previous.sha256}",
            "Tokenfall-Size": str(previous.size),
            # What the next conditional request needs, which a 304 may leave out.
            "Tokenfall-ETag": headers.get("ETag", previous.etag),
            "Tokenfall-Last-Modified": headers.get("Last-Modified", previous.last_modified),
        }
        named |= self._refers_to(self._entry(previous.capture_id).holder_id, records.NOT_MODIFIED)
        http = records.http_headers(HTTPStatus.NOT_MODIFIED, unchanged.headers, None)
        return records.attempt_of(*self._append("revisit", named, b"", http))

    def append_failure(
        self,
        provider_id: str,
        page_id: str,
        url: str,
        requested_at: datetime,
        error: ScrapeError,
        origin: Origin = "live",
    ) -> Attempt:
        """Stores that an attempt failed, and how."""
        self._lock_out_others()
        outcome = type(error).__name__
        named = records.attempt_fields(f"{provider_id}/{page_id}", url, origin, requested_at, requested_at, outcome)
        return records.attempt_of(*self._append("metadata", named, records.failure_block(outcome, str(error))))

    def append_reading(
        self,
        capture_id: str,
        read_at: datetime,
        outcome: str,
        message: str | None = None,
        quotes: Sequence[PriceQuote] = (),
    ) -> Reading:
        """Stores what a parse made of a capture; where the page had the same quotes before, a reference to them.

        Raises KeyError where the capture is not in this archive.
        """
        self._lock_out_others()
        capture = self._entry(capture_id)
        digest = self.quotes_digest(quotes)
        named: Fields = {
            "WARC-Target-URI": capture.url,
            "WARC-Date": records.timestamp(read_at),
            "WARC-Payload-Digest": f"sha256:{digest}",
            "Tokenfall-Page": capture.page,
            "Tokenfall-Capture": f"<{capture_id}>",
            "Tokenfall-Outcome": outcome,
            "Tokenfall-Message": message,
        }
        holder_id = self._holders.get(("conversion", capture.page, digest))
        if holder_id is None:
            as_lines = {"WARC-Refers-To": f"<{capture_id}>", "Content-Type": "application/x-ndjson"}
            return self._reading(*self._append("conversion", {**named, **as_lines}, records.quotes_block(quotes)))
        return self._reading(*self._append("revisit", {**named, **self._refers_to(holder_id, records.SAME_BYTES)}))

    @staticmethod
    def quotes_digest(quotes: Sequence[PriceQuote]) -> str:
        """The name of a set of quotes, as in `Reading.quotes_sha256`."""
        return sha256(records.quotes_block(quotes)).hexdigest()

    def records(self, after: Position | None = None) -> Iterator[Attempt | Reading]:
        """All attempts and readings in the order in which they were written, or those behind a position."""
        for _, position, member in self._scan(after):
            record = records.decode(member)
            if optional(record, "Tokenfall-Capture") is not None:
                yield self._reading(record, position)
            elif optional(record, "Tokenfall-Page") is not None:
                yield records.attempt_of(record, position)

    def load_capture(self, capture_id: str) -> Capture:
        """A capture as it was appended (but a file has no headers); for a 304 the page that it confirms, at its time.

        Raises KeyError where there is no such capture, also where the attempt failed.
        """
        entry = self._entry(capture_id)
        answer = holder = self._record(capture_id)
        if entry.holder_id != capture_id:
            holder = self._record(entry.holder_id)
        if holder.rec_type not in {"response", "resource"}:
            raise KeyError(f"{capture_id} is a record of the kind {answer.rec_type} and holds no page")
        attempt = records.attempt_of(answer, Position(entry.file, entry.start))
        if attempt.outcome == "unchanged":
            answer = holder
        return records.capture_of(attempt, answer, holder.raw_stream.read())

    def _reading(self, record: ArcWarcRecord, position: Position) -> Reading:
        if record.rec_type == "revisit":
            quotes = self._quotes(required(record, "WARC-Refers-To").strip("<>"))
        else:
            quotes = records.quotes_of(record.raw_stream.read())
        return Reading(
            reading_id=record_id(record),
            capture_id=required(record, "Tokenfall-Capture").strip("<>"),
            read_at=datetime.fromisoformat(required(record, "WARC-Date")),
            outcome=required(record, "Tokenfall-Outcome"),
            message=optional(record, "Tokenfall-Message"),
            quotes=quotes,
            quotes_sha256=required(record, "WARC-Payload-Digest").removeprefix("sha256:") if quotes else None,
            position=position,
        )

    def _load_quotes(self, holder_id: str) -> tuple[PriceQuote, ...]:
        return records.quotes_of(self._record(holder_id).raw_stream.read())

    def _attempt(self, capture_id: str) -> Attempt:
        entry = self._entry(capture_id)
        return records.attempt_of(self._record(capture_id), Position(entry.file, entry.start))

    # The index: where every record is, learnt once per file and kept up to date.

    def _entry(self, record_id: str) -> _Entry:
        if record_id not in self._entries:
            self._update_index()
        return self._entries[record_id]

    def _update_index(self) -> None:
        for name in self._files():
            after = self._indexed_to
            if after is not None and name < after.file:
                continue
            start = after.offset if after is not None and name == after.file else 0
            if not start and (notes := self._load_notes(name)) is not None:
                self._indexed_to = Position(name, (self._directory / name).stat().st_size)
                for note in notes:
                    self._enter(name, note)
                continue
            scanned = [self._remember(at, position, member) for at, position, member in self._scan_file(name, start)]
            # A file that was read to its end by the one process that may write: nothing will be added to it any more.
            if not start and self._lock is not None and name not in self.torn:
                self._save_notes(name, [note for note in scanned if note is not None])

    def _remember(self, start: int, position: Position, member: bytes) -> _Note | None:
        self._indexed_to = position
        named = records.fields_of(member)
        if "Tokenfall-Page" not in named:
            return None
        note = _Note(
            start=start,
            kind=named["WARC-Type"],
            record_id=named["WARC-Record-ID"].strip("<>"),
            page=named["Tokenfall-Page"],
            url=named["WARC-Target-URI"],
            date=named["WARC-Date"],
            refers_to=named.get("WARC-Refers-To", "").strip("<>"),
            digest=named.get("WARC-Payload-Digest", "").removeprefix("sha256:"),
        )
        self._enter(position.file, note)
        return note

    def _enter(self, file: str, note: _Note) -> None:
        self._entries[note.record_id] = _Entry(
            file=intern(file),
            start=note.start,
            page=intern(note.page),
            url=intern(note.url),
            date=note.date,
            holder_id=note.refers_to if note.kind == "revisit" else note.record_id,
        )
        if note.kind in {"response", "resource", "conversion"}:
            self._holders.setdefault((note.kind, note.page, note.digest), note.record_id)

    def _notes_path(self, name: str) -> Path:
        return self._directory / f"{name}.index.json"

    def _load_notes(self, name: str) -> list[_Note] | None:
        """What was noted of a file; None where nothing was, or where the file has another size than it had then."""
        try:
            noted = json.loads(self._notes_path(name).read_text())
            if noted["size"] != (self._directory / name).stat().st_size:
                return None
            return [_Note(*note) for note in noted["records"]]
        except FileNotFoundError:
            return None
        except (ValueError, LookupError, TypeError) as error:
            _log.warning("%s is written anew: %s", self._notes_path(name), error)
            return None

    def _save_notes(self, name: str, notes: list[_Note]) -> None:
        draft = self._directory / f".{name}.index.json"
        draft.write_text(json.dumps({"size": (self._directory / name).stat().st_size, "records": notes}))
        draft.replace(self._notes_path(name))

    def _refers_to(self, holder_id: str, profile: str) -> Fields:
        holder = self._entry(holder_id)
        return {
            "WARC-Profile": profile,
            "WARC-Refers-To": f"<{holder_id}>",
            "WARC-Refers-To-Target-URI": holder.url,
            "WARC-Refers-To-Date": holder.date,
        }

    # Files and their records

    def _record(self, record_id: str) -> ArcWarcRecord:
        entry = self._entry(record_id)
        with (self._directory / entry.file).open("rb") as file:
            for _, member in self._members(file, entry.file, entry.start):
                return records.decode(member)
        raise KeyError(f"{record_id} can no longer be read at offset {entry.start} of {entry.file}")

    def _scan(self, after: Position | None) -> Iterator[tuple[int, Position, bytes]]:
        """Every record, inflated, with the offset of its start and the position of its end."""
        for name in self._files():
            if after is not None and name < after.file:
                continue
            yield from self._scan_file(name, after.offset if after is not None and name == after.file else 0)

    def _scan_file(self, name: str, start: int) -> Iterator[tuple[int, Position, bytes]]:
        with (self._directory / name).open("rb") as file:
            for end, member in self._members(file, name, start):
                yield start, Position(name, end), member
                start = end

    def _members(self, file: BinaryIO, name: str, start: int) -> Iterator[tuple[int, bytes]]:
        """Each gzip member from an offset on, inflated, with the offset of its end; stops at a torn one."""
        file.seek(start)
        unread = file.read(_CHUNK)
        while unread:
            decoder = zlib.decompressobj(wbits=_GZIP)
            parts = []
            end = start
            why = "it breaks off"
            try:
                while unread and not decoder.eof:
                    parts.append(decoder.decompress(unread))
                    end += len(unread) - len(decoder.unused_data)
                    unread = decoder.unused_data or file.read(_CHUNK)
            except zlib.error as error:
                why = str(error)
            if not decoder.eof:
                self.torn[name] = start
                _log.warning("%s is not read from offset %d on: %s", name, start, why)
                return
            yield end, b"".join(parts)
            start = end

    def _files(self) -> list[str]:
        return sorted(path.name for path in self._directory.glob("tokenfall-[0-9]*.warc.gz"))

    def _lock_out_others(self) -> None:
        if self._lock is not None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        lock = (self._directory / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise ArchiveInUse(f"another process writes to {self._directory}: wait until it is done") from error
        self._lock = lock
        self._update_index()

    def _append(
        self, kind: str, named: Fields, block: bytes = b"", http: StatusAndHeaders | None = None
    ) -> tuple[ArcWarcRecord, Position]:
        if self._file is not None and self._file.tell() >= self._max_file_bytes:
            self._file.close()
            self._file = None
        if self._file is None:
            self._file = self._new_file()
        packed = records.encode(kind, named, block, http)
        start = self._file.tell()
        try:
            _write(self._file, packed)
        except OSError:
            # Half a record may stand there now. What comes after it would not be read.
            self._file.close()
            self._file = None
            raise
        position = Position(Path(self._file.name).name, start + len(packed))
        # What is returned is read back from what was written, and so is what a rebuild will find.
        member = zlib.decompress(packed, wbits=_GZIP)
        self._remember(start, position, member)
        return records.decode(member), position

    def _new_file(self) -> BinaryIO:
        newest = next(reversed(self._files()), "")
        moment = datetime.now(UTC)
        if newest >= moment.strftime(_NAME_TIME):
            # Files are read in the order of their names, whatever happens to the clock.
            moment = datetime.strptime(newest.rpartition("-")[0], _NAME_TIME).replace(tzinfo=UTC) + timedelta(seconds=1)
        name = f"{moment.strftime(_NAME_TIME)}-{os.getpid()}.warc.gz"
        file = (self._directory / name).open("xb", buffering=0)
        about = {"software": "tokenfall/0.1", "format": "WARC File Format 1.1", "conformsTo": _SPECIFICATION}
        named = {"WARC-Filename": name, "WARC-Date": records.timestamp(datetime.now(UTC))}
        block = "".join(f"{field}: {value}\r\n" for field, value in about.items())
        _write(file, records.encode("warcinfo", named, block.encode()))
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return file


def _write(file: BinaryIO, data: bytes) -> None:
    unwritten = memoryview(data)
    while unwritten:
        unwritten = unwritten[file.write(unwritten) :]
    os.fsync(file.fileno())
