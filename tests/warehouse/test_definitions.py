"""The Dagster definitions as a process that serves or runs them loads them."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import PROJECT, settings
from pipeline.warehouse.transform import prepare


def test_definitions_load_without_dbt() -> None:
    prepare()
    names = "sorted({name.split('.')[0] for name in sys.modules} & {'agate', 'dbt', 'dbt_common', 'dagster_dbt'})"
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, pipeline.definitions; print({names})"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "['dagster_dbt']"


def test_a_day_leaves_alone_what_is_made_of_seeds_only() -> None:
    from pipeline.definitions import due

    standing = {"/".join(key.path) for key in due(goes_on=False) - due(goes_on=True)}
    assert {"seeds/models", "marts/dim_model", "marts/dim_gpu"} <= standing
    # They read a seed too, but also what was captured.
    assert not standing & {"marts/dim_offer", "marts/mart_blended_price", "staging/stg_exchange_rates"}
    assert {key.split("/")[0] for key in standing} == {"seeds", "marts"}


def test_the_first_morning_makes_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster as dg

    from pipeline.definitions import defs, due

    monkeypatch.setenv("TOKENFALL_HOME", str(tmp_path))
    settings.cache_clear()
    schedule = defs.resolve_schedule_def("daily_schedule")
    tick = schedule.evaluate_tick(dg.build_schedule_context())
    settings.cache_clear()
    [request] = tick.run_requests or []
    assert set(request.asset_selection or []) == due(goes_on=False)
