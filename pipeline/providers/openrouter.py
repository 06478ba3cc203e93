"""OpenRouter, one JSON answer for all models. USD, as strings of plain decimals; what each key counts is documented.

Read from the answers themselves, 2024-09 to 2026-08:
- "-1" is the price of the routers, which pass on the price of the model that they choose: a price, but not stated.
- "0" means free for `prompt` and `completion`, which every model has. The other keys were filled up with "0" for all
  models until 2025 (cache reads of models that charge for them too) and have been left out since: no price.
- `image` is documented per input image. From 2025-12 on it repeats the price of a prompt token where images are
  counted in tokens. `image_output` is documented per output image, but all values so far (8 to 120 USD per million)
  are what the makers of these models ask per token.
- `overrides` apply when all their conditions do, the last one wins, and keys that they leave out keep the base price.
  All that were seen have both a price of prompts and one of completions.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.reading.bands import bands
from pipeline.reading.expect import refuse_unknown
from pipeline.reading.hours import WEEK, Hours, hours, spell
from pipeline.reading.money import read_number

METERS = {
    "prompt": (Meter.INPUT, Unit.TOKEN),
    "completion": (Meter.OUTPUT, Unit.TOKEN),
    "internal_reasoning": (Meter.REASONING_OUTPUT, Unit.TOKEN),
    "input_cache_read": (Meter.CACHE_READ, Unit.TOKEN),
    "input_cache_write": (Meter.CACHE_WRITE, Unit.TOKEN),
    "input_cache_write_1h": (Meter.CACHE_WRITE_1H, Unit.TOKEN),
    "audio": (Meter.AUDIO_INPUT, Unit.TOKEN),
    "audio_output": (Meter.AUDIO_OUTPUT, Unit.TOKEN),
    "input_audio_cache": (Meter.AUDIO_CACHE_READ, Unit.TOKEN),
    "image": (Meter.IMAGE_INPUT, Unit.IMAGE),
    "image_output": (Meter.IMAGE_OUTPUT, Unit.TOKEN),
    "request": (Meter.REQUEST, Unit.REQUEST),
    "web_search": (Meter.SEARCH_CALL, Unit.CALL),
}
A_TOKEN_COSTS_LESS = Decimal("0.001")
CONDITIONS = {"min_prompt_tokens", "utc_days", "utc_start", "utc_end"}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse(capture: Capture) -> Iterator[PriceQuote]:
    answer = json.loads(capture.text)
    if answer.get("links", {}).get("next") or answer.get("total_count", len(answer["data"])) != len(answer["data"]):
        raise ValueError("the answer is only the first page of the models")
    if len({model["id"] for model in answer["data"]}) != len(answer["data"]):
        raise ValueError("two models have one id")
    for index, model in enumerate(answer["data"]):
        base: dict[str, Any] = model["pricing"]
        overrides: list[dict[str, Any]] = base.get("overrides", [])
        for entry in overrides:
            refuse_unknown(entry, CONDITIONS | base.keys(), f"an override of {model['id']}")
        if any(("prompt" in entry) != ("completion" in entry) for entry in overrides):
            raise ValueError(f"an override of {model['id']} changes the price of only one direction")
        for key in base:
            if key != "overrides":
                yield from _quotes(model["id"], key, base, overrides, f"/data/{index}/pricing")


def _quotes(
    label: str, key: str, base: dict[str, Any], overrides: list[dict[str, Any]], pointer: str
) -> Iterator[PriceQuote]:
    meter, unit = METERS[key][0], _unit(key, base)
    entries = {f"{pointer}/overrides/{number}/{key}": entry for number, entry in enumerate(overrides) if key in entry}
    starts = {0, *(int(entry.get("min_prompt_tokens", 0)) for entry in entries.values())}
    for lower, band in bands(sorted(starts)).items():
        locators = {base[key]: f"{pointer}/{key}"}
        at: dict[str, Hours] = {base[key]: WEEK}
        for locator, entry in entries.items():
            if entry.get("min_prompt_tokens", 0) <= lower:
                window = _window(entry)
                at = {printed: minutes - window for printed, minutes in at.items()}
                at[entry[key]] = at.get(entry[key], frozenset()) | window
                locators.setdefault(entry[key], locator)
        for printed, minutes in at.items():
            amount = _amount(printed)
            if minutes and (amount != 0 or key in {"prompt", "completion"}):
                yield PriceQuote(
                    model_label=label,
                    meter=meter,
                    list_unit_price=amount,
                    pricing_unit=unit,
                    service_tier=ServiceTier.BATCH if label.endswith(":batch") else ServiceTier.STANDARD,
                    **band,
                    time_window=spell(minutes),
                    evidence=printed,
                    locator=locators[printed],
                )


def _amount(printed: str) -> Decimal | None:
    return None if printed == "-1" else read_number(printed)


def _unit(key: str, base: dict[str, Any]) -> Unit:
    amount = _amount(base[key])
    if key == "image" and amount is not None and amount == _amount(base["prompt"]):
        return Unit.TOKEN
    if key == "image_output" and amount is not None and amount >= A_TOKEN_COSTS_LESS:
        return Unit.IMAGE
    return METERS[key][1]


def _window(entry: dict[str, Any]) -> Hours:
    if not entry.keys() & {"utc_days", "utc_start", "utc_end"}:
        return WEEK
    if ("utc_start" in entry) != ("utc_end" in entry):
        raise ValueError(f"{entry} has only one end of its hours")
    start, end = (
        f"{clock // 100}:{clock % 100:02}" for clock in (entry.get("utc_start", 0), entry.get("utc_end", 2400))
    )
    return hours(start, end, days=[DAYS.index(day) for day in entry.get("utc_days", DAYS)])


PROVIDER = Provider(
    provider_id="openrouter",
    name="OpenRouter",
    homepage="https://openrouter.ai",
    kind="aggregator",
    sources=(Source("models", "https://openrouter.ai/api/v1/models", "json", parse),),
)
