"""OVHcloud AI Endpoints: the catalogue, whose models stand only in the React Flight payload of the page. EUR.

The payload states amounts without a currency, which goes by the country that the site is for: this is the French one.
`name` is the id that the API takes. A 0 is shown as free. The API's own list of models states no prices.
"""

from collections.abc import Iterator
from decimal import Decimal

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.reading.flight import flight
from pipeline.reading.money import read_number
from pipeline.reading.tables import document

COUNTRY = {"fr", "fr-fr"}
METERS = {
    "million_input_tokens": (Meter.INPUT, Unit.MILLION_TOKENS),
    "million_output_tokens": (Meter.OUTPUT, Unit.MILLION_TOKENS),
    "million_input_chars": (Meter.SPEECH, Unit.MILLION_CHARACTERS),
    "audio_duration_seconds": (Meter.TRANSCRIPTION, Unit.SECOND),
    "per_image": (Meter.IMAGE, Unit.IMAGE),
}
EMBEDDINGS = "Embeddings"


def parse(capture: Capture) -> Iterator[PriceQuote]:
    if document(capture).get("lang", "").lower() not in COUNTRY:
        raise ValueError("the page is not the one of the French site, so its currency is not known")
    for path, catalogue in flight(capture).objects("models"):
        for index, model in enumerate(catalogue["models"]):
            for price in model["metadata"]["usage_information"]["pricing"]:
                meter, unit = METERS[price["price_unit"]]
                printed = f"{Decimal(price['price']):f}"
                yield PriceQuote(
                    model_label=model["name"],
                    meter=Meter.EMBEDDING if meter is Meter.INPUT and model["category"] == EMBEDDINGS else meter,
                    list_unit_price=read_number(printed),
                    pricing_unit=unit,
                    currency="EUR",
                    evidence=f"{printed} {price['price_unit']}",
                    locator=f"{'/'.join(map(str, path))}/models/{index}, {price['price_unit']}",
                )


PROVIDER = Provider(
    provider_id="ovhcloud",
    name="OVHcloud",
    homepage="https://www.ovhcloud.com",
    kind="reseller",
    sources=(
        Source(
            "catalog",
            "https://www.ovhcloud.com/fr/public-cloud/ai-endpoints/catalog/",
            "html",
            parse,
            former_urls=("https://www.ovhcloud.com/en/public-cloud/ai-endpoints/catalog/",),
        ),
    ),
)
