"""The fitter against NIST's certified values (Statistical Reference Datasets, itl.nist.gov/div898/strd; public domain).

`nist/` holds the observations, starts and certified values of the nonlinear sets, and those of Longley.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.analytics.decline.rates import ols_slope
from pipeline.analytics.nonlinear import Floats, fit_nonlinear

NIST = Path(__file__).parent / "nist"
DATA = pd.read_csv(NIST / "nonlinear_data.csv")
CERTIFIED = pd.read_csv(NIST / "nonlinear_certified.csv")

MODELS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "Misra1a": lambda b, x: b[0] * -np.expm1(-b[1] * x),
    "Misra1b": lambda b, x: b[0] * (1 - (1 + b[1] * x / 2) ** -2),
    "Chwirut2": lambda b, x: np.exp(-b[0] * x) / (b[1] + b[2] * x),
    "DanWood": lambda b, x: b[0] * x ** b[1],
    "Rat42": lambda b, x: b[0] / (1 + np.exp(b[1] - b[2] * x)),
    "Rat43": lambda b, x: b[0] / (1 + np.exp(b[1] - b[2] * x)) ** (1 / b[3]),
    "MGH09": lambda b, x: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH10": lambda b, x: b[0] * np.exp(b[1] / (x + b[2])),
    "MGH17": lambda b, x: b[0] + b[1] * np.exp(-x * b[3]) + b[2] * np.exp(-x * b[4]),
    "BoxBOD": lambda b, x: b[0] * -np.expm1(-b[1] * x),
    "Eckerle4": lambda b, x: b[0] / b[1] * np.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Thurber": lambda b, x: np.polyval(b[3::-1], x) / np.polyval([b[6], b[5], b[4], 1], x),
    "Lanczos3": lambda b, x: b[0] * np.exp(-b[1] * x) + b[2] * np.exp(-b[3] * x) + b[4] * np.exp(-b[5] * x),
}
# BoxBOD's far start is on a slope that leads away from the optimum, for any method that only goes down.
STARTS = [
    (name, start) for name in MODELS for start in ("start_2", "start_1") if (name, start) != ("BoxBOD", "start_1")
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "start"), STARTS)
def test_nist_to_five_digits(name: str, start: str) -> None:
    data = DATA[DATA["dataset"] == name]
    certified = CERTIFIED[CERTIFIED["dataset"] == name].set_index("name")
    parameters = certified.drop("rss")
    x, y = data["x"].to_numpy(), data["y"].to_numpy()
    fit = fit_nonlinear(lambda b: y - MODELS[name](b, x), parameters[start].to_numpy())
    assert fit.converged
    assert fit.standard_errors is not None
    np.testing.assert_allclose(fit.parameters, parameters["value"], rtol=1e-6)
    np.testing.assert_allclose(fit.standard_errors, parameters["standard_deviation"], rtol=1e-4)
    assert fit.rss == pytest.approx(certified.loc["rss", "value"], rel=1e-9)


def test_a_trust_region_within_bounds_finds_the_same() -> None:
    data = DATA[DATA["dataset"] == "BoxBOD"]
    x, y = data["x"].to_numpy(), data["y"].to_numpy()

    def slopes(b: Floats) -> Floats:
        return np.column_stack([np.expm1(-b[1] * x), -b[0] * x * np.exp(-b[1] * x)])

    bounds = np.array([0.0, 0.0]), np.array([1000.0, 10.0])
    fit = fit_nonlinear(lambda b: y + b[0] * np.expm1(-b[1] * x), np.array([100.0, 0.75]), slopes, bounds)
    np.testing.assert_allclose(fit.parameters, [2.1380940889e02, 5.4723748542e-01], rtol=1e-6)
    at_the_edge = fit_nonlinear(
        lambda b: y + b[0] * np.expm1(-b[1] * x),
        np.array([100.0, 0.75]),
        slopes,
        (np.array([0.0, 0.0]), np.array([200.0, 10.0])),
    )
    assert at_the_edge.parameters[0] == pytest.approx(200, rel=1e-6)


def test_longley() -> None:
    """Six predictors that are nearly one: a linear model is a nonlinear one whose slopes stand still."""
    data = pd.read_csv(NIST / "longley.csv")
    design = np.column_stack([np.ones(len(data)), data.drop(columns="y").to_numpy(dtype=float)])
    y = data["y"].to_numpy(dtype=float)
    fit = fit_nonlinear(lambda b: y - design @ b, np.zeros(7), lambda _: -design)
    certified = pd.read_csv(NIST / "longley_certified.csv")
    assert fit.standard_errors is not None
    np.testing.assert_allclose(fit.parameters, certified["value"], rtol=1e-6)
    np.testing.assert_allclose(fit.standard_errors, certified["standard_deviation"], rtol=1e-6)
    assert fit.rss == pytest.approx(836424.055505915, rel=1e-9)


def test_parameters_that_cannot_be_told_apart_have_no_errors() -> None:
    x = np.arange(5.0)
    fit = fit_nonlinear(lambda b: x**2 - (b[0] + b[1]) * x, np.array([0.1, 0.2]), lambda _: -np.column_stack([x, x]))
    assert fit.standard_errors is None
    assert fit_nonlinear(lambda b: x[:2] - b, np.zeros(2)).standard_errors is None


def test_a_start_outside_the_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        fit_nonlinear(lambda b: b, np.array([2.0]), bounds=(np.array([0.0]), np.array([1.0])))


def test_norris() -> None:
    """A straight line: by the fitter, and by the regression behind `ols_daily` and `records_ols`."""
    data = pd.read_csv(NIST / "norris.csv")
    x, y = data["x"].to_numpy(), data["y"].to_numpy()
    fit = fit_nonlinear(lambda b: y - b[0] - b[1] * x, np.zeros(2), lambda _: -np.column_stack([np.ones_like(x), x]))
    assert fit.standard_errors is not None
    np.testing.assert_allclose(fit.parameters, [-0.262323073774029, 1.00211681802045], rtol=1e-9)
    np.testing.assert_allclose(fit.standard_errors, [0.232818234301152, 0.429796848199937e-03], rtol=1e-9)
    assert fit.rss == pytest.approx(26.6173985294224, rel=1e-9)
    assert ols_slope(x, y) == pytest.approx(1.00211681802045, rel=1e-11)
