"""The web archive's index and mementos, from a real server that answers as the archive does, or should not."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pipeline.capture.client import Client
from pipeline.capture.web_archive import Memento, addresses, changes, fetch_memento, index_url, mementos
from pipeline.errors import FetchError
from pipeline.settings import Settings
from tests.capture.conftest import Reply, Web, page

Clients = Callable[..., Client]
PRICES = b"<table><tr><td>Example 1<td>$3</table>"
URL = "https://a.example/prices?of=all"
SOURCE = page("https://a.example/pricing")
INDEX = index_url(URL, date(2025, 1, 31)).removeprefix("https://")
NAMES = ["timestamp", "original", "statuscode", "digest"]


def memento(day: int, digest: str = "A", url: str = URL) -> Memento:
    return Memento(datetime(2025, 1, day, 3, 4, 5, tzinfo=UTC), url, digest)


def row(day: int, status: str = "200", digest: str = "A") -> list[str]:
    return [f"202501{day:02}030405", URL, status, digest]


def indexed(client: Client) -> list[Memento]:
    return mementos(client, "a", SOURCE, URL, date(2025, 1, 31))


def test_the_index_is_asked_for_one_row_per_change(web: Web, client_for: Clients) -> None:
    web.serve(INDEX, json.dumps([NAMES, row(1), row(2, digest="B")]).encode())
    assert indexed(client_for()) == [memento(1), memento(2, "B")]
    assert INDEX == (
        "web.archive.org/cdx/search/cdx?url=https%3A%2F%2Fa.example%2Fprices%3Fof%3Dall"
        "&to=20250131&output=json&fl=timestamp%2Coriginal%2Cstatuscode%2Cdigest&collapse=digest"
    )


def test_only_good_answers_count_and_a_revisit_is_what_it_repeats(web: Web, client_for: Clients) -> None:
    rows = [row(1), row(2, "301", "B"), row(3, "-"), row(4, "-", "B"), row(5, "404", "C"), row(6, "-", "D")]
    web.serve(INDEX, json.dumps([NAMES, *rows]).encode())
    # What the last one repeats was captured at another address: it may be good.
    assert indexed(client_for()) == [memento(1), memento(3), memento(6, "D")]


@pytest.mark.parametrize("nothing", [b"", b"[]", b"[]\n", json.dumps([NAMES]).encode()])
def test_an_index_may_have_nothing(web: Web, client_for: Clients, nothing: bytes) -> None:
    web.serve(INDEX, nothing)
    assert indexed(client_for()) == []


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>busy</html>",
        b"{}x",
        b'{"error": "busy"}',
        b"\xff\xfe",
        json.dumps([NAMES, row(1)[:-1]]).encode(),
        json.dumps([NAMES[1:], row(1)[1:]]).encode(),
        json.dumps([NAMES, ["soon", *row(1)[1:]]]).encode(),
    ],
)
def test_an_answer_that_is_no_index_is_an_error(web: Web, client_for: Clients, answer: bytes) -> None:
    web.serve(INDEX, answer)
    with pytest.raises(FetchError, match="is not an index of mementos"):
        indexed(client_for())


def test_a_memento_has_its_own_time(web: Web, client_for: Clients) -> None:
    asked = "web.archive.org/web/20250102030405id_/https://a.example/prices?of=all"
    web.serve(asked, Reply(200, PRICES, {"Memento-Datetime": "Thu, 02 Jan 2025 03:04:05 GMT", "Content-Type": "x/y"}))
    capture = fetch_memento(client_for(), "a", SOURCE, memento(2))
    assert (capture.provider_id, capture.page_id, capture.origin) == ("a", "pricing", "web_archive")
    assert capture.captured_at == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (capture.url, capture.body, capture.headers["Content-Type"]) == (f"https://{asked}", PRICES, "x/y")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Memento-Datetime": "Fri, 03 Jan 2025 03:04:05 GMT"}, "captured at 2025-01-03"),
        ({"Memento-Datetime": "soon"}, "unreadable Memento-Datetime"),
        ({}, "captured at no known time"),
    ],
)
def test_what_is_not_the_memento_asked_for_is_an_error(
    web: Web, client_for: Clients, headers: dict[str, str], said: str
) -> None:
    web.serve(memento(2).url.removeprefix("https://"), Reply(302, headers={"Location": "/elsewhere"}))
    web.serve("web.archive.org/elsewhere", Reply(200, PRICES, headers))
    with pytest.raises(FetchError, match=said):
        fetch_memento(client_for(), "a", SOURCE, memento(2))


def test_of_all_addresses_of_a_page_there_is_one_memento_per_change() -> None:
    today = [memento(2, "A"), memento(4, "B"), memento(9, "A")]
    former = [
        memento(day, digest, "https://b.example/prices") for day, digest in ((1, "A"), (4, "C"), (5, "B"), (7, "D"))
    ]
    # The 2nd repeats the 1st, the 5th the 4th, at which today's address goes first; the 9th is a return to the 1st.
    assert changes([today, former], date(2024, 1, 1)) == [former[0], today[1], former[3], today[2]]
    assert changes([], date(2024, 1, 1)) == []


def test_changes_begin_with_what_held_when_the_first_day_began() -> None:
    midnight = replace(memento(4, "B"), captured_at=datetime(2025, 1, 4, tzinfo=UTC))
    listed = [[memento(2, "A"), midnight, memento(6, "C")]]
    days = {day: [found.digest for found in changes(listed, date(2025, 1, day))] for day in (1, 2, 3, 4, 5, 7)}
    assert days == {1: ["A", "B", "C"], 2: ["A", "B", "C"], 3: ["A", "B", "C"], 4: ["B", "C"], 5: ["B", "C"], 7: ["C"]}


def test_a_page_is_looked_for_at_every_address_that_it_had() -> None:
    moved = replace(SOURCE, former_urls=("https://b.example/old", "https://c.example/older"))
    assert addresses(moved) == ("https://a.example/pricing", "https://b.example/old", "https://c.example/older")
    # One memento of a list in pages is a list with most of its prices missing.
    assert addresses(replace(moved, next_page=lambda _: None)) == ()


@pytest.mark.parametrize(
    ("origin", "interval", "pause"),
    [
        (None, 0, 1),
        (None, 5, 5),
        ("http://mirror.example", 0, 1),
        ("http://127.0.0.1:8777", 0, 0),
        ("http://localhost:8777", 0.2, 0.2),
        ("http://[::1]:8777", 0.2, 0.2),
        ("http://127.0.0.1:8777", 1, 1),
    ],
)
def test_only_a_local_stand_in_is_asked_more_than_once_a_second(
    settings_for: Callable[..., Settings], origin: str | None, interval: float, pause: float
) -> None:
    assert settings_for(origin=origin, web_archive_interval=interval).web_archive_pause == pause
