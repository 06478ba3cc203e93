"""Stands in for the hosts of a folder of captured pages, as they were on a day.

The folder has a MANIFEST.csv with the columns `file`, `page_url`, `capture_date`, `kind`, `complete` and `notes`. Each
page is served at `/<host>/<path>?<query>` under every address that its `page_url` names; point TOKENFALL_ORIGIN at
the server. `Memento-Datetime` (RFC 7089) says when a page was captured.

It stands in for the web archive too: all complete pages as their servers answered them, of all days up to the one that
is served, are in the index at `/web.archive.org/cdx/search/cdx` and at `/web.archive.org/web/<timestamp>id_/<url>`.
"""

import csv
import json
import re
import sys
from base64 import b32encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha1, sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_CONTENT_TYPES = {
    "raw_html": "text/html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "json": "application/json",
}
# Words in file names and notes that give away what somebody made of a page, in place of what its server answered.
_RENDERED_NAMES = frozenset({"jina", "kull", "scraped", "playwright", "text", "ndjson"})
_RENDERED_NOTES = re.compile(r"^HTML->markdown|TRANSCRIBED|\bcopied\b|\bpasted\b")

# "A / B", "A or B", "A (B redirect)": addresses stand between these, and the words around them are no addresses.
_BETWEEN_ADDRESSES = re.compile(r" / | or | \(|\)$")
_ADDRESS = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s?]*(?:\?.*)?)?)$")
_ADDRESS_IN_WORDS = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,}/[^\s)]*)")

_INDEX = re.compile(r"/web\.archive\.org/cdx/search/cdx\?(.*)")
_MEMENTO = re.compile(r"/web\.archive\.org/web/(\d{14})id_/(.+)")
_INDEX_FIELDS = "urlkey,timestamp,original,mimetype,statuscode,digest,length"


@dataclass(frozen=True, slots=True)
class Page:
    """One captured page that the server can answer with. `day` is the first day of the period of its capture date."""

    file: Path
    day: date
    kind: str
    is_native: bool

    @property
    def content_type(self) -> str:
        """The Content-Type that fits its kind."""
        return _CONTENT_TYPES[self.kind]

    @property
    def captured_at(self) -> datetime:
        """Midnight UTC of its day: captures are dated by the day."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)

    @property
    def timestamp(self) -> str:
        """The same as the web archive writes it."""
        return f"{self.captured_at:%Y%m%d%H%M%S}"


def pages(directory: Path, as_of: date | None = None, *, renderings: bool = False) -> dict[str, Page]:
    """What is served at which `<host>/<path>?<query>`: the newest page captured at or before a day.

    Only complete pages as their servers answered them. With `renderings` an address that has none of those by then
    gets the newest complete page that somebody rendered.
    """
    served: dict[str, Page] = {}
    for address, page in _addressed(directory, as_of):
        known = served.get(address)
        if not (page.is_native or renderings):
            continue
        if known is None or (page.is_native, page.day) >= (known.is_native, known.day):
            served[address] = page
    return served


def mementos(directory: Path, as_of: date | None = None) -> dict[str, dict[str, Page]]:
    """What the stand-in for the web archive has: by key of the address and timestamp, oldest first.

    Every complete page captured at or before a day, as its server answered it; of several of one day the last one that
    the manifest names.
    """
    kept: dict[str, dict[str, Page]] = {}
    for address, page in _addressed(directory, as_of):
        if page.is_native:
            kept.setdefault(_urlkey(address), {})[page.timestamp] = page
    return {key: dict(sorted(of_address.items())) for key, of_address in kept.items()}


def _addressed(directory: Path, as_of: date | None) -> Iterator[tuple[str, Page]]:
    """Every complete page captured at or before a day, under each of its addresses."""
    with (directory / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest):
            page = _page(directory, row)
            if page is not None and (as_of is None or page.day <= as_of):
                for address in addresses(row["page_url"]):
                    yield address, page


def addresses(page_url: str) -> list[str]:
    """All addresses that a cell of the manifest names, as `<host>/<path>?<query>`, percent-decoded.

    >>> addresses("https://a.example/x (was b.example/y)")
    ['a.example/x', 'b.example/y']
    """
    found: list[str] = []
    for part in filter(None, _BETWEEN_ADDRESSES.split(page_url)):
        whole = _ADDRESS.match(part)
        found += [whole[1]] if whole else _ADDRESS_IN_WORDS.findall(part)
    return [_normal(address) for address in dict.fromkeys(found) if "..." not in address]


def serve_captures(
    directory: Path, as_of: date | None = None, port: int = 0, *, renderings: bool = False
) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, bound to a port (0: any free one) and ready for `serve_forever`."""
    served = {"pages": pages(directory, as_of, renderings=renderings), "mementos": mementos(directory, as_of)}
    handler = type("Handler", (_Handler,), served)
    return _Server(("127.0.0.1", port), handler)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a visitor who leaves early is none
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    pages: Mapping[str, Page]
    mementos: Mapping[str, Mapping[str, Page]]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if (index := _INDEX.fullmatch(self.path)) is not None:
            self._answer_index({name: values[-1] for name, values in parse_qs(index[1]).items()})
        elif (memento := _MEMENTO.fullmatch(self.path)) is not None:
            self._answer_memento(*memento.groups())
        else:
            self._answer_page()

    do_HEAD = do_GET  # noqa: N815 (the name that http.server calls)

    def _answer_page(self) -> None:
        page = self.pages.get(_normal(self.path.removeprefix("/")))
        if page is None:
            self._answer(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"}, b"no capture of this page\n")
            return
        body = page.file.read_bytes()
        moment = format_datetime(page.captured_at, usegmt=True)
        headers = {"ETag": f'"{sha256(body).hexdigest()}"', "Last-Modified": moment, "Memento-Datetime": moment}
        if self._has_already(headers["ETag"], page.captured_at):
            self._answer(HTTPStatus.NOT_MODIFIED, headers)
        else:
            self._answer(HTTPStatus.OK, {"Content-Type": page.content_type, **headers}, body)

    def _answer_index(self, query: Mapping[str, str]) -> None:
        """The rows of an address with the names of the fields before them; nothing at all is an empty list."""
        if "url" not in query or query.get("output") != "json":
            self._answer(HTTPStatus.BAD_REQUEST, {"Content-Type": "text/plain"}, b"url and output=json are needed\n")
            return
        fields = query.get("fl", _INDEX_FIELDS).split(",")
        key = _urlkey(query["url"].partition("://")[2] or query["url"])
        rows: list[list[str]] = []
        last_digest = None
        for timestamp, page in self.mementos.get(key, {}).items():
            # Either bound may be cut off anywhere: 2026 begins with its first second and ends with its last.
            if not query.get("from", "") <= timestamp <= query.get("to", "").ljust(14, "9"):
                continue
            body = page.file.read_bytes()
            row = {
                "urlkey": key,
                "timestamp": timestamp,
                "original": query["url"],
                "mimetype": page.content_type.partition(";")[0],
                "statuscode": "200",
                "digest": b32encode(sha1(body, usedforsecurity=False).digest()).decode(),
                "length": str(len(body)),
            }
            if query.get("collapse") != "digest" or row["digest"] != last_digest:
                rows.append([row[field] for field in fields])
            last_digest = row["digest"]
        table = [fields, *rows] if rows else []
        self._answer(HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(table).encode())

    def _answer_memento(self, timestamp: str, url: str) -> None:
        page = self.mementos.get(_urlkey(url.partition("://")[2] or url), {}).get(timestamp)
        if page is None:
            self._answer(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"}, b"no memento of this page\n")
            return
        headers = {
            "Content-Type": page.content_type,
            "Memento-Datetime": format_datetime(page.captured_at, usegmt=True),
            "Link": f'<{url}>; rel="original"',
        }
        self._answer(HTTPStatus.OK, headers, page.file.read_bytes())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the signature of http.server)
        """Quiet: the visitor keeps its own record."""

    def _has_already(self, etag: str, modified: datetime) -> bool:
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in tags.split(","))
        since = self.headers.get("If-Modified-Since")
        try:
            return since is not None and modified <= parsedate_to_datetime(since).replace(tzinfo=UTC)
        except ValueError:
            return False  # RFC 9110: a date that cannot be read is as good as none

    def _answer(self, status: HTTPStatus, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _page(directory: Path, row: Mapping[str, str]) -> Page | None:
    if row["kind"] not in _CONTENT_TYPES or not row["complete"].startswith("yes"):
        return None
    words = re.split(r"[-_.]", Path(row["file"]).name)
    is_native = _RENDERED_NAMES.isdisjoint(words) and not _RENDERED_NOTES.search(row["notes"])
    return Page(directory / row["file"], _first_day(row["capture_date"]), row["kind"], is_native)


def _first_day(capture_date: str) -> date:
    """The first day of a period that is given as a day, a month (`2026-09`) or a year (`2026`)."""
    return date.fromisoformat((capture_date + "-01-01")[:10])


def _normal(address: str) -> str:
    parts = urlsplit(f"//{address}")
    return unquote(f"{(parts.hostname or '').lower()}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else ""))


def _urlkey(address: str) -> str:
    """An address as the web archive sorts it: host backwards and without www., no slash at the end.

    >>> _urlkey("www.a.example/x/")
    'example,a)/x'
    """
    host, slash, rest = _normal(address).partition("/")
    path, mark, query = rest.partition("?")
    return ",".join(reversed(host.removeprefix("www.").split("."))) + f"){slash}{path.rstrip('/')}{mark}{query}"
