"""Volcengine Ark (ByteDance), in CNY: the price list in its documentation.

The page is built in the browser, but the server's answer holds its source as Markdown, in the state that the browser
starts from; the interface behind the page answers with the same document. A row without a model continues the model
above, and the headings of columns name currency and unit.

Low latency is read as priority and offline as batch; batches of fine-tuned models are told by their label. The labels
of what is no model, such as search plug-ins, begin with their section. Not read are reserved capacity, subscriptions,
worked examples of the price of a video, and the factor for films under licence.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.chinese import Lengths, labelled_prices, read_lengths
from pipeline.reading.extract import quote
from pipeline.reading.tables import Record, document, tables

STATE = "window._ROUTER_DATA = "
TEXT: dict[str, Meter | None] = {
    "输入(非音频)元/百万token": Meter.INPUT,
    "输入(音频)元/百万token": Meter.AUDIO_INPUT,
    "缓存命中(非音频)元/百万token": Meter.CACHE_READ,
    "缓存命中(音频)元/百万token": Meter.AUDIO_CACHE_READ,
    "输出元/百万token": Meter.OUTPUT,
}
# The columns of prices of each section; where they name no meter, the row does.
SECTIONS: dict[str, dict[str, Meter | None]] = {
    "在线推理(常规)": TEXT | {"缓存存储元/百万token/小时": Meter.CACHE_STORAGE},
    "在线推理(低延迟)": TEXT,
    "批量推理": TEXT,
    "推理-在线推理": TEXT,
    "推理-批量推理": TEXT,
    "按token单价": dict.fromkeys(["在线推理元/百万token", "离线推理元/百万token"], Meter.VIDEO_OUTPUT),
    "图片生成模型": {"输入图单价(元/张)": Meter.IMAGE_INPUT, "输出图单价(元/张)": Meter.IMAGE},
    "3D生成模型": {"输出单价元/次": Meter.REQUEST},
    "向量模型": {"文本输入元/百万token": Meter.EMBEDDING, "图片输入元/百万token": Meter.IMAGE_INPUT},
    "精调-按token后付费": dict.fromkeys(["LoRA精调元/百万token", "全量精调元/百万token"], Meter.TRAINING),
    "精调-按算力付费": {"定价元/小时": Meter.TRAINING},
    "ManagedAgents": {"单价": None},
    "联网内容插件": {"价格元/千次": Meter.SEARCH_CALL},
    "豆包助手": {"价格元/次": Meter.TOOL_CALL},
    "知识库": {"价格": None},
}
IGNORED = {"在线推理(TPM保障包)", "价格示例", "版权视频生成价格", "模型单元", "CodingPlan个人版", "AgentPlan个人版"}
SERVICES = {"Managed Agents", "联网内容插件", "豆包助手", "知识库"}
TIERS = {
    "在线推理(低延迟)": ServiceTier.PRIORITY,
    "批量推理": ServiceTier.BATCH,
    "离线推理元/百万token": ServiceTier.BATCH,
    "推理-在线推理": ServiceTier.FINE_TUNED,
    "推理-批量推理": ServiceTier.FINE_TUNED,
}
ROWS = {
    r"web_search": Meter.SEARCH_CALL,
    r"web_fetch": Meter.TOOL_CALL,
    r"Agent 运行时|(?:标准)?计算资源": Meter.COMPUTE,
    r"离线存储资源": Meter.STORAGE,
    r"(?:文本|多模态)向量模型": Meter.EMBEDDING,
    r"重排模型": Meter.RERANK,
}
LABELS = {"模型名称", "模型", "基础模型ID", "精调模型对应的基础模型", "算力规格", "服务项", "计费项"}
LENGTHS = {"条件千token", "条件(千token)"}
DETAIL = "产物(3D文件)"
NOTES = {"推理-批量推理": "batch", "LoRA精调元/百万token": "LoRA", "全量精调元/百万token": "full"}
TEXTS = {"计费方式", "含义", "计费规则", "说明"}
PER = re.compile(r"元/.*[^)]")
# What an hour costs is that of one of them, which the label names.
EACH = re.compile(r"/(?:CU|知识库)(?=/小时)")
ELSEWHERE = "参见 在线推理（常规）"


def parse_page(capture: Capture) -> Iterator[PriceQuote | None]:
    """All prices of the document in the state of the page."""
    scripts = [script.text or "" for script in document(capture).iter("script")]
    [state] = [script.removeprefix(STATE) for script in scripts if script.startswith(STATE)]
    [page] = [page for page in json.loads(state)["loaderData"].values() if page and "curDoc" in page]
    return _quotes(capture, page["curDoc"])


def parse_interface(capture: Capture) -> Iterator[PriceQuote | None]:
    """All prices of the document that the interface answers with."""
    return _quotes(capture, json.loads(capture.text)["Result"])


def _quotes(capture: Capture, page: dict[str, str]) -> Iterator[PriceQuote | None]:
    found = tables(replace(capture, body=f"# {page['Title']}\n{page['MDContent']}".encode()))
    sections = [[_squeeze(heading) for heading in table.headings] for table in found]
    if "在线推理(常规)" not in {section[-1] for section in sections}:
        raise LayoutChanged(f"not the list of prices: {sections}")
    for table, section in zip(found, sections, strict=True):
        if not IGNORED.intersection(section):
            label = ""
            for record in replace(table, header=tuple(map(_squeeze, table.header))).records():
                [column] = LABELS & record.keys()
                label = record.pop(column).split("\n>")[0] or label
                service = table.heading if table.heading in SERVICES else None
                yield from _row(section[-1], service, label, record)


def _squeeze(heading: str) -> str:
    return "".join(unicodedata.normalize("NFKC", heading).split())


def _row(section: str, service: str | None, label: str, record: Record) -> Iterator[PriceQuote | None]:
    [conditions] = [record.pop(column) for column in LENGTHS & record.keys()] or ["-"]
    lengths = Lengths() if conditions == "-" else read_lengths(conditions, scale=1000)
    detail = ", ".join(line.removeprefix("* ") for line in record.pop(DETAIL, "").split("\n"))
    columns = SECTIONS[section]
    if not label or "\n" in label or record.keys() - TEXTS != columns.keys():
        raise LayoutChanged(f"{label!r} of {section} has the columns {list(record)}")
    for column, meter in columns.items():
        printed = record[column]
        if not printed:
            raise LayoutChanged(f"{label} has a blank price in the column {column}")
        for what, price in labelled_prices(printed) if printed != ELSEWHERE else []:
            per = PER.search(column)
            notes = [service and label, NOTES.get(section), NOTES.get(column), detail, lengths.output, what]
            aspects = ", ".join(filter(None, notes))
            yield quote(
                f"{service or label} ({aspects})" if aspects else label,
                meter or next(row for names, row in ROWS.items() if re.match(names, what or label)),
                EACH.sub("", f"{price}{per[0]}" if per and price[0].isdigit() else price),
                unit=None if price[0].isdigit() else Unit.IMAGE if "张" in column else Unit.CALL,
                currency="CNY",
                evidence=printed,
                locator=record.locator(column),
                service_tier=TIERS.get(column, TIERS.get(section, ServiceTier.STANDARD)),
                **lengths.band,
            )


PROVIDER = Provider(
    provider_id="volcengine",
    name="Volcengine Ark",
    homepage="https://www.volcengine.com/product/ark",
    kind="first_party",
    sources=(
        Source(
            page_id="pricing",
            url="https://docs.volcengine.com/docs/82379/1544106?lang=zh",
            format="html",
            parse=parse_page,
            former_urls=(
                "https://docs.volcengine.com/docs/82379/1544106?redirect=1&lang=zh",
                "https://www.volcengine.com/docs/82379/1544106",
                "https://www.volcengine.com/docs/82379/1099320",
            ),
        ),
        Source(
            page_id="pricing_interface",
            url="https://docs.volcengine.com/api/doc/getDocDetail?DocumentID=1544106&lang=zh",
            format="json",
            parse=parse_interface,
            role="cross_check",
            verified=False,
        ),
    ),
)
