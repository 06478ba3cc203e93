"""What the modules of the package share: checks of numbers, and the rows of a frame."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.analytics.decline import Floats


def require_positive(**values: float | Floats) -> None:
    """Raises ValueError naming the first of these numbers or arrays that is not positive and finite."""
    for name, value in values.items():
        numbers: npt.NDArray[np.float64] = np.asarray(value, dtype=np.float64)
        if not (np.isfinite(numbers) & (numbers > 0)).all():
            raise ValueError(f"{name} is positive and finite, not {value!r}")


def require_order(low: float, middle: float, high: float) -> None:
    """Raises ValueError where a range of these limits does not hold its middle."""
    if not low <= middle <= high:
        raise ValueError(f"not in order: {low} <= {middle} <= {high}")


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame by the names of its columns."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
