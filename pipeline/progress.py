"""How far a run is, as log records: the command line draws them as bars, the Dagster UI shows them as lines."""

import logging
from dataclasses import dataclass

LOG = logging.getLogger("tokenfall.progress")


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` parts of a stage, and what the last one was."""

    stage: str
    done: int
    total: int
    detail: str


def report(stage: str, done: int, total: int, detail: str) -> None:
    """Says how far a stage is."""
    LOG.info("%s %d/%d: %s", stage, done, total, detail, extra={"progress": Progress(stage, done, total, detail)})


def time_left(seconds: float, done: int, total: int) -> str:
    """How long the rest of a stage takes if it goes on as in the `seconds` so far, in words.

    Nothing is said before its first part, from which nothing is known, and after its last one.

    >>> time_left(30, 10, 100)
    'about 5 min left'
    """
    if done in {0, total}:
        return ""
    left = seconds / done * (total - done)
    for unit, size in (("h", 3600), ("min", 60)):
        # Two of a unit at least: "about 1 h" would say too little.
        if left >= 2 * size:
            return f"about {left / size:.0f} {unit} left"
    return f"about {left:.0f} s left"
