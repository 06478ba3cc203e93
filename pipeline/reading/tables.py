"""Tables out of HTML and Markdown pages: spans filled, headings remembered, struck-out text left out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree, html
from markdown_it import MarkdownIt

from pipeline.domain import Capture
from pipeline.errors import LayoutChanged
from pipeline.reading.money import normalise

_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_STRUCK = {"del", "s", "strike"}
_SILENT = {"script", "style", "template", "svg", "head", "noscript"}
_BLOCKS = {"br", "p", "div", "li", "tr", "td", "th", "ul", "ol"} | _HEADINGS
# What stands before and after the text of an element; None: the text is not shown.
_AROUND: dict[object, tuple[str, str] | None] = {
    **dict.fromkeys(_BLOCKS, ("\n", "\n")),
    **dict.fromkeys(_SILENT | _STRUCK | {etree.Comment, etree.ProcessingInstruction, etree.Entity}),
    "sup": ("[^", "]"),
}
# Text in cells and headings: bold, links, strikes and inline HTML, but no block structure.
_INLINE = MarkdownIt("commonmark").enable("strikethrough")
# Most text holds no markup but escapes, links and bold words and needs no parser of Markdown: signs that stand alone or
# amid a word, "&" outside of entities and brackets without a link behind them mean themselves.
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_CONTROL = r"\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_PLAIN = rf"[^\n\\`*_~<&\[\]{_CONTROL}]++|{_ESCAPED.pattern}"
_LINK_OR_BOLD = re.compile(
    rf"(?<![!\\])\[(?P<link>(?:{_PLAIN})*+)\]\((?:https?:/|[/#])[^\s()<>\\&`{_CONTROL}]*\)"
    rf"|(?<!\S)\*\*(?=[0-9A-Za-z])(?P<bold>(?:{_PLAIN})*+)(?<=[0-9A-Za-z.:)])\*\*(?=[\s.,:;)]|$)"
)
_UNMARKED = re.compile(
    rf"(?:{_PLAIN}|\[|\](?!\()|(?<!\S)\*(?!\S)|(?<=[0-9A-Za-z])_(?=[0-9A-Za-z])|(?<!~)~(?!~)|<(?![A-Za-z/!?])"
    r"|&(?!#?\w+;))*+"
)
_CONTROLS = re.compile(f"[{_CONTROL}]")
_TABLE_ROW = re.compile(r"\s*\|.*\|\s*$")
_SEPARATOR_ROW = re.compile(r"\s*\|(?:\s*:?-+:?\s*\|)+\s*$")
_ATX_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*)")
_FENCES = ("```", "~~~")
# Spans multiply: a few kilobytes of them could ask for a table that no memory holds.
_MOST_PLACES = 1_000_000
_STRAY_ROW = re.compile(r"[\s>]*\|(?!\|)")
_WHOLE_PAGE = re.compile(rb"\s*<(?:!doctype|html)\b", re.IGNORECASE)
_UNESCAPED_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a page.

    `headings` are the headings above it, outermost first; `attributes` the `id` and `data-*` attributes of the
    elements around it, the nearest winning; `header` has one name per column (a header of several rows is joined
    with " / "); `rows` are as printed, so a Markdown row may be shorter than the header. `merged` are the places, as
    number of the row from 1 and of the column from 0, that a cell reaches from the left.
    """

    number: int
    headings: tuple[str, ...]
    attributes: Mapping[str, str]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    merged: frozenset[tuple[int, int]] = frozenset()

    @property
    def heading(self) -> str:
        """The nearest heading above the table, or ""."""
        return self.headings[-1] if self.headings else ""

    def records(self, *, columns: Iterable[str] | None = None, may_merge: bool = False) -> Iterator["Record"]:
        """The rows by column name. Raises LayoutChanged for columns of the same name, for others than `columns` (in any
        order), for ragged rows and, unless they `may_merge`, for rows whose cells stand in several columns.
        """
        if columns is not None and set(self.header) != set(columns):
            raise LayoutChanged(f"table {self.number} under {self.heading!r} has the columns {self.header}")
        if len(set(self.header)) != len(self.header):
            raise LayoutChanged(f"table {self.number} has two columns of one name: {self.header}")
        merged = set() if may_merge else {row for row, _ in self.merged}
        for index, row in enumerate(self.rows, start=1):
            if len(row) != len(self.header):
                raise LayoutChanged(
                    f"row {index} of table {self.number} has {len(row)} cells under {len(self.header)} columns: {row}"
                )
            if index in merged:
                raise LayoutChanged(f"a cell of row {index} of table {self.number} stands in several columns: {row}")
            yield Record(zip(self.header, row, strict=True), table=self.number, row=index)


class Record(dict[str, str]):
    """One row by column name, which remembers where it stood."""

    def __init__(self, cells: Iterable[tuple[str, str]], *, table: int, row: int) -> None:
        super().__init__(cells)
        self.table, self.row = table, row

    def locator(self, column: str) -> str:
        """Where on the page a cell of this row stands."""
        return f"table {self.table}, row {self.row}, {column}"


def tables(capture: Capture) -> tuple[Table, ...]:
    """All tables of an HTML or Markdown capture in the order of the page, hidden ones included.

    Raises LayoutChanged for a page that breaks off, and in Markdown for rows without a table or a table without rows.
    """
    if is_html(capture):
        return tuple(_html_tables(document(capture)))
    return tuple(_markdown_tables(capture.text))


def is_html(capture: Capture) -> bool:
    """Whether the body is an HTML document or fragment, judged by its first characters."""
    return capture.text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<article", "<main", "<table", "<div"))


@lru_cache(maxsize=4)
def _parse_html(body: bytes) -> html.HtmlElement:
    # libxml2 silently drops what is nested deeper than 254 levels, with huge_tree deeper than 2,047.
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
    try:
        root = html.fromstring(body, parser=parser)
    except etree.ParserError as error:
        raise LayoutChanged(f"the page holds no HTML: {error}") from error
    if _WHOLE_PAGE.match(body) and b"</html>" not in body.lower():
        raise LayoutChanged("the page breaks off: it has no end tag")
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise LayoutChanged("the page is nested deeper than the HTML parser reads; content would be lost")
    return root


def document(capture: Capture) -> html.HtmlElement:
    """The parsed HTML of a capture. Do not modify it: it is shared."""
    return _parse_html(capture.body)


def text_of(element: html.HtmlElement) -> str:
    """The visible text of an element: line breaks kept, struck-out text left out, superscripts as `[^x]`."""
    if not len(element) and element.tag not in _AROUND:
        return _lines(element.text or "")
    parts: list[str] = []
    _collect(element, parts)
    return _lines("".join(parts))


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(normalise, filter(None, text.split("\n")))))


def text_lines(capture: Capture) -> list[str]:
    """The visible text of an HTML or Markdown capture, line by line, without markup, blank lines and fenced code."""
    if is_html(capture):
        return text_of(document(capture)).split("\n")
    lines: list[str] = []
    fenced = False
    for line in capture.text.splitlines():
        if line.lstrip().startswith(_FENCES):
            fenced = not fenced
        elif not fenced:
            heading = _ATX_HEADING.match(line)
            lines.append(_heading_text(heading) if heading else inline_text(line))
    return [line for line in lines if line]


@lru_cache(maxsize=4096)  # most cells of a page are repeated: "-", "$3", "per image"
def inline_text(markdown: str) -> str:
    """The text of one Markdown cell or heading, without its markup."""
    markdown = markdown.strip()
    is_marked = "](" in markdown or "**" in markdown
    if _UNMARKED.fullmatch(_LINK_OR_BOLD.sub(")", markdown) if is_marked else markdown):
        text = _LINK_OR_BOLD.sub(r"\g<link>\g<bold>", markdown) if is_marked else markdown
        return normalise(_ESCAPED.sub(r"\g<1>", text))
    [inline] = _INLINE.parseInline(markdown)
    tokens = inline.children or []
    if _CONTROLS.search(markdown) or any(token.type == "html_inline" for token in tokens):
        rendered = _INLINE.renderer.render(tokens, _INLINE.options, {})
        return text_of(html.fragment_fromstring(rendered, create_parent="span"))
    parts: list[str] = []
    struck = 0
    for token in tokens:
        if token.tag == "s":
            struck += token.nesting
        elif not struck and token.type in {"text", "code_inline"}:
            parts.append(token.content)
        elif not struck and token.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
    return _lines("".join(parts))


def _heading_text(heading: re.Match[str]) -> str:
    return inline_text(heading[2].rstrip().rstrip("#"))


def _collect(root: html.HtmlElement, parts: list[str]) -> None:
    # A stack of our own: pages nest deeper than Python recurses.
    stack: list[html.HtmlElement | str] = [root]
    while stack:
        element = stack.pop()
        if isinstance(element, str):
            parts.append(element)
            continue
        around = _AROUND.get(element.tag, ("", ""))
        if element is not root and element.tail:
            stack.append(element.tail)
        if around:
            before, after = around
            parts += before, element.text or ""
            if after:
                stack.append(after)
            if len(element):
                stack.extend(reversed(element))


def _html_tables(root: html.HtmlElement) -> Iterator[Table]:
    headings: dict[int, str] = {}
    number = 0
    for element in root.iter("table", *_HEADINGS):
        if element.tag in _HEADINGS:
            level = int(element.tag[1])
            headings = {above: text for above, text in headings.items() if above < level}
            headings[level] = text_of(element)
        else:
            number += 1
            header, rows, merged = _grid(element)
            around: dict[str, str] = {}
            for ancestor in element.iterancestors():
                for name, value in ancestor.attrib.items():
                    if name == "id" or name.startswith("data-"):
                        around.setdefault(str(name), str(value))
            yield Table(number, tuple(headings.values()), around, header, rows, merged)


def _span(cell: html.HtmlElement, name: str) -> int:
    printed = cell.get(name)
    return max(1, min(int(printed), 1000)) if printed and printed.strip().isdecimal() else 1


def _is_covered(cell: html.HtmlElement) -> bool:
    # Editors leave a blank, hidden cell with a span of 0 where the span of another cell already reaches.
    return "0" in (cell.get("rowspan"), cell.get("colspan")) and not text_of(cell)


def _grid(table: html.HtmlElement) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], frozenset[tuple[int, int]]]:
    """Header names, rows and merged places, each cell repeated over the columns and rows that it spans."""
    lines = [line for line in table.iter("tr") if next(line.iterancestors("table")) is table]
    lines = [line for line in lines if len(line)]
    grid: list[dict[int, str]] = [{} for _ in lines]
    is_header: list[bool] = []
    reached: set[tuple[int, int]] = set()
    places = 0
    for row, line in enumerate(lines):
        column = 0
        cells = [cell for cell in line.iterchildren("td", "th") if not _is_covered(cell)]
        is_header.append(next(line.iterancestors("thead", "table")).tag == "thead" or {c.tag for c in cells} == {"th"})
        for cell in cells:
            while column in grid[row]:
                column += 1
            text, columns = text_of(cell), _span(cell, "colspan")
            reached.update((row, column + offset) for offset in range(1, columns))
            spanned_rows = grid[row : row + _span(cell, "rowspan")]
            places += columns * len(spanned_rows)
            if places > _MOST_PLACES:
                raise LayoutChanged(f"a table has more than {_MOST_PLACES:,} places for cells")
            for spanned_row in spanned_rows:
                for offset in range(columns):
                    spanned_row[column + offset] = text
    filled = [tuple(cells.get(column, "") for column in range(max(cells, default=-1) + 1)) for cells in grid]
    depth = max(1, next((row for row, header in enumerate(is_header) if not header), len(lines)))
    heads = filled[:depth]
    width = max((len(cells) for cells in heads), default=0)
    header = tuple(
        " / ".join(dict.fromkeys(head[column] for head in heads if column < len(head) and head[column]))
        for column in range(width)
    )
    merged = frozenset((row - depth + 1, column) for row, column in reached if row >= depth)
    return header, tuple(filled[depth:]), merged


def _markdown_tables(text: str) -> Iterator[Table]:
    lines = text.splitlines()
    headings: dict[int, str] = {}
    number = 0
    index = 0
    fenced = False
    while index < len(lines):
        line = lines[index]
        if line.lstrip().startswith(_FENCES):
            fenced = not fenced
        elif not fenced and (match := _ATX_HEADING.match(line)):
            level = len(match[1])
            headings = {above: heading for above, heading in headings.items() if above < level}
            headings[level] = _heading_text(match)
        elif (
            not fenced and _TABLE_ROW.match(line) and index + 1 < len(lines) and _SEPARATOR_ROW.match(lines[index + 1])
        ):
            number += 1
            end = index + 2
            while end < len(lines) and _TABLE_ROW.match(lines[end]):
                end += 1
            if end == index + 2:
                raise LayoutChanged(f"the table at line {index + 1} has no rows: {line[:80]!r}")
            rows = tuple(_markdown_cells(row) for row in lines[index + 2 : end])
            yield Table(number, tuple(headings.values()), {}, _markdown_cells(line), rows)
            index = end
            continue
        elif not fenced and _STRAY_ROW.match(line):
            raise LayoutChanged(f"line {index + 1} is a row without a table, or one that breaks off: {line[:80]!r}")
        index += 1


def _markdown_cells(line: str) -> tuple[str, ...]:
    return tuple(inline_text(cell.replace("\\|", "|")) for cell in _UNESCAPED_PIPE.split(line.strip()[1:-1]))
