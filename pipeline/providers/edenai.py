"""Eden AI, one JSON answer for all models. USD, under the key names of the LiteLLM price map.

`pricing` is what Eden charges; `list_pricing` is the same before a discount. A key that ends in
`_above_200k_tokens` prices requests with a longer prompt, and the key without the ending then only those up to there.
The regions of a model say where it runs, at one price for all of them. `@eu` and `-latest` are ids of their own.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.reading.bands import bands
from pipeline.reading.expect import whole_match
from pipeline.reading.extract import quote_json
from pipeline.reading.pages import json_pages

METERS = {
    "input_cost_per_token": Meter.INPUT,
    "output_cost_per_token": Meter.OUTPUT,
    "output_cost_per_reasoning_token": Meter.REASONING_OUTPUT,
    "citation_cost_per_token": Meter.CITATION,
    "cache_read_input_token_cost": Meter.CACHE_READ,
    "cache_creation_input_token_cost": Meter.CACHE_WRITE,
    "cache_creation_input_token_cost_above_1hr": Meter.CACHE_WRITE_1H,
    "input_cost_per_audio_token": Meter.AUDIO_INPUT,
    "output_cost_per_audio_token": Meter.AUDIO_OUTPUT,
    "cache_read_input_audio_token_cost": Meter.AUDIO_CACHE_READ,
    "input_cost_per_image_token": Meter.IMAGE_INPUT,
    "output_cost_per_image_token": Meter.IMAGE_OUTPUT,
}
TIERS = {"batches": ServiceTier.BATCH, "flex": ServiceTier.FLEX, "priority": ServiceTier.PRIORITY}
# One price, or one by how much of the web is searched, which is no length of a prompt and so part of the label.
SEARCH = "search_context_cost_per_query"
SIZES = {f"search_context_size_{size}": f" (search context {size})" for size in ("low", "medium", "high")} | {"": ""}
KEY = re.compile(rf"(?P<base>\w+?)(?:_above_(?P<band>\d+)k_tokens)?(?:_(?P<tier>{'|'.join(TIERS)}))?")


def parse(capture: Capture) -> Iterator[PriceQuote]:
    [answer] = json_pages(capture)
    if answer["object"] != "list":
        raise ValueError("the answer is not the list of models")
    for index, model in enumerate(answer["data"]):
        yield from _quotes(model["id"], dict(model["pricing"]), f"/data/{index}/pricing")


def _quotes(label: str, pricing: dict[str, Any], pointer: str) -> Iterator[PriceQuote]:
    search = pricing.pop(SEARCH, {})
    for size, printed in (search if isinstance(search, dict) else {"": search}).items():
        at = f"{pointer}/{SEARCH}/{size}".rstrip("/")
        yield quote_json(
            label + SIZES[size], Meter.SEARCH_CALL, printed, unit=Unit.CALL, locator=at, read_amount=Decimal
        )
    parsed = {key: whole_match(KEY, key, "a key") for key in pricing}
    starts: dict[tuple[str, str], list[int]] = {}
    for match in parsed.values():
        starts.setdefault((match["base"], match["tier"]), []).append(1000 * int(match["band"] or 0))
    for key, match in parsed.items():
        of_key = bands(sorted(starts[match["base"], match["tier"]]))
        yield quote_json(
            label,
            METERS[match["base"]],
            pricing[key],
            unit=Unit.TOKEN,
            locator=f"{pointer}/{key}",
            read_amount=Decimal,
            service_tier=TIERS.get(match["tier"], ServiceTier.STANDARD),
            **of_key[1000 * int(match["band"] or 0)],
        )


PROVIDER = Provider(
    provider_id="edenai",
    name="Eden AI",
    homepage="https://www.edenai.co",
    kind="aggregator",
    sources=(Source("models", "https://api.edenai.run/v3/models", "json", parse),),
)
