"""Anthropic: prices of the Claude API, from three pages.

`pricing`, the price page of the documentation, is the primary source and is read in every layout since May 2025. A
table is known by the heading above it; fast mode is the priority tier. Prices that stand in sentences (web search, code
execution, session runtime) are read from the text. Multipliers ("1.1x", "50% discount"), free allowances, token counts
and worked examples are no prices; the tables that hold nothing else are named in NOT_PRICES.

One price for any prompt length: where a table splits a model's price by prompt length, the table of models prints the
price of the lower band a second time. That price is given the bounds of the band, so that the two fold into one or,
where they differ, fail. Prices that the page does not split (cache, batch) have no bounds.

`models`, the model overview, had the same table until late 2025; since then it has a row of input and output prices, in
which "From $0.10" belongs to no band and is left out. `marketing` has a card per model, and subscriptions that are left
out.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source
from pipeline.errors import LayoutChanged
from pipeline.reading.expect import whole_match
from pipeline.reading.extract import quote
from pipeline.reading.money import normalise
from pipeline.reading.tables import Table, is_html, tables, text_lines

Fields = dict[str, Any]  # of a PriceQuote

TIERS = {
    "Model pricing": ServiceTier.STANDARD,
    "Long context pricing": ServiceTier.STANDARD,
    "Batch processing": ServiceTier.BATCH,
    "Fast mode pricing": ServiceTier.PRIORITY,
}
METERS = {
    "base input tokens": Meter.INPUT,
    "batch input": Meter.INPUT,
    "input": Meter.INPUT,
    "cache writes": Meter.CACHE_WRITE,
    "5m cache writes": Meter.CACHE_WRITE_5M,
    "1h cache writes": Meter.CACHE_WRITE_1H,
    "cache hits": Meter.CACHE_READ,
    "cache hits and refreshes": Meter.CACHE_READ,
    "output tokens": Meter.OUTPUT,
    "batch output": Meter.OUTPUT,
    "output": Meter.OUTPUT,
}
NOT_PRICES = {
    ("Cache operation", "Multiplier", "Duration"),
    ("Concept", "Details"),
    ("Line item", "Calculation", "Cost"),
    ("Model", "Additional input tokens"),
    ("Model", "Input tokens per tool definition"),
    ("Model", "Tool choice", "Tool use system prompt token count"),
    ("Modifier", "Why it doesn't apply"),
    ("SKU", "Rate", "Metering"),  # its price per session-hour is read as text
    ("Tool", "Additional input tokens"),
}
MODEL_IDS = {
    ("Model", "Anthropic API", "AWS Bedrock", "GCP Vertex AI"),
    ("Model", "Claude API", "AWS Bedrock", "GCP Vertex AI"),
    ("Model", "Alias", "Model ID"),
}
# The sentence that names the models of a table which has no column for them.
NAMED_BEFORE = {
    "Long context pricing": re.compile(r"When using (.+) with the 1M token context window"),
    "Fast mode pricing": re.compile(r"Currently supported on (.+):"),
}
# What a price in the text buys, by its unit. None: a price that a table prints too, or the unit of a cloud's invoice.
STATED = {
    "1,000 searches": ("Web search", Meter.SEARCH_CALL),
    "1K searches": ("Web search", Meter.SEARCH_CALL),
    "hour": ("Code execution", Meter.COMPUTE),
    "session-hour": ("Session runtime", Meter.SESSION),
    "CCU": None,
    "million": None,
    "MTok": None,
}
ENDING = "For additional questions about pricing"
CARD = {"Input": Meter.INPUT, "Output": Meter.OUTPUT, "Write": Meter.CACHE_WRITE_5M, "Read": Meter.CACHE_READ}
CARD_CACHE_TTL = "Prompt caching pricing reflects 5-minute TTL."

# An estimate ("~$0.003 per request") is no price.
_STATED = re.compile(r"(?<!~)[$€£¥][\d.]+(?: [A-Z]{3})?(?: per | ?/ ?)(\d[\d,]*[KM]? \w+|[a-z][a-z-]*)", re.IGNORECASE)
_SIDE = re.compile(r"(From )?(\$[\d.]+ / (input|output) MTok)")
_BAND = re.compile(r"\(?(?:(?:for )?prompts )?(≤|>|up to|over) ?([\d,]+)(K?) (?:input )?tokens\)?", re.IGNORECASE)
_STATUS = re.compile(r" \((?:deprecated|limited availability|retired)\b[^()]*\)")
_DATED = re.compile(r" (through|starting) ([A-Z][a-z]+ \d+, \d{4})")
# "Claude Opus 4.8", in sentences and on cards "Opus 4.8", before Claude 4 "Claude 3.7 Sonnet".
_NAME = re.compile(r"(?:Claude )?([A-Z][a-z]+) (\d[\d.]*|Preview)|Claude (\d[\d.]*) ([A-Z][a-z]+)")


def parse_pricing(capture: Capture) -> Iterator[PriceQuote | None]:
    """The price page, as Markdown or HTML."""
    lines = text_lines(capture)
    if not is_html(capture) and not any(line.startswith(ENDING) for line in lines):
        raise LayoutChanged("the page breaks off before its last line")
    priced = [table for table in tables(capture) if table.header not in NOT_PRICES]
    if not {"Model pricing", "Batch processing"} <= {table.heading for table in priced}:
        raise LayoutChanged("no table of models or none of batch prices; is the page cut off?")
    found = [price for table in priced for price in _rows(table, TIERS[table.heading], lines) if price]
    split = {_offer(price): price.context_to for price in found if price.context_from == 0}
    for price in found:
        if price.context_from is None and _offer(price) in split:
            price = replace(price, context_from=0, context_to=split[_offer(price)])
        yield price
    yield from _stated(lines)


def parse_models(capture: Capture) -> Iterator[PriceQuote | None]:
    """The model overview, as Markdown or HTML."""
    found = tables(capture)
    if not any(table.header[0] == "Feature" for table in found):
        raise LayoutChanged("no table compares the models")
    for table in found:
        if table.header[0] == "Feature":
            yield from _columns(table)
        elif table.header not in MODEL_IDS:
            yield from _rows(table, {"Model pricing": ServiceTier.STANDARD}[table.heading], [])


def parse_marketing(capture: Capture) -> Iterator[PriceQuote | None]:
    """The cards of the marketing page: names, labels, bands and prices, each on a line of its own."""
    lines = text_lines(capture)
    if not any(line.startswith(CARD_CACHE_TTL) for line in lines):
        raise LayoutChanged("the page does not say how long a cache write lasts")
    name, label, bounds = "", "", Fields()
    for number, line in enumerate(lines, start=1):
        if _NAME.fullmatch(line):
            name, label = line, ""
        elif line in ("Input", "Output", "Prompt caching", "Prompt Caching"):
            label, bounds = line, Fields()
        elif line in ("Write", "Read"):
            label = line
        elif _BAND.fullmatch(line):
            bounds, _ = _take_band(line)
        elif line.endswith("/ MTok"):
            yield quote(_label(name), CARD[label], line, locator=f"line {number}", **bounds)
    yield from _stated(lines)


def _rows(table: Table, tier: ServiceTier, lines: list[str]) -> Iterator[PriceQuote | None]:
    """A table with a row per model or per context band. A blank name repeats the one above."""
    named = "" if "Model" in table.header else _named_before(table, lines)
    for record in table.records():
        named = record.pop("Model", "") or named
        labels, dimensions = _models(named)
        row_bounds, _ = _take_band(record.pop("Context window", ""))
        for column, cell in record.items():
            bounds, of_column = _take_band(column)
            of_cell, _, printed = cell.rpartition(": ")
            # Either the column says what is priced or, under a column that is a band, the cell: "Input: $3 / MTok".
            meter = METERS[(of_column + of_cell).lower().replace("&", "and")]
            fields = {**dimensions, **row_bounds, **bounds}
            for label in labels:
                where = record.locator(normalise(column))
                yield quote(label, meter, printed, service_tier=tier, locator=where, **fields)


def _columns(table: Table) -> Iterator[PriceQuote | None]:
    """A table with a column per model, whose prices are `$4 / input MTok, $20 / output MTok`."""
    for record in table.records():
        if not record.pop("Feature").startswith("Pricing"):
            continue
        for column, cell in record.items():
            sides = _SIDE.findall(cell)
            if [side for *_, side in sides] != ["input", "output"]:
                raise LayoutChanged(f"{cell!r} is not a price of input and one of output")
            for of_several, printed, side in sides:
                if not of_several:
                    yield quote(_label(column), METERS[side], printed, locator=record.locator(column))


def _stated(lines: list[str]) -> Iterator[PriceQuote | None]:
    """The prices that stand in sentences. A unit that is not known raises."""
    for number, line in enumerate(lines, start=1):
        for match in _STATED.finditer(line):
            if (bought := STATED[match[1]]) is not None:
                yield quote(*bought, match[0], locator=f"line {number}")


def _named_before(table: Table, lines: list[str]) -> str:
    [sentence] = filter(None, map(NAMED_BEFORE[table.heading].search, lines))
    return " / ".join(name[0] for name in _NAME.finditer(sentence[1]))


def _models(printed: str) -> tuple[list[str], Fields]:
    """The labels in a cell such as `Claude Sonnet 4.6 / 4.5`, and what else it says: a status, a band, a date."""
    fields, rest = _take_band(_STATUS.sub("", printed))
    if dated := _DATED.search(rest):
        rest = rest.replace(dated[0], "")
        day = datetime.strptime(dated[2], "%B %d, %Y").replace(tzinfo=UTC)
        fields |= {"valid_until": day + timedelta(days=1)} if dated[1] == "through" else {"announced_from": day}
    first, *others = rest.split(" / ")
    family = first.rpartition(" ")[0]
    return [_label(first), *(_label(name if " " in name else f"{family} {name}") for name in others)], fields


def _label(printed: str) -> str:
    name = whole_match(_NAME, printed, "the name of a Claude model")
    return f"Claude {name[1] or name[4]} {name[2] or name[3]}"


def _take_band(printed: str) -> tuple[Fields, str]:
    """The context band in a text, as fields of a quote, and the text without it."""
    band = _BAND.search(printed)
    if band is None:
        return {}, printed
    tokens = int(band[2].replace(",", "")) * (1000 if band[3] else 1)
    lower = band[1].lower() in ("≤", "up to")
    rest = normalise(printed[: band.start()] + printed[band.end() :])
    return {"context_from": 0 if lower else tokens, "context_to": tokens if lower else None}, rest


def _offer(price: PriceQuote) -> tuple[object, ...]:
    return price.model_label, price.meter, price.service_tier


DOCS = "https://platform.claude.com/docs/en"
DOCS_2025 = ("https://docs.claude.com/en/docs", "https://docs.anthropic.com/en/docs")

PROVIDER = Provider(
    provider_id="anthropic",
    name="Anthropic",
    homepage="https://www.anthropic.com",
    kind="first_party",
    sources=(
        Source(
            page_id="pricing",
            url=f"{DOCS}/about-claude/pricing.md",
            format="markdown",
            parse=parse_pricing,
            former_urls=(
                f"{DOCS}/about-claude/pricing",
                *(f"{docs}/about-claude/pricing{end}" for docs in DOCS_2025 for end in (".md", "")),
            ),
        ),
        Source(
            page_id="models",
            url=f"{DOCS}/models/overview.md",
            format="markdown",
            parse=parse_models,
            role="cross_check",
            former_urls=(
                *(f"{docs}/about-claude/models/overview" for docs in (DOCS, *DOCS_2025)),
                *(f"{docs}/about-claude/models" for docs in DOCS_2025),
            ),
        ),
        Source(
            page_id="marketing",
            url="https://claude.com/pricing",
            format="html",
            parse=parse_marketing,
            role="cross_check",
            former_urls=("https://www.anthropic.com/pricing", "https://www.anthropic.com/api"),
        ),
    ),
)
