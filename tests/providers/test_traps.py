"""The lists of traps, TRAPS*.md: every test and page that they name is there."""

import re
from pathlib import Path

import pytest

from tests.providers.test_pages import HERE

REPOSITORY = HERE.parents[1]
NAMED = re.compile(r"`([^`\s]+)`")
HEADER = re.compile(r"(?m)^\|.*\|\n\|[-:| ]+\|$")
TRAPS = [
    (path.name, number, line.strip("| ").rpartition(" | ")[2])
    for path in sorted(HERE.glob("TRAPS*.md"))
    for number, line in enumerate(HEADER.sub("\n", path.read_text()).splitlines(), start=1)
    if line.startswith("|")
]


def is_there(name: str) -> bool:
    """Whether there is such a page with its table or error, a reviewed table of a real one, a file or a test in it."""
    path, _, test = name.partition("::")
    file: Path = next((root / path for root in (HERE, REPOSITORY) if (root / path).is_file()), HERE / path)
    if not file.is_file():
        return False
    if test:
        return re.search(rf"^def {re.escape(test)}\(|^  - name: {re.escape(test)}$", file.read_text(), re.M) is not None
    is_page = file.parent.parent == HERE and file.suffix in {".html", ".md", ".json"}
    return not is_page or file.with_suffix(".csv").is_file() or file.with_suffix(".error").is_file()


@pytest.mark.parametrize(("file", "line", "tests"), TRAPS, ids=[f"{file}:{line}" for file, line, _ in TRAPS])
def test_every_trap_has_a_test(file: str, line: int, tests: str) -> None:
    """The last cell of its row names it."""
    named = NAMED.findall(tests)
    assert named, f"line {line} of {file} names no test"
    missing = [name for name in named if not is_there(name)]
    assert not missing, f"line {line} of {file}: {missing}"


def test_there_are_traps() -> None:
    assert len(TRAPS) > 100


@pytest.mark.parametrize(
    "name",
    [
        "openai/2026-08-21_pricing_never_written.html",
        "test_traps.py::test_never_written",
        "tests/never_written.py::test_every_trap_has_a_test",
        "dbt_project/models/intermediate/_unit_tests.yml::never_written",
        "test_traps.py::test_there_are",
    ],
)
def test_what_is_not_there_is_missed(name: str) -> None:
    assert not is_there(name)
