"""Perplexity's price page, the Markdown export of its documentation. USD.

Sonar is paid by tokens and by request; the fee of a request depends on how much of the web is searched, which is no
length of a prompt and so stands in the label. Pro Search is a way to call Sonar Pro, with three fees in one cell. The
models of others that the Agent API sells have a page of their own. Worked examples are no prices, a calculator is none.
"""

import re
from collections.abc import Iterator

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.reading.expect import explained_tables, whole_match
from pipeline.reading.extract import quote

DOCS = "https://docs.perplexity.ai"
PAGE, *FORMER_PAGES = (f"{DOCS}{path}/getting-started/pricing{end}" for path in ("/docs", "") for end in (".md", ""))

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
SEARCHES = dict.fromkeys(("web_search", "people_search", "finance_search"), Meter.SEARCH_CALL)
TOOLS = SEARCHES | {"fetch_url": Meter.TOOL_CALL, "sandbox": Meter.SESSION}
SIZES = {"Low Context Size": "low", "Medium Context Size": "medium", "High Context Size": "high"}
FEES = "Request Fee (per 1K)"
SEARCH_TYPES = {"fast": "Sonar Pro", "pro": "Sonar Pro with Pro Search"}
CHOSEN_BY_QUERY = "Varies by classification"
PLAIN = {"Description", "Dimensions"}
IGNORED_TABLES = {("Component", "Cost"), ("API", "Description", "Best For"), ("Model", "Description", "Best For")}
# The tables, and what the page has to say of one whose headers do not say what it counts.
HEADERS = dict.fromkeys(IGNORED_TABLES) | {
    ("Tool", "Price", "Description"): "",
    ("API", "Price per 1K requests", "Description"): "",
    ("Model", *SONAR): "",
    ("Model", *SIZES): "the request fee for each model for every 1000 requests",
    ("Search Type", "Description", FEES): "Request fees vary by search context size (Low / Medium / High)",
    ("Model", "Dimensions", "Price ($/1M tokens)"): "",
}
PRICE = re.compile(r"\$[\d.]+(?: per .+)?|-")


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    for table in explained_tables(capture, HEADERS):
        for record in table.records():
            label = record.pop(table.header[0])
            for column in (column for column in record if column not in PLAIN):
                for name, meter, unit, printed in _offers(label, column, record[column]):
                    whole_match(PRICE, printed, f"a price of {name!r}")
                    yield quote(name, meter, printed, unit=unit, locator=record.locator(column))


def _offers(label: str, column: str, cell: str) -> Iterator[tuple[str, Meter, Unit | None, str]]:
    if column == "Price":
        yield label, TOOLS[label], None, cell
    elif column in SIZES:
        yield f"{label} ({SIZES[column]} search context)", Meter.REQUEST, Unit.THOUSAND_REQUESTS, cell
    elif column != FEES:
        yield label, *COLUMNS[column], cell
    elif cell != CHOSEN_BY_QUERY:
        for size, printed in zip(SIZES, cell.split(" / "), strict=True):
            yield from _offers(SEARCH_TYPES[label], size, printed)


PROVIDER = Provider(
    provider_id="perplexity",
    name="Perplexity",
    homepage="https://www.perplexity.ai",
    kind="first_party",
    sources=(Source("pricing", PAGE, "markdown", parse, former_urls=tuple(FORMER_PAGES)),),
)
