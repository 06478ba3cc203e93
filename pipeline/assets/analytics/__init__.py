"""Statistics on the price history: pure functions behind thin assets, results in schema `analytics`."""

import dagster as dg

from pipeline.assets.analytics.floors import floor_estimates
from pipeline.assets.analytics.indices import price_index
from pipeline.assets.analytics.rates import decline_rates

ANALYTICS: list[dg.AssetsDefinition] = [decline_rates, floor_estimates, price_index]
