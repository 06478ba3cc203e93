"""What ten years of history cost: built from nothing, one day longer, and asked.

    python -m benchmarks.history [--offers 5000] [--days 3650] [--moves-per-year 3] [--turns 5]

The world is generated: every provider has one page with 100 offers, each priced for four meters, and the page is
captured every day. On one day in 30 it says something new: some of its offers get new prices; on all other days the
capture is `unchanged`. On the day that is measured one page in 25 changes. A price moves as often as those of
`seeds/litellm_prices.csv` did, about once in five years, or as often as told. The captures go straight into the raw
tables (the last day by way of the loader of every day); `dbt run` makes the rest, the same models and settings as in a
daily run, without its tests. All of it is done for a tenth of the days and for all of them: a day must cost the same
however long the history is. Every step is a process of its own; one more day is made in several turns, of both lengths
one after the other and each from the same file, and that of the median is shown.

Beside it, on the same data: dbt's own snapshot (strategy `check`) of the prices of one more day, on a table that holds
the same history; and spells with pandas, made by sorting and comparing daily prices. Neither knows when something was
believed, where it was read, or what to do with a capture that arrives late.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipeline.domain import Attempt, Meter, PriceQuote, Provider, Reading, Source, Unit
from pipeline.settings import PROJECT, settings
from pipeline.warehouse import build, publish, transform

METERS = [Meter.INPUT, Meter.OUTPUT, Meter.CACHE_READ, Meter.CACHE_WRITE]
OFFERS_OF_A_PAGE = 100
DAYS_TO_NEWS = 30
LAST_DAY = datetime(2026, 1, 1, 6, tzinfo=UTC)
"""When the one more day is captured; the history ends the day before."""

# Numbers that look drawn by lot and are the same on every machine.
_WORLD = """
create or replace temp macro drawn(a, b, c, below) as
    ((a * 7919 + b * 104729 + c * 1299709 + 12345) * 2654435761 % 4294967296) // 65536 % below;

create temp table captured as
select
    page,
    day,
    day = 0 or (if(day = $days, page % 25 = 0, drawn(page, day, 0, 30) = 0)) as says_news,
    cast(count_if(says_news) over (partition by page order by day) as integer) as version
from range($pages) as pages (page) cross join range($days + 1) as days (day);

create temp table printed as
select
    page,
    version,
    day,
    offer,
    meter_no,
    -- A decimal, as of what a page prints.
    cast(
        (1 + drawn(page, offer, meter_no, 400)) * (80 + drawn(offer, moves, page, 41)) as decimal(18, 0)
    ) * cast(0.0001 as decimal(5, 4)) as price
from (
    select
        page,
        version,
        day,
        offer,
        count_if(drawn(page, version, offer, $versions_to_a_move) = 0) over (
            partition by page, offer order by version
        ) as moves
    from captured cross join range($offers_of_a_page) as offers (offer)
    where says_news
) cross join range(4) as meters (meter_no);
"""

_HISTORY = """
insert into raw.captures by name
select
    'c' || page || '-' || day as capture_id,
    'p' || page as provider_id,
    'pricing' as page_id,
    'https://p' || page || '.example' as url,
    'live' as origin,
    moment as requested_at,
    moment as captured_at,
    if(says_news, 'ok', 'unchanged') as outcome,
    200 as status,
    md5('body' || page || '-' || version) as sha256,
    40000 as size_bytes
from (select *, $first_day + day * interval 1 day as moment from captured where day < $days);

insert into raw.readings by name
select
    'r' || page || '-' || day as reading_id,
    'c' || page || '-' || day as capture_id,
    $first_day + day * interval 1 day + interval 1 minute as read_at,
    'ok' as outcome,
    md5('quotes' || page || '-' || version) as quotes_sha256
from captured where day < $days;

insert into raw.price_quotes by name
select
    md5('quotes' || page || '-' || version) as quotes_sha256,
    offer * 4 + meter_no as quote_no,
    'p' || page as provider_id,
    'model-' || offer as model_label,
    $meters[meter_no + 1] as meter,
    price as list_unit_price,
    '1M tokens' as pricing_unit,
    'USD' as currency,
    'standard' as service_tier,
    '$' || price || ' / 1M tokens' as evidence,
    'table 1, row ' || offer as locator
from printed where day < $days;
"""


_MOVES_PER_YEAR = """
with spells as (
    select
        *,
        max(greatest(valid_from, valid_until)) over () as last_day,
        lag(list_unit_price) over (
            partition by
                provider_id, model_label, region, meter, service_tier, context_from, context_to, pricing_unit
            order by valid_from
        ) as old_price
    from read_csv(?)
)
select count_if(list_unit_price <> old_price) / (sum(coalesce(valid_until, last_day) - valid_from) / 365) from spells
"""


def moves_per_year(chronicle: Path = PROJECT / "seeds" / "litellm_prices.csv") -> float:
    """How often a price of a chronicle moved in a year, to two digits; one without an end held to the last day."""
    [[rate]] = duckdb.execute(_MOVES_PER_YEAR, [str(chronicle)]).fetchall()
    return round(rate, 2)


class World:
    """The generated pages of some providers, up to one more day than their history has."""

    def __init__(self, offers: int, days: int, moves_per_year: float) -> None:
        self.days = days
        self.versions_to_a_move = round(365 / DAYS_TO_NEWS / moves_per_year)
        self.pages = offers // OFFERS_OF_A_PAGE
        self.first_day = LAST_DAY.replace(tzinfo=None) - timedelta(days)

    def providers(self) -> list[Provider]:
        return [
            Provider(f"p{page}", f"P{page}", f"https://p{page}.example", "first_party", (_source(page),))
            for page in range(self.pages)
        ]

    def draw(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes the temporary tables of what was captured when, and what it printed."""
        values = {
            "days": self.days,
            "days_to_news": DAYS_TO_NEWS,
            "pages": self.pages,
            "offers_of_a_page": OFFERS_OF_A_PAGE,
            "versions_to_a_move": self.versions_to_a_move,
        }
        _execute(connection, _WORLD, values)

    def load_history(self, connection: duckdb.DuckDBPyConnection) -> None:
        """All but the last day, in bulk."""
        values = {"days": self.days, "first_day": self.first_day, "meters": [str(meter) for meter in METERS]}
        _execute(connection, _HISTORY, values)

    def last_day(self, connection: duckdb.DuckDBPyConnection) -> Iterator[Attempt | Reading]:
        """The one more day as the archive would tell it."""
        for page, version, says_news in connection.execute(
            "select page, version, says_news from captured where day = ? order by page", [self.days]
        ).fetchall():
            [digest, body] = connection.execute(
                "select md5('quotes' || $1 || '-' || $2), md5('body' || $1 || '-' || $2)", [page, version]
            ).fetchall()[0]
            capture_id = f"c{page}-{self.days}"
            yield Attempt(
                capture_id=capture_id,
                provider_id=f"p{page}",
                page_id="pricing",
                url=f"https://p{page}.example",
                origin="live",
                requested_at=LAST_DAY,
                captured_at=LAST_DAY,
                outcome="ok" if says_news else "unchanged",
                status=200,
                sha256=body,
                size=40_000,
            )
            printed = connection.execute(
                "select offer, meter_no, price from printed where (page, version) = (?, ?) order by all",
                [page, version],
            ).fetchall()
            quotes = tuple(
                PriceQuote(
                    provider_id=f"p{page}",
                    model_label=f"model-{offer}",
                    meter=METERS[meter_no],
                    list_unit_price=Decimal(str(price)),
                    pricing_unit=Unit.MILLION_TOKENS,
                    evidence=f"${price} / 1M tokens",
                    locator=f"table 1, row {offer}",
                )
                for offer, meter_no, price in printed
            )
            read_at = LAST_DAY + timedelta(minutes=1)
            yield Reading(f"r{page}-{self.days}", capture_id, read_at, "ok", None, quotes, digest)


def _source(page: int) -> Source:
    return Source("pricing", f"https://p{page}.example", "html", lambda _: ())


def _execute(connection: duckdb.DuckDBPyConnection, script: str, values: dict[str, Any]) -> None:
    for statement in connection.extract_statements(script):
        connection.execute(statement, {name: values[name] for name in statement.named_parameters})


@contextmanager
def timed(into: dict[str, Any], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    into[name] = time.perf_counter() - started


def dbt(arguments: list[str]) -> None:
    if not transform.invoke(arguments):
        raise RuntimeError(f"dbt {arguments[0]} failed")


def models_seconds() -> dict[str, float]:
    """How long the SQL of each model took in the last run of dbt."""
    results = json.loads((transform.built_manifest().parent / "run_results.json").read_text())["results"]
    return {
        result["unique_id"].rpartition(".")[2]: sum(
            (_moment(step["completed_at"]) - _moment(step["started_at"])).total_seconds()
            for step in result["timing"]
            if step["name"] == "execute"
        )
        for result in results
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def from_nothing(world: World) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    with build.connect(settings().build) as connection:
        build.prepare(connection, world.providers())
        world.draw(connection)
        with timed(measured, "load"):
            world.load_history(connection)
    dbt(["seed"])
    with timed(measured, "dbt"):
        dbt(["run", "--full-refresh"])
    measured["models"] = models_seconds()
    return measured


def one_more_day(world: World) -> dict[str, Any]:
    measured: dict[str, Any] = {}
    with build.connect(settings().build) as connection:
        world.draw(connection)
        records = list(world.last_day(connection))
        with timed(measured, "load"):
            build.prepare(connection, world.providers())
            build.load(connection, records, {})
    # As the process of a daily run has done by the time the pages are read.
    dbt(["parse"])
    with timed(measured, "dbt"):
        dbt(["run"])
    measured["models"] = models_seconds()
    return measured


def questions(world: World) -> dict[str, Any]:
    """A day and a curve, asked of a file like the published one: the price history, its macros, nothing else."""
    measured: dict[str, Any] = {}
    public = settings().home / "history.duckdb"
    with timed(measured, "publish"), duckdb.connect(config=build.CONFIG) as connection:
        connection.execute(f"attach '{public}' as public (storage_version '{publish.STORAGE_VERSION}')")
        connection.execute(f"attach '{settings().build}' as build (read_only)")
        connection.execute("use public; create schema marts")
        connection.execute("create table marts.fct_price_history as from build.marts.fct_price_history order by all")
        connection.execute(publish.MACROS)
        connection.execute("use memory; detach build; checkpoint public; detach public")
    with duckdb.connect(public, read_only=True, config=build.CONFIG) as connection:
        day = LAST_DAY.date() - timedelta(world.days // 2)
        measured["price_on rows"] = len(connection.execute("from price_on(?)", [day]).fetchall())
        with timed(measured, "price_on"):
            connection.execute("select count(*), sum(usd_per_mtok), max(evidence) from price_on(?)", [day]).fetchall()
        with timed(measured, "price_on, all rows fetched"):
            connection.execute("from price_on(?)", [day]).fetchall()
        with timed(measured, "curve"):
            connection.execute(
                """
                select meter, valid_from, valid_to, usd_per_mtok from marts.fct_price_history
                where provider_id = 'p1' and model_label = 'model-7' and known_to is null order by all
                """
            ).fetchall()
        [[measured["rows"]]] = connection.execute("select count(*) from marts.fct_price_history").fetchall()
    measured["build MB"] = settings().build.stat().st_size / 1e6
    measured["history MB"] = public.stat().st_size / 1e6
    return measured


_SNAPSHOT = """
{% snapshot price_snapshot %}
{{ config(target_schema='snapshots', unique_key='price_no', strategy='check', check_cols=['price']) }}
select * from main.prices_today
{% endsnapshot %}
"""
_HISTORY_OF_THE_SNAPSHOT = """
insert into snapshots.price_snapshot by name
select
    price_no,
    price,
    md5(price_no || '|' || changed_at) as dbt_scd_id,
    changed_at as dbt_updated_at,
    changed_at as dbt_valid_from,
    lead(changed_at) over (partition by price_no order by changed_at) as dbt_valid_to
from (
    select price_no, price, $first_day + day * interval 1 day as changed_at
    from printed_on where day < $days
    qualify lag(price) over (partition by price_no order by day) is distinct from price
)
"""


def dbt_snapshot(world: World) -> dict[str, Any]:
    """One more day of dbt's snapshot, on a table that holds what it would have collected on all days before."""
    from dbt.cli.main import dbtRunner

    measured: dict[str, Any] = {}
    project = settings().home / "snapshot"
    file = project / "snapshot.duckdb"
    (project / "snapshots").mkdir(parents=True)
    (project / "snapshots" / "prices.sql").write_text(_SNAPSHOT)
    (project / "dbt_project.yml").write_text(
        "name: beside\nversion: '1.0'\nprofile: beside\nflags: {send_anonymous_usage_stats: false}\n"
    )
    (project / "profiles.yml").write_text(
        "beside: {target: it, outputs: {it: {type: duckdb, path: '" + str(file) + "', threads: 1}}}\n"
    )
    command = ["snapshot", "--quiet", "--project-dir", str(project), "--profiles-dir", str(project)]

    def snapshot() -> None:
        if not dbtRunner().invoke(command).success:
            raise RuntimeError("dbt snapshot failed")
        close_dbt()

    with duckdb.connect(file) as connection:
        world.draw(connection)
        connection.execute(
            """
            create table printed_on as select page * 400 + offer * 4 + meter_no as price_no, day, price from printed;
            create table prices_today as select price_no, price from printed_on limit 0
            """
        )
    snapshot()
    with duckdb.connect(file) as connection:
        values = {"days": world.days, "first_day": world.first_day}
        _execute(connection, _HISTORY_OF_THE_SNAPSHOT, values)
        connection.execute(
            "insert into prices_today select price_no, last(price order by day) from printed_on group by price_no"
        )
        [[before]] = connection.execute("select count(*) from snapshots.price_snapshot").fetchall()
    with timed(measured, "dbt"):
        snapshot()
    with duckdb.connect(file) as connection:
        [[after]] = connection.execute("select count(*) from snapshots.price_snapshot").fetchall()
    if not before < after < before * 1.5:
        raise RuntimeError(f"the snapshot went from {before} to {after} rows")
    measured["rows"] = after
    results = json.loads((project / "target" / "run_results.json").read_text())["results"]
    measured["models"] = {"price_snapshot": sum(result["execution_time"] for result in results)}
    return measured


def close_dbt() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    reset_adapters()  # type: ignore[no-untyped-call]


def pandas_spells(world: World) -> dict[str, Any]:
    """Spells of daily prices by sorting, shifting and comparing: what was in force, not when it was believed."""
    measured: dict[str, Any] = {}
    with duckdb.connect() as connection:
        world.draw(connection)
        # What a daily job collects: every price on every day.
        daily = connection.execute(
            """
            select
                cast(page * 400 + offer * 4 + meter_no as integer) as price_no,
                cast(captured.day as smallint) as day,
                cast(price as double) as price
            from captured inner join printed using (page, version)
            order by captured.day, price_no
            """
        ).df()
    with timed(measured, "spells"):
        daily = daily.sort_values(["price_no", "day"], ignore_index=True)
        same = (daily["price_no"] == daily["price_no"].shift()) & (daily["price"] == daily["price"].shift())
        spells = daily[~same].reset_index(drop=True)
        spells["until"] = spells.groupby("price_no")["day"].shift(-1)
    day = world.days // 2
    with timed(measured, "price_on"):
        in_force = spells[(spells["day"] <= day) & (spells["until"].isna() | (spells["until"] > day))]
    with timed(measured, "curve"):
        curve = spells[spells["price_no"].between(428, 431)]
    measured |= {
        "observations": len(daily),
        "rows": len(spells),
        "price_on rows": len(in_force),
        "curve": measured["curve"],
    }
    if curve.empty:
        raise RuntimeError("an offer without a curve")
    return measured


STEPS: dict[str, Callable[[World], dict[str, Any]]] = {
    "from_nothing": from_nothing,
    "one_more_day": one_more_day,
    "questions": questions,
    "dbt_snapshot": dbt_snapshot,
    "pandas_spells": pandas_spells,
}


def step(name: str, home: Path, offers: int, days: int, moves_per_year: float) -> dict[str, Any]:
    """Runs a step in a process of its own: what it measured, and its peak of memory."""
    options = {"--step": name, "--offers": offers, "--days": days, "--moves-per-year": moves_per_year}
    command = [sys.executable, "-m", "benchmarks.history", *(str(part) for pair in options.items() for part in pair)]
    environment = os.environ | {"TOKENFALL_HOME": str(home)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(f"{name} failed:\n{answer.stderr}{answer.stdout}")
    measured: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return measured


def median_of_turns(
    home: Path, lengths: tuple[int, int], turns: int, run: Callable[[str, Path, int], dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """One more day of each length, in turns: that of the median. The last one stays in `home`."""
    measured: dict[int, list[dict[str, Any]]] = {days: [] for days in lengths}
    for _ in range(turns):
        for days in lengths:
            shutil.rmtree(home / str(days), ignore_errors=True)
            shutil.copytree(home / f"{days} before", home / str(days))
            # What was copied is not to be written out while it is measured.
            os.sync()
            measured[days].append(run("one_more_day", home / str(days), days))
    for days in lengths:
        print(f"one more day after {days}: dbt run", *(f"{turn['dbt']:.2f}" for turn in measured[days]), "seconds")
    return {days: sorted(measured[days], key=lambda turn: turn["dbt"])[turns // 2] for days in lengths}


def report(measured: dict[tuple[str, int], dict[str, Any]], lengths: tuple[int, int], offers: int, rate: float) -> None:
    """Prints what was measured for a tenth of the days and for all, and how much more the latter is."""
    rows = [
        ("from nothing: dbt run, seconds", "from_nothing", "dbt"),
        ("from nothing: its SQL, seconds", "from_nothing", "models"),
        ("from nothing: peak MB", "from_nothing", "peak MB"),
        ("one more day: load, seconds", "one_more_day", "load"),
        ("one more day: dbt run, seconds", "one_more_day", "dbt"),
        ("one more day: its SQL, seconds", "one_more_day", "models"),
        ("one more day: peak MB", "one_more_day", "peak MB"),
        ("price_on of one day, ms", "questions", "price_on"),
        ("price_on of one day, all rows fetched, ms", "questions", "price_on, all rows fetched"),
        ("one offer's curve, ms", "questions", "curve"),
        ("rows of fct_price_history", "questions", "rows"),
        ("build file, MB", "questions", "build MB"),
        ("published history, MB", "questions", "history MB"),
        ("dbt snapshot, one more day: seconds", "dbt_snapshot", "dbt"),
        ("dbt snapshot, one more day: its SQL, seconds", "dbt_snapshot", "models"),
        ("dbt snapshot, rows", "dbt_snapshot", "rows"),
        ("pandas, spells from nothing and every day: seconds", "pandas_spells", "spells"),
        ("pandas, price_on of one day, ms", "pandas_spells", "price_on"),
        ("pandas, one offer's curve, ms", "pandas_spells", "curve"),
        ("pandas, rows", "pandas_spells", "rows"),
        ("pandas, peak MB", "pandas_spells", "peak MB"),
    ]
    print(f"{offers} offers, {len(METERS)} meters, {rate} moves a year; load {os.getloadavg()[0]:.1f}")
    print(f"{'':52} {lengths[0]:>7} d {lengths[1]:>7} d    ratio")
    for label, name, what in rows:
        values = [measured[name, days][what] for days in lengths]
        values = [sum(value.values()) if isinstance(value, dict) else value for value in values]
        values = [value * 1000 if label.endswith(", ms") else value for value in values]
        print(f"{label:52} {values[0]:9.2f} {values[1]:9.2f} {values[1] / values[0]:8.2f}")
    print("\nthe models that took longest on one more day, seconds")
    short, long = (measured["one_more_day", days]["models"] for days in lengths)
    for name in sorted(long, key=long.get, reverse=True)[:10]:
        print(f"{name:52} {short[name]:9.2f} {long[name]:9.2f} {long[name] / short[name]:8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offers", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=3_650)
    parser.add_argument("--moves-per-year", type=float)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        measured = STEPS[options.step](World(options.offers, options.days, options.moves_per_year))
        measured["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(json.dumps(measured))
        return
    home = Path(tempfile.mkdtemp(prefix="tokenfall-history-"))
    lengths = options.days // 10, options.days
    rate = options.moves_per_year or moves_per_year()

    def run(name: str, home: Path, days: int) -> dict[str, Any]:
        return step(name, home, options.offers, days, rate)

    measured = {("from_nothing", days): run("from_nothing", home / f"{days} before", days) for days in lengths}
    for days, one_more in median_of_turns(home, lengths, options.turns, run).items():
        measured["one_more_day", days] = one_more
    for days in lengths:
        for name in ("questions", "dbt_snapshot", "pandas_spells"):
            measured[name, days] = run(name, home / str(days), days)
    report(measured, lengths, options.offers, rate)
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
