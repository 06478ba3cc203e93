"""The command as a user meets it: outputs, exit codes and what is said when something is wrong."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import QUOTE_COLUMNS, app
from pipeline.settings import settings
from tests.world import pricing_page


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.md"
    file.write_text(pricing_page({"Claude Opus 4.5": "5.00"}))
    return file


@pytest.fixture
def tokenfall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("TOKENFALL_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield CliRunner()
    settings.cache_clear()


def parse(runner: CliRunner, page: Path, *options: str) -> Result:
    return runner.invoke(app, ["parse", "anthropic", str(page), "--captured-at", "2026-03-01", *options])


def test_parse_prints_quotes_as_csv(tokenfall: CliRunner, page: Path) -> None:
    result = parse(tokenfall, page)
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert tuple(rows[0]) == QUOTE_COLUMNS
    assert rows[0] | {"locator": ""} == {
        "provider_id": "anthropic",
        "page_id": "pricing",
        "model_label": "Claude Opus 4.5",
        "meter": "input",
        "list_unit_price": "5",
        "pricing_unit": "1M tokens",
        "currency": "USD",
        "usd_per_mtok": "5",
        "service_tier": "standard",
        "context_from": "",
        "context_to": "",
        "region": "",
        "time_window": "",
        "announced_from": "",
        "valid_until": "",
        "evidence": "$5.00 / MTok",
        "locator": "",
    }


def test_parse_prints_the_same_as_json(tokenfall: CliRunner, page: Path) -> None:
    rows = json.loads(parse(tokenfall, page, "--format", "json", "--page", "pricing").stdout)
    assert [Decimal(row["usd_per_mtok"]) for row in rows] == [5, 10, 1, 5]
    assert rows[0]["context_from"] is None


def test_a_cell_that_a_spreadsheet_would_run_is_neutralised(tokenfall: CliRunner, tmp_path: Path) -> None:
    models = tmp_path / "models.json"
    pricing = {"prompt": "0.000001", "completion": "0.000002"}
    models.write_text(json.dumps({"data": [{"id": "=HYPERLINK()", "name": "Acme", "pricing": pricing}]}))
    result = tokenfall.invoke(app, ["parse", "openrouter", str(models), "--captured-at", "2026-03-01"])
    assert {row["model_label"] for row in csv.DictReader(io.StringIO(result.stdout))} == {"'=HYPERLINK()"}


def test_an_unreadable_page_exits_with_3_and_the_name_of_the_error(tokenfall: CliRunner, page: Path) -> None:
    page.write_text("# Nothing here\n")
    result = parse(tokenfall, page)
    assert result.exit_code == 3
    assert result.stderr.startswith("LayoutChanged: ")
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["parse", "nobody", "PAGE", "--captured-at", "2026-03-01"], "unknown provider 'nobody'"),
        (["parse", "anthropic", "PAGE", "--captured-at", "soon"], "not an ISO 8601 time"),
        (["parse", "anthropic", "PAGE", "--captured-at", "2026-03-01", "--page", "prices"], "has no page 'prices'"),
        (["parse", "anthropic", "nowhere.md", "--captured-at", "2026-03-01"], "does not exist"),
        (["serve-captures", "."], "has no MANIFEST.csv"),
        (["capture", "nobody"], "unknown provider 'nobody'"),
        (["release", "anthropic/prices"], "there is no page 'anthropic/prices'"),
    ],
)
def test_wrong_words_are_explained(tokenfall: CliRunner, page: Path, arguments: list[str], said: str) -> None:
    result = tokenfall.invoke(app, [str(page) if argument == "PAGE" else argument for argument in arguments])
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", [["status"], ["sql", "select 1"]])
def test_before_the_first_run_it_says_what_to_do(tokenfall: CliRunner, command: list[str]) -> None:
    result = tokenfall.invoke(app, command)
    assert result.exit_code == 1
    assert "`tokenfall run` makes it" in result.stderr


def test_a_query_may_begin_with_a_comment(tokenfall: CliRunner) -> None:
    settings().public.mkdir(parents=True)
    duckdb.connect(settings().public / "tokenfall.duckdb").close()
    result = tokenfall.invoke(app, ["sql", "-- How much?\nselect 2 as price", "--format", "json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [{"price": 2}])


def test_a_page_that_was_never_read_cannot_be_released(tokenfall: CliRunner) -> None:
    result = tokenfall.invoke(app, ["release", "anthropic/pricing"])
    assert result.exit_code == 1
    assert "nothing to release" in result.stderr


def test_help_names_every_command(tokenfall: CliRunner) -> None:
    shown = tokenfall.invoke(app, ["--help"]).stdout
    for command in (
        "run",
        "capture",
        "backfill",
        "parse",
        "replay",
        "release",
        "rebuild",
        "serve-captures",
        "status",
        "sql",
    ):
        assert command in shown
    assert "prepare" not in shown
