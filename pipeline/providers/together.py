"""Together AI's catalogue of serverless models, the Markdown export of its documentation. USD, models by their API id.

Each kind of model has a table of its own. Images are billed by the megapixel; what is billed by the image carries an
estimate ("$0.03+"), which is no price. Of batches it only says that they cost up to 50 % less.
"""

import re
from collections.abc import Iterator

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.errors import LayoutChanged
from pipeline.reading.extract import quote
from pipeline.reading.tables import Record, tables

IDS = {"API model string", "Model string for API"}
INPUT, CACHED, OUTPUT = (f"{what} pricing (per 1M tokens)" for what in ("Input", "Cached input", "Output"))
COLUMNS = {
    INPUT: (Meter.INPUT, Unit.MILLION_TOKENS),
    CACHED: (Meter.CACHE_READ, Unit.MILLION_TOKENS),
    OUTPUT: (Meter.OUTPUT, Unit.MILLION_TOKENS),
    "Price per MP": (Meter.IMAGE, Unit.MEGAPIXEL),
    "Price per video": (Meter.VIDEO, Unit.VIDEO),
}
# What the columns "Pricing (per 1M tokens)" and "Pricing" count: by the heading, and by the cell beside it.
SECTIONS = {"Embedding models": Meter.EMBEDDING, "Rerank models": Meter.RERANK, "Moderation models": Meter.MODERATION}
MODALITIES = {"Text-to-Speech": Meter.SPEECH, "Speech-to-Text": Meter.TRANSCRIPTION}
CLIP = "Resolution / duration"
PLAIN = {"Organization", "Model name", "Modality", "Context length", "Quantization", "Function calling", CLIP} | {
    *("Structured outputs", "Unit", "Output per $1", "Default steps", "Embedding dimension"),
}
# The sections of the page, and what a table of each has to have.
REQUIRED: dict[str, set[str]] = {section: set() for section in SECTIONS} | {
    "Chat models": {INPUT, CACHED, OUTPUT},
    "Vision models": {INPUT, OUTPUT},
    "Image models": set(),
    "Video models": {"Price per video", CLIP},
    "Audio models": {"Pricing", "Modality"},
}
LAST_SECTION = "Moderation models"
MODEL_ID = re.compile(r"[\w.-]+/[\w.-]+")
STEPS = re.compile(r" at \d+ steps$")
PRICE = re.compile(r"\$[\d.]+(?: per .+)?|Free|-")


def parse(capture: Capture) -> Iterator[PriceQuote | None]:
    found = tables(capture)
    if not any(table.heading == LAST_SECTION for table in found):
        raise LayoutChanged("the page breaks off before its last section")
    for table in found:
        if not REQUIRED[table.heading] <= set(table.header):
            raise LayoutChanged(f"the {table.heading} have only the columns {table.header}")
        [id_column] = IDS & set(table.header)
        for record in table.records():
            clip = record.get(CLIP, "-")
            model_id = record.pop(id_column)
            if not MODEL_ID.fullmatch(model_id):
                raise LayoutChanged(f"{model_id!r} is no id of a model")
            label = model_id if clip == "-" else f"{model_id} ({clip})"
            for column, cell in record.items():
                if counted := _counted(column, table.heading, record):
                    printed = STEPS.sub("", cell)
                    if not PRICE.fullmatch(printed):
                        raise LayoutChanged(f"{cell!r} of {label!r} is no price of a kind that is known")
                    meter, unit = counted
                    yield quote(label, meter, printed, unit=unit, locator=record.locator(column))


def _counted(column: str, heading: str, record: Record) -> tuple[Meter, Unit | None] | None:
    """What a column counts, and in which unit where its cells do not say; None for what is no price."""
    if column in PLAIN:
        return None
    if column == "Price":
        return {"megapixel": (Meter.IMAGE, Unit.MEGAPIXEL), "image": None}[record["Unit"]]
    if column == "Pricing":
        return MODALITIES[record["Modality"]], None
    if column == "Pricing (per 1M tokens)":
        return SECTIONS[heading], Unit.MILLION_TOKENS
    return COLUMNS[column]


PROVIDER = Provider(
    provider_id="together",
    name="Together AI",
    homepage="https://www.together.ai",
    kind="reseller",
    sources=(
        Source(
            "serverless_models",
            "https://docs.together.ai/docs/serverless/models.md",
            "markdown",
            parse,
            verified=False,
            former_urls=("https://docs.together.ai/docs/serverless-models.md", "https://www.together.ai/pricing"),
        ),
    ),
)
