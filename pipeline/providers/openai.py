"""OpenAI's price page: an HTML page built with Astro, and the same page as Markdown.

The HTML shows the newest models only. The rows behind "All models" stand in the properties of its islands, where the
prices for long contexts are missing that only the rendered rows have; so every table is read from both.
The Markdown comes in two languages: until July 2026 the source of the page, whose tables are partly lost or cut off in
their middle, since then plain tables. All of them name models by their ids, so their series join.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lxml import html

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.reading import mdx
from pipeline.reading.astro import islands
from pipeline.reading.expect import whole_match
from pipeline.reading.extract import quote
from pipeline.reading.money import read_money
from pipeline.reading.tables import Record, Table, is_html, tables, text_of

TIERS = {
    "standard": ServiceTier.STANDARD,
    "batch": ServiceTier.BATCH,
    "flex": ServiceTier.FLEX,
    "priority": ServiceTier.PRIORITY,
    "fast": ServiceTier.PRIORITY,  # what priority processing is called since 2026-07-30
    "fast mode": ServiceTier.PRIORITY,
    "ultrafast": ServiceTier.ULTRAFAST,
}
TEXT = {
    "Input": Meter.INPUT,
    "Cached input": Meter.CACHE_READ,
    "Cache writes": Meter.CACHE_WRITE,
    "Output": Meter.OUTPUT,
    "Training": Meter.TRAINING,
    "Estimated cost": Meter.TRANSCRIPTION,
    "Price per second": Meter.VIDEO,
    "Price per minute": Meter.SESSION,
}
MODALITIES = {
    "Text": TEXT,
    "Audio": {"Input": Meter.AUDIO_INPUT, "Cached input": Meter.AUDIO_CACHE_READ, "Output": Meter.AUDIO_OUTPUT},
    "Image": {"Input": Meter.IMAGE_INPUT, "Cached input": Meter.IMAGE_CACHE_READ, "Output": Meter.IMAGE_OUTPUT},
}
CATEGORIES = {"Embedding": TEXT | {"Input": Meter.EMBEDDING}, "Moderation": TEXT | {"Input": Meter.MODERATION}}
NO_PRICES = {"Model", "Category", "Modality", "Use case", "Size", "Portrait", "Landscape"}
UNITS = {"Price per second": Unit.SECOND, "Price per minute": Unit.MINUTE}
# What sets the tables of the Markdown apart: each has one of these columns.
TELLING = UNITS.keys() | {"Short context input", "Category", "Modality", "Use case", "Training", "Tool"}
# A cell that prints its own unit says by it what is counted.
UNIT_METERS = {
    "minute": Meter.TRANSCRIPTION,
    "1M characters": Meter.SPEECH,
    "GB per day": Meter.STORAGE,
    "GB-day": Meter.STORAGE,
}
SEARCHES = {"Web search", ""}  # "": the source export has lost the name of the first group
TOOLS = dict.fromkeys(SEARCHES, Meter.SEARCH_CALL) | {
    "Containers": Meter.SESSION,
    "File search": Meter.TOOL_CALL,
    "Agent Kit": Meter.STORAGE,
}
CONTAINER_UNITS = {"20-minute session per container": Unit.MINUTE_20_SESSION, "container": Unit.SESSION}
# Rows of text tokens have no column names in the page's source: cache writes came in July 2026.
TEXT_ROWS = {
    4: ("Model", "Input", "Cached input", "Output"),
    5: ("Model", "Input", "Cached input", "Cache writes", "Output"),
}
EXPORTED = {
    "Flagship models": TEXT_ROWS[5],
    "Tools": ("Tool", "Details", "Pricing"),
    "Specialized models": ("Category", "Model", "Input", "Cached input", "Output"),
}

ENDING = "Tokens used for model grading"
FOREIGN = re.compile("[€£¥]")
PER = re.compile(r"Prices per ([\w ]+?)(?: unless noted)?\.")
LONG_CONTEXT = re.compile(r"(\d+)K (?:context length|input tokens)")
MODEL = re.compile(
    r"(?P<id>\S+)(?P<limit> \(<\d+K context length\))?"
    r"(?P<shared>\s\(?(?:with )?data sharing\)?)?(?:\s\(?[Ll]egacy\)?)?"
)
COLUMN = re.compile(r"(?:(?P<context>Short|Long) context (?:/ )?)?(?P<name>.+?)(?: / cost)?")
CONDITIONS = re.compile(r"\s(?:\+ |\(|after ).*", re.DOTALL)
TIER_LINE = re.compile(r"### (\w+) pricing data|(?:Standard|Batch|Flex|Priority|Fast|Fast mode|Ultrafast)")
SECTION = re.compile(r'pricing-section-heading[^"]*">\s*([^<\n]+)\n')
PANE = re.compile(r'data-content-switcher-pane data-value="(\w+)"')
ROW = re.compile(r'model: "(?P<group>[^"]+)"|(?=\[\s*(?:"|pricingHtml\())')


def parse_html(capture: Capture) -> Iterator[PriceQuote | None]:
    """The page as browsers get it: one island around each table, one pane for each tier, hidden or not."""
    # The furniture of the site are default exports; what has a name comes from the module of this page.
    components = [island for island in islands(capture) if island.component != "default"]
    found = []
    for island, table in zip(components, tables(capture), strict=True):
        rows = tuple(COMPONENTS[island.component](table, island.props))
        found.append((replace(table, rows=rows), TIERS[table.attributes.get("data-value", "standard")]))
    return _quotes(capture, found)


def parse_markdown(capture: Capture) -> Iterator[PriceQuote | None]:
    """The page with .md behind its address, in either of its languages."""
    if is_html(capture):
        raise ValueError("this is the HTML page")
    if ENDING not in capture.text:
        raise ValueError("the page breaks off before its last line")
    plain = list(zip(tables(capture), _tiers(capture.text), strict=True))
    for table, _ in plain:
        if not TELLING & set(table.header):
            raise ValueError(f"table {table.number} does not say what its models are for: {table.header}")
    return _quotes(capture, [*plain, *_exported(capture.text)])


def _text_tokens(table: Table, props: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """All rows under the columns of the table; those that are rendered say what they are about long contexts."""
    rendered = {row[0].partition(" ")[0]: row for row in table.rows}
    short = {column: name for column in table.header for context, name in [_column(column)] if context != "Long"}
    for values in props["rows"]:
        cells = dict(zip(TEXT_ROWS[len(values)], map(_cell, values), strict=True))
        if not cells.keys() <= set(short.values()):
            raise ValueError(f"{values} does not fit the columns {table.header}")
        row = tuple(cells.get(short.get(column, ""), "") for column in table.header)
        shown = (row[0], *rendered.pop(row[0].partition(" ")[0], row)[1:])
        for column, hidden, visible in zip(table.header, row, shown, strict=True):
            if column in short and column != "Model" and read_money(hidden) != read_money(visible):
                raise ValueError(f"{column} of {row[0]} is {visible} where it is rendered, but {hidden} in the island")
        yield shown
    if rendered:
        raise ValueError(f"rows are rendered that the island does not hold: {list(rendered)}")


def _grouped(table: Table, props: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    return _held(table, [[group["model"], *values] for group in props["groups"] for values in group["rows"]])


def _plain(table: Table, props: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    return _held(table, props["rows"])


def _held(table: Table, held: list[list[Any]]) -> Iterator[tuple[str, ...]]:
    """The rows of an island, which hold all that are rendered."""
    rows = [tuple(map(_cell, values)) for values in held]
    if strange := [shown for shown in table.rows if not any(_agree(shown, row) for row in rows)]:
        raise ValueError(f"rows are rendered that the island does not hold: {strange}")
    return iter(rows)


COMPONENTS = {"TextTokenPricingTables": _text_tokens, "GroupedPricingTable": _grouped, "PricingTable": _plain}


def _tiers(text: str) -> Iterator[ServiceTier]:
    """The tier of each Markdown table. A line above the table names it; it holds for this one table."""
    tier, in_table = "standard", False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("|") and not in_table:
            yield TIERS[tier]
            tier = "standard"
        elif named := TIER_LINE.fullmatch(line):
            tier = (named[1] or line).lower()
        in_table = line.startswith("|")


def _exported(text: str) -> Iterator[tuple[Table, ServiceTier]]:
    """The rows that are left in the source of the page, by section and pane. A section with unknown rows raises."""
    number = 0
    _, *sections = SECTION.split(text)
    for title, section in zip(map(str.strip, sections[::2]), sections[1::2], strict=True):
        first, *panes = PANE.split(section)
        lengths = [{len(row) for _, row in _source_rows(pane)} for pane in [first, *panes[1::2]]]
        if title == "Flagship models" and len({max(found) for found in lengths if found}) > 1:
            raise ValueError(f"not all tiers have the columns of the newest models: {lengths}")
        for tier, pane in zip(["standard", *panes[::2]], [first, *panes[1::2]], strict=True):
            if rows := tuple(_exported_row(EXPORTED[title], *row) for row in _source_rows(pane)):
                number += 1
                yield Table(number, (title,), {}, EXPORTED[title], rows), TIERS[tier]


def _source_rows(pane: str) -> Iterator[tuple[str, list[Any]]]:
    """Every row with the group that it stands in, also from what is left of a component without its beginning."""
    group, position = "", 0
    while found := ROW.search(pane, position):
        position = found.end()
        if found["group"]:
            group = found["group"]
        else:
            row, position = mdx.literal(pane, position)
            yield group, row


def _exported_row(header: tuple[str, ...], group: str, values: list[Any]) -> tuple[str, ...]:
    if header[0] != "Model":
        return group, *map(_cell, values)
    cells = dict(zip(TEXT_ROWS[len(values)], map(_cell, values), strict=True))
    return tuple(cells.get(column, "") for column in header)


def _agree(shown: tuple[str, ...], row: tuple[str, ...]) -> bool:
    """Whether a rendered row is a row of the island, where "$0.5" stands for "$0.50"."""
    return all(
        visible == hidden or (visible[:1] in {"$", "-", ""} and read_money(visible) == read_money(hidden))
        for visible, hidden in zip(shown, row, strict=True)
    )


def _cell(value: Any) -> str:
    """One value of a row as the page prints it. Bare numbers are dollars."""
    match value:
        case None:
            return ""
        case str():
            return value
        case Decimal():
            return f"${value:f}"
        case {"__pricingHtml": markup} | mdx.Call("pricingHtml", (markup,)):
            return text_of(html.fragment_fromstring(markup, create_parent="span"))
    raise ValueError(f"{value!r} is no cell of a price table")


def _quotes(capture: Capture, found: list[tuple[Table, ServiceTier]]) -> Iterator[PriceQuote | None]:
    records = [(record, tier) for table, tier in found for record in table.records()]
    if FOREIGN.search(capture.text):
        raise ValueError("there are other prices than those in dollars, which bare numbers are")
    if units := set(PER.findall(capture.text)) - {"1M tokens", "second"}:
        raise ValueError(f"there are prices per {sorted(units)}")
    limits = {int(thousands) * 1000 for thousands in LONG_CONTEXT.findall(capture.text)}
    if len(limits) > 1:
        raise ValueError(f"long contexts begin in several places: {limits}")
    # A short context is a band only where the page prices a long one too: most models have one price for all prompts.
    banded = {
        _name(record)["id"]
        for record, _ in records
        if any(column.startswith("Long") and read_money(printed) for column, printed in record.items())
    }
    for record, tier in records:
        if "Tool" in record:
            yield from _tool(record)
        else:
            name = _name(record)
            yield from _model(record, name, tier, min(limits) if name["limit"] or name["id"] in banded else None)


def _name(record: Record) -> re.Match[str]:
    return whole_match(MODEL, record["Model"], "a model id with notes")


def _model(record: Record, name: re.Match[str], tier: ServiceTier, limit: int | None) -> Iterator[PriceQuote | None]:
    if "Modality" in record:
        meters = MODALITIES[record["Modality"]]
    else:
        meters = CATEGORIES.get(record.get("Category", ""), TEXT)
    tuned = "Training" in record
    if "Size" in record and "Price per second" not in record:
        raise ValueError(f"{name['id']} has sizes, but no price of a second")
    for column, printed in record.items():
        if column in NO_PRICES:
            continue
        context, kind = _column(column)
        if kind == "Estimated cost" and read_money(record["Input"]):
            continue  # an estimate of the token prices beside it
        notes = [record["Size"]] if "Size" in record else []
        notes += ["with data sharing"] if name["shared"] else []
        notes += ["batch"] if tuned and tier is ServiceTier.BATCH and kind != "Training" else []
        yield quote(
            f"{name['id']} ({', '.join(notes)})" if notes else name["id"],
            UNIT_METERS.get(printed.partition(" / ")[2], meters[kind]),
            printed,
            unit=UNITS.get(kind, Unit.MILLION_TOKENS),
            locator=record.locator(column),
            service_tier=ServiceTier.FINE_TUNED if tuned else tier,
            context_from=limit if context == "Long" else None if limit is None else 0,
            context_to=None if context == "Long" else limit,
        )


def _column(printed: str) -> tuple[str | None, str]:
    """Context and name of a column: `Short context / Input` is the same as `Short context input`."""
    column = whole_match(COLUMN, printed, "a column name")
    return column["context"], column["name"].capitalize()


def _tool(record: Record) -> Iterator[PriceQuote | None]:
    tool, details, printed = record["Tool"], record["Details"], record["Pricing"]
    if not tool and "search" not in details:
        raise ValueError(f"{details!r} has lost the name of its group")
    unit = announced = None
    prices = [(details if tool in SEARCHES else f"{tool}: {details}", CONDITIONS.sub("", printed))]
    if tool == "Containers":
        offers, _, per = printed.rstrip(".").partition(" per ")
        unit = CONTAINER_UNITS[per]
        prices = [(f"{tool} ({size})", price) for size, price in (o.rsplit(" ", 1) for o in offers.split(", "))]
        if details.startswith("Starting "):
            announced = datetime.strptime(details, "Starting %B %d, %Y").replace(tzinfo=UTC)
    for label, price in prices:
        meter = UNIT_METERS.get(price.partition(" / ")[2], TOOLS[tool])
        yield quote(label, meter, price, unit=unit, locator=record.locator("Pricing"), announced_from=announced)


PRICING = "https://developers.openai.com/api/docs/pricing"

PROVIDER = Provider(
    provider_id="openai",
    name="OpenAI",
    homepage="https://openai.com",
    kind="first_party",
    sources=(
        Source(
            page_id="pricing",
            url=PRICING,
            format="html",
            parse=parse_html,
            former_urls=(
                "https://platform.openai.com/docs/pricing",
                "https://openai.com/api/pricing/",
                "https://openai.com/pricing",
            ),
        ),
        Source(
            page_id="pricing_md",
            url=f"{PRICING}.md",
            format="markdown",
            parse=parse_markdown,
            role="cross_check",
            former_urls=("https://platform.openai.com/docs/pricing.md",),
        ),
    ),
)
