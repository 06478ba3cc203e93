"""The client against a real server that stands in for all hosts."""

import gzip
import json
import os
import shutil
import subprocess
import time
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.capture.client import TRANSIENT, Client, Fetched, Job
from pipeline.domain import Attempt, Capture, Source, Unchanged
from pipeline.errors import BlockedAddress, BotChallenge, FetchError, RobotsDisallowed, ScrapeError, TooLarge
from pipeline.settings import Settings
from tests.capture.conftest import Reply, Web, page, running

PRICES = b"<table><tr><td>Example 1<td>$3</table>"
Clients = Callable[..., Client]


def fetch(client: Client, url: str = "https://a.example/prices", previous: Attempt | None = None) -> Capture:
    fetched = client.fetch("a", page(url), previous)
    assert isinstance(fetched, Capture)
    return fetched


def seen(url: str, **changes: str | None) -> Attempt:
    now = datetime.now(UTC)
    return Attempt("urn:uuid:1", "a", "pricing", url, "live", now, now, "ok", sha256="00", **changes)  # type: ignore[arg-type]


# What arrives


def test_a_page_arrives_as_it_was_sent(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(203, PRICES, {"Content-Type": "text/html", "X-Served-By": "a"}))
    before = datetime.now(UTC)
    capture = fetch(client_for())
    assert (capture.provider_id, capture.page_id, capture.url) == ("a", "pricing", "https://a.example/prices")
    assert (capture.status, capture.body, capture.origin) == (203, PRICES, "live")
    assert (capture.headers["Content-Type"], capture.headers["x-served-by"]) == ("text/html", "a")
    assert before <= capture.captured_at <= datetime.now(UTC)


def test_the_query_reaches_the_origin(web: Web, client_for: Clients) -> None:
    web.serve("a.example/p/q?x=1&y=%2Fz", PRICES)
    assert fetch(client_for(), "https://A.example/p/q?x=1&y=%2Fz#top").url == "https://a.example/p/q?x=1&y=%2Fz"


def test_it_says_who_it_is_and_keeps_no_cookies(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(200, PRICES, {"Set-Cookie": "visitor=1; Path=/"}))
    client = client_for(contact="https://operator.example/contact")
    fetch(client)
    fetch(client)
    for request in web.requests:
        assert request.headers["User-Agent"] == "tokenfall/0.1 (+https://operator.example/contact)"
        assert request.headers["Accept-Encoding"] == "gzip"
        assert "Cookie" not in request.headers


def test_proxies_of_the_environment_are_ignored(web: Web, client_for: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    web.serve("a.example/prices", PRICES)
    assert fetch(client_for()).body == PRICES


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 501])
def test_other_errors_are_final_at_once(web: Web, client_for: Clients, status: int) -> None:
    web.serve("a.example/prices", Reply(status), PRICES)
    with pytest.raises(FetchError, match=rf"a\.example/prices answered {status}"):
        fetch(client_for())
    assert len(web.asked("a.example/prices")) == 1


# Compression and size


def test_gzip_is_decoded_and_the_headers_stay_as_received(web: Web, client_for: Clients) -> None:
    packed = gzip.compress(PRICES[:10]) + gzip.compress(PRICES[10:])
    web.serve("a.example/prices", Reply(200, packed, {"Content-Encoding": "gzip"}))
    capture = fetch(client_for())
    assert capture.body == PRICES
    assert capture.headers["Content-Encoding"] == "gzip"
    assert capture.headers["Content-Length"] == str(len(packed))


@cache
def bomb() -> bytes:
    """300 KB that inflate to 300 MB."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    first, again = (packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    packed = first + again * 299
    assert len(packed) < 350_000
    return packed


@pytest.mark.parametrize("status", [200, 302, 404])
def test_a_gzip_bomb_is_cut_off_in_little_memory(web: Web, client_for: Clients, status: int) -> None:
    headers = {"Content-Encoding": "gzip", "Location": "/prices"}
    web.serve("a.example/prices", Reply(status, bomb(), headers))
    client = client_for()
    tracemalloc.start()
    with pytest.raises(TooLarge if status == 200 else FetchError):
        fetch(client)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def test_the_limit_counts_bytes_after_decompression(web: Web, client_for: Clients) -> None:
    client = client_for(max_body_bytes=100_000)
    web.serve("a.example/fits", Reply(200, gzip.compress(bytes(100_000)), {"Content-Encoding": "gzip"}))
    web.serve("a.example/packed", Reply(200, gzip.compress(bytes(100_001)), {"Content-Encoding": "gzip"}))
    web.serve("a.example/plain", bytes(100_001))
    assert len(fetch(client, "https://a.example/fits").body) == 100_000
    for path in ("packed", "plain"):
        with pytest.raises(TooLarge, match="larger than 100,000 bytes"):
            fetch(client, f"https://a.example/{path}")
        assert len(web.asked(f"a.example/{path}")) == 1


def test_an_endless_body_is_cut_off(web: Web, client_for: Clients) -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(bytes(65_536))

    web.serve("a.example/prices", pour)
    with pytest.raises(TooLarge):
        fetch(client_for(max_body_bytes=1_000_000))


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_an_encoding_that_was_not_asked_for_is_refused(web: Web, client_for: Clients, encoding: str) -> None:
    web.serve("a.example/prices", Reply(200, b"?", {"Content-Encoding": encoding}))
    with pytest.raises(FetchError, match="encoding"):
        fetch(client_for())


def test_gzip_that_is_none_is_refused(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(200, PRICES, {"Content-Encoding": "gzip"}))
    with pytest.raises(FetchError, match="not the gzip"):
        fetch(client_for())


# Bodies that break off


def cut_short(headers: dict[str, str], body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    "broken",
    [
        cut_short({"Content-Length": "100"}, PRICES),
        cut_short({"Transfer-Encoding": "chunked"}, b"5\r\n<tabl\r\n"),
        cut_short({"Content-Encoding": "gzip"}, gzip.compress(PRICES)[:-9]),
    ],
    ids=["length", "chunked", "gzip"],
)
def test_half_a_body_is_never_a_page(
    web: Web, client_for: Clients, broken: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    web.serve("a.example/cured", broken, PRICES)
    web.serve("a.example/broken", broken)
    client = client_for(max_retries=1)
    assert fetch(client, "https://a.example/cured").body == PRICES
    with pytest.raises(FetchError, match="did not arrive"):
        fetch(client, "https://a.example/broken")
    assert len(web.asked("a.example/broken")) == 2


# Retries


@pytest.mark.parametrize("status", sorted(TRANSIENT))
def test_transient_errors_are_tried_again(web: Web, client_for: Clients, status: int) -> None:
    web.serve("a.example/prices", Reply(status), Reply(status), Reply(status), PRICES)
    assert fetch(client_for()).body == PRICES
    assert len(web.asked("a.example/prices")) == 4


def test_a_host_that_turns_plain_clients_away_in_a_status_of_its_own_is_asked_once(
    web: Web, client_for: Clients
) -> None:
    web.serve("a.example/prices", Reply(521), PRICES)
    with pytest.raises(FetchError, match="521"):
        fetch(client_for())
    assert len(web.asked("a.example/prices")) == 1


def test_retries_end(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(503))
    with pytest.raises(FetchError, match="503 Service Unavailable"):
        fetch(client_for(max_retries=2))
    assert len(web.asked("a.example/prices")) == 3


def test_dropped_connections_and_silence_are_tried_again(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", lambda handler: handler.connection.close(), Reply(200, b"", seconds=0.4), PRICES)
    assert fetch(client_for(read_timeout=0.1)).body == PRICES
    assert len(web.asked("a.example/prices")) == 3


def test_pauses_grow_with_jitter(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(503), Reply(503), Reply(503), PRICES)
    fetch(client_for(retry_backoff=0.1))
    asked = web.asked("a.example/prices")
    pauses = [later.began - earlier.ended for earlier, later in pairwise(asked)]
    for pause, at_least in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert at_least <= pause < at_least + 0.05 + 0.2  # the jitter, and a busy machine


@pytest.mark.parametrize("as_date", [False, True])
def test_a_host_that_names_a_pause_gets_it(web: Web, client_for: Clients, as_date: bool) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1"
    web.serve("a.example/prices", Reply(429, headers={"Retry-After": later}), PRICES)
    fetch(client_for())
    first, second = web.asked("a.example/prices")
    assert second.began - first.ended >= 0.9


def test_a_host_that_wants_to_be_left_alone_longer_is_left_alone(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(503, headers={"Retry-After": "31"}), PRICES)
    with pytest.raises(FetchError, match="503"):
        fetch(client_for())
    assert len(web.asked("a.example/prices")) == 1


def test_a_host_that_wants_to_be_left_alone_is_asked_for_no_other_page(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(503, headers={"Retry-After": "61"}))
    web.serve("b.example/prices", PRICES)
    client = client_for()
    with pytest.raises(FetchError, match="503"):
        fetch(client)
    with pytest.raises(FetchError, match=r"was not asked for: a\.example is to be left alone for 6\d s more"):
        fetch(client, "https://a.example/more")
    assert web.asked("a.example/more") == []
    assert fetch(client, "https://b.example/prices").body == PRICES


def test_a_pause_is_kept_where_no_retry_is_left(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(429, headers={"Retry-After": "1"}))
    web.serve("a.example/more", PRICES)
    client = client_for(max_retries=0)
    with pytest.raises(FetchError, match="429"):
        fetch(client)
    assert fetch(client, "https://a.example/more").body == PRICES
    assert web.asked("a.example/more")[0].began - web.asked("a.example/prices")[0].ended >= 0.9


def test_the_interval_lies_between_all_requests_to_a_host(web: Web, settings_for: Callable[..., Settings]) -> None:
    web.serve("a.example/prices", Reply(503, seconds=0.15), Reply(302, headers={"Location": "/more"}))
    web.serve("a.example/more", PRICES)
    with Client(settings_for(origin=web.url), interval=0.2) as client:
        fetch(client)
        fetch(client, "https://a.example/more")
        began = [request.began for request in web.requests]
        assert web.paths == [f"/a.example/{name}" for name in ("robots.txt", "prices", "prices", "more", "more")]
        assert all(after - before >= 0.2 for before, after in pairwise(began))
        asked_elsewhere = time.monotonic()
        web.serve("b.example/prices", PRICES)
        fetch(client, "https://b.example/prices")
    assert web.requests[-2].began - asked_elsewhere < 0.15


@pytest.mark.parametrize("nonsense", ["soon", "-1", "9" * 5000, "Mon, 99 Foo 99999 99:99:99 GMT", "Thu, 01 Jan 1970"])
def test_a_pause_that_cannot_be_read_is_none(web: Web, client_for: Clients, nonsense: str) -> None:
    web.serve("a.example/prices", Reply(503, headers={"Retry-After": nonsense}), PRICES)
    assert fetch(client_for()).body == PRICES


# Time


def trickle(handler: BaseHTTPRequestHandler, *, head: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
    handler.wfile.write(head)
    for _ in range(100):
        time.sleep(0.05)
        handler.wfile.write(b"x")


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "],
    ids=["body", "counted body", "headers"],
)
def test_a_trickle_does_not_outlast_the_total_timeout(web: Web, client_for: Clients, head: bytes) -> None:
    web.serve("a.example/prices", lambda handler: trickle(handler, head=head))
    started = time.monotonic()
    with pytest.raises(FetchError, match=r"took longer than 0\.4 s"):
        fetch(client_for(total_timeout=0.4))
    assert time.monotonic() - started < 2
    assert len(web.asked("a.example/prices")) == 1


def test_the_total_timeout_counts_retries_and_their_pauses(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(503, headers={"Retry-After": "1"}))
    started = time.monotonic()
    with pytest.raises(FetchError, match="503"):
        fetch(client_for(total_timeout=0.5))
    assert time.monotonic() - started < 0.9


def test_an_exchange_that_was_in_time_leaves_its_connection_alone(web: Web, client_for: Clients) -> None:
    web.serve("a.example/robots.txt", b"")
    web.serve("a.example/prices", PRICES)
    client = client_for(total_timeout=0.3)
    fetch(client)
    time.sleep(0.4)
    assert fetch(client).body == PRICES
    assert web.connections == 1


# Redirects


def test_redirects_lead_to_other_hosts_through_the_origin(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(301, headers={"Location": "https://b.example/x?y=1#z"}))
    web.serve("b.example/x?y=1", Reply(308, headers={"Location": "/final"}))
    web.serve("b.example/final", Reply(302, headers={"Location": f"{web.url}/c.example/last"}))
    web.serve("c.example/last", PRICES)
    assert fetch(client_for()).url == "https://c.example/last"
    assert [path for path in web.paths if path.endswith("robots.txt")] == [
        "/a.example/robots.txt",
        "/b.example/robots.txt",
        "/c.example/robots.txt",
    ]


def test_a_redirect_loop_ends(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(302, headers={"Location": "/prices"}))
    with pytest.raises(FetchError, match="more than 5 redirects"):
        fetch(client_for())
    assert len(web.asked("a.example/prices")) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "//127.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "file:///etc/passwd",
        "ftp://b.example/",
        "https://user:secret@b.example/",
        "https://b.example:8443/",
        "http://[",
    ],
)
def test_a_redirect_to_where_nobody_should_go_is_not_followed(web: Web, client_for: Clients, location: str) -> None:
    web.serve("a.example/prices", Reply(302, headers={"Location": location}))
    with pytest.raises(BlockedAddress):
        fetch(client_for())
    assert web.paths == ["/a.example/robots.txt", "/a.example/prices"]


def test_a_redirect_without_a_target_is_an_error(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(302))
    with pytest.raises(FetchError, match="302 Found"):
        fetch(client_for())


# robots.txt


def test_robots_are_obeyed_and_asked_once(web: Web, client_for: Clients) -> None:
    web.serve("a.example/robots.txt", b"User-agent: *\nDisallow: /private\n")
    web.serve("a.example/prices", PRICES)
    web.serve("a.example/private/prices", PRICES)
    client = client_for()
    for _ in range(2):
        assert fetch(client).body == PRICES
        with pytest.raises(RobotsDisallowed, match="forbids /private/prices to tokenfall"):
            fetch(client, "https://a.example/private/prices")
    assert web.paths == ["/a.example/robots.txt", "/a.example/prices", "/a.example/prices"]


def test_rules_for_us_come_before_rules_for_all(web: Web, client_for: Clients) -> None:
    web.serve("a.example/robots.txt", b"User-agent: *\nDisallow: /\n\nUser-agent: tokenfall\nAllow: /\n")
    web.serve("a.example/prices", PRICES)
    web.serve("b.example/robots.txt", b"User-agent: github\nDisallow: /\n")
    web.serve("b.example/prices", PRICES)
    client = client_for()
    assert fetch(client).body == PRICES
    assert fetch(client, "https://b.example/prices").body == PRICES


def test_a_redirect_does_not_lead_around_robots(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(302, headers={"Location": "https://b.example/prices"}))
    web.serve("b.example/robots.txt", b"User-agent: *\nDisallow: /\n")
    with pytest.raises(RobotsDisallowed):
        fetch(client_for())
    assert not web.asked("b.example/prices")


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_without_robots_all_is_allowed(web: Web, client_for: Clients, status: int) -> None:
    web.serve("a.example/robots.txt", Reply(status, b"User-agent: *\nDisallow: /\n"))
    web.serve("a.example/prices", PRICES)
    assert fetch(client_for()).body == PRICES


@pytest.mark.parametrize("status", [429, 500, 503])
def test_robots_that_cannot_be_read_forbid_all(web: Web, client_for: Clients, status: int) -> None:
    web.serve("a.example/robots.txt", Reply(status))
    web.serve("a.example/prices", PRICES)
    client = client_for(max_retries=1)
    for _ in range(2):
        with pytest.raises(RobotsDisallowed, match=f"answered {status}.*nothing may be fetched"):
            fetch(client)
    assert web.paths == ["/a.example/robots.txt"] * 2


def test_robots_may_be_behind_a_redirect_and_large(web: Web, client_for: Clients) -> None:
    web.serve("a.example/robots.txt", Reply(301, headers={"Location": "https://www.a.example/robots.txt"}))
    rules = b"User-agent: *\nDisallow: /prices\n"
    web.serve("www.a.example/robots.txt", rules + b"#" * 1_000_000)
    with pytest.raises(RobotsDisallowed):
        fetch(client_for(max_body_bytes=100_000))


@pytest.mark.parametrize("junk", [b"\xff\xfe\x00\x80", b"User-agent: *\nCrawl-delay: x\nDisallow:\n", b"<html>"])
def test_junk_in_robots_forbids_nothing(web: Web, client_for: Clients, junk: bytes) -> None:
    web.serve("a.example/robots.txt", junk)
    web.serve("a.example/prices", PRICES)
    assert fetch(client_for()).body == PRICES


# Challenges


@pytest.mark.parametrize(
    ("status", "header"), [(403, "cf-mitigated"), (429, "x-vercel-mitigated"), (202, "x-amzn-waf-action")]
)
def test_a_challenge_is_named_and_not_tried_again(web: Web, client_for: Clients, status: int, header: str) -> None:
    web.serve("a.example/prices", Reply(status, b"<script>", {header: "challenge"}), PRICES)
    with pytest.raises(BotChallenge, match="not evaded"):
        fetch(client_for())
    assert len(web.asked("a.example/prices")) == 1


# Conditional requests


def test_an_unchanged_page_is_not_sent_again(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(304, headers={"ETag": '"1"'}))
    since = "Thu, 20 Aug 2026 00:00:00 GMT"
    previous = seen("https://a.example/prices", etag='"1"', last_modified=since)
    fetched = client_for().fetch("a", page("https://a.example/prices"), previous)
    assert isinstance(fetched, Unchanged)
    assert (fetched.previous, fetched.url, fetched.headers["ETag"]) == (previous, "https://a.example/prices", '"1"')
    [request] = web.asked("a.example/prices")
    assert (request.headers["If-None-Match"], request.headers["If-Modified-Since"]) == ('"1"', since)


def test_a_changed_page_is_sent_whole(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", PRICES)
    assert fetch(client_for(), previous=seen("https://a.example/prices", etag='"1"')).body == PRICES


def test_conditions_hold_only_for_the_address_that_gave_them(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(301, headers={"Location": "https://b.example/prices"}))
    web.serve("b.example/prices", PRICES)
    fetch(client_for(), previous=seen("https://b.example/prices", etag='"1"'))
    assert "If-None-Match" not in web.asked("a.example/prices")[0].headers
    assert web.asked("b.example/prices")[0].headers["If-None-Match"] == '"1"'


def test_a_304_that_nobody_asked_for_is_an_error(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", Reply(304))
    for previous in (None, seen("https://elsewhere.example/", etag='"1"')):
        with pytest.raises(FetchError, match="304"):
            fetch(client_for(), previous=previous)


# Mementos


def test_the_origin_says_when_a_page_was_captured(web: Web, client_for: Clients) -> None:
    moment = "Fri, 21 Aug 2026 00:00:00 GMT"
    web.serve("a.example/prices", Reply(200, PRICES, {"Memento-Datetime": moment}))
    web.serve("a.example/same", Reply(304, headers={"Memento-Datetime": moment}))
    web.serve("a.example/odd", Reply(200, PRICES, {"Memento-Datetime": "lately"}))
    client = client_for()
    assert fetch(client).captured_at == datetime(2026, 8, 21, tzinfo=UTC)
    same = "https://a.example/same"
    unchanged = client.fetch("a", page(same), seen(same, etag='"1"'))
    assert unchanged.captured_at == datetime(2026, 8, 21, tzinfo=UTC)
    with pytest.raises(FetchError, match="unreadable Memento-Datetime: 'lately'"):
        fetch(client, "https://a.example/odd")


# Lists that come in pages


def next_link(capture: Capture) -> str | None:
    link = json.loads(capture.text)["next"]
    assert link is None or isinstance(link, str)
    return link


def paged(url: str = "https://a.example/list") -> Source:
    return replace(page(url), next_page=next_link)


def part(number: int, link: str | None) -> bytes:
    return json.dumps({"items": [number], "next": link}, indent=1).encode()


def test_the_pages_of_a_list_are_one_capture(web: Web, client_for: Clients) -> None:
    links = ["https://a.example:443/list?skip=1", "?skip=2", None]
    parts = [part(number, link) for number, link in enumerate(links)]
    web.serve("a.example/list", Reply(200, parts[0], {"ETag": '"1"'}))
    web.serve("a.example/list?skip=1", Reply(200, gzip.compress(parts[1]), {"Content-Encoding": "gzip"}))
    web.serve("a.example/list?skip=2", parts[2])
    capture = client_for().fetch("a", paged())
    assert isinstance(capture, Capture)
    assert capture.body == b"\n".join(parts)
    assert (capture.url, capture.page_id) == ("https://a.example/list", "pricing")
    assert capture.headers["ETag"] == '"1"'
    assert [len(web.asked(f"a.example/list{query}")) for query in ("", "?skip=1", "?skip=2")] == [1, 1, 1]


def test_a_list_of_one_page_is_that_page(web: Web, client_for: Clients) -> None:
    web.serve("a.example/list", part(0, None))
    capture = client_for().fetch("a", paged())
    assert isinstance(capture, Capture)
    assert capture.body == part(0, None)


def test_a_list_is_asked_for_without_conditions(web: Web, client_for: Clients) -> None:
    web.serve("a.example/list", part(0, None))
    client_for().fetch("a", paged(), seen("https://a.example/list", etag='"1"', last_modified="yesterday"))
    assert not {"If-None-Match", "If-Modified-Since"} & web.asked("a.example/list")[0].headers.keys()


def test_every_page_of_a_list_is_tried_again_after_the_pause_named(web: Web, client_for: Clients) -> None:
    web.serve("a.example/list", part(0, "/list?skip=1"))
    web.serve("a.example/list?skip=1", Reply(429, headers={"Retry-After": "1"}), part(1, None))
    capture = client_for().fetch("a", paged())
    assert isinstance(capture, Capture)
    assert capture.body == part(0, "/list?skip=1") + b"\n" + part(1, None)
    busy, answered = web.asked("a.example/list?skip=1")
    assert answered.began - busy.ended >= 1


def test_every_page_of_a_list_has_the_time_of_a_page(web: Web, client_for: Clients) -> None:
    for number in range(3):
        link = "/list" + "x" * (number + 1) if number < 2 else None
        web.serve("a.example/list" + "x" * number, Reply(200, part(number, link), seconds=0.5))
    capture = client_for(total_timeout=0.9).fetch("a", paged())
    assert isinstance(capture, Capture)
    assert capture.body.count(b"items") == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(404), FetchError),
        (Reply(403, headers={"cf-mitigated": "challenge"}), BotChallenge),
        (Reply(302, headers={"Location": "http://169.254.169.254/"}), BlockedAddress),
    ],
)
def test_a_list_arrives_whole_or_not_at_all(
    web: Web, client_for: Clients, answer: Reply, error: type[ScrapeError]
) -> None:
    web.serve("a.example/list", part(0, "/more"))
    web.serve("a.example/more", answer)
    with pytest.raises(error):
        client_for().fetch("a", paged())


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("http://127.0.0.1/more", BlockedAddress),
        ("file:///etc/passwd", BlockedAddress),
        ("https://a.example:8443/more", BlockedAddress),
        ("/closed/more", RobotsDisallowed),
        ("https://a.example/list", FetchError),
    ],
)
def test_a_next_page_is_an_address_like_any_other(
    web: Web, client_for: Clients, link: str, error: type[ScrapeError]
) -> None:
    web.serve("a.example/robots.txt", b"User-agent: *\nDisallow: /closed/")
    web.serve("a.example/list", part(0, link))
    with pytest.raises(error):
        client_for().fetch("a", paged())
    assert [path for path in web.paths if path != "/a.example/robots.txt"] == ["/a.example/list"]


def test_a_list_without_end_is_cut_off(web: Web, client_for: Clients) -> None:
    web.serve("a.example/list", part(0, "/list?skip=1"))
    for number in range(1, 9):
        web.serve(f"a.example/list?skip={number}", part(number, f"/list?skip={number + 1}"))
    with pytest.raises(TooLarge, match="goes on after 4 pages"):
        client_for(max_pages=4).fetch("a", paged())
    assert len([path for path in web.paths if "robots" not in path]) == 4


def test_the_limit_of_size_counts_all_pages_of_a_list(web: Web, client_for: Clients) -> None:
    first, second = part(0, "/list?skip=1"), part(1, None)
    web.serve("a.example/list", first)
    web.serve("a.example/list?skip=1", second)
    size = len(first) + len(second)
    assert isinstance(client_for(max_body_bytes=size).fetch("a", paged()), Capture)
    with pytest.raises(TooLarge, match=f"its next pages are larger than {size - 1} bytes"):
        client_for(max_body_bytes=size - 1).fetch("a", paged())


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"next": ', b"\xff"])
def test_a_page_that_no_list_has_is_kept_for_its_parser(web: Web, client_for: Clients, body: bytes) -> None:
    web.serve("a.example/list", part(0, "/list?skip=1"))
    web.serve("a.example/list?skip=1", body)
    capture = client_for().fetch("a", paged())
    assert isinstance(capture, Capture)
    assert capture.body == part(0, "/list?skip=1") + b"\n" + body


# Many pages


def test_hosts_are_visited_at_once_and_each_page_after_page(web: Web, client_for: Clients) -> None:
    hosts = [f"h{number}.example" for number in range(5)]
    for host in hosts:
        for path in "xyz":
            web.serve(f"{host}/{path}", Reply(200, host.encode(), seconds=0.03))
    jobs = [Job(host, page(f"https://{host}/{path}", path)) for path in "xyz" for host in hosts]
    fetched = list(client_for(max_hosts=3).fetch_all(jobs))
    assert {(result.job.provider_id, result.job.source.page_id) for result in fetched} == {
        (host, path) for host in hosts for path in "xyz"
    }
    moments = sorted(request.began for request in web.requests)
    open_at = [[r.path.split("/")[1] for r in web.requests if r.began <= moment < r.ended] for moment in moments]
    assert max(len(hosts) for hosts in open_at) == 3
    assert all(len(hosts) == len(set(hosts)) for hosts in open_at)


def test_a_host_that_others_lead_to_is_still_asked_one_by_one(web: Web, client_for: Clients) -> None:
    for number in range(4):
        web.serve(f"h{number}.example/", Reply(302, headers={"Location": f"https://b.example/{number}"}))
        web.serve(f"b.example/{number}", Reply(200, PRICES, seconds=0.03))
    jobs = [Job(str(number), page(f"https://h{number}.example/")) for number in range(4)]
    assert all(isinstance(result.outcome, Capture) for result in client_for().fetch_all(jobs))
    visits = sorted((r.began, r.ended) for r in web.requests if r.path.startswith("/b.example/"))
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(visits))


def test_the_error_of_one_page_stops_no_other(web: Web, client_for: Clients) -> None:
    web.serve("a.example/good", PRICES)
    jobs = [
        Job("a", page(url))
        for url in ("https://a.example/gone", "https://a.example/good", "ftp://b.example/", "nonsense", "https://[::1/")
    ]
    results = {result.job.source.url: result for result in client_for().fetch_all(jobs)}
    outcomes = {url: type(result.outcome) for url, result in results.items()}
    assert outcomes == {
        "https://a.example/gone": FetchError,
        "https://a.example/good": Capture,
        "ftp://b.example/": BlockedAddress,
        "nonsense": BlockedAddress,
        "https://[::1/": BlockedAddress,
    }
    good = results["https://a.example/good"]
    assert isinstance(good.outcome, Capture)
    assert good.requested_at <= good.outcome.captured_at


class Bug(Exception):
    pass


class Broken(Client):
    def fetch(self, provider_id: str, *args: object, **kwargs: object) -> Capture:
        if provider_id == "bug":
            raise Bug
        return super().fetch(provider_id, *args, **kwargs)  # type: ignore[arg-type, return-value]


def test_a_bug_is_raised_when_the_other_pages_are_done(web: Web, settings_for: Callable[..., Settings]) -> None:
    web.serve("a.example/prices", Reply(200, PRICES, seconds=0.1))
    jobs = [Job("bug", page("https://b.example/")), Job("a", page("https://a.example/prices"))]
    done: list[Fetched] = []
    with Broken(settings_for(origin=web.url)) as client, pytest.raises(Bug):
        done.extend(client.fetch_all(jobs))
    assert [type(result.outcome) for result in done] == [Capture]


def test_who_stops_listening_stops_the_visit(web: Web, client_for: Clients) -> None:
    for path in range(20):
        web.serve(f"a.example/{path}", Reply(200, PRICES, seconds=0.02))
    fetching = client_for().fetch_all([Job("a", page(f"https://a.example/{path}")) for path in range(20)])
    next(fetching)
    fetching.close()  # type: ignore[attr-defined]
    assert len(web.requests) < 15


# Without an origin: the address guard


@pytest.mark.parametrize("port", [None, "server"])
def test_the_guard_lets_nobody_reach_this_machine(
    web: Web, settings_for: Callable[..., Settings], port: str | None
) -> None:
    address = web.url.removeprefix("http://") if port else "127.0.0.1"
    with Client(settings_for()) as client, pytest.raises(BlockedAddress):
        fetch(client, f"http://{address}/prices")
    assert web.connections == 0


def test_an_unknown_host_is_noticed_soon_and_remembered(settings_for: Callable[..., Settings]) -> None:
    with Client(settings_for(retry_backoff=10)) as client:
        started = time.monotonic()
        for path in ("x", "y"):
            with pytest.raises(FetchError, match=r"no-such-host\.invalid"):
                fetch(client, f"https://no-such-host.invalid/{path}")
        assert time.monotonic() - started < 5


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost and its key, signed by nobody."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *subject, "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def test_a_certificate_of_nobody_is_refused_at_once(certificate: Path, settings_for: Callable[..., Settings]) -> None:
    with running(Web(certificate)) as web, Client(settings_for(origin=web.url)) as client:
        with pytest.raises(FetchError, match="no secure connection"):
            fetch(client)
        assert (web.connections, web.requests) == (1, [])


def test_pages_arrive_over_tls_and_in_time(certificate: Path, settings_for: Callable[..., Settings]) -> None:
    with running(Web(certificate)) as web, Client(settings_for(origin=web.url, total_timeout=0.5)) as client:
        client._session.verify = str(certificate)
        web.serve("a.example/prices", PRICES)
        assert fetch(client).body == PRICES
        web.serve("a.example/slow", trickle)
        started = time.monotonic()
        with pytest.raises(FetchError, match="took longer"):
            fetch(client, "https://a.example/slow")
        assert time.monotonic() - started < 2


def test_a_stand_in_that_is_not_there_is_an_error_by_name(settings_for: Callable[..., Settings]) -> None:
    with Client(settings_for(origin="http://127.0.0.1:9")) as client, pytest.raises(FetchError) as raised:
        fetch(client)
    assert "127.0.0.1 cannot be reached" in str(raised.value)
    assert "Max retries" not in str(raised.value)


def test_errors_are_scrape_errors(web: Web, client_for: Clients) -> None:
    web.serve("a.example/prices", cut_short({"Content-Length": "x"}, os.urandom(50)))
    with pytest.raises(ScrapeError):
        fetch(client_for(read_timeout=0.1, max_retries=0), "https://a.example/none")


# Pages move


def test_a_page_that_is_gone_is_asked_for_where_it_was_before(web: Web, client_for: Clients) -> None:
    web.serve("a.example/new", Reply(404))
    web.serve("a.example/newer-old", Reply(410))
    web.serve("b.example/old", PRICES)
    source = replace(
        page("https://a.example/new"), former_urls=("https://a.example/newer-old", "https://b.example/old")
    )
    capture = client_for().fetch("a", source)
    assert isinstance(capture, Capture)
    assert (capture.url, capture.body) == ("https://b.example/old", PRICES)


def test_a_page_that_is_gone_everywhere_is_missed_at_todays_address(web: Web, client_for: Clients) -> None:
    source = replace(page("https://a.example/new"), former_urls=("https://b.example/old",))
    with pytest.raises(FetchError, match=r"https://a\.example/new answered 404"):
        client_for().fetch("a", source)
    assert [request.path for request in web.requests if "robots" not in request.path] == [
        "/a.example/new",
        "/b.example/old",
    ]


def test_an_error_at_todays_address_is_no_move(web: Web, client_for: Clients) -> None:
    web.serve("a.example/new", Reply(403))
    web.serve("b.example/old", PRICES)
    with pytest.raises(FetchError, match="403"):
        client_for().fetch("a", replace(page("https://a.example/new"), former_urls=("https://b.example/old",)))
