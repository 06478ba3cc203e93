import json
from collections.abc import Mapping
from decimal import Decimal

import pytest

from pipeline.domain import Meter, ServiceTier, Unit
from pipeline.history.chronicle import Item, Offer
from pipeline.history.litellm import PROVIDERS, entries, offer, prices
from pipeline.providers import discover


def prices_of(key: str = "m", /, **entry: object) -> Mapping[Item, Decimal]:
    body = json.dumps({key: {"input_cost_per_token": 0, "mode": "chat", **entry}})
    return prices(key, entries("map.json", body.encode())[key])


def test_every_provider_is_one_whose_pages_are_read() -> None:
    assert set(PROVIDERS.values()) <= set(discover())


@pytest.mark.parametrize(
    ("key", "listed", "expected"),
    [
        ("gpt-4", "openai", Offer("openai", "gpt-4")),
        ("openai/gpt-4", "openai", Offer("openai", "gpt-4")),
        ("openai/gpt-oss-20b", "groq", Offer("groq", "openai/gpt-oss-20b")),
        ("together_ai/openai/gpt-oss-120b", "together_ai", Offer("together", "openai/gpt-oss-120b")),
        ("azure/eu/gpt-4o", "azure", Offer("azure", "gpt-4o", "eu")),
        ("bedrock/us-gov-west-1/acme.one-v1:0", "bedrock", Offer("aws-bedrock", "acme.one-v1:0", "us-gov-west-1")),
        ("vertex_ai/meta/llama3-70b", "vertex_ai-llama_models", Offer("vertex", "meta/llama3-70b")),
        ("gemini/gemini-1.5-pro", "gemini", Offer("google", "gemini-1.5-pro")),
        ("fireworks_ai/accounts/fireworks/models/deepseek-v3p2", "fireworks_ai", Offer("fireworks", "deepseek-v3p2")),
        ("fireworks_ai/accounts/fireworks/models/", "fireworks_ai", None),
        ("ollama/llama3", "ollama", None),
        ("gpt-4", None, None),
    ],
)
def test_the_label_is_the_key_without_its_provider_and_region(key: str, listed: str, expected: Offer | None) -> None:
    assert offer(key, {"litellm_provider": listed}) == expected


def test_prices_per_token_are_exact_per_million() -> None:
    assert prices_of(
        input_cost_per_token=3e-05,
        output_cost_per_token=6e-05,
        cache_read_input_token_cost=3.57e-08,
        cache_creation_input_token_cost_above_1hr=1e-05,
        input_cost_per_audio_token=4e-05,
        max_tokens=8192,
    ) == {
        Item(Meter.INPUT): Decimal(30),
        Item(Meter.OUTPUT): Decimal(60),
        Item(Meter.CACHE_READ): Decimal("0.0357"),
        Item(Meter.CACHE_WRITE_1H): Decimal(10),
        Item(Meter.AUDIO_INPUT): Decimal(40),
    }


def test_suffixes_are_service_tiers_and_context_bands() -> None:
    assert prices_of(
        input_cost_per_token=2e-06,
        input_cost_per_token_above_128k_tokens=3e-06,
        input_cost_per_token_above_200k_tokens=4e-06,
        input_cost_per_token_batches=1e-06,
        output_cost_per_token_above_200k_tokens_priority=9e-06,
    ) == {
        Item(Meter.INPUT, context_from=0, context_to=128_000): Decimal(2),
        Item(Meter.INPUT, context_from=128_000, context_to=200_000): Decimal(3),
        Item(Meter.INPUT, context_from=200_000): Decimal(4),
        Item(Meter.INPUT, service_tier=ServiceTier.BATCH): Decimal(1),
        Item(Meter.OUTPUT, service_tier=ServiceTier.PRIORITY, context_from=200_000): Decimal(9),
    }


def test_listed_tiers_are_context_bands() -> None:
    tiers = [
        {"input_cost_per_token": 1e-06, "range": [0, 32000.0]},
        {"input_cost_per_token": 2e-06, "range": [32000.0, 128000.0]},
    ]
    assert prices_of(tiered_pricing=tiers) == {
        Item(Meter.INPUT, context_from=0, context_to=32_000): Decimal(1),
        Item(Meter.INPUT, context_from=32_000, context_to=128_000): Decimal(2),
    }


@pytest.mark.parametrize(
    ("mode", "field", "item"),
    [
        ("embedding", "input_cost_per_token", Item(Meter.EMBEDDING)),
        ("rerank", "input_cost_per_token", Item(Meter.RERANK)),
        ("audio_speech", "input_cost_per_character", Item(Meter.SPEECH, Unit.CHARACTER)),
        ("audio_transcription", "input_cost_per_second", Item(Meter.TRANSCRIPTION, Unit.SECOND)),
        ("image_generation", "output_cost_per_image", Item(Meter.IMAGE, Unit.IMAGE)),
        ("ocr", "ocr_cost_per_page", Item(Meter.PAGE, Unit.PAGE)),
    ],
)
def test_the_mode_says_what_is_counted(mode: str, field: str, item: Item) -> None:
    factor = 1 if item.pricing_unit is not Unit.MILLION_TOKENS else 1_000_000
    assert prices_of(mode=mode, **{field: 0.5}) == {item: Decimal("0.5") * factor}


def test_uncertain_units_and_zeros_are_no_prices() -> None:
    assert (
        prices_of(
            output_cost_per_token=0.0,
            output_cost_per_image=0.1,
            input_cost_per_second=0.1,
            input_cost_per_query=0.002,
            input_cost_per_pixel=1e-9,
            cache_creation_input_token_cost_above_12hr=1e-06,
            search_context_cost_per_query={"search_context_size_low": 0.03},
        )
        == {}
    )


def test_a_fine_tuned_model_is_of_its_own_tier() -> None:
    assert prices_of("ft:m", input_cost_per_token=3e-06) == {
        Item(Meter.INPUT, service_tier=ServiceTier.FINE_TUNED): Decimal(3)
    }


def test_the_sample_that_explains_the_fields_is_no_entry() -> None:
    body = json.dumps({"sample_spec": {"mode": "one of chat"}, "m": {"input_cost_per_token": 1}})
    assert entries("map.json", body.encode()) == {"m": {"input_cost_per_token": 1}}


@pytest.mark.parametrize("body", [b"[]", b'{"m": 1}', b'{"m": {"price": 1}}', b"<html>", b'{"m": ', b"\xff\xfe"])
def test_what_is_not_the_map_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever kind of ValueError)
        entries("map.json", body)
