"""Changes of data: of a JSON answer, and of what pages embed.

Pages embed data as rows of React Flight, properties of Astro islands and of MDX components, variables of scripts and
attributes of elements.
"""

import html
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from pipeline.reading import mdx
from tests.providers.mutants import Mutant, Plan, other_number, other_price
from tests.providers.mutants.html import JSON_BEHIND
from tests.providers.mutants.html import plans as html_plans
from tests.providers.mutants.markdown import plans as markdown_plans

Path = tuple[Any, ...]
Pattern = tuple[str, ...]


class Region(NamedTuple):
    """A piece of data of a page, and how the page is written with another piece in its place."""

    value: Any
    write: Callable[[Any], bytes]


def plans(text: str) -> Iterator[Plan]:
    """Everything that could be done to the data of a page."""
    for number, region in enumerate(regions(text), start=1):
        for kind, what, change in _changes(region.value):
            yield Plan(kind, f"data {number}{what}", partial(_changed, region, change))
        for path, node in _walk(region.value):
            if isinstance(node, str) and (of_text := _plans_of_text(node)):
                for plan in of_text(node):
                    yield plan._replace(what=f"{_name(path)}, {plan.what}", make=partial(_within, region, path, plan))


def _plans_of_text(text: str) -> Callable[[str], Iterator[Plan]] | None:
    """What could be done to a text that is itself a page."""
    if "<table" in text:
        return html_plans
    return markdown_plans if "\n|---" in text else None


def _changed(region: Region, change: Callable[[Any], Any]) -> Mutant:
    value = deepcopy(region.value)
    return Mutant(region.write(change(value) or value))


def _within(region: Region, path: Path, plan: Plan) -> Mutant:
    value, mutant = deepcopy(region.value), plan.make()
    _at(value, path[:-1])[path[-1]] = mutant.body.decode()
    return replace(mutant, body=region.write(value))


# Where data stands in a page, and how it is written there.

_PUSH = re.compile(r'self\.__next_f\.push\(\[1,\s*("(?:[^"\\]|\\.)*")\s*\]\)')
_ISLAND = re.compile(r'<astro-island[^>]*? props="([^"]*)"')
_ATTRIBUTE = re.compile(r' data-[\w-]+="(\{&quot;[^"]*|\[&quot;[^"]*)"')
_MARKUP = re.compile(r' data-[\w-]+="(&lt;[^"]*)"')
_SCRIPT = re.compile(r"<script[^>]*>\s*(?:[\w.]+\s*=\s*)?([\[{].*?[\]}]);?\s*</script>", re.DOTALL)
_COMPONENT = re.compile(r"<[A-Z]\w*(?:(?!<[A-Z]|/>\s).)*?(?P<properties>\s)(?=\w+=\{\s*\[)", re.DOTALL)
_PROPERTY = re.compile(r"\s*(\w+)=\{(?=\s*\[)")
_SILENT_ROWS = b"IHEDWNC"


def regions(text: str) -> Iterator[Region]:
    """The data of a page in its order, by the way in which it is embedded."""
    if re.match(r"\s*[\[{]", text):
        start = 0
        while start < len(text):  # a list may come in several documents
            value, end = _DECODER.raw_decode(text, start)
            yield Region(value, partial(_written, text, (start, end), _dump))
            start = len(text) - len(text[end:].lstrip())
    elif re.match(r"\s*<", text):
        yield from _flight(text)
        for found in _ISLAND.finditer(text):
            yield Region(_plain(_load(html.unescape(found[1]))), partial(_written, text, found.span(1), _island))
        for found in _ATTRIBUTE.finditer(text):
            yield Region(_load(html.unescape(found[1])), partial(_written, text, found.span(1), _attribute))
        for found in _MARKUP.finditer(text):
            yield Region([html.unescape(found[1])], partial(_written, text, found.span(1), _markup))
        if (behind := text.find(JSON_BEHIND)) > 0:
            start = behind + len(JSON_BEHIND) - 1
            yield Region(_load(text[start:]), partial(_written, text, (start, len(text)), _dump))
        for found in _SCRIPT.finditer(text):
            try:
                value = _load(found[1])
            except ValueError:
                continue  # code and no data
            yield Region(value, partial(_written, text, found.span(1), _dump))
    else:
        yield from _components(text)


def _written(text: str, span: tuple[int, int], encode: Callable[[Any], str], value: Any) -> bytes:
    return (text[: span[0]] + encode(value) + text[span[1] :]).encode()


def _number(printed: str) -> str:
    return f"\0{printed}"  # marked, to be written as it was


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number)


def _load(text: str) -> Any:
    return _DECODER.decode(text)


@dataclass(frozen=True, slots=True)
class Nested:
    """A value within many arrays, more than the encoder of the standard library can write."""

    value: Any
    depth: int
    brackets: tuple[str, str] = ("[", "]")

    def text(self, encode: Callable[[Any], str]) -> str:
        opening, closing = self.brackets
        return opening * self.depth + encode(self.value) + closing * self.depth


def _dump(value: Any) -> str:
    nested: list[Nested] = []

    def mark(node: Nested) -> str:
        nested.append(node)
        return "\1"

    text = json.dumps(value, ensure_ascii=False, default=mark)
    text = re.sub(r'"\\u0000([^"]*)"', r"\1", text)
    return re.sub(r'"\\u0001"', lambda _: nested.pop(0).text(_dump), text)


def _attribute(value: Any) -> str:
    return html.escape(_dump(value))


def _markup(value: list[Any]) -> str:
    return html.escape("".join(item if isinstance(item, str) else _dump(item) for item in value))


def _island(value: dict[str, Any]) -> str:
    return _attribute({name: _typed(item) for name, item in value.items()})


def _plain(pair: Any) -> Any:
    """Properties of an island, pairs of a type and a value, as plain data."""
    if isinstance(pair, dict):
        return {name: _plain(value) for name, value in pair.items()}
    kind, value = pair if len(pair) == 2 else (pair[0], None)
    if kind == _number("1"):
        return [_plain(item) for item in value]
    return _plain(value) if isinstance(value, dict) else value


def _typed(value: Any) -> Any:
    if isinstance(value, Nested):
        return replace(value, value=_typed(value.value), brackets=("[1,[", "]]"))
    if isinstance(value, dict):
        return [0, {name: _typed(item) for name, item in value.items()}]
    return [1, [_typed(item) for item in value]] if isinstance(value, list) else [0, value]


def _flight(text: str) -> Iterator[Region]:
    """All rows of a page as one object; written, they are one push in the place of the first."""
    pushes = list(_PUSH.finditer(text))
    rest = "".join(json.loads(push[1]) for push in pushes).encode()
    rows: dict[str, Any] = {}
    while rest:
        row_id, _, rest = rest.partition(b":")
        if rest.startswith(b"T"):
            size, _, rest = rest[1:].partition(b",")
            row, rest = rest[: int(size, 16)].decode(), rest[int(size, 16) :]
            rows[row_id.decode()] = f"${row}" if row.startswith("$") else row
        else:
            line, _, rest = rest.partition(b"\n")
            if line[:1] not in _SILENT_ROWS:
                rows[row_id.decode()] = _load(line.decode())

    def write(value: dict[str, Any]) -> bytes:
        stream = "".join(f"{row_id}:{_dump(row)}\n" for row_id, row in value.items())
        scripts = [json.dumps(stream).replace("</", "<\\/"), *['""'] * (len(pushes) - 1)]
        result = text
        for push, script in reversed(list(zip(pushes, scripts, strict=True))):
            result = result[: push.start(1)] + script + result[push.end(1) :]
        return result.encode()

    if rows:
        yield Region(rows, write)


def _components(text: str) -> Iterator[Region]:
    """The literals that are handed to a component, as one object."""
    for component in _COMPONENT.finditer(text):
        start = position = component.start("properties")
        values: dict[str, Any] = {}
        while found := _PROPERTY.match(text, position):
            values[found[1]], end = mdx.literal(text, found.end())
            position = text.index("}", end) + 1
        yield Region(values, partial(_written, text, (start, position), _properties))


def _properties(values: dict[str, Any]) -> str:
    return "".join(f" {name}={{{_literal(value)}}}" for name, value in values.items())


def _literal(value: Any) -> str:
    match value:
        case Nested():
            return value.text(_literal)
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{json.dumps(name)}: {_literal(item)}' for name, item in value.items())}}}"
        case mdx.Call():
            return f"{value.function}({', '.join(map(_literal, value.arguments))})"
        case str() | bool() | None:
            return json.dumps(value, ensure_ascii=False)
    return f"{value:f}"


# What is done to data: objects in a list are rows and their keys columns, and so are lists of the same length.


def _changes(value: Any) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    yield "rewritten", "", lambda value: value
    patterns = dict.fromkeys(_patterns(value))
    for pattern in patterns:
        if pattern[-1] != "*":
            what = f", {'/'.join(pattern)}"
            is_inner = "*" in pattern and (*pattern, "*") in patterns
            yield "inner lists" if is_inner else "drop column", what, partial(_drop_key, pattern)
            yield "rename column", what, partial(_rename_key, pattern)
    yield "reorder columns", ", all keys backwards", _backwards
    lists = [path for path, node in _walk(value) if _is_list(node)]
    rows = {path: None for path in lists if all(isinstance(item, dict | list) for item in _at(value, path))}
    outer = [path for path in rows if not any(path[:depth] in rows for depth in range(len(path)))]
    for path, node in _walk(value):
        if isinstance(node, dict) and _is_many(node):
            kind = "inner lists" if any(path[:depth] in rows for depth in range(len(path))) else "halve rows"
            yield kind, f", {_name(path)}", partial(_halve, [path])
    for path in rows:
        yield from _changes_of_rows(path, is_inner=path not in outer, has_many=len(_at(value, path)) > 1)
        yield from _changes_of_cells(value, path, lists)
    if outer:
        yield "halve rows", ", all lists", partial(_halve, outer)


def _changes_of_rows(path: Path, *, is_inner: bool, has_many: bool) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    what = f", {_name(path)}"
    if has_many:
        yield "inner lists" if is_inner else "halve rows", what, partial(_halve, [path])
    yield "duplicate", what, partial(_twice, path)
    yield "hidden row", what, partial(_hide, path)
    for depth in (300, 3000):
        yield "nest", f"{what} in {depth} lists", partial(_nest, path, depth)


def _changes_of_cells(value: Any, path: Path, lists: list[Path]) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    lines = _lines(_at(value, path))
    if not lines:
        return
    # The names of columns stand in a list beside the rows, or in the first row.
    beside = [other for other in lists if path and other != path and other[:-1] == path[:-1]]
    heads = [other for other in beside if len(_at(value, other)) == len(lines[0])]
    for column in range(len(lines[0])):
        what = f", {_name(path)}, column {column + 1}"
        yield "drop column", what, partial(_drop_cells, path, heads, column)
        if column + 1 < len(lines[0]):
            yield "merge cells", what, partial(_merge_cells, path, column)
            if heads or (_is_header(lines[0]) and not all(map(_is_header, lines))):
                yield "reorder columns", what, partial(_swap_cells, path, heads, column)


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _walk(item, (*path, key))


def _patterns(value: Any, path: Pattern = ()) -> Iterator[Pattern]:
    """The paths to everything, whichever of many."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _patterns(item, (*path, "*" if _is_many(value) else key))


def _is_many(value: Any) -> bool:
    """Whether this is a list, or an object whose keys are names of things that are alike."""
    if not isinstance(value, dict):
        return isinstance(value, list)
    alike = len(value) > 1 and all(isinstance(item, dict) for item in value.values())
    return alike and bool(set.intersection(*map(set, value.values())))


def _is_list(node: Any) -> bool:
    return isinstance(node, list) and bool(node) and node[0] != "$"  # what begins so is an element of Flight


def _name(path: Path) -> str:
    return f"/{'/'.join(map(str, path))}"


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _owners(value: Any, pattern: Pattern) -> Iterator[dict[str, Any]]:
    """All objects that have the last key of a pattern."""
    found = [value]
    for step in pattern[:-1]:
        if step == "*":
            many = [node for node in found if _is_many(node)]
            found = [item for node in many for item in (node.values() if isinstance(node, dict) else node)]
        else:
            found = [node[step] for node in found if isinstance(node, dict) and step in node]
    return (node for node in found if isinstance(node, dict) and pattern[-1] in node)


def _drop_key(pattern: Pattern, value: Any) -> None:
    for owner in _owners(value, pattern):
        del owner[pattern[-1]]


def _rename_key(pattern: Pattern, value: Any) -> None:
    for owner in _owners(value, pattern):
        items = [(f"{key}_renamed" if key == pattern[-1] else key, item) for key, item in owner.items()]
        owner.clear()
        owner.update(items)


def _backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _backwards(item) for key, item in reversed(value.items())}
    return [_backwards(item) for item in value] if isinstance(value, list) else value


def _halve(paths: list[Path], value: Any) -> None:
    for items in [_at(value, path) for path in paths]:
        places = list(items) if isinstance(items, dict) else list(range(len(items)))
        for place in reversed(places[(len(items) + 1) // 2 :]):
            del items[place]


def _twice(path: Path, value: Any) -> None:
    _at(value, path).extend(deepcopy(_at(value, path)))


def _hide(path: Path, value: Any) -> None:
    copy = _other_values(_at(value, path)[-1])
    if isinstance(copy, dict):
        copy["hidden"] = True
    _at(value, path).append(copy)


def _other_values(value: Any) -> Any:
    """The value with every number and price in it changed."""
    if isinstance(value, dict):
        return {key: _other_values(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_other_values(item) for item in value]
    if isinstance(value, str):
        return other_number(value) if re.fullmatch(r"\0?\d+(?:\.\d+)?", value) else other_price(value)
    return value


def _nest(path: Path, depth: int, value: Any) -> Any:
    nested = Nested(_at(value, path), depth)
    if not path:
        return nested
    _at(value, path[:-1])[path[-1]] = nested
    return value


def _lines(items: list[Any]) -> list[list[Any]]:
    """The rows of cells that a list holds, as lists or as objects with one list."""
    lines = []
    for item in items:
        inner = [item] if isinstance(item, list) else [cells for cells in item.values() if isinstance(cells, list)]
        if len(inner) != 1 or not _is_list(inner[0]) or all(isinstance(cell, dict | list) for cell in inner[0]):
            return []
        lines += inner
    return lines if len({len(line) for line in lines}) == 1 and len(lines[0]) > 1 else []


def _is_header(line: list[Any]) -> bool:
    return all(isinstance(cell, str) and not re.search(r"\d\.\d|\$\d|\0", cell) for cell in line)


def _columns(value: Any, path: Path, heads: list[Path]) -> list[list[Any]]:
    return [*_lines(_at(value, path)), *(_at(value, head) for head in heads)]


def _drop_cells(path: Path, heads: list[Path], column: int, value: Any) -> None:
    for line in _columns(value, path, heads):
        del line[column]


def _swap_cells(path: Path, heads: list[Path], column: int, value: Any) -> None:
    for line in _columns(value, path, heads):
        line[column : column + 2] = reversed(line[column : column + 2])


def _merge_cells(path: Path, column: int, value: Any) -> None:
    line = _lines(_at(value, path))[-1]
    line[column : column + 2] = [f"{line[column]} {line[column + 1]}".replace("\0", "")]
