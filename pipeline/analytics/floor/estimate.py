"""The cost of a million tokens from a rent and a throughput, and how sure it is: a Monte Carlo over ranges.

Costs are USD per 1,000,000 tokens, hourly costs USD per GPU and hour, throughputs tokens per second and GPU. The
quantities that no data set gives are in `Assumptions`, as ranges where they matter.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
from scipy import special

from pipeline.analytics.decline import Floats
from pipeline.analytics.floor.checks import require_order, require_positive

HOURS_PER_YEAR = 8760
UPPER_QUARTILE = float(special.ndtri(0.75))


@overload
def bottom_up(rent_usd_per_gpu_hour: float, tokens_per_s_per_gpu: float, utilisation: float) -> float: ...
@overload
def bottom_up(
    rent_usd_per_gpu_hour: float | Floats, tokens_per_s_per_gpu: float | Floats, utilisation: float | Floats
) -> float | Floats: ...
def bottom_up(
    rent_usd_per_gpu_hour: float | Floats, tokens_per_s_per_gpu: float | Floats, utilisation: float | Floats
) -> float | Floats:
    """USD per 1M tokens: `rent / (tokens_per_s x 3600 x utilisation) x 1e6`, of numbers or arrays.

    Raises ValueError for anything not positive and finite, and for a utilisation over 1.
    """
    require_positive(rent=rent_usd_per_gpu_hour, throughput=tokens_per_s_per_gpu, utilisation=utilisation)
    if np.any(np.asarray(utilisation) > 1):
        raise ValueError("utilisation is a share of the time, at most 1")
    return rent_usd_per_gpu_hour / (tokens_per_s_per_gpu * 3600 * utilisation) * 1e6


@overload
def owned_rent(
    capex: float, life_years: float, wacc: float, kw: float, pue: float, usd_per_kwh: float, opex_per_hour: float
) -> float: ...
@overload
def owned_rent(
    capex: float,
    life_years: float,
    wacc: float,
    kw: float,
    pue: float | Floats,
    usd_per_kwh: float | Floats,
    opex_per_hour: float,
) -> float | Floats: ...
def owned_rent(
    capex: float,
    life_years: float,
    wacc: float,
    kw: float,
    pue: float | Floats,
    usd_per_kwh: float | Floats,
    opex_per_hour: float,
) -> float | Floats:
    """What an owned GPU costs per hour, running or not: capital, power and operations, in USD.

    Capital is `capex` (USD per GPU, its share of the server included) times the capital recovery factor of `life_years`
    and `wacc` (a yearly rate; 0 spreads the price evenly), over 8,760 hours. `kw` is the draw per GPU before `pue`.
    Raises ValueError for a life, capex, power, PUE or power price that is not positive, or a negative rate or opex.
    """
    require_positive(capex=capex, life_years=life_years, kw=kw, pue=pue, usd_per_kwh=usd_per_kwh)
    if not (0 <= wacc < math.inf and 0 <= opex_per_hour < math.inf):
        raise ValueError("wacc and opex_per_hour are finite and not negative")
    recovery = wacc / -math.expm1(-life_years * math.log1p(wacc)) if wacc else 1 / life_years
    return capex * recovery / HOURS_PER_YEAR + kw * pue * usd_per_kwh + opex_per_hour


@dataclass(frozen=True, slots=True)
class Range:
    """A triangular distribution: what is believed of a quantity that nobody publishes."""

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        require_positive(low=self.low, high=self.high)
        require_order(self.low, self.mode, self.high)

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """`n` draws. A range of no width uses up as many random numbers as any other."""
        u = rng.random(n)
        rising = self.low + np.sqrt(u * (self.high - self.low) * (self.mode - self.low))
        falling = self.high - np.sqrt((1 - u) * (self.high - self.low) * (self.high - self.mode))
        return np.where(u * (self.high - self.low) < self.mode - self.low, rising, falling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What no data set gives. `field_ratio` is throughput in the field over that of the benchmark.

    On Llama 2 70B most MLPerf results under the interactive latency target are 0.45 to 0.65 of the offline result of
    the same machine, those under the server target 0.8 to 1.0: hence the range of `field_ratio`. The others are
    judgement: utilisation from a service for one team to a saturated one, power and PUE from hyperscale to ordinary
    colocation, `opex_per_hour` (USD per GPU) for space, spares and hands.
    """

    utilisation: Range = Range(0.3, 0.5, 0.9)
    field_ratio: Range = Range(0.5, 0.75, 1.0)
    usd_per_kwh: Range = Range(0.04, 0.08, 0.15)
    pue: Range = Range(1.1, 1.25, 1.5)
    life_years: float = 4.0
    wacc: float = 0.10
    opex_per_hour: float = 0.10


@dataclass(frozen=True, slots=True)
class RentQuantiles:
    """USD per GPU and hour across providers in one month. Drawn as two log-normal halves that meet these quartiles."""

    p25: float
    median: float
    p75: float

    def __post_init__(self) -> None:
        require_positive(p25=self.p25, p75=self.p75)
        require_order(self.p25, self.median, self.p75)

    def middle(self, assumptions: Assumptions) -> float:  # noqa: ARG002
        """The median, whatever is assumed."""
        return self.median

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """`n` rents."""
        z = rng.standard_normal(n) / UPPER_QUARTILE
        spread = np.where(z < 0, math.log(self.median / self.p25), math.log(self.p75 / self.median))
        drawn: Floats = self.median * np.exp(z * spread)
        return drawn


@dataclass(frozen=True, slots=True)
class OwnedHardware:
    """A GPU of one's own: its price in USD with its share of the server, and its draw in kW before PUE."""

    capex: float
    kw: float

    def per_hour(self, assumptions: Assumptions, pue: float | Floats, usd_per_kwh: float | Floats) -> float | Floats:
        """USD per hour, see `owned_rent`."""
        a = assumptions
        return owned_rent(self.capex, a.life_years, a.wacc, self.kw, pue, usd_per_kwh, a.opex_per_hour)

    def middle(self, assumptions: Assumptions) -> float:
        """USD per hour in the middle of what is assumed of power price and PUE."""
        return float(self.per_hour(assumptions, assumptions.pue.mode, assumptions.usd_per_kwh.mode))


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEstimate:
    """Quantiles of the cost in USD per 1M tokens, and how it answers to each input, one at a time.

    An elasticity is the relative change of the cost over that of the input, at the middle of all ranges. A rent has the
    power in it, so a rented GPU has none to power price and PUE.
    """

    p05: float
    p50: float
    p95: float
    elasticity_rent: float
    elasticity_capex: float
    elasticity_utilisation: float
    elasticity_field_ratio: float
    elasticity_power_price: float
    elasticity_pue: float


def monte_carlo(
    tokens_per_s_per_gpu: float,
    hardware: RentQuantiles | OwnedHardware,
    rng: np.random.Generator,
    assumptions: Assumptions | None = None,
    draws: int = 20_000,
) -> CostEstimate:
    """The cost per 1M tokens when rent, utilisation, field ratio, power price and PUE are only known as ranges.

    The inputs are drawn independently. The same state of `rng` gives the same result, and the same draws for any
    throughput, so that estimates of several models differ by their throughputs alone.
    """
    assumptions = assumptions or Assumptions()
    return estimate(tokens_per_s_per_gpu, hardware, assumptions, draw_inputs(hardware, rng, assumptions, draws))


class Inputs(NamedTuple):
    """Draws of what a cost is made of, whatever the throughput: USD per GPU and hour, and two shares."""

    hourly: float | Floats
    utilisation: Floats
    field_ratio: Floats


def draw_inputs(
    hardware: RentQuantiles | OwnedHardware, rng: np.random.Generator, assumptions: Assumptions, draws: int
) -> Inputs:
    """The draws of `monte_carlo`, which serve any throughput."""
    utilisation, field_ratio = assumptions.utilisation.draw(rng, draws), assumptions.field_ratio.draw(rng, draws)
    if isinstance(hardware, RentQuantiles):
        return Inputs(hardware.draw(rng, draws), utilisation, field_ratio)
    pue, usd_per_kwh = assumptions.pue.draw(rng, draws), assumptions.usd_per_kwh.draw(rng, draws)
    return Inputs(hardware.per_hour(assumptions, pue, usd_per_kwh), utilisation, field_ratio)


def estimate(
    tokens_per_s_per_gpu: float, hardware: RentQuantiles | OwnedHardware, assumptions: Assumptions, drawn: Inputs
) -> CostEstimate:
    """`monte_carlo` from inputs that are drawn."""
    capital_share = power_share = 0.0
    if isinstance(hardware, OwnedHardware):
        middle = hardware.middle(assumptions)
        power_share = hardware.kw * assumptions.pue.mode * assumptions.usd_per_kwh.mode / middle
        capital_share = 1 - power_share - assumptions.opex_per_hour / middle
    costs = bottom_up(drawn.hourly, tokens_per_s_per_gpu * drawn.field_ratio, drawn.utilisation)
    p05, p50, p95 = np.quantile(costs, (0.05, 0.5, 0.95))
    return CostEstimate(
        p05=float(p05),
        p50=float(p50),
        p95=float(p95),
        elasticity_rent=1.0 if isinstance(hardware, RentQuantiles) else 0.0,
        elasticity_capex=capital_share,
        elasticity_utilisation=-1.0,
        elasticity_field_ratio=-1.0,
        elasticity_power_price=power_share,
        elasticity_pue=power_share,
    )
