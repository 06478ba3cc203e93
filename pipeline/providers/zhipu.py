"""Zhipu AI (BigModel), in CNY: the price list in its documentation, and the price page of its site.

The site is built in the browser, so its prices reach no plain client; it is read from pages that a browser has saved.
There every table is two, one for the names of the columns and one for the rows.
A price per token that names no direction holds for what goes in and for what comes out. Models of one's own by the day
and packages by the year are not read.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.domain import MTOK_FACTOR, Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.chinese import Lengths, read_lengths
from pipeline.reading.extract import quote
from pipeline.reading.money import read_unit
from pipeline.reading.tables import Record, Table, document, is_html, tables, text_lines

READ = {"旗舰模型", "模型推理", "搜索工具服务", "知识库扩容服务", "知识库服务", "模型微调"}
IGNORED = {"模型私有实例", "云端私有化套餐", "本地私有化解决方案", "计费常见问题"}
LABELS = {"模型名称", "模型", "工具名称", "产品名称"}
NOTES = {"简介", "上下文", "分辨率", "规格", "多模态支持", "输入模态", "训练版本", "部署版本", "私有实例"}
ANY_TOKEN = [Meter.INPUT, Meter.OUTPUT]
COLUMNS = {
    "输入单价": [Meter.INPUT],
    "输出单价": [Meter.OUTPUT],
    "缓存存储": [Meter.CACHE_STORAGE],
    "缓存命中": [Meter.CACHE_READ],
    "LoRA微调单价": [Meter.TRAINING],
    "全参微调单价": [Meter.TRAINING],
    "公共实例": ANY_TOKEN,
    "单价": ANY_TOKEN,
    "Batch API 定价": ANY_TOKEN,
}
TIERS = {"Batch API 定价": ServiceTier.BATCH, "公共实例": ServiceTier.FINE_TUNED}
TUNED = {"LoRA微调单价": "LoRA", "全参微调单价": "full"}
# What is counted where it is not any token: by what a table or its section says of a model, its name, or the price.
KINDS = {
    **dict.fromkeys(["视频生成", "文生视频", "图生视频", "首尾帧", "参考生视频"], Meter.VIDEO),
    "图像生成": Meter.IMAGE,
    "语音生成": Meter.SPEECH,
    "音色克隆": Meter.VOICE,
    "搜索工具服务": Meter.SEARCH_CALL,
    "知识库扩容服务": Meter.STORAGE,
}
BY_NAME = {"embedding": Meter.EMBEDDING, "rerank": Meter.RERANK}
PARTS = {
    "输入": (Meter.AUDIO_INPUT, None),
    "输出": (Meter.OUTPUT, None),
    "音频": (Meter.SESSION, "audio"),
    "视频": (Meter.SESSION, "video"),
}
HEADING = re.compile(r"(?P<name>[^\n（]+)(?:\n\((?P<of>.+)\)|（(?P<yuan>元/.+)）)?")
WINDOW = re.compile(r"\d+[KM]|/|")
ESTIMATE = re.compile(r"\(约[\d.]+元/秒）")
FREE = {"免费", "限时免费", "不计费"}
REGULAR = "（）"  # what is left of the regular price, which is struck out behind a price for a limited time
DISCOUNT_END = re.compile(r"活动截止 (\d{4} 年 \d{1,2} 月 \d{1,2} 日) 24:00（UTC\+8，北京时间）")


def parse_markdown(capture: Capture) -> Iterator[PriceQuote]:
    """The price list in the documentation: bare numbers under columns that name currency and unit."""
    if is_html(capture) or "\n## 计费常见问题" not in capture.text:
        raise LayoutChanged("not the whole Markdown page")
    return _quotes(capture, [table for table in tables(capture) if _section(table) in READ])


def parse_html(capture: Capture) -> Iterator[PriceQuote]:
    """The price page as a browser builds it. The class of a cell names its column, in both halves of a table."""
    found = list(zip(tables(capture), document(capture).iter("table"), strict=True))
    if not any(_section(table) == "本地私有化解决方案" for table, _ in found):
        raise LayoutChanged("not the whole page that a browser builds")
    read = [item for item in found if _section(item[0]) in READ]
    joined = []
    for (names, head), (rows, body) in zip(read[::2], read[1::2], strict=True):
        columns = [cell.get("class").split()[0] for cell in head.iter("th")]
        for row in body.iter("tr"):
            cells = [cell.get("class").split()[0] for cell in row.iter("td")]
            if cells != columns[-len(cells) :]:
                raise LayoutChanged(f"the columns of tables {names.number} and {rows.number} differ")
        joined.append(replace(rows, header=names.header, rows=(rows.header, *rows.rows)))
    return _quotes(capture, joined)


def _section(table: Table) -> str:
    section = table.headings[1]
    if section not in READ | IGNORED:
        raise LayoutChanged(f"a table stands in the unknown section {section!r}")
    return section


def _quotes(capture: Capture, found: list[Table]) -> Iterator[PriceQuote]:
    lines = text_lines(capture)
    for record, section in ((record, _section(table)) for table in found for record in table.records()):
        [printed_label] = (record.pop(column) for column in LABELS & record.keys())
        label, *badges = printed_label.split("\n")
        if set(badges) - {"新品"}:
            raise LayoutChanged(f"{label} has the unknown badges {badges}")
        by_name = (meter for name, meter in BY_NAME.items() if name in label.lower())
        for item in _row(label, record, next(by_name, KINDS.get(record.get("简介", ""), KINDS.get(section)))):
            if item.currency != "CNY" or (item.meter in ANY_TOKEN and item.pricing_unit not in MTOK_FACTOR):
                raise LayoutChanged(f"{item.evidence!r} of {label} is not in CNY, or not per token")
            if item.evidence.endswith(REGULAR):
                [end] = filter(None, (DISCOUNT_END.search(line) for line in lines if f"{label} " in line))
                day = datetime.strptime(end[1], "%Y 年 %m 月 %d 日").replace(tzinfo=UTC)
                item = replace(item, valid_until=day + timedelta(hours=24 - 8))
            yield item


def _row(label: str, record: Record, kind: Meter | None) -> Iterator[PriceQuote]:
    columns = [(*_heading(column), printed) for column, printed in record.items()]
    bands = [_lengths(printed, in_thousands=per == "/千tokens") for name, per, printed in columns if name == "上下文"]
    lengths = bands[0] if bands else Lengths()
    version = record.get("训练版本", record.get("部署版本"))
    for name, per, printed in columns:
        for part in printed.split("；") if name not in NOTES else []:
            what, _, price = ESTIMATE.sub("", part).removesuffix(REGULAR).rpartition("：")
            meter, aspect = PARTS[what] if what else (kind if COLUMNS[name] is ANY_TOKEN else None, None)
            notes = ", ".join(filter(None, (version, TUNED.get(name), lengths.output, aspect)))
            unit = Unit.CALL if kind in (Meter.IMAGE, Meter.VIDEO) else Unit.MILLION_TOKENS
            for counted in [meter] if meter else COLUMNS[name]:
                item = quote(
                    f"{label} ({notes})" if notes else label,
                    counted,
                    price + per if price[:1].isdigit() else price,
                    unit=(read_unit(per.partition("/")[2]) if per else unit) if price in FREE else None,
                    currency="CNY",
                    evidence=printed,
                    locator=record.locator(name),
                    service_tier=TIERS.get(name, ServiceTier.STANDARD),
                    **lengths.band,
                )
                if item:
                    yield item


def _heading(column: str) -> tuple[str, str]:
    """The name of a column and what its heading adds to its prices: currency and unit, or only the unit."""
    heading = HEADING.fullmatch(column)
    if heading is None or heading["name"] not in COLUMNS.keys() | NOTES:
        raise LayoutChanged(f"{column!r} is an unknown column")
    return heading["name"], heading["yuan"] or (f"/{heading['of']}" if heading["of"] else "")


def _lengths(printed: str, *, in_thousands: bool) -> Lengths:
    """The lengths that a price holds for; none where the cell holds the context window."""
    if WINDOW.fullmatch(printed):
        return Lengths()
    if in_thousands == ("K" in printed):
        raise LayoutChanged(f"{printed!r} is neither a context window nor a band of lengths")
    return read_lengths(printed, scale=1000 if in_thousands else 1)


PROVIDER = Provider(
    provider_id="zhipu",
    name="Zhipu AI",
    homepage="https://bigmodel.cn",
    kind="first_party",
    sources=(
        Source(
            page_id="pricing",
            url="https://docs.bigmodel.cn/cn/guide/start/pricing.md",
            format="markdown",
            parse=parse_markdown,
            verified=False,
        ),
        Source(
            page_id="pricing_site",
            url="https://bigmodel.cn/pricing",
            format="html",
            parse=parse_html,
            role="cross_check",
            former_urls=("https://open.bigmodel.cn/pricing",),
        ),
    ),
)
