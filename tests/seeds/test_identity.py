"""The seeds that say which model a label means, how capable it is and what a workload consists of."""

import csv
import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.domain import Meter

SEEDS = Path(__file__).parents[2] / "seeds"
KEYS = {
    "models": ("model_id",),
    "model_aliases": ("provider_id", "model_label", "model_id", "valid_from"),
    "capability_scores": ("model_id", "benchmark"),
    "capability_tiers": ("tier_id",),
    "tasks": ("task_id",),
    "workloads": ("workload_id", "meter"),
}
DATES = {
    "models": ("release_date",),
    "model_aliases": ("valid_from", "valid_to"),
    "capability_scores": ("published_on",),
}
MODEL_ID = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*")


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


MODELS = {row["model_id"]: row for row in seed("models")}
SCORES = {(row["model_id"], row["benchmark"]): Decimal(row["score"]) for row in seed("capability_scores")}


def resolve(provider_id: str, label: str, day: str) -> str | None:
    """The model that a label meant on a day, read from the seed as the warehouse reads it."""
    found = [
        row["model_id"]
        for row in seed("model_aliases")
        if (row["provider_id"], row["model_label"]) == (provider_id, label)
        and (row["valid_from"] or day) <= day < (row["valid_to"] or "9999-12-31")
    ]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("name", KEYS)
def test_rows_are_unique_sorted_and_sourced(name: str) -> None:
    rows = seed(name)
    keys = [tuple(row[column] for column in KEYS[name]) for row in rows]
    assert rows
    assert len(set(keys)) == len(keys)
    assert keys == sorted(keys)
    assert all(row.get("source") or row.get("note") for row in rows)
    assert all(value == value.strip() for row in rows for value in row.values())


@pytest.mark.parametrize("name", DATES)
def test_dates_are_iso_or_unknown(name: str) -> None:
    for row in seed(name):
        for column in DATES[name]:
            assert not row[column] or date.fromisoformat(row[column]).isoformat() == row[column]


def test_model_ids_are_developer_and_model() -> None:
    for model_id, row in MODELS.items():
        assert MODEL_ID.fullmatch(model_id)
        assert row["developer"] == model_id.split("/")[0]
        assert row["family"]
        assert row["model_name"]


def test_flags_are_true_false_or_unknown() -> None:
    assert {row[flag] for row in MODELS.values() for flag in ("open_weights", "reasoning")} == {"true", "false", ""}


def test_sizes_are_consistent() -> None:
    for row in MODELS.values():
        total, active = (Decimal(row[column] or "NaN") for column in ("parameters_total_b", "parameters_active_b"))
        if not total.is_nan() and not active.is_nan():
            assert 0 < active <= total
        assert not row["context_tokens"] or int(row["context_tokens"]) > 0
        match row["size_class"]:
            case "":
                continue
            case "MoE":
                assert active.is_nan() or total.is_nan() or active < total
            case "7-13B":
                assert total == active
                assert 7 <= total <= 13
            case "70B":
                assert total == active
                assert 65 <= total <= 75
            case other:
                pytest.fail(f"unknown size class {other!r}")
        assert row["open_weights"] == "true"


def test_every_alias_points_to_a_model_and_its_periods_never_overlap() -> None:
    periods = defaultdict(list)
    for row in seed("model_aliases"):
        assert row["model_id"] in MODELS
        assert row["model_label"]
        start, end = row["valid_from"] or "0000", row["valid_to"] or "9999"
        assert start < end
        periods[row["provider_id"], row["model_label"]].append((start, end))
    for spans in periods.values():
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(sorted(spans)))


@pytest.mark.parametrize(
    ("provider_id", "label", "day", "model_id"),
    [
        ("openai", "gpt-4o", "2024-10-01", "openai/gpt-4o-2024-05-13"),
        ("openai", "gpt-4o", "2024-10-02", "openai/gpt-4o-2024-08-06"),
        ("openai", "gpt-3.5-turbo", "2023-06-26", "openai/gpt-3.5-turbo-0301"),
        ("openai", "gpt-3.5-turbo", "2024-02-15", "openai/gpt-3.5-turbo-0613"),
        ("openai", "gpt-3.5-turbo", "2024-02-16", "openai/gpt-3.5-turbo-0125"),
        ("openai", "gpt-4", "2026-08-21", "openai/gpt-4-0613"),
        ("openai", "o4-mini-2025-04-16 (with data sharing, batch)", "2026-08-21", "openai/o4-mini"),
        ("anthropic", "Claude Opus 4.8", "2026-08-13", "anthropic/claude-opus-4.8"),
        ("anthropic", "Claude Sonnet 3.5", "2024-10-21", "anthropic/claude-3.5-sonnet-20240620"),
        ("deepseek", "deepseek-chat", "2025-02-01", "deepseek/deepseek-v3"),
        ("deepseek", "deepseek-reasoner", "2025-02-01", "deepseek/deepseek-r1"),
        ("deepseek", "deepseek-reasoner", "2025-12-01", "deepseek/deepseek-v3.2"),
        ("deepseek", "deepseek-v4-flash", "2026-05-08", "deepseek/deepseek-v4-flash"),
        ("deepseek", "deepseek-v4-flash", "2026-08-02", "deepseek/deepseek-v4-flash-0731"),
        ("deepseek", "deepseek-flash", "2026-09-15", "deepseek/deepseek-v4.1-flash"),
        ("mistral", "mistral-small", "2024-01-03", "mistralai/mixtral-8x7b-instruct-v0.1"),
        ("mistral", "Mistral Large", "2024-02-26", "mistralai/mistral-large-2402"),
        ("google", "gemini-2.5-pro", "2026-05-07", "google/gemini-2.5-pro"),
        ("google", "veo-3.0-fast-generate-001 (720p)", "2026-05-07", "google/veo-3.0-fast-generate-001"),
        ("openrouter", "meta-llama/llama-3.1-8b-instruct:free", "2025-03-15", "meta/llama-3.1-8b-instruct"),
        ("openrouter", "deepseek/deepseek-chat", "2024-12-15", "deepseek/deepseek-v2.5"),
        ("openrouter", "anthropic/claude-3.7-sonnet:thinking", "2025-09-15", "anthropic/claude-3.7-sonnet"),
        ("groq", "llama-3.1-8b-instant", "2026-11-01", "meta/llama-3.1-8b-instruct"),
        ("fireworks", "deepseek-v3p2", "2026-11-01", "deepseek/deepseek-v3.2"),
        ("deepinfra", "openai/gpt-oss-120b-Turbo", "2026-04-17", "openai/gpt-oss-120b"),
        ("cerebras", "Qwen 3 235B Instruct", "2026-05-08", "qwen/qwen3-235b-a22b-instruct-2507"),
        ("novita", "deepseek/deepseek-v4-flash", "2026-05-08", "deepseek/deepseek-v4-flash"),
    ],
)
def test_a_label_means_one_model_on_a_day(provider_id: str, label: str, day: str, model_id: str) -> None:
    assert resolve(provider_id, label, day) == model_id


@pytest.mark.parametrize(
    ("provider_id", "label", "day"),
    [
        ("google", "gemini-1.5-flash", "2024-10-01"),
        ("deepseek", "deepseek-chat", "2024-12-15"),
        ("mistral", "mistral-large-latest", "2026-10-06"),
        ("openrouter", "openrouter/auto", "2026-08-22"),
        ("openrouter", "~openai/gpt-latest", "2026-08-22"),
        ("openai", "Containers (1 GB)", "2026-08-21"),
        ("novita", "deepseek/deepseek-v4-flash", "2026-08-21"),
        ("deepinfra", "google/gemini-1.5-flash", "2026-04-17"),
    ],
)
def test_a_label_whose_model_is_not_known_for_certain_stays_unmapped(provider_id: str, label: str, day: str) -> None:
    assert resolve(provider_id, label, day) is None


def test_scores_belong_to_models_and_stay_in_range() -> None:
    for (model_id, benchmark), score in SCORES.items():
        assert model_id in MODELS
        low, high = {"eci": (50, 200), "gpqa_diamond": (0, 1), "mmlu": (0, 1)}[benchmark]
        assert low < score < high
    developers = [row for row in seed("capability_scores") if row["source"].startswith("Developer's own report: ")]
    assert all("CC BY 4.0" in row["source"] for row in seed("capability_scores") if row not in developers)
    # Nobody but Epoch computes its index, and reports of different harnesses of MMLU do not compare.
    assert {row["benchmark"] for row in developers} == {"gpqa_diamond"}
    assert all(row["source_url"].startswith("https://") for row in seed("capability_scores"))


def test_a_tier_is_named_after_a_model_that_reaches_it() -> None:
    for tier in seed("capability_tiers"):
        assert tier["reference_model_id"] in MODELS
        if tier["size_class"]:
            assert MODELS[tier["reference_model_id"]]["size_class"] == tier["size_class"]
            assert not tier["benchmark"]
            assert not tier["threshold"]
            continue
        reached = SCORES[tier["reference_model_id"], tier["benchmark"]]
        # Close enough below that the tier is the class of its reference and not an easier one.
        assert Decimal(tier["threshold"]) <= reached < Decimal(tier["threshold"]) * Decimal("1.005")


def test_every_size_class_has_a_tier() -> None:
    tiers = {tier["size_class"] for tier in seed("capability_tiers")}
    assert tiers == {row["size_class"] for row in MODELS.values()} == {"", "7-13B", "70B", "MoE"}


def test_models_for_one_purpose_are_in_no_size_class() -> None:
    special = [model_id for model_id in MODELS if re.search(r"embed|guard|rerank|ocr", model_id)]
    assert special
    assert {MODELS[model_id]["size_class"] for model_id in special} == {""}


def test_the_index_tiers_are_the_published_thresholds() -> None:
    thresholds = {
        tier["tier_name"]: Decimal(tier["threshold"]) for tier in seed("capability_tiers") if tier["benchmark"] == "eci"
    }
    assert thresholds == {
        "gpt-3.5 class": Decimal("117"),
        "gpt-4 class": Decimal("126"),
        "gpt-4o class": Decimal("128.7"),
        "sonnet-3.5 class": Decimal("130"),
        "o1 class": Decimal("142.3"),
        "gpt-5 class": Decimal("150"),
    }


def test_the_shares_of_a_workload_add_up_to_one_token() -> None:
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in seed("workloads"):
        assert Meter(row["meter"])
        assert Decimal(row["share"]) > 0
        shares[row["workload_id"]] += Decimal(row["share"])
    assert set(shares.values()) == {Decimal(1)}
    assert {"input_output_3_1", "input_output_1_1", "input_only", "output_only"} < shares.keys()


def test_the_agent_reads_95_percent_of_its_input_from_the_cache() -> None:
    share = {row["meter"]: Decimal(row["share"]) for row in seed("workloads") if row["workload_id"] == "agent"}
    assert share["cache_read"] / (share["cache_read"] + share["input"]) == Decimal("0.95")
