"""Runs one parse. Whatever goes wrong in it, and an empty result, becomes one named error."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import BotChallenge, LayoutChanged, ScrapeError, UnreadablePrice
from pipeline.reading.money import read_money, read_number

# What the challenge pages of the large shields say of themselves, in their markup.
_CHALLENGE = re.compile(
    rb"/cdn-cgi/challenge-platform/|_cf_chl_opt|<title>Just a moment\.\.\.</title>|challenges\.cloudflare\.com/"
    rb"|data-vercel-challenge|Vercel Security Checkpoint|awswaf\.com/|captcha-delivery\.com|px-captcha",
    re.IGNORECASE,
)
# A challenge page is small; a page of prices that merely embeds a shield's script is not.
_CHALLENGE_MAX_BYTES = 60_000
# What the warehouse holds: DECIMAL(38, 18), also of a price per token converted to a million tokens, and BIGINT.
_PRICES_BELOW = Decimal(10) ** 12
_TOKENS_BELOW = 2**63


def quote(
    model_label: str,
    meter: Meter,
    printed: str,
    *,
    unit: Unit | None = None,
    currency: str = "USD",
    evidence: str | None = None,
    locator: str,
    **dimensions: object,
) -> PriceQuote | None:
    """A quote from one printed cell, or None where the cell says that nothing is offered.

    A unit or currency printed in the cell wins over `unit` and `currency`, which come from the header or heading.
    `evidence` is the cell where `printed` is only a part of it, or put together from it and its column.
    `dimensions` are further fields of PriceQuote. Raises UnreadablePrice.
    """
    money = read_money(printed)
    if money is None:
        return None
    pricing_unit = money.unit or unit
    if pricing_unit is None:
        raise UnreadablePrice(f"{printed!r} of {model_label!r} names no unit and neither does its table")
    return PriceQuote(
        model_label=model_label,
        meter=meter,
        list_unit_price=money.amount,
        pricing_unit=pricing_unit,
        currency=money.currency or currency,
        evidence=printed if evidence is None else evidence,
        locator=locator,
        **dimensions,  # type: ignore[arg-type]
    )


def quote_json(
    model_label: str,
    meter: Meter,
    printed: str,
    *,
    unit: Unit,
    locator: str,
    read_amount: Callable[[str], Decimal | None] = read_number,
    **dimensions: object,
) -> PriceQuote:
    """A quote from one number of a JSON document, `printed` as it was sent, in USD unless `dimensions` say otherwise.

    `locator` is the JSON pointer of the number; its last step names the key, which is part of the evidence.
    Raises what `read_amount` raises.
    """
    return PriceQuote(
        model_label=model_label,
        meter=meter,
        list_unit_price=read_amount(printed),
        pricing_unit=unit,
        evidence=f"{locator.rpartition('/')[2]}: {printed}",
        locator=locator,
        **dimensions,  # type: ignore[arg-type]
    )


def read(capture: Capture, source: Source) -> list[PriceQuote]:
    """All quotes of a capture in page order. Raises a ScrapeError and nothing else for anything a page can contain.

    A price that is printed twice is one quote; two prices for the same thing, or for prompts of the same length, are a
    LayoutChanged.
    """
    if len(capture.body) < _CHALLENGE_MAX_BYTES and _CHALLENGE.search(capture.body):
        raise BotChallenge(f"{capture.url} answered with a challenge for browsers; it is recorded and not evaded")
    try:
        quotes = _unique(source.parse(capture))
        _refuse_unstorable(quotes)
        _refuse_overlaps(quotes)
    except ScrapeError:
        raise
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        RuntimeError,  # nested too deep, or a generator that looked in vain for a `next`
        StopIteration,
        SyntaxError,  # XML that is cut off
    ) as error:
        raise LayoutChanged(
            f"{capture.provider_id}/{capture.page_id} is not laid out as its parser knows it: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not any(quote.list_unit_price is not None for quote in quotes):
        raise LayoutChanged(f"no price found on {capture.provider_id}/{capture.page_id}")
    return quotes


def recognise(capture: Capture, provider: Provider) -> tuple[Source, list[PriceQuote]]:
    """The page of a provider that a capture is, judged by which of its parsers reads it, and its quotes.

    Raises the error of the provider's first page when no parser reads it.
    """
    first_error: ScrapeError | None = None
    for source in provider.sources:
        try:
            return source, read(capture, source)
        except ScrapeError as error:
            first_error = first_error or error
    raise first_error or LayoutChanged(f"{provider.provider_id} has no page to read")


def _unique(quotes: Iterable[PriceQuote | None]) -> list[PriceQuote]:
    seen: dict[tuple[object, ...], PriceQuote] = {}
    for item in quotes:
        if item is None:
            continue
        earlier = seen.setdefault(item.key, item)
        if earlier.list_unit_price != item.list_unit_price:
            raise LayoutChanged(
                f"two prices for {item.model_label!r} {item.meter} ({item.service_tier}): "
                f"{earlier.evidence!r} at {earlier.locator} and {item.evidence!r} at {item.locator}"
            )
    return list(seen.values())


def _refuse_unstorable(quotes: Iterable[PriceQuote]) -> None:
    """One such quote would keep the warehouse from loading any other: refused here, its page is kept for a replay."""
    for quote in quotes:
        if quote.list_unit_price is not None and quote.list_unit_price >= _PRICES_BELOW:
            raise UnreadablePrice(f"{quote.evidence[:100]!r} of {quote.model_label!r} is a trillion or more")
        for bound in (quote.context_from, quote.context_to):
            if bound is not None and not 0 <= bound < _TOKENS_BELOW:
                raise LayoutChanged(f"{quote.model_label!r} has a band of context that ends at {bound} tokens")
        words = (quote.model_label, quote.region or "", quote.provider_id or "", quote.evidence, quote.locator)
        "".join(words).encode()  # JSON may hold halves of characters, which no database takes


def _refuse_overlaps(quotes: list[PriceQuote]) -> None:
    """Bands of prompt lengths with a price each must not overlap; a price without a band is one for all prompts."""
    banded = {quote.model_label for quote in quotes if (quote.context_from, quote.context_to) != (None, None)}
    by_offer: dict[tuple[object, ...], list[PriceQuote]] = {}
    for quote in quotes:
        if quote.model_label not in banded:
            continue
        by_offer.setdefault(replace(quote, context_from=None, context_to=None).key, []).append(quote)
    for bands in by_offer.values():
        bands.sort(key=lambda quote: quote.context_from or 0)
        for lower, upper in pairwise(bands):
            if lower.context_to is None or lower.context_to > (upper.context_from or 0):
                raise LayoutChanged(
                    f"two prices for one prompt to {lower.model_label!r}, {lower.meter} ({lower.service_tier}): "
                    f"{lower.evidence!r} at {lower.locator} and {upper.evidence!r} at {upper.locator}"
                )
