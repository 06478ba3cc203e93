"""Verdicts on claims: every rule by a case worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from pipeline.analytics.claims import CLAIM_SCORECARD_COLUMNS, ROUNDING, Claim, Observation, scorecard, verdict

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
PRICE = Claim(
    kind="price_point",
    value_low=10,
    value_high=10,
    unit="USD per 1M tokens",
    date_from=date(2024, 6, 1),
    date_to=date(2024, 6, 30),
    comparison="within",
)
FALL = replace(PRICE, kind="decline_rate", unit="x in all", date_from=date(2023, 1, 1), date_to=date(2026, 1, 31))
RATE = replace(FALL, unit="x a year")
FORECAST = replace(
    PRICE, kind="forecast", comparison="at_most", value_low=None, value_high=1, date_to=date(2027, 12, 31)
)


def seen(low: float, high: float | None = None, **more: object) -> Observation:
    found = Observation(observed_low=low, observed_high=low if high is None else high, n_evidence=1)
    return replace(found, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("comparison", "claimed", "observed", "expected"),
    [
        # One number is a rounded one: 10 / 1.1 to 10 x 1.1.
        ("within", (10, 10), (9.1, 9.1), "met"),
        ("within", (10, 10), (9.0, 9.0), "refuted"),
        ("within", (10, 10), (11.0, 11.0), "met"),
        ("within", (10, 10), (11.1, 11.1), "refuted"),
        # A range is not: it has to be touched, no more.
        ("within", (10, 20), (9.9, 9.9), "refuted"),
        ("within", (10, 20), (5, 10), "met"),
        ("within", (10, 20), (20, 40), "met"),
        ("within", (10, 20), (21, 40), "refuted"),
        ("within", (10, 20), (1, 100), "met"),
        ("within", (10, None), (9, 9), "refuted"),
        ("within", (10, None), (99, 99), "met"),
        # Bounds, of which the claim's other number is no part.
        ("at_most", (None, 0.15), (0.15, 0.6), "met"),
        ("at_most", (None, 0.15), (0.151, 0.6), "refuted"),
        ("at_most", (0.1, 0.15), (0.01, 0.02), "met"),
        ("at_least", (100, None), (100, 100), "met"),
        ("at_least", (100, None), (99, 99), "refuted"),
        ("at_least", (100, 200), (900, 900), "met"),
        # From one end to the other.
        ("spans", (3, 12), (3, 12), "met"),
        ("spans", (3, 12), (1, 19), "met"),
        ("spans", (3, 12), (4, 19), "refuted"),
        ("spans", (3, 12), (1, 11), "refuted"),
    ],
)
def test_what_is_observed_is_compared(
    comparison: str, claimed: tuple[float | None, float | None], observed: tuple[float, float], expected: str
) -> None:
    claim = replace(PRICE, comparison=comparison, value_low=claimed[0], value_high=claimed[1])
    decision, reason = verdict(claim, seen(*observed), AS_OF)
    assert decision == expected
    assert reason.startswith("Observed ")


@pytest.mark.parametrize(("kind", "factor"), ROUNDING.items())
def test_one_number_is_rounded_as_its_kind_is(kind: str, factor: float) -> None:
    claim = replace(PRICE, kind=kind, date_to=date(2024, 6, 30))
    for within, outside in ((10 * factor, 10.1 * factor), (10 / factor, 9.9 / factor)):
        assert verdict(claim, seen(within), AS_OF)[0] == "met"
        assert verdict(claim, seen(outside), AS_OF)[0] == "refuted"


def test_floats_of_a_blend_do_not_decide() -> None:
    claim = replace(PRICE, value_low=None, value_high=0.3, comparison="at_most")
    assert verdict(claim, seen(0.1 + 0.2), AS_OF)[0] == "met"
    assert (
        verdict(replace(claim, value_low=0.3, value_high=0.6, comparison="spans"), seen(0.1 + 0.2, 0.6), AS_OF)[0]
        == "met"
    )


def test_the_reason_has_the_numbers() -> None:
    assert verdict(PRICE, seen(5.0, 15.0), AS_OF)[1] == "Observed 5 to 15 USD per 1M tokens; claimed was 10."
    assert verdict(PRICE, seen(1234.5), AS_OF)[1] == "Observed 1,230 USD per 1M tokens; claimed was 10."
    bound = replace(PRICE, value_low=None, comparison="at_most")
    assert verdict(bound, seen(0.0004321), AS_OF)[1].endswith(
        "Observed 0.000432 USD per 1M tokens; claimed was at most 10."
    )


def test_what_was_not_observed_is_untestable() -> None:
    nothing = Observation(n_evidence=0, evidence="9 in 2025")
    decision, reason = verdict(PRICE, nothing, AS_OF)
    assert decision == "untestable"
    assert reason == "Nothing is known from 2024-06-01 to 2024-06-30; first known is 9 in 2025."
    assert verdict(PRICE, Observation(), AS_OF)[1] == "Nothing is known from 2024-06-01 to 2024-06-30."
    # Evidence without a value, such as one of two prices, is none.
    assert verdict(PRICE, Observation(n_evidence=5), AS_OF)[0] == "untestable"


def test_what_is_yet_to_come_is_untestable_unless_it_is_a_forecast() -> None:
    before, first_day = datetime(2024, 5, 31, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)
    assert verdict(PRICE, seen(10), before) == ("untestable", "It is about the time from 2024-06-01 on.")
    assert verdict(PRICE, seen(10), first_day)[0] == "met"
    assert verdict(FORECAST, seen(0.5), before)[0] == "on_track"


def test_what_no_query_can_test_says_why() -> None:
    claim = replace(PRICE, untestable_because="No page says so.")
    assert verdict(claim, Observation(), AS_OF) == ("untestable", "No page says so.")


@pytest.mark.parametrize(
    ("limits", "expected"),
    [((2, 30), "untestable"), ((2, 6), "refuted"), ((16, 40), "refuted"), ((None, None), "refuted")],
)
def test_a_rate_is_refuted_only_outside_of_its_interval(
    limits: tuple[float | None, float | None], expected: str
) -> None:
    """Ten times a year, told in orders of magnitude: 6.7 to 15."""
    found = replace(seen(20), interval_low=limits[0], interval_high=limits[1])
    decision, reason = verdict(RATE, found, AS_OF)
    assert decision == expected
    assert ("90 % interval" in reason) == (expected == "untestable")
    assert verdict(RATE, replace(found, observed_low=12, observed_high=12), AS_OF)[0] == "met"


@pytest.mark.parametrize(
    ("comparison", "claimed", "fall", "expected"),
    [
        ("at_least", (100, None), 428, "met"),
        ("at_least", (100, None), 40, "untestable"),
        ("within", (20, 30), 428, "refuted"),
        ("within", (20, 30), 25, "untestable"),
        ("within", (20, 30), 5, "untestable"),
    ],
)
def test_a_total_since_a_later_day_is_a_lower_bound(
    comparison: str, claimed: tuple[float, float | None], fall: float, expected: str
) -> None:
    claim = replace(FALL, comparison=comparison, value_low=claimed[0], value_high=claimed[1])
    late = seen(fall, observed_from=date(2023, 12, 14))
    decision, reason = verdict(claim, late, AS_OF)
    assert decision == expected
    assert "since 2023-12-14 alone" in reason
    # A month later is early enough, and a rate has no start.
    in_time = {"untestable": "met" if fall == 25 else "refuted"}.get(expected, expected)
    assert verdict(claim, replace(late, observed_from=date(2023, 2, 1)), AS_OF)[0] == in_time
    assert verdict(replace(claim, unit="x a year"), late, AS_OF)[0] == in_time


@pytest.mark.parametrize(
    ("now", "projected", "expected"),
    [
        (0.9, None, "on_track"),
        (0.9, 2.0, "on_track"),
        (3.0, 0.8, "on_track"),
        (3.0, 2.0, "off_track"),
        (3.0, None, "off_track"),
    ],
)
def test_a_forecast_is_on_track_until_its_time_is_over(now: float, projected: float | None, expected: str) -> None:
    found = seen(now, projected_low=projected, projected_high=projected)
    decision, reason = verdict(FORECAST, found, AS_OF)
    assert decision == expected
    assert ("by 2027-12-31" in reason) == (projected is not None)
    on_the_last_day = datetime(2027, 12, 31, tzinfo=UTC)
    assert verdict(FORECAST, found, on_the_last_day)[0] == expected
    over = verdict(FORECAST, found, datetime(2028, 1, 1, tzinfo=UTC))[0]
    assert over == ("met" if now <= 1 else "refuted")


def test_an_unknown_comparison_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown comparison 'about'"):
        verdict(replace(PRICE, comparison="about"), seen(10), AS_OF)


def said(claim_id: str, **more: object) -> dict[str, object]:
    return {
        "claim_id": claim_id,
        "source": "somebody",
        "claim": "it costs 10",
        "kind": "price_point",
        "subject": "a model",
        "value_low": 10.0,
        "value_high": 10.0,
        "unit": "USD per 1M tokens",
        "date_from": pd.Timestamp("2024-06-01"),
        "date_to": pd.Timestamp("2024-06-30"),
        "comparison": "within",
        "untestable_because": None,
    } | more


CLAIMS = pd.DataFrame([said("C2"), said("C1", value_low=None), said("C3", untestable_because="No page says so.")])
ANSWERS = pd.DataFrame(
    [
        {
            "claim_id": "C1",
            "query": "select 1",
            "observed_low": 3,
            "observed_high": 4,
            "n_evidence": 2,
            "evidence": "x",
        },
        {"claim_id": "C2", "query": "select 2", "n_evidence": 0},
    ]
)
PAIRS = pd.DataFrame({"claim_a": ["C1", "C1"], "claim_b": ["C3", "C2"], "why": ["", ""]})


def test_the_scorecard_has_a_row_per_claim_and_no_nan() -> None:
    card = scorecard(CLAIMS, ANSWERS, PAIRS, AS_OF)
    assert list(card.columns) == list(CLAIM_SCORECARD_COLUMNS)
    assert list(card["claim_id"]) == ["C1", "C2", "C3"]
    assert list(card["verdict"]) == ["met", "untestable", "untestable"]
    assert list(card["reason"].str.split(".").str[0]) == [
        "Observed 3 to 4 USD per 1M tokens; claimed was open to 10",
        "Nothing is known from 2024-06-01 to 2024-06-30",
        "No page says so",
    ]
    assert list(card["contradicts"]) == [["C2", "C3"], ["C1"], ["C1"]]
    assert card.loc[0, ["observed_low", "observed_high"]].tolist() == [3, 4]
    assert card.loc[2, ["observed_low", "observed_high", "query", "n_evidence"]].isna().all()
    assert card.loc[0, "date_from"] == date(2024, 6, 1)


@pytest.mark.parametrize("answers", [ANSWERS.iloc[:1], pd.concat([ANSWERS, ANSWERS.iloc[:1].assign(claim_id="C3")])])
def test_a_claim_has_a_query_or_a_reason_why_not(answers: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="needs either a query or a reason"):
        scorecard(CLAIMS, answers, PAIRS, AS_OF)


def test_without_claims_there_is_an_empty_scorecard() -> None:
    assert scorecard(CLAIMS.iloc[:0], ANSWERS.iloc[:0], PAIRS.iloc[:0], AS_OF).empty
