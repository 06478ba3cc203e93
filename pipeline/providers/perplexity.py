"""Perplexity's price page, the Markdown export of its documentation. USD.

Sonar is paid by tokens and by request; the fee of a request depends on how much of the web is searched, which is no
length of a prompt and so stands in the label. Pro Search is a way to call Sonar Pro, with three fees in one cell. The
models of others that the Agent API sells have a page of their own. Worked examples are no prices, a calculator is none.
"""

import re
from collections.abc import Iterator

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.extract import quote
from pipeline.reading.tables import tables

SONAR = {
    "Input Tokens ($/1M)": (Meter.INPUT, Unit.MILLION_TOKENS),
    "Output Tokens ($/1M)": (Meter.OUTPUT, Unit.MILLION_TOKENS),
    "Citation Tokens ($/1M)": (Meter.CITATION, Unit.MILLION_TOKENS),
    "Search Queries ($/1K)": (Meter.SEARCH_CALL, Unit.THOUSAND_CALLS),
    "Reasoning Tokens ($/1M)": (Meter.REASONING_OUTPUT, Unit.MILLION_TOKENS),
}
COLUMNS = SONAR | {
    "Price ($/1M tokens)": (Meter.EMBEDDING, Unit.MILLION_TOKENS),
    "Price per 1K requests": (Meter.SEARCH_CALL, Unit.THOUSAND_REQUESTS),
}
TOOLS = {"fetch_url": Meter.TOOL_CALL, "sandbox": Meter.SESSION} | dict.fromkeys(
    ("web_search", "people_search", "finance_search"), Meter.SEARCH_CALL
)
SIZES = {"Low Context Size": "low", "Medium Context Size": "medium", "High Context Size": "high"}
FEES = "Request Fee (per 1K)"
SEARCH_TYPES = {"fast": "Sonar Pro", "pro": "Sonar Pro with Pro Search"}
CHOSEN_BY_QUERY = "Varies by classification"
PLAIN = {"Description", "Dimensions"}
# The tables, and what the page has to say of one whose headers do not say what it counts.
HEADERS = {
    ("Tool", "Price", "Description"): "",
    ("API", "Price per 1K requests", "Description"): "",
    ("Model", *SONAR): "",
    ("Model", *SIZES): "the request fee for each model for every 1000 requests",
    ("Search Type", "Description", FEES): "Request fees vary by search context size (Low / Medium / High)",
    ("Model", "Dimensions", "Price ($/1M tokens)"): "",
}
IGNORED_TABLES = {("Component", "Cost"), ("API", "Description", "Best For"), ("Model", "Description", "Best For")}
PRICE = re.compile(r"\$[\d.]+(?: per .+)?|-")


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    text = capture.text.replace("*", "")
    for table in tables(capture):
        if table.header in IGNORED_TABLES:
            continue
        if HEADERS[table.header] not in text:
            raise LayoutChanged(f"table {table.number} is not explained in the words that are known")
        for record in table.records():
            label = record.pop(table.header[0])
            for column in (column for column in record if column not in PLAIN):
                for name, meter, unit, printed in _offers(label, column, record[column]):
                    if not PRICE.fullmatch(printed):
                        raise LayoutChanged(f"{printed!r} of {name!r} is no price of a kind that is known")
                    yield quote(name, meter, printed, unit=unit, locator=record.locator(column))


def _offers(label: str, column: str, cell: str) -> Iterator[tuple[str, Meter, Unit | None, str]]:
    if column == "Price":
        yield label, TOOLS[label], None, cell
    elif column in SIZES:
        yield f"{label} ({SIZES[column]} search context)", Meter.REQUEST, Unit.THOUSAND_REQUESTS, cell
    elif column == FEES:
        if cell != CHOSEN_BY_QUERY:
            for size, printed in zip(SIZES, cell.split(" / "), strict=True):
                yield from _offers(SEARCH_TYPES[label], size, printed)
    else:
        yield label, *COLUMNS[column], cell


PROVIDER = Provider(
    provider_id="perplexity",
    name="Perplexity",
    homepage="https://www.perplexity.ai",
    kind="first_party",
    sources=(
        Source(
            "pricing",
            "https://docs.perplexity.ai/docs/getting-started/pricing.md",
            "markdown",
            parse,
            former_urls=tuple(
                f"https://docs.perplexity.ai/{path}"
                for path in ("docs/getting-started/pricing", "getting-started/pricing.md", "getting-started/pricing")
            ),
        ),
    ),
)
