"""How long does it take to read the history of a price map from a git repository, and how much memory?

    python -m benchmarks.git_history [--commits 300] [--releases ../shared/reference/package_releases]

makes a repository of LiteLLM's map with a few hundred commits: one per dated release, and between two of them commits
that each apply a part of what changed. Then the same repository is read by tokenfall and by the package `git-history`,
each in a process of its own. Printed are the time, the processor's part of it, the peak memory and what each found; of
tokenfall's, the median of three. git-history is kept to the fields that hold prices, and takes several minutes.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RELEASES = ROOT.parent / "shared" / "reference" / "package_releases"
MAP = "model_prices_and_context_window.json"

OURS = """
import sys
from pathlib import Path
from pipeline.history.git_history import read_history
from pipeline.history.litellm import LAYOUT
history = read_history(Path(sys.argv[1]), LAYOUT)
print(history.chronicle.count("\\n") - 1, "spells;", history.changes, "of", history.commits, "commits changed a price")
"""
THEIRS = """
import sqlite3, sys
from pathlib import Path
from git_history.cli import cli
repository, database = Path(sys.argv[1]), sys.argv[2]
entry = '{"key": key, **{name: value for name, value in entry.items() if "cost" in name}}'
convert = f"[{entry} for key, entry in json.loads(content).items()]"
arguments = ["file", database, sys.argv[3], "--repo", str(repository), "--id", "key", "--branch", "main", "--silent"]
cli.main([*arguments, "--import", "json", "--convert", convert], standalone_mode=False)
[(versions,)] = sqlite3.connect(database).execute("select count(*) from item_version")
print(versions, "versions of entries")
"""


def versions(folder: Path, n_commits: int) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """The maps of the releases, and between two of them as many steps as make the wanted number of commits."""
    from pipeline.history.package_prices import releases

    speaking = [release for release in releases(folder)[0] if release.package == "litellm"]
    maps = [json.loads(gzip.decompress(release.file.read_bytes())) for release in speaking]
    moments = [datetime.combine(release.day, clock(), UTC) for release in speaking]
    steps = max(1, round((n_commits - 1) / (len(maps) - 1)))
    yield moments[0], maps[0]
    for (start, end), (before, after) in zip(pairwise(moments), pairwise(maps), strict=True):
        changed = [key for key in (before | after) if before.get(key) != after.get(key)]
        current = dict(before)
        for step in range(1, steps + 1):
            for key in changed[(step - 1) * len(changed) // steps : step * len(changed) // steps]:
                if key in after:
                    current[key] = after[key]
                else:
                    del current[key]
            yield start + (end - start) * step / steps + timedelta(seconds=step), current


def make_repository(folder: Path, n_commits: int, path: Path) -> int:
    """A repository with one commit per version, made by `git fast-import`; how many there are."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", path], check=True)
    made = 0
    with subprocess.Popen(["git", "-C", path, "fast-import", "--quiet"], stdin=subprocess.PIPE) as git:
        assert git.stdin is not None
        for moment, document in versions(folder, n_commits):
            body = json.dumps(document, indent=4).encode()
            git.stdin.write(
                f"commit refs/heads/main\ncommitter a <a@b> {int(moment.timestamp())} +0000\ndata 0\n"
                f"M 100644 inline {MAP}\ndata {len(body)}\n".encode()
            )
            git.stdin.write(body + b"\n")
            made += 1
    assert git.returncode == 0
    subprocess.run(["git", "-C", path, "checkout", "--quiet", "main"], check=True)
    return made


def measure(script: str, *arguments: str) -> tuple[float, float, int, str]:
    """Seconds, those of the processor, peak memory in bytes, of the process, and what it printed last."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"it ended with {status}"
    seconds = time.perf_counter() - started
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, printed.strip().splitlines()[-1]


def main() -> None:
    """Makes the repository, reads it twice and prints what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--releases", type=Path, default=RELEASES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "repository"
        # In a process of its own too: what starts another hands its own peak of memory on.
        with ProcessPoolExecutor(1) as pool:
            made = pool.submit(make_repository, options.releases, options.commits, repository).result()
        size = (repository / MAP).stat().st_size
        print(f"{made} commits of a map of up to {size / 1e6:.1f} MB")
        _, (seconds, busy, peak, found), _ = sorted(measure(OURS, str(repository)) for _ in range(3))
        print(f"tokenfall    {seconds:8.1f} s  {busy:8.1f} s busy  {peak / 1e6:6.0f} MB  {found}", flush=True)
        their_seconds, their_busy, peak, found = measure(THEIRS, str(repository), str(Path(folder) / "their.db"), MAP)
        print(f"git-history  {their_seconds:8.1f} s  {their_busy:8.1f} s busy  {peak / 1e6:6.0f} MB  {found}")
        print(f"{their_seconds / seconds:.1f} times as fast, {their_busy / busy:.1f} times by the processor")


if __name__ == "__main__":
    main()
