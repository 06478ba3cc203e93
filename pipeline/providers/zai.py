"""Z.ai's price list in its documentation, in USD. The unit of a table stands in a line above it, or in its cells; a
price per token that names no direction holds for what goes in and for what comes out.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.extract import quote
from pipeline.reading.money import read_unit
from pipeline.reading.tables import tables, text_lines

PAGE = "https://docs.z.ai/guides/overview/pricing"
TOKENS = {
    "Input": [Meter.INPUT],
    "Cached Input": [Meter.CACHE_READ],
    "Cached Input Storage": [Meter.CACHE_STORAGE],
    "Output": [Meter.OUTPUT],
}
SECTIONS = {
    "Text Models": TOKENS,
    "Vision Models": TOKENS,
    "Built-in Tools": {"Cost": [Meter.SEARCH_CALL]},
    "Image Generation Models": {"Price": [Meter.IMAGE]},
    "Video Generation Models": {"Price": [Meter.VIDEO]},
    "Audio Models": {"Price": [Meter.AUDIO_INPUT]},
    "Agents": {"Price": [Meter.INPUT, Meter.OUTPUT]},
}
LABELS = {"Model", "Tool", "Agent"}
UNIT_LINE = re.compile(r"Prices per (.+)\.")
ESTIMATE = re.compile(r" \(equivalent to approximately \$[\d.]+/minute\)$")
STATUS = re.compile(r"\s*\(beta\)$")


def parse(capture: Capture) -> Iterator[PriceQuote]:
    """All prices of the page as Markdown."""
    found = list(zip(tables(capture), _sections(capture), strict=True))
    sections = [section for _, (section, _) in found]
    if "All prices are in USD." not in capture.text or sorted(sections) != sorted({"Text Models", "Agents", *sections}):
        raise LayoutChanged(f"not the page of all prices in USD: {sections}")
    for table, (section, unit) in found:
        for record in table.records():
            [label] = (STATUS.sub("", record.pop(column)) for column in LABELS & record.keys())
            if record.keys() != SECTIONS[section].keys():
                raise LayoutChanged(f"{section} have the columns {list(record)}")
            for column, printed in record.items():
                for meter in SECTIONS[section][column]:
                    item = quote(label, meter, ESTIMATE.sub("", printed), unit=unit, locator=record.locator(column))
                    if item and item.currency != "USD":
                        raise LayoutChanged(f"{printed!r} of {label} is not in USD")
                    if item:
                        counted = Meter.VIDEO if item.pricing_unit is Unit.VIDEO else meter
                        yield replace(item, meter=counted, evidence=printed)


def _sections(capture: Capture) -> Iterator[tuple[str, Unit | None]]:
    """The section of each table and the unit in the line above it."""
    above = deque([""] * 2, maxlen=2)
    in_table = False
    for line in text_lines(capture):
        if line.startswith("|"):
            if not in_table:
                unit = UNIT_LINE.fullmatch(above[-1])
                yield above[0 if unit else -1], read_unit(unit[1]) if unit else None
        else:
            above.append(line)
        in_table = line.startswith("|")


PROVIDER = Provider(
    provider_id="zai",
    name="Z.ai",
    homepage="https://z.ai",
    kind="first_party",
    sources=(Source("pricing", f"{PAGE}.md", "markdown", parse, verified=False, former_urls=(PAGE,)),),
)
