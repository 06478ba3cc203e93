"""How often do the published 90 % intervals hold the truth, and how often do those that are forbidden here?

Simulated prices with a known truth, seen through the public functions, beside what a user would pick instead, on the
same draws: textbook intervals of regressions on forward-filled daily prices, as statsmodels and scipy compute them.
Run from the root of the repository:

    python -m benchmarks.coverage [--draws 2000] [--workers 2] [--topics rates panels ...] [--write]

Every draw has a seed of its own, made of the design's name and its number: neither the order nor the number of workers
changes a digit. `--write` puts the tables into benchmarks/COVERAGE.md. The exit status is 1 where a coverage that is
required to be .80 is below.
"""

import argparse
import os
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import starmap
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from pipeline.analytics.decline import Rate, Slowdown, endpoint_rate, panel_rate, records_ols, slowdown

SEED = 20260101
AS_OF = pd.Timestamp("2026-01-01", tz="UTC")
START = AS_OF - pd.Timedelta(days=365)
REQUIRED = 0.80
NOMINAL = 0.90
REPORT = Path(__file__).with_name("COVERAGE.md")
# Draws per task of a worker: many tasks, so that the workers end together.
PORTION = 100

PUBLISHED = "published"
# By method whether its interval holds the truth; None: it gives no interval on this draw.
Verdicts = dict[str, bool | None]
# By what is judged; one draw can be judged at several horizons.
Draw = Callable[[np.random.Generator], dict[str, Verdicts]]


class Case(NamedTuple):
    """A design: its topic and name, how one draw of it is made and judged, and whether .80 is required of it."""

    topic: str
    name: str
    draw: Draw
    is_required: bool


class Line(NamedTuple):
    """A line of the report: by method the share of intervals that hold the truth, and how many there were."""

    topic: str
    name: str
    covered: dict[str, float]
    judged: dict[str, int]
    is_required: bool

    @property
    def is_short(self) -> bool:
        return self.is_required and self.covered[PUBLISHED] < REQUIRED


@dataclass(frozen=True)
class Moves:
    """Compound Poisson: expected cuts and rises a year, and the mean of their absolute log steps.

    Steps are exponential, or log-normal with a standard deviation of 1 in logs, whose tail is heavy.
    """

    cuts: float
    rises: float
    cut: float
    rise: float
    heavy: bool = False

    @property
    def truth(self) -> float:
        """The expected decline of the log price in a year."""
        return self.cuts * self.cut - self.rises * self.rise

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Days since the start of a year, in no order, and log steps."""
        cuts, rises = rng.poisson(self.cuts), rng.poisson(self.rises)
        log_steps = np.concatenate([-self._sizes(rng, cuts, self.cut), self._sizes(rng, rises, self.rise)])
        return rng.uniform(0, 365, len(log_steps)), log_steps

    def _sizes(self, rng: np.random.Generator, n: int, mean: float) -> np.ndarray:
        return rng.lognormal(np.log(mean) - 0.5, 1.0, n) if self.heavy else rng.exponential(mean, n)


@dataclass(frozen=True)
class Panel:
    """Providers with `offers` each: decisions that move all offers of a provider, and moves of single offers."""

    providers: int
    offers: int
    wide: Moves
    own: Moves

    @property
    def truth(self) -> float:
        return self.wide.truth + self.own.truth


SINGLES = (
    Moves(3, 1, 0.3, 0.2),
    Moves(4, 2, 0.3, 0.2),
    Moves(6, 2, 0.25, 0.15),
    Moves(6, 4, 0.2, 0.2),
    Moves(8, 4, 0.2, 0.1),
    Moves(10, 2, 0.1, 0.1),
    Moves(6, 3, 0.25, 0.15, heavy=True),
)
WIDE, OWN = Moves(1.5, 0.5, 0.4, 0.2), Moves(0.6, 0.3, 0.2, 0.1)
PANELS = tuple(Panel(providers, 4, WIDE, OWN) for providers in (3, 4, 6, 10, 20))
# One provider whose models move together: the clusters are its models.
ONE_PROVIDER = {
    "mostly provider-wide": Panel(1, 5, Moves(4, 1, 0.3, 0.2), Moves(0.5, 0.2, 0.2, 0.1)),
    "models on their own": Panel(1, 5, Moves(0, 0, 0, 0), Moves(2, 1, 0.3, 0.1)),
}
SLOWDOWNS = (
    (Moves(6, 2, 0.25, 0.15), Moves(6, 2, 0.25, 0.15)),
    (Moves(8, 2, 0.3, 0.15), Moves(4, 2, 0.2, 0.15)),
)


def cases() -> Iterator[Case]:
    """All designs but those of the floor, which `benchmarks.coverage_floor` draws itself."""
    for design in SINGLES:
        tail = ", heavy tails" if design.heavy else ""
        name = f"{design.cuts:g} cuts and {design.rises:g} rises a year{tail}"
        yield Case("rates", name, one_series(design), is_required=not design.heavy)
    for panel in PANELS:
        yield Case("panels", f"{panel.providers} providers, mostly provider-wide", many_offers(panel), is_required=True)
    for name, panel in ONE_PROVIDER.items():
        yield Case("panels", f"one provider, {name}", many_offers(panel), is_required=True)
    for before, last in SLOWDOWNS:
        name = f"from {before.truth:.2g} to {last.truth:.2g} a year in logs"
        yield Case("slowdown", name, two_years(before, last), is_required=False)
    for panel in (PANELS[1], PANELS[3]):
        yield Case("index", f"{panel.providers} providers, mostly provider-wide", a_year_of_indices(panel), False)
    for name, differences in FORECASTS.items():
        for months in (18, 36):
            yield Case("forecast", f"{name}, {months} months", future(differences, months), is_required=False)


# --- rates ----------------------------------------------------------------------------------------------------------


def history(days: np.ndarray, log_steps: np.ndarray, start: pd.Timestamp = START) -> pd.DataFrame:
    """A price of 1 at the start, and its steps."""
    order = np.argsort(days)
    at = start + pd.to_timedelta(np.concatenate([[0.0], days[order]]), unit="D")
    return pd.DataFrame({"at": at, "price": np.exp(np.concatenate([[0.0], np.cumsum(log_steps[order])]))})


def daily(days: np.ndarray, log_steps: np.ndarray) -> np.ndarray:
    """The log price at the end of each day of a year, filled forward."""
    return np.bincount(np.ceil(days).astype(int), log_steps, minlength=366).cumsum()


def one_series(design: Moves) -> Draw:
    """A year of one price."""

    def draw(rng: np.random.Generator) -> dict[str, Verdicts]:
        days, log_steps = design.draw(rng)
        steps = history(days, log_steps)
        published = holds(endpoint_rate(steps, AS_OF, 365), design.truth)
        # The forbidden are judged where the published one is: there are events.
        forbidden = {} if published is None else textbook(daily(days, log_steps), design.truth)
        records = holds(records_ols(steps.rename(columns={"at": "date"})), design.truth)
        return {"": {PUBLISHED: published, "records_ols": records, **forbidden}}

    return draw


def many_offers(design: Panel) -> Draw:
    """A year of a panel; the forbidden methods see its mean log price."""

    def draw(rng: np.random.Generator) -> dict[str, Verdicts]:
        steps, mean = panel_history(rng, design)
        one = design.providers == 1
        cluster = "offer_id" if one else "provider"
        rate = panel_rate(steps, cluster, as_of=AS_OF, window_days=365, shared_events=one)
        published = holds(rate, design.truth)
        verdicts: Verdicts = {PUBLISHED: published}
        if published is not None:
            alone = panel_rate(steps, "offer_id", as_of=AS_OF, window_days=365)
            verdicts |= {"offers independent": holds(alone, design.truth), **textbook(mean, design.truth)}
        return {"": verdicts}

    return draw


def panel_history(rng: np.random.Generator, design: Panel) -> tuple[pd.DataFrame, np.ndarray]:
    """The steps of all offers, and the mean of their daily log prices."""
    moves = []
    for _ in range(design.providers):
        wide = design.wide.draw(rng)
        moves += [np.concatenate([wide, design.own.draw(rng)], axis=1) for _ in range(design.offers)]
    # A price of 1 at the start, then the steps in order; all offers in one frame, which is made once.
    ordered = [np.insert(of_one[:, np.argsort(of_one[0])], 0, 0.0, axis=1) for of_one in moves]
    offer = np.repeat(np.arange(len(moves)), [of_one.shape[1] for of_one in ordered])
    steps = pd.DataFrame(
        {
            "at": START + pd.to_timedelta(np.concatenate([days for days, _ in ordered]), unit="D"),
            "price": np.exp(np.concatenate([log_steps.cumsum() for _, log_steps in ordered])),
            "provider": offer // design.offers,
            "offer_id": offer,
        }
    )
    return steps, daily(*np.concatenate(moves, axis=1)) / len(moves)


def two_years(before: Moves, last: Moves) -> Draw:
    """A year at one rate and a year at another."""

    def draw(rng: np.random.Generator) -> dict[str, Verdicts]:
        early, late = before.draw(rng), last.draw(rng)
        days, log_steps = np.concatenate([(early[0] - 365, early[1]), late], axis=1)
        steps = history(days + 365, log_steps, START - pd.Timedelta(days=365))
        change = slowdown(endpoint_rate(steps, AS_OF, 365), endpoint_rate(steps, START, 365))
        truth = before.truth - last.truth
        verdicts: Verdicts = {PUBLISHED: holds(change, truth)}
        if verdicts[PUBLISHED] is not None:
            first, second = textbook_limits(daily(*early)), textbook_limits(daily(*late))
            for name in first:
                # As of two estimates that are independent and normal.
                difference, reach = first[name][0] - second[name][0], np.hypot(first[name][1], second[name][1])
                verdicts[name] = bool(abs(difference - truth) <= reach)
        return {"": verdicts}

    return draw


def holds(found: Rate | Slowdown, truth: float) -> bool | None:
    return None if found.lo90 is None or found.hi90 is None else found.lo90 <= truth <= found.hi90


def textbook(log_price: np.ndarray, truth: float) -> Verdicts:
    """Whether the intervals of regressions on daily log prices hold the yearly decline."""
    return {name: bool(abs(rate - truth) <= reach) for name, (rate, reach) in textbook_limits(log_price).items()}


def textbook_limits(log_price: np.ndarray) -> dict[str, tuple[float, float]]:
    """By forbidden method the middle of its interval and how far it reaches."""
    import statsmodels.api as sm

    years = np.arange(len(log_price)) / 365
    fit = sm.OLS(log_price, sm.add_constant(years)).fit()
    # The usual choice of lags for Newey and West: 4 (n / 100) ^ (2 / 9), 5 for a year.
    lags = int(4 * (len(years) / 100) ** (2 / 9))
    limits = {
        "OLS, iid": fit.conf_int(alpha=1 - NOMINAL)[1],
        "Newey-West": fit.get_robustcov_results("HAC", maxlags=lags, use_t=True).conf_int(alpha=1 - NOMINAL)[1],
        "Theil-Sen": theil_sen_limits(years, log_price),
    }
    return {name: (-(low + high) / 2, (high - low) / 2) for name, (low, high) in limits.items()}


@cache
def pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(n, k=1)


def theil_sen_limits(years: np.ndarray, log_price: np.ndarray) -> np.ndarray:
    """Sen's interval of the median slope, with his correction for ties: that of `scipy.stats.theilslopes`.

    Two order statistics need no sorting of 66,795 slopes, on which scipy spends most of its time.
    """
    n, (earlier, later) = len(years), pairs(len(years))
    slopes = (log_price[later] - log_price[earlier]) / (years[later] - years[earlier])
    ties = np.unique(log_price, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    reach = special.ndtri((1 + NOMINAL) / 2) * np.sqrt(variance)
    lower = max(round((len(slopes) - reach) / 2) - 1, 0)
    upper = min(round((len(slopes) + reach) / 2), len(slopes) - 1)
    return np.partition(slopes, [lower, upper])[[lower, upper]]


# --- indices --------------------------------------------------------------------------------------------------------


def a_year_of_indices(design: Panel) -> Draw:
    """Twelve months of a panel in which every fourth offer enters after a quarter and every fourth leaves after three.

    The truth is what the index is expected to say at the end of the year.
    """

    def draw(rng: np.random.Generator) -> dict[str, Verdicts]:
        from pipeline.analytics import index

        panel = monthly_panel(rng, design)
        methods = {
            "jevons_chained": index.jevons,
            "geks_tornqvist": lambda rows: index.geks(rows, "tornqvist"),
            "time_product_dummy": index.time_product_dummy,
            "hedonic": lambda rows: index.hedonic(rows, "capability"),
        }
        truth = np.exp(-design.truth)
        verdicts: dict[str, Verdicts] = {
            name: {PUBLISHED: holds_level(method(panel), truth)} for name, method in methods.items()
        }
        independent = index.jevons(panel.assign(cluster=panel["item"]))
        verdicts["jevons_chained"]["items independent"] = holds_level(independent, truth)
        return verdicts

    return draw


def monthly_panel(rng: np.random.Generator, design: Panel) -> pd.DataFrame:
    month, log_prices = np.arange(13), []
    for _ in range(design.providers):
        wide = daily(*design.wide.draw(rng))
        log_prices += [wide + daily(*design.own.draw(rng)) for _ in range(design.offers)]
    n_items = len(log_prices)
    capability = rng.normal(size=n_items)
    price = np.exp(np.array(log_prices)[:, month * 365 // 12] + capability[:, np.newaxis])
    item, month = np.divmod(np.arange(n_items * 13), 13)
    panel = pd.DataFrame(
        {
            "period": pd.date_range("2025-01-01", periods=13, freq="MS")[month],
            "item": item,
            "cluster": item // design.offers,
            "price": price.ravel(),
            "quantity": 1 / price.ravel(),
            "capability": capability[item],
        }
    )
    enters, leaves = item % 4 == 0, item % 4 == 1
    return panel[~((enters & (month < 3)) | (leaves & (month > 9)))]


def holds_level(table: pd.DataFrame, truth: float) -> bool | None:
    last = table.iloc[-1]
    return None if pd.isna(last["lo90"]) or pd.isna(last["hi90"]) else bool(last["lo90"] <= truth <= last["hi90"])


# --- forecasts ------------------------------------------------------------------------------------------------------

DRIFT = -0.08
SPREAD = 0.15
HORIZONS = (3, 12, 24)


def random_walk(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(DRIFT, SPREAD, n)


def compound_poisson(rng: np.random.Generator, n: int) -> np.ndarray:
    """Six cuts and two rises a year, summed by month."""
    cuts, rises = rng.poisson(6 / 12, n), rng.poisson(2 / 12, n)
    return np.array(
        [
            rng.exponential(0.15, rise).sum() - rng.exponential(0.25, cut).sum()
            for cut, rise in zip(cuts, rises, strict=True)
        ]
    )


def moving_average(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random walk under noise that is gone the month after: differences with a negative autocorrelation."""
    return random_walk(rng, n) + np.diff(rng.normal(0, SPREAD, n + 1))


FORECASTS = {
    "random walk": random_walk,
    "compound Poisson": compound_poisson,
    "MA noise": moving_average,
}


def future(differences: Callable[[np.random.Generator, int], np.ndarray], months: int) -> Draw:
    """Months of log prices and what comes after them."""

    def draw(rng: np.random.Generator) -> dict[str, Verdicts]:
        from pipeline.analytics import forecast

        path = np.concatenate([[0.0], differences(rng, months - 1 + max(HORIZONS)).cumsum()])
        past = path[:months]
        outlook = forecast.drift_walk(past, HORIZONS).set_index("horizon_months")
        lows, highs = trend_limits(past)
        verdicts: dict[str, Verdicts] = {}
        for horizon, low, high in zip(HORIZONS, lows, highs, strict=True):
            actual = path[months - 1 + horizon]
            found = outlook.loc[horizon]
            published = None if pd.isna(found["low"]) else bool(found["low"] <= actual <= found["high"])
            verdicts[f"{horizon} months ahead"] = {PUBLISHED: published, "OLS trend": bool(low <= actual <= high)}
        return verdicts

    return draw


def trend_limits(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The textbook prediction interval of a line through the log prices."""
    import statsmodels.api as sm

    fit = sm.OLS(past, sm.add_constant(np.arange(len(past)))).fit()
    ahead = sm.add_constant(len(past) - 1 + np.array(HORIZONS), has_constant="add")
    limits = fit.get_prediction(ahead).conf_int(obs=True, alpha=1 - NOMINAL)
    return limits[:, 0], limits[:, 1]


# --- counting -------------------------------------------------------------------------------------------------------

# By what is judged and method: how many intervals hold the truth, and how many there were.
Counts = dict[tuple[str, str], tuple[int, int]]


def count(name: str, topic: str, numbers: range) -> Counts:
    """The verdicts on some draws of the design of this name."""
    [case] = [case for case in cases() if (case.topic, case.name) == (topic, name)]
    counts: defaultdict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for number in numbers:
        rng = np.random.default_rng([SEED, zlib.crc32(f"{topic} {name}".encode()), number])
        for judged, verdicts in case.draw(rng).items():
            for method, covered in verdicts.items():
                good, total = counts[judged, method]
                counts[judged, method] = good + (covered is True), total + (covered is not None)
    return dict(counts)


def results(draws: int, topics: Sequence[str], workers: int = 1) -> list[Line]:
    """The lines of the report, in the order of the designs."""
    chosen = [case for case in cases() if case.topic in topics]
    tasks = [
        (case.name, case.topic, range(first, min(first + PORTION, draws)))
        for case in chosen
        for first in range(0, draws, PORTION)
    ]
    # The floors take the longest, in one task: they come first.
    jobs: list[tuple[Callable[..., object], tuple[object, ...]]] = [(count, task) for task in tasks]
    if "floor" in topics:
        jobs.insert(0, (floor_lines, (draws,)))
    if workers == 1:
        done = list(starmap(call, jobs))
    else:
        with get_context("spawn").Pool(workers) as pool:
            done = pool.starmap(call, jobs, chunksize=1)
    floors = done.pop(0) if "floor" in topics else []
    sums: dict[tuple[str, str], dict[tuple[str, str], np.ndarray]] = {}
    for (name, topic, _), counts in zip(tasks, done, strict=True):
        of_case = sums.setdefault((topic, name), defaultdict(lambda: np.zeros(2, dtype=int)))
        for key, of_task in counts.items():
            of_case[key] += of_task
    lines = []
    for case in chosen:
        of_case = sums[case.topic, case.name]
        for judged in dict.fromkeys(judged for judged, _ in of_case):
            found = {method: total for (what, method), total in of_case.items() if what == judged}
            lines.append(
                Line(
                    case.topic,
                    f"{case.name}, {judged}" if judged else case.name,
                    {method: float(good / total) for method, (good, total) in found.items() if total},
                    {method: int(total) for method, (_, total) in found.items()},
                    case.is_required,
                )
            )
    return lines + floors


def call(function: Callable[..., object], arguments: tuple[object, ...]) -> object:
    return function(*arguments)


def floor_lines(draws: int) -> list[Line]:
    """The statistical floor, whose designs and draws are in a benchmark of its own."""
    from benchmarks import coverage_floor

    lines = []
    for row in coverage_floor.results(draws):
        covered = {
            PUBLISHED: row.covered,
            "published or not": row.covered_of_all,
            "curve_fit": row.curve_fit_covered,
        }
        # Of designs without a published floor there is nothing to count.
        known = {method: share for method, share in covered.items() if not np.isnan(share)}
        lines.append(Line("floor", row.label, known, {PUBLISHED: round(row.published * row.n)}, is_required=False))
    return lines


# --- the report -----------------------------------------------------------------------------------------------------

TITLES = {
    "rates": "Decline rates of one series",
    "panels": "Decline rates of a panel",
    "slowdown": "Slowdown: the last year against the year before",
    "index": "Price indices after twelve months",
    "forecast": "Forecasts",
    "floor": "Where a price levels off",
}
NOTES = {
    "rates": "Compound Poisson cuts and rises over one year, seen from its last day; exponential log steps, or heavy"
    " tails. `records_ols` is published for comparison with what others publish: it measures how the lowest price so"
    " far falls, which is another quantity than the decline of the price.",
    "panels": "Four offers per provider (five where there is one), which move together on most occasions. The forbidden"
    " methods see the mean log price; *offers independent* is the published formula without its clusters.",
    "slowdown": "Two years with rates of their own.",
    "index": "Every fourth offer enters after three months and every fourth leaves after nine. *Items independent* is"
    " the published formula without its clusters.",
    "forecast": "Monthly log prices. *OLS trend* is the textbook prediction interval of a line through them.",
    "floor": "`F + A exp(-k t)` with log-normal errors, over how far the price has come down to its floor, for how long"
    " and how alike errors of months that follow one another are. Where few draws have a published floor, those are the"
    " lucky ones; *published or not* is of all draws that have an interval. *curve_fit* is scipy's, with its standard"
    " errors.",
}


def report(lines: Sequence[Line], draws: int) -> str:
    """The tables as Markdown: the same for the same draws, on any day."""
    text = [
        "# Do 90 % intervals hold the truth nine times out of ten?",
        "",
        f"`python -m benchmarks.coverage --write`: {draws:,} draws of every design, each with a seed of its own.",
        "*published* is the coverage of the interval that this project gives, *draws* how often the gates let it give",
        "one. Beside it, on the same draws, is what it forbids itself, unless the text above a table says otherwise.",
        "At least .80 is required of rates; heavy tails are beyond what is required.",
    ]
    for topic, title in TITLES.items():
        of_topic = [line for line in lines if line.topic == topic]
        if not of_topic:
            continue
        methods = list(dict.fromkeys(method for line in of_topic for method in line.covered))
        text += ["", f"## {title}", "", NOTES[topic], ""]
        text += [f"| design | draws | {' | '.join(methods)} |", f"|---|{'---:|' * (len(methods) + 1)}"]
        for line in of_topic:
            shares = [f"{line.covered[method]:.3f}" if method in line.covered else "" for method in methods]
            text.append(f"| {line.name} | {line.judged[PUBLISHED]:,} | {' | '.join(shares)} |")
    return "\n".join(text) + "\n"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", nargs="+", choices=TITLES, default=list(TITLES))
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="into benchmarks/COVERAGE.md")
    options = parser.parse_args(arguments)
    lines = results(options.draws, options.topics, options.workers)
    text = report(lines, options.draws)
    print(text)
    if options.write:
        REPORT.write_text(text)
    short = [line for line in lines if line.is_short]
    for line in short:
        print(f"below {REQUIRED:.2f}: {line.topic}, {line.name}: {line.covered[PUBLISHED]:.3f}", file=sys.stderr)
    return int(bool(short))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
