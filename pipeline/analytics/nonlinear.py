"""Nonlinear least squares: SciPy's Levenberg-Marquardt, run to the last digit, with standard errors.

Held in the tests to the certified values of NIST's Statistical Reference Datasets.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

Floats = npt.NDArray[np.float64]

# Relative changes below this are rounding.
ROUNDING = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Least squares at its optimum.

    `standard_errors` come from the linearised model, `s^2 (J'J)^-1` with `s^2 = rss / (n - parameters)`; they are None
    where there are no degrees of freedom or the parameters cannot be told apart.
    """

    parameters: Floats
    standard_errors: Floats | None
    residuals: Floats
    rss: float
    converged: bool


def fit_nonlinear(
    residuals: Callable[[Floats], Floats],
    start: Floats,
    jacobian: Callable[[Floats], Floats] | None = None,
    bounds: tuple[Floats, Floats] | None = None,
    tolerance: float = ROUNDING,
    max_evaluations: int = 5_000,
) -> Fit:
    """Minimises the sum of squares of `residuals(parameters)` from `start`.

    `jacobian` gives the derivatives of the residuals, a row per residual; without it they are central differences.
    Without `bounds` (lower and upper, per parameter) this is MINPACK's Levenberg-Marquardt, with them a trust region.
    It ends when neither the parameters nor the sum of squares change by more than `tolerance`, relatively.
    Raises ValueError for a start outside the bounds or residuals there that are not finite.
    """
    found = optimize.least_squares(
        residuals,
        start,
        jac=jacobian or "3-point",
        bounds=bounds or (-np.inf, np.inf),
        method="trf" if bounds else "lm",
        x_scale="jac",
        ftol=tolerance,
        xtol=tolerance,
        gtol=tolerance,
        max_nfev=max_evaluations,
    )
    rss = float(found.fun @ found.fun)
    return Fit(
        parameters=found.x,
        standard_errors=_standard_errors(found.jac, rss),
        residuals=found.fun,
        rss=rss,
        converged=bool(found.success),
    )


def _standard_errors(jacobian: Floats, rss: float) -> Floats | None:
    n, parameters = jacobian.shape
    # Parameters of very different size are no sign that they cannot be told apart.
    scale = np.linalg.norm(jacobian, axis=0)
    if n <= parameters or not scale.all():
        return None
    _, singular, rotation = np.linalg.svd(jacobian / scale, full_matrices=False)
    if singular[-1] < np.finfo(float).eps * n * singular[0]:
        return None
    errors: Floats = np.sqrt(rss / (n - parameters)) * np.linalg.norm(rotation.T / singular, axis=1) / scale
    return errors
