"""Groq's list of models, the Markdown export of its documentation. USD, one price cell per model.

A model's cell holds an icon, its name as a link, perhaps a badge and the API id, glued together. The link ends in the
id again, so that a badge that is not known cannot slip into the id. What is not counted in tokens prints its own unit;
systems have no price of their own, and models for enterprises only one on request.
"""

import re
from collections.abc import Iterable, Iterator

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.expect import require_wording
from pipeline.reading.extract import quote
from pipeline.reading.money import read_unit
from pipeline.reading.tables import tables

PRICE = "PRICE PER 1M TOKENS"
COLUMNS = {"MODEL ID", "SPEED (T/SEC)", PRICE, "RATE LIMITS (DEVELOPER PLAN)", "CONTEXT WINDOW (TOKENS)"} | {
    "MAX COMPLETION TOKENS",
    "MAX FILE SIZE",
}
MODEL = re.compile(
    r"^\| \[!\[[^]]*\]\(\S+\)[^]|]*\]\(/docs/(?:model|compound/systems)/(?P<linked>[^)\s]+)\)"
    r"(?:Enterprise)?(?P<id>\S+) +\|",
    re.MULTILINE,
)
LAST_SECTION = "## [Get All Available Models]"
PAIR = re.compile(r"(\$[\d.]+) input(\$[\d.]+) output")
OTHER = re.compile(r"\$[\d.]+ per (.+)")
METERS = {Unit.HOUR: Meter.TRANSCRIPTION, Unit.MILLION_CHARACTERS: Meter.SPEECH}


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    require_wording(capture, LAST_SECTION)
    records = [record for table in tables(capture) for record in table.records(columns=COLUMNS)]
    for record, model in zip(records, MODEL.finditer(capture.text), strict=True):
        if model["id"] not in {model["linked"], f"groq/{model['linked']}"}:
            raise LayoutChanged(f"{model['id']!r} links to {model['linked']!r}")
        for meter, printed in _prices(record[PRICE]):
            yield quote(model["id"], meter, printed, unit=Unit.MILLION_TOKENS, locator=record.locator(PRICE))


def _prices(cell: str) -> Iterable[tuple[Meter, str]]:
    both = (Meter.INPUT, Meter.OUTPUT)
    if cell == "-":
        return []
    if cell == "ContactSales":  # two lines of the page in one
        return [(meter, "Contact Sales") for meter in both]
    if pair := PAIR.fullmatch(cell):
        return zip(both, pair.groups(), strict=True)
    if other := OTHER.fullmatch(cell):
        return [(METERS[read_unit(other[1])], cell)]
    raise LayoutChanged(f"{cell!r} is no price of a kind that is known")


PROVIDER = Provider(
    provider_id="groq",
    name="Groq",
    homepage="https://groq.com",
    kind="reseller",
    sources=(
        Source(
            "models",
            "https://console.groq.com/docs/models.md",
            "markdown",
            parse,
            former_urls=("https://console.groq.com/docs/models", "https://groq.com/pricing", "https://wow.groq.com/"),
        ),
    ),
)
