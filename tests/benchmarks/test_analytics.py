"""Whether the benchmark of the statistics makes every table, and compares like with like."""

import pytest

from benchmarks import analytics


def test_every_table_has_rows_and_the_plain_loop_has_the_same_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics, "SERIES", 2)
    frames = analytics.inputs()
    timed = analytics.make_tables(frames)
    assert [table.name for table in timed] == list(analytics.TABLES)
    assert all(table.rows == len(frames[table.name]) > 0 for table in timed)
    rates = frames["decline_rates"]
    plain = analytics.plain_loop(frames["series"])
    assert (rates[rates["method"] == "theil_sen"]["gate"] == "ok").sum() >= 4
    assert analytics.most_different(rates, plain) < 1e-9
    wrong = rates.assign(ln_rate_per_year=rates["ln_rate_per_year"] + 0.5)
    assert analytics.most_different(wrong, plain) == pytest.approx(0.5)


def test_the_inputs_are_the_same_on_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics, "SERIES", 1)
    first, second = analytics.inputs(), analytics.inputs()
    assert all(first[name].equals(second[name]) for name in first)
