"""The Dagster definitions as a process that serves or runs them loads them."""

import subprocess
import sys

from pipeline.settings import PROJECT
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
