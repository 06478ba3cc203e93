"""A strict reader of printed prices: the exact decimal and the unit, or a refusal. It never guesses."""

import re
from dataclasses import dataclass
from decimal import Decimal

from pipeline.domain import Unit
from pipeline.errors import UnreadablePrice

_CURRENCIES = {
    "$": "USD",
    "us$": "USD",
    "usd": "USD",
    "美元": "USD",
    "$usd": "USD",
    "€": "EUR",
    "eur": "EUR",
    "£": "GBP",
    "gbp": "GBP",
    "¥": "CNY",
    "￥": "CNY",
    "cny": "CNY",
    "rmb": "CNY",
    "元": "CNY",
    "人民币": "CNY",
}

_UNITS = {
    "tok": Unit.TOKEN,
    "token": Unit.TOKEN,
    "ktok": Unit.THOUSAND_TOKENS,
    "1k tokens": Unit.THOUSAND_TOKENS,
    "1,000 tokens": Unit.THOUSAND_TOKENS,
    "1000 tokens": Unit.THOUSAND_TOKENS,
    "thousand tokens": Unit.THOUSAND_TOKENS,
    "千tokens": Unit.THOUSAND_TOKENS,
    "千token": Unit.THOUSAND_TOKENS,
    "千 token": Unit.THOUSAND_TOKENS,
    "mtok": Unit.MILLION_TOKENS,
    "mt": Unit.MILLION_TOKENS,
    "1mt": Unit.MILLION_TOKENS,
    "m tokens": Unit.MILLION_TOKENS,
    "1m tokens": Unit.MILLION_TOKENS,
    "million tokens": Unit.MILLION_TOKENS,
    "1 million tokens": Unit.MILLION_TOKENS,
    "1,000,000 tokens": Unit.MILLION_TOKENS,
    "百万tokens": Unit.MILLION_TOKENS,
    "百万token": Unit.MILLION_TOKENS,
    "百万 token": Unit.MILLION_TOKENS,
    "百万 tokens": Unit.MILLION_TOKENS,
    "1m tokens per hour": Unit.MILLION_TOKENS_HOUR,
    "1,000,000 tokens per hour": Unit.MILLION_TOKENS_HOUR,
    "1m tokens / hour": Unit.MILLION_TOKENS_HOUR,
    "百万tokens/小时": Unit.MILLION_TOKENS_HOUR,
    "百万token/小时": Unit.MILLION_TOKENS_HOUR,
    "百万 tokens/小时": Unit.MILLION_TOKENS_HOUR,
    "character": Unit.CHARACTER,
    "1k characters": Unit.THOUSAND_CHARACTERS,
    "1,000 characters": Unit.THOUSAND_CHARACTERS,
    "10k characters": Unit.TEN_THOUSAND_CHARACTERS,
    "万字符": Unit.TEN_THOUSAND_CHARACTERS,
    "1m characters": Unit.MILLION_CHARACTERS,
    "million characters": Unit.MILLION_CHARACTERS,
    "m chars": Unit.MILLION_CHARACTERS,
    "1m chars": Unit.MILLION_CHARACTERS,
    "m characters": Unit.MILLION_CHARACTERS,
    "image": Unit.IMAGE,
    "张": Unit.IMAGE,
    "1000 images": Unit.THOUSAND_IMAGES,
    "megapixel": Unit.MEGAPIXEL,
    "frame": Unit.FRAME,
    "second": Unit.SECOND,
    "sec": Unit.SECOND,
    "s": Unit.SECOND,
    "秒": Unit.SECOND,
    "minute": Unit.MINUTE,
    "min": Unit.MINUTE,
    "audio minute": Unit.MINUTE,
    "audio min": Unit.MINUTE,
    "分钟": Unit.MINUTE,
    "hour": Unit.HOUR,
    "hr": Unit.HOUR,
    "小时": Unit.HOUR,
    "session-hour": Unit.HOUR,
    "page": Unit.PAGE,
    "1k pages": Unit.THOUSAND_PAGES,
    "1,000 pages": Unit.THOUSAND_PAGES,
    "1000 pages": Unit.THOUSAND_PAGES,
    "request": Unit.REQUEST,
    "1k requests": Unit.THOUSAND_REQUESTS,
    "1,000 requests": Unit.THOUSAND_REQUESTS,
    "call": Unit.CALL,
    "use": Unit.CALL,
    "次": Unit.CALL,
    "1k calls": Unit.THOUSAND_CALLS,
    "1,000 calls": Unit.THOUSAND_CALLS,
    "1000 calls": Unit.THOUSAND_CALLS,
    "千次": Unit.THOUSAND_CALLS,
    "invocation": Unit.CALL,
    "1k searches": Unit.THOUSAND_CALLS,
    "1,000 searches": Unit.THOUSAND_CALLS,
    "video": Unit.VIDEO,
    "视频": Unit.VIDEO,
    "song": Unit.SONG,
    "首": Unit.SONG,
    "voice": Unit.VOICE,
    "音色": Unit.VOICE,
    "session": Unit.SESSION,
    "container": Unit.SESSION,
    "gb / 小时": Unit.GB_HOUR,
    "gb/小时": Unit.GB_HOUR,
    "gb / day": Unit.GB_DAY,
    "gb per day": Unit.GB_DAY,
    "gb-day": Unit.GB_DAY,
    "gb / month": Unit.GB_MONTH,
    "model / month": Unit.MODEL_MONTH,
    "month per model": Unit.MODEL_MONTH,
}

_MISSING = frozenset(
    {"", "-", "–", "—", "——", "\\", "/", "n/a", "null", "none", "not available", "not supported", "不支持", "暂不支持"}
)
_FREE = frozenset({"free", "free of charge", "limited-time free", "免费", "限时免费", "不计费"})
_UNPRICED = frozenset({"contact sales", "contact us", "custom", "-1"})

_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")
# A mark refers to a footnote from something; alone it is no text.
_FOOTNOTES = re.compile(r"(?<=\S)(?:\s*(?:\[\^[^\]]*\]|\((?:[0-9]|\*+)\)|[*†‡§¹²³⁴⁵⁶⁷⁸⁹⁰]))+$")
_GLUED_FOOTNOTE = re.compile(r"(?<=[a-z])[0-9]$")
_PLURAL = re.compile(r"(?<=[a-z][a-rt-z])s$")
_QUALIFIERS = re.compile(
    r"\b(?:input|output|cached|cache|training|text|audio|image|prompt|completion)\s+(?=token|mtok)"
)
_CURRENCY = "|".join(sorted(map(re.escape, _CURRENCIES), key=len, reverse=True))
_CURRENCY_NAME = "|".join(name for name in _CURRENCIES if name.isalpha())
# Price tags raise the cents: $2⁵⁰, 2€⁵⁰.
_RAISED_CENTS = re.compile(rf"(?:[0-9]|{_CURRENCY}) ?(?:\[\^ ?(?:[0-9]{{2}}|[.,])|[¹²³⁴⁵⁶⁷⁸⁹⁰]{{2}})")
_NUMBER = r"[0-9][0-9.,]*"
_PRICE = re.compile(
    rf"(?:(?P<before>{_CURRENCY}) ?(?P<first>{_NUMBER})(?: ?(?P<again>{_CURRENCY_NAME}))?"
    rf"|(?P<second>{_NUMBER}) ?(?P<after>{_CURRENCY}))"
    r"(?: ?(?:/|\bper\b) ?(?P<unit>.+))?"
)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_PLAIN = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_COMMA = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?|(?:0|[1-9][0-9]*),[0-9]+")
# 1,250 and 1.250 are a thousand and more in one country and one and a quarter in the next. Which it is shows only where
# the currency is written as nobody but English and Chinese pages write it.
_EITHER_MARK = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_ENGLISH_BEFORE = frozenset({"$", "$usd", "£"})
_CHINESE_AFTER = "美元"
# The cell of a price is short; searching long text for marks at its end would take its time squared.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Money:
    """One printed price. `amount` is None where the cell says that there is a price but not which ("Contact sales")."""

    amount: Decimal | None
    currency: str | None
    unit: Unit | None


def normalise(printed: str) -> str:
    """The text with every kind of space as one space and without invisible characters."""
    return " ".join(_INVISIBLE.sub("", printed).split())


def read_number(printed: str) -> Decimal:
    """An unsigned decimal with thousands marks or a decimal comma, exactly.

    `1,234` is grouped by thousands, `0,25` and `1.234,50` have a decimal comma, a single point is decimal.
    Raises UnreadablePrice.
    """
    if _PLAIN.fullmatch(printed):
        return Decimal(printed)
    if _GROUPED.fullmatch(printed):
        return Decimal(printed.replace(",", ""))
    if _COMMA.fullmatch(printed):
        return Decimal(printed.replace(".", "").replace(",", "."))
    raise UnreadablePrice(f"{_quoted(printed)} is not a number that can be read in one way only")


def read_unit(printed: str) -> Unit:
    """The unit behind `/` or `per`. A digit glued to it is a footnote mark. Raises UnreadablePrice."""
    text = _QUALIFIERS.sub("", _FOOTNOTES.sub("", _prepared(printed)))
    for candidate in (text, _GLUED_FOOTNOTE.sub("", text), _PLURAL.sub("", text)):
        if candidate in _UNITS:
            return _UNITS[candidate]
    raise UnreadablePrice(
        f"{_quoted(printed)} is not a unit that is known; add it to pipeline/reading/money.py if it is one"
    )


def read_money(printed: str) -> Money | None:
    """One cell that holds one price.

    None: nothing is offered (`-`, `N/A`, blank). Amount 0: free. Amount None: a price exists but is not stated.
    Raises UnreadablePrice for everything that is not exactly one price.
    """
    marked = _prepared(printed)
    text = _FOOTNOTES.sub("", marked)
    if text in _MISSING:
        return None
    if text in _FREE:
        return Money(Decimal(0), None, None)
    if text in _UNPRICED:
        return Money(None, None, None)
    match = _PRICE.fullmatch(text)
    if match is None or _RAISED_CENTS.search(marked):
        raise UnreadablePrice(f"{_quoted(printed)} is not one printed price")
    number, currency = match["first"] or match["second"], _CURRENCIES[match["before"] or match["after"]]
    if match["again"] and _CURRENCIES[match["again"]] != currency:
        raise UnreadablePrice(f"{_quoted(printed)} names two currencies")
    point_is_decimal = currency == "CNY" or match["before"] in _ENGLISH_BEFORE or match["after"] == _CHINESE_AFTER
    if _EITHER_MARK.fullmatch(number) and not point_is_decimal:
        raise UnreadablePrice(f"{_quoted(printed)} has a mark that divides either thousands or decimals")
    return Money(read_number(number), currency, read_unit(match["unit"]) if match["unit"] else None)


def _prepared(printed: str) -> str:
    text = normalise(printed).lower()
    if len(text) > _LONGEST:
        raise UnreadablePrice(f"{_quoted(printed)} is too long for a price or a unit")
    return text


def _quoted(printed: str) -> str:
    return repr(printed if len(printed) <= _LONGEST else f"{printed[:_LONGEST]}…")
