"""Amazon Bedrock: the public price list, one JSON answer per offer and region, USD.

`AmazonBedrock` holds Amazon's own and the open models; `AmazonBedrockFoundationModels` what is sold through the
marketplace (Claude, Cohere, AI21, Stability) and is known from descriptions only. What a product is for is said by the
end of its usage type: `USE1-NovaLite-input-tokens-batch`, `USE1-MP:USE1_CacheReadInputTokenCount_Global-Units`. Its
model is an attribute, or else the beginning of the usage type; behind the endpoint `mantle` it has prices of its own.
A global price is for requests from a region that any region may answer. The bound of a long context is not stated, so
`long context` is part of the label. `effectiveDate` is that of the list, not of a price. Models are missing here that
the page sells, and retired ones linger.

The page has `{priceOf!...}` in place of prices, and the map of hashes to prices that fills them in names no models:
they are captured together, as two pages of one list. Known from programs that read both are the tables of Claude,
which alone are read; they name no tier but batch, and prices that a region lacks are missing in its part of the map.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.reading.money import read_number
from pipeline.reading.pages import json_pages
from pipeline.reading.tables import document, tables, text_lines

REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1")
MARKETPLACE_USAGE = re.compile(r"[A-Z0-9]+-MP:[A-Z0-9]+_(.+)-Units")
MARKETPLACE_NAME = " (Amazon Bedrock Edition)"
# Capacity by the hour or month, and the keeping of customised models.
NOT_READ = re.compile(r"(?i)Provisioned|Reserved|ModelUnits|Customization-Storage")
TOKENS = {
    "input": Meter.INPUT,
    "text-input": Meter.INPUT,
    "speech-input": Meter.AUDIO_INPUT,
    "input-audio": Meter.AUDIO_INPUT,
    "input-image": Meter.IMAGE_INPUT,
    "input-video": Meter.VIDEO_INPUT,
    "output": Meter.OUTPUT,
    "text-output": Meter.OUTPUT,
    "speech-output": Meter.AUDIO_OUTPUT,
    "output-audio": Meter.AUDIO_OUTPUT,
    "output-image": Meter.IMAGE_OUTPUT,
    "cache-read": Meter.CACHE_READ,
    "cache-write": Meter.CACHE_WRITE,
    "cache-write-1h": Meter.CACHE_WRITE_1H,
}
OTHERS = {
    "Customization-Training": (Meter.TRAINING, ""),
    "input-standard-image": (Meter.IMAGE_INPUT, " (standard image)"),
    "input-document-image": (Meter.IMAGE_INPUT, " (document image)"),
    "input-image-count": (Meter.IMAGE_INPUT, ""),
    "input-image": (Meter.IMAGE_INPUT, ""),
    "input-audio-second": (Meter.AUDIO_INPUT, ""),
    "input-video-second": (Meter.VIDEO_INPUT, ""),
    "nova-grounding": (Meter.SEARCH_CALL, ""),
    "searchunits": (Meter.RERANK, ""),
    "search-units": (Meter.RERANK, ""),
    "created-image": (Meter.IMAGE, ""),
}
TIERS = {
    "standard": ServiceTier.STANDARD,
    "batch": ServiceTier.BATCH,
    "flex": ServiceTier.FLEX,
    "priority": ServiceTier.PRIORITY,
    "custom-model": ServiceTier.FINE_TUNED,
}
FEATURES = {"Batch Inference": "batch", "BatchInference": "batch", "Model Customization": "custom-model"}
PLACES = {"cross-region-global": " (global)", "global": " (global)", "cross-region-geo": " (geo)", "geo": " (geo)"}
VARIANTS = {
    "long-context": " (long context)",
    "long-ctx": " (long context)",
    "latency-optimized": " (latency optimized)",
}
LIFETIMES = {"1h": Meter.CACHE_WRITE_1H, "1-hour": Meter.CACHE_WRITE_1H, "30m": Meter.CACHE_WRITE}
ENDS = "|".join((*TIERS, *PLACES, *VARIANTS, *LIFETIMES))
USAGE = re.compile(
    rf"(?P<model>.*?)(?P<mantle>-mantle)?-(?:(?P<tokens>{'|'.join(TOKENS)})(?:-input)?-token(?:s|-count)"
    rf"|(?P<other>{'|'.join(OTHERS)})(?:-stable-image-\w+)?|(?P<made>(?:[TI]2[IV]-)?(?:\d+|\w+fps)-\w+))(?P<ends>(?:-(?:{ENDS}))*)"
)
UNITS = {
    "1k tokens": Unit.THOUSAND_TOKENS,
    "1m tokens": Unit.MILLION_TOKENS,
    "image": Unit.IMAGE,
    "images": Unit.IMAGE,
    "images processed": Unit.IMAGE,
    "second": Unit.SECOND,
    "seconds": Unit.SECOND,
    "requests": Unit.REQUEST,
    "search units": Unit.CALL,
}
# What descriptions say of the unit. For the marketplace all are "Units".
TOLD = {
    r"(?i)\b(?:1K|1,000|thousand)\b.*\btokens?\b": Unit.THOUSAND_TOKENS,
    r"(?i)\b(?:1M|1,000,000|million)\b.*\btokens?\b": Unit.MILLION_TOKENS,
    r"(?i)\|[^|]*\bimages?\b[^|]*$": Unit.IMAGE,
    r"(?i)\|[^|]*\bsearch\b[^|]*$": Unit.CALL,
}

SERVICE = "bedrockfoundationmodels"
PRICE_MAP = f"https://b0.p.awsstatic.com/pricing/2.0/meteredUnitMaps/{SERVICE}/USD/current/{SERVICE}.json"
PRICE_OF = re.compile(rf"\{{priceOf!{SERVICE}/{SERVICE}!(?P<hash>[\w-]+)(?:!\*!(?P<times>\d+))?(?:!opt)?\}}")
CLAUDE = "Anthropic models"
COLUMNS = {
    "Price per 1M input tokens": (Meter.INPUT, ServiceTier.STANDARD),
    "Price per 1M output tokens": (Meter.OUTPUT, ServiceTier.STANDARD),
    "Price per 1M input tokens (batch)": (Meter.INPUT, ServiceTier.BATCH),
    "Price per 1M output tokens (batch)": (Meter.OUTPUT, ServiceTier.BATCH),
    "Price per 1M input tokens (5m cache write)": (Meter.CACHE_WRITE_5M, ServiceTier.STANDARD),
    "Price per 1M input tokens (1h cache write)": (Meter.CACHE_WRITE_1H, ServiceTier.STANDARD),
    "Price per 1M input tokens (cache read)": (Meter.CACHE_READ, ServiceTier.STANDARD),
}
RESERVED = re.compile(r"Price per hour per 1K (?:Input|Output) TPM with \d-Month Commitment")
SCOPES = {"Global Cross-region Inference": " (global)", "Geo and In-region Cross-region Inference": ""}
LOCATIONS = dict(
    zip(("US East (N. Virginia)", "US West (Oregon)", "EU (Frankfurt)", "Asia Pacific (Tokyo)"), REGIONS, strict=True)
)


def parse(capture: Capture, offer: str, region: str) -> Iterator[PriceQuote]:
    """All prices of inference in the price list of one offer in one region."""
    [answer] = json_pages(capture)
    if answer["offerCode"] != offer:
        raise ValueError(f"the list is that of {answer['offerCode']}, not of {offer}")
    for sku, product in answer["products"].items():
        attributes: dict[str, str] = product["attributes"]
        if attributes["regionCode"] != region:
            raise ValueError(f"{sku} is of {attributes['regionCode']}, not of {region}")
        usage, name = _usage(attributes)
        match = USAGE.fullmatch(usage)
        if NOT_READ.search(usage) or (match is None and name is None):
            continue  # what names no model is no inference: guardrails, knowledge bases, agents
        if match is None or (name is None and "inferenceType" in attributes):
            raise ValueError(f"the usage type {attributes['usagetype']} is not known, or lacks the name of its model")
        [term] = answer["terms"]["OnDemand"][sku].values()
        [price] = term["priceDimensions"].values()
        yield _quote(match, name or match["model"], attributes, price, f"/terms/OnDemand/{sku}")


def _usage(attributes: dict[str, str]) -> tuple[str, str | None]:
    """The usage type behind its region in one spelling, and the name of the model where there is one."""
    if (match := MARKETPLACE_USAGE.fullmatch(attributes["usagetype"])) is not None:
        words = re.sub(r"(?<=[a-z])(?=[A-Z1])|_", "-", match[1]).lower()
        return f"-{words}", attributes["servicename"].removesuffix(MARKETPLACE_NAME)
    return attributes["usagetype"].partition("-")[2], attributes.get("model") or attributes.get("titanModel")


def _quote(
    match: re.Match[str], name: str, attributes: dict[str, str], price: dict[str, Any], locator: str
) -> PriceQuote:
    ends = re.findall(ENDS, match["ends"])
    meter, suffix = _meter(match, name, ends)
    [(currency, printed)] = price["pricePerUnit"].items()
    if currency != "USD":
        raise ValueError(f"{attributes['usagetype']} is priced in {currency}")
    told = {unit for pattern, unit in TOLD.items() if re.search(pattern, price["description"])}
    [unit] = told if price["unit"] == "Units" else told | {UNITS[price["unit"].lower()]}
    if (price["beginRange"], price["endRange"]) != ("0", "Inf"):
        raise ValueError(f"{attributes['usagetype']} has a price by quantity")
    words = (*ends, attributes.get("inferenceType", "").rpartition(" ")[2], attributes.get("service_tier", "").lower())
    tiers = {TIERS[word] for word in (*words, FEATURES.get(attributes.get("feature", ""))) if word in TIERS}
    if meter is Meter.TRAINING:
        tiers = set()
    [tier] = tiers - {ServiceTier.STANDARD} or {ServiceTier.STANDARD}
    return PriceQuote(
        model_label=f"{name}{' (mantle)' if match['mantle'] else ''}{suffix}",
        meter=meter,
        list_unit_price=read_number(printed),
        pricing_unit=unit,
        service_tier=tier,
        region=attributes["regionCode"] + "".join(PLACES.get(end, "") for end in ends),
        evidence=f"{printed} per {price['unit']}: {price['description']}",
        locator=locator,
    )


def _meter(match: re.Match[str], name: str, ends: list[str]) -> tuple[Meter, str]:
    """What is counted, and what else it depends on."""
    suffix = "".join(VARIANTS.get(end, "") for end in ends)
    if match["other"]:
        meter, own = OTHERS[match["other"]]
        return meter, own + suffix
    if match["made"]:
        return Meter.VIDEO if "fps" in match["made"] else Meter.IMAGE, f" ({match['made'].replace('-', ' ')})"
    meter = TOKENS[match["tokens"]]
    if meter is Meter.CACHE_WRITE:
        [meter] = [LIFETIMES[end] for end in ends if end in LIFETIMES] or [meter]
    elif meter is Meter.INPUT and "embed" in name.lower():
        meter = Meter.EMBEDDING
    return meter, suffix


def price_map(capture: Capture) -> str | None:
    """The address of the prices that a page holds the places of."""
    return PRICE_MAP if PRICE_OF.search(capture.text) else None


def parse_page(capture: Capture) -> Iterator[PriceQuote]:
    """The prices of Claude on the page, by the map of prices that follows it."""
    page, end, prices = capture.text.rpartition("</html>")
    [answer] = json_pages(replace(capture, body=prices.encode()))
    if (answer["manifest"]["serviceId"], answer["manifest"]["currencyCode"]) != (SERVICE, "USD"):
        raise ValueError(f"the prices are those of {answer['manifest']}")
    widgets = document(replace(capture, body=(page + end).encode())).xpath("//@data-pricing-markup")
    found = []
    for number, markup in enumerate(widgets, start=1):
        widget = replace(capture, body=f"<div>{markup}</div>".encode())
        for table in tables(widget) if CLAUDE in markup else ():
            if table.header[0] != CLAUDE or all(map(RESERVED.fullmatch, table.header[1:])):
                continue
            if set(table.header[1:]) != COLUMNS.keys():
                raise ValueError(f"a table of Claude has the columns {table.header}")
            [scope] = SCOPES.keys() & set(text_lines(widget))
            found.append(scope)
            for record in table.records():
                label = record.pop(CLAUDE).rstrip("*")
                for column, cell in record.items():
                    locator = f"widget {number}, {record.locator(column)}"
                    yield from _by_region(label, column, cell, SCOPES[scope], answer["regions"], locator)
    if sorted(found) != sorted(SCOPES):
        raise ValueError(f"there are tables of Claude for {found}")


def _by_region(
    label: str, column: str, cell: str, place: str, regions: dict[str, Any], locator: str
) -> Iterator[PriceQuote]:
    meter, tier = COLUMNS[column]
    if cell == "N/A":
        return
    price_of = PRICE_OF.fullmatch(cell)
    if not label or price_of is None:
        raise ValueError(f"{cell!r} of {label!r} is no place of a price")
    for location, region in LOCATIONS.items():
        if (entry := regions[location].get(price_of["hash"])) is None:
            continue
        amount = read_number(entry["price"]) * Decimal(price_of["times"] or 1)
        if not amount:
            raise ValueError(f"{label} is free of charge in {location}")
        yield PriceQuote(
            model_label=label,
            meter=meter,
            list_unit_price=amount,
            pricing_unit=Unit.MILLION_TOKENS,
            service_tier=tier,
            region=region + place,
            evidence=f"{entry['price']} for {cell}",
            locator=f"{locator}, {location}",
        )


def _sources(name: str, offer: str, *, verified: bool) -> tuple[Source, ...]:
    host = "https://pricing.us-east-1.amazonaws.com"
    return tuple(
        Source(
            f"{name}_{region.replace('-', '_')}",
            f"{host}/offers/v1.0/aws/{offer}/current/{region}/index.json",
            "json",
            partial(parse, offer=offer, region=region),
            verified=verified,
        )
        for region in REGIONS
    )


PROVIDER = Provider(
    provider_id="aws-bedrock",
    name="Amazon Bedrock",
    homepage="https://aws.amazon.com/bedrock/",
    kind="reseller",
    sources=_sources("bulk", "AmazonBedrock", verified=True)
    + _sources("marketplace", "AmazonBedrockFoundationModels", verified=False)
    + (
        Source(
            "page",
            "https://aws.amazon.com/bedrock/pricing/",
            "html",
            parse_page,
            role="cross_check",
            verified=False,
            next_page=price_map,
        ),
    ),
)
