"""One parse from bytes to quotes: what comes back, and the one named error for anything else."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.errors import BotChallenge, LayoutChanged, ScrapeError, UnreadablePrice
from pipeline.reading.extract import quote, quote_json, read, recognise
from pipeline.reading.tables import tables, text_lines

PAGE = b"<!DOCTYPE html><html><body><table><tr><th>Model</th><th>Input</th></tr>%s</table></body></html>"
ROW = b"<tr><td>m</td><td>$1 / MTok</td></tr>"


def capture(body: bytes) -> Capture:
    return Capture("someone", "pricing", "https://p.test", datetime(2026, 1, 1, tzinfo=UTC), body)


def source(parse: Callable[[Capture], Any], page_id: str = "pricing") -> Source:
    return Source(page_id=page_id, url="https://p.test", format="html", parse=parse)


def parse_table(page: Capture) -> Iterator[PriceQuote | None]:
    [table] = tables(page)
    for record in table.records():
        yield quote(record["Model"], Meter.INPUT, record["Input"], locator=record.locator("Input"))


def parse_json(page: Capture) -> Iterator[PriceQuote | None]:
    for index, fields in enumerate(json.loads(page.text)):
        yield quote(fields.pop("label"), Meter.INPUT, fields.pop("price"), locator=f"/{index}", **fields)


def test_quotes_come_in_page_order_with_what_was_printed() -> None:
    body = PAGE % (ROW + b"<tr><td>n</td><td>-</td></tr><tr><td>o</td><td>\xe2\x82\xac2 / 1K tokens</td></tr>")
    first, second = read(capture(body), source(parse_table))
    assert (first.model_label, first.list_unit_price, first.pricing_unit) == ("m", Decimal(1), Unit.MILLION_TOKENS)
    assert (first.evidence, first.locator) == ("$1 / MTok", "table 1, row 1, Input")
    assert (second.currency, second.pricing_unit) == ("EUR", Unit.THOUSAND_TOKENS)


def test_the_evidence_is_the_cell_where_the_price_is_only_a_part_of_it() -> None:
    item = quote("m", Meter.INPUT, "$1/MTok", evidence="1 (was 2)", locator="here")
    assert item is not None
    assert (item.list_unit_price, item.evidence) == (Decimal(1), "1 (was 2)")
    assert quote("m", Meter.INPUT, "-", evidence="- (was 2)", locator="here") is None


def test_a_number_of_a_document_is_quoted_with_its_key() -> None:
    item = quote_json("m", Meter.INPUT, "0.50", unit=Unit.TOKEN, locator="/data/0/pricing/prompt", context_to=8)
    assert (item.model_label, item.meter, item.list_unit_price) == ("m", Meter.INPUT, Decimal("0.50"))
    assert (item.pricing_unit, item.currency, item.context_to) == (Unit.TOKEN, "USD", 8)
    assert (item.evidence, item.locator) == ("prompt: 0.50", "/data/0/pricing/prompt")


def test_a_number_of_a_document_is_read_as_strictly_as_its_provider_needs() -> None:
    with pytest.raises(UnreadablePrice):
        quote_json("m", Meter.INPUT, "5e-7", unit=Unit.TOKEN, locator="/prompt")
    item = quote_json("m", Meter.INPUT, "5e-7", unit=Unit.TOKEN, locator="/prompt", read_amount=Decimal)
    assert (item.list_unit_price, item.evidence) == (Decimal("0.0000005"), "prompt: 5e-7")


@pytest.mark.parametrize(
    "mark",
    [
        b"<title>Just a moment...</title>",
        b"<TITLE>just a moment...</TITLE>",
        b'<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script>',
        b"<script>window._cf_chl_opt={}</script>",
        b'<iframe src="https://challenges.cloudflare.com/x"></iframe>',
        b"<p>Vercel Security Checkpoint</p>",
        b'<script src="https://1.token.awswaf.com/challenge.js"></script>',
        b'<script src="https://ct.captcha-delivery.com/c.js"></script>',
        b'<div id="px-captcha"></div>',
    ],
)
def test_a_challenge_is_told_from_a_page(mark: bytes) -> None:
    with pytest.raises(BotChallenge, match="not evaded"):
        read(capture(PAGE % ROW + mark), source(parse_table))


def test_a_page_of_prices_may_hold_a_script_of_a_shield() -> None:
    script = b'<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>'
    body = PAGE % (b"".join(b"<tr><td>m%d</td><td>$1 / MTok</td></tr>" % number for number in range(2000)))
    assert len(read(capture(body.replace(b"<body>", b"<body>" + script)), source(parse_table))) == 2000


def raising(error: BaseException) -> Callable[[Capture], list[PriceQuote]]:
    def parse(_: Capture) -> list[PriceQuote]:
        raise error

    return parse


ODD = [KeyError("Input"), IndexError(), ValueError("x"), TypeError(), AttributeError(), ZeroDivisionError()]
ODD += [AssertionError(), RecursionError(), StopIteration(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")]


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
def test_whatever_a_page_makes_a_parser_raise_is_one_named_error(error: Exception) -> None:
    with pytest.raises(LayoutChanged, match=rf"someone/pricing .*{type(error).__name__}") as raised:
        read(capture(b""), source(raising(error)))
    assert raised.value.__cause__ is error


def test_so_is_what_a_generator_raises_when_it_finds_no_next() -> None:
    def parse(page: Capture) -> Iterator[PriceQuote]:
        yield next(item for item in () if page)

    with pytest.raises(LayoutChanged, match="RuntimeError"):
        read(capture(b""), source(parse))


@pytest.mark.parametrize("error", [UnreadablePrice("$1 - $2"), LayoutChanged("new column"), BotChallenge("wait")])
def test_a_named_error_stays_what_it_is(error: ScrapeError) -> None:
    with pytest.raises(type(error)) as raised:
        read(capture(b""), source(raising(error)))
    assert raised.value is error


@pytest.mark.parametrize("error", [NameError("a bug"), OSError("no disk"), KeyboardInterrupt(), MemoryError()])
def test_what_no_page_can_cause_is_not_hidden(error: BaseException) -> None:
    with pytest.raises(type(error)):
        read(capture(b""), source(raising(error)))


@pytest.mark.parametrize("rows", [b"", b"<tr><td>m</td><td>-</td></tr>", b"<tr><td>m</td><td>-1</td></tr>"])
def test_a_page_without_a_price_is_an_error(rows: bytes) -> None:
    with pytest.raises(LayoutChanged):
        read(capture(PAGE % rows), source(parse_table))


def test_a_price_without_an_amount_is_kept_beside_others() -> None:
    found = [{"label": "m", "price": "$1", "unit": "1M tokens"}, {"label": "n", "price": "Custom", "unit": "1M tokens"}]
    assert [q.list_unit_price for q in read(capture(json.dumps(found).encode()), source(parse_json))] == [1, None]


def test_a_price_that_is_printed_twice_is_one_quote_and_the_first() -> None:
    [only] = read(capture(PAGE % (ROW + ROW)), source(parse_table))
    assert only.locator == "table 1, row 1, Input"


def test_two_prices_for_one_thing_are_an_error_that_names_both() -> None:
    body = PAGE % (ROW + b"<tr><td>m</td><td>$2 / MTok</td></tr>")
    with pytest.raises(LayoutChanged, match=r"'\$1 / MTok' at table 1, row 1.*'\$2 / MTok' at table 1, row 2"):
        read(capture(body), source(parse_table))


@pytest.mark.parametrize(
    "fields",
    [
        {"label": "half \ud800"},
        {"region": "\udfff"},
        {"price": "$1,000,000,000,000"},
        {"price": "$" + "9" * 60},
        {"context_from": -1},
        {"context_to": 2**63},
    ],
)
def test_what_no_warehouse_holds_is_refused_before_it_gets_there(fields: dict[str, object]) -> None:
    body = json.dumps([{"label": "m", "price": "$1", "unit": "1M tokens", **fields}]).encode()
    with pytest.raises(LayoutChanged):
        read(capture(body), source(parse_json))


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(
            st.sampled_from(
                [PAGE % ROW, ROW, b"<!DOCTYPE html>", b"<table>", b"</table>", b"<td colspan=9>", b"<td>$2"]
            )
            | st.binary(max_size=3)
        ).map(b"".join),
    )
)
def test_any_bytes_are_read_or_are_a_named_error(body: bytes) -> None:
    def parse_both(page: Capture) -> Iterator[PriceQuote | None]:
        text_lines(page)
        yield from parse_table(page)

    with suppress(ScrapeError):
        assert read(capture(body), source(parse_both))


def test_what_the_cell_says_wins_over_what_the_table_says() -> None:
    printed = quote("m", Meter.INPUT, "€1 / 1K tokens", unit=Unit.MILLION_TOKENS, currency="USD", locator="here")
    assert printed is not None
    assert (printed.pricing_unit, printed.currency) == (Unit.THOUSAND_TOKENS, "EUR")
    of_the_table = quote("m", Meter.INPUT, "Free", unit=Unit.MILLION_TOKENS, currency="CNY", locator="here")
    assert of_the_table is not None
    assert (of_the_table.list_unit_price, of_the_table.pricing_unit) == (Decimal(0), Unit.MILLION_TOKENS)
    assert of_the_table.currency == "CNY"


def test_a_quote_carries_its_dimensions_and_its_evidence_as_printed() -> None:
    found = quote(
        "m", Meter.OUTPUT, "$1\u00a0*", unit=Unit.TOKEN, locator="here", service_tier=ServiceTier.BATCH, context_to=5
    )
    assert found is not None
    assert (found.service_tier, found.context_to, found.evidence) == (ServiceTier.BATCH, 5, "$1\u00a0*")


def test_not_offered_is_no_quote_and_no_unit_is_an_error() -> None:
    assert quote("m", Meter.INPUT, "N/A", locator="here") is None
    with pytest.raises(UnreadablePrice, match="names no unit"):
        quote("m", Meter.INPUT, "$1", locator="here")


def provider(*sources: Source) -> Provider:
    return Provider("someone", "Someone", "https://p.test", "first_party", sources)


def test_a_page_is_recognised_by_the_parser_that_reads_it() -> None:
    sources = source(parse_json, "api"), source(parse_table, "pricing"), source(raising(NameError("not tried")), "more")
    found, quotes = recognise(capture(PAGE % ROW), provider(*sources))
    assert (found.page_id, len(quotes)) == ("pricing", 1)


def test_a_page_that_no_parser_reads_raises_the_error_of_the_first() -> None:
    first = UnreadablePrice("first")
    with pytest.raises(UnreadablePrice) as raised:
        recognise(capture(b""), provider(source(raising(first)), source(raising(LayoutChanged("second")))))
    assert raised.value is first
    with pytest.raises(LayoutChanged, match="no page to read"):
        recognise(capture(b""), provider())
