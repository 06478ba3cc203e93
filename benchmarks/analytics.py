"""Where does the time of the statistics go?

All tables of schema `analytics` that are made in Python, for 60 made-up series over 3.5 years (frontier prices, panels
for the indices), with every Monte Carlo draw and hindcast, one function after the other. Beside them a plain loop for
the same regressions: statsmodels' RollingOLS over pandas' forward-filled daily prices, and scipy's theilslopes; its
rates must be ours. Run from the root of the repository:

    python -m benchmarks.analytics

The exit status is 1 if the tables take 30 s or more, or if a rate differs.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.regression.rolling import RollingOLS

from pipeline.analytics import decline, floor, forecast, index
from pipeline.settings import PROJECT

SEED = 20260101
AS_OF = pd.Timestamp("2026-01-01", tz="UTC")
DAYS = 1278
START = AS_OF - pd.Timedelta(days=DAYS)
MONTHS = pd.date_range("2022-08-01", "2026-01-01", freq="MS")
SERIES = 60
PROVIDERS, OFFERS = 6, 4
WINDOWS = (90, 180, 365, None)
WORKLOAD = "input_output_3_1"
LIMIT_SECONDS = 30.0

Frames = dict[str, pd.DataFrame]


def steps(rng: np.random.Generator, level: float) -> pd.DataFrame:
    """A price that is cut six times a year and rises twice."""
    n_cuts, n_rises = rng.poisson(6 * DAYS / 365), rng.poisson(2 * DAYS / 365)
    log_steps = rng.permutation(np.concatenate([-rng.exponential(0.2, n_cuts), rng.exponential(0.1, n_rises)]))
    days = np.sort(rng.choice(np.arange(1, DAYS), len(log_steps), replace=False))
    at = START + pd.to_timedelta(np.concatenate([[0], days]), unit="D")
    return pd.DataFrame({"at": at, "price": level * np.exp(np.concatenate([[0.0], log_steps.cumsum()]))})


def on_days(of_one: pd.DataFrame, days: pd.DatetimeIndex) -> np.ndarray:
    """The price in force on each of the days."""
    return of_one.set_index("at")["price"].reindex(days, method="ffill").to_numpy()


def inputs() -> Frames:
    """What the functions read: 60 frontier prices by step, month and day, panels of offers, and the seeds on costs."""
    rng = np.random.default_rng(SEED)
    by_step, by_month_end, by_month, panels = [], [], [], []
    month_ends = pd.DatetimeIndex(MONTHS[1:] - pd.Timedelta(days=1))
    for number in range(SERIES):
        name = f"series-{number:02d}"
        frontier = steps(rng, 20.0)
        labels = {"series_id": name, "series_kind": "capability_tier", "workload": WORKLOAD}
        by_step.append(frontier.assign(**labels))
        prices = {"price": on_days(frontier, month_ends.tz_localize("UTC"))}
        by_month_end.append(pd.DataFrame({"month_end": month_ends, **prices}).assign(**labels))
        monthly = MONTHS.tz_localize("UTC")
        points = pd.DataFrame({"at": monthly, "price": on_days(frontier, monthly)})
        by_month.append(points.assign(series_id=name, series_kind="capability_tier", meter="blend_3_1"))
        for provider in range(PROVIDERS):
            for offer in range(OFFERS):
                rows = pd.DataFrame({"period": monthly, "price": on_days(steps(rng, rng.uniform(1, 20)), monthly)})
                panels.append(
                    rows.assign(
                        series_id=name,
                        workload=WORKLOAD,
                        item=f"p{provider}/m{offer}",
                        cluster=f"p{provider}",
                        capability_eci=rng.normal(130, 8),
                        context_tokens=2.0 ** rng.integers(13, 20),
                        reasoning=bool(rng.random() < 0.5),
                        age_months=np.arange(len(rows)) + rng.integers(0, 24),
                    )
                )
    seeds = {name: pd.read_csv(PROJECT / "seeds" / f"{name}.csv") for name in COST_SEEDS}
    classes = seeds["floor_models"]["model_class"]
    hosts = pd.DataFrame(
        [
            {"model_class": of_class, "meter": meter, "provider_id": f"p{host}", "usd_per_mtok": rng.uniform(0.1, 2)}
            for of_class in classes
            for meter in ("input", "output", "blend_3_1")
            for host in range(PROVIDERS)
        ]
    )
    cheapest = hosts[hosts["meter"] == "blend_3_1"].sort_values("usd_per_mtok").drop_duplicates("model_class")
    return {
        **seeds,
        "series": pd.concat(by_step, ignore_index=True),
        "month_end_prices": pd.concat(by_month_end, ignore_index=True),
        "monthly_prices": pd.concat(by_month, ignore_index=True),
        "panel": pd.concat(panels, ignore_index=True),
        "hosts": hosts,
        "cheapest": cheapest.assign(model_id="m0"),
    }


COST_SEEDS = ("floor_models", "gpu_rents", "throughput", "gpu_hardware")

# In the order in which a day makes them: later ones read earlier ones.
TABLES: dict[str, Callable[[Frames], pd.DataFrame]] = {
    "decline_rates": lambda of: decline.decline_rates(of["series"], AS_OF, WINDOWS),
    "decline_slowdown": lambda of: decline.decline_slowdowns(of["series"], AS_OF),
    "price_index": lambda of: index.price_index(of["panel"], AS_OF),
    "cost_floor_bottom_up": lambda of: floor.cost_floor_bottom_up(*(of[name] for name in COST_SEEDS), AS_OF),
    "cost_floor_statistical": lambda of: floor.cost_floor_statistical(of["monthly_prices"], AS_OF),
    "floor_estimates": lambda of: floor.floor_estimates(
        of["cost_floor_bottom_up"], of["cost_floor_statistical"], of["hosts"], AS_OF
    ),
    "floor_gap": lambda of: floor.floor_gap(of["floor_estimates"], of["cost_floor_statistical"]),
    "self_hosting_crossover": lambda of: floor.self_hosting_crossover(
        of["cost_floor_bottom_up"], of["cheapest"], AS_OF
    ),
    "forecast_scores": lambda of: forecast.forecast_scores(of["month_end_prices"], AS_OF),
    "forecasts": lambda of: forecast.forecasts(of["month_end_prices"], of["forecast_scores"], {WORKLOAD: 0.05}, AS_OF),
}


class Timed(NamedTuple):
    """A table, how many rows it has, and the seconds that it took."""

    name: str
    rows: int
    seconds: float


def make_tables(frames: Frames) -> list[Timed]:
    """Makes every table and adds it to the frames."""
    timed = []
    for name, make in TABLES.items():
        start = time.perf_counter()
        frames[name] = make(frames)
        timed.append(Timed(name, len(frames[name]), time.perf_counter() - start))
    return timed


def plain_loop(series: pd.DataFrame) -> dict[tuple[str, int | None, str], float]:
    """The same regressions as a user would write them: by series, window and method the decline per year."""
    days = pd.date_range(START, AS_OF, freq="D")
    rates = {}
    for name, of_one in series.groupby("series_id"):
        log_price = pd.Series(np.log(on_days(of_one, days)), index=days)
        years = sm.add_constant(pd.Series(np.arange(len(days)) / 365, index=days, name="years"))
        for window in WINDOWS:
            if window is None:
                slope = sm.OLS(log_price, years).fit().params["years"]
            else:
                slope = RollingOLS(log_price, years, window=window + 1).fit(params_only=True).params["years"].iloc[-1]
            rates[name, window, "ols_daily"] = -slope
            seen = slice(None) if window is None else slice(-window - 1, None)
            rates[name, window, "theil_sen"] = -stats.theilslopes(log_price[seen], years["years"][seen]).slope
    return rates


def most_different(rates: pd.DataFrame, plain: dict[tuple[str, int | None, str], float]) -> float:
    """The largest difference between our rates and those of the plain loop, where we publish one."""
    published = rates[rates["ln_rate_per_year"].notna() & rates["method"].isin(["ols_daily", "theil_sen"])]
    return max(
        abs(
            row.ln_rate_per_year
            - plain[row.series_id, None if pd.isna(row.window_days) else row.window_days, row.method]
        )
        for row in published.itertuples()
    )


def main() -> int:
    frames = inputs()
    timed = make_tables(frames)
    total = sum(table.seconds for table in timed)
    start = time.perf_counter()
    difference = most_different(frames["decline_rates"], plain_loop(frames["series"]))
    plain = time.perf_counter() - start
    print(f"{'table':<24} {'rows':>7} {'seconds':>8} {'share':>6}")
    for table in timed:
        print(f"{table.name:<24} {table.rows:>7,} {table.seconds:>8.2f} {table.seconds / total:>6.0%}")
    print(f"{'all':<24} {sum(table.rows for table in timed):>7,} {total:>8.2f}")
    print(f"\nplain loop, two of the four methods in decline_rates: {plain:.2f} s; largest difference {difference:.1e}")
    return int(total >= LIMIT_SECONDS or difference > 1e-8)


if __name__ == "__main__":
    raise SystemExit(main())
