"""Novita AI, in USD: the list of language models as JSON, and the page of all prices.

The page is known from a Markdown rendering of 2026-05, where a row lacks the name that it shares with the row above it.
Prices of images, video and audio depend on conditions, which become part of the label. "Tiered pricing" and "Omnimodal"
stand for prices that only the model's own page states.
The list is known from clients that read it: decimals per 1M tokens beside integers of another scale, which are left
alone. A 0 is free for `prompt` and `completion`; elsewhere it fills a gap. A model may come without `pricing`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.reading.expect import require_sections
from pipeline.reading.extract import quote
from pipeline.reading.money import normalise, read_number
from pipeline.reading.tables import Table, is_html, tables

LANGUAGE = {("Model Name", "Context", "Input", "Output", "Actions"), ("Model Name", "Context", "Input")}
UNSTATED = {"Tiered pricing", "Omnimodal"}
CONDITIONS = {
    ("Image", "Width&Height", "Steps/Scale"),
    ("Image", "Mode", "Width&Height"),
    ("Video", "Total Frames", "Steps"),
    ("Video", "Mode", "Duration", "Resolution"),
    ("Video", "Model", "Steps"),
    ("Audio", "Mode"),
}
SHARES_NAMES = {"Mode", "Model"}
# Two cells in one: "- 5s", or "1280*720 720*1280", whose stars are emphasis to Markdown.
RUN_TOGETHER = re.compile(r"- | -$|s \d|\d{5}")
SECTIONS = {"Embeddings", "Image", "Video", "Audio"}
MEDIA = {
    ("Image", Unit.IMAGE): Meter.IMAGE,
    ("Video", Unit.VIDEO): Meter.VIDEO,
    ("Video", Unit.SECOND): Meter.VIDEO,
    ("Audio", Unit.MILLION_TOKENS): Meter.AUDIO_INPUT,
    ("Audio", Unit.TEN_THOUSAND_CHARACTERS): Meter.SPEECH,
    ("Audio", Unit.MILLION_CHARACTERS): Meter.SPEECH,
    ("Audio", Unit.VOICE): Meter.VOICE,
    ("Audio", Unit.SONG): Meter.MUSIC,
}
TIERS = {"batch": ServiceTier.BATCH, "offpeak": ServiceTier.OFF_PEAK, "off-peak": ServiceTier.OFF_PEAK}
METERS = {
    "prompt": Meter.INPUT,
    "completion": Meter.OUTPUT,
    "input_cache_read": Meter.CACHE_READ,
    "input_cache_write": Meter.CACHE_WRITE,
}


def parse_page(capture: Capture) -> Iterator[PriceQuote | None]:
    """The page of prices."""
    found = tables(capture)
    require_sections(found, SECTIONS)
    for table in found:
        yield from _language(table) if table.header in LANGUAGE else _media(table, is_rendered=not is_html(capture))


def _language(table: Table) -> Iterator[PriceQuote | None]:
    first = Meter.EMBEDDING if table.heading == "Embeddings" else Meter.INPUT
    for record in table.records():
        printed, _, cached = normalise(record["Input"]).partition("· Cache Read ")
        cells = {first: ("Input", printed.strip()), Meter.CACHE_READ: ("Input", cached)}
        if "Output" in record:
            cells[Meter.OUTPUT] = ("Output", record["Output"])
        if record.get("Output") in UNSTATED and printed == "-":
            cells = dict.fromkeys((Meter.INPUT, Meter.OUTPUT), ("Output", "Custom"))
        for meter, (column, cell) in cells.items():
            unit = Unit.MILLION_TOKENS if cell == "Custom" else None
            yield quote(record["Model Name"], meter, cell, unit=unit, locator=record.locator(column))


def _media(table: Table, *, is_rendered: bool) -> Iterator[PriceQuote]:
    name_column, *columns, price_column = table.header
    if (name_column, price_column) != ("API Name", "Pricing") or (table.heading, *columns) not in CONDITIONS:
        raise ValueError(f"table {table.number} has the columns {table.header}")
    name = ""
    for number, row in enumerate(table.rows, start=1):
        *cells, printed = row
        # A rendered row lacks the name of the row above; one with a bar inside a cell falls into more cells.
        if len(row) != len(table.header) - 1 or not SHARES_NAMES & set(columns):
            name, *cells = cells
        is_ragged = len(cells) < len(columns) or any(map(RUN_TOGETHER.search, (name, *cells)))
        if not name or is_ragged or not (is_rendered or len(row) == len(table.header)) or table.merged:
            raise ValueError(f"row {number} of table {table.number} is {row}")
        conditions = [cell for cell in cells if cell not in {"", "-"}]
        words = {word for cell in conditions for word in cell.lower().split("/")}
        found = quote(
            f"{name} ({', '.join(conditions)})" if conditions else name,
            Meter.REQUEST,
            printed,
            locator=f"table {table.number}, row {number}, {price_column}",
            service_tier=next((tier for word, tier in TIERS.items() if word in words), ServiceTier.STANDARD),
        )
        if found is None:
            raise ValueError(f"row {number} of table {table.number} has no price")
        yield replace(found, meter=MEDIA[table.heading, found.pricing_unit])


def parse(capture: Capture) -> Iterator[PriceQuote]:
    """The list of language models."""
    for index, model in enumerate(json.loads(capture.text)["data"]):
        is_tiered = model.get("is_tiered_billing")
        if bool(is_tiered) != bool(model.get("tiered_billing_configs")):
            raise ValueError(f"{model['id']} has bands that do not apply, or none that do")
        bands = model["tiered_billing_configs"] if is_tiered else [{"min_tokens": 0, **model}]
        lower = 0
        for number, band in enumerate(bands, start=1):
            if band["min_tokens"] not in {lower, lower + 1}:
                raise ValueError(f"the bands of {model['id']} do not follow each other")
            upper = band["max_tokens"] if number < len(bands) else None
            bounds = {"context_from": lower, "context_to": upper} if len(bands) > 1 else {}
            locator = f"/data/{index}/tiered_billing_configs/{number - 1}" if is_tiered else f"/data/{index}"
            yield from _band(model, band.get("pricing", {}), f"{locator}/pricing", bounds)
            lower = upper or 0


def _band(model: dict[str, Any], pricing: dict[str, Any], locator: str, bounds: dict[str, Any]) -> Iterator[PriceQuote]:
    for key, price in pricing.items():
        meter, amount = METERS[key], read_number(price["price_per_m_decimal"])
        if amount or meter in {Meter.INPUT, Meter.OUTPUT}:
            yield PriceQuote(
                model_label=model["id"],
                meter=Meter.EMBEDDING if meter is Meter.INPUT and model["model_type"] == "embedding" else meter,
                list_unit_price=amount,
                pricing_unit=Unit.MILLION_TOKENS,
                evidence=price["price_per_m_decimal"],
                locator=f"{locator}/{key}",
                **bounds,
            )


PROVIDER = Provider(
    provider_id="novita",
    name="Novita AI",
    homepage="https://novita.ai",
    kind="reseller",
    sources=(
        Source("models", "https://api.novita.ai/openai/v1/models", "json", parse, verified=False),
        # Not a mere cross-check: it alone prices images, video and audio.
        Source("pricing", "https://novita.ai/pricing", "html", parse_page, verified=False),
    ),
)
