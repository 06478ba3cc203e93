"""What the commands print for other programs: quotes and rows as CSV or JSON, on standard output."""

import csv
import json
import sys
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import typer

from pipeline.domain import PriceQuote

QUOTE_COLUMNS = (
    "provider_id",
    "page_id",
    "model_label",
    "meter",
    "list_unit_price",
    "pricing_unit",
    "currency",
    "usd_per_mtok",
    "service_tier",
    "context_from",
    "context_to",
    "region",
    "time_window",
    "announced_from",
    "valid_until",
    "evidence",
    "locator",
)
# A spreadsheet would run such a cell.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class QuoteFormat(StrEnum):
    """How quotes are printed."""

    CSV = "csv"
    JSON = "json"


def quote_row(quote: PriceQuote, provider_id: str, page_id: str) -> dict[str, Any]:
    """A quote of this page by column, as text where the type is not one of JSON's."""
    values = {column: getattr(quote, column, None) for column in QUOTE_COLUMNS}
    values |= {"provider_id": quote.provider_id or provider_id, "page_id": page_id}
    return {column: _plain(value) for column, value in values.items()}


def _plain(value: object) -> object:
    match value:
        case Decimal():
            # Without an exponent, and without the zeros that a change of units leaves behind.
            return f"{value.normalize():f}"
        case datetime():
            return value.isoformat()
        case StrEnum():
            return str(value)
    return value


def print_rows(columns: list[str], rows: Iterable[Iterable[object]], format: Format) -> None:  # noqa: A002
    """The rows of an answer as CSV or JSON."""
    if format is Format.CSV:
        print_csv(columns, rows)
    else:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])


def print_csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Rows below their columns, safe to open in a spreadsheet."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_neutral(value) for value in row])


def _neutral(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def print_json(rows: list[dict[str, Any]]) -> None:
    """Rows as a list of objects."""
    typer.echo(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
