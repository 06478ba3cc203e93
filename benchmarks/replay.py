"""Replays every day of a folder of captures, as if tokenfall had run on each, and says how long that takes.

    python benchmarks/replay.py ../shared/captures /tmp/replayed [--providers openai,anthropic]

Pages are served over HTTP as they were on each day and captured into one archive; then the warehouse is built from
that archive once. The result is an ordinary TOKENFALL_HOME: open its public file, or look at it with `make dev`.
"""

import argparse
import csv
import os
import time
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", type=Path, help="a folder with a MANIFEST.csv")
    parser.add_argument("home", type=Path, help="the TOKENFALL_HOME to fill")
    parser.add_argument("--providers", default="openai,anthropic,google,deepseek,mistral,openrouter")
    options = parser.parse_args()
    os.environ |= {"TOKENFALL_HOME": str(options.home), "TOKENFALL_MAX_RETRIES": "0"}

    from pipeline.assets.capture import INSTALLED_MAPS, every_provider
    from pipeline.capture.archive import Archive
    from pipeline.capture.client import Client
    from pipeline.capture.server import serve_captures
    from pipeline.day import capture_map, capture_pages, last_good_attempts, load_archive, sources_by_page
    from pipeline.run import run_job
    from pipeline.settings import settings
    from pipeline.warehouse.build import connect

    chosen = [every_provider()[provider_id] for provider_id in options.providers.split(",")]
    with (options.captures / "MANIFEST.csv").open() as file:
        days = sorted(
            {
                date.fromisoformat((row["capture_date"] + "-01-01")[:10])
                for row in csv.DictReader(file)
                if row["provider"] in options.providers.split(",")
            }
        )
    started = time.perf_counter()
    captured = 0
    for day in days:
        with serve_captures(options.captures, day, renderings=True) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            os.environ["TOKENFALL_ORIGIN"] = f"http://127.0.0.1:{server.server_address[1]}"
            settings.cache_clear()
            with (
                Archive(settings().archive) as archive,
                connect(settings().build) as connection,
                Client(settings()) as client,
            ):
                load_archive(connection, archive, every_provider())
                results = list(capture_pages(archive, client, chosen, last_good_attempts(connection)))
            captured += sum(result.is_good for result in results)
            server.shutdown()

    with Archive(settings().archive) as archive:
        for price_map, snapshot in INSTALLED_MAPS:
            capture = snapshot(datetime.now(UTC))
            capture_map(archive, capture, sources_by_page([price_map])[capture.provider_id, capture.page_id])
    print(f"{len(days)} days, {captured} good captures in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    result = run_job("rebuild")
    print(f"built and published in {time.perf_counter() - started:.1f} s: {'ok' if result.success else result}")


if __name__ == "__main__":
    main()
