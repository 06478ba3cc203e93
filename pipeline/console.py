"""What a person sees at the terminal: bars while a run works, tables when it is done."""

import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from pipeline.day import PageResult
from pipeline.progress import LOG, Progress, report
from pipeline.settings import settings

OUT = Console()
ERR = Console(stderr=True)
if not OUT.is_terminal:
    # A file or a pipe has no width; do not break rows at 80 columns there.
    OUT.width = 160
_SHOWN_CHANGES = 15


class _BarHandler(logging.Handler):
    """Draws progress records as bars on a terminal, and as lines elsewhere."""

    def __init__(self, bars: Bars) -> None:
        super().__init__()
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def emit(self, record: logging.LogRecord) -> None:
        progress: Progress | None = getattr(record, "progress", None)
        if progress is None:
            return
        if not ERR.is_terminal:
            ERR.print(
                f"{progress.stage} {progress.done}/{progress.total} {progress.detail}", highlight=False, soft_wrap=True
            )
            return
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bars.add_task(progress.stage, total=progress.total, detail="")
        self._bars.update(
            self._tasks[progress.stage], completed=progress.done, total=progress.total, detail=progress.detail
        )


@contextmanager
def progress() -> Iterator[None]:
    """Shows what is reported while the block runs."""
    columns = (
        TextColumn("[bold]{task.description:9}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    level, propagates = LOG.level, LOG.propagate
    with Bars(*columns, console=ERR) as bars:
        handler = _BarHandler(bars)
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)
        LOG.propagate = False
        try:
            yield
        finally:
            LOG.removeHandler(handler)
            LOG.setLevel(level)
            LOG.propagate = propagates


def page_done(result: PageResult, done: int, total: int) -> None:
    """Reports one captured page."""
    report("capture", done, total, f"{result.provider_id}/{result.page_id} {result.outcome}, {result.quotes} prices")


def replayed(results: Iterable[tuple[str, str, bool]]) -> Iterator[tuple[str, str, bool]]:
    """Reports each capture that was read again, and passes it on."""
    for done, result in enumerate(results, start=1):
        report("replay", done, done, f"{result[0]}/{result[1]}")
        yield result


def captures(results: Sequence[PageResult]) -> None:
    """The outcome of each page."""
    rows = [
        (f"{result.provider_id}/{result.page_id}", result.outcome, result.quotes or None, result.message)
        for result in sorted(results, key=lambda result: (result.provider_id, result.page_id))
    ]
    table(["page", "outcome", "prices", "message"], rows)


def mementos(results: Sequence[PageResult]) -> None:
    """What came of a backfill, by page and outcome, with one message for each."""
    groups: dict[tuple[str, str], list[PageResult]] = {}
    for result in results:
        groups.setdefault((f"{result.provider_id}/{result.page_id}", result.outcome), []).append(result)
    rows = [
        (
            page,
            outcome,
            len(group),
            f"{min(result.attempt.captured_at for result in group):%Y-%m-%d}",
            f"{max(result.attempt.captured_at for result in group):%Y-%m-%d}",
            group[0].message,
        )
        for (page, outcome), group in sorted(groups.items())
    ]
    if not rows:
        OUT.print("The web archive has nothing that is not in ours already.")
        return
    table(["page", "outcome", "mementos", "first", "last", "message"], rows)
    if missing := sum(result.attempt.sha256 is None for result in results):
        OUT.print(f"{_count(missing, 'request')} did not succeed; run the same command again.", style="yellow")


def published_until() -> datetime | None:
    """When the archive of the published warehouse ends; None where nothing was published yet."""
    path = settings().public / "tokenfall.duckdb"
    if not path.exists():
        return None
    with duckdb.connect(path, read_only=True) as connection:
        [(until,)] = connection.execute("select recorded_until from marts.dim_clock").fetchall()
    moment: datetime = until
    return moment


def summary(before: datetime | None) -> None:
    """After a run: every page's outcome, what changed since the last run, and where the published file is."""
    path = settings().public / "tokenfall.duckdb"
    coverage(path)
    with duckdb.connect(path, read_only=True) as connection:
        [(pages, arrived)] = connection.execute(
            """
            select count(last_outcome), count(*) filter (where last_outcome in ('ok', 'unchanged'))
            from marts.mart_coverage where role not in ('price_map', 'price_history')
            """
        ).fetchall()
        if pages and not arrived:
            OUT.print("No page could be fetched; built from the archive and the bundled facts.", style="yellow")
        if before is None:
            OUT.print("First run: nothing to compare with.")
        else:
            _changes(connection, before)
    OUT.print(f"Published: {path}", highlight=False, soft_wrap=True)


def _changes(connection: duckdb.DuckDBPyConnection, before: datetime) -> None:
    changes = connection.execute(
        """
        select provider_id, model_label, meter, service_tier, cast(old_price as double), cast(new_price as double),
            currency || ' / ' || pricing_unit, printf('%+.0f %%', change_percent), strftime(changed_at, '%Y-%m-%d')
        from marts.mart_price_changes where first_known_at > ?
        order by abs(ln_step) desc nulls last, 1, 2, 3, 4
        """,
        [before],
    ).fetchall()
    [(listed, delisted)] = connection.execute(
        """
        select
            count(*) filter (where first_known > $before),
            count(*) filter (where is_delisted and delisting_known > $before)
        from (
            select
                offer_id,
                min(known_from) as first_known,
                bool_and(valid_to is not null) filter (where known_to is null) as is_delisted,
                min(known_from) filter (where ended_by = 'delisted') as delisting_known
            from marts.fct_price_history group by offer_id
        )
        """,
        {"before": before},
    ).fetchall()
    OUT.print(
        f"Since the last run: {_count(len(changes), 'price change')}, {_count(listed, 'new offer')}, "
        f"{_count(delisted, 'offer')} delisted.",
        highlight=False,
    )
    if changes:
        columns = ["provider", "model", "meter", "tier", "before", "now", "unit", "change", "since"]
        table(columns, changes[:_SHOWN_CHANGES])
        if len(changes) > _SHOWN_CHANGES:
            OUT.print(f"and {len(changes) - _SHOWN_CHANGES} more in marts.mart_price_changes", highlight=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def coverage(path: Path) -> None:
    """Every page: what came of the last attempt, how many prices it has, how old they are; then what went wrong."""
    with duckdb.connect(path, read_only=True) as connection:
        rows = connection.execute(
            """
            select provider_id || '/' || page_id, last_outcome, nullif(priced_quotes + free_quotes, 0), age_days,
                strftime(last_good_capture_at, '%Y-%m-%d %H:%M'), nullif(unmapped_labels, 0),
                if(is_verified, '', 'no'), last_message
            from marts.mart_coverage order by role in ('price_map', 'price_history'), provider_id, page_id
            """
        ).fetchall()
    table(
        ["page", "outcome", "prices", "age (days)", "last good capture", "unmapped", "verified"],
        [row[:-1] for row in rows],
    )
    for page, outcome, *_, message in rows:
        if message:
            OUT.print(f"{page}: {outcome}: {message}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def rates(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rates of decline as factors per year, all of one window and workload."""
    first = rows[0]
    window = f"in the {first['window_days']} days to" if first["window_days"] else "since the start, to"
    OUT.print(
        f"How many times cheaper a year, {window} {first['as_of']:%Y-%m-%d} ({first['workload']})", highlight=False
    )
    table(
        ["series", "times", "90 % interval", "halves in", "moves", "gate"],
        [
            (
                row["series_id"],
                _short(row["factor_per_year"]),
                _interval(*(None if row[limit] is None else math.exp(row[limit]) for limit in ("lo90", "hi90"))),
                None if row["halving_months"] is None else f"{_short(row['halving_months'])} mo.",
                row["n_events"],
                row["gate"],
            )
            for row in rows
        ],
    )
    _reasons((row["series_id"], row["reason"]) for row in rows)


def floors(rows: Sequence[Mapping[str, Any]]) -> None:
    """Floors of the price of a million tokens."""
    if rows:
        OUT.print(f"How low the price of 1M tokens can go, in USD, as of {rows[0]['as_of']:%Y-%m-%d}", highlight=False)
    table(
        ["model class", "meter", "median", "90 % interval", "gate"],
        [
            (
                row["model_class"],
                row["meter"],
                _short(row["p50"]),
                _interval(row["p05"], row["p95"]),
                row["gate"],
            )
            for row in rows
        ],
    )
    _reasons((f"{row['model_class']} {row['meter']}", row["reason"]) for row in rows)


def claims(cards: Sequence[Mapping[str, Any]]) -> None:
    """A line per claim, and how many there are of each verdict."""
    table(
        ["", "verdict", "claim", "reason"],
        [(card["claim_id"], card["verdict"], card["claim"], card["reason"]) for card in cards],
    )
    counts = Counter(card["verdict"] for card in cards)
    OUT.print(", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()), highlight=False)


def claim(card: Mapping[str, Any]) -> None:
    """All that is known of one claim; its query last, as it can be run."""
    shown = Table(box=None, show_header=False, title=f"{card['claim_id']}: {card['verdict']}", title_justify="left")
    shown.add_column(style="dim")
    shown.add_column(overflow="fold")
    told = {**card, "contradicts": ", ".join(card["contradicts"])}
    for name in ("claim", "source", "reason", "evidence", "evidence_sha256", "contradicts"):
        if told[name]:
            shown.add_row(name.replace("_", " "), _cell(told[name]))
    OUT.print(shown)
    if card["query"]:
        OUT.print(card["query"], highlight=False, markup=False, soft_wrap=True)


def _reasons(rows: Iterable[tuple[str, str | None]]) -> None:
    """Each reason once, with the names of the rows that it is about."""
    names: dict[str, list[str]] = {}
    for name, reason in rows:
        if reason is not None and name not in names.setdefault(reason, []):
            names[reason].append(name)
    for reason, about in names.items():
        OUT.print(f"{', '.join(about)}: {reason}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def _short(value: float | None) -> str | None:
    """Three significant digits."""
    return None if value is None else f"{float(f'{value:.3g}'):,g}"


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{_short(low)}–{_short(high)}"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under their column names; text is shown as it is, never as markup."""
    shown = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        is_number = any(isinstance(row[index], int | float) for row in rows)
        shown.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(_cell(value) for value in row))
    OUT.print(shown)


def _cell(value: object) -> str:
    from rich.markup import escape

    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else escape(str(value))
