"""What it costs to make a million tokens: bottom-up floors."""

import dagster as dg
import pandas as pd

from pipeline.assets.analytics.common import analytic, as_of_moment, contract, mart, result, seed
from pipeline.settings import settings
from pipeline.warehouse.build import connect
from pipeline.warehouse.tables import write_table

SEEDS = ("floor_models", "gpu_rents", "throughput", "gpu_hardware")


@analytic("floor_estimates", [*map(seed, SEEDS), mart("dim_clock")])
def floor_estimates() -> dg.MaterializeResult:
    from pipeline.analytics import floor, plots

    with connect(settings().build) as connection:
        as_of = as_of_moment(connection)
        models, rents, throughput, hardware = (connection.execute(f"from seeds.{name}").df() for name in SEEDS)
        floors = floor.floor_estimates(models, rents, throughput, hardware, as_of)
        write_table(connection, contract("floor_estimates"), floors)
    # Output is the meter that every method knows.
    known = floors[(floors["gate"] == "ok") & (floors["meter"] == "output")]
    forest = pd.DataFrame(
        {
            "label": [f"{row.model_class} on {row.gpu} {row.acquisition} ({row.method})" for row in known.itertuples()],
            "value": known["p50"],
            "low": known["p05"],
            "high": known["p95"],
        }
    )
    broken = floors[
        (floors["p50"].isna() & floors["reason"].isna())
        | (floors["p05"] > floors["p50"])
        | (floors["p95"] < floors["p50"])
        | (floors["p05"] <= 0)
    ]
    return result(
        "floor_estimates",
        floors,
        broken,
        "Quantiles are positive and in order, and every missing number has a reason.",
        floors=plots.intervals(
            forest,
            f"What a million output tokens cost to make, as of {as_of:%Y-%m-%d}",
            "USD per 1M tokens, 5 % to 95 %",
            log=True,
        ),
    )
