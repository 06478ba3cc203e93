"""LiteLLM's price map: JSON, one entry per key `[provider/]label`, USD per single token, image, page or second.

Read are the meters whose unit is certain. Of a price per query, pixel or session, and of a price of one size of image
or video, the map does not say what is counted. A 0 can mean free, unknown or not applicable there: it is no price.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.domain import MTOK_FACTOR, Meter, ServiceTier, Unit
from pipeline.history.chronicle import Item, Layout, Offer
from pipeline.history.json_versions import JsonVersions

# LiteLLM's providers that tokenfall reads too. Left out are those whose entries are converted from another currency,
# and endpoints that sell what another one sells at prices of their own.
PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "azure_ai": "azure",
    "azure_text": "azure",
    "bedrock": "aws-bedrock",
    "bedrock_converse": "aws-bedrock",
    "cerebras": "cerebras",
    "codestral": "mistral",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "dashscope": "alibaba",
    "deepinfra": "deepinfra",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "fireworks_ai-embedding-models": "fireworks",
    "gemini": "google",
    "groq": "groq",
    "hyperbolic": "hyperbolic",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshot": "moonshot",
    "nebius": "nebius",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "ovhcloud": "ovhcloud",
    "perplexity": "perplexity",
    "replicate": "replicate",
    "sambanova": "sambanova",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vertex_ai": "vertex",
    "xai": "xai",
    "zai": "zai",
}
# The family of a model on Vertex stands behind its provider: vertex_ai-llama_models.
_FAMILY = re.compile(r"(?<=^vertex_ai)-.*")
_REGION = re.compile(r"(?P<region>eu|us|global|global-standard|[a-z]{2}(?:-gov)?-[a-z]+-\d)/(?P<label>.+)")
# The folder in which Fireworks keeps the models that it serves itself.
_FOLDER = "accounts/fireworks/models/"
_FINE_TUNED = re.compile(r"(?:^|/)ft:")

_TOKEN_METERS = {
    "input_cost_per_token": Meter.INPUT,
    "output_cost_per_token": Meter.OUTPUT,
    "output_cost_per_reasoning_token": Meter.REASONING_OUTPUT,
    "cache_read_input_token_cost": Meter.CACHE_READ,
    "cache_creation_input_token_cost": Meter.CACHE_WRITE,
    "cache_creation_input_token_cost_above_1hr": Meter.CACHE_WRITE_1H,
    "input_cost_per_audio_token": Meter.AUDIO_INPUT,
    "output_cost_per_audio_token": Meter.AUDIO_OUTPUT,
    "cache_read_input_audio_token_cost": Meter.AUDIO_CACHE_READ,
    "cache_creation_input_audio_token_cost": Meter.AUDIO_CACHE_WRITE,
    "input_cost_per_image_token": Meter.IMAGE_INPUT,
    "output_cost_per_image_token": Meter.IMAGE_OUTPUT,
    "cache_read_input_image_token_cost": Meter.IMAGE_CACHE_READ,
    "input_cost_per_video_token": Meter.VIDEO_INPUT,
    "output_cost_per_video_token": Meter.VIDEO_OUTPUT,
}
_INPUT_OF_MODE = {"embedding": Meter.EMBEDDING, "rerank": Meter.RERANK}
# What is counted is certain in one mode only.
_OTHER_METERS = {
    ("audio_speech", "input_cost_per_character"): (Meter.SPEECH, Unit.CHARACTER),
    ("audio_transcription", "input_cost_per_second"): (Meter.TRANSCRIPTION, Unit.SECOND),
    ("image_generation", "output_cost_per_image"): (Meter.IMAGE, Unit.IMAGE),
    ("ocr", "ocr_cost_per_page"): (Meter.PAGE, Unit.PAGE),
    ("ocr", "annotation_cost_per_page"): (Meter.ANNOTATED_PAGE, Unit.PAGE),
}
_TIERS = {
    "": ServiceTier.STANDARD,
    "_batches": ServiceTier.BATCH,
    "_flex": ServiceTier.FLEX,
    "_priority": ServiceTier.PRIORITY,
    "_ultrafast": ServiceTier.ULTRAFAST,
}
_FIELD = re.compile(
    rf"(?P<name>{'|'.join(sorted(_TOKEN_METERS, key=len, reverse=True))})"
    rf"(?:_above_(?P<thousands>\d+)k_tokens)?(?P<tier>{'|'.join(_TIERS)})"
)
# Of a map that is read version by version, one version is remembered.
_VERSIONS = JsonVersions()


def entries(_path: str, body: bytes) -> Mapping[str, Any]:
    """The map's entries, numbers as exact decimals."""
    document = _VERSIONS.read(body)
    if not isinstance(document, dict) or not {type(entry) for entry in document.values()} <= {dict}:
        raise ValueError("it is not an object of entries")
    if not any("input_cost_per_token" in entry for entry in document.values()):
        raise ValueError("no entry has a price per token")
    document.pop("sample_spec", None)
    return document


def offer(key: str, entry: Mapping[str, Any]) -> Offer | None:
    """Who sells under which label: the key without its provider, and without a region that stands before the label."""
    listed = _FAMILY.sub("", entry.get("litellm_provider") or "")
    if listed not in PROVIDERS:
        return None
    first, _, rest = key.partition("/")
    is_prefixed = first in PROVIDERS and PROVIDERS[first] == PROVIDERS[listed]
    label = (rest if is_prefixed else key).removeprefix(_FOLDER)
    found = _REGION.fullmatch(label)
    label, region = (found["label"], found["region"]) if found else (label, None)
    return Offer(PROVIDERS[listed], label, region) if label else None


def prices(key: str, entry: Mapping[str, Any]) -> Mapping[Item, Decimal]:
    """The prices of one entry, per million tokens where they are per token."""
    found: dict[Item, Decimal] = {}
    mode = entry.get("mode", "")
    for tier in entry.get("tiered_pricing") or ():
        if "range" in tier:
            found |= _token_prices(tier, mode, *(int(bound) for bound in tier["range"]))
    found |= _token_prices(entry, mode)
    for (needed, name), (meter, unit) in _OTHER_METERS.items():
        if mode == needed and (price := _price(entry.get(name))):
            found[Item(meter, unit)] = price
    if _FINE_TUNED.search(key):
        return {item._replace(service_tier=ServiceTier.FINE_TUNED): price for item, price in found.items()}
    return found


def _token_prices(
    entry: Mapping[str, Any], mode: str, lower: int | None = None, upper: int | None = None
) -> dict[Item, Decimal]:
    """The prices per token; one for prompts `above` a length ends the band below it. The bounds are the entry's own."""
    starts_of: dict[tuple[str, str], dict[int, Decimal]] = {}
    for field, value in entry.items():
        if (match := _FIELD.fullmatch(field)) and (price := _price(value)):
            starts = starts_of.setdefault((match["name"], match["tier"]), {})
            starts[1000 * int(match["thousands"] or 0)] = price * MTOK_FACTOR[Unit.TOKEN]
    found: dict[Item, Decimal] = {}
    for (name, tier), starts in starts_of.items():
        meter = _TOKEN_METERS[name]
        if meter is Meter.INPUT:
            meter = _INPUT_OF_MODE.get(mode, meter)
        ordered = sorted(starts)
        for start, end in zip(ordered, [*ordered[1:], None], strict=True):
            band = (start, end) if start or end else (lower, upper)
            found[Item(meter, Unit.MILLION_TOKENS, _TIERS[tier], *band)] = starts[start]
    return found


def _price(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, Decimal | int) and value > 0 else None


LAYOUT = Layout(
    ("model_prices_and_context_window.json",),
    entries,
    offer,
    prices,
    preference=lambda key: ("/" not in key, key),
)
