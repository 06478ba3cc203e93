"""The spells of the warehouse, held against a history that is told from scratch for every moment of knowledge."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain import Attempt, Meter, Origin, PriceQuote, Reading
from pipeline.settings import settings as tokenfall_settings
from pipeline.warehouse import build, transform
from tests.warehouse.compiled import HEADLINE, HISTORY, MARTS, WITNESSES, Model, Warehouse, compile_models, table_rows
from tests.warehouse.oracle import (
    END,
    Believed,
    Spell,
    believed_pages,
    headline,
    statements,
    told_from_scratch,
    witnessed,
)
from tests.warehouse.worlds import (
    BEST_FIRST,
    CHECK,
    DAY,
    EPOCH,
    LEARNT,
    METERS,
    PRICE_MAP,
    PROVIDERS,
    SECOND,
    A,
    B,
    Page,
    Read,
    Taken,
    World,
    quoted,
    records,
    worlds,
)

TABLES = [WITNESSES, HEADLINE, *MARTS]
TOLD = [WITNESSES, HEADLINE, HISTORY]
INSTANT = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Model]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENFALL_HOME", str(tmp_path_factory.mktemp("compiled")))
        tokenfall_settings.cache_clear()
        yield compile_models()
    tokenfall_settings.cache_clear()


@pytest.fixture(scope="module")
def warehouse(models: list[Model]) -> Warehouse:
    return Warehouse([model for model in models if model.is_of_history])


@pytest.fixture(scope="module")
def warehouse_with_marts(models: list[Model]) -> Warehouse:
    return Warehouse(models)


def some(examples: int) -> settings:
    """So many examples, the same on every run, however slow the machine."""
    return settings(max_examples=examples, deadline=None, derandomize=True)


@some(80)
@given(world=worlds())
def test_history_is_the_one_told_from_scratch(warehouse: Warehouse, world: World) -> None:
    warehouse.fill(world)
    assert warehouse.spells(WITNESSES) == told_from_scratch(world, witnessed)
    assert warehouse.spells(HEADLINE) == told_from_scratch(world, headline)


@some(30)
@given(world=worlds())
def test_at_every_moment_a_price_has_one_history_that_its_page_bears_out(warehouse: Warehouse, world: World) -> None:
    warehouse.fill(world)
    witnesses, headlines = warehouse.spells(WITNESSES), warehouse.spells(HEADLINE)
    # Knowledge is half-open: a second before something is learnt, nothing of it is believed.
    for moment in [*world.moments, *(moment - SECOND for moment in world.moments)]:
        for _, spells in groupby(believed_at(moment, witnesses), key=lambda spell: spell[:2]):
            assert_apart(list(spells))
        for _, spells in groupby(
            sorted(believed_at(moment, headlines), key=lambda spell: (spell.meter, spell.valid_from)),
            key=lambda spell: spell.meter,
        ):
            assert_apart(list(spells))
        for page in BEST_FIRST:
            assert_borne_out(world.known_by(moment), page, believed_at(moment, witnesses))


def believed_at(moment: datetime, history: list[Believed]) -> list[Spell]:
    return [one.spell for one in history if one.known_from <= moment < (one.known_to or END)]


def assert_apart(spells: list[Spell]) -> None:
    """No spell is empty, and each ends before the next begins."""
    assert all(spell.valid_from < (spell.valid_to or END) for spell in spells)
    assert all((before.valid_to or END) <= after.valid_from for before, after in pairwise(spells))


def assert_borne_out(world: World, page: Page, believed: list[Spell]) -> None:
    """Every good capture says what was in force at its time, and where there is a gap the page said so."""
    pages = believed_pages(world, page)
    dates = {quote.valid_until for quotes in pages.values() for quote in quotes}
    for meter in METERS:
        said = statements(pages, meter)
        spells = [spell for spell in believed if (spell.page_key, spell.meter) == (page.key, meter)]
        for at, quote in said:
            in_force = [spell.price for spell in spells if spell.valid_from <= at < (spell.valid_to or END)]
            assert in_force == ([] if quote is None else [quote.usd_per_mtok])
        for before, after in pairwise(spells):
            silent = [at for at, quote in said if quote is None and before.valid_to <= at < after.valid_from]  # type: ignore[operator]
            assert before.valid_to == after.valid_from or silent or before.valid_to in dates


@some(20)
@given(world=worlds(), order=st.randoms(use_true_random=False))
def test_rows_depend_neither_on_their_order_nor_on_how_often_they_are_built(
    warehouse_with_marts: Warehouse, world: World, order: random.Random
) -> None:
    warehouse_with_marts.fill(world)
    once = [warehouse_with_marts.rows(table) for table in TABLES]
    warehouse_with_marts.build_next_day()
    assert [warehouse_with_marts.rows(table) for table in TABLES] == once
    warehouse_with_marts.fill(world, order.shuffle)
    assert [warehouse_with_marts.rows(table) for table in TABLES] == once


@some(12)
@given(world=worlds())
def test_days_build_what_is_built_from_nothing_and_never_rewrite_a_belief(
    warehouse_with_marts: Warehouse, world: World
) -> None:
    warehouse_with_marts.clear()
    warehouse_with_marts.build()
    beliefs = []
    for moment in world.moments:
        warehouse_with_marts.load(world.known_by(moment))
        warehouse_with_marts.build_next_day()
        beliefs.append([believed_at(moment, warehouse_with_marts.spells(table)) for table in (WITNESSES, HEADLINE)])
    day_by_day = [warehouse_with_marts.rows(table) for table in TABLES]
    histories = [warehouse_with_marts.spells(table) for table in (WITNESSES, HEADLINE)]
    assert beliefs == [[believed_at(moment, history) for history in histories] for moment in world.moments]
    warehouse_with_marts.build()
    assert [warehouse_with_marts.rows(table) for table in TABLES] == day_by_day


@some(12)
@given(world=worlds(), order=st.randoms(use_true_random=False))
def test_captures_loaded_one_by_one_in_any_order_build_what_is_built_from_nothing(
    warehouse_with_marts: Warehouse, world: World, order: random.Random
) -> None:
    """Also where what is loaded later was learnt earlier, as with a clock that was put back."""
    captures = list(world.captures)
    order.shuffle(captures)
    warehouse_with_marts.clear()
    warehouse_with_marts.build()
    for number in range(len(captures)):
        warehouse_with_marts.load(World(tuple(captures[: number + 1])))
        warehouse_with_marts.build_next_day()
    one_by_one = [warehouse_with_marts.rows(table) for table in TABLES]
    warehouse_with_marts.build()
    assert [warehouse_with_marts.rows(table) for table in TABLES] == one_by_one


@some(20)
@given(world=worlds())
def test_restated_is_every_day_of_which_another_price_is_believed_than_before(
    warehouse_with_marts: Warehouse, world: World
) -> None:
    """All in this world becomes known a year after it was captured, so that nothing is news."""
    warehouse_with_marts.fill(world)
    history = warehouse_with_marts.spells(HEADLINE)
    dates = [(EPOCH + number * DAY).date() for number in range(-5, 30)]
    expected = set()
    for moment in world.moments:
        known = [one.spell for one in history if one.known_from < moment]
        before, after = believed_at(moment - INSTANT, history), believed_at(moment, history)
        for meter in METERS:
            first = min((spell.valid_from.date() for spell in known if on_some_day(spell, meter)), default=None)
            for at in dates:
                old, new = price_on(at, meter, before), price_on(at, meter, after)
                if old != new and first is not None and first <= at:
                    expected.add((str(meter), moment, at, old, new))
    assert expected == {
        (meter, restated_at, at, old, new)
        for meter, restated_at, day_from, day_to, old, new in warehouse_with_marts.restatements()
        for at in dates
        if day_from <= at < day_to
    }


def on_some_day(spell: Spell, meter: Meter) -> bool:
    return spell.meter == str(meter) and spell.valid_from.date() < (spell.valid_to or END).date()


def price_on(at: date, meter: Meter, spells: list[Spell]) -> Decimal | int | None:
    """The price at the end of a day; None where none is stated, and -1 where it is not listed."""
    prices = [
        spell.price
        for spell in spells
        if on_some_day(spell, meter) and spell.valid_from.date() <= at < (spell.valid_to or END).date()
    ]
    return prices[0] if prices else -1


def day(number: float) -> datetime:
    return EPOCH + number * DAY


def learnt(number: float) -> datetime:
    return LEARNT + number * DAY


def taken(
    page: Page, at: float, *readings: tuple[float, tuple[PriceQuote, ...] | None], origin: Origin = "live"
) -> Taken:
    """A capture, asked for when it was first read; readings are days of knowledge with what was read."""
    asked = learnt(readings[0][0])
    read = tuple(Read(learnt(on), read) for on, read in readings)
    return Taken(f"{page.name}{at}-{asked}", page, day(at), asked, read, origin)


def said(price: int | None, start: float | None = None, end: float | None = None) -> PriceQuote:
    return quoted(Meter.INPUT, price, None if start is None else day(start), None if end is None else day(end))


ONE, TWO, THREE = (said(1),), (said(2),), (said(3),)
ELSE = (quoted(Meter.OUTPUT, 9),)
TWO_FROM_FIVE = (said(1, None, 5), said(2, 5))

# Each history is written as page, price, valid from and to, known from and to: in days, and inputs only.
CASES: dict[str, tuple[str, list[Taken], list[tuple[Any, ...]]]] = {
    "a price that returns is a new spell": (
        WITNESSES,
        [taken(A, 1, (1, ONE)), taken(A, 2, (2, TWO)), taken(A, 3, (3, ONE))],
        [
            ("a", 1, 1, None, 1, 2),
            ("a", 1, 1, 2, 2, None),
            ("a", 2, 2, None, 2, 3),
            ("a", 2, 2, 3, 3, None),
            ("a", 1, 3, None, 3, None),
        ],
    ),
    "a failed capture is a gap in what was seen, not in the price": (
        WITNESSES,
        [taken(A, 1, (1, ONE)), taken(A, 2, (2, None)), taken(A, 3, (3, ONE))],
        [("a", 1, 1, None, 1, None)],
    ),
    "a price that a good capture lacks is delisted": (
        WITNESSES,
        [taken(A, 1, (1, ONE)), taken(A, 2, (1, ELSE)), taken(A, 3, (1, ONE))],
        [("a", 1, 1, 2, 1, None), ("a", 1, 3, None, 1, None)],
    ),
    "a date is not believed if the page said otherwise after it, however often it had said so": (
        WITNESSES,
        [taken(A, 4, (4, ONE)), taken(A, 6, (6, ONE)), taken(A, 8, (8, TWO_FROM_FIVE))],
        [("a", 1, 4, None, 4, 8), ("a", 1, 4, 8, 8, None), ("a", 2, 8, None, 8, None)],
    ),
    "a price that was announced and taken back before its day never was": (
        WITNESSES,
        [taken(A, 1, (1, TWO_FROM_FIVE)), taken(A, 3, (3, ONE)), taken(A, 6, (6, ONE))],
        [("a", 1, 1, 5, 1, 3), ("a", 1, 1, None, 3, None)],
    ),
    "of a lasting and a passing price, the passing one is in force": (
        WITNESSES,
        [taken(A, 1, (1, (said(3), said(1, None, 5)))), taken(A, 2, (1, (said(1, None, 5), said(3))))],
        [("a", 1, 1, 5, 1, None)],
    ),
    "an earlier capture of an instant stays silent when it is read again": (
        WITNESSES,
        [taken(A, 1, (1, ONE), (3, THREE)), taken(A, 1, (2, TWO))],
        [("a", 1, 1, None, 1, 2), ("a", 2, 1, None, 2, None)],
    ),
    "a page's own word goes before a memento of the same instant that comes later": (
        WITNESSES,
        [taken(A, 1, (1, ONE)), taken(A, 1, (2, TWO), origin="web_archive")],
        [("a", 1, 1, None, 1, None)],
    ),
    "a memento speaks of its instant until the page's own word comes": (
        WITNESSES,
        [taken(A, 1, (1, TWO), origin="web_archive"), taken(A, 1, (2, ONE))],
        [("a", 2, 1, None, 1, 2), ("a", 1, 1, None, 2, None)],
    ),
    "of two instants a memento speaks of its own": (
        WITNESSES,
        [taken(A, 2, (1, ONE)), taken(A, 1, (2, TWO), origin="web_archive")],
        [("a", 1, 2, None, 1, 2), ("a", 2, 1, 2, 2, None), ("a", 1, 2, None, 2, None)],
    ),
    "what a map declares of the past is believed while one of its readings says so": (
        WITNESSES,
        [taken(PRICE_MAP, 9, (1, TWO_FROM_FIVE), (2, None), (3, TWO_FROM_FIVE))],
        [
            ("map", 1, 4, 5, 1, 2),
            ("map", 1, 4, 5, 3, None),
            ("map", 2, 5, None, 1, 2),
            ("map", 2, 5, None, 3, None),
        ],
    ),
    "a map that declares another past later contradicts nobody": (
        WITNESSES,
        [taken(PRICE_MAP, 9, (1, TWO_FROM_FIVE)), taken(PRICE_MAP, 10, (2, (said(1, None, 7), said(2, 7))))],
        [("map", 1, 4, 5, 1, None), ("map", 2, 5, None, 1, None)],
    ),
    "an older snapshot of a map does not undo that its past was believed": (
        WITNESSES,
        [taken(PRICE_MAP, 9, (1, TWO_FROM_FIVE)), taken(PRICE_MAP, 3, (2, THREE))],
        [
            ("map", 1, 4, 5, 1, 2),
            ("map", 2, 5, None, 1, None),
            ("map", 3, 3, 5, 2, None),
        ],
    ),
    "a page that says since when its price holds leaves a map no room after that": (
        HEADLINE,
        [taken(PRICE_MAP, 1, (1, ONE)), taken(A, 8, (1, TWO_FROM_FIVE))],
        [("map", 1, 1, 5, 1, None), ("a", 2, 5, None, 1, None)],
    ),
    "the first of two pages speaks from when it first did, and does not take back what was believed": (
        HEADLINE,
        [taken(B, 1, (1, ONE)), taken(A, 3, (3, TWO))],
        [("b", 1, 1, None, 1, 3), ("b", 1, 1, 3, 3, None), ("a", 2, 3, None, 3, None)],
    ),
    "a page whose reading was withdrawn silences nobody": (
        HEADLINE,
        [taken(CHECK, 1, (1, ONE)), taken(A, 2, (1, ELSE), (3, None))],
        [("check", 1, 1, 2, 1, 3), ("check", 1, 1, None, 3, None)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_history_of(case: str, warehouse: Warehouse) -> None:
    table, captures, expected = CASES[case]
    warehouse.fill(World(tuple(captures)))

    def days(moment: datetime | None, since: datetime) -> float | None:
        return None if moment is None else (moment - since) / DAY

    history = [
        (
            *(spell.page_key.partition("/")[2], spell.price),
            *(days(spell.valid_from, EPOCH), days(spell.valid_to, EPOCH)),
            *(days(known_from, LEARNT), days(known_to, LEARNT)),
        )
        for spell, known_from, known_to in warehouse.spells(table)
        if spell.meter == Meter.INPUT
    ]
    assert sorted(history, key=in_days) == sorted(expected, key=in_days)


# What is loaded first, and then what changes the history of a price although it does not say another price.
LOADED_LATER = {
    "an older capture, learnt earlier, shows that a price was not there yet": (
        taken(A, 6, (7, (*ONE, *ELSE))),
        taken(A, 2, (4, ONE)),
    ),
    "a capture repeats what was said in one that was withdrawn": (
        taken(A, 3, (5, ONE), (8, None)),
        taken(A, 5, (2, ONE)),
    ),
    "a capture is silent as was one that was withdrawn": (
        *(taken(A, 1, (1, ONE)), taken(A, 3, (5, ELSE), (8, None))),
        taken(A, 5, (6, ELSE)),
    ),
}


@pytest.mark.parametrize("case", LOADED_LATER)
def test_what_is_loaded_later_and_says_no_other_price_is_told_as_from_nothing(
    case: str, warehouse_with_marts: Warehouse
) -> None:
    captures = LOADED_LATER[case]
    warehouse_with_marts.fill(World(captures[:-1]))
    warehouse_with_marts.load(World(captures))
    warehouse_with_marts.build_next_day()
    one_by_one = [warehouse_with_marts.rows(table) for table in TABLES]
    warehouse_with_marts.build()
    assert [warehouse_with_marts.rows(table) for table in TABLES] == one_by_one


def test_a_reading_that_is_replaced_in_its_moment_says_nothing_in_any_order_of_rows(warehouse: Warehouse) -> None:
    captures = taken(A, 4, (2, ONE)), taken(A, 4, (5, TWO), (5, ONE))
    warehouse.fill(World(captures))
    in_order = [warehouse.rows(table) for table in TOLD[:2]]
    warehouse.fill(World(captures), list.reverse)
    assert [warehouse.rows(table) for table in TOLD[:2]] == in_order


def in_days(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Rows with open ends in order."""
    return tuple(float("inf") if part is None else part for part in row)


def test_days_of_dbt_build_what_dbt_builds_from_nothing(
    warehouse_with_marts: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mementos arrive late, a reading is replaced and a page repeats itself, by way of the real loader and dbt."""
    world = World(
        (
            taken(A, 1, (1, ONE), (3, TWO)),
            taken(A, 4, (1, TWO_FROM_FIVE)),
            taken(PRICE_MAP, 2, (1, THREE)),
            taken(A, 6, (2, TWO_FROM_FIVE)),
            taken(A, 0, (2, THREE)),
            taken(A, 7, (3, TWO_FROM_FIVE)),
            taken(CHECK, 5, (3, ELSE)),
        )
    )
    warehouse_with_marts.fill(world)
    days = [built_by_dbt(tmp_path / "days", monkeypatch, world.known_by(moment)) for moment in world.moments]
    assert days[-1] == built_by_dbt(tmp_path / "nothing", monkeypatch, world)
    assert days[-1][0] == warehouse_with_marts.rows(WITNESSES)
    assert len({len(witnesses) for witnesses, *_ in days}) == len(days)


def built_by_dbt(home: Path, monkeypatch: pytest.MonkeyPatch, world: World) -> list[list[tuple[Any, ...]]]:
    """The tables of history after what the world knows was loaded on top of what is there, and built."""
    monkeypatch.setenv("TOKENFALL_HOME", str(home))
    tokenfall_settings.cache_clear()
    with build.connect(tokenfall_settings().build) as connection:
        build.prepare(connection, PROVIDERS)
        loaded = {
            name
            for table, column in (("captures", "capture_id"), ("readings", "reading_id"))
            for (name,) in connection.execute(f"select {column} from raw.{table}").fetchall()
        }
        new = [record for record in records(world) if name_of(record) not in loaded]
        build.load(connection, new, {provider.provider_id: provider.kind for provider in PROVIDERS})
    selected = ["--select", "+fct_price_history", "--resource-type", "seed", "--resource-type", "model"]
    assert transform.invoke(["build", *selected])
    with build.connect(tokenfall_settings().build) as connection:
        return [table_rows(connection, table) for table in TOLD]


def name_of(record: Attempt | Reading) -> str:
    return record.reading_id if isinstance(record, Reading) else record.capture_id
