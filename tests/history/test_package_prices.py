"""The compiling of releases, on maps of our own; and the seed that came of it."""

import csv
import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipeline.domain import Capture
from pipeline.history.chronicle import Spell, spells_of
from pipeline.history.package_prices import LITELLM, SEED, compile_chronicle, releases, snapshot
from pipeline.providers import discover
from pipeline.reading.extract import read
from tests.conftest import SHARED_CAPTURES, needs_shared

NOW = datetime(2026, 11, 21, tzinfo=UTC)
RELEASES = SHARED_CAPTURES.parent / "reference" / "package_releases"


def priced(**prices: float) -> dict[str, dict[str, object]]:
    """A map with one input price per million tokens for each label of OpenAI."""
    return {
        label.replace("_", "-"): {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": price / 1e6}
        for label, price in prices.items()
    }


class Folder:
    """A folder of releases in the making."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dates: list[tuple[str, str, str, float, int]] = []
        for package in ("litellm", "tokencost"):
            (path / package).mkdir()

    def litellm(self, version: str, day: str, entries: object, *, released: str = "", differing: float = 0) -> None:
        self._write(f"litellm/{version}", entries)
        self.dates.append((version, released, day, differing, 100))
        with (self.path / "litellm" / "version_dates.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["version", "zip_date", "match_from", "n_diff", "n_models"])
            rows.writerows(self.dates)

    def tokencost(self, version: str, day: str, entries: object) -> None:
        self._write(f"tokencost/{version}_{day}", entries)

    def _write(self, name: str, entries: object) -> None:
        (self.path / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(entries).encode()))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def compiled(folder: Folder) -> list[tuple[str, str, str, str, str, str | None]]:
    return [
        (
            spell.model_label,
            f"{spell.list_unit_price}",
            f"{spell.valid_from:%m-%d}",
            f"{spell.valid_until:%m-%d}" if spell.valid_until else "",
            spell.first_said,
            spell.last_said,
        )
        for spell in spells_of(compile_chronicle(folder.path))
    ]


def test_versions_are_ordered_as_numbers_and_rows_name_the_first_and_the_last(folder: Folder) -> None:
    folder.litellm("1.10.0", "2024-03-01", priced(m=1))
    folder.litellm("1.9.0", "2024-02-01", priced(m=2, gone=7))
    folder.litellm("1.2.0", "2024-01-01", priced(m=2, gone=7))
    assert compiled(folder) == [
        ("gone", "7", "01-01", "03-01", "litellm 1.2.0", "litellm 1.9.0"),
        ("m", "2", "01-01", "03-01", "litellm 1.2.0", "litellm 1.9.0"),
        ("m", "1", "03-01", "", "litellm 1.10.0", None),
    ]


def test_tokencost_speaks_in_long_gaps_only_and_learns_there_who_sells(folder: Folder) -> None:
    folder.litellm("1.0.0", "2024-01-01", priced(m=3))
    folder.litellm("1.1.0", "2024-06-01", priced(m=2))
    folder.litellm("1.2.0", "2024-07-01", priced(m=2))
    nameless = {key: {"input_cost_per_token": 2.5e-06} for key in ("m", "unheard-of")}
    folder.tokencost("0.1.0", "2024-03-01", nameless)
    folder.tokencost("0.1.1", "2024-06-15", priced(m=9))
    folder.tokencost("0.1.2", "2024-06-01", priced(m=9))
    assert compiled(folder) == [
        ("m", "3", "01-01", "03-01", "litellm 1.0.0", "litellm 1.0.0"),
        ("m", "2.5", "03-01", "06-01", "tokencost 0.1.0", "tokencost 0.1.0"),
        ("m", "2", "06-01", "", "litellm 1.1.0", None),
    ]
    assert releases(folder.path)[1] == ["tokencost 0.1.2", "tokencost 0.1.1"]


def test_a_release_is_dated_by_its_archive_else_by_the_commit_that_it_is_like(folder: Folder) -> None:
    folder.litellm("1.0.0", "2024-01-01", priced(m=3), released="2024-01-09")
    folder.litellm("1.1.0", "2024-02-01", priced(m=2), differing=5)
    folder.litellm("1.2.0", "2024-01-01", priced(m=1), differing=6)
    speaking, silent = releases(folder.path)
    assert [release.day for release in speaking] == [date(2024, 1, 9), date(2024, 2, 1)]
    assert silent == ["litellm 1.2.0"]


def test_dates_that_contradict_the_versions_are_refused(folder: Folder) -> None:
    folder.litellm("1.0.0", "2024-02-01", priced(m=3))
    folder.litellm("1.1.0", "2024-01-01", priced(m=2))
    with pytest.raises(ValueError, match=r"litellm 1\.1\.0 of 2024-01-01 is dated before litellm 1\.0\.0"):
        releases(folder.path)


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x1f\x8b\x08\x00", gzip.compress(b"<html>"), b"{}"],
    # names of our own: gzip keeps the time of packing, and pytest would name a case by its bytes
    ids=["empty", "cut short", "no JSON", "no map"],
)
def test_a_file_that_is_no_map_is_named(folder: Folder, damage: bytes) -> None:
    folder.litellm("1.0.0", "2024-02-01", priced(m=3))
    (folder.path / "litellm" / "1.0.0.json.gz").write_bytes(damage)
    with pytest.raises(ValueError, match=r"1\.0\.0\.json\.gz holds no price map"):
        compile_chronicle(folder.path)


def spells_of_seed() -> list[Spell]:
    return list(spells_of(SEED.read_text()))


def test_the_seed_is_sorted_of_our_providers_and_small() -> None:
    spells = spells_of_seed()
    assert spells == sorted(spells, key=lambda spell: (spell.series, spell.valid_from))
    assert {spell.provider_id for spell in spells} <= set(discover())
    assert all(spell.first_said.split()[0] in {"litellm", "tokencost"} for spell in spells)
    assert all((spell.valid_until is None) == (spell.last_said is None) for spell in spells)
    assert SEED.stat().st_size < 2_000_000


def test_the_seed_is_read_whole_and_dated_by_its_last_release() -> None:
    capture = snapshot(NOW)
    assert capture.captured_at == datetime(2026, 11, 4, tzinfo=UTC)
    assert isinstance(capture, Capture)
    quotes = read(capture, LITELLM.sources[1])
    flaps = [quote for quote in quotes if quote.doubt == "flap"]
    assert 0 < len(flaps) < 0.01 * len(quotes)
    assert 0 < sum(quote.doubt == "jump" for quote in quotes) < 0.02 * len(quotes)


def test_a_clock_before_the_seed_is_noticed() -> None:
    with pytest.raises(ValueError, match="is the clock of this machine right"):
        snapshot(datetime(2026, 1, 1, tzinfo=UTC))


@needs_shared
def test_the_seed_is_what_the_releases_compile_to() -> None:
    assert compile_chronicle(RELEASES) == SEED.read_text()
