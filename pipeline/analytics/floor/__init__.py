"""How low a price can go: what tokens cost to make, where their price levels off, and what the cheapest hosts ask.

Costs and prices are USD per 1,000,000 tokens. What tokens cost is in `cost`, from estimates (`estimate`) and rooflines
(`machine`), and what that means for who hosts a model in `self_hosting`; `decay` is about where the price of a fixed
capability levels off, and `combined` pools them. Every table has a function that makes it from frames:
`cost_floor_bottom_up`, `cost_floor_statistical`, `floor_estimates`, `floor_gap`, `self_hosting_crossover`.
"""

from pipeline.analytics.floor.combined import (
    ESTIMATE_COLUMNS,
    GAP_COLUMNS,
    STATISTICAL_COLUMNS,
    LogNormal,
    competitive,
    cost_floor_statistical,
    floor_estimates,
    floor_gap,
    pool,
)
from pipeline.analytics.floor.cost import COST_COLUMNS, METERS, CostSettings, cost_floor_bottom_up
from pipeline.analytics.floor.decay import Asymptote, asymptote
from pipeline.analytics.floor.estimate import (
    Assumptions,
    CostEstimate,
    OwnedHardware,
    Range,
    RentQuantiles,
    bottom_up,
    monte_carlo,
    owned_rent,
)
from pipeline.analytics.floor.machine import (
    Gpu,
    ModelShape,
    Roofline,
    RooflineAssumptions,
    decode_step_seconds,
    roofline,
)
from pipeline.analytics.floor.self_hosting import CROSSOVER_COLUMNS, OVERHEADS, crossover, self_hosting_crossover

__all__ = [
    "COST_COLUMNS",
    "CROSSOVER_COLUMNS",
    "ESTIMATE_COLUMNS",
    "GAP_COLUMNS",
    "METERS",
    "OVERHEADS",
    "STATISTICAL_COLUMNS",
    "Assumptions",
    "Asymptote",
    "CostEstimate",
    "CostSettings",
    "Gpu",
    "LogNormal",
    "ModelShape",
    "OwnedHardware",
    "Range",
    "RentQuantiles",
    "Roofline",
    "RooflineAssumptions",
    "asymptote",
    "bottom_up",
    "competitive",
    "cost_floor_bottom_up",
    "cost_floor_statistical",
    "crossover",
    "decode_step_seconds",
    "floor_estimates",
    "floor_gap",
    "monte_carlo",
    "owned_rent",
    "pool",
    "roofline",
    "self_hosting_crossover",
]
