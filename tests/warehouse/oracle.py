"""What to believe of a world, told from scratch for every moment of knowledge: slow, plain, and nothing remembered."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import NamedTuple

from pipeline.domain import Meter, PriceQuote
from tests.warehouse.worlds import BEST_FIRST, DAY, Page, Taken, World

BEGINNING, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Spell(NamedTuple):
    """An unbroken spell of one price, on one page."""

    page_key: str
    meter: str
    price: Decimal | None
    valid_from: datetime
    valid_to: datetime | None
    ended_by: str | None
    date_precision: str


class Believed(NamedTuple):
    """A spell, and for how long it is believed."""

    spell: Spell
    known_from: datetime
    known_to: datetime | None


class Statement(NamedTuple):
    """What one capture says of one price: the quote in force, or nothing."""

    captured_at: datetime
    quote: PriceQuote | None


def told_from_scratch(world: World, believed: Callable[[World], set[Spell]]) -> list[Believed]:
    """Every spell that was ever believed, with consecutive moments of the same belief joined, in order."""
    since: dict[Spell, datetime] = {}
    history: list[Believed] = []
    for moment in world.moments:
        now = believed(world.known_by(moment))
        history += [Believed(spell, known_from, moment) for spell, known_from in since.items() if spell not in now]
        since = {spell: since.get(spell, moment) for spell in now}
    return in_order([*history, *(Believed(spell, known_from, None) for spell, known_from in since.items())])


def in_order(history: Iterable[Believed]) -> list[Believed]:
    """By page, price, time and knowledge."""
    return sorted(
        history, key=lambda one: (*one.spell[:2], one.spell.valid_from, one.known_from, one.spell.valid_to or END)
    )


def witnessed(world: World) -> set[Spell]:
    """What each page shows by itself, if all that is known of the world is believed."""
    return {spell for page in BEST_FIRST for spell in spells_of(world, page)}


def headline(world: World) -> set[Spell]:
    """The one history of each price: a page speaks until a better one was first read or says that its price began."""
    history: set[Spell] = set()
    starts: dict[str, datetime] = {}
    for number, page in enumerate(BEST_FIRST):
        better_pages = [other for other in BEST_FIRST[:number] if other.role != page.role]
        first_read = min((at for other in better_pages for at in believed_pages(world, other)), default=END)
        spells = list(spells_of(world, page))
        for spell in spells:
            limit = min(first_read, starts.get(spell.meter, END))
            if (spell.valid_to or END) <= limit:
                history.add(spell)
            elif spell.valid_from < limit:
                history.add(spell._replace(valid_to=limit, ended_by="better_witness"))
        for spell in spells:
            starts[spell.meter] = min(starts.get(spell.meter, END), spell.valid_from)
    return history


def spells_of(world: World, page: Page) -> Iterator[Spell]:
    """The spells of a page, walked in the order of its captures."""
    pages = believed_pages(world, page)
    for meter in {quote.meter for quotes in pages.values() for quote in quotes}:
        seen = list(_seen(page, meter, statements(pages, meter)))
        yield from seen
        if page.role == "price_map":
            before = min([min(pages), *(spell.valid_from for spell in seen)])
            yield from _declared(page, meter, pages, before)


def believed_pages(world: World, page: Page) -> dict[datetime, tuple[PriceQuote, ...]]:
    """What the page said at each instant at which it was read, by the last reading of each capture.

    Of two captures of one instant the page itself goes before the web archive, and else the later request speaks; each
    once it has been read.
    """
    pages: dict[datetime, tuple[PriceQuote, ...] | None] = {}
    for capture in sorted(world.captures, key=_from_weak_to_strong):
        if capture.page == page and any(read.quotes is not None for read in capture.readings):
            pages[capture.captured_at] = capture.readings[-1].quotes
    return {at: quotes for at, quotes in pages.items() if quotes is not None}


def _from_weak_to_strong(capture: Taken) -> tuple[bool, datetime, str]:
    return capture.origin != "web_archive", capture.requested_at, capture.capture_id


def statements(pages: dict[datetime, tuple[PriceQuote, ...]], meter: Meter) -> list[Statement]:
    """What each capture says of a price, in the order of the captures."""
    return [Statement(at, in_force(quotes, meter, at)) for at, quotes in sorted(pages.items())]


def in_force(quotes: Iterable[PriceQuote], meter: Meter, at: datetime) -> PriceQuote | None:
    """The quote that holds at a time: the one that started last, and of those the one that ends first."""
    holding = [
        quote
        for quote in quotes
        if quote.meter == meter and (quote.announced_from or BEGINNING) <= at < (quote.valid_until or END)
    ]
    if not holding:
        return None
    last_start = max(quote.announced_from or BEGINNING for quote in holding)
    return min(
        (quote for quote in holding if (quote.announced_from or BEGINNING) == last_start),
        key=lambda quote: quote.valid_until or END,
    )


def _seen(page: Page, meter: Meter, said: Sequence[Statement]) -> Iterator[Spell]:
    runs = [list(run) for _, run in groupby(said, key=_price_said)]
    starts = [_start(before, run) for before, run in pairwise([[], *runs])]
    for run, (valid_from, precision), after in zip(
        runs, starts, [*zip(starts[1:], runs[1:], strict=True), None], strict=True
    ):
        if run[0].quote is None:
            continue
        valid_to, ended_by = None, None
        if after is not None:
            (valid_to, _), following = after
            ended_by = "delisted" if following[0].quote is None else "price_change"
        announced_end = run[-1].quote.valid_until if run[-1].quote else None
        # An announced end holds as long as nothing else was seen before it.
        if announced_end is not None and announced_end < (valid_to or END):
            valid_to, ended_by = announced_end, "announced_end"
        if page.role == "price_map" and precision != "left_censored":
            precision = "declared"
        yield Spell(page.key, str(meter), run[0].quote.usd_per_mtok, valid_from, valid_to, ended_by, precision)


def _price_said(statement: Statement) -> tuple[bool, Decimal | None]:
    return statement.quote is not None, statement.quote.usd_per_mtok if statement.quote else None


def _start(before: Sequence[Statement], run: Sequence[Statement]) -> tuple[datetime, str]:
    """When a run began: on the provider's own date, unless the page said otherwise on or after it."""
    announced = run[0].quote.announced_from if run[0].quote else None
    if announced is not None and (not before or announced > before[-1].captured_at):
        return announced, "exact"
    return run[0].captured_at, "observed" if before else "left_censored"


def _declared(
    page: Page, meter: Meter, pages: dict[datetime, tuple[PriceQuote, ...]], before: datetime
) -> Iterator[Spell]:
    """What a price map says of the time before it was first seen: in the first snapshot that says anything of it."""
    for _, quotes in sorted(pages.items()):
        past = [
            (quote, quote.valid_until)
            for quote in quotes
            if quote.meter == meter and quote.valid_until is not None and quote.valid_until <= before
        ]
        for quote, end in past:
            start = quote.announced_from or end - DAY
            precision = "declared" if quote.announced_from else "left_censored"
            yield Spell(page.key, str(meter), quote.usd_per_mtok, start, end, "price_change", precision)
        if past:
            return
