"""Real repositories, made with git, whose commits change a price map of our own."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import FileNotInRepository, NotARepository, NotTheMap
from pipeline.history.chronicle import spells_of
from pipeline.history.git_history import GitHistory, fetched, read_history, without_credentials
from pipeline.history.litellm import LAYOUT
from pipeline.history.other_maps import LAYOUTS

START = datetime(2025, 1, 1, 12, tzinfo=UTC)
[MAP] = LAYOUT.paths
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


class Repository:
    """A repository in the making; commits are a day apart unless said otherwise."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.days = 0
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, day: float | None = None) -> str:
        at = (START + timedelta(days=self.days if day is None else day)).isoformat()
        environment = {**IDENTITY, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at, "HOME": str(self.path)}
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, files: Mapping[str, str | None], day: float | None = None) -> str:
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change", day=day)
        self.days += 1
        return self.git("rev-parse", "HEAD")

    def price(self, day: float | None = None, /, **prices: float) -> str:
        return self.commit({MAP: litellm_map(**prices)}, day)


def litellm_map(**prices: float) -> str:
    return json.dumps(
        {
            label: {"litellm_provider": "openai", "input_cost_per_token": price / 1e6, "mode": "chat"}
            for label, price in prices.items()
        }
    )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def read(history: GitHistory) -> list[tuple[str, str, float, float | None, str]]:
    return [
        (
            spell.model_label,
            f"{spell.list_unit_price}",
            (spell.valid_from - START) / timedelta(days=1),
            spell.valid_until and (spell.valid_until - START) / timedelta(days=1),
            spell.first_said,
        )
        for spell in spells_of(history.chronicle)
    ]


def test_every_commit_that_changes_a_price_is_a_version(repository: Repository) -> None:
    first = repository.price(m=2, gone=5)
    repository.commit({"README.md": "nothing of the map"})
    repository.commit({MAP: litellm_map(gone=5, m=2) + "\n"})
    cut = repository.price(m=1)
    history = read_history(repository.path, LAYOUT)
    assert read(history) == [
        ("gone", "5", 0, 3, first[:12]),
        ("m", "2", 0, 3, first[:12]),
        ("m", "1", 3, None, cut[:12]),
    ]
    assert (history.commits, history.changes, history.head) == (3, 2, cut)
    assert history.until == START + timedelta(days=3)
    assert not history.skipped


def test_how_the_map_is_set_out_does_not_matter(repository: Repository, tmp_path: Path) -> None:
    indented = Repository(tmp_path / "indented")
    texts = [litellm_map(a=1, b=2, c=3), "{", litellm_map(a=1, b=5, c=3, d=4), litellm_map(a=1, c=3, d=4)]
    for text in texts:
        repository.commit({MAP: text})
        indented.commit({MAP: text if text == "{" else json.dumps(json.loads(text), indent=4) + "\n"})
    expected = [("a", "1", 0, None), ("b", "2", 0, 2), ("b", "5", 2, 3), ("c", "3", 0, None), ("d", "4", 2, None)]
    for made in (repository, indented):
        assert [row[:4] for row in read(read_history(made.path, LAYOUT))] == expected


def test_a_merge_is_one_version_and_its_branch_is_none(repository: Repository) -> None:
    repository.price(m=3)
    repository.git("checkout", "--quiet", "-b", "side")
    repository.price(m=9)
    repository.price(m=2)
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message", "merge", "side", day=7)
    merge = repository.git("rev-parse", "HEAD")
    assert [row[1:] for row in read(read_history(repository.path, LAYOUT))] == [
        ("3", 0, 7, repository.git("rev-parse", "main~1")[:12]),
        ("2", 7, None, merge[:12]),
    ]


def test_a_clock_that_was_turned_back_does_not_turn_the_history_back(repository: Repository) -> None:
    repository.price(5, m=3)
    repository.price(2, m=2)
    repository.price(9, m=1)
    assert [row[1:4] for row in read(read_history(repository.path, LAYOUT))] == [("2", 5, 9), ("1", 9, None)]


def test_a_version_that_is_not_the_map_is_skipped_and_counted(repository: Repository) -> None:
    repository.price(m=2)
    repository.commit({MAP: "<<<<<<< HEAD"})
    repository.commit({MAP: "[]"})
    repository.commit({MAP: "[1]"})
    repository.commit({MAP: litellm_map(m=7).replace("}}", '}, "n": {"litellm_provider": 5}}')})
    repository.price(m=2, new=1)
    history = read_history(repository.path, LAYOUT)
    assert [row[:4] for row in read(history)] == [("m", "2", 0, None), ("new", "1", 5, None)]
    assert history.skipped == {
        "no JSON: Expecting value": 1,
        "it is not an object of entries": 2,
        "TypeError: expected string or bytes-like object, got 'int'": 1,
    }


def test_a_file_that_is_gone_says_nothing_any_more(repository: Repository) -> None:
    repository.price(m=2)
    repository.commit({MAP: None, "README.md": "moved"})
    assert [row[:4] for row in read(read_history(repository.path, LAYOUT))] == [("m", "2", 0, 1)]


def test_what_is_no_repository_or_has_no_map_is_named(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(NotARepository, match="not a git repository"):
        read_history(tmp_path, LAYOUT)
    with pytest.raises(NotARepository, match="cannot change to"):
        read_history(tmp_path / "nowhere", LAYOUT)
    inside = repository.path / "inside"
    inside.mkdir()
    repository.commit({"README.md": "no map"})
    with pytest.raises(NotARepository, match="not a git repository"):
        read_history(inside, LAYOUT)
    with pytest.raises(FileNotInRepository, match="model_prices"):
        read_history(repository.path, LAYOUT)
    repository.commit({MAP: "{}"})
    with pytest.raises(NotTheMap, match=r"no entry has a price per token \(1 times\)"):
        read_history(repository.path, LAYOUT)


def test_a_clone_without_files_reads_the_same_and_goes_on(repository: Repository, tmp_path: Path) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    for price in range(5, 1, -1):
        repository.commit({MAP: litellm_map(m=price), "large.bin": "x" * price})
    url = f"file://{repository.path}"
    clone = fetched(url, tmp_path / "clones")
    assert _blobs_of(clone) == 0
    assert read_history(clone, LAYOUT).chronicle == read_history(repository.path, LAYOUT).chronicle
    assert _blobs_of(clone) == 4
    repository.price(m=1)
    assert fetched(url, tmp_path / "clones") == clone
    assert read_history(clone, LAYOUT).chronicle == read_history(repository.path, LAYOUT).chronicle
    assert [path.name for path in (tmp_path / "clones").iterdir()] == [clone.name]


def _blobs_of(clone: Path) -> int:
    command = ["git", "-C", str(clone), "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split().count("blob")


def test_an_address_without_a_repository_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(NotARepository, match="git clone") as caught:
        fetched("http://me:secret@127.0.0.1:9/map.git", tmp_path / "clones")
    assert "secret" not in str(caught.value)
    assert list((tmp_path / "clones").iterdir()) == []
    assert without_credentials("https://me:secret@host.example/map.git") == "https://host.example/map.git"


GENAI = [
    {
        "id": "aws",
        "models": [
            {"id": "plain", "prices": {"input_mtok": 3, "output_mtok": 0, "unheard_of": 1}},
            {
                "id": "dated",
                "prices": [
                    {"prices": {"input_mtok": 9}},
                    {"constraint": {"start_date": "2025-01-01"}, "prices": {"input_mtok": 2}},
                ],
            },
            {"id": "tiered", "prices": {"input_mtok": {"base": 1, "tiers": [{"start": 200000, "price": 2}]}}},
            {
                "id": "hourly",
                "prices": [
                    {"prices": {"input_mtok": 9}},
                    {"constraint": {"start_time": "00:30:00Z"}, "prices": {"input_mtok": 2}},
                ],
            },
        ],
    }
]
VENDOR = {
    "vendor": "z.ai",
    "models": [
        {
            "id": "m",
            "price_history": [
                {"input": 0.5, "output": 1.5, "input_cached": None, "from_date": "2025-01-01", "to_date": None},
                {"input": 9, "output": 9, "from_date": None, "to_date": "2025-01-01"},
            ],
        }
    ],
}
TOML = """
name = "M"
[cost]
input = 0.30
cache_read = 0.00
[cost.context_over_200k]
input = 0.60
"""
LIST = {"data": [{"id": "acme/m", "pricing": {"prompt": "0.0000002", "completion": "-1", "image": "0.1"}}]}


@pytest.mark.parametrize(
    ("price_map", "file", "text", "expected"),
    [
        (
            "genai-prices",
            "prices/data.json",
            json.dumps(GENAI),
            {
                ("aws-bedrock", "plain", "input", None, "3"),
                ("aws-bedrock", "dated", "input", None, "2"),
                ("aws-bedrock", "tiered", "input", 0, "1"),
                ("aws-bedrock", "tiered", "input", 200_000, "2"),
            },
        ),
        (
            "llm-prices",
            "data/z.ai.json",
            json.dumps(VENDOR),
            {("zai", "m", "input", None, "0.5"), ("zai", "m", "output", None, "1.5")},
        ),
        (
            "models-dev",
            "providers/togetherai/models/acme/m.toml",
            TOML,
            {("together", "acme/m", "input", 0, "0.3"), ("together", "acme/m", "input", 200_000, "0.6")},
        ),
        ("openrouter-list", "models.json", json.dumps(LIST), {("openrouter", "acme/m", "input", None, "0.2")}),
    ],
)
def test_every_map_is_read(repository: Repository, price_map: str, file: str, text: str, expected: object) -> None:
    repository.commit({file: text, "data/README.md": "about", "elsewhere.toml": "x = 1"})
    spells = list(spells_of(read_history(repository.path, LAYOUTS[price_map]).chronicle))
    assert expected == {
        (spell.provider_id, spell.model_label, f"{spell.meter}", spell.context_from, f"{spell.list_unit_price}")
        for spell in spells
    }


def test_a_map_of_many_files_changes_file_by_file(repository: Repository) -> None:
    def toml(price: str) -> str:
        return f"[cost]\ninput = {price}\n"

    folder = "providers/openai/models"
    repository.commit({f"{folder}/a.toml": toml("2"), f"{folder}/b.toml": toml("3")})
    repository.commit({f"{folder}/a.toml": toml("1")})
    repository.commit({f"{folder}/b.toml": None})
    assert [row[:4] for row in read(read_history(repository.path, LAYOUTS["models-dev"]))] == [
        ("a", "2", 0, 1),
        ("a", "1", 1, None),
        ("b", "3", 0, 2),
    ]
