"""Alibaba Cloud: Model Studio (Bailian) in Chinese (CNY) and in English (USD), and the models that Hologres manages.

The help centre answers with JSON that holds a page as one HTML string, with hundreds of tables: a section per family of
models and in it one per place of access. What a price depends on is not that place but the scope of deployment, which
is the region here; the tables of Beijing name none and hold for the mainland. Headings and cells share out the unit.

A cell such as `原价12元 限时5折` prints a list price and a discount, but not what remains to be paid: the list price is
read, and the discount stays in the evidence. Models that can only be tried for free have no price, and neither has an
output that is not counted. Answers in thinking mode are told by their label where they have a column of their own.
Of the English page only the sections on text are read, since its words for other things have not been seen.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.chinese import Lengths, labelled_prices, read_lengths
from pipeline.reading.extract import quote
from pipeline.reading.money import read_money
from pipeline.reading.tables import Record, Table, document, is_html, tables, text_of

DOCUMENT = 2987148
LABEL, SCOPE, LENGTHS, QUOTA = "模型ID(ModelID)", "服务部署范围", "单次请求的输入Token数", "免费额度"
ASPECTS = ("输出图像分辨率", "输出视频类型", "输出视频分辨率", "输出视频模式", "3D任务类型", "输出规格", "阶梯层级")
TEXTS = {LABEL, SCOPE, LENGTHS, QUOTA, *ASPECTS, "模式", "折扣"}
PER_TOKEN, THINKING = "输出单价(每百万Token)", "思考模式(思维链+回答)"
# Columns that have several names, each by one of them.
CHINESE = {
    "模型名称": LABEL,
    "单次请求的输入Token范围": LENGTHS,
    "输入Token数量": LENGTHS,
    "免费额度(注)": QUOTA,
    "输出单价(每百万Token)思维链+回答": PER_TOKEN,
    "输出单价(每百万Token)思维链和回答": PER_TOKEN,
    "输入和输出单价": "输出单价",
    "单价": "输出单价",
    "单价(每个音色)": "输出单价(每个音色)",
    "复刻一个音色": "输出单价(每个音色)",
    "语音合成单价(每万字符)": "输入单价(每万字符)",
}
ENGLISH = {
    "ModelID": LABEL,
    "Deploymentscope": SCOPE,
    "Mode": "模式",
    "Inputtokensperrequest": LENGTHS,
    "Inputprice(per1milliontokens)": "输入单价(每百万Token)",
    "Outputprice(per1milliontokens)": PER_TOKEN,
    "Outputprice(per1milliontokens)Chainofthought+answer": PER_TOKEN,
    "Non-Thinkingmode": "非思考模式",
    "Thinkingmode": THINKING,
    "Thinkingmode(chainofthought+answer)": THINKING,
    "Freequota": QUOTA,
    "Freequota(Note)": QUOTA,
}
PRICE = re.compile(r"(?P<way>输[入出])单价(?:\((?P<per>每.+?)\))?(?:/(?:输[入出]:)?(?P<part>.+))?")
UNITS = {
    "每百万Token": Unit.MILLION_TOKENS,
    "每万字符": Unit.TEN_THOUSAND_CHARACTERS,
    "每秒": Unit.SECOND,
    "每个音色": Unit.VOICE,
}
# What is counted: by the part of a heading; by what a cell says of its price; else by the unit.
PARTS = {
    "输入": {
        "文本": [Meter.INPUT],
        "音频": [Meter.AUDIO_INPUT],
        "图片": [Meter.IMAGE_INPUT],
        "图片/视频": [Meter.IMAGE_INPUT, Meter.VIDEO_INPUT],
        "文本/图片": [Meter.INPUT, Meter.IMAGE_INPUT],
        "文本/图片/视频": [Meter.INPUT, Meter.IMAGE_INPUT, Meter.VIDEO_INPUT],
    },
    "输出": {
        **{part: [Meter.OUTPUT] for part in ("文本", "文本仅纯文本输入", "文本多模态输入", "非思考模式", THINKING)},
        **{part: [Meter.AUDIO_OUTPUT] for part in ("音频", "文本+音频仅音频计费")},
    },
}
SAID = {"输入图像": Meter.IMAGE_INPUT, "图片输入": Meter.IMAGE_INPUT, "文本输入": None, "输出视频": None}
COUNTED: dict[str, dict[Unit | None, Meter]] = {
    "输入": {
        Unit.MILLION_TOKENS: Meter.INPUT,
        Unit.TEN_THOUSAND_CHARACTERS: Meter.SPEECH,
        Unit.IMAGE: Meter.IMAGE_INPUT,
        Unit.SECOND: Meter.TRANSCRIPTION,
    },
    "输出": {
        Unit.MILLION_TOKENS: Meter.OUTPUT,
        Unit.IMAGE: Meter.IMAGE,
        Unit.SECOND: Meter.VIDEO,
        Unit.VOICE: Meter.VOICE,
        Unit.CALL: Meter.REQUEST,
        Unit.REQUEST: Meter.REQUEST,
    },
}
SECTIONS = {
    "文本生成-千问",
    "文本生成-千问-开源版",
    "文本生成-第三方模型",
    "图像生成",
    "图像生成-第三方模型",
    "音乐生成",
}
SECTIONS |= {"语音合成（文本转语音）", "语音识别（语音转文本）与翻译（语音转成指定语种的文本）", "语音对话", "视频生成"}
SECTIONS |= {"视频生成-第三方模型", "3D模型生成-第三方模型", "文本向量", "多模态向量", "排序模型", "行业模型"}
# What sections count where others count something else.
COUNTED_AS = {
    ("语音合成（文本转语音）", Meter.OUTPUT): Meter.AUDIO_OUTPUT,
    ("音乐生成", Meter.VIDEO): Meter.MUSIC,
    ("文本向量", Meter.INPUT): Meter.EMBEDDING,
    ("多模态向量", Meter.INPUT): Meter.EMBEDDING,
    ("排序模型", Meter.INPUT): Meter.RERANK,
}
# A column for another condition than the one beside it: told by the label where both have a price.
OTHERS = {"文本多模态输入": ("文本仅纯文本输入", "multimodal input"), THINKING: ("非思考模式", "thinking")}
NO_BANDS = {"无阶梯计价", "不区分阶梯", "No tiered pricing"}
BADGE = re.compile(
    r"Batch调用半价|(?:上下文缓存|Session Cache)享有折扣|当前能力等同于[\w.-]+"
    r"|50% batch inference discount|context caching discount|Currently equivalent to [\w.-]+"
)
SEE_LIST, INVITED = "参见模型列表", " 邀测中"
FREE = "限时免费"
NOT_SOLD = re.compile(r"目前仅供免费体验|已下线|不计费$")
LIST_PRICE = re.compile(r"(?:原价|List price )(.+?) ?[（(]?(?:限时.+折|Limited-time .+ off)[）)]?$")
WHEN_CHARGED = re.compile(r"\n（.+）$")


class Words(NamedTuple):
    """A language of the page: its currency, the scope that the tables of Beijing do not name, and the other places."""

    language: str
    currency: str
    mainland: str
    abroad: frozenset[str]


CHINESE_PAGE = Words(
    "zh", "CNY", "中国内地", frozenset({"美国（弗吉尼亚）", "新加坡", "德国（法兰克福）", "日本（东京）"})
)
ENGLISH_PAGE = Words(
    "en",
    "USD",
    "Chinese mainland",
    frozenset({"US (Virginia)", "Singapore", "Germany (Frankfurt)", "Japan (Tokyo)", "Hong Kong (China)"}),
)
BEIJING = {"华北2（北京）", "China (Beijing)"}

IMPLICIT = "隐式缓存命中（元/千 Token）"
MANAGED = {
    "输入单价（元/千 Token）": Meter.INPUT,
    "显式缓存创建（元/千 Token）": Meter.CACHE_WRITE,
    "显式缓存命中（元/千 Token）": Meter.CACHE_READ,
    IMPLICIT: Meter.CACHE_READ,
    "输出单价（元/千 Token）": Meter.OUTPUT,
    "单价（元/张）": Meter.IMAGE,
    "单价（元/秒）": Meter.VIDEO,
}
PLACE, NAME, KIND, RULE, BAND, SIZE = "地域", "模型名称", "模型类别", "计费规则", "输入 Token 阶梯", "分辨率/规格"
HOLOGRES = {
    "Token 类模型计费": {PLACE, NAME, KIND, BAND, *list(MANAGED)[:5]},
    "图片类模型计费": {PLACE, NAME, KIND, "单价（元/张）"},
    "视频/音频类模型计费": {PLACE, NAME, RULE, SIZE, "单价（元/秒）"},
}
KINDS = {"文本生成（非思考+思考）", "翻译", "图片生成/编辑", "输出视频按秒计费", "输入、输出视频按秒计费"}
KINDS |= {"输入视频和输出视频均按秒计费", "向量", "多模态向量-文本", "多模态向量-图片/视频", "按音频时长计费"}
MANAGED_AS = {
    ("向量", Meter.INPUT): (Meter.EMBEDDING,),
    ("多模态向量-文本", Meter.INPUT): (Meter.EMBEDDING,),
    ("多模态向量-图片/视频", Meter.INPUT): (Meter.IMAGE_INPUT, Meter.VIDEO_INPUT),
    ("按音频时长计费", Meter.VIDEO): (Meter.TRANSCRIPTION,),
}


def parse(words: Words, capture: Capture) -> Iterator[PriceQuote]:
    """All prices of the page of Model Studio in one language."""
    page: dict[str, Any] = json.loads(capture.text)["data"]
    if (page["nodeId"], page["language"]) != (DOCUMENT, words.language):
        raise LayoutChanged(f"{page['url']} is not the page of prices in the language {words.language!r}")
    content = replace(capture, body=page["content"].encode())
    for cell in document(content).xpath("//tr[preceding-sibling::tr]/td[@colspan > 1]"):
        if not (NOT_SOLD.match(text_of(cell)) or text_of(cell) == FREE):
            raise LayoutChanged(f"{text_of(cell)!r} stands in several columns")
    for table in tables(content):
        section = table.headings[0]
        if words is ENGLISH_PAGE and not section.startswith("Text generation"):
            continue
        # Among the images the headings of two places have the rank of sections.
        if words is CHINESE_PAGE and section not in SECTIONS | words.abroad:
            raise LayoutChanged(f"{section!r} is an unknown section")
        plain = _with_one_header(table, words)
        ways = {column[:2] for column in plain.header if "每百万Token" in column}
        if ways and ways != PARTS.keys() and (section, Meter.INPUT) not in COUNTED_AS:
            raise LayoutChanged(f"table {table.number} prices tokens one way only: {plain.header}")
        for record in plain.records():
            for item in _row(record, plain, words):
                if item.currency != words.currency:
                    raise LayoutChanged(f"{item.evidence!r} of {item.model_label} is not in {words.currency}")
                yield replace(item, meter=COUNTED_AS.get((section, item.meter), item.meter))


def _with_one_header(table: Table, words: Words) -> Table:
    """The table with one row of headings, in the words of `CHINESE`, without spaces and footnotes."""
    header, rows = table.header, table.rows
    if rows[0][0] == header[0]:
        header = tuple("/".join(dict.fromkeys(names)) for names in zip(header, rows[0], strict=True))
        rows = rows[1:]
    names = ["".join(unicodedata.normalize("NFKC", name.split("[^")[0]).split()) for name in header]
    if words is ENGLISH_PAGE:
        names = ["/".join(ENGLISH[part] for part in name.split("/")) for name in names]
    # A new table, whose cells over several columns are no fault: they say that a model is not sold.
    return Table(table.number, table.headings, table.attributes, tuple(CHINESE.get(name, name) for name in names), rows)


def _row(record: Record, table: Table, words: Words) -> Iterator[PriceQuote]:
    label, *badges = (table.headings[1] if record[LABEL] == SEE_LIST else record[LABEL]).split("\n")
    place = next((name for name in reversed(table.headings) if name in words.abroad | BEIJING), None)
    if not all(map(BADGE.fullmatch, badges)) or (SCOPE not in record and place in words.abroad):
        raise LayoutChanged(f"{label} has unknown badges in {badges}, or no scope of deployment in {place}")
    band = record.get(LENGTHS, "")
    lengths = Lengths() if band in NO_BANDS | {""} else read_lengths(band)
    aspects = [record[column].replace("\n", " ") for column in ASPECTS if record.get(column, "无") != "无"]
    for column, cell in record.items():
        if column in TEXTS or NOT_SOLD.match(cell):
            continue
        heading = PRICE.fullmatch(column)
        if heading is None or (not cell and words is CHINESE_PAGE):
            raise LayoutChanged(f"{column!r} of {label} is unknown or blank")
        way = heading["way"]
        other, condition = OTHERS.get(heading["part"], ("", ""))
        told = [condition] if other and record.get(column.replace(heading["part"], other), "-") != "-" else []
        for said, printed in labelled_prices(WHEN_CHARGED.sub("", cell)):
            price = LIST_PRICE.sub(r"\1", printed)
            money = read_money(price)
            if money is None:
                continue
            unit = money.unit or UNITS.get(heading["per"], None if money.amount else Unit.REQUEST)
            meters = PARTS[way][heading["part"]] if heading["part"] else [COUNTED[way][unit]]
            names = said.split(", ")
            notes = ", ".join(filter(None, [*aspects, *told, *(name for name in names if name not in SAID)]))
            for meter in [meter for name in names if (meter := SAID.get(name))] or meters:
                item = quote(
                    label.removesuffix(INVITED) + (f" ({notes})" if notes else ""),
                    meter,
                    price,
                    unit=unit,
                    currency=words.currency,
                    evidence=cell,
                    locator=record.locator(column),
                    **lengths.band,
                    region=record.get(SCOPE, words.mainland),
                )
                if item:
                    yield item


def parse_hologres(capture: Capture) -> Iterator[PriceQuote | None]:
    """The prices of the models that Hologres manages, by region. Hits of the implicit cache are told by the label."""
    found = tables(capture) if is_html(capture) else ()
    columns = {table.heading: set(table.header) for table in found}
    if columns != HOLOGRES or len(found) != len(HOLOGRES) or not capture.text.rstrip().endswith("</html>"):
        raise LayoutChanged(f"not the whole page of the models that Hologres manages: {columns}")
    if any(text_of(cell)[:1].isdigit() for cell in document(capture).xpath("//td[@rowspan > 1 or @colspan > 1]")):
        raise LayoutChanged("a cell stands for several prices")
    for record in (record for table in found for record in table.records()):
        label, kind = record[NAME], record.get(KIND) or record[RULE]
        if kind not in KINDS:
            raise LayoutChanged(f"{label} is of the unknown kind {kind!r}")
        lengths = read_lengths(record[BAND]) if record.get(BAND, "-") != "-" else Lengths()
        for column in (column for column in record if column in MANAGED):
            printed = record[column]
            note = "implicit cache" if column == IMPLICIT else record.get(SIZE, "-")
            for meter in MANAGED_AS.get((kind, MANAGED[column]), (MANAGED[column],)):
                yield quote(
                    label if note == "-" else f"{label} ({note})",
                    meter,
                    printed + column[column.index("（") + 1 : -1] if printed != "-" else printed,
                    evidence=printed,
                    locator=record.locator(column),
                    **lengths.band,
                    region=record[PLACE].replace("\n", ", "),
                )


PROVIDER = Provider(
    provider_id="alibaba",
    name="Alibaba Cloud",
    homepage="https://www.alibabacloud.com/product/modelstudio",
    kind="first_party",
    sources=(
        Source(
            page_id="model_pricing",
            url="https://help.aliyun.com/help/json/document_detail.json?alias=/model-studio/model-pricing"
            "&pageNum=1&pageSize=20&website=cn&language=zh",
            format="json",
            parse=partial(parse, CHINESE_PAGE),
            former_urls=("https://help.aliyun.com/zh/model-studio/model-pricing",),
        ),
        Source(
            page_id="model_pricing_en",
            url="https://www.alibabacloud.com/help/json/document_detail.json?nodeId=2987148&website=intl&language=en",
            format="json",
            parse=partial(parse, ENGLISH_PAGE),
            verified=False,
            former_urls=("https://www.alibabacloud.com/help/en/model-studio/model-pricing",),
        ),
        Source(
            page_id="hologres",
            url="https://help.aliyun.com/zh/hologres/user-guide/managed-models-billing",
            format="html",
            parse=parse_hologres,
        ),
    ),
)
