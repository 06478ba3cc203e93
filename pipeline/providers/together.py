"""Together AI's catalogue of serverless models, the Markdown export of its documentation. USD, models by their API id.

Each kind of model has a table of its own. Images are billed by the megapixel; what is billed by the image carries an
estimate ("$0.03+"), which is no price. Of batches it only says that they cost up to 50 % less.
"""

import re
from collections.abc import Iterator

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.expect import require_sections, whole_match
from pipeline.reading.extract import quote
from pipeline.reading.tables import tables

PAGE = "https://docs.together.ai/docs/serverless/models.md"
FORMER_PAGES = ("https://docs.together.ai/docs/serverless-models.md", "https://www.together.ai/pricing")
IDS = {"API model string", "Model string for API"}
INPUT, CACHED, OUTPUT = (f"{what} pricing (per 1M tokens)" for what in ("Input", "Cached input", "Output"))
PRICING = "Pricing (per 1M tokens)"
# What a column counts, with the heading or the cell beside it that tells, and the unit where its cells do not say it.
COUNTED = {
    (INPUT, None): (Meter.INPUT, Unit.MILLION_TOKENS),
    (CACHED, None): (Meter.CACHE_READ, Unit.MILLION_TOKENS),
    (OUTPUT, None): (Meter.OUTPUT, Unit.MILLION_TOKENS),
    ("Price per MP", None): (Meter.IMAGE, Unit.MEGAPIXEL),
    ("Price per video", None): (Meter.VIDEO, Unit.VIDEO),
    ("Price", "megapixel"): (Meter.IMAGE, Unit.MEGAPIXEL),
    ("Pricing", "Text-to-Speech"): (Meter.SPEECH, None),
    ("Pricing", "Speech-to-Text"): (Meter.TRANSCRIPTION, None),
    (PRICING, "Embedding models"): (Meter.EMBEDDING, Unit.MILLION_TOKENS),
    (PRICING, "Rerank models"): (Meter.RERANK, Unit.MILLION_TOKENS),
    (PRICING, "Moderation models"): (Meter.MODERATION, Unit.MILLION_TOKENS),
}
ESTIMATE = ("Price", "image")
CLIP = "Resolution / duration"
PLAIN = {"Organization", "Model name", "Modality", "Context length", "Quantization", "Function calling", CLIP} | {
    *("Structured outputs", "Unit", "Output per $1", "Default steps", "Embedding dimension"),
}
# The sections of the page, and what a table of each has to have.
REQUIRED = {
    "Chat models": {INPUT, CACHED, OUTPUT},
    "Vision models": {INPUT, OUTPUT},
    "Video models": {"Price per video", CLIP},
    "Audio models": {"Pricing", "Modality"},
    **{section: set[str]() for section in ("Image models", "Embedding models", "Rerank models", "Moderation models")},
}
MODEL_ID = re.compile(r"[\w.-]+/[\w.-]+")
PRICE = re.compile(r"(\$[\d.]+(?: per .+?)?|Free|-)(?: at \d+ steps)?")


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    found = tables(capture)
    require_sections(found, {"Moderation models"})
    for table in found:
        if not REQUIRED[table.heading] <= set(table.header):
            raise LayoutChanged(f"the {table.heading} have only the columns {table.header}")
        [id_column] = IDS & set(table.header)
        for record in table.records():
            clip = record.get(CLIP, "-")
            model_id = whole_match(MODEL_ID, record.pop(id_column), "an id of a model")[0]
            label = model_id if clip == "-" else f"{model_id} ({clip})"
            telling = {"Price": record.get("Unit"), "Pricing": record.get("Modality"), PRICING: table.heading}
            for column in (column for column in record if column not in PLAIN):
                counted = (column, telling.get(column))
                if counted != ESTIMATE:
                    meter, unit = COUNTED[counted]
                    price = whole_match(PRICE, record[column], f"a price of {label!r}")
                    yield quote(label, meter, price[1], unit=unit, locator=record.locator(column))


PROVIDER = Provider(
    provider_id="together",
    name="Together AI",
    homepage="https://www.together.ai",
    kind="reseller",
    sources=(Source("serverless_models", PAGE, "markdown", parse, verified=False, former_urls=FORMER_PAGES),),
)
