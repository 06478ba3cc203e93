"""The marts as they would have been published at an earlier time, out of the warehouse of today."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from pipeline.warehouse.build import CONFIG
from pipeline.warehouse.tables import escaped

# What was captured and read by then. A capture's outcome is what the readings up to then made of it.
_CAPTURES = """
    select captures.* replace (
        case when latest.outcome = 'ok' and captures.outcome = 'unchanged' then 'unchanged'
            else coalesce(latest.outcome, captures.outcome) end as outcome,
        coalesce(latest.message, captures.message) as message
    )
    from today.raw.captures as captures
    left join (
        select capture_id, last(outcome order by read_at) as outcome, last(message order by read_at) as message
        from today.raw.readings where read_at <= $known_at group by capture_id
    ) as latest on captures.capture_id = latest.capture_id
    where captures.requested_at <= $known_at
"""
_READINGS = "select * from today.raw.readings where read_at <= $known_at"
# A belief that was held then had not been given up, nor withdrawn.
_HISTORY = """
    select * replace (cast(null as timestamp) as known_to, false as is_withdrawn)
    from today.intermediate.int_price_history
    where known_from <= $known_at and coalesce(known_to > $known_at, true)
"""
FILTERED = {"raw.captures": _CAPTURES, "raw.readings": _READINGS, "intermediate.int_price_history": _HISTORY}


@contextmanager
def as_known(
    build: Path, manifest: Mapping[str, Any], known_at: datetime, marts: Iterable[str]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which these marts, and what they are made of, say what they said at `known_at`.

    The bitemporal history is cut to what was believed then, the raw tables to what had been captured and read, and
    dbt's own SQL is run on them: `manifest` is that of the build that made the warehouse. What has no time is today's:
    seeds and what is made of them alone, the providers, and the number of other witnesses of a price. It is made in
    memory, the build file stays as it is. Raises ValueError for a time without a zone, and KeyError for a mart that the
    manifest does not know.
    """
    if known_at.tzinfo is None:
        raise ValueError(f"known_at has no time zone: {known_at!r}")
    moment = known_at.astimezone(UTC).replace(tzinfo=None)
    with duckdb.connect(config=CONFIG) as past:
        past.execute(f"attach '{escaped(build)}' as today (read_only)")
        # An incremental model names its own table with the database.
        past.execute(f"attach ':memory:' as {build.stem}; use {build.stem}")
        for name, node in _relations(manifest, marts):
            past.execute(f"create schema if not exists {name.partition('.')[0]}")
            if name in FILTERED:
                past.execute(f"create table {name} as {FILTERED[name]}", {"known_at": moment})
            elif not _is_made_of_captures(node):
                past.execute(f"create view {name} as from today.{name}")
            elif node["config"]["materialized"] == "incremental":
                # Its SQL may be that of a day that goes on with what is there. Where nothing is, it tells all.
                past.execute(f"create table {name} as from today.{name} limit 0")
                past.execute(f"insert into {name} by name {node['compiled_code']}")
            else:
                past.execute(f"create {node['config']['materialized']} {name} as {node['compiled_code']}")
        yield past


def _relations(manifest: Mapping[str, Any], marts: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
    """These marts and all that they are made of, by name and in order, down to what is filtered."""
    nodes = {**manifest["nodes"], **manifest["sources"]}
    names = {key: f"{node['schema']}.{node['name']}" for key, node in nodes.items()}
    wanted = {name: key for key, name in names.items() if nodes[key]["resource_type"] in {"model", "seed", "source"}}
    parents: dict[str, list[str]] = {}
    open_keys = [wanted[mart] for mart in marts]
    while open_keys:
        key = open_keys.pop()
        if key not in parents:
            is_made = names[key] not in FILTERED and _is_made_of_captures(nodes[key])
            parents[key] = nodes[key]["depends_on"]["nodes"] if is_made else []
            open_keys += parents[key]
    return [(names[key], nodes[key]) for key in TopologicalSorter(parents).static_order()]


def _is_made_of_captures(node: Mapping[str, Any]) -> bool:
    # A build that goes on has no SQL of models that read seeds alone.
    return node["resource_type"] == "model" and "compiled_code" in node
