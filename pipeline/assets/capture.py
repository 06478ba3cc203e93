"""One asset per provider, all captured in one step: a provider that fails is a failed check, never a failed run."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from pipeline.assets import OWNERS
from pipeline.capture.archive import Archive
from pipeline.capture.client import Client
from pipeline.day import (
    PageResult,
    capture_map,
    capture_pages,
    last_good_attempts,
    load_archive,
    sources_by_page,
)
from pipeline.domain import Attempt, Capture, Provider
from pipeline.history import genai_prices, package_prices
from pipeline.history.ecb import EXCHANGE_RATES
from pipeline.history.other_maps import PRICE_MAPS
from pipeline.progress import report
from pipeline.providers import discover
from pipeline.settings import settings
from pipeline.warehouse.build import connect

# The price maps that come with the installation.
INSTALLED_MAPS = (
    (genai_prices.PRICE_MAP, genai_prices.snapshot),
    (package_prices.LITELLM, package_prices.snapshot),
)


def every_provider() -> dict[str, Provider]:
    """The providers whose pages are read, price maps, of which the first one that speaks is heard, and the rates."""
    return discover() | {provider.provider_id: provider for provider in (*PRICE_MAPS, EXCHANGE_RATES)}


def daily_providers() -> dict[str, Provider]:
    """Those of them that a day captures; the others are price maps whose history somebody brings in."""
    installed = {price_map.provider_id for price_map, _ in INSTALLED_MAPS}
    return {
        provider_id: provider
        for provider_id, provider in every_provider().items()
        if provider.kind != "price_map" or provider_id in installed
    }


def asset_key(provider_id: str) -> dg.AssetKey:
    """The key of a provider's captures."""
    return dg.AssetKey(["capture", provider_id.replace("-", "_")])


def _spec(provider: Provider) -> dg.AssetSpec:
    pages = "\n".join(f"- `{source.page_id}` ({source.role}): {source.url}" for source in provider.sources)
    return dg.AssetSpec(
        key=asset_key(provider.provider_id),
        group_name="capture",
        kinds={"python", *(source.format for source in provider.sources)} if provider.sources else {"python"},
        owners=OWNERS,
        tags={"provider_kind": provider.kind},
        description=f"The pages of {provider.name}: byte for byte, and what was read of them.\n\n{pages}",
    )


@dg.multi_asset(
    name="capture_pages",
    specs=[_spec(provider) for provider in daily_providers().values()],
    check_specs=[
        dg.AssetCheckSpec(
            "captured",
            asset=asset_key(provider_id),
            description="Every page of this provider arrived and was read.",
        )
        for provider_id in daily_providers()
    ],
    can_subset=True,
)
def capture(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Captures the selected providers' pages, at most eight hosts at once, and archives before it reads."""
    config = settings()
    providers = {
        provider_id: provider
        for provider_id, provider in daily_providers().items()
        if asset_key(provider_id) in context.selected_asset_keys
    }
    results: dict[str, list[PageResult]] = {provider_id: [] for provider_id in providers}
    with Archive(config.archive) as archive:
        with connect(config.build) as connection:
            load_archive(connection, archive, every_provider())
            previous = last_good_attempts(connection)
        pages = [provider for provider in providers.values() if provider.kind != "price_map"]
        maps = [(price_map, snapshot) for price_map, snapshot in INSTALLED_MAPS if price_map.provider_id in providers]
        total = sum(len(provider.sources) for provider in pages) + len(maps)
        done = 0
        with Client(config) as client:
            for result in capture_pages(archive, client, pages, previous):
                done += 1
                results[result.provider_id].append(result)
                report("capture", done, total, f"{result.provider_id}/{result.page_id} {_in_words(result)}")
        for price_map, snapshot in maps:
            done += 1
            result = _installed_map(archive, snapshot(datetime.now(UTC)), previous)
            results[price_map.provider_id].append(result)
            report("capture", done, total, f"{price_map.name} {_in_words(result)}")
    for provider_id, pages_of_provider in results.items():
        yield _materialized(provider_id, pages_of_provider)


def _installed_map(archive: Archive, installed: Capture, previous: dict[tuple[str, str], Attempt]) -> PageResult:
    """An installed price map, archived once per version: it cannot change without one."""
    page = (installed.provider_id, installed.page_id)
    known = previous.get(page)
    if known is not None and known.sha256 == installed.sha256:
        return PageResult(*page, "unchanged", None, 0, known)
    return capture_map(archive, installed, sources_by_page(every_provider().values())[page])


def _in_words(result: PageResult) -> str:
    return f"{result.outcome}, {result.quotes} prices" if result.quotes else result.outcome


def _materialized(provider_id: str, results: list[PageResult]) -> dg.MaterializeResult:
    failed = [result for result in results if not result.is_good]
    key = asset_key(provider_id)
    return dg.MaterializeResult(
        asset_key=key,
        metadata={
            "pages": dg.MetadataValue.md(
                "\n".join(
                    ["| page | outcome | prices | captured at | sha256 |", "|---|---|---|---|---|"]
                    + [
                        f"| {result.page_id} | {result.outcome} | {result.quotes} | "
                        f"{result.attempt.captured_at:%Y-%m-%d %H:%M} | {(result.attempt.sha256 or '')[:12]} |"
                        for result in results
                    ]
                )
            ),
            "dagster/row_count": sum(result.quotes for result in results),
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key=key,
                check_name="captured",
                passed=not failed,
                severity=dg.AssetCheckSeverity.WARN,
                description="; ".join(f"{result.outcome}: {result.message}" for result in failed) or None,
                metadata={result.page_id: f"{result.outcome}: {result.message}" for result in failed},
            ),
        ],
    )
