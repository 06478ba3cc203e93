"""dbt, run through its own Python interface: in this process, or ahead of time in one beside it."""

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from pipeline.settings import PROJECT, settings

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

DBT_PROJECT = PROJECT / "dbt_project"
PREPARED = DBT_PROJECT / "target"
_PARSED = "partial_parse.msgpack"
BUILT_FROM = "built_from"
# What incremental models delete leaves holes in the file that only a build from nothing closes.
REFRESH_SECONDS = 30 * 86_400
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


class Build:
    """One `dbt build` in a process of its own, which imports dbt and parses the project before it is asked to build.

    A day's run needs seconds for both; so the second core has done it by the time the pages are read.
    """

    def __init__(self) -> None:
        # Here, so that only one of the two processes parses the project anew after a change.
        prepare()
        digest = _project_digest()
        self.goes_on = _goes_on(digest)
        """Whether it builds on what the last build left; if not, it builds everything from nothing."""
        if not self.goes_on:
            # Until all is built, the next one cannot go on either.
            _built_from().unlink(missing_ok=True)
        # Not a fork: this process may have threads, and a lock that one of them holds would stay closed in the copy.
        context = get_context("spawn")
        self._connection, other_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(other_end, digest, self.goes_on), name="dbt", daemon=True)
        self._process.start()
        other_end.close()
        self.succeeded = False

    def begin(self, selection: Sequence[str] = ()) -> None:
        """Lets it build seeds and models and run tests, as soon as it has parsed them.

        `selection` are dbt's options that choose some of them; where it cannot go on, it builds all the same.
        """
        # Of a process that has ended, `events` tells.
        with suppress(BrokenPipeError):
            self._connection.send(list(selection))

    def events(self) -> Iterator[dict[str, Any]]:
        """The final event of each seed, model and test, as dbt logs it in JSON, while it builds.

        Afterwards `succeeded` says whether there was no error. Raises RuntimeError if dbt itself breaks.
        """
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, ConnectionResetError) as error:
                self._process.join()
                raise RuntimeError(f"dbt's process ended with exit code {self._process.exitcode}") from error
            if isinstance(message, dict):
                yield message
            elif isinstance(message, bool):
                self.succeeded = message
                return
            else:
                raise RuntimeError(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.join()


_FINISHED = frozenset({"LogSeedResult", "LogModelResult", "LogTestResult"})


def _serve(connection: Connection, digest: str, goes_on: bool) -> None:
    """The other process: parses, waits for the word to build, sends events and in the end the outcome."""
    from google.protobuf.json_format import MessageToDict

    end_with_the_run()
    one_at_a_time = Lock()
    # As in the run itself: what imports and parsing make stays, and is not worth looking through.
    gc.disable()

    def pass_on(event: "EventMsg") -> None:
        if event.info.name in _FINISHED:
            with one_at_a_time:
                connection.send(MessageToDict(event, preserving_proto_field_name=True))

    try:
        target = _target()
        manifest = cast("Manifest", _invoke(["parse"], target).result)
        gc.freeze()
        gc.enable()
        selection = connection.recv()
        command = ["build", "--exclude-resource-type", "unit_test", *(selection if goes_on else ["--full-refresh"])]
        built = _invoke(command, target, pass_on, manifest)
        if built.success and not goes_on:
            _built_from().write_text(digest)
        connection.send(built.success)
    except RuntimeError as error:
        connection.send(str(error))
    except EOFError:
        # The run ended before its build.
        return


def goes_on() -> bool:
    """Whether the next build goes on with what the last one left: its seeds, and what is made of them alone, stand."""
    return _goes_on(_project_digest())


def _goes_on(digest: str) -> bool:
    # Other models or seeds may read otherwise what incremental models have told.
    built_from = _built_from()
    return (
        settings().build.exists()
        and built_from.exists()
        and built_from.read_text() == digest
        and time.time() - built_from.stat().st_mtime < REFRESH_SECONDS
    )


def _built_from() -> Path:
    """Beside the manifest: the digest of the project from which all was last built from nothing, written then."""
    return built_manifest().with_name(BUILT_FROM)


def _project_digest() -> str:
    """One value of all files of the project, seeds included."""
    digest = sha256()
    for path in sorted(path for pattern in _SOURCES for path in DBT_PROJECT.glob(pattern) if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def end_with_the_run() -> None:
    """Ends this process when the one that began it ends, even if killed: nothing may hold its files or its pipes."""
    Thread(target=_wait_for_its_end, daemon=True).start()


def _wait_for_its_end() -> None:
    if (run := parent_process()) is not None:
        wait([run.sentinel])
        os._exit(1)


def invoke(arguments: Iterable[str]) -> bool:
    """Runs a dbt command on the build file in this process; whether all of it succeeded.

    Raises RuntimeError if dbt itself breaks.
    """
    return bool(_invoke(arguments, _target()).success)


def _target() -> Path:
    """The folder for what dbt writes, with the project as it was last parsed."""
    prepare()
    target = built_manifest().parent
    target.mkdir(parents=True, exist_ok=True)
    if not (target / _PARSED).exists():
        shutil.copyfile(PREPARED / _PARSED, target / _PARSED)
    return target


def _invoke(
    arguments: Iterable[str],
    target: Path,
    on_event: Callable[["EventMsg"], None] | None = None,
    manifest: "Manifest | None" = None,
) -> "dbtRunnerResult":
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
        result = dbtRunner(manifest, [on_event] if on_event else []).invoke(command)
    finally:
        # dbt-duckdb keeps its connection for the next command; nobody else could open the file.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        reset_adapters()  # type: ignore[no-untyped-call]
    if result.exception is not None:
        raise RuntimeError(f"dbt {command[0]} broke: {result.exception}") from result.exception
    return result
