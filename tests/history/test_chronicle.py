"""How versions of a map become spells, and which of them are believed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain import Capture, Meter, PriceQuote, ServiceTier, Unit
from pipeline.history.chronicle import Chronicle, Item, Layout, Offer, Spell, document, parse, settled, spells_of

START = datetime(2025, 1, 1, tzinfo=UTC)
# A map whose entries are prices of one input each, `provider:label` -> price; an entry with a dash is the worse one.
LAYOUT = Layout(
    paths=("map",),
    entries=lambda *_: {},
    offer=lambda key, _: None if key.startswith("other:") else Offer(*key.rstrip("-").split(":")),
    prices=lambda _, entry: {Item(Meter.INPUT): Decimal(entry)} if entry else {},
    preference=lambda key: (key.endswith("-"), key),
)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def told(*versions: tuple[float, dict[str, str]]) -> list[tuple[str, str, float, float | None, str, str | None]]:
    chronicle = Chronicle(LAYOUT)
    for number, entries in versions:
        chronicle.add(day(number), f"v{number}", entries)
    return [
        (
            spell.model_label,
            str(spell.list_unit_price),
            (spell.valid_from - START) / timedelta(days=1),
            spell.valid_until and (spell.valid_until - START) / timedelta(days=1),
            spell.first_said,
            spell.last_said,
        )
        for spell in chronicle.spells()
    ]


def spell(price: str, start: float, end: float | None) -> Spell:
    return Spell(
        *("acme", "m", None, Meter.INPUT, ServiceTier.STANDARD, None, None),
        list_unit_price=Decimal(price),
        pricing_unit=Unit.MILLION_TOKENS,
        valid_from=day(start),
        valid_until=None if end is None else day(end),
        first_said=f"v{start}",
        last_said=None if end is None else f"before v{end}",
    )


def succession(*steps: tuple[str, float], end: float | None = None) -> list[Spell]:
    """Prices that follow one another without a hole, each from its day on."""
    return [
        spell(price, start, following)
        for (price, start), following in zip(steps, [*(start for _, start in steps[1:]), end], strict=True)
    ]


def judged(series: list[Spell]) -> list[tuple[str, float, float | None, str | None]]:
    return [
        (
            f"{spell.list_unit_price}",
            (spell.valid_from - START).days,
            spell.valid_until and (spell.valid_until - START).days,
            doubt,
        )
        for spell, doubt in settled(series)
    ]


def test_a_spell_lasts_from_the_first_version_that_says_so_to_the_first_that_does_not() -> None:
    assert told((0, {"acme:m": "2"}), (5, {"acme:m": "2"}), (9, {"acme:m": "1"}), (12, {}), (20, {"acme:m": "1"})) == [
        ("m", "2", 0, 9, "v0", "v5"),
        ("m", "1", 9, 12, "v9", "v9"),
        ("m", "1", 20, None, "v20", None),
    ]


def test_the_same_price_in_other_words_goes_on() -> None:
    assert told((0, {"acme:m": "2"}), (5, {"acme:m": "2.0"})) == [("m", "2", 0, None, "v0", None)]


def test_of_two_entries_for_one_offer_the_better_one_speaks_as_long_as_it_has_a_price() -> None:
    assert told(
        (0, {"acme:m-": "9"}),
        (1, {"acme:m-": "9", "acme:m": "2"}),
        (2, {"acme:m-": "8", "acme:m": "2"}),
        (3, {"acme:m-": "8", "acme:m": ""}),
    ) == [("m", "9", 0, 1, "v0", "v0"), ("m", "2", 1, 3, "v1", "v2"), ("m", "8", 3, None, "v3", None)]


def test_the_later_of_two_versions_of_one_moment_speaks() -> None:
    assert told((0, {"acme:m": "9", "acme:gone": "1"}), (0, {"acme:m": "2"})) == [("m", "2", 0, None, "v0", None)]


def test_other_providers_are_left_out_and_a_version_without_a_new_price_says_so() -> None:
    chronicle = Chronicle(LAYOUT)
    assert chronicle.add(day(0), "one", {"acme:m": "2", "other:m": "2"})
    assert not chronicle.add(day(1), "two", {"acme:m": "2.00", "other:m": "3"})
    assert len(chronicle.spells()) == 1


def test_a_value_that_comes_back_within_14_days_is_a_flap() -> None:
    assert judged(succession(("2", 0), ("3", 30), ("2", 44), ("1", 90))) == [
        ("2", 0, 90, None),
        ("3", 30, 44, "flap"),
        ("1", 90, None, None),
    ]
    assert judged(succession(("2", 0), ("3", 30), ("2", 45))) == [
        ("2", 0, 30, None),
        ("3", 30, 45, None),
        ("2", 45, None, None),
    ]


def test_several_flaps_in_a_row_and_a_price_that_was_gone_for_days_are_one_spell() -> None:
    assert judged(succession(("2", 0), ("3", 10), ("2", 12), ("4", 20), ("5", 22), ("2", 24), end=30)) == [
        ("2", 0, 30, None),
        ("3", 10, 12, "flap"),
        ("4", 20, 22, "flap"),
        ("5", 22, 24, "flap"),
    ]
    assert judged([spell("2", 0, 10), spell("2", 20, None)]) == [("2", 0, None, None)]
    assert judged([spell("2", 0, 10), spell("2", 25, None)]) == [("2", 0, 10, None), ("2", 25, None, None)]


def test_a_price_at_10000_times_its_value_for_four_days_is_a_flap() -> None:
    assert judged(succession(("2", 0), ("20000", 30), ("2", 34)))[1] == ("20000", 30, 34, "flap")


def test_what_a_series_jumped_away_from_and_came_back_to_holds() -> None:
    assert judged(succession(("2", 0), ("2000", 30), ("3", 200))) == [
        ("2", 0, 30, None),
        ("2000", 30, 200, "jump"),
        ("3", 200, None, None),
    ]


@pytest.mark.parametrize(("before", "after"), [("2000", "2"), ("2", "2000")])
def test_both_sides_of_a_jump_wait_for_another_witness(before: str, after: str) -> None:
    assert judged(succession((before, 0), (after, 300))) == [(before, 0, 300, "jump"), (after, 300, None, "jump")]


def test_a_move_on_one_side_of_a_jump_waits_too() -> None:
    assert judged(succession(("2000", 0), ("3000", 20), ("2", 300))) == [
        ("2000", 0, 20, "jump"),
        ("3000", 20, 300, "jump"),
        ("2", 300, None, "jump"),
    ]


def test_a_step_of_10x_or_from_free_is_none() -> None:
    assert {doubt for *_, doubt in judged(succession(("20", 0), ("2", 30), ("0", 60), ("15", 90)))} == {None}


prices = st.sampled_from(["0", "1", "2", "15", "2000"])
serieses = st.lists(st.tuples(prices, st.integers(1, 40), st.integers(0, 20)), min_size=1, max_size=8)


@given(serieses)
def test_believed_spells_never_overlap_and_nothing_is_lost(steps: list[tuple[str, int, int]]) -> None:
    series, at = [], 0
    for price, lasts, pause in steps:
        series.append(spell(price, at, at + lasts))
        at += lasts + pause
    verdicts = settled(series)
    believed = [spell for spell, doubt in verdicts if doubt != "flap"]
    assert all(earlier.valid_until <= later.valid_from for earlier, later in pairwise(believed) if earlier.valid_until)
    for said in series:
        assert any(
            verdict.list_unit_price == said.list_unit_price
            and verdict.valid_from <= said.valid_from
            and (verdict.valid_until or at) >= (said.valid_until or at)
            for verdict, _ in verdicts
        )
    # Judged again, what is believed stays as it is.
    assert [spell for spell, _ in settled(believed)] == believed


def test_a_document_is_read_as_it_was_written() -> None:
    spells = [
        spell("0.0000357", 0, 9.5),
        Spell(
            *("acme", 'm, "x"', "eu", Meter.OUTPUT, ServiceTier.BATCH, 200_000, None),
            *(Decimal("1E+2"), Unit.MILLION_TOKENS, day(0), None, "v1", None),
        ),
    ]
    text = document(spells)
    assert list(spells_of(text)) == spells
    assert "2025-01-01,2025-01-10T12:00:00,v0" in text
    assert ",100,1M tokens," in text


def test_another_document_is_refused() -> None:
    with pytest.raises(ValueError, match="a chronicle has the columns"):
        list(spells_of("a,b\n1,2\n"))


def quotes_of(spells: list[Spell]) -> list[PriceQuote]:
    return list(parse(Capture("maps", "said", "pkg:pypi/maps", day(400), document(spells).encode())))


def test_quotes_have_the_dates_the_doubts_and_the_versions() -> None:
    lasting, flap, last = quotes_of(succession(("2", 0), ("3", 30), ("2", 44), ("1", 90)))
    assert (lasting.provider_id, lasting.model_label, lasting.usd_per_mtok) == ("acme", "m", Decimal(2))
    assert (lasting.announced_from, lasting.valid_until, lasting.doubt) == (day(0), day(90), None)
    assert (lasting.evidence, lasting.locator) == ("2", "v0 to before v90")
    assert (flap.announced_from, flap.valid_until, flap.doubt) == (day(30), day(44), "flap")
    assert (last.announced_from, last.valid_until, last.locator) == (day(90), None, "v90")


def test_series_are_judged_apart() -> None:
    spells = sorted(
        [spell("2", 0, None), Spell(**{**_fields(spell("2000", 0, None)), "meter": Meter.OUTPUT})],
        key=lambda spell: spell.series,
    )
    assert [quote.doubt for quote in quotes_of(spells)] == [None, None]
    assert len([key for key, _ in groupby(spells, key=lambda spell: spell.series)]) == 2


def _fields(spell: Spell) -> dict[str, object]:
    return {name: getattr(spell, name) for name in Spell.__slots__}
