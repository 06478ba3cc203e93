"""Public claims about prices of inference, each held against the warehouse by a query that is stored with it."""

import re
from datetime import datetime
from functools import partial
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
from jinja2 import Environment, FileSystemLoader

from pipeline.assets.analytics.common import Result, analytic, bars, result, seed
from pipeline.warehouse.transform import DBT_PROJECT


def _queries() -> dict[str, str]:
    """The SQL of each claim, whole: where several claims ask one question, its macro is written out."""
    project = Environment(loader=FileSystemLoader(DBT_PROJECT), autoescape=False)  # noqa: S701
    project.globals |= vars(project.get_template("macros/claims.sql").module)
    return {
        path.stem: project.get_template(f"claims/{path.name}").render()
        for path in sorted((DBT_PROJECT / "claims").glob("*.sql"))
    }


# They read published tables only, so that a reader of the public file can ask them too.
QUERIES = _queries()
_READ = sorted({found for query in QUERIES.values() for found in re.findall(r"\b(marts|analytics)\.(\w+)", query)})


def claim_scorecard_frame(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> pd.DataFrame:
    """The scorecard of `pipeline.analytics.claims`, from the seeds and the answers to the queries."""
    from pipeline.analytics import claims

    observations = [
        {**_answer(connection, query), "claim_id": claim_id, "query": query} for claim_id, query in QUERIES.items()
    ]
    said, contradictions = (
        connection.execute(f"from seeds.{name}").df() for name in ("claims", "claim_contradictions")
    )
    return claims.scorecard(said, pd.DataFrame(observations), contradictions, as_of)


@analytic("claim_scorecard", [*map(dg.AssetKey, _READ), *map(seed, ("claims", "claim_contradictions"))])
def claim_scorecard(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Result:
    from pipeline.analytics import plots

    scorecard = claim_scorecard_frame(connection, as_of)
    return result(
        scorecard,
        scorecard[scorecard["reason"].isna() | scorecard["verdict"].isna()],
        "Every claim has a verdict and a reason.",
        misses=partial(
            plots.intervals,
            _misses(scorecard),
            f"Claims that miss, as of {as_of:%Y-%m-%d}",
            "observed over claimed",
            log=True,
        ),
    )


def _answer(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    answer = connection.execute(query)
    columns = [column[0] for column in answer.description or []]
    [row] = answer.fetchall()
    return dict(zip(columns, row, strict=True))


def _misses(scorecard: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """The observed range of each claim that misses, as multiples of the claimed number or the middle of its range."""
    missing = scorecard[scorecard["verdict"].isin(["refuted", "off_track"]) & (scorecard["observed_low"] > 0)]
    claimed = np.sqrt(
        missing["value_low"].fillna(missing["value_high"]) * missing["value_high"].fillna(missing["value_low"])
    )
    low: pd.Series = missing["observed_low"] / claimed
    high: pd.Series = missing["observed_high"] / claimed
    ranges = missing.assign(value=np.sqrt(low * high), low=low, high=high)
    return bars(missing["claim_id"] + " " + missing["subject"], ranges, "value", "low", "high")
