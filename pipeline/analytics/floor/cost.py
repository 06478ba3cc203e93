"""What it costs to make a million tokens, bottom-up.

Costs are USD per 1,000,000 tokens, hourly costs USD per GPU and hour, throughputs tokens per second and GPU.

What a throughput counts decides what may be said about a meter, and a benchmark's "tokens per second" is never input
plus output here. `throughput.basis` says which of three it is:

- `benchmark_split`: output tokens per second at full load, measured with two shapes of requests on one machine, one
  mostly input, one mostly output. A request takes `input x s_in + output x s_out` GPU seconds, so two shapes give both.
- `benchmark_output`: MLPerf Inference counts output tokens over a fixed set of prompts whose reading it times but does
  not count. All machine time is charged to output: output comes out too high, input and blend are not known.
- `production`: an operator's average over a day, input and output on separate machines. Idle time and the difference
  between field and laboratory are in it. Input served from a cache is taken out: it is assumed to cost no GPU time.

The quantities that no data set gives are in `Assumptions` and `RooflineAssumptions`, as ranges where they matter.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline.analytics.decline import Floats, utc_moment

HOURS_PER_YEAR = 8760
UPPER_QUARTILE = float(special.ndtri(0.75))
# Quartiles of fewer providers than this say little about a market.
MIN_PROVIDERS = 3
MAX_RENT_AGE_DAYS = 365
INPUT_SHARE, OUTPUT_SHARE = 0.75, 0.25  # the field's 3:1 blend
METERS = ("input", "output", "blend_3_1")
# Where a throughput comes from, the most telling first. `benchmark_output` charges the reading of prompts to output:
# too much to be a floor.
METHODS = ("production", "benchmark_split", "roofline")
# What operations (people, spares, a second machine) multiply a rent by.
OVERHEADS = (1, 3, 5)

COST_COLUMNS = {
    "as_of": "datetime64[us, UTC]",
    "model_class": "string",
    "meter": "string",
    "gpu": "string",
    "method": "string",
    "acquisition": "string",
    "p05": "Float64",
    "p50": "Float64",
    "p95": "Float64",
    "n_obs": "Int64",
    "n_providers": "Int64",
    "rent_month": "datetime64[us]",
    "usd_per_gpu_hour": "Float64",
    "n_gpu": "Int64",
    "tokens_per_s_per_gpu": "Float64",
    "precision": "string",
    "elasticity_rent": "Float64",
    "elasticity_capex": "Float64",
    "elasticity_utilisation": "Float64",
    "elasticity_field_ratio": "Float64",
    "elasticity_power_price": "Float64",
    "elasticity_pue": "Float64",
    "gate": "string",
    "reason": "string",
    "throughput_source": "string",
}

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


def _require_positive(**values: float | Floats) -> None:
    for name, value in values.items():
        numbers: npt.NDArray[np.float64] = np.asarray(value, dtype=np.float64)
        if not (np.isfinite(numbers) & (numbers > 0)).all():
            raise ValueError(f"{name} is positive and finite, not {value!r}")


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
    _require_positive(rent=rent_usd_per_gpu_hour, throughput=tokens_per_s_per_gpu, utilisation=utilisation)
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
    _require_positive(capex=capex, life_years=life_years, kw=kw, pue=pue, usd_per_kwh=usd_per_kwh)
    if not (0 <= wacc < math.inf and 0 <= opex_per_hour < math.inf):
        raise ValueError("wacc and opex_per_hour are finite and not negative")
    recovery = wacc / -math.expm1(-life_years * math.log1p(wacc)) if wacc else 1 / life_years
    return capex * recovery / HOURS_PER_YEAR + kw * pue * usd_per_kwh + opex_per_hour


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """What a transformer makes a machine do. `kv_values_per_token` counts numbers kept per token, not bytes.

    A mixture of experts has `n_experts` routed experts in each layer, `experts_per_token` of which read a token;
    `expert_params` is what all routed experts of all layers hold together. A dense model has 0 of each.
    """

    total_params: float
    active_params: float
    kv_values_per_token: float
    expert_params: float = 0.0
    n_experts: int = 0
    experts_per_token: int = 0

    def __post_init__(self) -> None:
        _require_positive(
            total_params=self.total_params, active_params=self.active_params, kv_values=self.kv_values_per_token
        )
        if not (0 <= self.experts_per_token <= self.n_experts and 0 <= self.expert_params < self.total_params):
            raise ValueError("experts_per_token is at most n_experts, and expert_params a part of total_params")

    def params_read(self, batch: int) -> float:
        """Parameters that one decoding step reads: with experts, those that `batch` tokens are expected to wake.

        Tokens choose their experts evenly and independently, so an expert sleeps with (1 - k/E)^batch.
        """
        if not self.n_experts:
            return self.total_params
        awake = 1 - (1 - self.experts_per_token / self.n_experts) ** batch
        return self.total_params - self.expert_params * (1 - awake)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """Peaks of one GPU: dense floating-point operations per second, memory bytes per second, and memory in bytes."""

    flops: float
    bandwidth: float
    memory: float

    def __post_init__(self) -> None:
        _require_positive(flops=self.flops, bandwidth=self.bandwidth, memory=self.memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class RooflineAssumptions:
    """What a good serving stack reaches of the peaks, and what it promises.

    `mfu` is the share of peak FLOPS while reading prompts, `bandwidth_share` and `compute_share` those of bandwidth and
    FLOPS while decoding, `memory_share` the memory left for weights and cache. `context` is the mean number of
    tokens a decoding step looks back on: between the 1,152 of a 128/2048 benchmark and the 4,989 that DeepSeek
    reported for its service. Each user gets at least `min_tokens_per_s` (DeepSeek reported 20 to 22).
    Traffic between GPUs, the arithmetic of attention and the interleaving of prefill with decoding are not modelled.
    Against the benchmarks of dense models in the seeds, at their context and 8 bits, prefill is right to 15 % and
    decoding 1.2 to 1.9 times too fast; for a mixture of experts it is several times too fast.
    """

    mfu: float = 0.5
    bandwidth_share: float = 0.7
    compute_share: float = 0.5
    memory_share: float = 0.9
    context: int = 2048
    min_tokens_per_s: float = 20.0

    def __post_init__(self) -> None:
        _require_positive(context=self.context, min_tokens_per_s=self.min_tokens_per_s)
        if not all(0 < share <= 1 for share in (self.mfu, self.bandwidth_share, self.compute_share, self.memory_share)):
            raise ValueError("shares of a peak are above 0 and at most 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofline:
    """Tokens per second and GPU; None where the model does not fit or cannot decode fast enough, as `reason` says."""

    prefill_tokens_per_s_per_gpu: float | None
    decode_tokens_per_s_per_gpu: float | None
    batch: int
    reason: str | None


def decode_step_seconds(
    model: ModelShape, gpu: Gpu, n_gpu: int, bytes_per_value: float, batch: int, assumptions: RooflineAssumptions
) -> float:
    """Seconds of one decoding step of `batch` sequences on `n_gpu` GPUs: the slower of memory and arithmetic.

    `max((weight_bytes(B) + B ctx kv_bytes) / (n BW eta), 2 N_active B / (n F eta_c))`
    """
    cache = batch * assumptions.context * model.kv_values_per_token
    reading = (
        (model.params_read(batch) + cache) * bytes_per_value / (n_gpu * gpu.bandwidth * assumptions.bandwidth_share)
    )
    computing = 2 * model.active_params * batch / (n_gpu * gpu.flops * assumptions.compute_share)
    return max(reading, computing)


def roofline(
    model: ModelShape,
    gpu: Gpu,
    n_gpu: int,
    bytes_per_value: float,
    assumptions: RooflineAssumptions | None = None,
) -> Roofline:
    """Throughput where none was measured. Weights and cache take `bytes_per_value` (1 at 8 bits, 2 at 16).

    Prefill is `peak_flops x MFU / (2 N_active)`; decoding runs the largest batch that fits into memory and leaves every
    user the promised speed (the larger the batch, the more tokens per second).
    """
    assumptions = assumptions or RooflineAssumptions()
    _require_positive(n_gpu=n_gpu, bytes_per_value=bytes_per_value)
    room = n_gpu * gpu.memory * assumptions.memory_share - model.total_params * bytes_per_value
    fitting = math.floor(room / (assumptions.context * model.kv_values_per_token * bytes_per_value))
    if fitting < 1:
        reason = f"the weights and one sequence do not fit into {n_gpu} GPUs"
        return Roofline(prefill_tokens_per_s_per_gpu=None, decode_tokens_per_s_per_gpu=None, batch=0, reason=reason)

    def step(batch: int) -> float:
        return decode_step_seconds(model, gpu, n_gpu, bytes_per_value, batch, assumptions)

    batch = bisect_right(range(1, fitting + 1), 1 / assumptions.min_tokens_per_s, key=step)
    too_slow = f"one sequence alone decodes slower than {assumptions.min_tokens_per_s:g} tokens per second"
    return Roofline(
        prefill_tokens_per_s_per_gpu=gpu.flops * assumptions.mfu / (2 * model.active_params),
        decode_tokens_per_s_per_gpu=batch / step(batch) / n_gpu if batch else None,
        batch=batch,
        reason=None if batch else too_slow,
    )


@dataclass(frozen=True, slots=True)
class Range:
    """A triangular distribution: what is believed of a quantity that nobody publishes."""

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        _require_positive(low=self.low, high=self.high)
        if not self.low <= self.mode <= self.high:
            raise ValueError(f"not in order: {self.low} <= {self.mode} <= {self.high}")

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
        _require_positive(p25=self.p25, p75=self.p75)
        if not self.p25 <= self.median <= self.p75:
            raise ValueError(f"not in order: {self.p25} <= {self.median} <= {self.p75}")

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
    return _estimate(tokens_per_s_per_gpu, hardware, assumptions, _drawn(hardware, rng, assumptions, draws))


class _Drawn(NamedTuple):
    """Draws of what a cost is made of, whatever the throughput: USD per GPU and hour, and two shares."""

    hourly: float | Floats
    utilisation: Floats
    field_ratio: Floats


def _drawn(
    hardware: RentQuantiles | OwnedHardware, rng: np.random.Generator, assumptions: Assumptions, draws: int
) -> _Drawn:
    utilisation, field_ratio = assumptions.utilisation.draw(rng, draws), assumptions.field_ratio.draw(rng, draws)
    if isinstance(hardware, RentQuantiles):
        return _Drawn(hardware.draw(rng, draws), utilisation, field_ratio)
    pue, usd_per_kwh = assumptions.pue.draw(rng, draws), assumptions.usd_per_kwh.draw(rng, draws)
    return _Drawn(hardware.per_hour(assumptions, pue, usd_per_kwh), utilisation, field_ratio)


def _estimate(
    tokens_per_s_per_gpu: float, hardware: RentQuantiles | OwnedHardware, assumptions: Assumptions, drawn: _Drawn
) -> CostEstimate:
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
    _require_positive(n_gpu=n_gpu, rent=rent_usd_per_gpu_hour, throughput=tokens_per_s_per_gpu, utilisation=utilisation)
    if not 0 <= api_usd_per_mtok < math.inf:
        raise ValueError("an API price is finite and not negative")
    capacity = n_gpu * tokens_per_s_per_gpu * utilisation * 86_400 / 1e6
    for overhead in overheads:
        _require_positive(overhead=overhead)
        row = {"overhead": overhead, "capacity_mtok_per_day": capacity, "feasible": False}
        if api_usd_per_mtok == 0:
            yield row | {"reason": "the API is free"}
            continue
        needed = n_gpu * 24 * rent_usd_per_gpu_hour * overhead / api_usd_per_mtok
        feasible = needed <= capacity
        reason = None if feasible else "more than the machine can make"
        yield row | {"mtok_per_day": needed, "feasible": feasible, "reason": reason}


def rented(costs: pd.DataFrame) -> pd.DataFrame:
    """The rows of `cost_floor_bottom_up` about rented GPUs whose method may give a floor, the most telling first.

    Of one method the cheapest comes first, and what is not known last.
    """
    rows = costs[(costs["acquisition"] == "rented") & costs["method"].isin(METHODS)]
    rank = rows["method"].map({method: place for place, method in enumerate(METHODS)})
    return rows.assign(unknown=rows["gate"] != "ok", rank=rank).sort_values(["unknown", "rank", "p50", "gpu"])


def self_hosting_crossover(
    costs: pd.DataFrame, api: pd.DataFrame, as_of: datetime, settings: "CostSettings | None" = None
) -> pd.DataFrame:
    """`crossover` of every model class, rented GPU and overhead against the cheapest host of the class, at a 3:1 blend.

    `costs` are the rows of `cost_floor_bottom_up`, `api` has `model_class`, `usd_per_mtok`, `provider_id` and
    `model_id` of the cheapest offers. The machine is the one whose throughput is known; it is busy for `utilisation`
    of it, the middle of what `settings` assumes of field and utilisation.
    """
    settings = settings or CostSettings()
    offers = {row["model_class"]: row for row in _rows_of(api)}
    blends = rented(costs[costs["meter"] == "blend_3_1"]).drop_duplicates(["model_class", "gpu"])
    rows: list[dict[str, Any]] = []
    for cost in _rows_of(blends.sort_values(["model_class", "gpu"])):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speed:
    """GPU seconds per token of each meter, as one method knows them.

    `unknown` says why a meter is missing, `caveat` what is to be known about the others.
    """

    method: str
    precision: str
    n_gpu: int
    seconds: dict[str, float]
    unknown: str | None
    caveat: str | None = None
    n_obs: int
    source: str


@dataclass(frozen=True, slots=True)
class _Supply:
    """One way to come by a GPU; `hardware` is None where it cannot be priced."""

    acquisition: str
    hardware: RentQuantiles | OwnedHardware | None
    n_providers: int | None = None
    rent_month: pd.Timestamp | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSettings:
    """How `cost_floor_bottom_up` draws: which rents, which assumptions, and the seed of its random numbers."""

    rent_kind: str = "on_demand"
    assumptions: Assumptions = field(default_factory=Assumptions)
    roofline: RooflineAssumptions = field(default_factory=RooflineAssumptions)
    draws: int = 20_000
    seed: int = 20_260_101

    def of(self, method: str) -> Assumptions:
        """What is assumed where a throughput was measured by `method`."""
        if method != "production":
            return self.assumptions
        # A day's average of a running service has idle time and field conditions in it.
        return replace(self.assumptions, utilisation=Range(1, 1, 1), field_ratio=Range(1, 1, 1))


def cost_floor_bottom_up(
    models: pd.DataFrame,
    rents: pd.DataFrame,
    throughput: pd.DataFrame,
    hardware: pd.DataFrame,
    as_of: datetime,
    settings: CostSettings | None = None,
) -> pd.DataFrame:
    """What input, output and a 3:1 blend cost to make, for every model class, GPU, method and way to get the GPU.

    The frames are the seeds `floor_models`, `gpu_rents`, `throughput` and `gpu_hardware`; only what was published by
    `as_of` is used: per basis the newest throughput, per GPU the newest month of rents, not older than a year and from
    at least 3 providers. Where nothing was measured for a model and a rentable GPU, a roofline stands in, on the
    smallest part of a server of 8 (1, 2, 4, 8) that leaves half of its memory to the cache, or all 8. GPUs with a known
    purchase price also get rows with `acquisition` "owned". `n_obs` counts throughput measurements, `n_providers` those
    behind the rents. A number that the data cannot support is null, with gate `insufficient` and a reason.
    """
    settings = settings or CostSettings()
    moment = utc_moment(as_of)
    today = moment.tz_localize(None)
    speeds = _measured_speeds(throughput[pd.to_datetime(throughput["published_on"]) <= today])
    gpus = _rows_of(hardware)
    supplies = {gpu["gpu"]: list(_supplies(gpu, rents, today, settings.rent_kind)) for gpu in gpus}
    rows: list[dict[str, Any]] = []
    for model in _rows_of(models):
        for gpu in gpus:
            known = speeds.get((model["model_class"], gpu["gpu"]), [])
            described_on = max(pd.Timestamp(model["source_date"]), pd.Timestamp(gpu["source_date"]))
            if not known and gpu["rented_as"] == gpu["gpu"] and described_on <= today:
                known = [_roofline_speed(model, gpu, settings.roofline)]
            about = {"as_of": moment, "model_class": model["model_class"], "gpu": gpu["gpu"]}
            rows += [
                {**about, **row}
                for speed in known
                for supply in supplies[gpu["gpu"]]
                for row in _rows(speed, supply, settings)
            ]
    return pd.DataFrame(rows, columns=list(COST_COLUMNS)).astype(COST_COLUMNS)


def _rows(speed: _Speed, supply: _Supply, settings: CostSettings) -> Iterator[dict[str, Any]]:
    assumptions, hardware = settings.of(speed.method), supply.hardware
    drawn = None
    if hardware is not None:
        drawn = _drawn(hardware, np.random.default_rng(settings.seed), assumptions, settings.draws)
    for meter in METERS:
        row: dict[str, Any] = {
            "meter": meter,
            "method": speed.method,
            "acquisition": supply.acquisition,
            "n_obs": speed.n_obs,
            "n_providers": supply.n_providers,
            "rent_month": supply.rent_month,
            "n_gpu": speed.n_gpu,
            "precision": speed.precision,
            "gate": "insufficient",
            "throughput_source": speed.source,
        }
        seconds = speed.seconds.get(meter)
        if seconds is None:
            row["reason"] = speed.unknown
        else:
            row["tokens_per_s_per_gpu"] = 1 / seconds
            row["reason"] = supply.reason or speed.caveat
            if hardware is not None and drawn is not None:
                estimate = _estimate(1 / seconds, hardware, assumptions, drawn)
                row |= {name: getattr(estimate, name) for name in CostEstimate.__slots__}
                row |= {"gate": "ok", "usd_per_gpu_hour": hardware.middle(assumptions)}
        yield row


def _supplies(gpu: dict[str, Any], rents: pd.DataFrame, today: pd.Timestamp, rent_kind: str) -> Iterator[_Supply]:
    month = pd.to_datetime(rents["month"])
    known = rents.assign(month=month)[
        (rents["gpu"] == gpu["rented_as"])
        & (rents["kind"] == rent_kind)
        & (month <= today)
        & (month >= today - pd.Timedelta(days=MAX_RENT_AGE_DAYS))
    ].sort_values("month")
    if known.empty:
        reason = f"no {rent_kind} rent of {gpu['rented_as']} in the {MAX_RENT_AGE_DAYS} days before"
        yield _Supply("rented", None, reason=reason)
    else:
        newest = known.iloc[-1]
        n_providers = int(newest["n_providers"])
        quantiles, reason = None, None
        if n_providers < MIN_PROVIDERS:
            reason = f"rents of {n_providers} providers, under {MIN_PROVIDERS}"
        else:
            quantiles = RentQuantiles(*(float(newest[f"usd_per_gpu_hour_{q}"]) for q in ("p25", "median", "p75")))
        yield _Supply("rented", quantiles, n_providers, newest["month"], reason)
    if pd.notna(gpu["capex_usd_per_gpu"]) and pd.Timestamp(gpu["capex_published_on"]) <= today:
        yield _Supply("owned", OwnedHardware(float(gpu["capex_usd_per_gpu"]), float(gpu["server_kw_per_gpu"])))


def _measured_speeds(throughput: pd.DataFrame) -> dict[tuple[str, str], list[_Speed]]:
    """What was measured of each model class on each GPU: per basis the newest."""
    speeds: defaultdict[tuple[str, str], list[_Speed]] = defaultdict(list)
    for (model_class, gpu, basis), every in throughput.groupby(["model_class", "gpu", "basis"], sort=True):
        newest = every[every["published_on"] == every["published_on"].max()]
        seconds, unknown = _SECONDS[str(basis)](newest)
        speeds[str(model_class), str(gpu)].append(
            _Speed(
                method=str(basis),
                precision=str(newest["precision"].iloc[0]),
                n_gpu=int(newest["n_gpu"].max()),
                seconds=_with_blend(seconds),
                unknown=unknown,
                n_obs=len(newest),
                source=str(newest["source"].iloc[0]),
            )
        )
    return speeds


def _with_blend(seconds: dict[str, float]) -> dict[str, float]:
    if not {"input", "output"} <= seconds.keys():
        return seconds
    return seconds | {"blend_3_1": INPUT_SHARE * seconds["input"] + OUTPUT_SHARE * seconds["output"]}


def _per_gpu(rows: pd.DataFrame) -> Floats:
    return (rows["tokens_per_s"] / rows["n_gpu"]).to_numpy(dtype=np.float64)


def _split_seconds(rows: pd.DataFrame) -> tuple[dict[str, float], str | None]:
    shapes = rows[["input_tokens", "output_tokens"]].to_numpy(dtype=np.float64)
    if len(rows) != 2 or not np.linalg.det(shapes):
        return {}, f"{len(rows)} shapes of requests; input and output come apart with two different ones"
    seconds = np.linalg.solve(shapes, shapes[:, 1] / _per_gpu(rows))
    if not (seconds > 0).all():
        return {}, "the two shapes of requests contradict each other"
    return {"input": float(seconds[0]), "output": float(seconds[1])}, None


def _output_seconds(rows: pd.DataFrame) -> tuple[dict[str, float], str | None]:
    return {"output": float(1 / _per_gpu(rows).max())}, "the benchmark counts output tokens only"


def _production_seconds(rows: pd.DataFrame) -> tuple[dict[str, float], str | None]:
    work = _per_gpu(rows) * (1 - rows["cached_share"].to_numpy(dtype=np.float64))
    return {str(meter): 1 / float(rate) for meter, rate in zip(rows["counts"], work, strict=True)}, "not reported"


_SECONDS = {
    "benchmark_split": _split_seconds,
    "benchmark_output": _output_seconds,
    "production": _production_seconds,
}


def _roofline_speed(model: dict[str, Any], gpu: dict[str, Any], assumptions: RooflineAssumptions) -> _Speed:
    eight_bit = pd.notna(gpu["dense_tflops_fp8"])
    bytes_per_value = 1.0 if eight_bit else 2.0
    peak = Gpu(
        flops=float(gpu["dense_tflops_fp8"] if eight_bit else gpu["dense_tflops_bf16"]) * 1e12,
        bandwidth=float(gpu["bandwidth_tb_per_s"]) * 1e12,
        memory=float(gpu["memory_gb"]) * 1e9,
    )
    shape = ModelShape(
        total_params=float(model["total_params"]),
        active_params=float(model["active_params"]),
        kv_values_per_token=float(model["kv_values_per_token"]),
        expert_params=float(model["expert_params"]),
        n_experts=int(model["n_experts"]),
        experts_per_token=int(model["experts_per_token"]),
    )
    weights = shape.total_params * bytes_per_value
    roomy = [n for n in (1, 2, 4, 8) if weights <= n * peak.memory * assumptions.memory_share / 2]
    n_gpu = roomy[0] if roomy else 8
    result = roofline(shape, peak, n_gpu, bytes_per_value, assumptions)
    rates = {"input": result.prefill_tokens_per_s_per_gpu, "output": result.decode_tokens_per_s_per_gpu}
    return _Speed(
        method="roofline",
        precision="fp8" if eight_bit else "bf16",
        n_gpu=n_gpu,
        seconds=_with_blend({meter: 1 / rate for meter, rate in rates.items() if rate is not None}),
        unknown=result.reason,
        caveat="a bound from below: services of mixtures of experts are several times slower"
        if shape.n_experts
        else None,
        n_obs=0,
        source=f"roofline on {n_gpu} GPUs, batch {result.batch}",
    )


def _rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
