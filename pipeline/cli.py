"""The `tokenfall` command: a thin door on the modules below."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.domain import Capture, Provider
from pipeline.errors import ArchiveInUse, GitHistoryError, NothingNew, ScrapeError
from pipeline.printing import QUOTE_COLUMNS, Format, QuoteFormat, print_csv, print_json, print_rows, quote_row

app = typer.Typer(
    name="tokenfall",
    help="An open, self-hosted warehouse of LLM inference prices.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

backfill = typer.Typer(help="Bring in the past.", no_args_is_help=True)
app.add_typer(backfill, name="backfill")


class ClaimVerdict(StrEnum):
    """What came of a claim."""

    MET = "met"
    ON_TRACK = "on_track"
    OFF_TRACK = "off_track"
    REFUTED = "refuted"
    UNTESTABLE = "untestable"


class PriceMap(StrEnum):
    """The price maps whose repositories are read."""

    LITELLM = "litellm"
    GENAI_PRICES = "genai-prices"
    LLM_PRICES = "llm-prices"
    MODELS_DEV = "models-dev"
    OPENROUTER_LIST = "openrouter-list"


@app.command()
def run() -> None:
    """One whole day: capture, read, build, audit, publish."""
    from pipeline import console

    _run_job("daily", console.summary)


@app.command()
def capture(
    providers: Annotated[list[str] | None, typer.Argument(help="Provider ids; all of them if none is named.")] = None,
) -> None:
    """Fetch pages into the archive and read them; build and publish nothing."""
    from pipeline import console
    from pipeline.assets.capture import every_provider
    from pipeline.capture.archive import Archive
    from pipeline.capture.client import Client
    from pipeline.day import capture_pages, last_good_attempts, load_archive
    from pipeline.providers import discover
    from pipeline.settings import settings
    from pipeline.warehouse.build import connect

    chosen = [_provider(provider_id) for provider_id in providers] if providers else list(discover().values())
    config = settings()
    with _archive_errors(), Archive(config.archive) as archive, connect(config.build) as connection:
        load_archive(connection, archive, every_provider())
        with Client(config) as client, console.progress():
            results = []
            total = sum(len(provider.sources) for provider in chosen)
            for result in capture_pages(archive, client, chosen, last_good_attempts(connection)):
                results.append(result)
                console.page_done(result, len(results), total)
        load_archive(connection, archive, every_provider())
    console.captures(results)


@app.command()
def parse(
    provider: Annotated[str, typer.Argument(help="Provider id, such as `anthropic`.")],
    file: Annotated[Path, typer.Argument(help="A captured page.", exists=True, dir_okay=False, readable=True)],
    captured_at: Annotated[str, typer.Option(help="When it was captured, ISO 8601; UTC if it names no zone.")],
    page: Annotated[str | None, typer.Option(help="Page id; without it the page is recognised by its content.")] = None,
    format: Annotated[QuoteFormat, typer.Option(help="How to print the quotes.")] = QuoteFormat.CSV,  # noqa: A002
) -> None:
    """Read the prices of one file and print them. Exits with 3 and the error's name where it cannot be read."""
    from pipeline.reading.extract import read, recognise

    chosen = _provider(provider)
    source = next((source for source in chosen.sources if source.page_id == page), None)
    if page is not None and source is None:
        known = ", ".join(source.page_id for source in chosen.sources)
        raise typer.BadParameter(f"{provider} has no page {page!r}; it has {known}", param_hint="--page")
    captured = Capture(
        provider_id=provider,
        page_id=page or "",
        url=file.name,
        captured_at=_moment(captured_at),
        body=file.read_bytes(),
        origin="file",
    )
    try:
        source, quotes = (source, read(captured, source)) if source else recognise(captured, chosen)
    except ScrapeError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(3) from error
    rows = [quote_row(quote, provider, source.page_id) for quote in quotes]
    if format is QuoteFormat.JSON:
        print_json(rows)
    else:
        print_csv(QUOTE_COLUMNS, (row.values() for row in rows))


@app.command()
def replay(
    providers: Annotated[list[str] | None, typer.Argument(help="Provider ids; all of them if none is named.")] = None,
) -> None:
    """Read archived pages again after a parser was fixed, and publish what changed. What we believed before stays."""
    from pipeline import console
    from pipeline.assets.capture import every_provider
    from pipeline.capture.archive import Archive
    from pipeline.day import load_archive
    from pipeline.day import replay as read_again
    from pipeline.settings import settings
    from pipeline.warehouse.build import connect

    known = every_provider()
    chosen = [_provider(provider_id, known).provider_id for provider_id in providers or known]
    config = settings()
    with _archive_errors(), Archive(config.archive) as archive, connect(config.build) as connection:
        load_archive(connection, archive, known)
        with console.progress():
            changed = [
                result for result in console.replayed(read_again(connection, archive, known, chosen)) if result[2]
            ]
    typer.echo(f"{len(changed)} captures read differently from before.")
    if changed:
        _run_job("rebuild", console.summary)


@backfill.command("web-archive")
def backfill_web_archive(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day (UTC).")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day (UTC).")],
    providers: Annotated[list[str] | None, typer.Argument(help="Provider ids; all of them if none is named.")] = None,
) -> None:
    """Fetch what the web archive has of pricing pages, one memento per change, and publish what it adds.

    Every address that a page ever had is asked for, with one second between two requests. What the archive has already
    is not fetched again: after an interruption, or where mementos did not arrive, run the same command again. The next
    `tokenfall run` publishes whatever is still unpublished.
    """
    from pipeline import console
    from pipeline.assets.capture import every_provider
    from pipeline.backfill import backfill_web_archive as bring_in
    from pipeline.providers import discover
    from pipeline.settings import settings

    if last < first:
        raise typer.BadParameter(f"{last:%Y-%m-%d} is before {first:%Y-%m-%d}", param_hint="--to")
    chosen = [_provider(provider_id) for provider_id in providers] if providers else list(discover().values())
    with _archive_errors(), console.progress():
        results = list(bring_in(settings(), every_provider(), chosen, first.date(), last.date()))
    console.mementos(results)
    if any(result.attempt.sha256 for result in results):
        _run_job("rebuild", console.summary)


@backfill.command("git")
def backfill_git(
    repository: Annotated[str, typer.Argument(help="A folder with a git repository, or the URL of one.")],
    price_map: Annotated[PriceMap, typer.Option("--map", help="Which price map the repository keeps.")],
    file: Annotated[str | None, typer.Option(help="The map's file, where it is not the usual one.")] = None,
) -> None:
    """Read the history of a price map in a git repository, a version per commit, and publish what it adds.

    A repository at a URL is fetched without the rest of its files; the same command again fetches what is new.
    """
    from dataclasses import replace

    from pipeline import console
    from pipeline.assets.capture import every_provider
    from pipeline.capture.archive import Archive
    from pipeline.day import capture_history, last_good_attempts, load_archive, sources_by_page
    from pipeline.history import git_history
    from pipeline.history.other_maps import LAYOUTS
    from pipeline.settings import settings
    from pipeline.warehouse.build import connect

    config, known = settings(), every_provider()
    layout = LAYOUTS[price_map] if file is None else replace(LAYOUTS[price_map], paths=(file,))
    source = sources_by_page(known.values())[price_map, "git"]
    is_url = git_history.is_url(repository)
    try:
        with console.progress():
            folder = git_history.fetched(repository, config.clones) if is_url else Path(repository)
            history = git_history.read_history(folder, layout)
        capture = history.capture(price_map, repository if is_url else source.url)
        for reason, count in history.skipped.most_common():
            typer.echo(f"skipped {count} versions of files: {reason}", err=True)
        typer.echo(f"{history.changes} of {history.commits} commits changed a price, until {history.until:%Y-%m-%d}.")
        with _archive_errors(), Archive(config.archive) as archive, connect(config.build) as connection:
            load_archive(connection, archive, known)
            previous = last_good_attempts(connection).get((price_map, "git"))
            result = capture_history(archive, capture, source, previous)
    except NothingNew as nothing:
        typer.echo(f"Nothing new: {nothing}.")
        return
    except GitHistoryError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(3) from error
    console.captures([result])
    _run_job("rebuild", console.summary)


@app.command()
def release(
    page: Annotated[
        str, typer.Argument(help="Provider and page, such as `anthropic/pricing`; see `tokenfall status`.")
    ],
) -> None:
    """Believe a suspect page, after having looked at it: it lost many offers, or prices moved by more than 10x."""
    from pipeline import console
    from pipeline.assets.capture import every_provider
    from pipeline.capture.archive import Archive
    from pipeline.day import load_archive, sources_by_page
    from pipeline.day import release as release_page
    from pipeline.settings import settings
    from pipeline.warehouse.build import connect

    provider_id, _, page_id = page.partition("/")
    source = sources_by_page(every_provider().values()).get((provider_id, page_id))
    if source is None:
        raise typer.BadParameter(f"there is no page {page!r}; `tokenfall status` lists them")
    config = settings()
    with _archive_errors(), Archive(config.archive) as archive, connect(config.build) as connection:
        load_archive(connection, archive, every_provider())
        if release_page(connection, archive, source, provider_id) is None:
            typer.echo(f"No capture of {page} has been read yet; there is nothing to release.", err=True)
            raise typer.Exit(1)
    _run_job("rebuild", console.summary)


@app.command()
def rebuild() -> None:
    """Remake the warehouse from the archive alone, and publish it."""
    from pipeline import console
    from pipeline.settings import settings

    build = settings().build
    for leftover in build.parent.glob(f"{build.name}*"):
        leftover.unlink()
    _run_job("rebuild", console.summary)


@app.command()
def serve_captures(
    directory: Annotated[Path, typer.Argument(help="A folder of captures with its MANIFEST.csv.", file_okay=False)],
    as_of: Annotated[str | None, typer.Option(help="Serve each page as it was on this day (ISO 8601).")] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8777,
    native_only: Annotated[
        bool, typer.Option("--native-only", help="Answer 404 where only another's rendering of a page is at hand.")
    ] = False,
) -> None:
    """Stand in for all providers: serve captured pages at `/<host>/<path>`, for `TOKENFALL_ORIGIN`."""
    from pipeline.capture.server import serve_captures as serve

    if not (directory / "MANIFEST.csv").is_file():
        raise typer.BadParameter(f"{directory} has no MANIFEST.csv", param_hint="DIRECTORY")
    with serve(directory, _day(as_of), port, renderings=not native_only) as server:
        host, bound = server.server_address[:2]
        typer.echo(f"TOKENFALL_ORIGIN=http://{host!s}:{bound}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)


@app.command()
def status() -> None:
    """How well each page is covered, from the public file."""
    from pipeline import console

    console.coverage(_public_file())


@app.command()
def rates(
    window: Annotated[
        int, typer.Option(help="Days until the last day that is known; 0: since the start.", min=0)
    ] = 365,
    workload: Annotated[str, typer.Option(help="Which mix of meters.")] = "input_output_3_1",
    kind: Annotated[str, typer.Option(help="Which series: `capability_tier`, `provider`.")] = "capability_tier",
    format: Annotated[Format, typer.Option(help="How to print the rows.")] = Format.TABLE,  # noqa: A002
) -> None:
    """How many times cheaper a year: headline rates with their 90 % intervals, or why there is none."""
    chosen = {"kind": kind, "workload": workload, "window": window}
    columns, rows = _ask(
        """
        from analytics.decline_rates
        where method in ('asof_endpoint', 'panel_endpoint')
            and series_kind = $kind and workload = $workload and coalesce(window_days, 0) = $window
        order by series_id
        """,
        chosen,
    )
    if not rows:
        _, [(kinds, workloads, windows)] = _ask(
            """
            select string_agg(distinct series_kind, ', ' order by series_kind),
                string_agg(distinct workload, ', ' order by workload),
                array_to_string(list_sort(list_distinct(list(coalesce(window_days, 0)))), ', ')
            from analytics.decline_rates where method in ('asof_endpoint', 'panel_endpoint')
            """
        )
        raise typer.BadParameter(
            f"there is no rate of {kind}, {workload}, {window} days; there are {kinds} with {workloads} over {windows}"
        )
    if format is Format.TABLE:
        from pipeline import console

        console.rates([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_rows(columns, rows, format)


@app.command()
def floors(
    format: Annotated[Format, typer.Option(help="How to print the rows.")] = Format.TABLE,  # noqa: A002
) -> None:
    """How low the price of a million tokens can go, with 90 % intervals, or why that cannot be said."""
    columns, rows = _ask("from analytics.floor_estimates order by model_class, meter")
    if format is Format.TABLE:
        from pipeline import console

        console.floors([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_rows(columns, rows, format)


@app.command()
def claims(
    claim_ids: Annotated[
        list[str] | None, typer.Argument(help="Claims to show in full, such as `C005`; a line for each without.")
    ] = None,
    verdict: Annotated[ClaimVerdict | None, typer.Option(help="Only claims with this verdict.")] = None,
    format: Annotated[Format, typer.Option(help="How to print the rows.")] = Format.TABLE,  # noqa: A002
) -> None:
    """What others say about prices, held against what was observed; of one claim the query and the evidence, too."""
    columns, rows = _ask("from analytics.claim_scorecard order by claim_id")
    cards = [dict(zip(columns, row, strict=True)) for row in rows]
    if unknown := sorted(set(claim_ids or ()) - {card["claim_id"] for card in cards}):
        raise typer.BadParameter(f"there is no claim {', '.join(unknown)}; they are C001 to C{len(cards):03}")
    shown = [
        card
        for card in cards
        if (not claim_ids or card["claim_id"] in claim_ids) and (verdict is None or card["verdict"] == verdict)
    ]
    if format is not Format.TABLE:
        print_rows(columns, [card.values() for card in shown], format)
        return
    from pipeline import console

    if claim_ids:
        for card in shown:
            console.claim(card)
    else:
        console.claims(shown)


# A query may begin with a comment, which looks like an option that nobody knows.
@app.command(context_settings={"ignore_unknown_options": True})
def sql(
    query: Annotated[str, typer.Argument(help="For example: `from price_on(current_date) limit 10`")],
    format: Annotated[Format, typer.Option(help="How to print the rows.")] = Format.TABLE,  # noqa: A002
) -> None:
    """Ask the public file a question in SQL."""
    columns, rows = _ask(query)
    if format is Format.TABLE:
        from pipeline import console

        console.table(columns, rows)
    else:
        print_rows(columns, rows, format)


@app.command(hidden=True)
def prepare() -> None:
    """Make dbt's manifest, so that the first run need not."""
    from pipeline.warehouse.transform import prepare as make_manifest

    make_manifest()


def _run_job(name: str, summarise: Callable[[datetime | None], None]) -> None:
    from pipeline import console
    from pipeline.run import run_job

    before = console.published_until()
    with console.progress():
        result = run_job(name)
    if not result.success:
        for step, cause in result.failed_steps.items():
            typer.echo(f"{step} failed: {cause}", err=True)
        for audit in result.failed_audits:
            typer.echo(f"audit failed: {audit}", err=True)
        typer.echo("Nothing was published; the public file is as it was before.", err=True)
        raise typer.Exit(1)
    summarise(before)


class _archive_errors:  # noqa: N801 (a context manager, used like a function)
    """Turns a locked archive into a sentence."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, ArchiveInUse):
            typer.echo(f"ArchiveInUse: {error}", err=True)
            raise typer.Exit(1) from error


def _provider(provider_id: str, known: dict[str, Provider] | None = None) -> Provider:
    from pipeline.providers import discover

    providers = known or discover()
    if provider_id not in providers:
        raise typer.BadParameter(f"unknown provider {provider_id!r}; known are {', '.join(providers)}")
    return providers[provider_id]


def _public_file() -> Path:
    from pipeline.settings import settings

    path = settings().public / "tokenfall.duckdb"
    if not path.exists():
        typer.echo(f"There is no {path} yet: `tokenfall run` makes it.", err=True)
        raise typer.Exit(1)
    return path


def _ask(query: str, parameters: Mapping[str, object] | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    import duckdb

    with duckdb.connect(_public_file(), read_only=True) as connection:
        try:
            result = connection.execute(query, parameters)
            return [column[0] for column in result.description or []], result.fetchall()
        except duckdb.Error as error:
            typer.echo(f"{type(error).__name__}: {error}", err=True)
            raise typer.Exit(1) from error


def _moment(printed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(printed)
    except ValueError as error:
        raise typer.BadParameter(f"{printed!r} is not an ISO 8601 time", param_hint="--captured-at") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _day(printed: str | None) -> date | None:
    try:
        return date.fromisoformat(printed) if printed else None
    except ValueError as error:
        raise typer.BadParameter(f"{printed!r} is not an ISO 8601 day", param_hint="--as-of") from error


if __name__ == "__main__":
    app()
