"""The seeds that say what inference costs to run, and that every fact in every seed has its source."""

import csv
from pathlib import Path

import pytest

SEEDS = Path(__file__).parents[2] / "seeds"
NAMES = sorted(path.stem for path in SEEDS.glob("*.csv"))
# Facts have a source; assumptions of ours a note, and what follows from other rows a reason.
SOURCES = ("source", "first_said", "note", "why")
# Where a source of its own stands beside some of the facts of a row.
FACTS_WITH_THEIR_OWN_SOURCE = {"gpu_hardware": {"capex_source": ("capex_usd_per_gpu", "server_kw_per_gpu")}}


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_every_row_has_its_source(name: str) -> None:
    rows = seed(name)
    assert rows
    assert all(any(row.get(column) for column in SOURCES) for row in rows)
    for source, facts in FACTS_WITH_THEIR_OWN_SOURCE.get(name, {}).items():
        assert all(row[source] for row in rows if any(row[fact] for fact in facts))


def test_the_accelerators_that_are_rented_are_described() -> None:
    hardware = {row["gpu"]: row for row in seed("gpu_hardware")}
    assert {"A100_80", "H100_SXM", "H200", "B200", "MI300X"} <= set(hardware)
    for row in hardware.values():
        assert all(float(row[fact]) > 0 for fact in ("dense_tflops_bf16", "bandwidth_tb_per_s", "board_watts"))
        # The server around a board draws more than the board.
        assert not row["server_kw_per_gpu"] or float(row["server_kw_per_gpu"]) * 1000 > float(row["board_watts"])
        assert not row["capex_usd_per_gpu"] or row["server_kw_per_gpu"]
    assert {row["rented_as"] for row in hardware.values()} <= {row["gpu"] for row in seed("gpu_rents")}
    assert {row["gpu"] for row in seed("throughput")} <= set(hardware)


def test_rents_are_unique_and_their_quartiles_in_order() -> None:
    rows = seed("gpu_rents")
    keys = [(row["month"], row["gpu"], row["kind"]) for row in rows]
    assert keys == sorted(set(keys))
    for row in rows:
        low, middle, high = (float(row[f"usd_per_gpu_hour_{quantile}"]) for quantile in ("p25", "median", "p75"))
        assert 0 < low <= middle <= high
