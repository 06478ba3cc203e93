"""DeepInfra, one JSON answer for all models. USD; tokens and characters per million, everything else per one.

The numbers come out of floating point arithmetic (2.5999999999999996, 0.029999999700000002): no list price has more
than six significant digits, so they are rounded there. The answer of 2026-04 describes language models only and leaves
`metadata` null for the others. The keys for embeddings, images, video, speech and transcription are documented by
clients of the same address: an image is one of the model's default size and number of steps. Nothing is given away
here: a 0 is a price that has not been filled in.
"""

from collections.abc import Iterator
from decimal import Context, Decimal

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.reading.extract import quote_json
from pipeline.reading.pages import json_pages

METERS = {
    "input_tokens": (Meter.INPUT, Unit.MILLION_TOKENS),
    "output_tokens": (Meter.OUTPUT, Unit.MILLION_TOKENS),
    "cache_read_tokens": (Meter.CACHE_READ, Unit.MILLION_TOKENS),
    "per_image_unit": (Meter.IMAGE, Unit.IMAGE),
    "output_seconds": (Meter.VIDEO, Unit.SECOND),
    "input_characters": (Meter.SPEECH, Unit.MILLION_CHARACTERS),
    "input_seconds": (Meter.TRANSCRIPTION, Unit.SECOND),
}
EMBEDDING_TAG = "embed"
SIGNIFICANT = Context(prec=6)


def parse(capture: Capture) -> Iterator[PriceQuote]:
    [answer] = json_pages(capture)
    for index, model in enumerate(answer["data"]):
        if model["metadata"] is None:
            continue
        for key, printed in model["metadata"]["pricing"].items():
            meter, unit = METERS[key]
            if meter is Meter.INPUT and EMBEDDING_TAG in model["metadata"]["tags"]:
                meter = Meter.EMBEDDING
            locator = f"/data/{index}/metadata/pricing/{key}"
            yield quote_json(model["id"], meter, printed, unit=unit, locator=locator, read_amount=_rounded)


def _rounded(printed: str) -> Decimal | None:
    return SIGNIFICANT.create_decimal(printed).normalize() or None


PROVIDER = Provider(
    provider_id="deepinfra",
    name="DeepInfra",
    homepage="https://deepinfra.com",
    kind="reseller",
    sources=(
        Source(
            "models",
            "https://api.deepinfra.com/v1/openai/models",
            "json",
            parse,
            former_urls=("https://deepinfra.com/pricing",),
        ),
    ),
)
