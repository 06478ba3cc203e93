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

from pipeline.cli import app
from pipeline.printing import QUOTE_COLUMNS
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


@pytest.mark.parametrize("command", [["status"], ["sql", "select 1"], ["rates"], ["floors"], ["claims"]])
def test_before_the_first_run_it_says_what_to_do(tokenfall: CliRunner, command: list[str]) -> None:
    result = tokenfall.invoke(app, command)
    assert result.exit_code == 1
    assert "`tokenfall run` makes it" in result.stderr


@pytest.fixture
def published(tokenfall: CliRunner) -> CliRunner:
    """Beside a public file with a rate, a missing one, floors and two claims."""
    settings().public.mkdir(parents=True)
    with duckdb.connect(settings().public / "tokenfall.duckdb") as connection:
        connection.execute(
            """
            create schema analytics;
            create table analytics.decline_rates as
            select
                *, 'capability_tier' as series_kind, 'input_output_3_1' as workload, timestamp '2026-10-01' as as_of
            from (
                values
                    ('eci-gpt-4', 365, 'asof_endpoint', ln(8.0), 8e0, 4e0, ln(2.0), ln(1234.5), 7, 'ok', null),
                    ('eci-gpt-5', 365, 'asof_endpoint', null, null, null, null, null, 1, 'insufficient', '1 of 3'),
                    ('eci-gpt-4', 365, 'ols_daily', 1e0, 2.7e0, null, null, null, 7, 'ok', null),
                    ('eci-gpt-4', null, 'asof_endpoint', ln(9.0), 9e0, null, ln(0.5), ln(20.0), 9, 'ok', null)
            ) as rates (
                series_id, window_days, method, ln_rate_per_year, factor_per_year, halving_months, lo90, hi90, n_events,
                gate, reason
            );
            create table analytics.floor_estimates as
            select *, timestamp '2026-10-01' as as_of
            from (
                values
                    ('8b_dense', 'output', 1e-2, 2.34567e-2, 5e-2, 'ok', null),
                    ('8b_dense', 'input', null, null, null, 'insufficient', 'no rents')
            ) as floors (model_class, meter, p05, p50, p95, gate, reason);
            create table analytics.claim_scorecard as
            select *, 'A report' as source, 'a price' as evidence, 'abc' as evidence_sha256
            from (
                values
                    ('C001', 'met', 'It [b]costs[/b] 5', 'Observed 5.', ['C002'], '-- How?\nselect 5 as "[price]"'),
                    ('C002', 'untestable', 'It costs 6', 'Nothing known.', ['C001'], null)
            ) as cards (claim_id, verdict, claim, reason, contradicts, query);
            """
        )
    return tokenfall


def lines(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.stderr
    return [line.split() for line in result.stdout.splitlines() if line.strip()]


def test_rates_are_factors_with_their_intervals(published: CliRunner) -> None:
    shown = lines(published.invoke(app, ["rates"]))
    assert " ".join(shown[0]) == "How many times cheaper a year, in the 365 days to 2026-10-01 (input_output_3_1)"
    assert shown[3:] == [
        ["eci-gpt-4", "8", "2–1,230", "4", "mo.", "7", "ok"],
        ["eci-gpt-5", "1", "insufficient"],
        ["eci-gpt-5:", "1", "of", "3"],
    ]
    since_the_start = lines(published.invoke(app, ["rates", "--window", "0"]))
    assert since_the_start[3:] == [["eci-gpt-4", "9", "0.5–20", "9", "ok"]]


def test_rates_can_be_had_as_they_are(published: CliRunner) -> None:
    rows = json.loads(published.invoke(app, ["rates", "--format", "json"]).stdout)
    assert [(row["series_id"], row["factor_per_year"]) for row in rows] == [("eci-gpt-4", 8), ("eci-gpt-5", None)]
    written = published.invoke(app, ["rates", "--window", "0", "--format", "csv"]).stdout
    assert [row["factor_per_year"] for row in csv.DictReader(io.StringIO(written))] == ["9.0"]


@pytest.mark.parametrize("option", [["--window", "30"], ["--kind", "model"], ["--workload", "chat"]])
def test_rates_that_are_not_there_are_told_from_those_that_are(published: CliRunner, option: list[str]) -> None:
    result = published.invoke(app, ["rates", *option])
    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "there are capability_tier with input_output_3_1 over 0, 365" in said


def test_floors_have_intervals_or_reasons(published: CliRunner) -> None:
    assert lines(published.invoke(app, ["floors"]))[3:] == [
        ["8b_dense", "input", "insufficient"],
        ["8b_dense", "output", "0.0235", "0.01–0.05", "ok"],
        ["8b_dense", "input:", "no", "rents"],
    ]
    rows = json.loads(published.invoke(app, ["floors", "--format", "json"]).stdout)
    assert [row["p50"] for row in rows] == [None, 0.0234567]


def test_claims_have_a_line_each(published: CliRunner) -> None:
    shown = lines(published.invoke(app, ["claims"]))
    assert shown[2] == ["C001", "met", "It", "[b]costs[/b]", "5", "Observed", "5."]
    assert shown[-1] == ["1", "met,", "1", "untestable"]
    met = lines(published.invoke(app, ["claims", "--verdict", "met"]))
    assert [line[0] for line in met if line[0].startswith("C0")] == ["C001"]
    rows = json.loads(published.invoke(app, ["claims", "--format", "json"]).stdout)
    assert [row["contradicts"] for row in rows] == [["C002"], ["C001"]]


def test_one_claim_is_shown_with_its_query(published: CliRunner) -> None:
    shown = published.invoke(app, ["claims", "C001"]).stdout
    assert shown.startswith("C001: met")
    assert "contradicts      C002" in shown
    assert '-- How?\nselect 5 as "[price]"\n' in shown
    assert "C002: " not in shown
    assert "select" not in published.invoke(app, ["claims", "C002"]).stdout
    nobody = published.invoke(app, ["claims", "C001", "C077"])
    assert nobody.exit_code == 2
    assert "there is no claim C077" in nobody.stderr


def test_a_public_file_of_before_has_no_claims(tokenfall: CliRunner) -> None:
    settings().public.mkdir(parents=True)
    duckdb.connect(settings().public / "tokenfall.duckdb").close()
    result = tokenfall.invoke(app, ["claims"])
    assert result.exit_code == 1
    assert "CatalogException" in result.stderr


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
        "rates",
        "floors",
        "claims",
        "sql",
    ):
        assert command in shown
    assert "prepare" not in shown
