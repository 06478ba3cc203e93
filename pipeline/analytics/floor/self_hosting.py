"""From what use on a machine of one's own is cheaper than an API."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from pipeline.analytics.decline import utc_moment
from pipeline.analytics.floor.checks import require_positive, rows_of
from pipeline.analytics.floor.cost import CostSettings, rented

# What operations (people, spares, a second machine) multiply a rent by.
OVERHEADS = (1, 3, 5)

CROSSOVER_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    "model_class": "string",
    "gpu": "string",
    "overhead": "Float64",
    "method": "string",
    "n_gpu": "Int64",
    "usd_per_gpu_hour": "Float64",
    "tokens_per_s_per_gpu": "Float64",
    "utilisation": "Float64",
    "api_provider_id": "string",
    "api_model_id": "string",
    "api_usd_per_mtok": "Float64",
    "mtok_per_day": "Float64",
    "capacity_mtok_per_day": "Float64",
    "feasible": "boolean",
    "gate": "string",
    "reason": "string",
}


def crossover(
    n_gpu: int,
    rent_usd_per_gpu_hour: float,
    api_usd_per_mtok: float,
    tokens_per_s_per_gpu: float,
    overheads: Sequence[float] = OVERHEADS,
    utilisation: float = 1.0,
) -> pd.DataFrame:
    """From how many million tokens a day on a machine of one's own is cheaper than an API.

    One row per `overhead` (what operations multiply the rent by): `mtok_per_day = n_gpu x 24 x rent x overhead /
    api_usd_per_mtok`, beside `capacity_mtok_per_day`, what the machine makes in a day at `tokens_per_s_per_gpu` (tokens
    as the API counts them, at the same blend) for a share `utilisation` of the time. Beyond capacity the crossover is
    not `feasible`; against a free API there is none (null). Raises ValueError for negative or zero sizes and rents.
    """
    rows = _crossovers(n_gpu, rent_usd_per_gpu_hour, api_usd_per_mtok, tokens_per_s_per_gpu, overheads, utilisation)
    columns = ("overhead", "mtok_per_day", "capacity_mtok_per_day", "feasible", "reason")
    return pd.DataFrame(rows, columns=list(columns)).astype({name: CROSSOVER_COLUMNS[name] for name in columns})


def _crossovers(
    n_gpu: int,
    rent_usd_per_gpu_hour: float,
    api_usd_per_mtok: float,
    tokens_per_s_per_gpu: float,
    overheads: Sequence[float],
    utilisation: float,
) -> Iterator[dict[str, Any]]:
    require_positive(n_gpu=n_gpu, rent=rent_usd_per_gpu_hour, throughput=tokens_per_s_per_gpu, utilisation=utilisation)
    if not 0 <= api_usd_per_mtok < math.inf:
        raise ValueError("an API price is finite and not negative")
    capacity = n_gpu * tokens_per_s_per_gpu * utilisation * 86_400 / 1e6
    for overhead in overheads:
        require_positive(overhead=overhead)
        row = {"overhead": overhead, "capacity_mtok_per_day": capacity, "feasible": False}
        if api_usd_per_mtok == 0:
            yield row | {"reason": "the API is free"}
            continue
        needed = n_gpu * 24 * rent_usd_per_gpu_hour * overhead / api_usd_per_mtok
        feasible = needed <= capacity
        reason = None if feasible else "more than the machine can make"
        yield row | {"mtok_per_day": needed, "feasible": feasible, "reason": reason}


def self_hosting_crossover(
    costs: pd.DataFrame, api: pd.DataFrame, as_of: datetime, settings: CostSettings | None = None
) -> pd.DataFrame:
    """`crossover` of every model class, rented GPU and overhead against the cheapest host of the class, at a 3:1 blend.

    `costs` are the rows of `cost_floor_bottom_up`, `api` has `model_class`, `usd_per_mtok`, `provider_id` and
    `model_id` of the cheapest offers. The machine is the one whose throughput is known; it is busy for `utilisation`
    of it, the middle of what `settings` assumes of field and utilisation.
    """
    settings = settings or CostSettings()
    offers = {row["model_class"]: row for row in rows_of(api)}
    blends = rented(costs[costs["meter"] == "blend_3_1"]).drop_duplicates(["model_class", "gpu"])
    rows: list[dict[str, Any]] = []
    for cost in rows_of(blends.sort_values(["model_class", "gpu"])):
        offer = offers.get(cost["model_class"])
        assumed = settings.of(cost["method"])
        about = {name: cost[name] for name in ("model_class", "gpu", "method", "n_gpu", "usd_per_gpu_hour")} | {
            "as_of": utc_moment(as_of),
            "tokens_per_s_per_gpu": cost["tokens_per_s_per_gpu"],
            "utilisation": assumed.utilisation.mode * assumed.field_ratio.mode,
        }
        if offer is not None:
            about |= {f"api_{name}": offer[name] for name in ("provider_id", "model_id", "usd_per_mtok")}
        if cost["gate"] != "ok" or offer is None:
            reason = "no host sells the class on that day" if offer is None else cost["reason"]
            rows += [{**about, "overhead": x, "gate": "insufficient", "reason": reason} for x in OVERHEADS]
            continue
        for row in _crossovers(
            int(cost["n_gpu"]),
            float(cost["usd_per_gpu_hour"]),
            float(offer["usd_per_mtok"]),
            float(cost["tokens_per_s_per_gpu"]),
            OVERHEADS,
            about["utilisation"],
        ):
            if cost["method"] == "production":
                row["reason"] = row["reason"] or "measured over a whole service: one machine alone is slower"
            rows.append({**about, **row, "gate": "ok"})
    return pd.DataFrame(rows, columns=list(CROSSOVER_COLUMNS)).astype(CROSSOVER_COLUMNS)
