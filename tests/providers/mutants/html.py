"""Changes of the tables of an HTML page, and of the lists of elements alike that hold prices."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial

from lxml import etree, html

from tests.providers.mutants import NEW_NAME, PRICE, Mutant, Plan, other_prices, renamed_back, spread

Element = html.HtmlElement
Change = Callable[["Block"], None]

_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
# Where a page and the list that it needs are one capture.
JSON_BEHIND = "</html>\n{"
_LISTS = ("div", "section", "ul", "ol", "main", "article", "p")


def plans(text: str) -> Iterator[Plan]:
    """Everything that could be done to the tables and lists of a page."""
    doctype = found[0] if (found := _DOCTYPE.match(text)) else ""
    text, joint, behind = text.partition(JSON_BEHIND)
    # A copy is the root of its own tree, also where the parser has put a fragment into a document.
    root = deepcopy(html.fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", huge_tree=True)))
    tree = root.getroottree()
    blocks = [Block(element) for element in root.iter("table", *_LISTS) if _is_block(element)]
    paths = [tree.getpath(block.element) for block in blocks]

    def changed(*changes: tuple[str, Change]) -> Mutant:
        page = deepcopy(root)
        found = [(page.getroottree().xpath(path)[0], change) for path, change in changes]
        for element, change in found:
            change(Block(element))
        return Mutant(
            (doctype + html.tostring(page, encoding="unicode") + joint.removeprefix("</html>") + behind).encode(),
            renamed_back,
        )

    yield Plan("rewritten", "HTML", changed)
    for number, (block, path) in enumerate(zip(blocks, paths, strict=True), start=1):
        for kind, what, change in block.changes():
            yield Plan(kind, f"{block.element.tag} {number}{what}", partial(changed, (path, change)))
    halves = [(path, Block.halve) for block, path in zip(blocks, paths, strict=True) if len(block.body) > 1]
    if halves:
        yield Plan("halve rows", "all tables", partial(changed, *halves))


def _is_block(element: Element) -> bool:
    if element.tag == "table" or element.getparent() is None:
        return element.tag == "table"
    priced = [child.tag for child in element if _is_visible(child) and PRICE.search(child.text_content())]
    return len(priced) > 1 and len(set(priced)) == 1 and not element.xpath("./table | ancestor::table")


def _is_visible(node: Element) -> bool:
    return isinstance(node.tag, str) and node.tag not in {"script", "style"}


def _is_cell(node: Element) -> bool:
    # Editors leave a blank cell with a span of 0 where another one reaches.
    is_covered = _is_visible(node) and "0" in (node.get("rowspan"), node.get("colspan"))
    return _is_visible(node) and not (is_covered and not node.text_content().strip("\ufeff\u200b \n"))


class Block:
    """A table, or an element whose children are alike, as lines of cells."""

    def __init__(self, element: Element) -> None:
        self.element = element
        self.is_table = element.tag == "table"
        if self.is_table:
            lines = [line for line in element.iter("tr") if next(line.iterancestors("table")) is element and len(line)]
        else:
            lines = [child for child in element if _is_visible(child)]
        self.lines = lines
        self.heads = self._heads()
        self.body = range(self.heads, len(lines))
        self.places: dict[tuple[int, int], Element] = {}
        self.origins: dict[Element, int] = {}
        for row, line in enumerate(lines):
            column = 0
            for cell in filter(_is_cell, line):
                while (row, column) in self.places:
                    column += 1
                self.origins[cell] = row
                for down in range(_span(cell, "rowspan")):
                    for right in range(_span(cell, "colspan")):
                        self.places[row + down, column + right] = cell
        widths = {sum(place[0] == row for place in self.places) for row in range(len(lines))}
        self.width = widths.pop() if len(widths) == 1 else 0

    def _heads(self) -> int:
        """How many lines name the columns: those of the table's head, or else a first line without prices."""
        heads = 0
        while heads < len(self.lines) and (
            self.lines[heads].getparent().tag == "thead" or {cell.tag for cell in self.lines[heads]} == {"th"}
        ):
            heads += 1
        is_named = bool(self.lines) and not PRICE.search(self.lines[0].text_content())
        return heads or int(is_named)

    def changes(self) -> Iterator[tuple[str, str, Change]]:
        """Everything that could be done: the kind, where, and the change."""
        for column in range(self.width):
            what = f", column {column + 1}"
            yield "drop column", what, partial(Block.drop, column=column)
            if self.heads:
                yield "rename column", what, partial(Block.rename, column=column)
            if self.heads and self._can_swap(column):
                yield "reorder columns", what, partial(Block.swap, column=column)
        for row in spread(self.body, 2):
            for column in range(self.width - 1 if self.is_table else 0):
                if self._can_merge(row, column):
                    for keeping in ("the first", "both"):
                        what = f", row {row + 1}, column {column + 1}, keeping {keeping}"
                        yield "merge cells", what, partial(Block.merge, row=row, column=column, keeping=keeping)
            texts = list(self.lines[row].itertext())
            if other_prices(texts) != texts:
                for name, value in (("hidden", ""), ("style", "display:none")):
                    yield "hidden row", f", row {row + 1}, {name}", partial(Block.hide, row=row, name=name, value=value)
        if len(self.body) > 1:
            yield "halve rows", "", Block.halve
        yield "duplicate", "", Block.duplicate
        for depth in (300, 3000):
            yield "nest", f" in {depth} elements", partial(Block.nest, depth=depth)

    def drop(self, column: int) -> None:
        for cell in dict.fromkeys(self.places[row, column] for row in range(len(self.lines))):
            if (span := _span(cell, "colspan")) > 1:
                cell.set("colspan", str(span - 1))
            else:
                cell.drop_tree()

    def rename(self, column: int) -> None:
        head = self.places[self.heads - 1, column]
        for child in list(head):
            head.remove(child)
        head.text = NEW_NAME

    def _can_swap(self, column: int) -> bool:
        pairs = [(self.places[row, column], self.places.get((row, column + 1))) for row in range(len(self.lines))]
        return column + 1 < self.width and all(
            left is right or (_span(left, "colspan") == 1 and _span(right, "colspan") == 1) for left, right in pairs
        )

    def swap(self, column: int) -> None:
        for row in range(len(self.lines)):
            left, right = self.places[row, column], self.places[row, column + 1]
            if left is not right and self.origins[left] == self.origins[right] == row:
                left.addprevious(right)

    def _can_merge(self, row: int, column: int) -> bool:
        cells = self.places[row, column], self.places[row, column + 1]
        alone = all(_span(cell, name) == 1 for cell in cells for name in ("rowspan", "colspan"))
        return alone and {self.origins[cell] for cell in cells} == {row}

    def merge(self, row: int, column: int, keeping: str) -> None:
        left, right = self.places[row, column], self.places[row, column + 1]
        if keeping == "both":
            etree.SubElement(left, "span").text = f" {right.text_content()}"
        left.set("colspan", "2")
        right.drop_tree()

    def hide(self, row: int, name: str, value: str) -> None:
        copy = deepcopy(self.lines[row])
        nodes = list(copy.iter())
        changed = iter(other_prices([text or "" for node in nodes for text in (node.text, node.tail)]))
        for node in nodes:
            node.text, node.tail = next(changed), next(changed)
        copy.set(name, value)
        self.lines[row].addnext(copy)

    def halve(self) -> None:
        for row in self.body[(len(self.body) + 1) // 2 :]:
            self.lines[row].drop_tree()

    def duplicate(self) -> None:
        copy = deepcopy(self.element)
        copy.tail = None
        self.element.addnext(copy)

    def nest(self, depth: int) -> None:
        outer = inner = etree.Element("div")
        for _ in range(depth - 1):
            inner = etree.SubElement(inner, "div")
        self.element.addprevious(outer)
        inner.append(self.element)


def _span(cell: Element, name: str) -> int:
    printed = cell.get(name, "1")
    return max(1, int(printed)) if printed.isdigit() else 1
