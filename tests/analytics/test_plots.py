"""Plots of tables as the process that draws gets them."""

import subprocess
import sys

import pandas as pd

from pipeline.analytics import plots
from pipeline.assets.analytics.common import bars

DRAWS_ONE = """
import sys
import numpy as np
from pipeline.analytics import plots
number = np.array([1.0])
assert "<svg" in plots.intervals({"label": np.array(["one"]), "value": number, "low": number, "high": number}, "", "")
sys.exit("pandas" in sys.modules)
"""


def test_drawing_does_not_load_pandas() -> None:
    assert subprocess.run([sys.executable, "-c", DRAWS_ONE], check=False).returncode == 0


def test_a_bar_without_a_value_says_so() -> None:
    rows = pd.DataFrame({"rate": [0.5, None], "lo90": [0.25, None], "hi90": [1.0, None]}).astype("Float64")
    drawn = plots.intervals(bars(["known", "unknown"], rows, "rate", "lo90", "hi90"), "Rates", "per year")
    assert drawn.count("not supported by the data") == 1
