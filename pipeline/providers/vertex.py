"""Google Cloud's price page for generative AI on Vertex AI, since 2026 the Gemini Enterprise Agent Platform. USD.

One page of tables in twenty shapes. A table is known by its header: columns of words, then columns of prices, whose
names tell unit, prompt length and tier. A row of words holds a model and a kind of usage; which is which is told by
the words themselves, because cells that span too many rows push others aside. A cell holds one price or many, each
with a kind of usage, a region or a unit of its own, and all of it must be understood.

- "Flex/Batch" is one price for two tiers. Tabs of regions repeat the tables of partner models.
- Prices of non-global endpoints are announced for a day that a footnote names.
- A cell that prices one thing twice contradicts itself, with left-overs of another price list: it is not read. Two
  cache writes are for two lifetimes; where neither is named these two are not read, the other prices of the cell are.
- Grounding is priced in prose, per generation of Gemini. Free allowances are no prices.
- Not read: prices by modality that the page calls a reference only, examples, and provisioned throughput.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.errors import LayoutChanged, UnreadablePrice
from pipeline.reading.money import normalise, read_number
from pipeline.reading.tables import Table, document, tables, text_of

IN_USD = "US Dollars (USD)"
TABS = {"Standard": None, "Priority": "Priority", "Flex/Batch": "Flex/Batch"}
SAME_EVERYWHERE = "Models with uniform pricing across all regions"
# Tabs and headings whose tables are not read, each with a column that such a table has.
IGNORED = {
    "Modality-based pricing": "Type",
    "Agent Platform Model Optimizer Pricing (Experimental)*": "Customer Preference",
    "Provisioned Throughput": "Price per GSU",
}
WORDS = {"Model", "Open Source Model", "Type", "Feature", "Method", "Usage", "Region"}
PROSE = {"Description", "Input", "Output", "Output Resolution"}
DETAILS = {"", "Multimodal", "Tuning", "Text translation"}
CACHE_STORAGE = "Context Cache Storage"
# The last of them is a price on another page.
NO_PRICE = {"", "N/A", "NA", "$ per node hour (Agent Platform custom training pricing)"}
TIERS = {
    None: (ServiceTier.STANDARD,),
    "Online requests": (ServiceTier.STANDARD,),
    "Priority": (ServiceTier.PRIORITY,),
    "Flex/Batch": (ServiceTier.FLEX, ServiceTier.BATCH),
    "Batch API": (ServiceTier.BATCH,),
    "Batch requests": (ServiceTier.BATCH,),
}
UNITS = {
    "1,000 input tokens": Unit.THOUSAND_TOKENS,
    "1M tokens": Unit.MILLION_TOKENS,
    "1M training tokens": Unit.MILLION_TOKENS,
    "M tokens": Unit.MILLION_TOKENS,
    "million tokens": Unit.MILLION_TOKENS,
    "M tok-hour": Unit.MILLION_TOKENS_HOUR,
    "M Tok/hr": Unit.MILLION_TOKENS_HOUR,
    "1k characters": Unit.THOUSAND_CHARACTERS,
    "1k characters input": Unit.THOUSAND_CHARACTERS,
    "1,000 characters": Unit.THOUSAND_CHARACTERS,
    "1M training characters": Unit.MILLION_CHARACTERS,
    "million characters": Unit.MILLION_CHARACTERS,
    "image": Unit.IMAGE,
    "image input": Unit.IMAGE,
    "per frame": Unit.FRAME,
    "sec": Unit.SECOND,
    "second": Unit.SECOND,
    "second of video": Unit.SECOND,
    "30 seconds": Unit.THIRTY_SECONDS,
    "30 second song": Unit.SONG,
    "full song up to 3 mins": Unit.SONG,
}
METERS = {
    ("input", "text"): Meter.INPUT,
    ("input", "image"): Meter.IMAGE_INPUT,
    ("input", "video"): Meter.VIDEO_INPUT,
    ("input", "audio"): Meter.AUDIO_INPUT,
    ("output", "text"): Meter.OUTPUT,
    ("output", "image"): Meter.IMAGE_OUTPUT,
    ("output", "audio"): Meter.AUDIO_OUTPUT,
    ("cached input", "text"): Meter.CACHE_READ,
    ("cached input", "image"): Meter.IMAGE_CACHE_READ,
    ("cached input", "video"): Meter.VIDEO_CACHE_READ,
    ("cached input", "audio"): Meter.AUDIO_CACHE_READ,
}
NAMED_KINDS = {
    "Cache Hit": Meter.CACHE_READ,
    "Cache Write": Meter.CACHE_WRITE,
    "5m Cache Write": Meter.CACHE_WRITE_5M,
    "1h Cache Write": Meter.CACHE_WRITE_1H,
    "Training Token": Meter.TRAINING,
    "Tuning for 1M training tokens": Meter.TRAINING,
    "Supervised fine-tuning": Meter.TRAINING,
    "Preference tuning": Meter.TRAINING,
    "The number of input characters per month": Meter.INPUT,
    "The number of output characters per month": Meter.OUTPUT,
}
FEATURES = (
    dict.fromkeys(
        ("Image generation", "Image editing", "Upscaling", "Product Recontext", "Virtual Try-On"), Meter.IMAGE
    )
    | dict.fromkeys(("Visual Captioning", "Visual Q&A", "Embeddings for Multimodal: Image"), Meter.IMAGE_INPUT)
    | dict.fromkeys(("Video generation", "Video + Audio generation", "Advanced Controls"), Meter.VIDEO)
    | dict.fromkeys(
        ("Full song music generation", "30 second music clip generation", "Music generation"), Meter.REQUEST
    )
    | dict.fromkeys(
        (f"Embeddings for Multimodal: Video {grade}" for grade in ("Plus", "Standard", "Essential")), Meter.VIDEO_INPUT
    )
    | {"Embeddings for Multimodal: Text": Meter.EMBEDDING}
)
WITHOUT_MODEL = {"Virtual Try-On": "Virtual Try-On"}
TOOLS = {
    "Grounding with Google Search": Meter.SEARCH_CALL,
    "Grounding with Google Web Search and Image Search, & Web Grounding for Enterprise": Meter.SEARCH_CALL,
    "Web Grounding for enterprise": Meter.SEARCH_CALL,
    "Grounding with Google Maps": Meter.TOOL_CALL,
    "Grounding with your data": Meter.TOOL_CALL,
    "Web Search Request": Meter.SEARCH_CALL,
}
TOOL_TABLES = (["Feature", "Pricing"], ["Tool", "Price"])
# A prompt may cause several searches.
COUNTED = {
    "search queries": Unit.THOUSAND_CALLS,
    "queries": Unit.THOUSAND_CALLS,
    "searches": Unit.THOUSAND_CALLS,
    "grounded prompts": Unit.THOUSAND_REQUESTS,
    "prompts": Unit.THOUSAND_REQUESTS,
    "requests": Unit.THOUSAND_REQUESTS,
}

_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_DAY = r"[A-Z][a-z]+ \d{1,2}, \d{4}"
_NON_GLOBAL = re.compile(rf"\bnon-global endpoints\b[^.]*? on ({_DAY})\.")
_REGION = re.compile(r"Global|[A-Z]{2} Multi-Region \([a-z]{2}\)|[a-z]+-[a-z]+\d+")
_MARK = re.compile(r" ?(?:\*+|\[\^\*+\])$")
_MODEL = re.compile(
    r"(?P<label>.+?)(?: \((?:Deprecated|Unified Multimodal, Preview)\))?(?: ?\*+)?"
    rf"(?: through (?P<until>{_DAY})| Starting (?P<since>{_DAY}))?"
)
_COLUMN = re.compile(
    rf"(?:Pric(?:e|ing)|(?P<storage>Storage))(?: (?:\(/?|per )(?P<unit>{_UNIT})\)?)?"
    r"(?: (?:\( )?(?P<side><=|=<|>) (?P<limit>\d+)K (?P<cached>cached )?input tokens\)?)?"
    r"(?: with (?P<tier>Priority|Flex/Batch|Batch API))?"
)
_MODALITY = "text|image|video|audio"
_KIND = re.compile(
    rf"(?:1M )?(?:(?P<before>{_MODALITY}) )?(?P<way>input|output)(?: (?P<after>{_MODALITY}|video/image))?(?: tokens)?"
    rf"(?: \((?:(?P<of>(?:{_MODALITY})(?:, (?:{_MODALITY}))*)|response and reasoning)\))?"
    rf"(?: \(\$/(?P<unit>{_UNIT})\))?",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"(?:(?P<what>[A-Z0-9][A-Za-z0-9 ]*): )?(?:\$(?P<amount>\d+(?:\.\d+)?)|No charge)"
    rf"(?: ?(?:\(?/|per ) ?(?P<unit>{_UNIT})\)?(?: \(or \$(?P<page>\d+(?:\.\d+)?)/page\))?)?"
    r"(?: \((?P<region>Global|Non-global)\)(?P<later>\*)?)?(?:\[\^\*+\])?(?: |$)"
)
_SIZE = re.compile(r"\d+[pk]")
_FIGURE = re.compile(r"\$\d|No charge")
_TOOL_PRICE = re.compile(rf"\$(?P<amount>\d+(?:\.\d+)?) per 1,?000 (?P<counted>{'|'.join(COUNTED)})\b")
_TOOL_START = re.compile(rf"(?:\bstarting|Billing will start) ({_DAY})")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a word such as "Audio Input" or "5m Batch Cache Write" prices: one named meter, or a way by modalities."""

    named: Meter | None
    ways: tuple[tuple[str, str], ...] = ()
    unit: Unit | None = None
    is_batch: bool = False

    @property
    def stage(self) -> int | None:
        """The place of a row in the order of the rows of a model, if it has one."""
        if self.is_batch or (self.named and self.named is not Meter.TRAINING):
            return None
        return 2 if self.named else ("input", "output").index(self.ways[0][0])

    def meters(self, is_cached: bool) -> list[Meter]:
        return [self.named] if self.named else [METERS["cached " * is_cached + way, of] for way, of in self.ways]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about. Without `kinds`, these stand in its cells; `embeds`: text input makes embeddings."""

    labels: list[str]
    kinds: list[Kind]
    region: str | None = None
    is_storage: bool = False
    announced_from: datetime | None = None
    valid_until: datetime | None = None
    embeds: bool = False


def parse(capture: Capture) -> Iterator[PriceQuote]:
    text = normalise(text_of(document(capture)))
    if IN_USD not in text or not capture.text.rstrip().endswith("</html>"):
        raise LayoutChanged("the page is cut off, or not in US dollars")
    for cell in document(capture).xpath("//td[@colspan > 1 or @rowspan > 1]"):
        is_wide = cell.get("colspan", "1") != "1" or _FIGURE.search(text_of(cell))
        if is_wide and text_of(cell.getparent()[0]) not in TOOLS:
            raise LayoutChanged(f"{text_of(cell)!r} stands for several prices")
    non_global = set(_NON_GLOBAL.findall(text))
    for table, (section, tab) in zip(tables(capture), _places(capture), strict=True):
        for quote in _table_quotes(table, section, tab):
            if quote.region == "Non-global*":
                [day] = non_global
                start = max(_day(day), quote.announced_from or _day(day))
                quote = replace(quote, region="Non-global", announced_from=start)
            yield quote


def _places(capture: Capture) -> Iterator[tuple[str, str]]:
    """For each table the heading above it that is not the name of a tab, and the name of the tab that it stands in."""
    section = ""
    for element in document(capture).iter("h2", "h3", "h4", "table"):
        if element.tag == "table":
            yield section, "".join(map(text_of, element.xpath("ancestor::section[1]/h3")))
        elif element.getparent().tag != "section":
            section = text_of(element)


def _table_quotes(table: Table, section: str, tab: str) -> Iterator[PriceQuote]:
    header = [normalise(name) for name in table.header]
    ignored = IGNORED.get(tab or section)
    if ignored and any(ignored in name for name in header):
        return
    columns = [column for column in map(_COLUMN.fullmatch, header) if column]
    words = header[: len(header) - len(columns)]
    is_tools = header in TOOL_TABLES
    if (
        not columns
        or not (is_tools or set(words) <= WORDS | PROSE)
        or header != words + [column[0] for column in columns]
        or len(set(header)) < len(header)
    ):
        raise LayoutChanged(f"table {table.number} has the columns {header}")
    is_region = _REGION.fullmatch(tab)
    if (words == ["Model"] and columns[0]["side"] and section != SAME_EVERYWHERE and not is_region) or any(
        tab in TABS and column["tier"] != TABS[tab] for column in columns if not is_tools
    ):
        raise LayoutChanged(f"table {table.number} with the columns {header} stands in {tab!r} of {section!r}")
    subject: Subject | None = None
    stages: dict[tuple[object, ...], int] = {}
    for index, row in enumerate(table.rows, start=1):
        at = f"table {table.number}, row {index}"
        if is_tools or row[0] in TOOLS:
            yield _tool(row, "" if header[0] == "Tool" else f" ({section})", at)
            continue
        told, cells = _split(row, words, columns, at)
        if all(cell in NO_PRICE for cell in cells):
            subject = subject if "" in told else None
            continue
        is_featured = "Feature" in words and "Type" not in words
        subject = _featured(words, told) if is_featured else _typed(words, told, subject, at)
        # Input, output, tuning: what goes back in this order belongs to a model whose name is lost.
        offer = (*subject.labels, subject.region, subject.announced_from)
        stage = [kind.stage for kind in subject.kinds if kind.stage is not None]
        if stage and stage[0] < stages.get(offer, 0):
            raise LayoutChanged(f"{at} prices {subject.labels} in an order that is not known")
        stages[offer] = max(stage, default=0)
        for column, cell in zip(columns, cells, strict=False):
            if cell not in NO_PRICE:
                quotes = list(_cell_quotes(columns, subject, column, cell))
                for quote in quotes if subject.kinds else _consistent(quotes):
                    region = quote.region or (tab if is_region else None)
                    yield replace(quote, region=region, locator=f"{at}, {column[0]}")


def _tool(row: tuple[str, ...], generation: str, at: str) -> PriceQuote:
    if generation and "Gemini" not in generation:
        raise LayoutChanged(f"{at} prices {row[0]!r} for{generation}")
    [price] = _TOOL_PRICE.finditer(row[-1])
    if row[-1].count("$") != 1:
        raise UnreadablePrice(f"{row[-1]!r} holds more prices than one")
    starts = _TOOL_START.search(row[-1])
    return PriceQuote(
        model_label=row[0] + generation,
        meter=TOOLS[row[0]],
        list_unit_price=read_number(price["amount"]),
        pricing_unit=COUNTED[price["counted"]],
        announced_from=_day(starts[1]) if starts else None,
        evidence=price[0],
        locator=at,
    )


def _split(
    row: tuple[str, ...], words: list[str], columns: list[re.Match[str]], at: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a row and its prices. Words that spill over from above make a row longer.

    Only where a row may have a single price it may end early.
    """
    first = next((place for place, cell in enumerate(row) if cell in NO_PRICE - {""} or _FIGURE.search(cell)), len(row))
    told, cells = row[:first], row[first:]
    surplus = len(told) - len(words)
    may_end_early = not surplus and (words == ["Model"] or "Feature" in words or columns[-1]["tier"] == "Batch API")
    if (surplus > 0 and not cells) or (cells and len(cells) != len(columns) and not may_end_early):
        raise LayoutChanged(f"{at} has {len(told)} words and {len(cells)} prices: {row}")
    return told, cells


def _typed(words: list[str], told: tuple[str, ...], above: Subject | None, at: str) -> Subject:
    """What a row is about whose words name a model and kinds of usage, wherever in the row they stand.

    A blank word instead of the model means the model of the row `above`; that model may also spill into this row.
    """
    if PROSE & set(words):
        told = tuple(cell for word, cell in zip(words, told, strict=True) if word not in PROSE)
    kinds: list[Kind] = []
    models, region, is_storage = [], None, False
    for cell in told:
        found = [kind for line in cell.split("\n") if (kind := _kind(line))]
        word = normalise(cell)
        plain = _MARK.sub("", word)
        if len(found) == len(cell.split("\n")):
            kinds += found
        elif plain in {"Global", "Non-global"}:
            region = word
        elif plain == CACHE_STORAGE:
            is_storage = True
        elif plain not in DETAILS:
            models.append(plain)
    if len(models) == 2 and above and models[0] in above.labels:
        del models[0]
    model = _MODEL.fullmatch(models[0]) if len(models) == 1 else None
    if bool(kinds) == (len(words) > 1) and bool(region) == ("Region" in words):
        if not models and above and "" in told and region:
            return replace(above, kinds=kinds, region=region, is_storage=is_storage)
        if model:
            since, until = (_day(model[name]) if model[name] else None for name in ("since", "until"))
            end = until and until + timedelta(days=1)
            embeds = "Open Source Model" in words or "mbedding" in model["label"]
            return Subject([model["label"]], kinds, region, is_storage, since, end, embeds)
    raise LayoutChanged(f"{at} is about {told}")


def _featured(words: list[str], told: tuple[str, ...]) -> Subject:
    """What a row is about that prices a feature of one or more models, at some resolutions."""
    row = dict(zip(words, map(normalise, told), strict=True))
    feature, about = row["Feature"], [row["Feature"]]
    if "Output Resolution" in row:
        about = [f"{feature}, {size}" for size in row["Output Resolution"].split(", ") if _SIZE.fullmatch(size)]
    models = [model for model in row["Model"].split(", ") if model]
    labels = [f"{model} ({what})" for model in models for what in about] or [WITHOUT_MODEL[feature]]
    return Subject(labels, [Kind(FEATURES[feature])])


def _kind(printed: str) -> Kind | None:
    plain = _MARK.sub("", normalise(printed)).removesuffix(":")
    name = plain.replace("Batch ", "")
    unit = Unit.MILLION_TOKENS if "1M " in plain else None
    if name in NAMED_KINDS:
        return Kind(NAMED_KINDS[name], (), unit, name != plain)
    match = _KIND.fullmatch(name)
    if match is None:
        return None
    modalities = re.findall(_MODALITY, " ".join(filter(None, match.group("before", "after", "of"))).lower())
    keys = tuple((match["way"].lower(), modality) for modality in modalities or ["text"])
    return Kind(None, keys, UNITS[match["unit"]] if match["unit"] else unit, name != plain)


def _cell_quotes(
    columns: list[re.Match[str]], subject: Subject, column: re.Match[str], cell: str
) -> Iterator[PriceQuote]:
    limit = int(column["limit"]) * 1000 if column["limit"] else None
    # Beside a column for storage stands what it costs to read from it.
    is_cached = bool(column["cached"]) or any(other["storage"] for other in columns)
    is_storage = subject.is_storage or bool(column["storage"])
    for kind, price in _pairs(cell, subject.kinds):
        tiers = TIERS[(price["what"] if subject.kinds else None) or column["tier"]]
        if kind.is_batch:
            if tiers not in (TIERS[None], TIERS["Batch requests"]):
                raise LayoutChanged(f"{cell!r} under {column[0]!r} names two tiers")
            tiers = TIERS["Batch requests"]
        # A column for storage has a unit of its own, which is not that of the tokens stored.
        beside = [UNITS[column["unit"]]] if column["unit"] else []
        beside += [kind.unit] if kind.unit and not is_storage else []
        [unit] = {UNITS[price["unit"]]} if price["unit"] else set(beside)
        if is_storage != (unit is Unit.MILLION_TOKENS_HOUR):
            raise UnreadablePrice(f"{cell!r} under {column[0]!r} is priced by {unit}")
        meters = [Meter.CACHE_STORAGE] if is_storage else kind.meters(is_cached)
        if subject.embeds:
            meters = [Meter.EMBEDDING if meter is Meter.INPUT else meter for meter in meters]
        amounts = {unit: price["amount"] or "0"} | ({Unit.PAGE: price["page"]} if price["page"] else {})
        for tier, label, meter, (counted, amount) in product(tiers, subject.labels, meters, amounts.items()):
            yield PriceQuote(
                model_label=label,
                meter=meter,
                list_unit_price=read_number(amount),
                pricing_unit=counted,
                service_tier=tier,
                context_from=0 if column["side"] in ("<=", "=<") else limit,
                context_to=limit if column["side"] in ("<=", "=<") else None,
                region=price["region"] + (price["later"] or "") if price["region"] else subject.region,
                announced_from=subject.announced_from,
                valid_until=subject.valid_until,
                evidence=price[0].strip(),
                locator="",
            )


def _pairs(cell: str, kinds: list[Kind]) -> list[tuple[Kind, re.Match[str]]]:
    """The prices of a cell, each with the kind of usage that stands before it or, in the same order, beside it."""
    text, prices = normalise(cell), []
    end = 0
    while end < len(text):
        price = _PRICE.match(text, end)
        if price is None:
            raise UnreadablePrice(f"{text[end:]!r} in {text!r} is not a price that is known")
        prices.append(price)
        end = price.end()
    if not kinds:
        named = [(_kind(price["what"] or ""), price) for price in prices]
        if not all(kind for kind, _ in named):
            raise UnreadablePrice(f"{text!r} does not say what its prices are for")
        return [(kind, price) for kind, price in named if kind]
    if len(set(kinds)) == 1:
        return [(kinds[0], price) for price in prices]
    return list(zip(kinds, prices, strict=True))


def _consistent(quotes: list[PriceQuote]) -> list[PriceQuote]:
    """What of a cell can be believed: nothing beside left-overs, else all but two cache writes that differ."""
    printed: dict[tuple[object, ...], set[Decimal | None]] = {}
    for quote in quotes:
        printed.setdefault(quote.key, set()).add(quote.list_unit_price)
    twice = [quote for quote in quotes if len(printed[quote.key]) > 1]
    if any(quote.meter is not Meter.CACHE_WRITE for quote in twice):
        return []
    return [quote for quote in quotes if quote not in twice]


def _day(printed: str) -> datetime:
    return datetime.strptime(printed, "%B %d, %Y").replace(tzinfo=UTC)


PROVIDER = Provider(
    provider_id="vertex",
    name="Google Cloud (Vertex AI)",
    homepage="https://cloud.google.com",
    kind="reseller",
    sources=(
        Source(
            page_id="pricing",
            url="https://cloud.google.com/gemini-enterprise-agent-platform/generative-ai/pricing",
            format="html",
            parse=parse,
            former_urls=tuple(
                f"https://cloud.google.com/vertex-ai/{path}" for path in ("generative-ai/pricing", "pricing")
            ),
        ),
    ),
)
