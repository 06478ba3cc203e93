"""Statistics on the price history: pure functions behind thin assets, results in schema `analytics`."""

import dagster as dg

from pipeline.assets.analytics.floors import floor_estimates
from pipeline.assets.analytics.forecast import forecast_scores, forecasts
from pipeline.assets.analytics.rates import decline_rates
from pipeline.assets.analytics.tasks import margin_squeeze, task_cost

ANALYTICS: list[dg.AssetsDefinition] = [
    decline_rates,
    floor_estimates,
    forecast_scores,
    forecasts,
    margin_squeeze,
    task_cost,
]
