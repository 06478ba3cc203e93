"""The archive on a real disk: what goes in comes out, other tools read it, and a crash tears only its own record."""

import gzip
import hashlib
import json
import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from time import sleep

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from pipeline.capture import archive as archive_module
from pipeline.capture.archive import Archive
from pipeline.domain import Attempt, Capture, Meter, Position, PriceQuote, Reading, ServiceTier, Unchanged, Unit
from pipeline.errors import ArchiveInUse, FetchError

NOON = datetime(2026, 8, 21, 12, 0, 0, 123456, tzinfo=UTC)
HEADERS = {
    "Content-Type": "text/html",
    "Content-Encoding": "gzip",
    "content-length": "17",
    "Transfer-Encoding": "chunked",
    "ETag": '"1"',
    "Last-Modified": "Thu, 20 Aug 2026 00:00:00 GMT",
}
PAGE = Capture("a", "pricing", "https://a.example/prices?x=1", NOON, b"<p>$3</p>\r\n\r\n\x00", 200, HEADERS)
FILE = Capture("maps", "genai-prices", "pkg:pypi/genai-prices@0.2.3", NOON, b"{}", origin="file")
QUOTE = PriceQuote(
    model_label="Example 1",
    meter=Meter.INPUT,
    list_unit_price=Decimal("3.00"),
    pricing_unit=Unit.MILLION_TOKENS,
    evidence="$3.00",
    locator="table 1",
)
FULL_QUOTE = PriceQuote(
    model_label="例 \ud800",  # half a character, as JSON pages can hold
    meter=Meter.CACHE_WRITE_5M,
    list_unit_price=Decimal("3.570E-8"),
    pricing_unit=Unit.TOKEN,
    currency="CNY",
    service_tier=ServiceTier.OFF_PEAK,
    context_from=0,
    context_to=200_000,
    region="eu",
    time_window="Mon-Fri 16:30-00:30 UTC",
    announced_from=NOON,
    valid_until=NOON + timedelta(days=1),
    provider_id="b",
    evidence="¥3.57e-8\n",
    locator="line 2",
)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive") as archive:
        yield archive


def files(archive: Archive) -> list[Path]:
    return sorted(archive._directory.glob("*.warc.gz"))


def again(archive: Archive) -> Archive:
    """The same archive as another process sees it."""
    return Archive(archive._directory)


# What goes in comes out


def test_a_capture_comes_back_as_it_was(archive: Archive) -> None:
    attempt = archive.append_capture(PAGE, NOON - timedelta(microseconds=1))
    assert attempt == Attempt(
        capture_id=attempt.capture_id,
        provider_id="a",
        page_id="pricing",
        url="https://a.example/prices?x=1",
        origin="live",
        requested_at=NOON - timedelta(microseconds=1),
        captured_at=NOON,
        outcome="ok",
        status=200,
        sha256=PAGE.sha256,
        size=len(PAGE.body),
        etag='"1"',
        last_modified="Thu, 20 Aug 2026 00:00:00 GMT",
        position=Position(files(archive)[0].name, files(archive)[0].stat().st_size),
    )
    for reader in (archive, again(archive)):
        assert reader.load_capture(attempt.capture_id) == PAGE
        assert list(reader.records()) == [attempt]


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    body=st.binary(max_size=200),
    status=st.integers(200, 299),
    headers=st.dictionaries(
        st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,9}|Content-Length", fullmatch=True),
        st.from_regex(r"([!-~]([ -~]*[!-~])?)?", fullmatch=True),
        max_size=4,
    ),
    url=st.from_regex(r"https://a\.example/[ -~]{0,20}", fullmatch=True),
)
def test_any_answer_comes_back_as_it_was(
    archive: Archive, body: bytes, status: int, headers: dict[str, str], url: str
) -> None:
    capture = replace(PAGE, body=body, status=status, headers=headers, url=url)
    attempt = archive.append_capture(capture, NOON)
    loaded = again(archive).load_capture(attempt.capture_id)
    assert replace(loaded, url=url) == capture
    assert list(again(archive).records())[-1] == attempt


def test_names_of_headers_have_no_case(archive: Archive) -> None:
    attempt = archive.append_capture(replace(PAGE, headers={"etag": '"1"', "LAST-MODIFIED": "x"}), NOON)
    assert (attempt.etag, attempt.last_modified) == ('"1"', "x")
    assert archive.load_capture(attempt.capture_id).headers["Etag"] == '"1"'
    unchanged = archive.append_unchanged(Unchanged(attempt, PAGE.url, NOON, {"etag": '"2"'}), NOON)
    assert unchanged.etag == '"2"'


def test_headers_that_are_not_ascii_do_no_harm(archive: Archive) -> None:
    odd = replace(PAGE, headers={"ETag": '"é"', "X-Odd": 'a; b="ü"', "X-Lines": "one\r\ntwo\nthree"})
    attempt = archive.append_capture(odd, NOON)
    assert attempt.etag == '"é"'
    loaded = again(archive).load_capture(attempt.capture_id)
    assert (loaded.body, loaded.headers["X-Lines"], set(loaded.headers)) == (
        PAGE.body,
        "one two three",
        set(odd.headers),
    )
    assert list(again(archive).records()) == [attempt]


def test_a_file_comes_back_as_it_was(archive: Archive) -> None:
    attempt = archive.append_capture(FILE, NOON)
    assert (attempt.origin, attempt.status, attempt.url) == ("file", None, "pkg:pypi/genai-prices@0.2.3")
    assert again(archive).load_capture(attempt.capture_id) == FILE


def test_a_memento_keeps_its_own_time(archive: Archive) -> None:
    memento = replace(PAGE, origin="web_archive", captured_at=datetime(2024, 2, 29, tzinfo=UTC))
    attempt = archive.append_capture(memento, NOON)
    assert (attempt.origin, attempt.requested_at, attempt.captured_at) == ("web_archive", NOON, memento.captured_at)
    assert again(archive).load_capture(attempt.capture_id) == memento


def test_a_failure_comes_back_as_it_was(archive: Archive) -> None:
    error = FetchError("a.example answered\r\n 503\nOutcome: ok \ud800")
    attempt = archive.append_failure("a", "pricing", "https://a.example/x y", NOON, error)
    assert (attempt.outcome, attempt.message) == ("FetchError", "a.example answered 503 Outcome: ok \\ud800")
    assert (attempt.url, attempt.captured_at, attempt.sha256) == ("https://a.example/x%20y", NOON, None)
    assert list(again(archive).records()) == [attempt]
    with pytest.raises(KeyError, match="holds no page"):
        archive.load_capture(attempt.capture_id)


def test_readings_come_back_as_they_were(archive: Archive) -> None:
    capture_id = archive.append_capture(PAGE, NOON).capture_id
    good = archive.append_reading(capture_id, NOON, "ok", None, [QUOTE, FULL_QUOTE])
    bad = archive.append_reading(capture_id, NOON, "LayoutChanged", "no price\nfound")
    assert good == Reading(
        reading_id=good.reading_id,
        capture_id=capture_id,
        read_at=NOON,
        outcome="ok",
        quotes=(QUOTE, FULL_QUOTE),
        quotes_sha256=archive.quotes_digest([QUOTE, FULL_QUOTE]),
        position=good.position,
    )
    assert (bad.outcome, bad.message, bad.quotes, bad.quotes_sha256) == ("LayoutChanged", "no price found", (), None)
    assert list(again(archive).records())[1:] == [good, bad]


def test_ids_that_are_not_there_are_key_errors(archive: Archive) -> None:
    capture_id = archive.append_capture(PAGE, NOON).capture_id
    reading = archive.append_reading(capture_id, NOON, "ok", None, [QUOTE])
    with pytest.raises(KeyError):
        archive.load_capture("urn:uuid:0")
    with pytest.raises(KeyError):
        archive.load_capture(reading.reading_id)
    with pytest.raises(KeyError):
        archive.append_reading("urn:uuid:0", NOON, "ok", None, [QUOTE])


def test_times_without_a_zone_are_refused(archive: Archive) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        archive.append_capture(PAGE, NOON.replace(tzinfo=None))


# The same again


def test_the_same_bytes_are_stored_once_per_page(archive: Archive) -> None:
    large = replace(PAGE, body=os.urandom(100_000))
    first = archive.append_capture(large, NOON)
    size = files(archive)[0].stat().st_size
    later = replace(large, captured_at=NOON + timedelta(days=1), headers={"ETag": '"2"'}, status=203)
    second = archive.append_capture(later, NOON + timedelta(days=1))
    assert files(archive)[0].stat().st_size - size < 2_000
    assert (second.sha256, second.size, second.etag, second.status) == (first.sha256, first.size, '"2"', 203)
    for reader in (archive, again(archive)):
        assert reader.load_capture(first.capture_id) == large
        assert reader.load_capture(second.capture_id) == later
    other_page = archive.append_capture(replace(large, page_id="other"), NOON)
    assert types(archive) == ["response", "revisit", "response"]
    assert again(archive).load_capture(other_page.capture_id) == replace(large, page_id="other")


def test_the_same_file_is_stored_once(archive: Archive) -> None:
    archive.append_capture(FILE, NOON)
    second = archive.append_capture(FILE, NOON)
    assert types(archive) == ["resource", "revisit"]
    assert again(archive).load_capture(second.capture_id) == FILE


def test_the_same_quotes_are_stored_once_per_page(archive: Archive) -> None:
    quotes = [replace(QUOTE, model_label=f"Example {number}") for number in range(500)]
    first = archive.append_capture(PAGE, NOON).capture_id
    second = archive.append_capture(replace(PAGE, body=b"other markup"), NOON).capture_id
    other = archive.append_capture(replace(PAGE, page_id="other"), NOON).capture_id
    readings = [archive.append_reading(capture_id, NOON, "ok", None, quotes) for capture_id in (first, second, other)]
    assert {reading.quotes_sha256 for reading in readings} == {archive.quotes_digest(quotes)}
    assert types(archive)[3:] == ["conversion", "revisit", "conversion"]
    assert list(again(archive).records())[3:] == readings
    assert list(again(archive).records(after=readings[0].position)) == readings[1:]


def test_the_index_is_found_again_by_the_next_session(archive: Archive) -> None:
    archive.append_capture(PAGE, NOON)
    archive.close()
    with again(archive) as later:
        attempt = later.append_capture(PAGE, NOON)
        assert types(archive) == ["response", "revisit"]
        assert later.load_capture(attempt.capture_id) == PAGE
    # What another session wrote in the meantime is known, too.
    assert archive.load_capture(attempt.capture_id) == PAGE
    archive.append_capture(replace(PAGE, body=b"new"), NOON)
    assert len(files(archive)) == 3


def test_what_is_known_of_ended_files_is_not_inflated_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    first = archive.append_capture(PAGE, NOON)
    reading = archive.append_reading(first.capture_id, NOON, "ok", None, [QUOTE])
    archive.close()
    [file] = files(archive)
    with again(archive) as second:
        second.append_failure("a", "pricing", PAGE.url, NOON, FetchError("gone"))
    noted = file.with_name(f"{file.name}.index.json")
    assert noted.exists()

    scanned: list[str] = []
    scan_file = Archive._scan_file
    monkeypatch.setattr(
        Archive, "_scan_file", lambda self, name, start: scanned.append(name) or scan_file(self, name, start)
    )
    with again(archive) as third:
        same_bytes = third.append_capture(replace(PAGE, captured_at=NOON + timedelta(days=1)), NOON)
        same_quotes = third.append_reading(same_bytes.capture_id, NOON, "ok", None, [QUOTE])
    assert file.name not in scanned
    assert (same_bytes.sha256, same_quotes.quotes_sha256) == (first.sha256, reading.quotes_sha256)
    assert types(archive).count("response") == types(archive).count("conversion") == 1
    assert again(archive).load_capture(same_bytes.capture_id).body == PAGE.body


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"size": 1, "records": []}', b"[", b"\xff"])
def test_an_index_that_does_not_fit_its_file_is_made_anew(archive: Archive, damage: bytes) -> None:
    first = archive.append_capture(PAGE, NOON)
    archive.close()
    [file] = files(archive)
    noted = file.with_name(f"{file.name}.index.json")
    noted.write_bytes(damage)
    with again(archive) as second:
        second.append_unchanged(Unchanged(first, PAGE.url, NOON, {}), NOON)
    assert len(json.loads(noted.read_text())["records"]) == 1


def test_a_304_is_another_sight_of_the_page(archive: Archive) -> None:
    first = archive.append_capture(PAGE, NOON)
    tomorrow = NOON + timedelta(days=1)
    bare = archive.append_unchanged(Unchanged(first, PAGE.url, tomorrow), tomorrow)
    assert bare == replace(
        first,
        capture_id=bare.capture_id,
        requested_at=tomorrow,
        captured_at=tomorrow,
        outcome="unchanged",
        status=304,
        position=bare.position,
    )
    new_tag = archive.append_unchanged(Unchanged(bare, PAGE.url, tomorrow, {"ETag": '"2"'}), tomorrow)
    assert (new_tag.etag, new_tag.last_modified, new_tag.sha256) == ('"2"', first.last_modified, PAGE.sha256)
    assert list(again(archive).records()) == [first, bare, new_tag]
    for attempt in (bare, new_tag):
        assert again(archive).load_capture(attempt.capture_id) == replace(PAGE, captured_at=tomorrow)
    with pytest.raises(KeyError):
        archive.append_unchanged(Unchanged(replace(first, capture_id="urn:uuid:0"), PAGE.url, tomorrow), tomorrow)


# Order, positions, files


def fill(archive: Archive, count: int) -> list[Attempt | Reading]:
    written: list[Attempt | Reading] = []
    for number in range(count):
        attempt = archive.append_capture(replace(PAGE, body=b"%d" % (number // 2)), NOON)
        written += [attempt, archive.append_reading(attempt.capture_id, NOON, "ok", None, [QUOTE])]
    return written


def test_records_come_in_the_order_in_which_they_were_written(archive: Archive) -> None:
    with Archive(archive._directory, max_file_bytes=2_000) as rotating:
        written = fill(rotating, 12)
    with Archive(archive._directory) as later:
        written += fill(later, 1)
    assert len(files(archive)) >= 4
    assert all(file.stat().st_size < 4_000 for file in files(archive))
    reader = again(archive)
    assert list(reader.records()) == written
    assert sorted(record.position for record in written) == [record.position for record in written]
    for number, record in enumerate(written):
        assert list(reader.records(after=record.position)) == written[number + 1 :]


def test_an_empty_archive_has_no_records_and_writes_no_file(archive: Archive) -> None:
    assert list(archive.records()) == []
    archive.close()
    assert not archive._directory.exists()


def test_a_clock_that_goes_back_does_not_change_the_order(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    first = archive.append_capture(PAGE, NOON)
    archive.close()

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return datetime(2020, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(archive_module, "datetime", Earlier)
    written = [first]
    for _ in range(2):
        written.append(archive.append_capture(PAGE, NOON))
        archive.close()
    assert list(again(archive).records()) == written
    assert len(files(archive)) == 3


# Other tools


def types(archive: Archive) -> list[str]:
    found = []
    for path in files(archive):
        with path.open("rb") as file:
            found += [record.rec_type for record in ArchiveIterator(file) if record.rec_type != "warcinfo"]
    return found


def one_of_each(archive: Archive) -> list[Attempt | Reading]:
    page = archive.append_capture(PAGE, NOON)
    written: list[Attempt | Reading] = [
        page,
        archive.append_capture(FILE, NOON),
        archive.append_capture(PAGE, NOON),
        archive.append_capture(FILE, NOON),
        archive.append_unchanged(Unchanged(page, PAGE.url, NOON, {"ETag": '"1"'}), NOON),
        archive.append_failure("a", "pricing", PAGE.url, NOON, FetchError("gone")),
        archive.append_reading(page.capture_id, NOON, "ok", None, [QUOTE, FULL_QUOTE]),
        archive.append_reading(page.capture_id, NOON, "ok", None, [QUOTE, FULL_QUOTE]),
        archive.append_reading(page.capture_id, NOON, "LayoutChanged", "odd"),
    ]
    archive.close()
    return written


def test_warcio_finds_all_digests_right(archive: Archive) -> None:
    one_of_each(archive)
    [path] = files(archive)
    warcio = Path(sys.executable).with_name("warcio")
    checked = subprocess.run([warcio, "check", "-v", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("digest pass") == 6
    assert checked.stdout.count("not checked (revisit)") == 4
    assert "failed" not in checked.stdout
    indexed = subprocess.run([warcio, "index", path, "-f", "warc-type"], capture_output=True, text=True, check=True)
    assert indexed.stdout.count("\n") == 10


def test_warcio_reads_what_the_standard_asks_for(archive: Archive) -> None:
    written = one_of_each(archive)
    with files(archive)[0].open("rb") as file:
        found = []
        for record in ArchiveIterator(file):
            named = dict(record.rec_headers.headers)
            found.append((record.rec_type, named, record.http_headers, record.content_stream().read()))
    assert [kind for kind, *_ in found] == [
        *("warcinfo", "response", "resource", "revisit", "revisit", "revisit", "metadata"),
        *("conversion", "revisit", "conversion"),
    ]
    (_, info, _, about), (_, page, http, body), (_, resource_, _, _), (_, same, same_http, nothing) = found[:4]
    assert info["WARC-Filename"] == files(archive)[0].name
    assert b"software: tokenfall" in about
    assert body == PAGE.body
    assert (http.protocol, http.statusline) == ("HTTP/1.1", "200 OK")
    assert http.get_header("Content-Length") == str(len(PAGE.body))
    assert http.get_header("Content-Encoding") is None
    assert http.get_header("Transfer-Encoding") is None
    assert page["WARC-Date"] == "2026-08-21T12:00:00.123456Z"
    assert page["WARC-Target-URI"] == PAGE.url
    assert page["WARC-Payload-Digest"] == f"sha256:{hashlib.sha256(PAGE.body).hexdigest()}"
    assert page["Tokenfall-Page"] == "a/pricing"
    assert page["Tokenfall-Captured-At"] == "2026-08-21T12:00:00.123456Z"
    assert page["Tokenfall-Origin"] == "live"
    assert resource_["Content-Type"] == "application/octet-stream"
    assert nothing == b""
    assert same_http.get_header("ETag") == '"1"'
    assert same["WARC-Profile"].endswith("/1.1/revisit/identical-payload-digest")
    assert (same["WARC-Refers-To"], same["WARC-Refers-To-Target-URI"], same["WARC-Refers-To-Date"]) == (
        page["WARC-Record-ID"],
        page["WARC-Target-URI"],
        page["WARC-Date"],
    )
    not_modified, failure, conversion, same_quotes = (found[index] for index in (5, 6, 7, 8))
    assert not_modified[1]["WARC-Profile"].endswith("/1.1/revisit/server-not-modified")
    assert not_modified[2].statusline == "304 Not Modified"
    assert failure[1]["Content-Type"] == "application/warc-fields"
    assert failure[3] == b"outcome: FetchError\r\nmessage: gone\r\n"
    assert conversion[1]["WARC-Refers-To"] == page["WARC-Record-ID"]
    assert conversion[3].count(b"\n") == 2
    assert same_quotes[1]["WARC-Refers-To"] == conversion[1]["WARC-Record-ID"]
    assert same_quotes[1]["Tokenfall-Capture"] == page["WARC-Record-ID"]
    assert [f"<{r.capture_id if isinstance(r, Attempt) else r.reading_id}>" for r in written] == [
        named["WARC-Record-ID"] for _, named, *_ in found[1:]
    ]


def test_each_record_is_a_gzip_member_of_its_own(archive: Archive) -> None:
    written = one_of_each(archive)
    data = files(archive)[0].read_bytes()
    ends = [record.position.offset for record in written]
    for start, end in pairwise(ends):
        assert gzip.decompress(data[start:end]).startswith(b"WARC/1.1\r\n")
    assert ends[-1] == len(data)


# Crashes


def test_a_torn_record_ends_its_file_and_nothing_else(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    written = fill(archive, 3)
    archive.close()
    [path] = files(archive)
    data = path.read_bytes()
    last = written[-2].position.offset
    for end in {*range(last + 1, len(data), 37), last + 1, len(data) - 1}:
        path.write_bytes(data[:end])
        caplog.clear()
        reader = again(archive)
        assert list(reader.records()) == written[:-1]
        assert reader.torn == {path.name: last}
        assert f"{path.name} is not read from offset {last} on: it breaks off" in caplog.text
    path.write_bytes(data[: last + 100] + bytes(500))
    with again(archive) as later:
        new = later.append_capture(PAGE, NOON)
    assert len(files(archive)) == 2
    assert list(again(archive).records()) == [*written[:-1], new]


def test_files_cut_where_a_record_ends_are_whole(archive: Archive) -> None:
    written = fill(archive, 2)
    archive.close()
    [path] = files(archive)
    path.write_bytes(path.read_bytes()[: written[1].position.offset])
    (archive._directory / "tokenfall-29991231-235959-1.warc.gz").touch()
    reader = again(archive)
    assert list(reader.records()) == written[:2]
    assert reader.torn == {}


def child(work: object) -> int:
    """Runs `work` in a forked process that ends without cleaning up; returns its process id."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()  # type: ignore[operator]
            status = 0
        finally:
            os._exit(status)
    return pid


def test_a_writer_killed_in_mid_write_loses_nothing_that_was_acknowledged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = os.urandom(20_000_000)
    caplog.set_level(logging.CRITICAL)
    torn = 0
    for attempt in range(20):
        directory = tmp_path / str(attempt)
        reader, writer = os.pipe()

        def write(directory: Path = directory, writer: int = writer) -> None:
            archive = Archive(directory)
            os.write(writer, f"{archive.append_capture(PAGE, NOON).capture_id}\n".encode())
            os.write(writer, f"{archive.append_capture(replace(PAGE, body=body), NOON).capture_id}\n".encode())

        pid = child(write)
        os.close(writer)
        while not any(file.stat().st_size > 100_000 for file in directory.glob("*.warc.gz")):
            sleep(0)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(reader) as pipe:
            acknowledged = pipe.read().split()
        survivor = Archive(directory)
        found = [record.capture_id for record in survivor.records()]
        assert found[: len(acknowledged)] == acknowledged
        assert survivor.load_capture(acknowledged[0]) == PAGE
        torn += len(survivor.torn)
        with survivor:
            new = survivor.append_capture(PAGE, NOON)
        assert list(survivor.records())[-1] == new
        if torn:
            return
    pytest.fail("twenty writers were killed and none of them in mid-write")


def test_a_full_disk_does_not_bury_what_comes_later(archive: Archive) -> None:
    def write() -> None:
        first = archive.append_capture(PAGE, NOON)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
        with pytest.raises(OSError, match="too large"):
            archive.append_capture(replace(PAGE, body=os.urandom(10_000)), NOON)
        second = archive.append_capture(replace(PAGE, body=b"fits"), NOON)
        assert second.position.file != first.position.file

    _, status = os.waitpid(child(write), 0)
    assert status == 0
    reader = again(archive)
    assert [record.size for record in reader.records() if isinstance(record, Attempt)] == [len(PAGE.body), 4]
    assert len(reader.torn) == 1


# Two writers


def test_two_processes_do_not_write_at_once(archive: Archive) -> None:
    archive.append_capture(PAGE, NOON)

    def write() -> None:
        with again(archive) as other, pytest.raises(ArchiveInUse, match="another process writes"):
            other.append_failure("a", "pricing", PAGE.url, NOON, FetchError("gone"))
        assert len(list(other.records())) == 1  # reading goes on

    _, status = os.waitpid(child(write), 0)
    assert status == 0
    archive.close()
    with again(archive) as other:
        other.append_capture(PAGE, NOON)


def test_the_lock_of_a_killed_writer_is_gone(archive: Archive) -> None:
    def write() -> None:
        archive.append_capture(PAGE, NOON)
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(child(write), 0)
    archive.append_capture(PAGE, NOON)
    assert types(archive) == ["response", "revisit"]
