"""What a parser expects of a page. All of it raises LayoutChanged, with what the page holds instead."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from pipeline.domain import Capture
from pipeline.errors import LayoutChanged
from pipeline.reading.tables import Table, tables


def whole_match(pattern: re.Pattern[str], text: str, what: str) -> re.Match[str]:
    """The match of a whole text, which is `what` on the page ("a price of 'model'")."""
    match = pattern.fullmatch(text)
    if match is None:
        raise LayoutChanged(f"{text!r} is not {what} as it is known")
    return match


def refuse_unknown(found: Iterable[str], known: Collection[str], where: str) -> None:
    """Refuses names of columns or keys that are not known, which stand `where` ("a price of 'model'")."""
    if unknown := sorted(set(found).difference(known)):
        raise LayoutChanged(f"{where} has parts that are not known: {unknown}")


def require_wording(capture: Capture, *sentences: str) -> None:
    """Refuses a page that does not say each of some sentences to the letter, the stars of Markdown aside."""
    text = capture.text.replace("*", "")
    for sentence in sentences:
        if sentence not in text:
            raise LayoutChanged(f"the page does not say {sentence!r}")


def require_sections(found: Iterable[Table], headings: Collection[str]) -> None:
    """Refuses a page without a table under each of some headings: it broke off, or puts prices elsewhere."""
    if missing := sorted(set(headings) - {table.heading for table in found}):
        raise LayoutChanged(f"the page has no table under {missing}")


def explained_tables(capture: Capture, sentences: Mapping[tuple[str, ...], str | None]) -> Iterator[Table]:
    """The tables of a page whose columns do not say all of what they count: the page says it in a sentence.

    `sentences` has one for the header of every table; it may be blank, and is None for tables that are left out.
    """
    for table in tables(capture):
        if table.header not in sentences:
            raise LayoutChanged(f"table {table.number} has the unknown columns {table.header}")
        sentence = sentences[table.header]
        if sentence is not None:
            require_wording(capture, sentence)
            yield table
