"""Changes of the text of a page, whatever its format: cut off, in other units, in other currencies."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pipeline.domain import PriceQuote, Unit
from tests.providers.mutants import Mutant, Plan, Quotes, other_number, prices

ROW_END = re.compile(r"</tr>|^ *\|.*\|$\n|\},|\],", re.MULTILINE)
ONLY_ROWS = re.compile(r"(?:\|.*\|\s*)+")

# How the units are printed that are changed, what they become, and as which units prices in them are read.
UNITS = {
    "1M to 1K": (
        re.compile(
            r"\b1M(?= (?:[\w/]+ )*(?:tok|char))|(?<=per )1M\b|(?<=/)1M\b|(?<=/ )1M\b|(?<=[/ ])M(?= (?:tokens|chars))"
            r"|\bM(?=Tok)|(?<=/)M(?=T\b)|\b1,000,000(?= tok)|million(?=s?[ _](?:\w+[ _])*(?:tok|char))"
            r"|(?<=per )million\b|百万(?= ?tok)",
            re.IGNORECASE,
        ),
        {"1M": "1K", "M": "K", "1,000,000": "1,000", "MILLION": "thousand", "百万": "千"},
        {Unit.MILLION_TOKENS, Unit.MILLION_CHARACTERS},
    ),
    "1K to 1M": (
        re.compile(
            r"(?:\b1K|\b1,?000|\bthousand)(?=[ _)](?:[\w/]+[ _])*"
            r"(?:search|quer|page|image|call|request|prompt|char|tok|input|output)?)|千次",
            re.IGNORECASE,
        ),
        {"1K": "1M", "1000": "1M", "1,000": "1M", "THOUSAND": "million", "千次": "百万次"},
        {unit for unit in Unit if unit.name.startswith("THOUSAND")},
    ),
    "second to minute": (
        re.compile(
            r"(?<=per )sec(?:ond)?\b|(?<=/)s(?:ec(?:ond)?)?\b|(?<=/ )sec(?:ond)?\b|(?<=[/每])秒|second(?=s?\")",
            re.IGNORECASE,
        ),
        {"S": "min", "SEC": "min", "SECOND": "minute", "秒": "分钟"},
        {Unit.SECOND},
    ),
}
CURRENCY = re.compile(
    r"(?:US)?\$+(?=\d)|(?<=\")\$(?=\"\})|(?<=>)\$(?=</)|\bUSD\b|\bUS dollars\b|美元|[¥￥]|人民币|元|€|\bEUR\b"
)
EXCHANGED = {
    "$": "€",
    "US$": "€",
    "USD": "EUR",
    "US dollars": "euros",
    "美元": "元",
    "¥": "$",
    "￥": "$",
    "人民币": "美元",
    "元": "美元",
    "€": "$",
    "EUR": "USD",
}
DIGIT_AFTER, DIGIT_BEFORE = re.compile(r"[^\d\n]{0,3}(\d)"), re.compile(r"(\d)\s?$")


def plans(text: str) -> Iterator[Plan]:
    """Everything that could be done to the text of a page."""
    yield from _truncations(text)
    for name in UNITS:
        if UNITS[name][0].search(text):
            yield Plan("unit", name, partial(_other_unit, text, name))
    if signs := list(CURRENCY.finditer(text)):
        body = CURRENCY.sub(_exchanged, text).encode()
        yield Plan("currency", "all", partial(Mutant, body, _all_exchanged))
    for sign in signs:
        digit = DIGIT_AFTER.match(text, sign.end()) or DIGIT_BEFORE.search(text, 0, sign.start())
        if digit:
            yield Plan("currency", f"at {sign.start()}", partial(_other_sign, text, sign, digit.start(1)))


def _truncations(text: str) -> Iterator[Plan]:
    cuts = [(f"at {percent} %", len(text) * percent // 100) for percent in (90, 60, 30)]
    ends = [row.end() for row in ROW_END.finditer(text)]
    for name, found in (("before the last row", ends[-2:-1]), ("some rows before the end", ends[-4:-3])):
        for end in found:
            rest_of_line = len(text[end:].split("\n", 1)[0]) or 40
            cuts += [(f"{name}, after a row", end), (f"{name}, within a row", end + rest_of_line // 2)]
    for name, end in cuts:
        # Where a page ends with a table of Markdown, its last rows may as well never have been there.
        ends_in_rows = text[end - 1] == "\n" and ONLY_ROWS.fullmatch(text, end)
        yield Plan("last rows" if ends_in_rows else "truncate", name, partial(Mutant, text[:end].encode()))


def _other_unit(text: str, name: str) -> Mutant:
    pattern, changes, replaced = UNITS[name]

    def as_printed(before: Quotes, after: Quotes) -> Quotes:
        for quote in after:
            if quote.pricing_unit in replaced and quote.list_unit_price:
                raise ValueError(f"{quote.model_label} {quote.meter} is still read per {quote.pricing_unit}")
        return _restored(before, after, "pricing_unit")

    return Mutant(pattern.sub(lambda unit: changes[unit[0].upper()], text).encode(), as_printed)


def _other_sign(text: str, sign: re.Match[str], digit: int) -> Mutant:
    body = text[: sign.start()] + _exchanged(sign) + text[sign.end() :]
    probe = text[:digit] + other_number(text[digit]) + text[digit + 1 :]
    return Mutant(body.encode(), _one_exchanged, probe.encode())


def _exchanged(sign: re.Match[str]) -> str:
    return EXCHANGED["$" if set(sign[0]) == {"$"} else sign[0]]


def _all_exchanged(before: Quotes, after: Quotes) -> Quotes:
    now = {quote.key[:4]: quote.currency for quote in after if quote.list_unit_price}
    for quote in before:
        # A price without a sign of its own may be in the currency that it always is in.
        if CURRENCY.search(quote.evidence) and now.get(quote.key[:4]) == quote.currency:
            raise ValueError(f"{quote.model_label} {quote.meter} is still read in {quote.currency}")
    return _restored(before, after, "currency")


def _one_exchanged(before: Quotes, after: Quotes) -> Quotes:
    if prices(before) == prices(after):
        raise ValueError("the price is read in the currency that it had")
    return _restored(before, after, "currency")


def _restored(before: Quotes, after: Quotes, field: str) -> Quotes:
    """The quotes after, with a field turned back to what it was where nothing else changed."""
    keys = {quote.key for quote in before}
    was = {_without(quote, field): getattr(quote, field) for quote in before}
    return [
        replace(quote, **{field: was[_without(quote, field)]})
        if quote.key not in keys and _without(quote, field) in was
        else quote
        for quote in after
    ]


def _without(quote: PriceQuote, field: str) -> tuple[object, ...]:
    return (*replace(quote, **{field: None}).key, quote.list_unit_price)
