"""DeepSeek's price page, in English (USD, UTC) and in Chinese (CNY, Beijing time). Prices are per 1M tokens.

Models are columns and prices are rows; in announcements, and until 2025, the other way round. The words of the two
languages differ, the tables do not. Hours, dates and the end of a discount stand in the notes below a table. A page may
print two lists, the current and the coming one, in either order. Notes that announce a multiple are no prices.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.reading.extract import quote
from pipeline.reading.hours import WEEK, hours, spell
from pipeline.reading.money import normalise
from pipeline.reading.tables import Table, document, is_html, tables, text_of

SPAN = r"\d{1,2}:\d\d - \d{1,2}:\d\d"
SLASHED = r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d) UTC"
MOMENT = (
    r"(?P<clock>\d\d:\d\d) UTC(?: Time)? on (?P<month>[A-Z][a-z]+) (?P<day>\d{1,2})(?:th|st|nd|rd)?, (?P<year>\d{4})"
)
MARK = re.compile(r"\s*(?:\[\^)?(\(\d\))\]?$")
DISCOUNT = re.compile(r"(.+?) \(\d+% off(?:\[\^)?(\(\d\))\]?\)")
SINCE = re.compile(f"takes effect from {SLASHED}")
UNTIL = re.compile(f"extended until {SLASHED}")
STAYS = re.compile(f"current price list will remain in effect until {MOMENT}")
GROUP_HOURS = re.compile(r"((STANDARD|DISCOUNT) PRICE \(UTC (\d\d:\d\d)-(\d\d:\d\d)\))")
LEGACY_TIERS = {"STANDARD": ServiceTier.STANDARD, "DISCOUNT": ServiceTier.OFF_PEAK}


@dataclass(frozen=True)
class Words:
    """What a language calls things, and how far its clock is ahead of UTC, in hours."""

    currency: str
    ending: str
    ahead: int
    model: str
    prices: str
    peak: str
    off_peak: str
    peak_hours: re.Pattern[str]
    starts: re.Pattern[str]
    meters: dict[str, Meter]
    ignored: set[str]


ENGLISH = Words(
    currency="USD",
    ending="Product prices may vary",
    ahead=0,
    model="MODEL",
    prices="PRICING",
    peak="PEAK",
    off_peak="OFF-PEAK",
    peak_hours=re.compile(
        rf"Peak hours are (?P<spans>{SPAN}(?:(?:,| and) {SPAN})*) UTC(?P<weekdays>, Monday through Friday)?"
        r"(?P<holidays>, excluding Chinese public holidays)?(?: \(all other hours are off-peak\)"
        r"|\. All other hours are off-peak, including weekends and Chinese public holidays in full)"
    ),
    starts=re.compile(f"(?:take effect at|Starting from) {MOMENT}, (?:as follows:|we will apply the following price)"),
    meters={
        "1M INPUT TOKENS (CACHE HIT)": Meter.CACHE_READ,
        "1M INPUT TOKENS (CACHE MISS)": Meter.INPUT,
        "1M OUTPUT TOKENS": Meter.OUTPUT,
        "1M TOKENS INPUT PRICE (CACHE HIT)": Meter.CACHE_READ,
        "1M TOKENS INPUT PRICE (CACHE MISS)": Meter.INPUT,
        "1M TOKENS OUTPUT PRICE": Meter.OUTPUT,
    },
    ignored={"BASE URL (OpenAI Format)", "BASE URL (Anthropic Format)", "MODEL VERSION", "THINKING MODE", "FEATURES"}
    | {"CONTEXT LENGTH", "MAX COT TOKENS", "MAX OUTPUT", "MAX OUTPUT TOKENS", "Concurrency Limit"},
)
CHINESE = Words(
    currency="CNY",
    ending="产品价格可能发生变动",
    ahead=8,
    model="模型",
    prices="价格",
    peak="高峰时段",
    off_peak="空闲时段",
    peak_hours=re.compile(
        rf"北京时间 ?(?P<weekdays>周一至周五)?(?P<holidays>（不含中国法定节假日）)? ?(?P<spans>{SPAN}(?:、{SPAN})*)"
        "(?:（其余为空闲时段）| 为高峰时段；其余时段，包括周末及中国法定节假日全天均为空闲时段)"
    ),
    starts=re.compile(
        r"新价格将于北京时间 (?P<year>\d{4}) 年 (?P<month>\d{1,2}) 月 (?P<day>\d{1,2}) 日 (?P<clock>\d\d:\d\d) "
        "开始生效，具体如下"
    ),
    meters={
        "百万tokens输入（缓存命中）": Meter.CACHE_READ,
        "百万tokens输入（缓存未命中）": Meter.INPUT,
        "百万tokens输出": Meter.OUTPUT,
    },
    ignored={"BASE URL (OpenAI 格式)", "BASE URL (Anthropic 格式)", "模型版本", "思考模式", "功能"}
    | {"上下文长度", "输出长度", "并发限制"},
)


def parse(words: Words, capture: Capture) -> Iterator[PriceQuote]:
    text = text_of(document(capture)) if is_html(capture) else capture.text
    if not is_html(capture) and words.prices in text and words.ending not in text:
        raise ValueError("the page breaks off before its last line")
    tiers = _tiers(normalise(text), words)
    lists = [found for table in tables(capture) if (found := list(_quotes(table, words, tiers, text)))]
    starts, stays = words.starts.search(normalise(text)), STAYS.search(normalise(text))
    if starts is None:
        [current] = lists
        yield from current
    else:
        # With an end of its own the current list stands second, otherwise the coming one is appended to it.
        current, coming = reversed(lists) if stays else lists
        yield from (replace(item, valid_until=_moment(stays, words)) if stays else item for item in current)
        yield from (replace(item, announced_from=_moment(starts, words)) for item in coming)


def _tiers(text: str, words: Words) -> dict[str, tuple[ServiceTier, str | None]]:
    """What the rows' labels say of the hours: all of them without a label, the others from the notes or the label."""
    tiers: dict[str, tuple[ServiceTier, str | None]] = {"": (ServiceTier.STANDARD, None)}
    for label, kind, start, end in GROUP_HOURS.findall(text):
        tiers[label] = LEGACY_TIERS[kind], spell(hours(start, end))
    if printed := words.peak_hours.search(text):
        days = range(5 if printed["weekdays"] else 7)
        spans = [span.split(" - ") for span in re.findall(SPAN, printed["spans"])]
        peak = frozenset[int]().union(*(hours(start, end, days=days, ahead=words.ahead) for start, end in spans))
        but, also = (" except CN holidays", " and CN holidays") if printed["holidays"] else ("", "")
        tiers[words.peak] = ServiceTier.STANDARD, f"{spell(peak)}{but}"
        tiers[words.off_peak] = ServiceTier.OFF_PEAK, f"{spell(WEEK - peak)}{also}"
    return tiers


def _quotes(
    table: Table, words: Words, tiers: dict[str, tuple[ServiceTier, str | None]], text: str
) -> Iterator[PriceQuote]:
    (_, first), *rows = ((number, row) for number, row in enumerate((table.header, *table.rows)) if any(row))
    head = [_bare(cell) for cell in first]
    depth = len(list(takewhile(lambda cell: cell in {words.model, ""}, head)))
    above = first
    is_shared: set[bool] = set()  # in late 2025 all prices stand in one cell for all models
    for number, printed_row in rows:
        # Markdown has no spans: a cell that spans rows is missing from all but the first.
        missing = len(first) - len(printed_row)
        if missing >= depth or (missing and above is first):
            raise ValueError(f"row {number} of table {table.number} is {printed_row} under {first}")
        above = row = (*above[:missing], *printed_row)
        labels = [_bare(cell) for cell in row[:depth]]
        for place, (column, printed) in enumerate(zip(head[depth:], row[depth:], strict=True), start=depth):
            models_are_rows = column in words.meters.keys() | words.ignored
            model, names = (labels[0], {column, *labels[1:]}) if models_are_rows else (column, set(labels))
            if names & words.ignored:
                continue
            [meter] = names & words.meters.keys()
            [label] = names - {meter, words.prices, ""} or {""}
            tier, window = tiers[label]
            discount = DISCOUNT.fullmatch(printed)
            marks = [discount[2]] if discount else [mark[1] for cell in row[:depth] if (mark := MARK.search(cell))]
            notes = "\n".join(line for line in text.splitlines() if line.startswith(tuple(marks)))
            since, until = SINCE.search(notes), UNTIL.search(notes)
            is_shared.add(bool({(number, place), (number, place + 1)} & table.merged))
            if not printed or len(is_shared) > 1 or bool(discount) != bool(until):
                raise ValueError(
                    f"{printed!r} of {model} is blank, alone in being shared, or a discount without an end"
                )
            item = quote(
                model,
                words.meters[meter],
                discount[1] if discount else printed,
                unit=Unit.MILLION_TOKENS,
                currency=words.currency,
                evidence=printed,
                locator=f"table {table.number}, row {number}, {column}",
                service_tier=tier,
                time_window=window,
                announced_from=since and _moment(since, words),
                valid_until=until and _moment(until, words),
            )
            if item:
                yield item


def _bare(cell: str) -> str:
    return MARK.sub("", normalise(cell)).replace(" （", "（")


def _moment(printed: re.Match[str], words: Words) -> datetime:
    month = "%b" if printed["month"].isalpha() else "%m"
    day = f"{printed['year']} {printed['month'][:3]} {printed['day']} {printed['clock']}"
    return datetime.strptime(day, f"%Y {month} %d %H:%M").replace(tzinfo=UTC) - timedelta(hours=words.ahead)


PROVIDER = Provider(
    provider_id="deepseek",
    name="DeepSeek",
    homepage="https://www.deepseek.com",
    kind="first_party",
    sources=(
        Source(
            "pricing",
            "https://api-docs.deepseek.com/quick_start/pricing",
            "html",
            partial(parse, ENGLISH),
            former_urls=(
                "https://api-docs.deepseek.com/quick_start/pricing.md",
                "https://api-docs.deepseek.com/quick_start/pricing-details-usd",
            ),
        ),
        Source(
            "pricing_zh",
            "https://api-docs.deepseek.com/zh-cn/quick_start/pricing",
            "html",
            partial(parse, CHINESE),
            former_urls=("https://api-docs.deepseek.com/zh-cn/quick_start/pricing.md",),
        ),
    ),
)
