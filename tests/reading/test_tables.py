"""Tables, headings and text out of HTML and Markdown, as they are printed and as they go wrong."""

import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html
from markdown_it import MarkdownIt

from pipeline.domain import Capture
from pipeline.errors import LayoutChanged
from pipeline.reading.tables import Table, document, inline_text, is_html, tables, text_of


def capture(text: str | bytes) -> Capture:
    body = text if isinstance(text, bytes) else text.encode()
    return Capture("p", "page", "https://p.test", datetime(2026, 1, 1, tzinfo=UTC), body)


def html_tables(body: str) -> tuple[Table, ...]:
    return tables(capture(f"<!DOCTYPE html><html><head><title>Prices</title></head><body>{body}</body></html>"))


def html_rows(*rows: str) -> tuple[tuple[str, ...], ...]:
    [table] = html_tables(f"<table><tr><th>a</th><th>b</th><th>c</th></tr>{''.join(rows)}</table>")
    assert table.header == ("a", "b", "c")
    return table.rows


def cell(inside: str) -> str:
    [[text]] = html_tables(f"<table><tr><th>a</th></tr><tr><td>{inside}</td></tr></table>")[0].rows
    return text


def test_a_cell_stands_in_every_column_and_row_that_it_spans() -> None:
    assert html_rows(
        '<tr><td rowspan="2">m</td><td colspan="2">1</td></tr>',
        "<tr><td>2</td><td>3</td></tr>",
        '<tr><td>n</td><td rowspan="2" colspan="2">4</td></tr>',
        "<tr><td>o</td></tr>",
    ) == (("m", "1", "1"), ("m", "2", "3"), ("n", "4", "4"), ("o", "4", "4"))


@pytest.mark.parametrize("span", ["9", "999999999999", " 2 "])
def test_a_span_ends_with_its_table(span: str) -> None:
    assert html_rows(f'<tr><td>m</td><td>1</td><td rowspan="{span}">2</td></tr>', "<tr><td>n</td><td>3</td></tr>") == (
        ("m", "1", "2"),
        ("n", "3", "2"),
    )


@pytest.mark.parametrize("span", ["0", "", "-2", "two", "1.5", "²"])
def test_a_span_that_is_no_number_of_cells_is_one(span: str) -> None:
    assert html_rows(
        f'<tr><td rowspan="{span}">m</td><td colspan="{span}">1</td><td>2</td></tr>',
        "<tr><td>n</td><td>3</td><td>4</td></tr>",
    ) == (("m", "1", "2"), ("n", "3", "4"))


def test_spans_that_ask_for_millions_of_places_are_refused() -> None:
    with pytest.raises(LayoutChanged, match="1,000,000 places"):
        html_tables(f"<table>{'<tr><td rowspan=1000 colspan=1000>1</td></tr>' * 1000}</table>")


def test_the_names_of_a_header_of_several_rows_are_joined() -> None:
    [table] = html_tables(
        '<table><thead><tr><td rowspan="2">Model</td><td colspan="2">Price</td></tr><tr><td>In</td><td>Out</td></tr>'
        "</thead><tbody><tr><td>m</td><td>$1</td><td>$2</td></tr></tbody></table>"
    )
    assert table.header == ("Model", "Price / In", "Price / Out")
    [record] = table.records()
    assert record == {"Model": "m", "Price / In": "$1", "Price / Out": "$2"}
    assert record.locator("Price / Out") == "table 1, row 1, Price / Out"


def test_a_table_in_a_table_is_one_of_its_own() -> None:
    outer, inner, last = html_tables(
        "<table><tr><th>a</th></tr><tr><td>1<table><tr><th>b</th></tr><tr><td>2</td></tr></table></td></tr>"
        "<tr><td>3</td></tr></table><table><tr><th>c</th></tr><tr><td>4</td></tr></table>"
    )
    assert [table.number for table in (outer, inner, last)] == [1, 2, 3]
    assert [len(table.rows) for table in (outer, inner, last)] == [2, 1, 1]
    assert (inner.header, inner.rows) == (("b",), (("2",),))


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<del>$9</del> $3", "$3"),
        ("$3 <s>was <b>$9</b></s>", "$3"),
        ("<strike>$9</strike>$3<del></del>", "$3"),
        ("<del>$9</del>", ""),
        ("$3 / MTok<sup>1</sup>", "$3 / MTok[^1]"),
        ("$2<sup>50</sup>", "$2[^50]"),
        ("<!-- $9 -->$<!-- -->3", "$3"),
        ("<script>$9</script><style>$8</style><template>$7</template><noscript>$6</noscript>$3", "$3"),
        ("$3<br>$4", "$3\n$4"),
        ("<p>Text</p> <p> $3 </p>", "Text\n$3"),
        ("<ul><li>in</li><li>out</li></ul>", "in\nout"),
        ("<span>$</span><span>3</span>", "$3"),
        ("&#36;3&nbsp;/&#x2009;M&shy;Tok&ZeroWidthSpace;", "$3 / MTok"),
        ("<p hidden>$3</p>", "$3"),
    ],
)
def test_the_text_of_a_cell_is_what_is_priced(inside: str, text: str) -> None:
    assert cell(inside) == text


def test_a_table_knows_its_headings_and_the_attributes_around_it() -> None:
    body = "<table><tr><th>a</th></tr></table>"
    first, second, third = html_tables(
        f"<h1>Prices <del>2024</del> 2026</h1><h3>API</h3>{body}"
        f'<h2>Batch</h2><div id="far" data-tab="x"><div id="near" hidden>{body}</div></div><h1>Old</h1>{body}'
    )
    assert (first.headings, first.heading) == (("Prices 2026", "API"), "API")
    assert (second.headings, third.headings) == (("Prices 2026", "Batch"), ("Old",))
    assert second.attributes == {"id": "near", "data-tab": "x"}
    assert (third.attributes, html_tables(body)[0].heading) == ({}, "")


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ("<tr><th>a</th><th>a</th></tr><tr><td>1</td><td>2</td></tr>", "two columns of one name"),
        ("<tr><th>a</th><th>b</th></tr><tr><td>1</td></tr>", "1 cells under 2 columns"),
        ("<tr><th>a</th></tr><tr><td>1</td><td>2</td></tr>", "2 cells under 1 columns"),
    ],
)
def test_rows_that_do_not_fit_their_columns_are_refused_as_records(rows: str, match: str) -> None:
    [table] = html_tables(f"<table>{rows}</table>")
    with pytest.raises(LayoutChanged, match=match):
        list(table.records())


def test_a_table_without_rows_has_no_header() -> None:
    [table] = html_tables("<table><caption>none</caption></table>")
    assert (table.header, table.rows, list(table.records())) == ((), (), [])


def test_a_page_is_read_as_deep_as_it_is_nested_or_refused() -> None:
    def nested(depth: int) -> str:
        return "<div>" * depth + "<table><tr><th>a</th></tr><tr><td>$1</td></tr></table>" + "</div>" * depth

    assert html_tables(nested(1500))[0].rows == (("$1",),)
    with pytest.raises(LayoutChanged, match="deeper"):
        html_tables(nested(5000))


@pytest.mark.parametrize("start", ["<!DOCTYPE html>", "\ufeff<HTML>", "\n <table>", "<article>", "<main>", "<div>"])
def test_html_is_told_by_its_first_characters(start: str) -> None:
    assert is_html(capture(start))


@pytest.mark.parametrize("start", ["# Prices", "| a |", '{"a": "<html>"}', "", "<Note>MDX</Note>"])
def test_anything_else_is_not_html(start: str) -> None:
    assert not is_html(capture(start))


def test_the_same_body_is_parsed_once() -> None:
    body = b"<table><tr><td>1</td></tr></table>"
    assert document(capture(body)) is document(capture(body))


MARKDOWN = r"""
# Prices ##

## Models `v2` #

| Model | Input | Output |
|:------|:-----:|-------:|
| [m](https://p.test/m_1) | **\$1** | ~~\$9~~ $2 |
| a \| b | `x_y` <br/> 3 | $4<sup>1</sup> |
| short | - |
  | _n_ | &lt;5 | \*6 |
no row

```
# no heading
| no | table |
|----|-------|
| 1  | 2     |
```

### Batch

| a | a |
|---|---|
| 1 | 2 |
"""


def test_markdown_tables_are_read_as_they_are_rendered() -> None:
    models, batch = tables(capture(MARKDOWN))
    assert (models.number, models.headings) == (1, ("Prices", "Models v2"))
    assert (batch.number, batch.headings) == (2, ("Prices", "Models v2", "Batch"))
    assert models.header == ("Model", "Input", "Output")
    assert models.rows == (
        ("m", "$1", "$2"),
        ("a | b", "x_y\n3", "$4[^1]"),
        ("short", "-"),
        ("n", "<5", "*6"),
    )


def test_records_have_the_columns_that_are_expected_in_any_order() -> None:
    [table] = tables(capture("## Chat\n\n| model | price |\n| --- | --- |\n| m | $1 |\n"))
    assert list(table.records(columns=("price", "model"))) == [{"model": "m", "price": "$1"}]
    for columns in (["model"], ["model", "price", "unit"], ["model", "cost"]):
        with pytest.raises(LayoutChanged, match=r"^table 1 under 'Chat' has the columns \('model', 'price'\)$"):
            list(table.records(columns=columns))


def test_ragged_rows_and_twin_columns_of_markdown_are_refused_as_records() -> None:
    models, batch = tables(capture(MARKDOWN))
    with pytest.raises(LayoutChanged, match="2 cells under 3 columns"):
        list(models.records())
    with pytest.raises(LayoutChanged, match="two columns of one name"):
        list(batch.records())


SIGNS = ' \n\t\u00a0\u200b\x00\x85\u2028aB9中😀\\|$.!#>"_*~`[]()&<'
RUNS = ["  ", "__", "**", "~~", "``", " * ", "![", "[^1]", "\\$", "\\_", "\\*", "&amp;", "&#36;", "&x;", "&lt"]
LINKS = ["](/u_v)", "](https://u.test)", "](u)", "[b c](/u)", "[B](https://u.test/a_b*c)", "<http://u.test>"]
TAGS = ["<b>", "</b>", "<br>", "<s>", "</s>", "<sup>", "</sup>", "**b c**", " **B:** ", "**3**."]
PIECES = st.sampled_from([*SIGNS, *RUNS, *LINKS, *TAGS])


@settings(max_examples=1000, deadline=None)
@given(st.lists(PIECES, max_size=10).map("".join))
@example(r"\[b c](/u)")
@example(r"\\[b c](/u) \**b** ![b](/u)")
def test_inline_markdown_reads_as_the_text_of_its_html(markdown: str) -> None:
    rendered = MarkdownIt("commonmark").enable("strikethrough").renderInline(markdown.strip())
    assert inline_text(markdown) == text_of(html.fragment_fromstring(rendered, create_parent="span"))


@pytest.mark.parametrize(
    "line",
    ["# a" + " " * 100_000 + "b", "# " + "#" * 100_000 + "b", "|" + " " * 100_000 + "-", "[a" * 50_000, "&a" * 50_000],
    ids=["spaces in a heading", "hashes", "spaces in a row", "brackets", "ampersands"],
)
def test_endless_lines_take_no_more_time_than_they_are_long(line: str) -> None:
    start = time.process_time()
    with suppress(LayoutChanged):
        tables(capture(f"{line}\n\n# end"))
    inline_text(line)
    assert time.process_time() - start < 2
