"""The list of traps, TRAPS.md: every row names proofs that are there, of the provider that it is about."""

import re
from pathlib import Path

import pytest

from pipeline.providers import discover
from tests.providers.test_pages import HERE, OWN_PAGES

REPOSITORY = HERE.parents[1]
NAMED = re.compile(r"`([^`\s]+)`")
ROW = re.compile(r"\| (?P<about>[^|]+) \| (?P<trap>[^|]+) \| (?P<proof>[^|]+) \|")


def traps(section: str) -> list[tuple[str, str, list[str]]]:
    """What each row of a section is about, its trap, and the names of its proofs."""
    [text] = re.findall(rf"(?ms)^## {section}\n(.*?)(?=^## |\Z)", (HERE / "TRAPS.md").read_text())
    _, _, *rows = (line for line in text.splitlines() if line)
    return [
        (row["about"], row["trap"], NAMED.findall(row["proof"]))
        for row in (ROW.fullmatch(line) or pytest.fail(f"{line!r} is no row of three cells") for line in rows)
    ]


OF_PROVIDERS = traps("One provider at a time")
EVERYWHERE = traps("Everywhere")


def is_there(name: str) -> bool:
    """Whether there is such a test of the repository, or a page here with its table or error, or such a table."""
    path, _, test = name.partition("::")
    if test:
        file = REPOSITORY / path
        definition = re.compile(rf"^def {re.escape(test)}\(|^  - name: {re.escape(test)}$", re.MULTILINE)
        return file.is_file() and definition.search(file.read_text()) is not None
    page = HERE / path
    if page in OWN_PAGES:
        return any(page.with_suffix(suffix).is_file() for suffix in (".csv", ".error"))
    return page.is_file() and page.suffix in {".csv", ".error"}


@pytest.mark.parametrize(("about", "trap", "proofs"), OF_PROVIDERS + EVERYWHERE, ids=lambda value: str(value)[:60])
def test_every_trap_has_a_proof(about: str, trap: str, proofs: list[str]) -> None:
    missing = [name for name in proofs if not is_there(name)]
    assert proofs, f"{about}: {trap}: names no page and no test"
    assert not missing, f"{about}: {trap}: {missing}"


@pytest.mark.parametrize(("provider_id", "trap", "proofs"), OF_PROVIDERS, ids=lambda value: str(value)[:60])
def test_the_pages_of_a_row_are_those_of_its_provider(provider_id: str, trap: str, proofs: list[str]) -> None:
    pages = [Path(name) for name in proofs if "::" not in name]
    assert {page.parent.name for page in pages} <= {provider_id}
    if trap.endswith(": refused"):
        assert any((HERE / page).with_suffix(".error").is_file() for page in pages)


def test_rows_are_about_providers_that_there_are_and_stand_there_once() -> None:
    """A provider may join without a row: a module, a page and its table are all that it takes."""
    assert {provider_id for provider_id, _, _ in OF_PROVIDERS} <= discover().keys()
    rows = [(about, trap) for about, trap, _ in OF_PROVIDERS + EVERYWHERE]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    "name",
    [
        "openai/2026-08-21_pricing_never_written.html",
        "tests/providers/test_traps.py::test_never_written",
        "tests/never_written.py::test_every_trap_has_a_proof",
        "dbt_project/models/intermediate/_unit_tests.yml::never_written",
        "tests/providers/test_traps.py::test_the_pages",
        "test_traps.py",
    ],
)
def test_what_is_not_there_is_missed(name: str) -> None:
    assert not is_there(name)
