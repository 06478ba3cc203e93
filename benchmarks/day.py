"""One day's run beside the same work done directly, without Dagster and dbt.

    python -m benchmarks.day [../shared/captures] [--as-of 2026-08-21] [--repeat 3] [--providers openai,anthropic]

Both capture every provider's pages (or those of the named providers, and 404 for all others) from a local server that
replays captured ones, read them, build every model, compute the analytics and publish. The direct way runs the SQL that
dbt compiled, model by model, and checks nothing: the difference is the price of the asset graph, its run log, the tests
as checks and the contracts. Each is a process of its own and runs on a home that has had a first run. Prints medians of
wall time, and peak memory of other runs: watching a process slows it down.
"""

import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from threading import Thread

import psutil


def direct() -> None:
    """The day's work with the project's own functions and nothing around them."""
    from pipeline.assets.analytics import ANALYTICS
    from pipeline.assets.analytics.common import as_of_moment, contract, in_order
    from pipeline.capture.archive import Archive
    from pipeline.capture.client import Client
    from pipeline.day import capture_pages, last_good_attempts, load_archive
    from pipeline.history.ecb import EXCHANGE_RATES
    from pipeline.history.other_maps import PRICE_MAPS
    from pipeline.providers import discover
    from pipeline.settings import settings
    from pipeline.warehouse import transform
    from pipeline.warehouse.build import connect
    from pipeline.warehouse.publish import load_manifest, publish
    from pipeline.warehouse.tables import write_table
    from tests.warehouse.compiled import outdated

    config = settings()
    pages = [*discover().values(), EXCHANGE_RATES]
    providers = {provider.provider_id: provider for provider in (*pages, *PRICE_MAPS)}
    manifest = load_manifest(transform.built_manifest())
    with Archive(config.archive) as archive, connect(config.build) as connection, Client(config) as client:
        load_archive(connection, archive, providers)
        for _ in capture_pages(archive, client, pages, last_good_attempts(connection)):
            pass
        load_archive(connection, archive, providers)
        # As in a run, what is made of seeds alone stands.
        models = {
            name: node
            for name, node in manifest["nodes"].items()
            if node["resource_type"] == "model" and "compiled_code" in node
        }
        relations = {node["name"]: f"{node['schema']}.{node['name']}" for node in manifest["nodes"].values()}
        order = TopologicalSorter({name: set(models) & set(models[name]["depends_on"]["nodes"]) for name in models})
        for name in order.static_order():
            node = models[name]
            relation, materialized = relations[node["name"]], node["config"]["materialized"]
            if materialized == "incremental":
                connection.execute(outdated(node, relations))
                connection.execute(f"insert into {relation} by name {node['compiled_code']}")
            elif materialized == "table":
                connection.execute(f"create or replace table {relation} as {node['compiled_code']}")
        as_of = as_of_moment(connection)
        for one in in_order(ANALYTICS):
            made = one.make(connection, as_of)
            write_table(connection, contract(one.table), made.frame)
            for draw in made.plots.values():
                draw()
    publish(config.build, config.public, manifest)


def seconds(command: list[str]) -> float:
    """Wall time of a process."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def peak_mb(command: list[str]) -> float:
    """MB at the peak of a process and its children; pages that they share count once.

    To be asked for its memory stops a process: ten times a second it makes a run a tenth slower.
    """
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                peak = max(peak, sum(_proportional_bytes(part) for part in [tree, *tree.children(recursive=True)]))
            time.sleep(0.1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak / 1e6


def _proportional_bytes(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        memory = process.memory_full_info()
        # Only Linux tells how much of a shared page is whose.
        return getattr(memory, "pss", memory.uss)
    return 0


def _only(providers: list[str], captures: Path, folder: Path) -> Path:
    """A folder of the captures of some providers alone."""
    folder.mkdir()
    for provider in providers:
        (folder / provider).symlink_to(captures / provider)
    with (captures / "MANIFEST.csv").open(newline="") as every, (folder / "MANIFEST.csv").open("w", newline="") as some:
        rows = csv.DictReader(every)
        writer = csv.DictWriter(some, rows.fieldnames or [])
        writer.writeheader()
        writer.writerows(row for row in rows if row["provider"] in providers)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", type=Path, nargs="?", default=Path("../shared/captures"))
    parser.add_argument("--as-of", type=date.fromisoformat, default=datetime.now(UTC).date())
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--providers", help="comma-separated folders of the captures; default: all")
    parser.add_argument("--direct", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.direct:
        direct()
        return

    from pipeline.capture.server import serve_captures

    home = Path(tempfile.mkdtemp(prefix="tokenfall-day-"))
    captures = options.captures.resolve()
    if options.providers:
        captures = _only(options.providers.split(","), captures, home / "captures")
    with serve_captures(captures, options.as_of, renderings=True) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_address[1]}"
        os.environ |= {"TOKENFALL_HOME": str(home), "TOKENFALL_ORIGIN": origin}
        run = [sys.executable, "-m", "pipeline.cli", "run"]
        seconds(run)
        ways = {
            "tokenfall run (Dagster, dbt, all checks)": run,
            "the same work directly": [sys.executable, "-m", "benchmarks.day", "--direct"],
        }
        print(f"{'':42} {'seconds':>8} {'peak MB':>8}   ({options.repeat} runs each, load {os.getloadavg()[0]:.1f})")
        for name, command in ways.items():
            median = statistics.median(seconds(command) for _ in range(options.repeat))
            peak = max(peak_mb(command) for _ in range(options.repeat))
            print(f"{name:42} {median:8.1f} {peak:8.0f}")
        server.shutdown()
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
