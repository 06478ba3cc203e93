"""The traps in the second half of TRAPS.md that no single page shows: what holds for all pages together."""

import csv
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from pipeline.domain import PriceQuote, Unit
from pipeline.errors import BotChallenge, LayoutChanged, ScrapeError
from pipeline.providers import discover
from pipeline.reading.extract import read, recognise
from tests.providers.test_pages import COLUMNS, HERE, READ_PAGES, load

TABLES = [page.with_suffix(".csv") for page in READ_PAGES]
MARKDOWN_PAGES = [page for page in READ_PAGES if page.suffix == ".md"]
# Rates of exchange, and the storage of files by the month, for which the reader is ready but no page of ours is.
NO_PAGE = {Unit.EURO, Unit.GB_MONTH}
BOUNDS = (("context_from", "context_to"), ("announced_from", "valid_until"))
SINGLE = ("model_label", "meter", "pricing_unit", "currency", "service_tier", "region", "time_window")
# Providers whose ids are held against their links.
READS_LINKS = {"groq"}


def rows(table: Path) -> list[dict[str, str]]:
    with table.open() as file:
        return list(csv.DictReader(file))


def prices(quotes: list[PriceQuote]) -> list[PriceQuote]:
    """Without what a page may print in another way at the same price."""
    return [replace(quote, evidence="", locator="") for quote in quotes]


@pytest.mark.parametrize("tokens", [128_000, 200_000, 256_000, 272_000, 512_000])
def test_a_band_keeps_the_price_below_and_above_its_bound(tokens: int) -> None:
    below = {(table, row["model_label"]) for table in TABLES for row in rows(table) if row["context_to"] == f"{tokens}"}
    above = {
        (table, row["model_label"]) for table in TABLES for row in rows(table) if row["context_from"] == f"{tokens}"
    }
    assert below & above


@pytest.mark.parametrize("unit", sorted(set(Unit) - NO_PAGE))
def test_every_unit_is_read_from_a_page(unit: Unit) -> None:
    assert any(row["pricing_unit"] == unit for table in TABLES for row in rows(table))


@pytest.mark.parametrize("provider_id", ["aws-bedrock", "azure", "vertex"])
def test_a_page_may_mix_thousands_and_millions_of_tokens(provider_id: str) -> None:
    mixed = {Unit.THOUSAND_TOKENS, Unit.MILLION_TOKENS}
    pages = [{row["pricing_unit"] for row in rows(table)} for table in TABLES if table.parent.name == provider_id]
    assert any(mixed <= units for units in pages)


def test_all_dimensions_of_a_price_are_reviewed() -> None:
    assert {"page_id", "list_unit_price", *chain(*BOUNDS), *SINGLE} == set(COLUMNS)


@pytest.mark.parametrize("dimension", [*BOUNDS, *zip(SINGLE)], ids=" and ".join)
def test_two_prices_of_a_page_may_differ_in_this_alone(dimension: tuple[str, ...]) -> None:
    """So it has to be part of what makes a price unique."""
    others = [column for column in COLUMNS if column not in {"list_unit_price", *dimension}]
    for table in TABLES:
        prices_of: dict[tuple[str, ...], set[str]] = {}
        for row in rows(table):
            prices_of.setdefault(tuple(row[column] for column in others), set()).add(row["list_unit_price"])
        if any(len(found) > 1 for found in prices_of.values()):
            return
    pytest.fail("no page has two prices that differ in nothing else")


@pytest.mark.parametrize("page", MARKDOWN_PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_links_and_escapes_that_change_leave_the_prices(page: Path) -> None:
    """A page whose links become absolute and whose signs lose their escapes is another text with the same prices."""
    capture = load(page)
    source, before = recognise(capture, discover()[page.parent.name])
    text = capture.text.replace("](/", "](https://elsewhere.test/").replace("\\$", "$")
    if page.parent.name in READS_LINKS and "](/" in capture.text:
        with pytest.raises(LayoutChanged):
            read(replace(capture, body=text.encode()), source)
    else:
        assert prices(read(replace(capture, body=text.encode()), source)) == prices(before)


def test_two_copies_of_one_day_and_a_day_of_new_links_tell_the_same_prices() -> None:
    """Somebody else's copy of 2026-08-13, and the day before, when the links were still relative."""
    days = ("2026-08-12_docs-pricing.md", "2026-08-13_docs-pricing.md", "2026-08-13_docs-pricing-kreitter.md")
    tables = [HERE / "shared" / "anthropic" / f"{day}.csv" for day in days]
    assert len({table.read_text() for table in tables}) == 1


@pytest.mark.parametrize(
    ("page", "error"),
    {
        "openai/2026-05-08_pricing_challenge.html": BotChallenge,
        "moonshot/2026-05-09_pricing_landing.html": LayoutChanged,
        "zai/2026-05-09_pricing_landing.html": LayoutChanged,
        "groq/2025-11-05_models_rate-limits.md": LayoutChanged,
        "xai/2024-12-20_models_empty-cells.md": LayoutChanged,
        "xai/2025-07-20_models_empty-cells.html": LayoutChanged,
        "cohere/2026-08-06_pricing_docs.md": LayoutChanged,
        "aws-bedrock/2026-10-01_page_placeholders.html": LayoutChanged,
        "azure/2026-10-01_page_without_prices.html": LayoutChanged,
    }.items(),
)
def test_a_page_without_prices_is_an_error_by_name(page: str, error: type[ScrapeError]) -> None:
    provider = discover()[page.split("/")[0]]
    for source in provider.sources:
        with pytest.raises(error):
            read(load(HERE / page), source)
