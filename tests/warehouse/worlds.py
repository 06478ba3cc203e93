"""Small worlds for the warehouse: pages and price maps, what was captured of them, and what was read from it and when.

The maker has two primary pages and one that cross-checks them; somebody else keeps a price map of the maker's prices.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from hypothesis import strategies as st

from pipeline.capture.archive import Archive
from pipeline.day import RELEASED
from pipeline.domain import Attempt, Meter, Origin, PriceQuote, Provider, Reading, Role, Source, Unit

MAKER, MAP = "maker", "map"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
"""Days on which something was captured or announced are counted from here."""
LEARNT = datetime(2026, 1, 1, tzinfo=UTC)
"""Days on which something was learnt are counted from here."""


class Page(NamedTuple):
    """A page of the maker, or the price map."""

    name: str
    role: Role

    @property
    def provider_id(self) -> str:
        """Whose page it is."""
        return MAP if self.role == "price_map" else MAKER

    @property
    def key(self) -> str:
        """The page as the warehouse names it."""
        return f"{self.provider_id}/{self.name}"


class Read(NamedTuple):
    """One reading of a capture; without quotes it failed."""

    read_at: datetime
    quotes: tuple[PriceQuote, ...] | None


class Taken(NamedTuple):
    """One capture of a page, and its readings in the order in which they were made."""

    capture_id: str
    page: Page
    captured_at: datetime
    requested_at: datetime
    readings: tuple[Read, ...]
    origin: Origin = "live"


class World(NamedTuple):
    """All captures and what was read from them."""

    captures: tuple[Taken, ...]

    def __repr__(self) -> str:
        """A line per capture, reading and quote, with times in days."""
        lines = ["a world"]
        for capture in self.captures:
            at, asked = _day(capture.captured_at, EPOCH), _day(capture.requested_at, LEARNT)
            lines.append(f"{capture.capture_id} of {capture.page.key} at {at}, asked for on {asked} ({capture.origin})")
            for read in capture.readings:
                lines.append(f"    read on {_day(read.read_at, LEARNT)}{'' if read.quotes else ', failed'}")
                lines += [
                    f"        {quote.meter} {quote.list_unit_price} per {quote.pricing_unit}"
                    f" [{_day(quote.announced_from, EPOCH)}..{_day(quote.valid_until, EPOCH)})"
                    for quote in read.quotes or ()
                ]
        return "\n".join(lines)

    def known_by(self, moment: datetime) -> "World":
        """The same world as it was at a moment."""
        captures = (
            capture._replace(readings=tuple(read for read in capture.readings if read.read_at <= moment))
            for capture in self.captures
            if capture.requested_at <= moment
        )
        return World(tuple(captures))

    @property
    def moments(self) -> list[datetime]:
        """When something was learnt, in order."""
        return sorted({read.read_at for capture in self.captures for read in capture.readings})


def _day(moment: datetime | None, since: datetime) -> str:
    return "" if moment is None else f"{(moment - since) / DAY:.6g}"


A, B = Page("a", "primary"), Page("b", "primary")
CHECK, PRICE_MAP = Page("check", "cross_check"), Page("map", "price_map")
BEST_FIRST = [A, B, CHECK, PRICE_MAP]


def _sources(*pages: Page) -> tuple[Source, ...]:
    return tuple(Source(page.name, "https://maker.example", "html", lambda _: (), page.role) for page in pages)


PROVIDERS = [
    Provider(MAKER, "Maker", "https://maker.example", "first_party", _sources(A, B, CHECK)),
    Provider(MAP, "Map", "https://map.example", "price_map", _sources(PRICE_MAP)),
]
METERS = [Meter.INPUT, Meter.OUTPUT, Meter.CACHE_READ, Meter.CACHE_WRITE]


def quoted(
    meter: Meter,
    price: Decimal | int | None,
    start: datetime | None = None,
    end: datetime | None = None,
    unit: Unit = Unit.MILLION_TOKENS,
) -> PriceQuote:
    """What a page prints of one price."""
    return PriceQuote(
        provider_id=MAKER,
        model_label="m1",
        meter=meter,
        list_unit_price=None if price is None else Decimal(price),
        pricing_unit=unit,
        announced_from=start,
        valid_until=end,
        evidence=str(price),
        locator="row",
    )


def records(world: World) -> Iterator[Attempt | Reading]:
    """The world as the records of an archive."""
    for capture in world.captures:
        yield Attempt(
            capture_id=capture.capture_id,
            provider_id=capture.page.provider_id,
            page_id=capture.page.name,
            url="https://maker.example",
            origin=capture.origin,
            requested_at=capture.requested_at,
            captured_at=capture.captured_at,
            outcome="ok",
            status=200,
            sha256=capture.capture_id,
            size=1,
        )
        for number, read in enumerate(capture.readings):
            reading_id = f"{capture.capture_id}-r{number}"
            if read.quotes is None:
                yield Reading(reading_id, capture.capture_id, read.read_at, "LayoutChanged", "no table")
            else:
                # Released: which pages are held back is another story, told by unit tests.
                digest = Archive.quotes_digest(read.quotes)
                yield Reading(reading_id, capture.capture_id, read.read_at, "ok", RELEASED, read.quotes, digest)


# The same price is printed per token and per million; None is a meter that is named without a price.
_printed = st.sampled_from(
    [
        (Decimal(1), Unit.MILLION_TOKENS),
        (Decimal("0.000001"), Unit.TOKEN),
        (Decimal(2), Unit.MILLION_TOKENS),
        (None, Unit.MILLION_TOKENS),
    ]
)
_ORIGINS: list[Origin] = ["live", "web_archive"]
_instants = st.integers(0, 5).map(lambda day: EPOCH + day * DAY)
_requests = st.integers(0, 5).map(lambda day: LEARNT + day * DAY)
# Dates that are announced fall on captures, between them, and within a second of them.
_dates = st.builds(
    lambda halves, seconds: EPOCH + halves * DAY / 2 + seconds * SECOND,
    st.integers(-3, 12),
    st.sampled_from([0, 0, -1, 1]),
)


@st.composite
def _plain(draw: st.DrawFn, meter: Meter) -> list[PriceQuote]:
    price, unit = draw(_printed)
    return [quoted(meter, price, unit=unit)]


@st.composite
def _successions(draw: st.DrawFn, meter: Meter) -> list[PriceQuote]:
    """Prices that follow one another at announced dates, as a price map and a careful page print them."""
    changes = sorted(draw(st.sets(_dates, min_size=1, max_size=3)))
    ends = [*changes[1:], None] if draw(st.booleans()) else changes[1:]
    quotes = [quoted(meter, draw(_printed)[0], start, end) for start, end in zip(changes, ends, strict=False)]
    return [quoted(meter, draw(_printed)[0], None, changes[0]), *quotes] if draw(st.booleans()) else quotes


@st.composite
def _scribbles(draw: st.DrawFn, meter: Meter) -> list[PriceQuote]:
    """Whatever else a page might print of one price, contradictions included."""
    dated = st.tuples(_printed, st.none() | _dates, st.none() | _dates)
    return [
        quoted(meter, price, start, end, unit)
        for (price, unit), start, end in draw(st.lists(dated, min_size=1, max_size=3, unique=True))
    ]


@st.composite
def _quote_sets(draw: st.DrawFn, meters: Sequence[Meter], page: Page) -> tuple[PriceQuote, ...]:
    quotes: list[PriceQuote] = []
    for meter in meters:
        kinds = [st.just([]), _plain(meter), _plain(meter), _successions(meter)]
        quotes += draw(st.one_of(kinds if page.role == "price_map" else [*kinds, _scribbles(meter)]))
    return tuple(quotes)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """One or two pages, perhaps with a price map; one to four prices; up to eight captures in any order."""
    pages = [*draw(st.sampled_from([[A], [A, CHECK], [A, B], [CHECK]])), *draw(st.sampled_from([[], [PRICE_MAP]]))]
    meters = draw(st.lists(st.sampled_from(METERS), min_size=1, max_size=4, unique=True))
    # Few sets of quotes, so that pages repeat themselves and prices return. A page without a price was not read.
    said = {page: draw(st.lists(_quote_sets(meters, page).filter(bool), min_size=1, max_size=3)) for page in pages}
    captured = st.sampled_from(pages).flatmap(
        lambda page: st.tuples(
            st.just(page),
            _instants,
            _requests,
            st.lists(
                st.tuples(st.integers(0, 3), st.sampled_from([*said[page], *said[page], None])), min_size=1, max_size=3
            ),
            st.sampled_from(_ORIGINS),
        )
    )
    captures = [
        Taken(
            f"c{number}",
            page,
            captured_at,
            requested_at,
            tuple(
                Read(requested_at + days * DAY, quotes) for days, quotes in sorted(readings, key=lambda item: item[0])
            ),
            origin,
        )
        for number, (page, captured_at, requested_at, readings, origin) in enumerate(
            draw(st.lists(captured, min_size=2, max_size=8))
        )
    ]
    return World(tuple(captures))
