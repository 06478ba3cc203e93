"""Hugging Face Inference Providers: the router's list of models, each with the hosts that serve it.

Prices are USD per 1M tokens and the hosts' own; Hugging Face adds nothing to them. A label is `<model>:<host>`, as a
request to the router names the host that it wants. A host without a price bills by another measure or tells none: no
quote. A host that is only staged cannot be used yet; one in error is down for the moment and keeps its price.
"""

from collections.abc import Iterator
from decimal import Context, Decimal

from pipeline.domain import Capture, Meter, PriceQuote, Provider, Source, Unit
from pipeline.reading.extract import quote_json
from pipeline.reading.pages import json_pages

METERS = {"input": Meter.INPUT, "output": Meter.OUTPUT}
IS_OFFERED = {"live": True, "error": True, "staging": False}
# Some numbers come out of floating point arithmetic (0.7499999999999999), which is exact to 15 digits.
DIGITS_OF_A_DOUBLE = Context(prec=15)


def parse(capture: Capture) -> Iterator[PriceQuote]:
    [answer] = json_pages(capture)
    for index, model in enumerate(answer["data"]):
        for number, host in enumerate(model["providers"]):
            if not IS_OFFERED[host["status"]] or "pricing" not in host:
                continue
            pricing = host["pricing"]
            if pricing.keys() != METERS.keys() or host["is_free"] is not False:
                raise ValueError(f"{host['provider']} prices {model['id']} in a way that is not known: {host}")
            for key, printed in pricing.items():
                yield quote_json(
                    f"{model['id']}:{host['provider']}",
                    METERS[key],
                    printed,
                    unit=Unit.MILLION_TOKENS,
                    locator=f"/data/{index}/providers/{number}/pricing/{key}",
                    read_amount=_rounded,
                )


def _rounded(printed: str) -> Decimal:
    return DIGITS_OF_A_DOUBLE.create_decimal(printed).normalize()


PROVIDER = Provider(
    provider_id="huggingface",
    name="Hugging Face Inference Providers",
    homepage="https://huggingface.co",
    kind="aggregator",
    sources=(Source("models", "https://router.huggingface.co/v1/models", "json", parse),),
)
