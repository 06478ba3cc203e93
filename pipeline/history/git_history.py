"""The history of a price map that is kept in a git repository, as a chronicle: a version per commit, dated by it.

Followed are the first parents of what is checked out, or is the default branch of a clone. All versions of the files
come from one `git cat-file --batch`, and no more than a few of them are in memory at once.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from pipeline.domain import Capture
from pipeline.errors import FileNotInRepository, NotARepository, NotTheMap
from pipeline.history.chronicle import UNREADABLE, Chronicle, Layout, document
from pipeline.progress import report

# A file that changes back and forth is parsed once all the same.
_PARSED_AT_ONCE = 8
_BLOBS_A_FETCH = 500
# Versions that git keeps unpacked, as the next is a difference to one of them; as fast as with its own 96 MB.
_GIT_KEEPS = "32m"
_NO_BLOB = "0" * 40
_BRANCH = "refs/heads/tokenfall"


class Commit(NamedTuple):
    """One commit that touches the map: the new blob of each file, or None for a file that is gone."""

    name: str
    at: datetime
    files: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class GitHistory:
    """What the commits say: the chronicle, and how many versions of files were skipped for which reason."""

    chronicle: str
    head: str
    until: datetime
    commits: int
    changes: int
    skipped: Counter[str]

    def capture(self, provider_id: str, url: str) -> Capture:
        """The chronicle as a capture of the repository at `url`, dated by its last commit."""
        return Capture(
            provider_id=provider_id,
            page_id="git",
            url=f"git+{without_credentials(url)}@{self.head}",
            captured_at=self.until,
            body=self.chronicle.encode(),
            headers={"Content-Type": "text/csv"},
            origin="file",
        )


def read_history(repository: Path, layout: Layout) -> GitHistory:
    """The history of a map's files in a local repository.

    Raises NotARepository, FileNotInRepository, or NotTheMap where no version of the files could be read.
    """
    commits = _commits(repository, layout.paths)
    if not commits:
        raise FileNotInRepository(f"no commit of {repository} has {' or '.join(layout.paths)}")
    _fetch_missing(repository, [blob for commit in commits for blob in commit.files.values() if blob is not None])
    chronicle = Chronicle(layout)
    files: dict[str, Mapping[str, Any]] = {}
    skipped: Counter[str] = Counter()
    changes = 0
    with _blobs(repository) as blob_of:

        @lru_cache(maxsize=_PARSED_AT_ONCE)
        def parsed(path: str, blob: str) -> Mapping[str, Any]:
            return layout.entries(path, blob_of(blob))

        for number, commit in enumerate(commits, start=1):
            # A file that cannot be read leaves what was read of it before.
            after = dict(files)
            for path, blob in commit.files.items():
                if blob is None:
                    after.pop(path, None)
                    continue
                try:
                    after[path] = parsed(path, blob)
                except UNREADABLE as error:
                    skipped[_reason(error)] += 1
            try:
                changes += chronicle.add(commit.at, commit.name[:12], _merged(after))
                files = after
            except UNREADABLE as error:
                skipped[_reason(error)] += 1
            report("git", number, len(commits), f"{commit.at:%Y-%m-%d}")
    spells = chronicle.spells()
    if not spells:
        reasons = "; ".join(f"{reason} ({count} times)" for reason, count in skipped.most_common(3))
        raise NotTheMap(f"no version of {' or '.join(layout.paths)} has a price of a known provider: {reasons}")
    return GitHistory(document(spells), commits[-1].name, commits[-1].at, len(commits), changes, skipped)


def fetched(url: str, folder: Path) -> Path:
    """A bare clone of a repository without its files, made or brought up to date in `folder`. Raises NotARepository."""
    clone = folder / sha256(url.encode()).hexdigest()[:16]
    try:
        if clone.exists():
            _git(clone, "fetch", "--quiet", "--filter=blob:none", "--force", "origin", f"HEAD:{_BRANCH}")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            # Under another name until it is whole: an interrupted clone is not taken for one.
            with TemporaryDirectory(dir=folder) as draft:
                _git(folder, "clone", "--quiet", "--bare", "--filter=blob:none", "--", url, draft)
                _git(Path(draft), "update-ref", _BRANCH, "HEAD")
                _git(Path(draft), "symbolic-ref", "HEAD", _BRANCH)
                Path(draft).rename(clone)
                Path(draft).mkdir()
    except NotARepository as error:
        raise NotARepository(str(error).replace(url, without_credentials(url))) from None
    return clone


def is_url(repository: str) -> bool:
    """Whether a repository is to be fetched, and not a folder of this machine."""
    return "://" in repository


def without_credentials(url: str) -> str:
    """The address without the user and password that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _commits(repository: Path, paths: Sequence[str]) -> list[Commit]:
    """The commits that touch the paths, oldest first; a clock that was turned back does not turn the history back."""
    log = _git(
        repository,
        *("log", "--first-parent", "--diff-merges=first-parent", "--reverse", "--raw", "--no-abbrev", "--no-renames"),
        *("--format=commit %H %ct", "HEAD", "--", *paths),
    )
    commits: list[Commit] = []
    latest = datetime.min.replace(tzinfo=UTC)
    for line in log.splitlines():
        if line.startswith("commit "):
            _, name, seconds = line.split(" ")
            latest = max(latest, datetime.fromtimestamp(int(seconds), UTC))
            commits.append(Commit(name, latest, {}))
        elif line.startswith(":"):
            modes, _, path = line.partition("\t")
            blob = modes.split(" ")[3]
            commits[-1].files[path] = None if blob == _NO_BLOB else blob
    return commits


@contextmanager
def _blobs(repository: Path) -> Iterator[Any]:
    """A function from the name of a blob to its bytes, through one process."""
    command = _command(repository, "-c", f"core.deltaBaseCacheLimit={_GIT_KEEPS}", "cat-file", "--batch")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(repository)) as git:  # noqa: S603
        asked, answers = git.stdin, git.stdout
        assert asked is not None  # noqa: S101 (both are pipes)
        assert answers is not None  # noqa: S101

        def blob_of(name: str) -> bytes:
            asked.write(f"{name}\n".encode())
            asked.flush()
            _, kind, *size = answers.readline().split()
            if kind != b"blob":
                raise ValueError(f"git says of it: {kind.decode()}")
            body = answers.read(int(size[0]))
            answers.read(1)
            return body

        yield blob_of
        asked.close()


def _fetch_missing(repository: Path, blobs: Sequence[str]) -> None:
    """Brings the blobs that a clone without files has not fetched yet, many at once: git by itself asks for each."""
    if _git(repository, "config", "--default", "", "--get", "remote.origin.promisor").strip() != "true":
        return
    # Asked for one blob that is missing, git would fetch it there and then.
    here = _git(repository, "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)")
    missing = list(dict.fromkeys(blobs).keys() - set(here.splitlines()))
    for start in range(0, len(missing), _BLOBS_A_FETCH):
        some = missing[start : start + _BLOBS_A_FETCH]
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--stdin")
        _git(repository, "-c", "fetch.negotiationAlgorithm=noop", "fetch", *options, "origin", given="\n".join(some))
        report("fetch", min(start + _BLOBS_A_FETCH, len(missing)), len(missing), "versions of the map")


def _reason(error: Exception) -> str:
    """The same for the same fault at different places."""
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg}"
    return str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"


def _merged(files: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(files) == 1:
        return next(iter(files.values()))
    return {key: entry for entries in files.values() for key, entry in entries.items()}


def _git(repository: Path, *arguments: str, given: str | None = None) -> str:
    """What git prints. Raises NotARepository with what it says on stderr where it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            _command(repository, *arguments),
            input=given,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            env=_environment(repository),
        )
    except FileNotFoundError as error:
        raise NotARepository("git is not installed") from error
    if done.returncode:
        raise NotARepository(f"{repository}: git {arguments[0]}: {' '.join(done.stderr.split())}")
    return done.stdout


def _command(repository: Path, *arguments: str) -> list[str]:
    return ["git", "-c", "core.quotePath=false", "-C", str(repository), *arguments]


def _environment(repository: Path) -> dict[str, str]:
    # No question at the terminal, no other transport, and no repository that merely lies around the folder.
    return os.environ | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
        "GIT_CEILING_DIRECTORIES": str(repository.resolve().parent),
        "LC_ALL": "C",
    }
