"""The price maps that are read from git repositories beside LiteLLM's: how each is laid out. All are in USD.

Two of them declare since when a price holds. Of these dates nothing is taken over here: what stands last in the map is
what the commit says.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pipeline.domain import MTOK_FACTOR, Meter, Provider, Source, Unit
from pipeline.history import genai_prices, litellm, package_prices
from pipeline.history.chronicle import Item, Layout, Offer, parse


def _amount(value: object) -> Decimal | None:
    """A number as printed; None for what is no price. A 0 is none: these maps do not tell free from unknown."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    amount = Decimal(value)
    return amount if amount > 0 else None


def _bands(meter: Meter, unit: Unit, starts: Mapping[int, Decimal]) -> dict[Item, Decimal]:
    """Prices by the length of prompts above which they hold; one from 0 on alone holds for all."""
    ordered = sorted(starts)
    return {
        Item(meter, unit, context_from=start if start or end else None, context_to=end): starts[start]
        for start, end in zip(ordered, [*ordered[1:], None], strict=False)
    }


def _json(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


# genai-prices: a list of providers, each with its models; a model's prices are one object, or one for each condition.


def _genai_entries(_path: str, body: bytes) -> Mapping[str, Any]:
    document = _json(body)
    if not isinstance(document, list) or not all(isinstance(entry, dict) and "models" in entry for entry in document):
        raise ValueError("it is not a list of providers with models")
    return {f"{provider['id']}/{model['id']}": model["prices"] for provider in document for model in provider["models"]}


def _genai_offer(key: str, _entry: Any) -> Offer:
    provider_id, _, label = key.partition("/")
    return Offer(genai_prices.PROVIDERS.get(provider_id, provider_id), label)


def _genai_prices(_key: str, entry: Any) -> Mapping[Item, Decimal]:
    if isinstance(entry, list):
        lasting = [one for one in entry if "start_time" not in (one.get("constraint") or {})]
        if len(lasting) < len(entry):
            # By the hour: which of the two is the price cannot be said in one number.
            return {}
        entry = lasting[-1]["prices"]
    found: dict[Item, Decimal] = {}
    for name, value in entry.items():
        if name not in genai_prices.METERS:
            continue
        tiers = value if isinstance(value, dict) else {"base": value, "tiers": []}
        starts = {0: tiers["base"], **{int(tier["start"]): tier["price"] for tier in tiers["tiers"]}}
        found |= _bands(*genai_prices.METERS[name], _priced(starts))
    return found


def _priced(starts: Mapping[int, object]) -> dict[int, Decimal]:
    return {start: amount for start, value in starts.items() if (amount := _amount(value)) is not None}


# llm-prices: a file for each vendor, with the history of each of its models; the entry without an end is in force.

_VENDORS = {"amazon": "aws-bedrock", "moonshot-ai": "moonshot", "qwen": "alibaba", "z.ai": "zai"}
_VENDOR_METERS = {"input": Meter.INPUT, "output": Meter.OUTPUT, "input_cached": Meter.CACHE_READ}


def _vendor_entries(_path: str, body: bytes) -> Mapping[str, Any]:
    document = _json(body)
    if not isinstance(document, dict) or not isinstance(document.get("models"), list) or "vendor" not in document:
        raise ValueError("it is not a vendor with models")
    return {f"{document['vendor']}/{model['id']}": model["price_history"] for model in document["models"]}


def _vendor_offer(key: str, _entry: Any) -> Offer:
    vendor, _, label = key.partition("/")
    return Offer(_VENDORS.get(vendor, vendor), label)


def _vendor_prices(_key: str, entry: Sequence[Mapping[str, Any]]) -> Mapping[Item, Decimal]:
    [*_, in_force] = [one for one in entry if one.get("to_date") is None] or [{}]
    return {
        Item(meter): amount
        for name, meter in _VENDOR_METERS.items()
        if (amount := _amount(in_force.get(name))) is not None
    }


# models.dev: a TOML file for each provider and label.

_HOSTS = {
    "amazon-bedrock": "aws-bedrock",
    "fireworks-ai": "fireworks",
    "google-vertex": "vertex",
    "moonshotai": "moonshot",
    "togetherai": "together",
    "zhipuai": "zhipu",
}
_COST_METERS = {
    "input": Meter.INPUT,
    "output": Meter.OUTPUT,
    "reasoning": Meter.REASONING_OUTPUT,
    "cache_read": Meter.CACHE_READ,
    "cache_write": Meter.CACHE_WRITE,
    "input_audio": Meter.AUDIO_INPUT,
    "output_audio": Meter.AUDIO_OUTPUT,
}


def _toml_entries(path: str, body: bytes) -> Mapping[str, Any]:
    document = tomllib.loads(body.decode(), parse_float=Decimal)
    return {path: document["cost"]} if isinstance(document.get("cost"), dict) else {}


def _toml_offer(key: str, _entry: Any) -> Offer:
    _, provider_id, _, label = key.removesuffix(".toml").split("/", 3)
    return Offer(_HOSTS.get(provider_id, provider_id), label)


def _toml_prices(_key: str, entry: Mapping[str, Any]) -> Mapping[Item, Decimal]:
    found: dict[Item, Decimal] = {}
    bands = {0: entry}
    if "context_over_200k" in entry:
        bands[200_000] = entry["context_over_200k"]
    for tier in entry.get("tiers", ()):
        if tier.get("tier", {}).get("type") == "context":
            bands[int(tier["tier"]["size"])] = tier
    for name, meter in _COST_METERS.items():
        found |= _bands(meter, Unit.MILLION_TOKENS, _priced({start: band.get(name) for start, band in bands.items()}))
    return found


# A list of models as OpenRouter's API answers it: USD per token, as text.

_LIST_METERS = {
    "prompt": Meter.INPUT,
    "completion": Meter.OUTPUT,
    "internal_reasoning": Meter.REASONING_OUTPUT,
    "input_cache_read": Meter.CACHE_READ,
    "input_cache_write": Meter.CACHE_WRITE,
}


def _list_entries(_path: str, body: bytes) -> Mapping[str, Any]:
    document = _json(body)
    models = document.get("data") if isinstance(document, dict) else document
    if not isinstance(models, list) or not all(isinstance(model, dict) and "pricing" in model for model in models):
        raise ValueError("it is not a list of models with their pricing")
    return {model["id"]: model["pricing"] for model in models}


def _list_offer(key: str, _entry: Any) -> Offer:
    return Offer("openrouter", key)


def _list_prices(_key: str, entry: Mapping[str, Any]) -> Mapping[Item, Decimal]:
    return {
        Item(meter): amount * MTOK_FACTOR[Unit.TOKEN]
        for name, meter in _LIST_METERS.items()
        if (amount := _amount(entry.get(name))) is not None
    }


LAYOUTS = {
    "litellm": litellm.LAYOUT,
    "genai-prices": Layout(("prices/data.json",), _genai_entries, _genai_offer, _genai_prices),
    "llm-prices": Layout((":(glob)data/*.json",), _vendor_entries, _vendor_offer, _vendor_prices),
    "models-dev": Layout((":(glob)providers/*/models/**/*.toml",), _toml_entries, _toml_offer, _toml_prices),
    "openrouter-list": Layout(("models.json",), _list_entries, _list_offer, _list_prices),
}


def _kept_in_git(provider_id: str, name: str, homepage: str) -> Provider:
    source = Source("git", homepage, "csv", parse, role="price_history", verified=False)
    return Provider(provider_id, f"{name} (price map)", homepage, "price_map", (source,))


# The better ones first: of several that speak of one price, the first is heard.
PRICE_MAPS = (
    genai_prices.PRICE_MAP,
    package_prices.LITELLM,
    _kept_in_git("llm-prices", "llm-prices", "https://github.com/simonw/llm-prices"),
    _kept_in_git("models-dev", "models.dev", "https://github.com/anomalyco/models.dev"),
    _kept_in_git("openrouter-list", "OpenRouter's list of models", "https://openrouter.ai/api/v1/models"),
)
