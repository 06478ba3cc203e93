"""Every list that comes in pages: the client follows them on a real server, and what it brings reads as reviewed."""

from collections.abc import Callable
from datetime import UTC, datetime
from json import JSONDecoder
from pathlib import Path

import pytest

from pipeline.capture.client import Client
from pipeline.capture.guard import checked
from pipeline.domain import Capture, Source
from pipeline.providers import discover
from pipeline.reading.extract import read
from tests.capture.conftest import Web, client_for, settings_for, web
from tests.providers.test_pages import OWN_PAGES, as_table

__all__ = ["client_for", "settings_for", "web"]
NEVER = datetime(1, 1, 1, tzinfo=UTC)
PAGED = [
    (provider.provider_id, source)
    for provider in discover().values()
    for source in provider.sources
    if source.next_page is not None
]


def served(page: Path) -> list[bytes]:
    """The pages that are joined in one of our own, as a server would have sent them."""
    text, documents = page.read_text().rstrip("\n"), []
    while text:
        if text.startswith("<"):
            before, end, text = text.partition("</html>\n")
            documents.append(f"{before}{end}".rstrip("\n").encode())
            continue
        _, end = JSONDecoder().raw_decode(text)
        documents.append(text[:end].encode())
        text = text[end:].lstrip("\n")
    return documents


@pytest.mark.parametrize(("provider_id", "source"), PAGED, ids=lambda value: getattr(value, "page_id", value))
def test_the_pages_of_a_list_are_followed_and_read(
    web: Web, client_for: Callable[..., Client], provider_id: str, source: Source
) -> None:
    [page] = [
        page
        for page in OWN_PAGES
        if page.parent.name == provider_id and page.with_suffix(".csv").exists() and page.stem.endswith(source.page_id)
    ]
    documents = served(page)
    assert len(documents) > 1
    url = checked(source.url)
    for document in documents:
        web.serve(url.removeprefix("https://"), document)
        link = source.next_page(Capture(provider_id, source.page_id, url, NEVER, document))  # type: ignore[misc]
        url = checked(link, base=url).replace(":443/", "/") if link else ""
    assert url == ""
    capture = client_for().fetch(provider_id, source)
    assert isinstance(capture, Capture)
    assert capture.body == b"\n".join(documents)
    assert as_table(source.page_id, read(capture, source)) == page.with_suffix(".csv").read_text()
