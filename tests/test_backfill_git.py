"""`tokenfall backfill git` as a user meets it: what is published, what is said, and what a second import changes."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.history.test_git_history import MAP, START, Repository, litellm_map
from tests.test_days import ask
from tests.world import forget_parquet, parquet_digests, tokenfall

HISTORY = (
    "select model_label, cast(usd_per_mtok as double), valid_from, valid_to, ended_by, date_precision, quality, locator"
    " from marts.fct_price_history where page_key = 'litellm/git' and known_to is null order by model_label, valid_from"
)


def day(number: float) -> datetime:
    return (START + timedelta(days=number)).replace(tzinfo=None)


def test_a_history_is_brought_in_goes_on_and_is_corrected(tmp_path: Path) -> None:
    home, repository = tmp_path / "home", Repository(tmp_path / "repository")
    first = repository.price(m=2, wrong=2000)[:12]
    repository.commit({MAP: "not the map"})
    repository.price(40, m=2, wrong=2000, new=3)
    imported = tokenfall(home, "backfill", "git", str(repository.path), "--map", "litellm")
    assert imported.returncode == 0, imported.stderr
    assert "2 of 3 commits changed a price, until 2025-02-10" in imported.stdout
    assert "skipped 1 versions of files: no JSON: Expecting value" in imported.stderr
    [(label, price, valid_from, valid_to, *_, precision, quality, locator), *_] = ask(home, HISTORY)
    assert (label, price, valid_from, valid_to) == ("m", 2, day(0), None)
    assert (precision, quality, locator) == ("declared", "ok", first)
    [(known_at,)] = ask(home, "select max(known_from) from marts.fct_price_history")

    again = tokenfall(home, "backfill", "git", str(repository.path), "--map", "litellm")
    assert again.returncode == 0
    assert "Nothing new" in again.stdout

    # Two moves since the last import, a correction and a price that was dropped.
    repository.price(50, m=1, wrong=2)
    repository.price(60, m=1.5, wrong=2)
    repository.price(70, m=1.2, wrong=2)
    longer = tokenfall(home, "backfill", "git", str(repository.path), "--map", "litellm")
    assert longer.returncode == 0, longer.stderr
    rows = ask(home, HISTORY)
    assert [row[:5] for row in rows] == [
        ("m", 2, day(0), day(50), "price_change"),
        ("m", 1, day(50), day(60), "price_change"),
        ("m", 1.5, day(60), day(70), "price_change"),
        ("m", 1.2, day(70), None, None),
        ("new", 3, day(40), day(50), "delisted"),
        ("wrong", 2000, day(0), day(50), "price_change"),
        ("wrong", 2, day(50), None, None),
    ]
    assert {row[0]: row[6] for row in rows} == {"m": "ok", "new": "ok", "wrong": "quarantined"}
    # A correction is no move; what was believed before the second import can still be asked.
    moves = ask(home, "select distinct model_label from marts.mart_price_changes")
    assert moves == [("m",)]
    believed = ask(
        home,
        "select model_label, cast(usd_per_mtok as double) from price_on(date '2025-04-01', ?) order by 1",
        known_at,
    )
    assert believed == [("m", 2), ("new", 3), ("wrong", 2000)]

    published = parquet_digests(home / "public")
    forget_parquet(home / "public")
    rebuilt = tokenfall(home, "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert parquet_digests(home / "public") == published


@pytest.mark.parametrize(
    ("repository", "error"),
    [("nowhere", "NotARepository"), ("file:///nowhere/at/all", "NotARepository"), (".", "FileNotInRepository")],
)
def test_what_is_wrong_is_named(tmp_path: Path, repository: str, error: str) -> None:
    Repository(tmp_path / "r").commit({"README.md": "no map"})
    address = repository if "://" in repository else str(tmp_path / "r" / repository)
    result = tokenfall(tmp_path / "home", "backfill", "git", address, "--map", "genai-prices")
    assert result.returncode == 3
    assert result.stderr.splitlines()[-1].startswith(f"{error}: ")


def test_a_shorter_history_is_nothing_new(tmp_path: Path) -> None:
    home, repository = tmp_path / "home", Repository(tmp_path / "repository")
    repository.price(m=2)
    repository.commit({"other.json": litellm_map(m=5)}, 9)
    first = tokenfall(home, "backfill", "git", str(repository.path), "--map", "litellm", "--file", "other.json")
    assert first.returncode == 0, first.stderr
    shorter = tokenfall(home, "backfill", "git", str(repository.path), "--map", "litellm")
    assert shorter.returncode == 0
    assert "the archive has the history of litellm until 2025-01-10 12:00 already" in shorter.stdout
