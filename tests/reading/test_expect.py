"""What a parser expects of a page, and how a page that is otherwise is refused."""

import re
from datetime import UTC, datetime

import pytest

from pipeline.domain import Capture
from pipeline.errors import LayoutChanged
from pipeline.reading.expect import explained_tables, refuse_unknown, require_sections, require_wording, whole_match
from pipeline.reading.tables import tables

PRICE = re.compile(r"\$(\d+)")
PAGE = """\
# Prices

Prices are **per million** tokens.

## Chat

| Model | Price |
| --- | --- |
| a | $1 |

## Examples

| Example | Cost |
| --- | --- |
| a | $9 |
"""


def capture(text: str) -> Capture:
    return Capture("someone", "pricing", "https://p.test", datetime(2026, 1, 1, tzinfo=UTC), text.encode())


def test_the_match_of_a_whole_text() -> None:
    assert whole_match(PRICE, "$12", "a price")[1] == "12"


@pytest.mark.parametrize("text", ["$12 and up", "from $12", "", "12"])
def test_a_text_that_matches_in_part_only_is_refused(text: str) -> None:
    with pytest.raises(LayoutChanged, match=rf"^{re.escape(repr(text))} is not a price of 'm' as it is known$"):
        whole_match(PRICE, text, "a price of 'm'")


def test_known_names_may_be_missing_but_no_others_may_come() -> None:
    refuse_unknown({"input": 1}, {"input", "output"}, "the price of 'm'")
    with pytest.raises(LayoutChanged, match=r"^the price of 'm' has parts that are not known: \['audio', 'image'\]$"):
        refuse_unknown(["input", "image", "audio"], {"input", "output"}, "the price of 'm'")


def test_each_sentence_must_be_on_the_page() -> None:
    require_wording(capture(PAGE), "Prices are per million tokens.", "# Prices")
    with pytest.raises(LayoutChanged, match=r"^the page does not say 'Prices are per thousand tokens.'$"):
        require_wording(capture(PAGE), "# Prices", "Prices are per thousand tokens.")


def test_each_section_must_have_a_table() -> None:
    require_sections(tables(capture(PAGE)), {"Chat", "Examples"})
    with pytest.raises(LayoutChanged, match=r"^the page has no table under \['Images', 'Prices'\]$"):
        require_sections(tables(capture(PAGE)), {"Chat", "Prices", "Images"})


SENTENCES = {("Model", "Price"): "Prices are per million tokens.", ("Example", "Cost"): None}


def test_tables_that_the_page_explains_are_read_and_known_others_left_out() -> None:
    assert [table.heading for table in explained_tables(capture(PAGE), SENTENCES)] == ["Chat"]
    assert [table.heading for table in explained_tables(capture(PAGE), {**SENTENCES, ("Example", "Cost"): ""})] == [
        "Chat",
        "Examples",
    ]


def test_a_table_without_its_explanation_is_refused() -> None:
    with pytest.raises(LayoutChanged, match=r"does not say 'Prices are per million tokens.'"):
        list(explained_tables(capture(PAGE.replace("million", "thousand")), SENTENCES))


@pytest.mark.parametrize("header", ["| Model | Fee |", "| Price | Model |"])
def test_a_table_with_other_columns_is_refused(header: str) -> None:
    with pytest.raises(LayoutChanged, match="table 1 has the unknown columns"):
        list(explained_tables(capture(PAGE.replace("| Model | Price |", header)), SENTENCES))
