"""Tencent Cloud's model service TokenHub: the price page of its international site in Chinese, in USD.

Language models are priced by region, one tab each; the prices of embedding models hold everywhere. `原厂直供` (served
by the model's own maker) is an offer of its own and stays in the label. A model that goes offline on a day is taken to
have its price until that day begins, since no hour is printed.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from lxml import html

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.chinese import Lengths, read_lengths
from pipeline.reading.extract import quote
from pipeline.reading.tables import document, tables, text_of

PER = "美元/百万 tokens"
LABEL, LENGTHS, ITEM = "模型名称", "条件（token）", "计费项"
METERS = {
    f"推理输入（{PER}）": Meter.INPUT,
    f"推理输出（{PER}）": Meter.OUTPUT,
    f"缓存命中（{PER}）": Meter.CACHE_READ,
    f"价格（{PER}）": None,
}
ITEMS = {"文本输入": Meter.EMBEDDING, "图片输入": Meter.IMAGE_INPUT, "视频输入": Meter.VIDEO_INPUT}
SECTIONS = {"语言模型": {LABEL, LENGTHS, *list(METERS)[:3]}, "向量模型": {LABEL, ITEM, *list(METERS)[3:]}}
RETIRED = re.compile(r"[（(](\d{4}-\d\d-\d\d) ?下线[）)]$")


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    """All prices of the page, also those of the tabs that are not shown."""
    page = document(capture)
    found = list(zip(tables(capture), map(_region, page.iter("table")), strict=True))
    if {table.heading for table, _ in found} != SECTIONS.keys() or not page.xpath("//*[@id='doc-feed-box']"):
        raise LayoutChanged(f"not the whole page: prices stand in {[table.headings for table, _ in found]}")
    if page.xpath("//td[@colspan > 1] | //td[@rowspan > 1][preceding-sibling::td]"):
        raise LayoutChanged("a cell that is not the name of a model stands for several")
    for table, region in found:
        table = replace(table, header=tuple(name.replace("\n", "") for name in table.header))
        for record in table.records(columns=SECTIONS[table.heading]):
            label = RETIRED.sub("", record[LABEL])
            retired = RETIRED.search(record[LABEL])
            lengths = Lengths() if record.get(LENGTHS, "-") == "-" else read_lengths(record[LENGTHS])
            for column, printed in ((name, record[name]) for name in record if name in METERS):
                if not printed or lengths.output:
                    raise LayoutChanged(f"{label} has a blank price, or one for some lengths of output")
                yield quote(
                    label,
                    METERS[column] or ITEMS[record[ITEM]],
                    printed + PER if printed[0].isdigit() else printed,
                    unit=Unit.MILLION_TOKENS,
                    evidence=printed,
                    locator=record.locator(column),
                    **lengths.band,
                    region=region,
                    valid_until=datetime.fromisoformat(retired[1]).replace(tzinfo=UTC) if retired else None,
                )


def _region(table: html.HtmlElement) -> str | None:
    """The name of the tab in whose pane a table stands, if it stands in one."""
    for pane in table.xpath("ancestor::div[contains(concat(' ', @class, ' '), ' tse-tabs__cont ')]"):
        panes = [sibling for sibling in pane.getparent() if "tse-tabs__cont" in sibling.get("class", "").split()]
        names = pane.getparent().xpath("./div[@class='tse-tabs__bar']//div[@class='tse-tabs__item-label']")
        return {id(pane): text_of(name) for pane, name in zip(panes, names, strict=True)}[id(pane)]
    return None


PROVIDER = Provider(
    provider_id="tencent",
    name="Tencent Cloud",
    homepage="https://www.tencentcloud.com/products/tokenhub",
    kind="first_party",
    sources=(Source("pricing", "https://www.tencentcloud.com/zh/document/product/1300/78937", "html", parse),),
)
