"""Atlas Cloud, one JSON answer for all models. USD: per 1M tokens for text, else per the `unit` that stands beside it.

`actual` is what is to be paid today, `origin` the same before a discount. Models that the console does not show are
not sold to the public. Prices of a threshold apply to requests with a longer prompt. A `base_price` without a unit is
the price of the cheapest request, which may last a second or be a whole video: it is no unit price and not read.
"""

import json
from collections.abc import Iterator
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.reading.bands import bands
from pipeline.reading.expect import refuse_unknown
from pipeline.reading.extract import quote_json

METERS = {
    "input_price": Meter.INPUT,
    "output_price": Meter.OUTPUT,
    "cache_price": Meter.CACHE_READ,
    "cache_creation_price": Meter.CACHE_WRITE,
    "cache_creation_1h_price": Meter.CACHE_WRITE_1H,
    "input_audio_price": Meter.AUDIO_INPUT,
    "cache_audio_price": Meter.AUDIO_CACHE_READ,
    "input_image_price": Meter.IMAGE_INPUT,
    "output_image_price": Meter.IMAGE_OUTPUT,
}
MEDIA = {
    ("Audio", "generation"): (Meter.REQUEST, Unit.REQUEST),
    ("Video", "second"): (Meter.VIDEO, Unit.SECOND),
}


def parse(capture: Capture) -> Iterator[PriceQuote]:
    answer = json.loads(capture.text)
    # The copies that others keep of the answer wrap it.
    answer = answer.get("body", answer)
    if answer["code"] != "200":
        raise ValueError(f"the answer has the code {answer['code']}")
    for index, model in enumerate(answer["data"]):
        if not model["display_console"]:
            continue
        price = dict(model["price"]["actual"])
        pointer = f"/data/{index}/price/actual"
        if model["type"] == "Text":
            yield from _per_token(model["model"], price, pointer)
            continue
        refuse_unknown(price, {"base_price", "unit"}, f"the price of {model['model']}")
        if "unit" in price:
            meter, unit = MEDIA[model["type"], price["unit"]]
            yield quote_json(model["model"], meter, price["base_price"], unit=unit, locator=f"{pointer}/base_price")


def _per_token(label: str, price: dict[str, Any], pointer: str) -> Iterator[PriceQuote]:
    if price.pop("type") != "flat" or not {"input_price", "output_price"} <= price.keys():
        raise ValueError(f"the price of {label} is of a kind that is not known")
    longer = price.pop("prompt_thresholds", [])
    if any(band.keys() - {"threshold"} != price.keys() for band in longer):
        raise ValueError(f"the price bands of {label} do not have the same prices")
    at_lengths = bands([0, *(band["threshold"] for band in longer)]).values()
    for number, (prices, band) in enumerate(zip([price, *longer], at_lengths, strict=True)):
        at = f"{pointer}/prompt_thresholds/{number - 1}" if number else pointer
        for key in price:
            locator = f"{at}/{key}"
            yield quote_json(label, METERS[key], prices[key], unit=Unit.MILLION_TOKENS, locator=locator, **band)


PROVIDER = Provider(
    provider_id="atlascloud",
    name="Atlas Cloud",
    homepage="https://www.atlascloud.ai",
    kind="aggregator",
    sources=(Source("models", "https://console.atlascloud.ai/api/v1/models", "json", parse),),
)
