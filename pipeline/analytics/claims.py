"""What others say about prices of inference, held against what is observed.

A claim says that something lies in a range, and a query that is stored with it says what the warehouse observes. The
verdict follows from both by `verdict`, never by hand:

- What a claim leaves open counts for it. Where it does not say which tokens, months or GPUs it means, the observed
  range is that of every plain reading, and touching the claimed range is enough.
- One number is a rounded one: list prices may differ by 10 %, costs of hardware by 25 %, rates of decline, which are
  told in orders of magnitude, by half again. Who claims a range, or a bound, has rounded already.
- A total since a day from which no price is known is at least what is known of it, as the price was not lower before.
- A rate outside of the claim refutes it only if its 90 % interval rules the claim out too; otherwise nobody can tell.
- A forecast is on track if it holds already, or at its end if prices go on as in the last 365 days. It is met or
  refuted only when its time is over.
- What was not observed, or is yet to come, is untestable.
"""

import math
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

import pandas as pd

Verdict = Literal["met", "on_track", "off_track", "refuted", "untestable"]

# The factor by which one claimed number may be off, by kind of claim.
ROUNDING = {
    "price_point": 1.1,
    "floor": 1.25,
    "driver": 1.25,
    "decline_rate": 1.5,
    "forecast": 1.5,
    "crossover": 1.5,
}
# How many days after the start of a claim its first price may be known, for a total to be one of the whole time.
LATE_DAYS = 31
# Blended prices carry the rounding of floats.
SAME = 1e-9

CLAIM_SCORECARD_COLUMNS = {
    "claim_id": "string",
    "as_of": "datetime64[us, UTC]",
    "source": "string",
    "claim": "string",
    "kind": "string",
    "subject": "string",
    "value_low": "Float64",
    "value_high": "Float64",
    "unit": "string",
    "date_from": "object",
    "date_to": "object",
    "comparison": "string",
    "observed_low": "Float64",
    "observed_high": "Float64",
    "interval_low": "Float64",
    "interval_high": "Float64",
    "projected_low": "Float64",
    "projected_high": "Float64",
    "n_evidence": "Int64",
    "verdict": "string",
    "reason": "string",
    "evidence": "string",
    "evidence_sha256": "string",
    "contradicts": "object",
    "query": "string",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That something lay between `value_low` and `value_high` (None: open), in `unit`, from `date_from` to `date_to`.

    `kind` is a key of `ROUNDING`; `comparison` is within, at_most, at_least or spans (the observed range reaches over
    the claimed one); `untestable_because` says why no query can test it.
    """

    kind: str
    value_low: float | None
    value_high: float | None
    unit: str
    date_from: date
    date_to: date
    comparison: str
    untestable_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the query of a claim finds: a range in the claim's unit, over every plain reading of the claim.

    `interval_low` and `interval_high` are the 90 % limits of a rate, `projected_low` and `projected_high` the range at
    the end of a forecast if the last 365 days go on, `observed_from` and `observed_to` the days whose prices are
    compared. `n_evidence` counts what it rests on; without any, `evidence` tells what is known instead.
    """

    observed_low: float | None = None
    observed_high: float | None = None
    interval_low: float | None = None
    interval_high: float | None = None
    projected_low: float | None = None
    projected_high: float | None = None
    observed_from: date | None = None
    observed_to: date | None = None
    n_evidence: int = 0
    evidence: str | None = None


def verdict(claim: Claim, observation: Observation, as_of: datetime) -> tuple[Verdict, str]:
    """The verdict on a claim as of a day, and the reason in one sentence. Raises ValueError for unknown comparisons."""
    if claim.untestable_because:
        return "untestable", claim.untestable_because
    if claim.kind != "forecast" and as_of.date() < claim.date_from:
        return "untestable", f"It is about the time from {claim.date_from} on."
    low, high = observation.observed_low, observation.observed_high
    if observation.n_evidence == 0 or low is None or high is None:
        known = f"; first known is {observation.evidence}" if observation.evidence else ""
        return "untestable", f"Nothing is known from {claim.date_from} to {claim.date_to}{known}."
    claimed = _claimed(claim)
    observed = f"Observed {_range(low, high)} {claim.unit}"
    holds = _holds(claim, low, high)
    if claim.kind == "forecast" and as_of.date() <= claim.date_to:
        observed += f" by {as_of:%Y-%m-%d}"
        if observation.projected_low is not None and observation.projected_high is not None:
            holds = holds or _holds(claim, observation.projected_low, observation.projected_high)
            projected = _range(observation.projected_low, observation.projected_high)
            observed += f" and, going on as in the last 365 days, {projected} by {claim.date_to}"
        return "on_track" if holds else "off_track", f"{observed}; forecast was {claimed}."
    if _is_late(claim, observation):
        since = f"{observed} since {observation.observed_from} alone"
        if claim.comparison == "at_least" and holds:
            return "met", f"{since}; claimed was {claimed}."
        if claim.comparison == "within" and not holds and low > _limits(claim)[1]:
            return "refuted", f"{since}; claimed was {claimed}."
        return "untestable", f"{since}; nothing is known from {claim.date_from} to then, and claimed was {claimed}."
    if holds:
        return "met", f"{observed}; claimed was {claimed}."
    if (
        observation.interval_low is not None
        and observation.interval_high is not None
        and _holds(claim, observation.interval_low, observation.interval_high)
    ):
        interval = _range(observation.interval_low, observation.interval_high)
        return "untestable", f"{observed}, but its 90 % interval, {interval}, leaves room for the claimed {claimed}."
    return "refuted", f"{observed}; claimed was {claimed}."


def scorecard(
    claims: pd.DataFrame,
    observations: pd.DataFrame,
    contradictions: pd.DataFrame,
    as_of: datetime,
) -> pd.DataFrame:
    """One row per claim: what it says, what is observed, the verdict with its reason, and whom it contradicts.

    `claims` has the columns of the seed, `observations` `claim_id`, `query` and the fields of `Observation` for those
    that have a query, `contradictions` pairs `claim_a`, `claim_b`. Values are in the unit of the claim. Raises
    ValueError for a claim that has neither a query nor a reason why not.
    """
    found = {row["claim_id"]: row for row in _rows(observations)}
    pairs = list(contradictions[["claim_a", "claim_b"]].itertuples(index=False, name=None))
    rows = []
    for said in _rows(claims):
        claim_id = said["claim_id"]
        seen = found.get(claim_id, {})
        claim = Claim(**{field.name: said[field.name] for field in fields(Claim)})
        if (claim_id in found) == bool(claim.untestable_because):
            raise ValueError(f"{claim_id} needs either a query or a reason why it has none")
        observation = Observation(
            **{field.name: seen[field.name] for field in fields(Observation) if field.name in seen}
        )
        decision, reason = verdict(claim, observation, as_of)
        others = {b if a == claim_id else a for a, b in pairs if claim_id in (a, b)}
        rows.append(
            {**said, **seen, "as_of": as_of, "verdict": decision, "reason": reason, "contradicts": sorted(others)}
        )
    frame = pd.DataFrame(rows).reindex(columns=list(CLAIM_SCORECARD_COLUMNS))
    return frame.astype(CLAIM_SCORECARD_COLUMNS).sort_values("claim_id", ignore_index=True)


def _holds(claim: Claim, low: float, high: float) -> bool:
    lower, upper = _limits(claim)
    match claim.comparison:
        case "within":
            return low <= upper and high >= lower
        case "at_most":
            return low <= upper
        case "at_least":
            return high >= lower
        case "spans":
            return low <= lower and high >= upper
    raise ValueError(f"unknown comparison {claim.comparison!r}")


def _limits(claim: Claim) -> tuple[float, float]:
    lower = -math.inf if claim.value_low is None else claim.value_low
    upper = math.inf if claim.value_high is None else claim.value_high
    rounding = 1.0
    if claim.comparison == "within" and lower == upper:
        rounding = ROUNDING[claim.kind]
    if claim.comparison == "spans":
        # The observed range has to reach the ends, so that the allowance for floats points inwards.
        return lower * (1 + SAME), upper * (1 - SAME)
    return lower / rounding * (1 - SAME), upper * rounding * (1 + SAME)


def _is_late(claim: Claim, observation: Observation) -> bool:
    is_total = claim.kind == "decline_rate" and claim.unit == "x in all"
    return (
        is_total
        and observation.observed_from is not None
        and (observation.observed_from - claim.date_from).days > LATE_DAYS
    )


def _claimed(claim: Claim) -> str:
    match claim.comparison:
        case "at_most":
            return f"at most {_number(claim.value_high)}"
        case "at_least":
            return f"at least {_number(claim.value_low)}"
        case "spans":
            return f"from {_number(claim.value_low)} to {_number(claim.value_high)}"
    return _range(claim.value_low, claim.value_high)


def _range(low: float | None, high: float | None) -> str:
    first, last = _number(low), _number(high)
    return first if first == last else f"{first} to {last}"


def _number(value: float | None) -> str:
    return "open" if value is None else f"{float(f'{value:.3g}'):,g}"


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.date()
    return None if pd.isna(value) else value
