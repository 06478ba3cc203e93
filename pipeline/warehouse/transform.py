"""dbt, run in this process: a subprocess would import it all again."""

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.settings import PROJECT, settings

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg

DBT_PROJECT = PROJECT / "dbt_project"
PREPARED = DBT_PROJECT / "target"
_PARSED = "partial_parse.msgpack"
_SOURCES = ("*.yml", "models/**/*", "macros/**/*", "tests/**/*", "analyses/**/*", "../seeds/*")


def prepare() -> Path:
    """dbt's manifest, made anew where a file of the project is newer. Raises RuntimeError if dbt cannot parse it."""
    manifest = PREPARED / "manifest.json"
    newest = max(path.stat().st_mtime for pattern in _SOURCES for path in DBT_PROJECT.glob(pattern))
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        _invoke(["parse"], PREPARED)
    return manifest


def built_manifest() -> Path:
    """The manifest that the last build wrote, compiled SQL included."""
    return settings().build.parent / "dbt" / "manifest.json"


def invoke(arguments: Iterable[str], on_event: Callable[["EventMsg"], None] | None = None) -> bool:
    """Runs a dbt command on the build file; whether all of it succeeded. Raises RuntimeError if dbt itself breaks."""
    prepare()
    target = built_manifest().parent
    target.mkdir(parents=True, exist_ok=True)
    if not (target / _PARSED).exists():
        shutil.copyfile(PREPARED / _PARSED, target / _PARSED)
    return _invoke(arguments, target, on_event)


def _invoke(arguments: Iterable[str], target: Path, on_event: Callable[["EventMsg"], None] | None = None) -> bool:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    os.environ["TOKENFALL_BUILD_FILE"] = str(settings().build)
    paths = {"project": DBT_PROJECT, "profiles": DBT_PROJECT}
    command = [
        *arguments,
        "--quiet",
        "--log-level-file",
        "warn",
        *(part for name, path in paths.items() for part in (f"--{name}-dir", str(path))),
    ]
    command += ["--target-path", str(target), "--log-path", str(target)]
    try:
        result = dbtRunner(callbacks=[on_event] if on_event else []).invoke(command)
    finally:
        # dbt-duckdb keeps its connection for the next command; nobody else could open the file.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        reset_adapters()  # type: ignore[no-untyped-call]
    if result.exception is not None:
        raise RuntimeError(f"dbt {command[0]} broke: {result.exception}") from result.exception
    return bool(result.success)
