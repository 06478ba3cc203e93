"""MiniMax: the price list in its documentation, in English (USD) and in Chinese (CNY), and its price page (CNY).

The lists are alike but for their words: in English a cell names its unit, in Chinese the heading of its column does.
The price page is built in the browser, so its prices reach no plain client; it is read as a browser has saved it.
A model that is no longer sold to new users keeps its price for the others.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from lxml import html

from pipeline.domain import MTOK_FACTOR, Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.expect import whole_match
from pipeline.reading.extract import quote
from pipeline.reading.tables import Record, Table, document, is_html, tables, text_of

# The English names of columns, sections and tabs are also the names of the Chinese ones.
CHINESE = {
    "模型": "Model",
    "模型/接口": "Model, API",
    "可用模型": "Model",
    "服务端工具": "Server Tool",
    "接口": "Endpoint",
    "计费项": "API",
    "场景": "API",
    "接口说明": "Description",
    "说明": "Description",
    "功能": "Function",
    "计费说明": "Notes",
    "分辨率": "Resolution",
    "素材类型": "Material Type",
    "计费规则": "Billing Rules",
    "输入价格": "Input",
    "输入(含多模态)": "Input",
    "输出价格": "Output",
    "输出": "Output",
    "缓存读取": "Prompt caching Read",
    "缓存写入": "Prompt caching Write",
    "单价": "Price",
    "刊例价": "List Price",
    "音频": "Audio",
    "图片": "Image",
    "视频": "Video",
    "标准": "Standard",
    "优先*": "Priority*",
}
ALL_MODELS = "所有模型"
LABELS = ("Model", "Model, API", "Server Tool", "Endpoint", "API")
NOTES = {*LABELS, "Description", "Function", "Notes", "Resolution", "Material Type", "Billing Rules"}
PRICES = {
    "Input": Meter.INPUT,
    "Input Price": Meter.INPUT,
    "Output": Meter.OUTPUT,
    "Output Price": Meter.OUTPUT,
    "Prompt caching Read": Meter.CACHE_READ,
    "Prompt caching Write": Meter.CACHE_WRITE,
    "Price": None,
    "List Price": None,
}
# What is counted where it is no token.
BY_UNIT = {
    Unit.HOUR: Meter.TRANSCRIPTION,
    Unit.TEN_THOUSAND_CHARACTERS: Meter.SPEECH,
    Unit.MILLION_CHARACTERS: Meter.SPEECH,
    Unit.VOICE: Meter.VOICE,
    Unit.SECOND: Meter.VIDEO,
    Unit.VIDEO: Meter.VIDEO,
    Unit.SONG: Meter.MUSIC,
    Unit.IMAGE: Meter.IMAGE,
    Unit.REQUEST: Meter.REQUEST,
    Unit.CALL: Meter.REQUEST,
}
TOOLS = {"web_search": Meter.SEARCH_CALL}
SERVICES = {"Voice Design", "Rapid Voice Cloning", "Voice Cloning", "音色设计 / 快速复刻 (Voice Design / Cloning)"}
SERVICES |= {"Lyrics Generation", "歌词生成"}
TIERS = {"Standard": ServiceTier.STANDARD, "Priority*": ServiceTier.PRIORITY}
MATERIALS = {"Audio": Meter.AUDIO_INPUT, "Image": Meter.IMAGE_INPUT, "Video": Meter.VIDEO_INPUT}
SECTIONS = {"LLM", "Audio", "Video", "Music", "Image", "MCP", "Server Tools"}
SECTIONS |= {"语言模型", "语音", "视频", "音乐", "图像", "MCP", "服务端工具", "声音"}

FIRST_AND_LAST = {("LLM", "Server Tools"), ("语言模型", "服务端工具"), ("语言模型", "音乐")}

MODEL_ID = re.compile(r"[\w.+]+(?:[-_][\w.+]+)+")
JSX_STYLE = re.compile(r" style=\{\{[^}]*\}\}")
TAB = re.compile(r'<Tab title="(.+)">|(</Tab>)|(\|)')
HEADING = re.compile(r"([^\n/]+?)(?:(?:\n(?=元/)| (?=/))(.+))?")
MODEL = re.compile(
    r"(?P<names>[^≤>~]+?)(?: \(Discontinued\)|（已下线）)?"
    r"(?:\n(?:上下文 )?(?:≤ (?P<most>\d+)k|> (?P<over>\d+)k|(?P<low>\d+)k ~ (?P<high>\d)M)"
    r"(?: (?:input|输入) tokens)?\*?(?:\s(?:Permanent 50% off|永久五折))?)?",
    re.IGNORECASE,
)
SONG = re.compile(r"/(?:up-to-5 minutes music|per song)$")
VIDEO = re.compile(r"per (\d+P, \d+s) video$")
FUNCTION = re.compile(r".+(?:，| · )(\d+P) (\d+s)")
RULES = {
    "Audio": re.compile(r"(Free|免费)"),
    "Image": re.compile(r"(?:First \d+ images free; |\d+ 张以内免费，超出部分 )(.+)"),
    "Video": re.compile(
        r"(?:Billed by input video duration (?:and output video resolution|from the original 768P task): "
        r"|按(?:输入视频时长及生成视频分辨率|原 768P 生成任务中输入视频的秒数)计费：)(.+)"
    ),
}
AT_SIZE = re.compile(r"(?:(\d+[PK]) )?(.+)")


def parse_markdown(currency: str, capture: Capture) -> Iterator[PriceQuote]:
    """All prices of the list in the documentation, in either of its languages."""
    if is_html(capture):
        raise LayoutChanged("this is an HTML page")
    plain = replace(capture, body=JSX_STYLE.sub("", capture.text).encode())
    return _quotes(currency, list(zip(tables(plain), _tiers(capture.text), strict=True)))


def parse_html(capture: Capture) -> Iterator[PriceQuote]:
    """The price page as a browser builds it: grids and tables, with the standard prices shown."""
    shown = [text_of(tab) for tab in document(capture).xpath("//*[@role='tab'][@aria-selected='true']")]
    if shown != ["标准"] or document(capture).xpath("//td[@colspan or @rowspan]"):
        raise LayoutChanged(f"the page shows {shown} and not the standard prices, or a cell stands for several")
    found = enumerate((*_grids(capture), *tables(capture)), start=1)
    return _quotes("CNY", [(replace(table, number=number), ServiceTier.STANDARD) for number, table in found])


def _tiers(text: str) -> Iterator[ServiceTier]:
    """The tier of each Markdown table: that of the tab it stands in."""
    tier, in_table = "Standard", False
    for line in text.splitlines():
        found = TAB.match(line.strip())
        if found and found[3] and not in_table:
            yield TIERS[CHINESE.get(tier, tier)]
        elif found and not found[3]:
            tier = found[1] or "Standard"
        in_table = bool(found and found[3])


def _grids(capture: Capture) -> Iterator[Table]:
    """Tables whose rows are grids, the first of them the header. Struck-out prices are told by their class."""
    for block in document(capture).xpath("//div[./div[contains(@style, 'grid-template')]]"):
        header, *rows = (tuple(map(_grid_cell, row)) for row in block)
        header = tuple(name.replace("\n", " / ") for name in header)
        yield Table(0, ("语言模型",), {}, header, tuple(rows))


def _grid_cell(cell: html.HtmlElement) -> str:
    lines = [cell] if not len(cell) else cell.xpath(".//span[not(contains(@class, 'line-through'))]")
    return "\n".join(map(text_of, lines))


def _quotes(currency: str, found: list[tuple[Table, ServiceTier]]) -> Iterator[PriceQuote]:
    sections = [table.heading for table, _ in found]
    if (*sections[:1], *sections[-1:]) not in FIRST_AND_LAST or set(sections) - SECTIONS:
        raise LayoutChanged(f"prices stand in the sections {sections}")
    for table, tier in found:
        for record in table.records():
            for item in _row(record, tier, currency):
                if item.currency != currency:
                    raise LayoutChanged(f"{item.evidence!r} of {item.model_label} is not in {currency}")
                yield item


def _row(record: Record, tier: ServiceTier, currency: str) -> Iterator[PriceQuote]:
    columns = {_heading(column)[0]: column for column in record}
    text = {name: record[column] for name, column in columns.items()}
    named = next((name for name in LABELS if text.get(name) not in (None, ALL_MODELS)), "")
    model = MODEL.fullmatch(text[named])
    if model is None or len(columns) != len(record):
        raise LayoutChanged(f"{record} names no model, or has two columns of one name")
    labels = re.split(r" / |\n", model["names"]) if named == "Model" else model["names"].split("\n")[-1:]
    if unknown := [label for label in labels if label not in SERVICES and not MODEL_ID.fullmatch(label)]:
        raise LayoutChanged(f"{unknown} are no names of models")
    most, over = ((int(bound) * 1000 if bound else None) for bound in (model["most"], model["over"] or model["low"]))
    for name, meter, price, size in _prices(text):
        for label in labels:
            item = quote(
                f"{label} ({size})" if size else label,
                meter or Meter.REQUEST,
                price + _heading(columns[name])[1] if price[-1:].isdigit() else price,
                unit=Unit.SECOND if price in ("Free", "免费") else None,
                currency=currency,
                locator=record.locator(columns[name]),
                service_tier=tier,
                context_from=0 if most else over,
                context_to=int(model["high"]) * 1_000_000 if model["high"] else most,
            )
            if item:
                known = meter in MATERIALS.values() or (meter and item.pricing_unit in MTOK_FACTOR)
                counted = item.meter if known else TOOLS.get(label, BY_UNIT[item.pricing_unit])
                yield replace(item, meter=counted, evidence=text[name])


def _prices(text: dict[str, str]) -> Iterator[tuple[str, Meter | None, str, str | None]]:
    """The prices of a row: their column, what they count unless the unit says it, the price itself, for which size."""
    if "Material Type" in text:
        kind = CHINESE.get(text["Material Type"], text["Material Type"])
        rule = RULES[kind].fullmatch(text["Billing Rules"])
        for part in re.split(r", |，", rule[1] if rule else ""):
            match = whole_match(AT_SIZE, part, f"a part of the rule {text['Billing Rules']!r}")
            yield "Billing Rules", MATERIALS[kind], match[2].replace(" additional", ""), match[1]
        return
    function = FUNCTION.fullmatch(text.get("Function", ""))
    for name in (name for name in text if name in PRICES):
        price = SONG.sub(" / song", text[name].replace("\n", " ").removesuffix("(限免)"))
        video = VIDEO.search(price)
        size = text["Resolution"] if name == "List Price" else ", ".join(function.groups()) if function else None
        yield name, PRICES[name], VIDEO.sub("per video", price), video[1] if video else size


def _heading(column: str) -> tuple[str, str]:
    """The English name of a column, and what its heading adds to its prices: currency and unit, or only the unit."""
    heading = HEADING.fullmatch(CHINESE.get(column, column).replace("Model / API", "Model, API"))
    name = heading and CHINESE.get(heading[1], heading[1])
    if heading is None or name not in NOTES | PRICES.keys():
        raise LayoutChanged(f"{column!r} is an unknown column")
    return name, heading[2] or ""


DOCS = "docs/guides/pricing-paygo.md"

PROVIDER = Provider(
    provider_id="minimax",
    name="MiniMax",
    homepage="https://www.minimax.io",
    kind="first_party",
    sources=(
        Source("pricing", f"https://platform.minimax.io/{DOCS}", "markdown", partial(parse_markdown, "USD")),
        Source(
            "pricing_zh",
            f"https://platform.minimaxi.com/{DOCS}",
            "markdown",
            partial(parse_markdown, "CNY"),
            verified=False,
        ),
        Source(
            "pricing_zh_site",
            "https://platform.minimaxi.com/subscribe/token-plan?tab=api-enterprise",
            "html",
            parse_html,
            role="cross_check",
        ),
    ),
)
