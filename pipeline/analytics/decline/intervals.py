"""Limits of a movement from its steps. The methods and their sources are those of the package."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from pipeline.analytics.decline.steps import Floats

CONFIDENCE = 0.90


def gamma_limits(weights: Floats, largest: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Fay-Feuer limits of the expected sum of the weights of events that come as a Poisson process.

    `largest` is the weight that one more, unseen event might have had. With equal weights these are the exact Poisson
    limits times the weight. `confidence` is two-sided. Without events the lower limit is 0.
    """
    tail = (1 - confidence) / 2
    total, variance = float(weights.sum()), float((weights**2).sum())
    lower = variance / total * special.gammaincinv(total**2 / variance, tail) if total > 0 else 0.0
    total, variance = total + largest, variance + largest**2
    upper = variance / total * special.gammainccinv(total**2 / variance, tail) if total > 0 else 0.0
    return float(lower), float(upper)


def mover_difference(
    first: float, first_limits: tuple[float, float], second: float, second_limits: tuple[float, float]
) -> tuple[float, float]:
    """Limits of `first - second` from the separate limits of two independent estimates (MOVER)."""
    difference = first - second
    return (
        difference - math.hypot(first - first_limits[0], second_limits[1] - second),
        difference + math.hypot(first_limits[1] - first, second - second_limits[0]),
    )


def movement_limits(log_steps: Sequence[float]) -> tuple[float, float]:
    """Limits of the sum of the steps, cuts less rises, as a decline of the log price."""
    cuts = np.array([-step for step in log_steps if step < 0])
    rises = np.array([step for step in log_steps if step > 0])
    largest = max(map(abs, log_steps), default=0.0)
    return mover_difference(
        math.fsum(cuts),
        gamma_limits(cuts, float(cuts.max(initial=0.0)) or largest),
        math.fsum(rises),
        gamma_limits(rises, float(rises.max(initial=0.0)) or largest),
    )
