"""How often does the interval of a floor hold it, and what does a user's `curve_fit` hold?

Simulated monthly prices with a known floor, over a grid of how well it can be known: how far the price has come down
towards it, for how long, with errors that are independent or alike from month to month. Run from the root of the
repository:

    python -m benchmarks.coverage_floor [draws]

"covered" counts the draws whose floor is published; where few are, those are the lucky ones, and their coverage is that
of a selection. "of all" counts every draw that has an interval, published or not: an upper bound holds if it is above.
"curve_fit" is what a user would pick: the same curve through the same log prices by scipy's `curve_fit`, and F within
1.645 of its standard errors, on all of the draws. With 2,000 draws it takes two minutes.
"""

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from pipeline.analytics.floor import Asymptote, asymptote

FLOOR, AMPLITUDE = 0.1, 3.0


@dataclass(frozen=True)
class Design:
    """Monthly prices `F + A exp(-k t)` with log errors of a standard deviation, autocorrelated by `alike`."""

    months: int
    rate: float
    error: float
    alike: float = 0.0
    floor: float = FLOOR

    @property
    def label(self) -> str:
        last = self.curve()[-1]
        far = f"{last / self.floor:.2f} x floor" if self.floor else "no floor"
        return f"{self.months} months, ends at {far}, errors {self.error:g}, alike {self.alike:g}"

    def years(self) -> np.ndarray:
        return np.arange(self.months) / 12

    def curve(self) -> np.ndarray:
        return self.floor + AMPLITUDE * np.exp(-self.rate * self.years())


DESIGNS = (
    Design(24, 1.5, 0.1),
    Design(24, 2.0, 0.1),
    Design(24, 2.5, 0.1),
    Design(24, 2.5, 0.1, alike=0.5),
    Design(24, 4.0, 0.2, alike=0.5),
    Design(24, 4.0, 0.2, alike=0.8),
    Design(24, 1.0, 0.1, floor=0.0),
)
TIMES = pd.date_range("2023-01-01", periods=60, freq="MS", tz="UTC")


def prices(rng: np.random.Generator, design: Design, draws: int) -> np.ndarray:
    """One history a row."""
    errors = rng.standard_normal((draws, design.months))
    for month in range(1, design.months):
        errors[:, month] = design.alike * errors[:, month - 1] + np.sqrt(1 - design.alike**2) * errors[:, month]
    drawn: np.ndarray = design.curve() * np.exp(design.error * errors)
    return drawn


def covers(fit: Asymptote, floor: float) -> bool | None:
    if fit.hi90 is None:
        return None
    return (fit.lo90 or 0) <= floor <= fit.hi90


def curve_fit_covers(years: np.ndarray, price: np.ndarray, floor: float) -> bool | None:
    """None where it finds no curve or no error."""

    def log_curve(t: np.ndarray, f: float, a: float, k: float) -> np.ndarray:
        # It may step below 0 on its way.
        logs: np.ndarray = np.log(np.maximum(f + a * np.exp(-k * t), 1e-9))
        return logs

    guess = (price[-1], price[0] - price[-1], 1.0)
    try:
        best, covariance = optimize.curve_fit(log_curve, years, np.log(price), guess)
    except RuntimeError:
        return None
    reach = stats.norm.ppf(0.95) * np.sqrt(covariance[0, 0])
    return bool(abs(best[0] - floor) <= reach) if np.isfinite(reach) else None


def share(outcomes: list[bool | None]) -> float:
    known = [outcome for outcome in outcomes if outcome is not None]
    return sum(known) / len(known) if known else float("nan")


@dataclass(frozen=True)
class Coverage:
    """One design. `covered` is of the `n` x `published` draws whose floor is published."""

    label: str
    covered: float
    published: float
    n: int
    covered_of_all: float
    curve_fit_covered: float


def results(draws: int) -> Iterator[Coverage]:
    """One row per design; the same draws for both methods."""
    rng = np.random.default_rng(20260101)
    for design in DESIGNS:
        histories = prices(rng, design, draws)
        fits = [asymptote(TIMES[: design.months], history) for history in histories]
        outcomes = [covers(fit, design.floor) for fit in fits]
        published = [outcome for fit, outcome in zip(fits, outcomes, strict=True) if fit.gate == "ok"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optimize.OptimizeWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            textbook = [curve_fit_covers(design.years(), history, design.floor) for history in histories]
        yield Coverage(design.label, share(published), len(published) / draws, draws, share(outcomes), share(textbook))


def main() -> None:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{'design':<62} {'covered':>7} {'published':>9} {'of all':>7} {'curve_fit':>9}")
    for row in results(draws):
        print(
            f"{row.label:<62} {row.covered:>7.3f} {row.published:>9.3f}"
            f" {row.covered_of_all:>7.3f} {row.curve_fit_covered:>9.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
