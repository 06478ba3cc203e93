"""Statistics on the price history: pure functions behind thin assets, results in schema `analytics`."""

import dagster as dg

from pipeline.assets.analytics.floors import (
    cost_floor_bottom_up,
    cost_floor_statistical,
    floor_estimates,
    floor_gap,
    self_hosting_crossover,
)
from pipeline.assets.analytics.rates import decline_rates

ANALYTICS: list[dg.AssetsDefinition] = [
    decline_rates,
    cost_floor_bottom_up,
    cost_floor_statistical,
    floor_estimates,
    floor_gap,
    self_hosting_crossover,
]
