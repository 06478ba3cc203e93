"""The models up to the headline history and the marts of its witnesses, as dbt compiles them, in memory."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import duckdb
import jinja2

from pipeline.domain import PriceQuote, Reading
from pipeline.settings import settings
from pipeline.warehouse import build, transform
from tests.warehouse.oracle import Believed, Spell, in_order
from tests.warehouse.worlds import MAKER, PROVIDERS, World, records

WITNESSES, HEADLINE = "intermediate.int_witness_spells", "intermediate.int_headline_spells"
RESTATEMENTS = "marts.mart_restatements"
OF_MARTS = {
    "intermediate.int_doubtful_prices",
    "intermediate.int_page_looks",
    "intermediate.int_price_claims",
    "intermediate.int_price_history",
    "intermediate.int_restated_days",
    "intermediate.int_seen_claims",
}
HISTORY = "marts.fct_price_history"
INCREMENTAL = (transform.DBT_PROJECT / "macros" / "incremental.sql").read_text()
MARTS = [
    HISTORY,
    RESTATEMENTS,
    "marts.mart_announced_prices",
    "marts.mart_source_conflicts",
    "marts.mart_source_scorecard",
]


class Model(NamedTuple):
    """A model: its name with the schema, whether it is a view, and its SQL for a new and for an existing table.

    If it is incremental, `outdated` deletes what it is to tell anew from an existing table, before it adds to it.
    """

    name: str
    is_view: bool
    sql: str
    incremental_sql: str
    outdated: str | None

    @property
    def is_of_history(self) -> bool:
        """Whether the headline is made of it, and not only a mart."""
        return not self.name.startswith("marts.") and self.name not in OF_MARTS


def compile_models() -> list[Model]:
    """All that the headline and the marts are made of, in that order, by way of the build file of the settings."""
    with build.connect(settings().build) as connection:
        _prepare(connection)
    new = _compiled()
    order = [
        name
        for name in TopologicalSorter({name: node["depends_on"]["nodes"] for name, node in new.items()}).static_order()
        if name in new
    ]
    relations = {node["name"]: f"{node['schema']}.{node['name']}" for node in new.values()}
    models = [
        Model(
            f"{node['schema']}.{node['name']}",
            node["config"]["materialized"] == "view",
            node["compiled_code"],
            "",
            outdated(node, relations) if node["config"]["materialized"] == "incremental" else None,
        )
        for node in (new[name] for name in order)
    ]
    with build.connect(settings().build) as connection:
        _create(connection, models)
    # Now that the tables are there, dbt compiles what it would run on the next day.
    existing = _compiled()
    return [
        model._replace(incremental_sql=existing[name]["compiled_code"])
        for name, model in zip(order, models, strict=True)
    ]


def outdated(node: dict[str, Any], relations: Mapping[str, str]) -> str:
    """What the hook of an incremental model runs on an existing table; dbt compiles all of a model but this."""
    [hook] = node["config"]["pre-hook"]
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 (SQL of our own)
    return environment.from_string(INCREMENTAL + hook["sql"]).render(
        this=relations[node["name"]],
        ref=relations.__getitem__,
        source="{}.{}".format,
        is_incremental=lambda: True,
    )


def _compiled() -> dict[str, dict[str, Any]]:
    if not transform.invoke(["compile", "--select", *(f"+{name.partition('.')[2]}" for name in MARTS)]):
        raise RuntimeError("the models do not compile")
    nodes = json.loads(transform.built_manifest().read_text())["nodes"]
    return {name: node for name, node in nodes.items() if node["resource_type"] == "model" and node.get("compiled")}


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """The raw tables, and no label mapped to a model."""
    build.prepare(connection, PROVIDERS)
    connection.execute("create schema if not exists seeds")
    connection.execute(
        "create table seeds.model_aliases"
        " (provider_id varchar, model_label varchar, model_id varchar, valid_from date, valid_to date)"
    )
    connection.execute("create table seeds.fx_rates (rate_date date, currency varchar, units_per_eur decimal(18, 6))")


def _create(connection: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    for model in models:
        connection.execute(f"create schema if not exists {model.name.partition('.')[0]}")
        connection.execute(f"create or replace {'view' if model.is_view else 'table'} {model.name} as {model.sql}")


class Warehouse:
    """A warehouse that is filled and built within milliseconds."""

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = models
        self._connection = duckdb.connect(config={**build.CONFIG, "threads": 1})
        # An existing table is named with its database.
        self._connection.execute(f"attach ':memory:' as {settings().build.stem}; use {settings().build.stem}")
        _prepare(self._connection)
        _create(self._connection, models)

    def clear(self) -> None:
        """Forgets all captures."""
        for table in ("captures", "readings", "price_quotes", "observations"):
            self._connection.execute(f"delete from raw.{table}")

    def load(self, world: World, shuffle: Callable[[list[Any]], None] = lambda _: None) -> None:
        """Adds what the world knows and the raw tables do not; rows in the order that `shuffle` gives them."""
        # A set of quotes is loaded once, also where a page and a map say the same.
        sets = "select quotes_sha256 from raw.price_quotes union all select quotes_sha256 from raw.observations"
        known = {digest for (digest,) in self._connection.execute(sets).fetchall()}
        for table, rows in _raw_rows(world).items():
            present = {name for (name, *_) in self._connection.execute(f"from raw.{table}").fetchall()} | known
            new = [row for row in rows if row[0] not in present]
            shuffle(new)
            if new:
                places = ", ".join([f"({', '.join('?' * len(new[0]))})"] * len(new))
                self._connection.execute(
                    f"insert into raw.{table} values {places}",
                    [value for row in new for value in row],
                )

    def fill(self, world: World, shuffle: Callable[[list[Any]], None] = lambda _: None) -> None:
        """Holds this world and nothing else, built from nothing."""
        self.clear()
        self.load(world, shuffle)
        self.build()

    def build(self) -> None:
        """Builds all models from nothing."""
        _create(self._connection, self._models)

    def build_next_day(self) -> None:
        """Builds all models on top of what is there, as dbt does."""
        for model in self._models:
            if model.outdated is None:
                _create(self._connection, [model])
            else:
                self._connection.execute(model.outdated)
                self._connection.execute(f"insert into {model.name} by name {model.incremental_sql}")

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows with all their columns, in order."""
        return table_rows(self._connection, table)

    def restatements(self) -> list[tuple[Any, ...]]:
        """Meter, when it was restated, the days from and to, and the price before and after; -1: not listed."""
        rows = self._connection.execute(
            f"""
            select
                meter, restated_at, day_from, day_to,
                case when was_listed then old_price else -1 end, case when is_listed then new_price else -1 end
            from {RESTATEMENTS}
            """
        ).fetchall()
        return [(meter, _aware(restated_at), *rest) for meter, restated_at, *rest in rows]

    def spells(self, table: str) -> list[Believed]:
        """The spells of a table as the oracle tells them."""
        rows = self._connection.execute(
            f"""
            select page_key, meter, series_price, valid_from, valid_to, ended_by, date_precision, known_from, known_to
            from {table}
            """
        ).fetchall()
        return in_order(
            Believed(
                Spell(page_key, meter, price, _aware(valid_from), _aware(valid_to), ended_by, precision),
                _aware(known_from),
                _aware(known_to),
            )
            for page_key, meter, price, valid_from, valid_to, ended_by, precision, known_from, known_to in rows
        )


def table_rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table with all their columns, in order."""
    return connection.execute(f"from {table} order by all").fetchall()


def _raw_rows(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """What `build.load` would make of the world, without its frames, which cost more than the models."""
    rows: dict[str, list[tuple[Any, ...]]] = {"captures": [], "readings": [], "price_quotes": [], "observations": []}
    providers: dict[str, str] = {}
    digests: set[str | None] = {None}
    for record in records(world):
        if not isinstance(record, Reading):
            providers[record.capture_id] = record.provider_id
            times = (_naive(record.requested_at), _naive(record.captured_at))
            source = (record.provider_id, record.page_id, record.url, record.origin)
            rows["captures"].append(
                (record.capture_id, *source, *times, record.outcome, None, 200, record.sha256, 1, None, None)
            )
            continue
        rows["readings"].append(
            (
                *(record.reading_id, record.capture_id, _naive(record.read_at)),
                *(record.outcome, record.message, record.quotes_sha256),
            )
        )
        if record.quotes_sha256 not in digests:
            digests.add(record.quotes_sha256)
            table = "price_quotes" if providers[record.capture_id] == MAKER else "observations"
            rows[table] += [
                (record.quotes_sha256, number, *_quote_row(quote)) for number, quote in enumerate(record.quotes)
            ]
    return rows


def _quote_row(quote: PriceQuote) -> tuple[Any, ...]:
    return (
        *(quote.provider_id, quote.model_label, str(quote.meter), quote.list_unit_price, str(quote.pricing_unit)),
        *(quote.currency, str(quote.service_tier), quote.context_from, quote.context_to, quote.region),
        *(quote.time_window, _naive(quote.announced_from), _naive(quote.valid_until)),
        *(quote.doubt, quote.evidence, quote.locator),
    )


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=None)


def _aware(moment: Any) -> Any:
    return None if moment is None else moment.replace(tzinfo=UTC)
