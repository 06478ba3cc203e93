"""The reader of prices on cells as pages print them, and on cells made to be misread."""

from decimal import Decimal

import pytest

from pipeline.domain import Unit
from pipeline.errors import UnreadablePrice
from pipeline.reading.money import Money, normalise, read_money, read_number, read_unit


@pytest.mark.parametrize(
    ("printed", "amount", "currency", "unit"),
    [
        ("$3", "3", "USD", None),
        ("$0.0000000357", "0.0000000357", "USD", None),
        ("$1,250.00", "1250.00", "USD", None),
        ("$1.875 / MTok", "1.875", "USD", Unit.MILLION_TOKENS),
        ("0.60 USD", "0.60", "USD", None),
        ("USD 0.60", "0.60", "USD", None),
        ("$0.05 USD per hour", "0.05", "USD", Unit.HOUR),
        ("0.25$ / 1M tokens", "0.25", "USD", Unit.MILLION_TOKENS),
        ("10,00\u00a0US$", "10.00", "USD", None),
        ("1.234,50 €", "1234.50", "EUR", None),
        ("€0,9", "0.9", "EUR", None),
        ("¥8 元", "8", "CNY", None),
        ("1,250元", "1250", "CNY", None),
        ("0.14 美元", "0.14", "USD", None),
        ("£2 / image", "2", "GBP", Unit.IMAGE),
        ("$ 4\u2009/\u202foutput\u200b MTok\ufeff", "4", "USD", Unit.MILLION_TOKENS),
        ("$0.25 / MTok1", "0.25", "USD", Unit.MILLION_TOKENS),
        ("$0.25 / output MTok1", "0.25", "USD", Unit.MILLION_TOKENS),
        ("$0.08 / second2", "0.08", "USD", Unit.SECOND),
        ("$2 / MTok[^12]", "2", "USD", Unit.MILLION_TOKENS),
        ("$2.19 (5)", "2.19", "USD", None),
        ("$2.19 (1) (2)", "2.19", "USD", None),
        ("$5**", "5", "USD", None),
    ],
)
def test_one_price_is_read_exactly(printed: str, amount: str, currency: str, unit: Unit | None) -> None:
    money = read_money(printed)
    assert money == Money(Decimal(amount), currency, unit)
    assert f"{money.amount:f}" == amount


@pytest.mark.parametrize(
    ("printed", "money"),
    [
        ("", None),
        (" \u200b\u00a0", None),
        ("—", None),
        ("-*", None),
        ("N/A", None),
        ("\\", None),
        ("null", None),
        ("Free", Money(Decimal(0), None, None)),
        ("$0.00", Money(Decimal("0.00"), "USD", None)),
        ("Contact Sales", Money(None, None, None)),
        ("-1", Money(None, None, None)),
    ],
)
def test_not_offered_free_and_not_stated_are_three_things(printed: str, money: Money | None) -> None:
    assert read_money(printed) == money


@pytest.mark.parametrize(
    "printed",
    [
        "$0.20 - $0.40",
        "from $0.10",
        "up to $5",
        "~$1",
        "-$1",
        "$5 / €4",
        "$5 $4",
        "$0.04 / MTok (about $0.01/minute)",
        "$5K",
        "$5 / 1B tokens",
        "$5 / second 720",
        "$5 / ss",
        "$1 234",
        "$1e-7",
        "5",
        "5 円",
        "HK$5",
        "$5$",
        "$0.5[^",
    ],
)
def test_what_is_not_exactly_one_price_is_refused(printed: str) -> None:
    with pytest.raises(UnreadablePrice):
        read_money(printed)


@pytest.mark.parametrize("printed", ["*", "**", "[^1]", "(2)", "†"])
def test_a_mark_alone_says_that_there_is_something_to_know(printed: str) -> None:
    with pytest.raises(UnreadablePrice):
        read_money(printed)


@pytest.mark.parametrize("printed", ["$2⁵⁰", "$2[^50]", "$2 [^50]", "$2[^.50]", "2€[^50]", "2 €⁵⁰"])
def test_raised_cents_are_no_footnote(printed: str) -> None:
    with pytest.raises(UnreadablePrice):
        read_money(printed)


@pytest.mark.parametrize("printed", ["$5 EUR", "€5 USD", "¥5 USD", "USD 5 元"])
def test_two_currencies_are_refused(printed: str) -> None:
    with pytest.raises(UnreadablePrice, match="two currencies"):
        read_money(printed)


@pytest.mark.parametrize("printed", ["€1,250", "1.250 €", "1,250 US$", "US$ 1.250", "1,250 USD", "1,250 $"])
def test_a_mark_for_thousands_or_decimals_is_refused_where_the_page_may_be_of_either_country(printed: str) -> None:
    with pytest.raises(UnreadablePrice, match="thousands or decimals"):
        read_money(printed)


@pytest.mark.parametrize(
    ("printed", "number"),
    [
        ("0", "0"),
        ("0.50", "0.50"),
        ("1.250", "1.250"),
        ("1,250", "1250"),
        ("0,250", "0.250"),
        ("1,25", "1.25"),
        ("1.234,50", "1234.50"),
        ("1,234,567.8", "1234567.8"),
        ("1.234.567", "1234567"),
    ],
)
def test_numbers(printed: str, number: str) -> None:
    assert str(read_number(printed)) == number


@pytest.mark.parametrize(
    "printed",
    [
        "",
        " 1",
        "1\n",
        "1.",
        ".5",
        "1,2,3",
        "1.2.3",
        "12,34,567",
        "0.123,45",
        "01,234",
        "007",
        "1_000",
        "1e-7",
        "-1",
        "１２",
        "٣",
        "½",
        "NaN",
    ],
)
def test_what_is_no_number_or_more_than_one_is_refused(printed: str) -> None:
    with pytest.raises(UnreadablePrice):
        read_number(printed)


@pytest.mark.parametrize("printed", ["uſd 5", "5 uſd", "\u212aMTok 5", "\ud800", "\x00"])
def test_letters_that_only_look_like_a_currency_are_refused(printed: str) -> None:
    with pytest.raises(UnreadablePrice):
        read_money(printed)


@pytest.mark.parametrize("text", ["*" * 2_000_000 + "x", "$" + "9" * 2_000_000, "$5 / " + "[^" * 1_000_000])
def test_endless_cells_are_refused_at_once_and_in_short(text: str) -> None:
    for read in (read_money, read_unit):
        with pytest.raises(UnreadablePrice) as refusal:
            read(text)
        assert len(str(refusal.value)) < 400


def test_normalise_leaves_visible_text_with_single_spaces() -> None:
    assert normalise("\ufeff\u3000输入\u200b长度\u00a0 \t\n\u2009[0, 32)\u00ad ") == "输入长度 [0, 32)"
