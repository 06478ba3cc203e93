"""What a statistic said on a day in the past, held against what was published on that day."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pandas as pd
import pytest

from pipeline.assets.analytics.common import as_of_moment
from pipeline.assets.analytics.rates import SERIES, decline_rates_frame, decline_slowdown_frame
from pipeline.capture.archive import Archive
from pipeline.domain import Attempt, Meter, Origin, PriceQuote, Provider, Reading, Source, Unit
from pipeline.settings import settings
from pipeline.warehouse import build, transform
from pipeline.warehouse.as_known import as_known
from pipeline.warehouse.publish import load_manifest

MARTS = [".".join(key.path) for key in SERIES]
PROVIDERS = [
    Provider(name, name, f"https://{name}.example", "first_party", (Source("pricing", "", "html", lambda _: ()),))
    for name in ("anthropic", "openai")
]


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


RUNS = [day("2026-03-20"), day("2026-05-20"), day("2026-07-20")]

# Output prices from a day on, in USD per 1M tokens; input is a fifth of it.
PRICES = {
    ("anthropic", "Claude Haiku 4.5"): {
        "2024-11-01": 60,
        "2025-02-01": 50,
        "2025-05-01": 40,
        "2025-08-01": 42,
        "2025-11-01": 30,
        # Less than a tenth, so that it is doubted until it is seen again, after the first run.
        "2026-03-15": "2.5",
        # Ended within a month, after the second run: only then it is known to have been a promotion.
        "2026-05-15": "2",
        "2026-06-01": "2.4",
    },
    ("anthropic", "Claude Opus 4.5"): {"2024-11-01": 75, "2025-06-01": 60, "2025-12-01": 45, "2026-04-15": 25},
    ("openai", "gpt-5"): {"2024-11-01": 90, "2025-03-01": 80, "2025-07-01": 65, "2025-10-01": 55, "2026-06-01": 50},
    ("openai", "gpt-5-mini"): {"2025-01-01": 35, "2025-09-01": 33, "2025-12-15": 12, "2026-02-01": 9},
}


def page(provider: str, at: datetime, **instead: str) -> tuple[PriceQuote, ...]:
    """What a provider's page says at a time; `instead` are prices of models with another one."""
    quotes = []
    for (name, label), steps in PRICES.items():
        prices = [price for since, price in steps.items() if day(since) <= at]
        if name == provider and prices:
            output = Decimal(instead.get(label.replace("-", "_"), prices[-1]))
            for meter, price in ((Meter.OUTPUT, output), (Meter.INPUT, output / 5)):
                quotes.append(
                    PriceQuote(
                        model_label=label,
                        meter=meter,
                        list_unit_price=price,
                        pricing_unit=Unit.MILLION_TOKENS,
                        evidence=str(price),
                        locator="row",
                    )
                )
    return tuple(quotes)


def seen(
    provider: str, captured_at: datetime, requested_at: datetime, origin: Origin, quotes: tuple[PriceQuote, ...]
) -> tuple[Attempt, Reading]:
    capture_id = f"{provider} {captured_at:%Y-%m-%d} {origin}"
    attempt = Attempt(
        capture_id, provider, "pricing", "", origin, requested_at, captured_at, "ok", status=200, sha256=capture_id
    )
    return attempt, read_again(attempt, requested_at, quotes)


def read_again(attempt: Attempt, read_at: datetime, quotes: tuple[PriceQuote, ...]) -> Reading:
    reading_id = f"{attempt.capture_id} read {read_at:%Y-%m-%d}"
    return Reading(reading_id, attempt.capture_id, read_at, "ok", None, quotes, Archive.quotes_digest(quotes))


def records() -> Iterator[tuple[datetime, Attempt | Reading]]:
    """Everything that is ever learnt, with the time from which it is known."""
    captures = []
    for provider in ("anthropic", "openai"):
        for month in pd.date_range("2024-11-01", "2026-07-01", freq="MS", tz=UTC):
            for at in (month.to_pydatetime(), month.to_pydatetime() + timedelta(days=14)):
                captures.append(seen(provider, at, at, "live", page(provider, at)))
    # A memento that is fetched after the first run, of a price that nobody saw then.
    at = day("2025-12-08")
    captures.append(seen("openai", at, day("2026-04-10"), "web_archive", page("openai", at, gpt_5_mini="20")))
    for attempt, reading in captures:
        yield attempt.requested_at, attempt
        yield reading.read_at, reading
    # A parser that is mended after the second run: it had misread two pages.
    for provider, at in (("openai", day("2025-07-01")), ("openai", day("2025-07-15"))):
        [attempt] = [attempt for attempt, _ in captures if attempt.capture_id == f"{provider} {at:%Y-%m-%d} live"]
        yield day("2026-06-05"), read_again(attempt, day("2026-06-05"), page(provider, at, gpt_5="70"))


class Statistics(NamedTuple):
    as_of: datetime
    rates: pd.DataFrame
    slowdowns: pd.DataFrame


def statistics(connection: object, as_of: datetime | None = None) -> Statistics:
    moment = as_of or as_of_moment(connection)  # type: ignore[arg-type]
    return Statistics(moment, decline_rates_frame(connection, moment), decline_slowdown_frame(connection, moment))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[datetime, Statistics]]:
    """The statistics that each run published, one run after the other in one warehouse, which is left standing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENFALL_HOME", str(tmp_path_factory.mktemp("as_known")))
        settings.cache_clear()
        known, published = list(records()), {}
        for before, run in zip([datetime.min.replace(tzinfo=UTC), *RUNS], RUNS, strict=False):
            with build.connect(settings().build) as connection:
                build.prepare(connection, PROVIDERS)
                build.load(connection, [record for moment, record in known if before < moment <= run], {})
            command = "build" if run == RUNS[0] else "run"
            kinds = ["--resource-type", "seed", "--resource-type", "model"] if run == RUNS[0] else []
            marts = [f"+{name.partition('.')[2]}" for name in MARTS]
            assert transform.invoke([command, *kinds, "--select", *marts])
            with build.connect(settings().build) as connection:
                published[run] = statistics(connection)
        yield published
    settings.cache_clear()


@pytest.fixture
def today(published: Mapping[datetime, Statistics]) -> Iterator[object]:  # noqa: ARG001 (the runs make the file)
    with build.connect(settings().build, read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("run", RUNS)
def test_what_was_known_then_gives_what_was_published_then(
    published: Mapping[datetime, Statistics], run: datetime
) -> None:
    with as_known(settings().build, load_manifest(transform.built_manifest()), run, MARTS) as past:
        told = statistics(past)
    assert told.as_of == published[run].as_of
    assert (told.rates["gate"] != "insufficient").sum() > 10
    pd.testing.assert_frame_equal(told.rates, published[run].rates)
    pd.testing.assert_frame_equal(told.slowdowns, published[run].slowdowns)


@pytest.mark.parametrize("run", RUNS[:-1])
def test_the_marts_of_today_know_more_than_was_published_then(
    published: Mapping[datetime, Statistics], run: datetime, today: object
) -> None:
    """Doubts that were settled, promotions that ended, mementos and repairs: to look at a past day is not enough."""
    hindsight = statistics(today, published[run].as_of)
    assert not hindsight.rates.equals(published[run].rates)


@pytest.mark.usefixtures("published")
def test_nothing_was_known_before_the_first_capture() -> None:
    manifest = load_manifest(transform.built_manifest())
    with as_known(settings().build, manifest, day("2024-10-01"), ["marts.mart_blended_price"]) as past:
        assert past.execute("select count(*) from marts.mart_blended_price").fetchall() == [(0,)]


@pytest.mark.usefixtures("published")
def test_times_without_a_zone_and_unknown_marts_are_refused() -> None:
    manifest = load_manifest(transform.built_manifest())
    with (
        pytest.raises(ValueError, match="no time zone"),
        as_known(settings().build, manifest, datetime(2026, 1, 1), []),
    ):
        pass
    with (
        pytest.raises(KeyError, match="mart_nothing"),
        as_known(settings().build, manifest, RUNS[0], ["marts.mart_nothing"]),
    ):
        pass
