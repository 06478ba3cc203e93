"""Whether the simulation of coverage simulates what it says, and what its report promises."""

import re

import numpy as np
import pytest
from scipy import stats

from benchmarks import coverage, coverage_floor
from benchmarks.coverage import PUBLISHED, REPORT, REQUIRED, SINGLES, TITLES, Moves, Panel, cases, results
from pipeline.analytics.decline import endpoint_rate


def test_the_truth_of_a_design_is_the_mean_of_its_draws() -> None:
    for design in (SINGLES[0], SINGLES[-1]):
        rng = np.random.default_rng(1)
        declines = [-design.draw(rng)[1].sum() for _ in range(4000)]
        error = np.std(declines) / np.sqrt(len(declines))
        assert abs(np.mean(declines) - design.truth) < 3 * error


def test_daily_prices_are_the_steps_filled_forward() -> None:
    days, log_steps = Moves(6, 3, 0.2, 0.1).draw(np.random.default_rng(2))
    steps = coverage.history(days, log_steps)
    daily = (
        steps.set_index("at")["price"]
        .resample("D")
        .last()
        .ffill()
        .reindex(coverage.START + np.arange(366) * np.timedelta64(1, "D"), method="ffill")
    )
    # A price that changes during a day is that of the next midnight.
    np.testing.assert_allclose(np.exp(coverage.daily(days, log_steps))[1:], daily.to_numpy()[:-1])
    rate = endpoint_rate(steps, coverage.AS_OF, 365)
    assert rate.ln_rate_per_year == pytest.approx(-coverage.daily(days, log_steps)[-1])


def test_a_panel_moves_by_provider_and_by_offer() -> None:
    only_wide = Panel(3, 4, Moves(5, 0, 0.2, 0.1), Moves(0, 0, 0, 0))
    steps, mean = coverage.panel_history(np.random.default_rng(3), only_wide)
    ends = steps.groupby(["provider", "offer_id"])["price"].last()
    assert len(ends) == 12
    assert (ends.groupby("provider").nunique() == 1).all()
    assert ends.nunique() == 3
    assert mean[-1] == pytest.approx(np.log(ends).mean())


def test_theil_sen_limits_are_those_of_scipy() -> None:
    years = np.arange(366) / 365
    for design in SINGLES:
        log_price = coverage.daily(*design.draw(np.random.default_rng(4)))
        slopes = stats.theilslopes(log_price, years, alpha=0.9)
        assert coverage.theil_sen_limits(years, log_price) == pytest.approx((slopes.low_slope, slopes.high_slope))


def test_a_few_draws_show_which_intervals_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "SINGLES", SINGLES[2:4])
    lines = results(60, ["rates"])
    assert [line.name for line in lines] == ["6 cuts and 2 rises a year", "6 cuts and 4 rises a year"]
    for line in lines:
        assert 50 < line.judged[PUBLISHED] <= 60
        assert line.covered[PUBLISHED] >= REQUIRED
        assert not line.is_short
        for forbidden in ("OLS, iid", "Newey-West", "Theil-Sen"):
            assert line.judged[forbidden] == line.judged[PUBLISHED]
            assert line.covered[forbidden] < 0.4
    # A draw depends neither on the portion that it is in nor on how many there are.
    monkeypatch.setattr(coverage, "PORTION", 7)
    assert results(60, ["rates"]) == lines


@pytest.mark.parametrize("topic", ["panels", "slowdown"])
def test_every_draw_is_judged(topic: str) -> None:
    for line in results(2, [topic]):
        assert line.judged.keys() >= {PUBLISHED, "OLS, iid", "Newey-West", "Theil-Sen"}


@pytest.mark.parametrize(("topic", "forbidden"), [("index", "items independent"), ("forecast", "OLS trend")])
def test_indices_and_forecasts_are_judged(topic: str, forbidden: str) -> None:
    lines = results(2, [topic])
    assert all(line.judged[PUBLISHED] == 2 for line in lines)
    assert any(forbidden in line.judged for line in lines)


def test_floors_are_taken_from_their_own_benchmark() -> None:
    rows = list(coverage_floor.results(3))
    lines = results(3, ["floor"])
    assert [line.name for line in lines] == [row.label for row in rows]
    assert [line.judged[PUBLISHED] for line in lines] == [3 * row.published for row in rows]
    assert [line.covered["curve_fit"] for line in lines] == [row.curve_fit_covered for row in rows]
    assert not any(np.isnan(share) for line in lines for share in line.covered.values())


def test_a_coverage_that_is_too_low_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(coverage, "SINGLES", SINGLES[:1])
    arguments = ["--draws", "10", "--workers", "1", "--topics", "rates"]
    assert coverage.main(arguments) == 0
    monkeypatch.setattr(coverage, "REQUIRED", 1.01)
    assert coverage.main(arguments) == 1
    assert "below 1.01: rates, 3 cuts and 1 rises a year" in capsys.readouterr().err


def test_the_report_has_every_design_and_what_is_required_of_it() -> None:
    text = REPORT.read_text()
    tables = dict(re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL))
    for case in cases():
        rows = re.findall(
            rf"^\| {re.escape(case.name)}.*?\| ([\d,]+) \| (0\.\d+|1\.000) \|", tables[TITLES[case.topic]], re.M
        )
        assert rows, case
        if case.is_required:
            assert all(float(covered) >= REQUIRED for _, covered in rows)
