"""Gemini API: one page with a section per model and in it a table per service tier.

Under each H2 stand the API ids that share its prices; they are the labels. The tiers are H3 headings above their
tables, in the HTML and in the Markdown that the site serves beside it (`pricing.md.txt`). Renderings by reader
services lose these headings and keep the line of tab links, whose order is that of the tables; one of them flattens
the tables to paragraphs as well.

A cell packs many prices, and all of it must be understood. A price for "text / image / video" is one quote for each;
sizes of images and videos stand in brackets behind the id.

Not read: the column of the free tier and the free allowance before a grounding price (they are no list prices), the
sections on tools and agents (they repeat the model tables in prose), and footnotes (they restate cells in other units).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.errors import LayoutChanged, UnreadablePrice
from pipeline.reading.expect import whole_match
from pipeline.reading.money import normalise, read_money, read_unit
from pipeline.reading.tables import Table, document, inline_text, is_html, tables, text_of

TIERS = {
    "Standard": ServiceTier.STANDARD,
    "Batch": ServiceTier.BATCH,
    "Flex": ServiceTier.FLEX,
    "Priority": ServiceTier.PRIORITY,
}
IGNORED_SECTIONS = {"Pricing for tools", "Pricing for agents"}
IGNORED_ROW = "Used to improve our products"
ROWS = {
    "Input price": Meter.INPUT,
    "Input price (text, image, video)": Meter.INPUT,
    "Text input price": Meter.INPUT,
    "Image input price": Meter.IMAGE_INPUT,
    "Audio input price": Meter.AUDIO_INPUT,
    "Video input price": Meter.VIDEO_INPUT,
    "Output price": Meter.OUTPUT,
    "Output price (including thinking tokens)": Meter.OUTPUT,
    "Context caching price": Meter.CACHE_READ,
    "Context caching (storage)": Meter.CACHE_STORAGE,
    "Tuning price": Meter.TRAINING,
    "Image generation pricing": Meter.IMAGE,
    "Image price": Meter.IMAGE,
    "Video price": Meter.VIDEO,
    "Grounding with Google Search": Meter.SEARCH_CALL,
    "Grounding with Google Web and Image Search": Meter.SEARCH_CALL,
    # A tool of its own beside the search, at its own price.
    "Grounding with Google Maps": Meter.TOOL_CALL,
}
# Rows that price one of the ids above the table.
VARIANT_ROW = re.compile(
    r"(?:Imagen|Veo|Lyria) [\d.]+(?: (?P<variant>Standard|Fast|Ultra|Lite|Clip|Pro))?(?: Preview)?"
    r" (?P<what>image price|video with audio price \(default\)|\(30s\)|\(Full Song\))"
)
VARIANTS = ("fast", "ultra", "lite", "clip", "pro")
VARIANT_METERS = {
    "image price": Meter.IMAGE,
    "video with audio price (default)": Meter.VIDEO,
    "(30s)": Meter.REQUEST,
    "(Full Song)": Meter.REQUEST,
}
MODALITIES = {
    (Meter.INPUT, "text"): Meter.INPUT,
    (Meter.INPUT, "image"): Meter.IMAGE_INPUT,
    (Meter.INPUT, "audio"): Meter.AUDIO_INPUT,
    (Meter.INPUT, "video"): Meter.VIDEO_INPUT,
    (Meter.OUTPUT, "text"): Meter.OUTPUT,
    (Meter.OUTPUT, "thinking"): Meter.OUTPUT,
    (Meter.OUTPUT, "images"): Meter.IMAGE_OUTPUT,
    (Meter.OUTPUT, "audio"): Meter.AUDIO_OUTPUT,
    (Meter.OUTPUT, "video"): Meter.VIDEO_OUTPUT,
    (Meter.CACHE_READ, "text"): Meter.CACHE_READ,
    (Meter.CACHE_READ, "image"): Meter.IMAGE_CACHE_READ,
    (Meter.CACHE_READ, "audio"): Meter.AUDIO_CACHE_READ,
    (Meter.CACHE_READ, "video"): Meter.VIDEO_CACHE_READ,
}
PER_IMAGE = {Meter.INPUT: Meter.IMAGE_INPUT, Meter.OUTPUT: Meter.IMAGE}

_HEADER = re.compile(r"Paid Tier, per (.+) in USD")
_MARK = re.compile(r"\s*(?:\[\^\*+\]|\^?\*+\^?)")
_REMARK = re.compile(
    r"Same as Standard(?:, Batch pricing not yet implemented)?|\(4k output not supported\)|\(shut down\)"
)
_DAY = r"[A-Z][a-z]+\ \d{1,2},\ \d{4}"
_PRICE = re.compile(
    rf"""(?P<open>\()?(?:(?:[Ee]quivalent\ to|and)\ )?
    \$(?P<amount>\d+(?:\.\d+)?)
    (?:\ or\ \$(?P<per_minute>\d+(?:\.\d+)?)/min\*?)?
    (?:\ /\ (?P<tokens>1,000,000\ tokens(?:\ per\ hour)?)(?:\ \(storage\ price\))?
      |\ per\ (?:(?P<sizes>[\d.]+K(?:/[\d.]+K)*)\ (?:resolution\ )?)?(?P<each>image|second|frame|song))?
    (?:,\ prompts\ (?P<side><=|>)\ (?P<threshold>\d+)k(?:\ tokens?)?)?
    (?:\ \((?P<of>[^()$]+)\))?(?P<mark>\*)?
    (?:\ through\ (?P<until>{_DAY})|\ starting\ (?P<since>{_DAY}))?
    (?(open)\))[,.]?(?:\ |$)""",
    re.VERBOSE,
)
_GROUNDING = re.compile(
    r"[\d,]+ (?:(?:RPD|prompts per month|requests per month) \(free[^()]*\)"
    r"|free (?P<searches>search requests) per month(?: \([^()]*\))?)"
    r", then \$(?P<amount>\d+(?:\.\d+)?) (?:/|per) 1,000 (?P<counted>grounded prompts|search queries|requests)"
    r"(?: for text and image-based grounding)?\.?"
)
_TABS = re.compile(r"^(?:\[\w+\]\([^)\s]*\))+ ?More$", re.MULTILINE)
_FLAT_TABLE = re.compile(rf"^Free Tier\n\n(Paid Tier, .+\n\n[\s\S]+?^{IGNORED_ROW}\n\n.+\n\n.+)$", re.MULTILINE)
# In 2025 older Live models were priced in a list below the table of their successor.
_LISTED = re.compile(r"(?P<label>[\w.-]+): Input (?P<input>[$€£¥].+), Output: (?P<output>[$€£¥].+)")


def parse(capture: Capture) -> Iterator[PriceQuote]:
    """Every price of every model and tier. Raises for sections, tabs, rows and parts of cells that are not known."""
    if not is_html(capture):
        capture = replace(capture, body=_FLAT_TABLE.sub(_as_table, capture.text).encode())
    sections = list(_html_sections(capture) if is_html(capture) else _markdown_sections(capture))
    by_heading = {heading: (ids, tabs) for heading, ids, tabs in sections}
    if len(by_heading) != len(sections):
        raise LayoutChanged("two sections have the same heading")
    without_table = {heading for heading, (ids, _) in by_heading.items() if ids}
    for heading, group in groupby(tables(capture), key=_section_of):
        if heading in IGNORED_SECTIONS:
            continue
        ids, tabs = by_heading[heading]
        in_section = list(group)
        tiers = [table.heading for table in in_section if table.heading in TIERS] or tabs or ["Standard"]
        if len(set(tiers)) != len(in_section):
            raise LayoutChanged(f"{heading!r} has {len(in_section)} tables for the tiers {tiers}")
        for table, tier in zip(in_section, tiers, strict=True):
            for quote in _table_quotes(table, ids):
                yield replace(quote, service_tier=TIERS[tier])
        without_table.discard(heading)
    if without_table:
        raise LayoutChanged(f"no table in the sections {sorted(without_table)}")
    yield from _listed_quotes(capture)


def _section_of(table: Table) -> str:
    return next((heading for heading in reversed(table.headings) if heading not in TIERS), "")


def _html_sections(capture: Capture) -> Iterator[tuple[str, list[str], list[str]]]:
    for heading in document(capture).iter("h2"):
        codes = heading.xpath("following-sibling::*[1][self::em]//code")
        yield text_of(heading), [text_of(code) for code in codes], []


def _markdown_sections(capture: Capture) -> Iterator[tuple[str, list[str], list[str]]]:
    for section in re.split(r"^## ", capture.text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        id_line = re.match(r"\s*[*_]\[?`.+", body)
        tabs = _TABS.search(body)
        yield (
            inline_text(heading),
            re.findall(r"`([^`]+)`", id_line[0]) if id_line else [],
            re.findall(r"\[(\w+)\]", tabs[0]) if tabs else [],
        )


def _as_table(flat: re.Match[str]) -> str:
    cells = ["", "Free Tier", *(normalise(cell) for cell in flat[1].split("\n\n"))]
    rows = [cells[start : start + 3] for start in range(0, len(cells), 3)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * 3, *rows[1:]])


def _listed_quotes(capture: Capture) -> Iterator[PriceQuote]:
    items = (
        [normalise(text_of(item)) for item in document(capture).iter("li")]
        if is_html(capture)
        else [inline_text(line[1:]) for line in capture.text.splitlines() if line.startswith(("* ", "- "))]
    )
    for match in filter(None, map(_LISTED.fullmatch, items)):
        for meter in (Meter.INPUT, Meter.OUTPUT):
            for price in _prices(meter, match[meter], Unit.MILLION_TOKENS, f"list item {match['label']}"):
                yield replace(price, model_label=match["label"])


def _table_quotes(table: Table, ids: list[str]) -> Iterator[PriceQuote]:
    first, free, paid = table.header
    header = _HEADER.fullmatch(paid)
    if header is None or (first, free) != ("", "Free Tier"):
        raise LayoutChanged(f"table {table.number} has the columns {table.header}")
    for row in table.records():
        name = _MARK.sub("", row[first])
        if name == IGNORED_ROW:
            continue
        meter, labels = (ROWS[name], ids) if name in ROWS else _variant(name, ids)
        if meter is Meter.INPUT and all("embedding" in label for label in labels):
            meter = Meter.EMBEDDING
        for price in _prices(meter, row[paid], read_unit(header[1]), row.locator(paid)):
            if not labels:
                raise LayoutChanged(f"table {table.number} has prices, but no API id stands above it")
            for label in labels:
                yield replace(price, model_label=label + price.model_label)


def _variant(row: str, ids: list[str]) -> tuple[Meter, list[str]]:
    """What a row such as "Veo 3 Fast video with audio price (default)" counts, and the one id that it is about."""
    match = whole_match(VARIANT_ROW, row, "a row")
    wanted = (match["variant"] or "standard").lower()
    [label] = [i for i in ids if next((word for word in VARIANTS if f"-{word}-" in i), "standard") == wanted]
    return VARIANT_METERS[match["what"]], [label]


def _prices(row: Meter, cell: str, unit: Unit, locator: str) -> Iterator[PriceQuote]:
    """The prices of a cell, with sizes such as " (720p)" for a label. Raises UnreadablePrice for what is left over."""
    text = normalise(_REMARK.sub("", _MARK.sub("*", cell)))
    price = PriceQuote(
        model_label="", meter=row, list_unit_price=None, pricing_unit=unit, evidence=cell, locator=locator
    )
    if "$" not in text:
        if money := read_money(text):
            if money.currency:
                raise UnreadablePrice(f"{cell!r} is not in USD")
            yield replace(price, list_unit_price=money.amount)
    elif row in (Meter.SEARCH_CALL, Meter.TOOL_CALL):
        match = _GROUNDING.fullmatch(text)
        if match is None:
            raise UnreadablePrice(f"{cell!r} does not price grounding in a way that is known")
        # A prompt may cause several searches. Older models are charged by the prompt, newer ones by the search.
        by_search = match["searches"] or match["counted"] == "search queries"
        counted = Unit.THOUSAND_CALLS if by_search else Unit.THOUSAND_REQUESTS
        yield replace(price, list_unit_price=Decimal(match["amount"]), pricing_unit=counted)
    else:
        end = 0
        while end < len(text):
            match = _PRICE.match(text, end)
            if match is None:
                raise UnreadablePrice(f"{text[end:]!r} in {cell!r} is not a price that is known")
            yield from _priced(price, match)
            end = match.end()


def _priced(cell: PriceQuote, match: re.Match[str]) -> Iterator[PriceQuote]:
    row, unit = cell.meter, cell.pricing_unit
    words = re.split(r" ?/ ?|, | and ", match["of"]) if match["of"] else []
    sizes = match["sizes"].split("/") if match["sizes"] else []
    if match["tokens"] or match["each"]:
        unit = read_unit(match["tokens"] or match["each"])
    elif row is Meter.INPUT and words == ["image"] and match["mark"]:
        # "$0.0006 (image)*" in a table per 1M tokens: the footnote prices image input by the image.
        unit = Unit.IMAGE
    if row is Meter.VIDEO:
        words, sizes = [], words
    if match["each"] == "image":
        row = PER_IMAGE.get(row, row)
    if unit is Unit.MILLION_TOKENS_HOUR:
        row = Meter.CACHE_STORAGE
    threshold = int(match["threshold"]) * 1000 if match["threshold"] else None
    for amount, counted in ((match["amount"], unit), (match["per_minute"], Unit.MINUTE)):
        for meter in [MODALITIES[row, word] for word in words] or [row]:
            for size in sizes or [""]:
                if amount:
                    yield replace(
                        cell,
                        model_label=f" ({size})" if size else "",
                        meter=meter,
                        list_unit_price=Decimal(amount),
                        pricing_unit=counted,
                        context_from=0 if match["side"] == "<=" else threshold,
                        context_to=threshold if match["side"] == "<=" else None,
                        valid_until=_day(match["until"]) + timedelta(days=1) if match["until"] else None,
                        announced_from=_day(match["since"]) if match["since"] else None,
                    )


def _day(printed: str) -> datetime:
    return datetime.strptime(printed, "%B %d, %Y").replace(tzinfo=UTC)


PROVIDER = Provider(
    provider_id="google",
    name="Google (Gemini API)",
    homepage="https://ai.google.dev",
    kind="first_party",
    sources=(
        Source(
            page_id="pricing",
            url="https://ai.google.dev/gemini-api/docs/pricing",
            format="html",
            parse=parse,
            former_urls=("https://ai.google.dev/gemini-api/docs/pricing.md.txt", "https://ai.google.dev/pricing"),
        ),
    ),
)
