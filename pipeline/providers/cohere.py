"""Cohere's price page: USD, today's models on cards, older ones in sentences.

Only the React Flight payload holds all cards; their numbers have no sign, and the unit of a card or of a price says
what they count. A card without numbers is sold on request, and one that says "Free" is free to call. Model Vault rents
whole instances, which are not read. The pages of Cohere's documentation print no prices per token.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.expect import refuse_unknown, whole_match
from pipeline.reading.extract import quote
from pipeline.reading.flight import flight
from pipeline.reading.tables import is_html, text_lines

SENTENCE = re.compile(
    r"(?:\* )?(?P<models>.+?) (?:pricing is|on the API are charged at) (?P<input>\$[\d.]+/1M tokens) for input and "
    r"(?P<output>\$[\d.]+/1M tokens) for output(?:\. .*|\.?)"
)
PRICED = re.compile(r"\d ?/ ?\w+ tokens")
# One sentence may be about two sizes of a family.
SIZES = re.compile(r"(?P<family>.+) models \((?P<first>\w+) and (?P<second>\w+)\)$")
METERS = {
    ("1M tokens", "Input"): (Meter.INPUT, Unit.MILLION_TOKENS),
    ("1M tokens", "Output"): (Meter.OUTPUT, Unit.MILLION_TOKENS),
    ("1M tokens", "Cost"): (Meter.EMBEDDING, Unit.MILLION_TOKENS),
    ("1M tokens", "Image cost"): (Meter.IMAGE_INPUT, Unit.MILLION_TOKENS),
    ("1K searches", "Cost"): (Meter.RERANK, Unit.THOUSAND_CALLS),
}
FREE = {"inputLabel": "API key", "inputPrice": 0, "outputLabel": "Model download", "outputPrice": 0}
KEYS = FREE.keys() | {"_key", "_type", "overridePer"}


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    cards = list(flight(capture).objects("modelName")) if is_html(capture) else []
    if is_html(capture) and not cards:
        raise LayoutChanged("the page has no cards of models")
    for path, card in cards:
        for number, price in enumerate(card.get("pricings") or ()):
            yield from _card(card["modelName"], card["per"], price, "/".join(map(str, (*path, "pricings", number))))
    for number, line in enumerate(text_lines(capture), start=1):
        if PRICED.search(line):
            sentence = whole_match(SENTENCE, line, "a sentence on prices")
            for model in SIZES.sub(r"\g<family> \g<first>\n\g<family> \g<second>", sentence["models"]).split("\n"):
                for meter in (Meter.INPUT, Meter.OUTPUT):
                    yield quote(model, meter, sentence[meter], locator=f"line {number}")


def _card(model: str, per: str, price: dict[str, Any], pointer: str) -> Iterator[PriceQuote | None]:
    refuse_unknown(price, KEYS, f"a price of {model!r}")
    if per == "Free":
        if not FREE.items() <= price.items():
            raise LayoutChanged(f"the free card of {model!r} says {price}")
        for meter in (Meter.INPUT, Meter.OUTPUT):
            yield quote(model, meter, per, unit=Unit.MILLION_TOKENS, locator=pointer)
        return
    for side in ("input", "output"):
        amount = price.get(f"{side}Price")
        if amount is not None:
            meter, unit = METERS[price.get("overridePer") or per, price[f"{side}Label"]]
            if meter is Meter.EMBEDDING and "embed" not in model.lower():
                raise LayoutChanged(f"{model!r} is priced like a model of embeddings")
            if not (isinstance(amount, int | Decimal) and amount > 0):
                raise LayoutChanged(f"{amount!r} of {model!r} is no price")
            printed, locator = f"{Decimal(amount):f}", f"{pointer}/{side}Price"
            yield quote(model, meter, f"${printed}", unit=unit, evidence=printed, locator=locator)


PROVIDER = Provider(
    provider_id="cohere",
    name="Cohere",
    homepage="https://cohere.com",
    kind="first_party",
    sources=(Source("pricing", "https://cohere.com/pricing", "html", parse, verified=False),),
)
