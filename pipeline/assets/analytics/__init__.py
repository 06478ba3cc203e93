"""Statistics on the price history: pure functions behind thin assets, results in schema `analytics`."""

from pipeline.assets.analytics.claims import claim_scorecard
from pipeline.assets.analytics.common import Analytic, analytics_step
from pipeline.assets.analytics.floors import (
    cost_floor_bottom_up,
    cost_floor_statistical,
    floor_estimates,
    floor_gap,
    self_hosting_crossover,
)
from pipeline.assets.analytics.forecast import forecast_scores, forecasts
from pipeline.assets.analytics.indices import price_index
from pipeline.assets.analytics.rates import decline_rates, decline_slowdown
from pipeline.assets.analytics.tasks import margin_squeeze, task_cost

ANALYTICS: list[Analytic] = [
    claim_scorecard,
    cost_floor_bottom_up,
    cost_floor_statistical,
    decline_rates,
    decline_slowdown,
    floor_estimates,
    floor_gap,
    forecast_scores,
    forecasts,
    margin_squeeze,
    price_index,
    self_hosting_crossover,
    task_cost,
]

analytics = analytics_step(ANALYTICS)
