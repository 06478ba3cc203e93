import numpy as np
import pytest

from benchmarks.coverage_floor import DESIGNS, Design, covers, prices, results
from pipeline.analytics.floor import Asymptote


def test_the_same_draws_give_the_same_coverage() -> None:
    rows = list(results(4))
    assert [row.label for row in rows] == [design.label for design in DESIGNS]
    assert len({row.label for row in rows}) == len(rows)
    assert all(row.n == 4 and 0 <= row.published <= 1 for row in rows)
    # NaN, where nothing was published, is not itself.
    assert repr(rows) == repr(list(results(4)))


def test_errors_have_the_size_and_the_likeness_that_they_should() -> None:
    design = Design(24, 2.0, 0.2, alike=0.6)
    errors = np.log(prices(np.random.default_rng(1), design, 4000) / design.curve())
    assert errors.std() == pytest.approx(0.2, rel=0.02)
    assert np.corrcoef(errors[:, 10], errors[:, 11])[0, 1] == pytest.approx(0.6, abs=0.04)


def test_an_upper_bound_covers_what_is_below_it() -> None:
    bound = Asymptote(hi90=0.2, n_obs=24, n_events=20, gate="insufficient", reason="a reason")
    assert covers(bound, 0.1) is True
    assert covers(bound, 0.3) is False
    unknown = Asymptote(n_obs=2, n_events=1, gate="insufficient", reason="2 points, under 12")
    assert covers(unknown, 0.1) is None
