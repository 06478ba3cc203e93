"""What two captures of one price page say together: a price that moved, and one that was announced and taken back."""

from decimal import Decimal
from pathlib import Path

from pipeline.domain import Meter, PriceQuote, ServiceTier
from pipeline.providers import discover
from pipeline.reading.extract import recognise
from tests.conftest import SHARED_CAPTURES, needs_shared
from tests.providers.test_pages import HERE, load


def quotes(page: Path) -> list[PriceQuote]:
    return recognise(load(page), discover()[page.parent.name])[1]


def standard(page: Path, model: str) -> tuple[Decimal | None, ...]:
    """What input and output of a short prompt cost."""
    found = {
        quote.meter: quote.list_unit_price
        for quote in quotes(page)
        if (quote.model_label, quote.service_tier) == (model, ServiceTier.STANDARD) and not quote.context_from
    }
    return found[Meter.INPUT], found[Meter.OUTPUT]


def test_a_price_cut_is_read_from_both_layouts_of_the_page() -> None:
    openai = HERE / "openai"
    before, after = openai / "2026-07-15_pricing_md_source_with_cache_writes.md", openai / "2026-08-21_pricing.html"
    assert standard(before, "gpt-5.6-terra") == (Decimal("2.5"), Decimal(15))
    assert standard(after, "gpt-5.6-terra") == (Decimal(2), Decimal(12))


@needs_shared
def test_the_price_cuts_of_the_summer_of_2026_are_read_from_the_real_pages() -> None:
    openai = SHARED_CAPTURES / "openai"
    before, after = openai / "2026-07-15_docs-pricing-md.md", openai / "2026-08-21_developers-docs-pricing.html"
    assert standard(before, "gpt-5.6-terra") == (Decimal("2.5"), Decimal(15))
    assert standard(after, "gpt-5.6-terra") == (Decimal(2), Decimal(12))
    assert standard(before, "gpt-5.6-luna") == (Decimal(1), Decimal(6))
    assert standard(after, "gpt-5.6-luna") == (Decimal("0.2"), Decimal("1.2"))


def test_a_price_that_was_announced_and_taken_back_leaves_the_one_of_the_day_without_an_end() -> None:
    """What the warehouse makes of it is shown by `test_history_of`."""
    announced, taken_back = (
        {
            (quote.announced_from is None, quote.valid_until is None): quote.list_unit_price
            for quote in quotes(HERE / "anthropic" / page)
            if quote.model_label == "Claude Sonnet 5"
            and (quote.meter, quote.service_tier) == (Meter.OUTPUT, ServiceTier.STANDARD)
        }
        for page in ("2026-07-21_pricing_dated.md", "2026-08-12_pricing_withdrawn.md")
    )
    assert announced == {(True, False): Decimal(10), (False, True): Decimal(15)}
    assert taken_back == {(True, True): Decimal(10)}
