"""Runs a Dagster job in this process, as the command line does, and says what came of it."""

import atexit
import gc
import os
import shutil
from dataclasses import dataclass

from pipeline.settings import PROJECT, settings
from pipeline.warehouse.transform import Build

# About 0.7 MB each; two months are enough to look back.
KEPT_RUNS = 60


@dataclass(frozen=True, slots=True)
class RunResult:
    """Whether a run succeeded; the failed steps with the cause of each, and the checks that kept it from publishing."""

    success: bool
    failed_steps: dict[str, str]
    failed_audits: list[str]


def run_job(name: str) -> RunResult:
    """Runs the job `daily` or `rebuild` on the instance that the Dagster UI shows too."""
    # Before anything else, even the imports: it has the second core to itself.
    with Build() as build:
        return _run_job(name, build)


def _run_job(name: str, build: Build) -> RunResult:
    # Imports make a million objects that live as long as the process: looking for garbage among them is in vain.
    gc.disable()
    import dagster as dg

    from pipeline.definitions import defs, due

    gc.freeze()
    gc.enable()
    # When the process ends, Python would search a million objects of dbt and Dagster for cycles: over a second.
    atexit.register(gc.freeze)
    home = settings().home.resolve() / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        job = defs.resolve_job_def(name)
        if name == "daily":
            job = job.get_subset(asset_selection=due(build.goes_on))
        result = job.execute_in_process(
            instance=instance,
            resources={"dbt_process": build},
            raise_on_error=False,
            # The console is for the progress; everything else is in the run's log.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        failed_steps = {
            event.step_key or "": _cause(event.event_specific_data)
            for event in result.all_events
            if event.event_type is dg.DagsterEventType.STEP_FAILURE
        }
        failed_audits = [
            f"{check.asset_key.to_user_string()}: {check.check_name}"
            for check in result.get_asset_check_evaluations()
            if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
        ]
        for outdated in instance.get_run_records()[KEPT_RUNS:]:
            instance.delete_run(outdated.dagster_run.run_id)
    return RunResult(result.success, failed_steps, failed_audits)


def _cause(failure: object) -> str:
    """The message of the innermost error: the ones around it are Dagster's."""
    error = getattr(failure, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    return str(error.message).strip() if error is not None else ""
