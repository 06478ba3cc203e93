"""The price map that the installed package `genai-prices` (MIT) carries.

The package holds no release date, so a snapshot is dated by the newest start date that it declares and that has
passed. Its facts are written into a JSON document of our own, archived like any capture, and read from there.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.history import chronicle
from pipeline.reading.hours import WEEK, Hours, hours, spell

PACKAGE = "genai-prices"

# The providers that tokenfall reads under another id.
PROVIDERS = {"aws": "aws-bedrock", "moonshotai": "moonshot", "x-ai": "xai", "zhipuai": "zhipu"}

METERS = {
    "input_mtok": (Meter.INPUT, Unit.MILLION_TOKENS),
    "output_mtok": (Meter.OUTPUT, Unit.MILLION_TOKENS),
    "output_reasoning_mtok": (Meter.REASONING_OUTPUT, Unit.MILLION_TOKENS),
    "output_citation_mtok": (Meter.CITATION, Unit.MILLION_TOKENS),
    "cache_read_mtok": (Meter.CACHE_READ, Unit.MILLION_TOKENS),
    "cache_write_mtok": (Meter.CACHE_WRITE, Unit.MILLION_TOKENS),
    "cache_write_1h_mtok": (Meter.CACHE_WRITE_1H, Unit.MILLION_TOKENS),
    "input_audio_mtok": (Meter.AUDIO_INPUT, Unit.MILLION_TOKENS),
    "output_audio_mtok": (Meter.AUDIO_OUTPUT, Unit.MILLION_TOKENS),
    "cache_audio_read_mtok": (Meter.AUDIO_CACHE_READ, Unit.MILLION_TOKENS),
    "input_image_mtok": (Meter.IMAGE_INPUT, Unit.MILLION_TOKENS),
    "output_image_mtok": (Meter.IMAGE_OUTPUT, Unit.MILLION_TOKENS),
    "cache_image_read_mtok": (Meter.IMAGE_CACHE_READ, Unit.MILLION_TOKENS),
    "input_video_mtok": (Meter.VIDEO_INPUT, Unit.MILLION_TOKENS),
    "output_video_mtok": (Meter.VIDEO_OUTPUT, Unit.MILLION_TOKENS),
    "audio_hours": (Meter.TRANSCRIPTION, Unit.HOUR),
    "input_audio_hours": (Meter.TRANSCRIPTION, Unit.HOUR),
    "input_mchars": (Meter.CHARACTER, Unit.MILLION_CHARACTERS),
    "input_document_kpages": (Meter.PAGE, Unit.THOUSAND_PAGES),
    "input_annotated_document_kpages": (Meter.ANNOTATED_PAGE, Unit.THOUSAND_PAGES),
    "input_text_messages_kcount": (Meter.REQUEST, Unit.THOUSAND_REQUESTS),
    "requests_kcount": (Meter.REQUEST, Unit.THOUSAND_REQUESTS),
    "web_searches_kcount": (Meter.SEARCH_CALL, Unit.THOUSAND_CALLS),
    "storage_searches_kcount": (Meter.TOOL_CALL, Unit.THOUSAND_CALLS),
}

# What a variant of a price is bought with. A variant of an unknown kind fails; the two that say nothing are named.
TIERS = {
    ("processing", "batch"): ServiceTier.BATCH,
    ("service_tier", "flex"): ServiceTier.FLEX,
    ("service_tier", "priority"): ServiceTier.PRIORITY,
    ("service_tier", "fast"): ServiceTier.PRIORITY,
    ("speed", "fast"): ServiceTier.PRIORITY,
}
REGIONS = {("route", "mistral/eu"): "eu"}
# OpenRouter sells batches under labels of their own.
BATCH_SUFFIX = ":batch"
# The default tier is the base price again; the kind of a search is no dimension of a token price.
IGNORED = {("service_tier", "default"), ("search_type", "fast"), ("search_type", "web")}


def snapshot(now: datetime) -> Capture:
    """The installed package's price map as a capture: a JSON document of its facts, the same for the same version."""
    from genai_prices.data import providers

    models: list[dict[str, Any]] = [
        {
            "provider": provider.id,
            "model": model.id,
            "prices": [_entry(price.prices, price.constraint) for price in model.prices]
            if isinstance(model.prices, list)
            else [_entry(model.prices, None)],
            "variants": [
                {"when": dict(variant.when), **_entry(variant.prices, variant.constraint)}
                for variant in model.price_variants or ()
            ],
        }
        for provider in providers
        for model in provider.models
    ]
    starts = [
        date.fromisoformat(entry["from"])
        for model in models
        for entry in (*model["prices"], *model["variants"])
        if "from" in entry
    ]
    newest = max(start for start in starts if start <= now.date())
    installed = version(PACKAGE)
    document = {"package": PACKAGE, "version": installed, "models": models}
    return Capture(
        provider_id=PACKAGE,
        page_id="package",
        url=f"pkg:pypi/{PACKAGE}@{installed}",
        captured_at=datetime.combine(newest, time(), UTC),
        body=json.dumps(document, sort_keys=True, indent=0).encode(),
        headers={"Content-Type": "application/json"},
        origin="file",
    )


def _entry(prices: Any, constraint: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if hasattr(constraint, "start_date"):
        entry["from"] = constraint.start_date.isoformat()
    elif hasattr(constraint, "start_time"):
        entry["window"] = f"{constraint.start_time:%H:%M}-{constraint.end_time:%H:%M}"
    elif constraint is not None:
        raise ValueError(f"{PACKAGE} has a condition of an unknown kind: {constraint!r}")
    entry["prices"] = {
        key: [["0", str(value.base)], *([str(tier.start), str(tier.price)] for tier in value.tiers)]
        if hasattr(value, "tiers")
        else str(value)
        for key, value in vars(prices).items()
        if value is not None and not key.startswith("_")
    }
    return entry


def parse(capture: Capture) -> Iterator[PriceQuote]:
    """Every price of the map, with its declared dates, context bands, time windows and tiers."""
    for number, model in enumerate(json.loads(capture.body)["models"]):
        where = f"/models/{number}"
        base = ServiceTier.BATCH if model["model"].endswith(BATCH_SUFFIX) else ServiceTier.STANDARD
        yield from _dated(model, model["prices"], f"{where}/prices", base, None)
        variants: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for variant in model["variants"]:
            [when] = variant["when"].items()
            variants.setdefault(when, []).append(variant)
        for when, entries in variants.items():
            if when not in IGNORED:
                tier = ServiceTier.STANDARD if when in REGIONS else TIERS[when]
                yield from _dated(model, entries, f"{where}/variants", tier, REGIONS.get(when))


def _dated(
    model: dict[str, Any], entries: list[dict[str, Any]], where: str, tier: ServiceTier, region: str | None
) -> Iterator[PriceQuote]:
    """The entries of one model in the package's order, in which a later one takes precedence."""
    windows = [entry for entry in entries if "window" in entry]
    if any(window["prices"] != windows[0]["prices"] for window in windows):
        raise ValueError(f"{model['provider']}/{model['model']} has a different price in each window")
    busy: Hours = frozenset().union(*(hours(*window["window"].split("-")) for window in windows))
    lasting = sorted((entry for entry in entries if "window" not in entry), key=lambda entry: entry.get("from", ""))
    for entry, successor in zip(lasting, [*lasting[1:], None], strict=True):
        start, end = _day(entry), _day(successor) if successor else None
        if start is not None and start == end:
            continue
        if not windows or end is not None:
            yield from _quotes(model, entry, where, tier, region, None, start, end)
            continue
        # Hours are stated for the price that is in force now, which then holds outside of them.
        yield from _quotes(model, windows[0], where, tier, region, spell(busy), start, end)
        quiet = ServiceTier.OFF_PEAK if tier is ServiceTier.STANDARD else tier
        yield from _quotes(model, entry, where, quiet, region, spell(WEEK - busy), start, end)


def _quotes(
    model: dict[str, Any],
    entry: dict[str, Any],
    where: str,
    tier: ServiceTier,
    region: str | None,
    window: str | None,
    start: datetime | None,
    end: datetime | None,
) -> Iterator[PriceQuote]:
    for key, value in entry["prices"].items():
        meter, unit = METERS[key]
        bands = [["", value]] if isinstance(value, str) else value
        for band, successor in zip(bands, [*bands[1:], None], strict=True):
            yield PriceQuote(
                provider_id=PROVIDERS.get(model["provider"], model["provider"]),
                model_label=model["model"],
                meter=meter,
                list_unit_price=Decimal(band[1]),
                pricing_unit=unit,
                service_tier=tier,
                context_from=int(band[0]) if band[0] else None,
                context_to=int(successor[0]) if successor else None,
                region=region,
                time_window=window,
                announced_from=start,
                valid_until=end,
                evidence=band[1],
                locator=f"{where}/{key}",
            )


def _day(entry: dict[str, Any]) -> datetime | None:
    return datetime.combine(date.fromisoformat(entry["from"]), time(), UTC) if "from" in entry else None


PRICE_MAP = Provider(
    provider_id=PACKAGE,
    name="genai-prices (price map)",
    homepage="https://github.com/pydantic/genai-prices",
    kind="price_map",
    sources=(
        Source("package", f"pkg:pypi/{PACKAGE}@{version(PACKAGE)}", "json", parse, role="price_map"),
        Source("git", "https://github.com/pydantic/genai-prices", "csv", chronicle.parse, role="price_history"),
    ),
)
