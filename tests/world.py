"""A small world for whole runs: pages of one provider by day, served as the hosts would serve them."""

import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Thread

from pipeline.capture.server import serve_captures
from pipeline.providers import discover

OWN_PAGES = Path(__file__).parent / "providers"
URL = "https://platform.claude.com/docs/en/about-claude/pricing.md"


def pricing_page(prices: Mapping[str, str], *, column: str = "Base Input Tokens") -> str:
    """Anthropic's pricing page with a base input price per model; everything else follows from the label."""
    base = "\n".join(f"| {model} | ${price} / MTok | $10 / MTok |" for model, price in prices.items())
    batch = "\n".join(f"| {model} | $1 / MTok | $5 / MTok |" for model in prices)
    return (
        "# Pricing\n\n## Model pricing\n\n"
        f"| Model | {column} | Output Tokens |\n| --- | --- | --- |\n{base}\n\n"
        "### Batch processing\n\n| Model | Batch input | Batch output |\n| --- | --- | --- |\n"
        f"{batch}\n\nFor additional questions about pricing, ask.\n"
    )


def write_captures(directory: Path, pages: Mapping[date, str]) -> Path:
    """A folder of captures of one page with its MANIFEST.csv, as `tokenfall serve-captures` serves it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "MANIFEST.csv").open("w", newline="") as file:
        manifest = csv.writer(file)
        manifest.writerow(["file", "page_url", "capture_date", "kind", "complete", "notes"])
        for day, text in pages.items():
            (directory / f"{day}_pricing.md").write_text(text)
            manifest.writerow([f"{day}_pricing.md", URL, day, "markdown", "yes", ""])
    return directory


def write_pages_of_all_providers(directory: Path, days: Sequence[date]) -> Path:
    """A folder of captures of the pages in `tests/providers` that can be read, on the days in their names.

    Of the pages of one address that are new on one of the days it is the one with the most prices: the others show one
    trap each.
    """
    directory.mkdir(parents=True, exist_ok=True)
    kinds = {".md": "markdown", ".html": "raw_html", ".json": "json"}
    fullest: dict[tuple[str, str], tuple[int, Path]] = {}
    for page in sorted(page for page in OWN_PAGES.glob("*/*") if page.suffix in kinds):
        if not (table := page.with_suffix(".csv")).exists():
            continue
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        [source] = [source for source in discover()[page.parent.name].sources if source.page_id == rows[0]["page_id"]]
        captured = page.name.split("_")[0]
        seen_on = next((f"{day}" for day in days if captured <= f"{day}"), "never")
        fullest[source.url, seen_on] = max((len(rows), page), fullest.get((source.url, seen_on), (0, page)))
    with (directory / "MANIFEST.csv").open("w", newline="") as file:
        manifest = csv.writer(file)
        manifest.writerow(["file", "page_url", "capture_date", "kind", "complete", "notes"])
        for (url, _), (_, page) in fullest.items():
            manifest.writerow([page, url, page.name.split("_")[0], kinds[page.suffix], "yes", ""])
    return directory


@contextmanager
def served(directory: Path, as_of: date | None = None, *, renderings: bool = False) -> Iterator[str]:
    """The origin at which the captures are served while the block runs."""
    with serve_captures(directory, as_of, renderings=renderings) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def environment(home: Path, origin: str | None) -> dict[str, str]:
    """The environment of a tokenfall process."""
    settings = {"TOKENFALL_HOME": str(home), "TOKENFALL_MAX_RETRIES": "0"}
    if origin is not None:
        settings["TOKENFALL_ORIGIN"] = origin
    return {name: value for name, value in os.environ.items() if not name.startswith("TOKENFALL_")} | settings


def tokenfall(home: Path, *arguments: str, origin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user would, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        env=environment(home, origin),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def parquet_digests(public: Path) -> dict[str, str]:
    """The sha256 of every published Parquet file, by its path."""
    folder = public / "parquet"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }


def forget_parquet(public: Path) -> None:
    """Leaves nothing that the next publication could keep."""
    shutil.rmtree((public / "parquet").resolve())
