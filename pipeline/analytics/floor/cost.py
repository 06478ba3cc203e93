"""What it costs to make a million tokens, bottom-up.

What a throughput counts decides what may be said about a meter, and a benchmark's "tokens per second" is never input
plus output here. `throughput.basis` says which of three it is:

- `benchmark_split`: output tokens per second at full load, measured with two shapes of requests on one machine, one
  mostly input, one mostly output. A request takes `input x s_in + output x s_out` GPU seconds, so two shapes give both.
- `benchmark_output`: MLPerf Inference counts output tokens over a fixed set of prompts whose reading it times but does
  not count. All machine time is charged to output: output comes out too high, input and blend are not known.
- `production`: an operator's average over a day, input and output on separate machines. Idle time and the difference
  between field and laboratory are in it. Input served from a cache is taken out: it is assumed to cost no GPU time.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from pipeline.analytics.decline import Floats, utc_moment
from pipeline.analytics.floor.checks import rows_of
from pipeline.analytics.floor.estimate import (
    Assumptions,
    CostEstimate,
    OwnedHardware,
    Range,
    RentQuantiles,
    draw_inputs,
    estimate,
)
from pipeline.analytics.floor.machine import Gpu, ModelShape, RooflineAssumptions, roofline

# Quartiles of fewer providers than this say little about a market.
MIN_PROVIDERS = 3
MAX_RENT_AGE_DAYS = 365
INPUT_SHARE, OUTPUT_SHARE = 0.75, 0.25  # the field's 3:1 blend
METERS = ("input", "output", "blend_3_1")
# Where a throughput comes from, the most telling first. `benchmark_output` charges the reading of prompts to output:
# too much to be a floor.
METHODS = ("production", "benchmark_split", "roofline")

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
    gpus = rows_of(hardware)
    supplies = {gpu["gpu"]: list(_supplies(gpu, rents, today, settings.rent_kind)) for gpu in gpus}
    rows: list[dict[str, Any]] = []
    for model in rows_of(models):
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


def rented(costs: pd.DataFrame) -> pd.DataFrame:
    """The rows of `cost_floor_bottom_up` about rented GPUs whose method may give a floor, the most telling first.

    Of one method the cheapest comes first, and what is not known last.
    """
    rows = costs[(costs["acquisition"] == "rented") & costs["method"].isin(METHODS)]
    rank = rows["method"].map({method: place for place, method in enumerate(METHODS)})
    return rows.assign(unknown=rows["gate"] != "ok", rank=rank).sort_values(["unknown", "rank", "p50", "gpu"])


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


def _rows(speed: _Speed, supply: _Supply, settings: CostSettings) -> Iterator[dict[str, Any]]:
    assumptions, hardware = settings.of(speed.method), supply.hardware
    drawn = None
    if hardware is not None:
        drawn = draw_inputs(hardware, np.random.default_rng(settings.seed), assumptions, settings.draws)
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
                costs = estimate(1 / seconds, hardware, assumptions, drawn)
                row |= {name: getattr(costs, name) for name in CostEstimate.__slots__}
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
