"""What a price map said from version to version, as spells: one row per price and unbroken span of saying it.

A chronicle is one document, CSV, in USD: a seed for the releases of packages, a capture for the history of a git
repository. A spell starts with the version that first said the price, and ends with the first that did not.
Both dates are when somebody wrote a price down, never when it came into force.

Outside maps are full of errors, so a chronicle is not believed as it stands. `settled` judges each series by itself:

- A value that is left and comes back within 14 days goes on as if nothing had been said between: that is a `flap`.
- A step of more than 10x is an error of one side, more likely than a price, and an uncorrected error can stay for
  years: time confirms nothing. What the series came back to, later or not, holds, and what it said between is a
  `jump`. In a series that never came back both sides are a `jump`: each waits for another witness to say the same.
"""

import csv
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import groupby
from typing import Any, NamedTuple

from pipeline.domain import Capture, Doubt, Meter, PriceQuote, ServiceTier, Unit

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
FLAP = timedelta(days=14)
JUMP = 10


class Offer(NamedTuple):
    """Which label of which seller a map's entry is about."""

    provider_id: str
    model_label: str
    region: str | None = None


class Item(NamedTuple):
    """What of an offer has a price of its own."""

    meter: Meter
    pricing_unit: Unit = Unit.MILLION_TOKENS
    service_tier: ServiceTier = ServiceTier.STANDARD
    context_from: int | None = None
    context_to: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How one price map is laid out, which consists of the files at `paths` (git's pathspecs) of its repository.

    `entries` takes a file apart, given its path and its bytes: the same key with an equal value says the same as
    before. `offer` is None for an entry that is not about a provider of ours; of several entries for one offer the one
    that sorts first by `preference` speaks. All raise one of UNREADABLE for what is not laid out like the map.
    """

    paths: tuple[str, ...]
    entries: Callable[[str, bytes], Mapping[str, Any]]
    offer: Callable[[str, Any], Offer | None]
    prices: Callable[[str, Any], Mapping[Item, Decimal]]
    preference: Callable[[str], Any] = str


@dataclass(frozen=True, slots=True)
class Spell:
    """A price for as long as the map said it, and the versions that said it first and last (None: says it still)."""

    provider_id: str
    model_label: str
    region: str | None
    meter: Meter
    service_tier: ServiceTier
    context_from: int | None
    context_to: int | None
    list_unit_price: Decimal
    pricing_unit: Unit
    valid_from: datetime
    valid_until: datetime | None
    first_said: str
    last_said: str | None

    @property
    def series(self) -> tuple[Hashable, ...]:
        """What the price is for; texts, so that series sort."""
        key = (self.provider_id, self.model_label, self.region, self.meter, self.service_tier)
        return (*(part or "" for part in key), self.context_from or 0, self.context_to or 0, self.pricing_unit)


class Chronicle:
    """Takes versions in order of time and keeps what changed between them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._entries: Mapping[str, Any] = {}
        self._told: dict[str, tuple[Offer, Mapping[Item, Decimal]]] = {}
        self._keys: dict[Offer, set[str]] = {}
        self._open: dict[Offer, dict[Item, Spell]] = {}
        self._closed: list[Spell] = []
        self._last_said = ""

    def add(self, moment: datetime, said: str, entries: Mapping[str, Any]) -> bool:
        """Takes in one version, named `said`; whether a price in it differs from the version before.

        Raises one of UNREADABLE where an entry cannot be read; then it is as if there had been no such version.
        """
        # Most entries are the very object of before, and need no comparing.
        changed_keys = {
            key for key, entry in entries.items() if (before := self._entries.get(key)) is not entry and before != entry
        }
        changed_keys |= self._entries.keys() - entries.keys()
        told = {key: self._read(key, entries[key]) for key in changed_keys if key in entries}
        touched: set[Offer] = set()
        for key in changed_keys:
            if (before := self._told.pop(key, None)) is not None:
                self._keys[before[0]].discard(key)
                touched.add(before[0])
            if (after := told.get(key)) is not None:
                self._told[key] = after
                self._keys.setdefault(after[0], set()).add(key)
                touched.add(after[0])
        self._entries = entries
        changed = [self._update(offer, moment, said) for offer in touched]
        self._last_said = said
        return any(changed)

    def spells(self) -> list[Spell]:
        """All spells so far, by series and time."""
        still_open = [spell for items in self._open.values() for spell in items.values()]
        return sorted([*self._closed, *still_open], key=lambda spell: (spell.series, spell.valid_from))

    def _read(self, key: str, entry: Any) -> tuple[Offer, Mapping[Item, Decimal]] | None:
        offer = self._layout.offer(key, entry)
        return None if offer is None else (offer, self._layout.prices(key, entry))

    def _update(self, offer: Offer, moment: datetime, said: str) -> bool:
        known = self._open.setdefault(offer, {})
        prices: Mapping[Item, Decimal] = {}
        for key in sorted(self._keys[offer], key=self._layout.preference):
            if prices := self._told[key][1]:
                break
        ended = [item for item, spell in known.items() if prices.get(item) != spell.list_unit_price]
        for item in ended:
            spell = known.pop(item)
            # Two versions of one moment: the earlier one was in force for no time at all.
            if spell.valid_from < moment:
                self._closed.append(replace(spell, valid_until=moment, last_said=self._last_said))
        begun = [item for item in prices if item not in known]
        for item in begun:
            known[item] = Spell(
                **offer._asdict(),
                **item._asdict(),
                list_unit_price=prices[item],
                valid_from=moment,
                valid_until=None,
                first_said=said,
                last_said=None,
            )
        return bool(ended or begun)


_FROM_TEXT: Mapping[str, Callable[[str], object]] = {
    "meter": Meter,
    "service_tier": ServiceTier,
    "context_from": int,
    "context_to": int,
    "list_unit_price": Decimal,
    "pricing_unit": Unit,
    "valid_from": datetime.fromisoformat,
    "valid_until": datetime.fromisoformat,
}
_OPTIONAL = frozenset({"region", "context_from", "context_to", "valid_until", "last_said"})


def document(spells: Iterable[Spell]) -> str:
    """The spells as CSV. A whole day is written as a date, and None as nothing."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(Spell)]
    writer.writerow(names)
    writer.writerows([_plain(getattr(spell, name)) for name in names] for spell in spells)
    return text.getvalue()


def spells_of(text: str) -> Iterator[Spell]:
    """The spells of a document. Raises ValueError for one that is laid out differently."""
    names = [field.name for field in fields(Spell)]
    reader = csv.DictReader(StringIO(text), strict=True)
    if reader.fieldnames != names:
        raise ValueError(f"a chronicle has the columns {names}, not {reader.fieldnames}")
    for row in reader:
        values = {
            name: None if name in _OPTIONAL and not row[name] else _FROM_TEXT.get(name, str)(row[name])
            for name in names
        }
        for name in ("valid_from", "valid_until"):
            moment = values[name]
            if isinstance(moment, datetime) and moment.tzinfo is None:
                values[name] = moment.replace(tzinfo=UTC)
        yield Spell(**values)  # type: ignore[arg-type]


def settled(series: Sequence[Spell]) -> list[tuple[Spell, Doubt | None]]:
    """The spells of one series in order of time, with why one is not believed; a flap is covered by another's span."""
    believed, flaps = _without_flaps(series)
    doubted = _jumps([spell.list_unit_price for spell in believed])
    judged: list[tuple[Spell, Doubt | None]] = [(spell, "flap") for spell in flaps]
    judged += [(spell, "jump" if number in doubted else None) for number, spell in enumerate(believed)]
    return sorted(judged, key=lambda spell: spell[0].valid_from)


def _without_flaps(series: Sequence[Spell]) -> tuple[list[Spell], list[Spell]]:
    believed: list[Spell] = []
    flaps: list[Spell] = []
    position = 0
    while position < len(series):
        current = series[position]
        position += 1
        for later in range(position, len(series)):
            back = series[later]
            if current.valid_until is None or back.valid_from - current.valid_until > FLAP:
                break
            if back.list_unit_price == current.list_unit_price:
                flaps += series[position:later]
                current = replace(current, valid_until=back.valid_until, last_said=back.last_said)
                position = later + 1
        believed.append(current)
    return believed, flaps


def _jumps(prices: Sequence[Decimal]) -> set[int]:
    """The positions of prices that a step of more than 10x puts in doubt. A free price is on no side of a step."""
    levels: list[list[int]] = []
    for number, price in enumerate(prices):
        if not price:
            continue
        # The level that was spoken of last comes last.
        for level in reversed(levels):
            if max(price, prices[level[-1]]) <= JUMP * min(price, prices[level[-1]]):
                levels.remove(level)
                break
        else:
            level = []
        levels.append([*level, number])
    if len(levels) < 2:
        return set()
    came_back = min(level[0] for level in levels) == levels[-1][0]
    return {number for level in (levels[:-1] if came_back else levels) for number in level}


def parse(capture: Capture) -> Iterator[PriceQuote]:
    """Every spell of a chronicle, with its dates and, where it is not to be believed by itself, the reason."""
    for _, series in groupby(spells_of(capture.text), key=lambda spell: spell.series):
        for spell, doubt in settled(list(series)):
            yield PriceQuote(
                provider_id=spell.provider_id,
                model_label=spell.model_label,
                meter=spell.meter,
                list_unit_price=spell.list_unit_price,
                pricing_unit=spell.pricing_unit,
                service_tier=spell.service_tier,
                context_from=spell.context_from,
                context_to=spell.context_to,
                region=spell.region,
                announced_from=spell.valid_from,
                valid_until=spell.valid_until,
                doubt=doubt,
                evidence=f"{spell.list_unit_price}",
                locator=spell.first_said if spell.last_said is None else f"{spell.first_said} to {spell.last_said}",
            )


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            day = value.astimezone(UTC).replace(tzinfo=None)
            return day.date().isoformat() if day == datetime(day.year, day.month, day.day) else day.isoformat()  # noqa: DTZ001
    return value
