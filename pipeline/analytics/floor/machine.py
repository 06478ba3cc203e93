"""What a machine can make of a model where nobody has measured it: a roofline of arithmetic and memory.

Throughputs are tokens per second and GPU. The quantities that no data set gives are in `RooflineAssumptions`.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass

from pipeline.analytics.floor.checks import require_positive


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
        require_positive(
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
        require_positive(flops=self.flops, bandwidth=self.bandwidth, memory=self.memory)


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
        require_positive(context=self.context, min_tokens_per_s=self.min_tokens_per_s)
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
    require_positive(n_gpu=n_gpu, bytes_per_value=bytes_per_value)
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
