"""The price maps in dated releases of LiteLLM and tokencost (both MIT), as one chronicle: `seeds/litellm_prices.csv`.

    python -m pipeline.history.package_prices FOLDER

compiles it from a folder of releases: `litellm/<version>.json.gz` with the dates in `litellm/version_dates.csv`, and
`tokencost/<version>_<date>.json.gz`. Of the prices only those of providers that tokenfall reads are taken.

tokencost copies LiteLLM's map, and keeps what LiteLLM drops: it is no second witness. It speaks in gaps between
releases of LiteLLM of more than 60 days only.
"""

import argparse
import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.domain import Capture, Provider, Source
from pipeline.history import litellm
from pipeline.history.chronicle import Chronicle, document, parse

SEED = Path(__file__).parents[2] / "seeds" / "litellm_prices.csv"
GAP = timedelta(days=60)
# A release is dated by the commit whose map it carries. Where more of its models differ, that commit is not its own.
_MATCHES = 0.05


class Release(NamedTuple):
    """One release of a package and the file that holds its map."""

    day: date
    package: str
    version: tuple[int, ...]
    file: Path

    @property
    def name(self) -> str:
        """Package and version, as rows name them."""
        return f"{self.package} {'.'.join(map(str, self.version))}"


def releases(folder: Path) -> tuple[list[Release], list[str]]:
    """The releases that speak, in order of time, and the names of those that do not: undated, or inside no gap.

    Raises ValueError where a later version has an earlier date, and OSError where a file is missing.
    """
    dated, undated = _dated_litellm(folder / "litellm")
    gaps = [(earlier.day, later.day) for earlier, later in pairwise(dated) if later.day - earlier.day > GAP]
    copies = sorted(_tokencost(folder / "tokencost"))
    filling = [release for release in copies if any(start < release.day < end for start, end in gaps)]
    silent = [*undated, *(release.name for release in copies if release not in filling)]
    return sorted([*dated, *filling]), silent


def compile_chronicle(folder: Path) -> str:
    """The chronicle of the releases in a folder. Raises ValueError, naming the file, for one that holds no map."""
    chronicle = Chronicle(litellm.LAYOUT)
    speaking, _ = releases(folder)
    sellers: dict[str, str] = {}
    for release in reversed(speaking):
        sellers |= {key: entry["litellm_provider"] for key, entry in _entries(release).items() if _has_seller(entry)}
    for release in speaking:
        # tokencost's first releases do not say who sells; later ones name the same keys.
        known = {
            key: entry if _has_seller(entry) or key not in sellers else {**entry, "litellm_provider": sellers[key]}
            for key, entry in _entries(release).items()
        }
        chronicle.add(datetime.combine(release.day, time(), UTC), release.name, known)
    return document(chronicle.spells())


def snapshot(now: datetime) -> Capture:
    """The compiled chronicle as a capture, dated by the newest date in it; raises ValueError if that has not passed."""
    body = SEED.read_bytes()
    rows = csv.DictReader(body.decode().splitlines(), strict=True)
    dates = {row[name] for row in rows for name in ("valid_from", "valid_until")} - {""}
    newest = max(datetime.fromisoformat(day).replace(tzinfo=UTC) for day in dates)
    if newest > now:
        raise ValueError(f"{SEED} has prices of {newest:%Y-%m-%d}; is the clock of this machine right?")
    return Capture(
        provider_id=LITELLM.provider_id,
        page_id="releases",
        url=LITELLM.sources[1].url,
        captured_at=newest,
        body=body,
        headers={"Content-Type": "text/csv"},
        origin="file",
    )


def _dated_litellm(folder: Path) -> tuple[list[Release], list[str]]:
    with (folder / "version_dates.csv").open(newline="") as file:
        rows = {_version(row["version"]): row for row in csv.DictReader(file, strict=True)}
    dated: list[Release] = []
    undated: list[str] = []
    for version, row in sorted(rows.items()):
        printed = row["zip_date"]
        if not printed and float(row["n_diff"]) <= _MATCHES * int(row["n_models"]):
            printed = row["match_from"]
        if printed:
            dated.append(Release(date.fromisoformat(printed), "litellm", version, folder / f"{row['version']}.json.gz"))
        else:
            undated.append(f"litellm {row['version']}")
    for earlier, later in pairwise(dated):
        if later.day < earlier.day:
            raise ValueError(f"{later.name} of {later.day} is dated before {earlier.name} of {earlier.day}")
    return dated, undated


def _tokencost(folder: Path) -> Iterator[Release]:
    for file in folder.glob("*.json.gz"):
        version, _, day = file.name.removesuffix(".json.gz").partition("_")
        yield Release(date.fromisoformat(day), "tokencost", _version(version), file)


def _version(printed: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(\.\d+)*", printed):
        raise ValueError(f"{printed!r} is no version of a release")
    return tuple(map(int, printed.split(".")))


def _entries(release: Release) -> Mapping[str, Any]:
    try:
        return litellm.entries(release.file.name, gzip.decompress(release.file.read_bytes()))
    except (ValueError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{release.file} holds no price map: {error}") from error


def _has_seller(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("litellm_provider"))


def main() -> None:
    """Compiles the seed from the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    text = compile_chronicle(folder)
    SEED.write_text(text)
    speaking, silent = releases(folder)
    print(f"{SEED}: {len(text.splitlines()) - 1} spells from {len(speaking)} releases; silent: {', '.join(silent)}")  # noqa: T201


LITELLM = Provider(
    provider_id="litellm",
    name="LiteLLM (price map)",
    homepage="https://github.com/BerriAI/litellm",
    kind="price_map",
    sources=(
        # Commits date a price closer than releases do.
        Source("git", "https://github.com/BerriAI/litellm", "csv", parse, role="price_history"),
        Source("releases", "pkg:pypi/litellm", "csv", parse, role="price_history"),
    ),
)

if __name__ == "__main__":
    main()
