"""The stand-in server, asked over HTTP."""

import base64
import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread

import pytest
import requests

from pipeline.capture.client import Client
from pipeline.capture.server import addresses, pages, serve_captures
from pipeline.domain import Attempt, Capture, Unchanged
from pipeline.settings import Settings
from tests.capture.conftest import page
from tests.conftest import SHARED_CAPTURES, needs_shared

COLUMNS = ("file", "page_url", "capture_date", "kind", "complete", "notes")
PAGES = [
    ("a/2026-05-01_pricing.html", "https://a.example/pricing", "2026-05-01", "raw_html", "yes", ""),
    ("a/2026-06_pricing.html", "https://a.example/pricing", "2026-06", "raw_html", "yes", ""),
    ("a/2026-06-15_pricing.md", "https://a.example/p.md / docs.a.example/p.md", "2026-06-15", "markdown", "yes", ""),
    ("a/2026-06-20_pricing-jina.md", "https://a.example/pricing", "2026-06-20", "markdown", "yes", ""),
    ("a/2026-06-21_pricing.md", "https://a.example/pricing", "2026-06-21", "markdown", "yes", "HTML->markdown by x"),
    ("a/2026-06-22_pricing.html", "https://a.example/pricing", "2026-06-22", "raw_html", "no (trimmed)", ""),
    ("a/2026-06-23_pricing.md", "https://a.example/pricing", "2026-06-23", "markdown", "yes", "TRANSCRIBED from x"),
    ("a/2026-06-24_pricing.md", "https://a.example/pricing", "2026-06-24", "markdown", "yes", "page copied by a user"),
    ("b/2025_models.json", "https://api.b.example/v1/models?tier=all&x=%2Fy", "2025", "json", "yes (all)", ""),
    ("c/2026-01-01_prices-text.txt", "https://c.example/", "2026-01-01", "text", "yes", ""),
    ("c/2026-02-01_prices-jina.md", "https://c.example/", "2026-02-01", "markdown", "yes", ""),
    ("c/2026-03-01_prices-kull.md", "https://c.example/", "2026-03-01", "markdown", "yes", ""),
]  # fmt: skip


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    folder = tmp_path / "captures"
    for file, *_ in PAGES:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(f"body of {file}")
    with (folder / "MANIFEST.csv").open("w", newline="") as manifest:
        writer = csv.writer(manifest)
        writer.writerow(COLUMNS)
        writer.writerows(PAGES)
    return folder


@contextmanager
def serving(folder: Path, as_of: date | None = None, *, renderings: bool = False) -> Iterator[str]:
    with serve_captures(folder, as_of, renderings=renderings) as server:
        assert server.server_address[0] == "127.0.0.1"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("as_of", "file"),
    [
        (date(2026, 4, 30), None),
        (date(2026, 5, 1), "a/2026-05-01_pricing.html"),
        (date(2026, 5, 31), "a/2026-05-01_pricing.html"),
        (date(2026, 6, 1), "a/2026-06_pricing.html"),
        (None, "a/2026-06_pricing.html"),
    ],
)
def test_the_newest_native_page_of_the_day_is_served(captures: Path, as_of: date | None, file: str | None) -> None:
    with serving(captures, as_of) as url:
        answer = requests.get(f"{url}/a.example/pricing", timeout=5)
    if file is None:
        assert answer.status_code == 404
    else:
        assert answer.text == f"body of {file}"


@pytest.mark.parametrize(
    ("path", "content_type", "moment"),
    [
        ("a.example/pricing", "text/html; charset=utf-8", "Mon, 01 Jun 2026 00:00:00 GMT"),
        ("A.example/p.md", "text/markdown; charset=utf-8", "Mon, 15 Jun 2026 00:00:00 GMT"),
        ("docs.a.example/p.md", "text/markdown; charset=utf-8", "Mon, 15 Jun 2026 00:00:00 GMT"),
        ("api.b.example/v1/models?tier=all&x=/y", "application/json", "Wed, 01 Jan 2025 00:00:00 GMT"),
        ("api.b.example/v1/models?tier=all&x=%2Fy", "application/json", "Wed, 01 Jan 2025 00:00:00 GMT"),
    ],
)
def test_answers_say_what_and_of_when_they_are(captures: Path, path: str, content_type: str, moment: str) -> None:
    with serving(captures) as url:
        answer = requests.get(f"{url}/{path}", timeout=5)
        head = requests.head(f"{url}/{path}", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Memento-Datetime"] == answer.headers["Last-Modified"] == moment
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(answer.content)))


@pytest.mark.parametrize(
    "path", ["", "robots.txt", "a.example/robots.txt", "a.example/", "api.b.example/v1/models", "c.example/"]
)
def test_what_it_lacks_is_not_found(captures: Path, path: str) -> None:
    with serving(captures) as url:
        assert requests.get(f"{url}/{path}", timeout=5).status_code == 404


def test_only_pages_without_a_native_capture_are_served_as_rendered(captures: Path) -> None:
    with serving(captures, date(2026, 2, 15), renderings=True) as url:
        answer = requests.get(f"{url}/c.example/", timeout=5)
    assert answer.text == "body of c/2026-02-01_prices-jina.md"
    assert answer.headers["Memento-Datetime"] == "Sun, 01 Feb 2026 00:00:00 GMT"
    with serving(captures, renderings=True) as url:
        assert requests.get(f"{url}/c.example", timeout=5).text == "body of c/2026-03-01_prices-kull.md"
        assert requests.get(f"{url}/a.example/pricing", timeout=5).text == "body of a/2026-06_pricing.html"


def test_conditional_requests(captures: Path) -> None:
    with serving(captures) as url:
        etag = requests.get(f"{url}/a.example/pricing", timeout=5).headers["ETag"]

        def status(**conditions: str) -> int:
            headers = {name.replace("_", "-"): value for name, value in conditions.items()}
            answer = requests.get(f"{url}/a.example/pricing", headers=headers, timeout=5)
            assert "Memento-Datetime" in answer.headers
            assert bool(answer.content) == (answer.status_code == 200)
            return answer.status_code

        assert status(If_None_Match=etag) == 304
        assert status(If_None_Match=f'"x", W/{etag}') == 304
        assert status(If_None_Match="*") == 304
        assert status(If_None_Match='"x"') == 200
        assert status(If_None_Match='"x"', If_Modified_Since="Mon, 01 Jun 2026 00:00:00 GMT") == 200
        assert status(If_Modified_Since="Mon, 01 Jun 2026 00:00:00 GMT") == 304
        assert status(If_Modified_Since="Sun, 31 May 2026 23:59:59 GMT") == 200
        assert status(If_Modified_Since="yesterday") == 200


def test_the_client_reads_it_as_the_hosts_themselves(
    captures: Path, settings_for: Callable[..., Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(captures) as url, Client(settings_for(origin=url)) as client:
        source = page("https://a.example/pricing")
        capture = client.fetch("a", source)
        assert isinstance(capture, Capture)
        assert capture.body == b"body of a/2026-06_pricing.html"
        assert capture.captured_at == datetime(2026, 6, 1, tzinfo=UTC)
        seen = Attempt(
            *("urn:uuid:1", "a", "pricing", capture.url, "live", capture.captured_at, capture.captured_at, "ok"),
            etag=capture.headers["ETag"],
        )
        unchanged = client.fetch("a", source, seen)
        assert isinstance(unchanged, Unchanged)
        assert unchanged.captured_at == capture.captured_at
    assert capfd.readouterr() == ("", "")


def test_a_visitor_who_leaves_early_is_no_error(captures: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (captures / "a/2026-06_pricing.html").write_bytes(bytes(20_000_000))
    with serving(captures) as url:
        for _ in range(2):
            with requests.get(f"{url}/a.example/pricing", timeout=5, stream=True) as answer:
                assert answer.status_code == 200
    assert capfd.readouterr() == ("", "")


def index(url: str, address: str, **query: str) -> list[list[str]]:
    answer = requests.get(
        f"{url}/web.archive.org/cdx/search/cdx", params={"url": address, "output": "json"} | query, timeout=5
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    table: list[list[str]] = answer.json()
    return table


def test_the_web_archive_lists_every_native_page(captures: Path) -> None:
    def digest(body: bytes) -> str:
        return base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()

    may, june = b"body of a/2026-05-01_pricing.html", b"body of a/2026-06_pricing.html"
    with serving(captures) as url:
        table = index(url, "https://a.example/pricing")
        assert index(url, "https://nobody.example/") == []
    url_and_kind = ["https://a.example/pricing", "text/html", "200"]
    assert table == [
        ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"],
        ["example,a)/pricing", "20260501000000", *url_and_kind, digest(may), str(len(may))],
        ["example,a)/pricing", "20260601000000", *url_and_kind, digest(june), str(len(june))],
    ]


@pytest.mark.parametrize(
    "address",
    ["a.example/pricing", "http://a.example/pricing/", "https://www.A.example/pricing", "a.example:80/pricing"],
)
def test_the_web_archive_knows_an_address_by_any_spelling(captures: Path, address: str) -> None:
    with serving(captures) as url:
        rows = index(url, address, fl="timestamp,original")[1:]
    assert rows == [["20260501000000", address], ["20260601000000", address]]


@pytest.mark.parametrize(
    ("as_of", "bounds", "found"),
    [
        (None, {"from": "20260501", "to": "20260501"}, ["20260501000000"]),
        (None, {"from": "20260502", "to": "2026"}, ["20260601000000"]),
        (None, {"to": "20260430"}, []),
        (date(2026, 5, 31), {"from": "2023"}, ["20260501000000"]),
    ],
)
def test_the_web_archive_has_what_was_captured_by_then(
    captures: Path, as_of: date | None, bounds: dict[str, str], found: list[str]
) -> None:
    with serving(captures, as_of) as url:
        table = index(url, "a.example/pricing", fl="timestamp", **bounds)
        statuses = [
            requests.get(f"{url}/web.archive.org/web/{moment}id_/https://a.example/pricing", timeout=5).status_code
            for moment in ("20260501000000", "20260601000000")
        ]
    assert [moment for [moment] in table[1:]] == found
    assert statuses == [200, 404 if as_of else 200]


def test_the_web_archive_collapses_neighbours_that_are_the_same(captures: Path) -> None:
    (captures / "a/2026-06_pricing.html").write_text("body of a/2026-05-01_pricing.html")
    with serving(captures) as url:
        assert len(index(url, "a.example/pricing")) == 3
        assert index(url, "a.example/pricing", fl="timestamp", collapse="digest") == [["timestamp"], ["20260501000000"]]


def test_a_memento_is_the_page_as_it_was(captures: Path) -> None:
    with serving(captures) as url:
        answer = requests.get(f"{url}/web.archive.org/web/20260501000000id_/https://a.example/pricing", timeout=5)
        query = "https://api.b.example/v1/models?tier=all&x=%2Fy"
        assert requests.get(f"{url}/web.archive.org/web/20250101000000id_/{query}", timeout=5).status_code == 200
        assert (
            requests.get(
                f"{url}/web.archive.org/web/20260502000000id_/https://a.example/pricing", timeout=5
            ).status_code
            == 404
        )
        assert requests.get(f"{url}/web.archive.org/cdx/search/cdx?url=a.example/pricing", timeout=5).status_code == 400
    assert answer.text == "body of a/2026-05-01_pricing.html"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Memento-Datetime"] == "Fri, 01 May 2026 00:00:00 GMT"
    assert answer.headers["Link"] == '<https://a.example/pricing>; rel="original"'


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("https://a.example/x", ["a.example/x"]),
        ("a.example", ["a.example/"]),
        ("https://a.example/x.md / b.example/y.md", ["a.example/x.md", "b.example/y.md"]),
        ("https://a.example/x or b.example/y", ["a.example/x", "b.example/y"]),
        ("https://a.example/x (www.b.example/y redirect)", ["a.example/x", "www.b.example/y"]),
        ("https://a.example/x (Copy page)", ["a.example/x"]),
        ("https://a.example/x (canonical link in page; was b.example/y)", ["a.example/x", "b.example/y"]),
        ("https://a.example/x (2026 version: https://a.example/x/api)", ["a.example/x", "a.example/x/api"]),
        ("https://a.example/x (embedded window.__PRICES__)", ["a.example/x"]),
        ("https://a.example/... (landing; see notes)", []),
        ("https://a.example/p?f=name eq 'A B'", ["a.example/p?f=name eq 'A B'"]),
        ("https://a.example/p?f=%20%2Fx", ["a.example/p?f= /x"]),
        ("", []),
    ],
)
def test_messy_cells_name_their_addresses(cell: str, found: list[str]) -> None:
    assert addresses(cell) == found


@needs_shared
def test_real_captures_are_served_native_and_of_the_day() -> None:
    served = pages(SHARED_CAPTURES, date(2026, 8, 21))
    names = {address: page.file.name for address, page in served.items()}
    assert names["platform.claude.com/docs/en/about-claude/pricing.md"] == "2026-08-13_docs-pricing.md"
    assert (
        names["openai.com/api/pricing"] == names["platform.openai.com/docs/pricing"] == "2026-05-08_bot-challenge.html"
    )
    assert names["openrouter.ai/api/v1/models"] == "2026-06-15_api-v1-models.json"
    assert not any(re.search("jina|kull|scraped|playwright|text", name) for name in names.values())
    assert not any(address.startswith("ai.google.dev/") for address in names)
    rendered = pages(SHARED_CAPTURES, date(2026, 8, 21), renderings=True)
    assert "ai.google.dev/gemini-api/docs/pricing" in rendered
    assert served.items() <= rendered.items()
