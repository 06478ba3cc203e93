"""Nebius Token Factory: the public list of models, in USD per 1M tokens as the keys themselves say.

The list is not documented; its format is known from public copies of 2026. A model has flavours, each with an id, a
region, a quantisation and prices of its own. The id names the offer: the region is only where it runs at present.
Embedding models carry a 0 for an output that they do not have.
"""

from collections.abc import Iterator

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.reading.expect import refuse_unknown
from pipeline.reading.extract import quote_json
from pipeline.reading.pages import json_pages

INPUT, OUTPUT = "input_price_per_million_tokens", "output_price_per_million_tokens"
METERS = {
    "text2text": {INPUT: Meter.INPUT, OUTPUT: Meter.OUTPUT},
    "image2text": {INPUT: Meter.INPUT, OUTPUT: Meter.OUTPUT},
    "embedding": {INPUT: Meter.EMBEDDING},
}


def parse(capture: Capture) -> Iterator[PriceQuote]:
    [models] = json_pages(capture)
    for index, model in enumerate(models):
        for number, flavor in enumerate(model["flavors"]):
            label = flavor["model_id"]
            refuse_unknown((key for key in flavor if "price" in key), {INPUT, OUTPUT}, f"the flavour {label}")
            for key, meter in METERS[flavor["model_type"]].items():
                locator = f"/{index}/flavors/{number}/{key}"
                yield quote_json(label, meter, flavor[key], unit=Unit.MILLION_TOKENS, locator=locator)


PROVIDER = Provider(
    provider_id="nebius",
    name="Nebius Token Factory",
    homepage="https://tokenfactory.nebius.com",
    kind="reseller",
    sources=(
        Source("models", "https://tokenfactory.nebius.com/api/public/models_info", "json", parse, verified=False),
    ),
)
