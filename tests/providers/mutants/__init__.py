"""Ways in which pages change, applied to any page: its tables and lists, the data embedded in it, and its text.

Nothing here knows a provider. A mutant is made only when it is asked for, because there could be thousands.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple

from pipeline.domain import PriceQuote

Quotes = Sequence[PriceQuote]

NEW_NAME = "Renamed 7"  # what renamed columns are called
PRICE = re.compile(r"(?<=[$€¥￥])\s?\d[\d.,]*|\d[\d.,]*(?=\s?(?:USD|EUR|[$€元]))")
NUMBER = re.compile(r"\s*\d+(?:\.\d+)?\s*")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A damaged page.

    `as_printed` turns quotes that show the change which the mutant prints back into those of the page, and raises
    ValueError for quotes that had to show it and do not. Where reading the `probe` gives the quotes of the page, the
    place that was changed holds no price, and there is nothing to learn from the mutant.
    """

    body: bytes
    as_printed: Callable[[Quotes, Quotes], Quotes] | None = None
    probe: bytes | None = None


class Plan(NamedTuple):
    """A mutant that could be made: of what kind, where on the page, and how."""

    kind: str
    what: str
    make: Callable[[], Mutant]


def spread(items: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(number * (len(items) - 1) / (most - 1))] for number in range(most)]


def prices(quotes: Quotes) -> dict[tuple[object, ...], Decimal | None]:
    """What quotes say: what is asked for what."""
    return {quote.key: quote.list_unit_price for quote in quotes}


def other_price(text: str) -> str:
    """The text with the last digit of every price in it changed."""
    return PRICE.sub(lambda price: other_number(price[0]), text)


def other_prices(row: list[str]) -> list[str]:
    """The texts of a row with other prices. Where none has a sign, numbers alone are prices."""
    changed = list(map(other_price, row))
    return changed if changed != row else [other_number(text) if NUMBER.fullmatch(text) else text for text in row]


def other_number(text: str) -> str:
    """The text with its last digit changed."""
    return re.sub(r"\d(?=\D*$)", lambda digit: str((int(digit[0]) + 1) % 10), text)


def renamed_back(before: Quotes, after: Quotes) -> Quotes:
    """The quotes after a change, where a column named after a model has become another model, with the name it had."""
    for old in dict.fromkeys(quote.model_label for quote in before):
        restored = [replace(quote, model_label=old) if NEW_NAME in quote.model_label else quote for quote in after]
        if prices(restored) == prices(before):
            return restored
    return after
