"""Fireworks' serverless prices, the Markdown export of its documentation. USD per 1M tokens.

One table lists models, with fast variants and US-only offers in rows of their own. A cell of it holds three prices in
an order that a sentence states, and priority has a column; in early 2026 each price had a column. Models that are not
listed go by their size, which then stands for the model. A batch costs a share of these prices and so prints none.
"""

import re
from collections.abc import Iterator

from pipeline.domain import Capture, Meter, PriceQuote, Provider, ServiceTier, Source, Unit
from pipeline.reading.expect import explained_tables, require_wording, whole_match
from pipeline.reading.extract import quote

PAGE, SHOP_WINDOW = "https://docs.fireworks.ai/serverless/pricing", "https://fireworks.ai/pricing"
UNIT = "Prices below are per 1 million tokens in US dollars."
ORDER = (
    "In each Standard or Priority cell, prices are input / cached input / output (USD per 1M tokens), in that order."
)
BOTH = "apply uniformly to input and output"
LAST_SECTION = "\n## Notes\n"
# What each table has to be explained with, or followed by.
HEADERS = {
    ("Model", "Standard", "Priority"): ORDER,
    ("Model", "Standard", "Priority", "Reserved Throughput"): ORDER,
    ("Model", "Input", "Cached input", "Output"): UNIT,
    ("Model", "$ / 1M tokens"): BOTH,
    ("Base model parameter count", "$ / 1M input tokens"): LAST_SECTION,
}
IN_ONE_CELL = (Meter.INPUT, Meter.CACHE_READ, Meter.OUTPUT)
TIERS = {"Standard": ServiceTier.STANDARD, "Priority": ServiceTier.PRIORITY}
COLUMNS = {
    "Input": (Meter.INPUT,),
    "Cached input": (Meter.CACHE_READ,),
    "Output": (Meter.OUTPUT,),
    "$ / 1M tokens": (Meter.INPUT, Meter.OUTPUT),
    "$ / 1M input tokens": (Meter.EMBEDDING,),
    "Reserved Throughput": (),
}
STATUS = re.compile(r" \(Preview\)|, Preview(?=\))")
US_ONLY = re.compile(r"(.+?) (?:US|\(US\))")
PRICE = re.compile(r"\$[\d.]+")


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    require_wording(capture, UNIT)
    for table in explained_tables(capture, HEADERS):
        for record in table.records():
            label = STATUS.sub("", record.pop(table.header[0]))
            us_only = US_ONLY.fullmatch(label)
            for column, cell in record.items():
                for meter, printed in _prices(column, cell):
                    whole_match(PRICE, printed, f"a price of {label!r} in dollars")
                    yield quote(
                        us_only[1] if us_only else label,
                        meter,
                        printed,
                        unit=Unit.MILLION_TOKENS,
                        locator=record.locator(column),
                        service_tier=TIERS.get(column, ServiceTier.STANDARD),
                        region="us" if us_only else None,
                    )


def _prices(column: str, cell: str) -> list[tuple[Meter, str]]:
    if cell == "—":
        return []
    if column in TIERS:
        return list(zip(IN_ONE_CELL, cell.split(" / "), strict=True))
    return [(meter, cell) for meter in COLUMNS[column]]


PROVIDER = Provider(
    provider_id="fireworks",
    name="Fireworks AI",
    homepage="https://fireworks.ai",
    kind="reseller",
    sources=(Source("serverless_pricing", f"{PAGE}.md", "markdown", parse, former_urls=(PAGE, SHOP_WINDOW)),),
)
