"""Every page that stands here, read and compared with the table or the error that stands beside it.

A page is `<provider_id>/<date>_<page_id>[_<note>].<html|md|json>`. Beside it stands either `<same stem>.csv`, the
prices that a person found on the page, or `<same stem>.error`, the name of the error that reading it must raise: the
error of the parser of that page id, or of the provider's first where the name has none, and no other may read it.
A page without either gets a drafted `.draft.csv` and fails: compare the draft with the page, then rename it.

Real captures outside the repository are proved in the same way: their tables stand in `shared/<provider_id>/`,
under the name of the capture (`<file name>.csv` or `<file name>.error`); `not_read.csv` there says of each complete
capture that is no page of the server's own why it is left out.
"""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.domain import Capture, PriceQuote, Provider, Source
from pipeline.errors import ScrapeError
from pipeline.providers import discover
from pipeline.reading.extract import read, recognise
from pipeline.reading.money import normalise
from tests.conftest import SHARED_CAPTURES, needs_shared

HERE = Path(__file__).parent
COLUMNS = (
    "page_id",
    "model_label",
    "meter",
    "list_unit_price",
    "pricing_unit",
    "currency",
    "service_tier",
    "context_from",
    "context_to",
    "region",
    "time_window",
    "announced_from",
    "valid_until",
)
OWN_PAGES = sorted(
    page for page in HERE.glob("*/*") if page.suffix in {".html", ".md", ".json"} and page.parent.name != "shared"
)
READ_PAGES = [page for page in OWN_PAGES if page.with_suffix(".csv").exists()]
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
SHARED_TABLES = sorted(
    path for path in HERE.glob("shared/*/*") if path.suffix in {".csv", ".error"} and path.name != "not_read.csv"
)


def load(page: Path) -> Capture:
    """The page as a capture of the day that its name begins with; its page id is left to be recognised."""
    day = (page.name.split("_")[0] + "-01-01")[:10] if page.name[4] == "-" else page.name[:4] + "-01-01"
    return Capture(
        provider_id=page.parent.name,
        page_id="",
        url=page.name,
        captured_at=datetime.fromisoformat(day).replace(tzinfo=UTC),
        body=page.read_bytes(),
        origin="file",
    )


def source_named_by(page: Path, provider: Provider) -> Source | None:
    """The source whose page id stands behind the day in the name of a page: the longest, as one may begin another."""
    rest = page.stem.partition("_")[2]
    named = [source for source in provider.sources if f"{rest}_".startswith(f"{source.page_id}_")]
    return max(named, key=lambda source: len(source.page_id), default=None)


def as_table(page_id: str, quotes: list[PriceQuote]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for quote in quotes:
        cells = [page_id, *(getattr(quote, column) for column in COLUMNS[1:])]
        writer.writerow(
            [
                ""
                if cell is None
                else cell.isoformat()
                if hasattr(cell, "isoformat")
                else f"{cell:f}"
                if column == "list_unit_price"
                else cell
                for column, cell in zip(COLUMNS, cells, strict=True)
            ]
        )
    return out.getvalue()


def check(page: Path, expected: Path) -> None:
    capture = load(page)
    provider = discover()[page.parent.name]
    error_name = expected.with_name(expected.name + ".error")
    if error_name.exists():
        with pytest.raises(ScrapeError) as raised:
            recognise(capture, provider)
        if source := source_named_by(page, provider):
            with pytest.raises(ScrapeError) as raised:
                read(capture, source)
        assert type(raised.value).__name__ == error_name.read_text().strip()
        return
    source, quotes = recognise(capture, provider)
    table = as_table(source.page_id, quotes)
    reviewed = expected.with_name(expected.name + ".csv")
    if not reviewed.exists():
        draft = expected.with_name(expected.name + ".draft.csv")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(table)
        pytest.fail(
            f"{page.name} has no reviewed table: compare {draft} with the page, then rename it to {reviewed.name}"
        )
    assert table == reviewed.read_text()


@pytest.mark.parametrize("page", OWN_PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_own_page_reads_as_reviewed(page: Path) -> None:
    check(page, page.with_name(page.stem))


@needs_shared
@pytest.mark.parametrize("table", SHARED_TABLES, ids=lambda table: f"{table.parent.name}/{table.name}")
def test_real_capture_reads_as_reviewed(table: Path) -> None:
    page = SHARED_CAPTURES / table.parent.name / table.name.removesuffix(table.suffix)
    check(page, table.with_name(page.name))


@needs_shared
def test_every_complete_capture_of_a_provider_is_reviewed_or_explained() -> None:
    with (SHARED_CAPTURES / "MANIFEST.csv").open() as file:
        complete = {row["file"] for row in csv.DictReader(file) if row["complete"].startswith("yes")}
    complete = {name for name in complete if name.split("/")[0] in discover()}
    explained = {}
    for path in HERE.glob("shared/*/not_read.csv"):
        with path.open() as file:
            explained |= {f"{path.parent.name}/{row['file']}": row["reason"] for row in csv.DictReader(file)}
    reviewed = {f"{table.parent.name}/{table.name.removesuffix(table.suffix)}" for table in SHARED_TABLES}
    assert all(explained.values())
    assert complete - reviewed - explained.keys() == set()
    assert reviewed & explained.keys() == set()


@pytest.mark.parametrize("provider_id", discover())
def test_every_provider_is_proved_on_a_page_of_our_own(provider_id: str) -> None:
    """By a table of prices; a provider whose prices never reach a plain client by the error that says so."""
    pages = [page for page in OWN_PAGES if page.parent.name == provider_id]
    is_verified = any(source.verified for source in discover()[provider_id].sources)
    proofs = (".csv",) if is_verified else (".csv", ".error")
    assert any(page.with_suffix(proof).exists() for page in pages for proof in proofs)


@pytest.mark.parametrize("page", READ_PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_evidence_is_printed_on_the_page(page: Path) -> None:
    _, quotes = recognise(load(page), discover()[page.parent.name])
    text = normalise(page.read_text())
    for quote in quotes:
        assert quote.locator
        assert quote.evidence
        missing = [number for number in _NUMBER.findall(normalise(quote.evidence)) if number not in text]
        assert not missing, f"{quote.evidence!r} of {quote.model_label} at {quote.locator}"
