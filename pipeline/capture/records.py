"""Attempts, captures and readings as WARC records, one gzip member each, and back."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from io import BytesIO
from typing import Any, cast
from uuid import uuid4

from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri
from warcio.recordloader import ArcWarcRecord, ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.domain import Attempt, Capture, Meter, Origin, Position, PriceQuote, ServiceTier, Unit

SAME_BYTES = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

# Bodies are stored decoded, so these no longer hold; what the server sent is kept under another name.
_ON_THE_WIRE = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_AS_SENT = "X-Tokenfall-Orig-"

_FROM_TEXT: Mapping[str, Callable[[str], object]] = {
    "meter": Meter,
    "list_unit_price": Decimal,
    "pricing_unit": Unit,
    "service_tier": ServiceTier,
    "announced_from": datetime.fromisoformat,
    "valid_until": datetime.fromisoformat,
}

_CAME_LATER = frozenset({"doubt"})

Fields = Mapping[str, str | None]


def encode(kind: str, named: Fields, block: bytes = b"", http: StatusAndHeaders | None = None) -> bytes:
    """A record with a new id as one gzip member; fields that are None are left out."""
    member = BytesIO()
    writer = WARCWriter(member, gzip=True, warc_version="1.1")
    headers = {name: one_line(value) for name, value in named.items() if value is not None}
    content_type = headers.pop("Content-Type", "")
    headers["WARC-Record-ID"] = f"<urn:uuid:{uuid4()}>"
    writer.write_record(
        writer.create_warc_record(
            headers.get("WARC-Target-URI"),
            kind,
            payload=BytesIO(block),
            length=len(block),
            warc_content_type=content_type,
            warc_headers_dict=headers,
            http_headers=http,
        )
    )
    return member.getvalue()


def decode(member: bytes) -> ArcWarcRecord:
    """A record from its inflated bytes."""
    return ArcWarcRecordLoader().parse_record_stream(BytesIO(member), known_format="warc")


def fields_of(member: bytes) -> dict[str, str]:
    """The WARC fields alone, in a tenth of the time that it takes to decode the record."""
    lines = member[: member.index(b"\r\n\r\n")].decode().split("\r\n")[1:]
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def record_id(record: ArcWarcRecord) -> str:
    """The id as the warehouse uses it, `urn:uuid:...`."""
    return required(record, "WARC-Record-ID").strip("<>")


def optional(record: ArcWarcRecord, name: str) -> str | None:
    """The value of a WARC field, or None where it is missing."""
    return cast("str | None", record.rec_headers.get_header(name))


def required(record: ArcWarcRecord, name: str) -> str:
    """The value of a WARC field that the record must have."""
    value = optional(record, name)
    if value is None:
        raise ValueError(f"a {record.rec_type} record lacks {name}")
    return value


def attempt_fields(
    page: str, url: str, origin: Origin, requested_at: datetime, captured_at: datetime, outcome: str
) -> dict[str, str | None]:
    """The fields that every attempt has, whatever came of it."""
    return {
        "WARC-Target-URI": requote_uri(url),
        "WARC-Date": timestamp(requested_at),
        "Tokenfall-Page": page,
        "Tokenfall-Origin": origin,
        "Tokenfall-Captured-At": timestamp(captured_at),
        "Tokenfall-Outcome": outcome,
    }


def attempt_of(record: ArcWarcRecord, position: Position) -> Attempt:
    """The attempt that a record other than a reading holds."""
    provider_id, _, page_id = required(record, "Tokenfall-Page").partition("/")
    digest = optional(record, "WARC-Payload-Digest") if record.rec_type != "metadata" else None
    size = optional(record, "Tokenfall-Size")
    return Attempt(
        capture_id=record_id(record),
        provider_id=provider_id,
        page_id=page_id,
        url=required(record, "WARC-Target-URI"),
        origin=cast(Origin, required(record, "Tokenfall-Origin")),
        requested_at=datetime.fromisoformat(required(record, "WARC-Date")),
        captured_at=datetime.fromisoformat(required(record, "Tokenfall-Captured-At")),
        outcome=required(record, "Tokenfall-Outcome"),
        message=_message(record.raw_stream.read()) if record.rec_type == "metadata" else None,
        status=_status(record),
        sha256=digest.removeprefix("sha256:") if digest else None,
        size=int(size) if size else None,
        etag=optional(record, "Tokenfall-ETag"),
        last_modified=optional(record, "Tokenfall-Last-Modified"),
        position=position,
    )


def capture_of(attempt: Attempt, answer: ArcWarcRecord, body: bytes) -> Capture:
    """The capture of an attempt, with the status and headers of an answer."""
    status = _status(answer)
    return Capture(
        provider_id=attempt.provider_id,
        page_id=attempt.page_id,
        url=attempt.url,
        captured_at=attempt.captured_at,
        body=body,
        status=200 if status is None else status,
        headers=CaseInsensitiveDict(
            (name.removeprefix(_AS_SENT), value)
            for name, value in (answer.http_headers.headers if answer.http_headers else ())
            if name != "Content-Length"
        ),
        origin=attempt.origin,
    )


def http_headers(status: int, headers: Mapping[str, str], size: int | None) -> StatusAndHeaders:
    """The head of an HTTP answer whose body is stored decoded and `size` bytes long, or not at all."""
    sent = [
        (_AS_SENT + name if name.lower() in _ON_THE_WIRE else name, one_line(value)) for name, value in headers.items()
    ]
    if size is not None:
        sent.append(("Content-Length", str(size)))
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return StatusAndHeaders(f"{status} {phrase}".strip(), sent, protocol="HTTP/1.1")


def failure_block(outcome: str, message: str) -> bytes:
    """What a failed attempt says, as application/warc-fields."""
    return f"outcome: {outcome}\r\nmessage: {one_line(message)}\r\n".encode()


def quotes_block(quotes: Iterable[PriceQuote]) -> bytes:
    """One JSON object per quote and line: decimals as text, times in ISO 8601."""
    lines = (
        json.dumps(
            {
                field.name: _plain(getattr(quote, field.name))
                for field in fields(quote)
                # A field that came later is left out where it says nothing: a set of quotes keeps its digest.
                if field.name not in _CAME_LATER or getattr(quote, field.name) is not None
            }
        )
        + "\n"
        for quote in quotes
    )
    return "".join(lines).encode("ascii")


def quotes_of(block: bytes) -> tuple[PriceQuote, ...]:
    """The quotes that `quotes_block` wrote."""
    return tuple(_quote_of(json.loads(line)) for line in block.splitlines())


def timestamp(moment: datetime) -> str:
    """A WARC-Date with microseconds. Raises ValueError for a time without a zone."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def one_line(text: str) -> str:
    """The text as it can stand in a header: no line breaks, and nothing that UTF-8 cannot say."""
    return re.sub(r"\s*[\r\n]+\s*", " ", text).strip().encode("utf-8", "backslashreplace").decode()


def _quote_of(named: dict[str, Any]) -> PriceQuote:
    for name, from_text in _FROM_TEXT.items():
        if named.get(name) is not None:
            named[name] = from_text(named[name])
    return PriceQuote(**named)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _status(record: ArcWarcRecord) -> int | None:
    return int(record.http_headers.get_statuscode()) if record.http_headers else None


def _message(block: bytes) -> str:
    return block.decode().partition("message: ")[2].removesuffix("\r\n")
