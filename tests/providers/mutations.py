"""Damages every page of our own in the ways that pages change, and says what reading the damaged page comes to.

`python -m tests.providers.mutations` prints the matrix of providers and mutations and writes it to MUTATIONS.md, which
says what the outcomes are. Of each kind at most CAP mutants are made for a page, evenly spread over all that there
could be, so that all of it stays a matter of a minute.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from pipeline.domain import Meter, PriceQuote, Source
from pipeline.errors import ScrapeError
from pipeline.providers import discover
from pipeline.reading.extract import read, recognise
from tests.providers.mutants import Mutant, Plan, Quotes, data, html, markdown, prices, spread, text
from tests.providers.test_pages import OWN_PAGES, load

CAP = 24
LEAST_SHARE = Decimal("0.7")
LARGEST_MOVE = 10
DIRECTIONS = {Meter.INPUT, Meter.OUTPUT}
MATRIX = Path(__file__).with_name("MUTATIONS.md")
OUTCOMES = {
    "error": "a `ScrapeError`: the capture is kept, and read again when its parser is fixed",
    "suspect": "prices that the warehouse holds back until another capture of the page or a person confirms them",
    "same": "the prices of the page, or the unit, currency or name that the mutant prints instead",
    "fewer": "only some of the prices of the page and no other, for the reason given below",
    "silent": "anything else; there must be none",
}
# Mutants that may be a page as it should be, and why nothing on them can tell.
DECLARED = {
    "drop column": "where a column is one model, or prices one model only, a page without it is one on which that "
    "model is not sold, or not for all bands, hours and whatever else a label has in brackets",
    "inner lists": "a model has more or fewer bands, hours and sizes: those that are left are read as they are printed",
    "halve rows": "one of several tables has lost models, and the page has not lost much: models come and go",
}
KINDS = (
    *("rewritten", "drop column", "inner lists", "rename column", "reorder columns", "halve rows", "last rows"),
    *("merge cells", "duplicate", "hidden row", "unit", "currency", "nest", "truncate"),
)


Offer = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What reading one mutant came to."""

    kind: str
    what: str
    outcome: str
    detail: str


def own_pages() -> list[Path]:
    """The pages that have a reviewed table."""
    return [page for page in OWN_PAGES if page.with_suffix(".csv").exists()]


def plans(page: str) -> Iterator[Plan]:
    """Everything that could be done to a page."""
    yield from text.plans(page)
    yield from data.plans(page)
    if re.match(r"\s*<", page):
        yield from html.plans(page)
    elif not re.match(r"\s*[\[{]", page):
        yield from markdown.plans(page)


@cache
def results(page: Path) -> list[Result]:
    """The mutants of a page, of every kind at most CAP, and what became of them."""
    source, before = recognise(load(page), discover()[page.parent.name])
    by_kind: dict[str, list[Plan]] = {kind: [] for kind in KINDS}
    for plan in plans(load(page).text):
        by_kind[plan.kind].append(plan)
    found = []
    for plan in (plan for of_kind in by_kind.values() for plan in spread(of_kind, CAP)):
        mutant = plan.make()
        if mutant.probe is None or _differ(before, _read(page, source, mutant.probe)):
            found.append(
                Result(plan.kind, plan.what, *judge(plan.kind, mutant, before, _read(page, source, mutant.body)))
            )
    return found


def judge(kind: str, mutant: Mutant, before: Quotes, after: Quotes | ScrapeError) -> tuple[str, str]:
    """The outcome of one mutant, and what there is to say about it."""
    if isinstance(after, ScrapeError):
        return "error", f"{type(after).__name__}: {after}"
    try:
        if not _differ(before, mutant.as_printed(before, after) if mutant.as_printed else after):
            return "same", ""
    except ValueError as error:
        return "silent", str(error)
    if reason := suspicion(before, after):
        return "suspect", reason
    lost, new = prices(before).items() - prices(after).items(), prices(after).items() - prices(before).items()
    changes = f"{len(lost)} of {len(before)} prices are lost and {len(new)} new: {_few(lost)} -> {_few(new)}"
    return "fewer" if kind in DECLARED and _is_part(kind, before, after) else "silent", changes


def matrix() -> str:
    """What MUTATIONS.md says."""
    counts: dict[str, dict[str, Counter[str]]] = {}
    for page in own_pages():
        of_provider = counts.setdefault(page.parent.name, {kind: Counter() for kind in KINDS})
        for result in results(page):
            of_provider[result.kind][result.outcome] += 1
    counts["**all**"] = {kind: sum((of_one[kind] for of_one in counts.values()), Counter()) for kind in KINDS}
    total = sum(counts["**all**"].values(), Counter())
    rows = [["provider", *KINDS], ["---"] * (len(KINDS) + 1)]
    rows += [[provider_id, *map(_cell, by_kind.values())] for provider_id, by_kind in counts.items()]
    return "\n".join(
        [
            "# What becomes of damaged pages",
            "",
            "Written by `python -m tests.providers.mutations`; a test keeps it current. Every page of our own with a",
            f"reviewed table is damaged by generated mutations, at most {CAP} of a kind for each page, "
            f"{total.total()} in all.",
            "Reading a damaged page must come to one of these:",
            "",
            *(f"- **{outcome}** ({total[outcome]}): {meaning}" for outcome, meaning in OUTCOMES.items()),
            "",
            "Mutants that may be a page as it should be:",
            "",
            *(f"- **{kind}**: {reason}" for kind, reason in DECLARED.items()),
            "",
            "`rewritten` is the control: the page as the mutators write it, undamaged.",
            "",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
        ]
    )


def _cell(outcomes: Counter[str]) -> str:
    return ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in OUTCOMES if outcomes[outcome])


def suspicion(before: Quotes, after: Quotes) -> str | None:
    """Why the warehouse would hold back prices that come after others: see `int_good_readings`, `fct_price_history`."""
    whole, part = _counts(before), _counts(after)
    for counted, how_many in whole.items():
        if part[counted] < LEAST_SHARE * how_many:
            return f"only {part[counted]} of {how_many} {counted} are left"
    whole, part = _directions(before), _directions(after)
    for offer in whole.keys() & part.keys():
        if part[offer] < whole[offer]:
            return f"{offer} has lost its input or its output price"
    old, new = prices(before), prices(after)
    for key in old.keys() & new.keys():
        if old[key] and new[key] and max(old[key] / new[key], new[key] / old[key]) > LARGEST_MOVE:
            return f"{key[1]!r} {key[2]} moved from {old[key]} to {new[key]}"
    return None


def _counts(quotes: Quotes) -> Counter[str]:
    """How many offers there are, and how many have a price for each meter in each service tier."""
    by_meter = {(f"{quote.service_tier} {quote.meter}", _offer(quote)) for quote in quotes}
    return Counter(["offers"] * len(set(map(_offer, quotes))) + [counted for counted, _ in by_meter])


def _directions(quotes: Quotes) -> Counter[Offer]:
    """How many of an input and an output price each offer has."""
    return Counter(offer for offer, meter in {(_offer(quote), quote.meter) for quote in quotes} if meter in DIRECTIONS)


def _offer(quote: PriceQuote) -> Offer:
    bounds = (quote.context_from, quote.context_to)
    return (quote.provider_id, quote.model_label, quote.service_tier, bounds, quote.region, quote.time_window)


def _read(page: Path, source: Source, body: bytes) -> Quotes | ScrapeError:
    try:
        return read(replace(load(page), body=body, page_id=source.page_id), source)
    except ScrapeError as error:
        return error


def _differ(before: Quotes, after: Quotes | ScrapeError) -> bool:
    return isinstance(after, ScrapeError) or prices(before) != prices(after)


def _is_part(kind: str, before: Quotes, after: Quotes) -> bool:
    """Whether nothing is left but what was there before, whatever the bands, hours, regions ... that it is for.

    Where it is these that were taken away, another price of the same model may have come in their place.
    """

    def offers(quotes: Quotes) -> set[object]:
        plain = [
            replace(quote, context_from=None, context_to=None, region=None, time_window=None, valid_until=None)
            for quote in quotes
        ]
        plain = [replace(quote, model_label=quote.model_label.partition(" (")[0]) for quote in plain]
        return {(quote.key, None if kind == "inner lists" else quote.list_unit_price) for quote in plain}

    return offers(after) <= offers(before)


def _few(items: set[tuple[tuple[object, ...], object]]) -> str:
    return "; ".join(sorted(f"{key[1]} {key[2]} {price}" for key, price in items)[:3])


if __name__ == "__main__":
    MATRIX.write_text(matrix())
    sys.stdout.write(matrix())
