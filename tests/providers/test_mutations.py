"""No damage to a page may change its prices in silence. What counts as what is said in MUTATIONS.md."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain import Meter, PriceQuote, Unit
from pipeline.errors import LayoutChanged
from tests.providers.mutants import Mutant, Quotes, data, renamed_back
from tests.providers.mutations import DECLARED, KINDS, MATRIX, judge, matrix, own_pages, plans, results

PAGES = own_pages()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_no_damage_is_silent(page: Path) -> None:
    silent = [
        f"{result.kind}, {result.what}: {result.detail}" for result in results(page) if result.outcome == "silent"
    ]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_mutators_only_change_what_they_mean_to_change(page: Path) -> None:
    """Otherwise the errors of their mutants would prove nothing."""
    controls = [result for result in results(page) if result.kind == "rewritten"]
    assert {result.outcome for result in controls} <= {"same"}, controls


def test_every_kind_is_made_and_every_exception_is_needed() -> None:
    found = {(result.kind, result.outcome) for page in PAGES for result in results(page)}
    assert {kind for kind, _ in found} == set(KINDS)
    assert {kind for kind, outcome in found if outcome == "fewer"} == DECLARED.keys()


def test_the_matrix_is_current() -> None:
    assert MATRIX.read_text() == matrix(), "run python -m tests.providers.mutations"


def quote(label: str, meter: Meter = Meter.INPUT, price: str = "2") -> PriceQuote:
    return PriceQuote(
        model_label=label,
        meter=meter,
        list_unit_price=Decimal(price),
        pricing_unit=Unit.MILLION_TOKENS,
        evidence=f"${price}",
        locator="here",
    )


BEFORE = [quote(f"model-{number}") for number in range(10)]


def outcome(after: Quotes | LayoutChanged, kind: str = "duplicate", mutant: Mutant | None = None) -> str:
    return judge(kind, mutant or Mutant(b""), BEFORE, after)[0]


def test_an_error_is_an_error() -> None:
    assert outcome(LayoutChanged("another page")) == "error"


def test_the_same_prices_in_any_order_are_the_same() -> None:
    assert outcome(BEFORE[::-1]) == "same"


@pytest.mark.parametrize(
    "after",
    [
        [*BEFORE[:9], quote("model-9", price="2.01")],
        [*BEFORE, quote("new")],
        [*BEFORE[:9], replace(BEFORE[9], currency="EUR")],
        BEFORE[:9],
    ],
)
def test_another_price_a_new_one_and_a_missing_one_are_silent(after: Quotes) -> None:
    assert outcome(after) == "silent"


def test_few_prices_and_prices_far_off_are_suspect() -> None:
    assert outcome(BEFORE[:6]) == "suspect"
    assert outcome([*BEFORE[:9], quote("model-9", price="2000")]) == "suspect"


@pytest.mark.parametrize("kind", DECLARED)
def test_fewer_prices_are_right_only_where_it_is_declared_and_none_is_new(kind: str) -> None:
    assert outcome(BEFORE[:9], kind) == "fewer"
    assert outcome([*BEFORE[:8], quote("new")], kind) == "silent"


def test_what_a_mutant_prints_may_be_read() -> None:
    after = [*BEFORE[:9], quote("Renamed 7")]
    assert outcome(after, mutant=Mutant(b"", renamed_back)) == "same"
    assert outcome([*BEFORE[:9], quote("Renamed 7", price="3")], mutant=Mutant(b"", renamed_back)) == "silent"


def all_of_a_kind(page: str, kind: str) -> list[tuple[str, Mutant]]:
    return [(plan.what, plan.make()) for plan in plans(page) if plan.kind == kind]


def test_a_unit_that_is_printed_must_be_read() -> None:
    [(_, mutant)] = all_of_a_kind("Prices per 1M tokens\n", "unit")
    assert mutant.body == b"Prices per 1K tokens\n"
    assert outcome(BEFORE, mutant=mutant) == "silent"
    assert outcome([replace(item, pricing_unit=Unit.THOUSAND_TOKENS) for item in BEFORE], mutant=mutant) == "same"


def test_a_currency_that_is_printed_must_be_read() -> None:
    (_, everywhere), (_, once) = all_of_a_kind("a $2 price\n", "currency")
    euros = [replace(item, currency="EUR") for item in BEFORE]
    assert (everywhere.body, once.body, once.probe) == (
        "a €2 price\n".encode(),
        "a €2 price\n".encode(),
        b"a $3 price\n",
    )
    assert outcome(euros, mutant=everywhere) == outcome([*BEFORE[:9], euros[9]], mutant=once) == "same"
    assert outcome([*BEFORE[:9], euros[9]], mutant=everywhere) == outcome(BEFORE, mutant=once) == "silent"


def test_columns_of_html_are_those_that_spans_make() -> None:
    page = (
        "<table><tr><th rowspan='2'>model</th><th colspan='2'>price</th></tr><tr><th>in</th><th>out</th></tr>"
        "<tr><td>a</td><td>$1</td><td>$2</td></tr></table>"
    )
    dropped = [mutant.body.decode() for _, mutant in all_of_a_kind(page, "drop column")]
    assert [("model" in body, "in<" in body, "$1" in body, "$2" in body) for body in dropped] == [
        (False, True, True, True),
        (True, False, False, True),
        (True, True, True, False),
    ]
    assert [what for what, _ in all_of_a_kind(page, "reorder columns")] == ["table 1, column 2"]


def test_columns_of_markdown_are_counted_from_the_end_of_short_rows() -> None:
    page = "| kind | model | in |\n| --- | --- | --- |\n| x | a | $1 |\n| b | $2 |\n"
    dropped = [mutant.body.decode().replace(" ", "") for _, mutant in all_of_a_kind(page, "drop column")]
    assert dropped == [
        "|model|in|\n|---|---|\n|a|$1|\n|b|$2|\n",
        "|kind|in|\n|---|---|\n|x|$1|\n|$2|\n",
        "|kind|model|\n|---|---|\n|x|a|\n|b|\n",
    ]


@pytest.mark.parametrize(
    "page",
    [
        '{"data": [{"id": "a", "price": 0.10}]}',
        '{"data": [1]}\n{"data": [2]}',
        '<script>self.__next_f.push([1,"1:T2,ab2:[{\\"price\\":\\"$$1\\"}]\\n"])</script>',
        '<astro-island props="{&quot;rows&quot;:[1,[[1,[[0,&quot;a&quot;],[0,0.50]]]]]}"></astro-island>',
        '<p data-prices="{&quot;usd&quot;:1.50}"></p>',
        '<script>window.prices = {"usd": 1.50};</script>',
        'Text.\n\n<Rows\n  columns={[{ title: "a" }]}\n  rows={[["b", call("c"), null, 1.50]]}\n/>\n',
    ],
)
def test_data_is_found_wherever_it_is_embedded(page: str) -> None:
    regions = list(data.regions(page))
    assert len(regions) == page.count("\n{") + 1
    for region in regions:
        rewritten = region.write(region.value).decode()
        assert [again.value for again in data.regions(rewritten)] == [other.value for other in regions]
