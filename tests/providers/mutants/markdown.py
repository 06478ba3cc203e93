"""Changes of the tables of a Markdown page."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.providers.mutants import NEW_NAME, Mutant, Plan, other_prices, renamed_back, spread

Cells = list[list[str]]

_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^\s*\|(?:\s*:?-+:?\s*\|)+\s*$")
_BAR = re.compile(r"(?<!\\)\|")
_FIRST_ROW = 2  # behind the header and the rule


def plans(text: str) -> Iterator[Plan]:
    """Everything that could be done to the tables of a page."""
    lines = text.split("\n")
    tables = [_Table(lines, number, *span) for number, span in enumerate(_spans(lines), start=1)]
    for table in tables:
        yield from table.of_columns()
        yield from table.of_rows()
        yield from table.as_a_whole()
    if any(table.half for table in tables):
        yield Plan("halve rows", "all tables", partial(_changed, lines, *(table.half for table in tables)))


def _spans(lines: list[str]) -> Iterator[tuple[int, int]]:
    for start in range(len(lines) - 1):
        if _ROW.match(lines[start]) and _RULE.match(lines[start + 1]):
            end = start
            while end < len(lines) and _ROW.match(lines[end]):
                end += 1
            yield start, end


def _changed(lines: list[str], *changes: tuple[int, int, list[str]] | None) -> Mutant:
    result = list(lines)
    for start, end, new in reversed([change for change in changes if change]):
        result[start:end] = new
    return Mutant("\n".join(result).encode(), renamed_back)


@dataclass(frozen=True, slots=True)
class _Table:
    lines: list[str]
    number: int
    start: int
    end: int

    @property
    def cells(self) -> Cells:
        return [_BAR.split(line.strip()[1:-1]) for line in self.lines[self.start : self.end]]

    @property
    def half(self) -> tuple[int, int, list[str]] | None:
        rows = self.end - self.start - _FIRST_ROW
        return (self.end - rows // 2, self.end, []) if rows > 1 else None

    def of_columns(self) -> Iterator[Plan]:
        cells = self.cells
        # A row lacks cells at its start where one above it spans rows.
        missing = {len(cells[0]) - len(row) for row in cells}
        for column in range(len(cells[0])):
            what = f"table {self.number}, column {column + 1}"
            yield Plan("drop column", what, partial(self._with, _drop, column))
            yield Plan("rename column", what, partial(self._with, _rename, column))
            if column + 1 < len(cells[0]) and column + 1 not in missing:
                yield Plan("reorder columns", what, partial(self._with, _swap, column))

    def of_rows(self) -> Iterator[Plan]:
        for at in spread(range(_FIRST_ROW, self.end - self.start), 2):
            what = f"table {self.number}, row {at - 1}"
            for column in range(len(self.cells[at]) - 1):
                yield Plan("merge cells", f"{what}, column {column + 1}", partial(self._with, _merge, (at, column)))
            row, hidden = self.start + at, f"|{'|'.join(other_prices(self.cells[at]))}|"
            if hidden != self.lines[row].strip():
                for name, comment in (("", [f"<!-- {hidden} -->"]), (", on lines", ["<!--", hidden, "-->"])):
                    change = (row, row + 1, [self.lines[row], *comment])
                    yield Plan("hidden row", what + name, partial(_changed, self.lines, change))

    def as_a_whole(self) -> Iterator[Plan]:
        what, table = f"table {self.number}", self.lines[self.start : self.end]
        if self.half:
            yield Plan("halve rows", what, partial(_changed, self.lines, self.half))
        yield Plan("duplicate", what, partial(_changed, self.lines, (self.end, self.end, ["", *table])))
        for depth in (300, 3000):
            quoted = [f"{'> ' * depth}{line}" for line in table]
            enclosed = ["<div>" * depth, "", *table, "", "</div>" * depth]
            for name, lines in (("quotes", quoted), ("elements", enclosed)):
                change = (self.start, self.end, lines)
                yield Plan("nest", f"{what} in {depth} {name}", partial(_changed, self.lines, change))

    def _with(self, change: Callable[[Cells, Any], None], at: Any) -> Mutant:
        cells = self.cells
        change(cells, at)
        return _changed(self.lines, (self.start, self.end, [f"|{'|'.join(row)}|" for row in cells]))


def _drop(cells: Cells, column: int) -> None:
    for row, at in _places(cells, column):
        del row[at]


def _rename(cells: Cells, column: int) -> None:
    cells[0][column] = f" {NEW_NAME} "


def _swap(cells: Cells, column: int) -> None:
    for row, at in _places(cells, column):
        row[at : at + 2] = reversed(row[at : at + 2])


def _merge(cells: Cells, at: tuple[int, int]) -> None:
    row, column = at
    cells[row][column : column + 2] = [" ".join(cells[row][column : column + 2])]


def _places(cells: Cells, column: int) -> list[tuple[list[str], int]]:
    """Where a column stands in the rows that have it."""
    places = [(row, column - max(0, len(cells[0]) - len(row))) for row in cells]
    return [(row, at) for row, at in places if at >= 0]
