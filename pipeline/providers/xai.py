"""xAI's page of models, in USD. Its tables are filled in by the browser; a script of the page holds what they show.

The script lists the models of each cluster, which is the region, with prices as integers of 1e-10 USD for one token,
image, second or character. A prompt beyond `longContextThreshold` is billed by the `...LongContext` twins as a whole;
image tokens have no twin. `batchDiscountPercent` is a share and no price. Tools have a page of their own.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.bands import bands
from pipeline.reading.expect import refuse_unknown
from pipeline.reading.tables import document

SCRIPT = "globalThis.__XAI_PUBLIC_MODELS__="
KINDS = {"languageModels", "imageGenerationModels", "audioModels", "videoGenerationModels"}
PRICES = {
    "promptTextTokenPrice": (Meter.INPUT, Unit.MILLION_TOKENS),
    "promptTextTokenPriceLongContext": (Meter.INPUT, Unit.MILLION_TOKENS),
    "promptImageTokenPrice": (Meter.IMAGE_INPUT, Unit.MILLION_TOKENS),
    "cachedPromptTokenPrice": (Meter.CACHE_READ, Unit.MILLION_TOKENS),
    "cachedPromptTokenPriceLongContext": (Meter.CACHE_READ, Unit.MILLION_TOKENS),
    "completionTextTokenPrice": (Meter.OUTPUT, Unit.MILLION_TOKENS),
    "completionTokenPriceLongContext": (Meter.OUTPUT, Unit.MILLION_TOKENS),
    "imagePrice": (Meter.IMAGE, Unit.IMAGE),
    "pricePerImage": (Meter.IMAGE, Unit.IMAGE),
    "pricePerInputImage": (Meter.IMAGE_INPUT, Unit.IMAGE),
    "pricePerSecond": (Meter.VIDEO, Unit.SECOND),
    "pricePerInputVideoSecond": (Meter.VIDEO_INPUT, Unit.SECOND),
    "perCharacter": (Meter.SPEECH, Unit.CHARACTER),
    "perAudioSecond": (Meter.TRANSCRIPTION, Unit.SECOND),
    "perAudioSecondStreaming": (Meter.TRANSCRIPTION, Unit.SECOND),
    "realtimeAudioSecondPrice": (Meter.SECOND, Unit.SECOND),
    "realtimeTextInputPrice": (Meter.REQUEST, Unit.REQUEST),
}
SUFFIXES = {"perAudioSecondStreaming": " (streaming)", "realtimeTextInputPrice": " (text message)"}
RESOLUTIONS = {"IMAGE_RESOLUTION_1K": "1K", "IMAGE_RESOLUTION_1P5K": "1.5K", "IMAGE_RESOLUTION_2K": "2K"} | {
    f"VIDEO_RESOLUTION_{lines}P": f"{lines}p" for lines in (480, 720, 1080)
}
# The last two are prices as well: the audio second once more, by its tokens, and a phone line, which is no inference.
IGNORED = {"name", "version", "aliases", "inputModalities", "outputModalities", "cluster", "maxPromptLength"} | {
    *("features", "algorithm", "rps", "rpm", "tpm", "rateLimits", "provisionedThroughput", "longContextThreshold"),
    *("batchEnabled", "batchDiscountPercent", "resolutionPricing", "resolution", "quality", "supportedQualities"),
    *("defaultQuality", "endpoints", "realtimeAudioTokenPrice", "pstnMinutePrice"),
}
INTEGER = re.compile(r"[1-9]\d*")


def parse(capture: Capture) -> Iterator[PriceQuote]:
    [script] = (text for element in document(capture).iter("script") if SCRIPT in (text := element.text or ""))
    clusters = json.loads(script.strip().removeprefix(SCRIPT).removesuffix(";"))["clusterConfigs"]
    for number, cluster in enumerate(clusters):
        region = cluster.pop("clusterName")
        refuse_unknown(cluster, KINDS, f"the list of models in {region}")
        for kind, models in cluster.items():
            for index, model in enumerate(models):
                threshold = int(model.get("longContextThreshold", "0"))
                for suffix, prices, pointer in _offers(model, f"/clusterConfigs/{number}/{kind}/{index}"):
                    yield from _quotes(model["name"] + suffix, prices, threshold, region, pointer)


def _offers(model: dict[str, Any], pointer: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """What of a model has prices: suffix of the label, the prices among other properties, and where they stand."""
    yield "", model, pointer
    for index, entry in enumerate(model.get("resolutionPricing", ())):
        if ("quality" in entry) != ("supportedQualities" in model):
            raise LayoutChanged(f"{model['name']!r} has a price without its quality")
        size = ", ".join(filter(None, (entry.get("quality"), RESOLUTIONS[entry["resolution"]])))
        yield f" ({size})", entry, f"{pointer}/resolutionPricing/{index}"
    for index, endpoint in enumerate(model.get("endpoints", ())):
        yield "", endpoint["pricing"], f"{pointer}/endpoints/{index}/pricing"


def _quotes(label: str, prices: dict[str, Any], threshold: int, region: str, pointer: str) -> Iterator[PriceQuote]:
    for key in (key for key in prices if key not in IGNORED):
        meter, unit = PRICES[key]
        printed, is_long = prices[key], key.endswith("LongContext")
        if is_long and not threshold and printed == "0":
            continue
        if not INTEGER.fullmatch(printed) or (is_long and not threshold):
            raise LayoutChanged(f"{key} of {label!r} is {printed!r} with a threshold of {threshold}")
        yield PriceQuote(
            model_label=label + SUFFIXES.get(key, ""),
            meter=meter,
            list_unit_price=Decimal(printed).scaleb(-4 if unit is Unit.MILLION_TOKENS else -10).normalize(),
            pricing_unit=unit,
            **bands([0, threshold] if threshold else [0])[threshold if is_long else 0],
            region=region,
            evidence=printed,
            locator=f"{pointer}/{key}",
        )


PROVIDER = Provider(
    provider_id="xai",
    name="xAI",
    homepage="https://x.ai",
    kind="first_party",
    sources=(
        Source(
            "models",
            "https://docs.x.ai/developers/models",
            "html",
            parse,
            verified=False,
            former_urls=("https://docs.x.ai/docs/models",),
        ),
    ),
)
