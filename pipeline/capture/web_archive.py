"""The Internet Archive's web archive: which mementos of a page it has, and their bytes as the page's server sent them.

Our own client asks it. The maintained library for it, `wayback`, has the service's address built in, so that no local
server can stand in for it, and neither bounds the size of an answer nor checks where a redirect leads.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import cast
from urllib.parse import quote, urlencode

from pipeline.capture.client import Client, memento_time
from pipeline.domain import Capture, Source
from pipeline.errors import FetchError
from pipeline.settings import Settings

SITE = "https://web.archive.org"
_TIMESTAMP = "%Y%m%d%H%M%S"
_FIELDS = ("timestamp", "original", "statuscode", "digest")
# A search of the index, or a memento from a slow disk, takes longer than a page of a shop window. Seconds.
_PATIENCE = {"read_timeout": 120, "total_timeout": 900, "max_retry_after": 600}


@dataclass(frozen=True, slots=True)
class Memento:
    """One capture of an address by the web archive; `digest` names its bytes."""

    captured_at: datetime
    original: str
    digest: str

    @property
    def url(self) -> str:
        """Where the archive gives it out as it was served: without `id_` it would add a toolbar and change links."""
        return f"{SITE}/web/{self.captured_at.strftime(_TIMESTAMP)}id_/{self.original}"


def client_for(config: Settings) -> Client:
    """A patient client that leaves the web archive the pause between two requests that it is due."""
    return Client(config.model_copy(update=_PATIENCE), interval=config.web_archive_pause)


def addresses(source: Source) -> tuple[str, ...]:
    """Every address that the page ever had, today's first; none for a list in pages, of which a memento holds one."""
    return () if source.next_page is not None else (source.url, *source.former_urls)


def index_url(url: str, last: date) -> str:
    """Where the index says which mementos of an address there are up to the last day, one row per change.

    It is asked for all that came before, too: where it began later, its first row could repeat an earlier one.
    """
    query = {
        "url": url,
        "to": f"{last:%Y%m%d}",
        "output": "json",
        "fl": ",".join(_FIELDS),
        "collapse": "digest",
    }
    return f"{SITE}/cdx/search/cdx?{urlencode(query, quote_via=quote)}"


def mementos(client: Client, provider_id: str, source: Source, url: str, last: date) -> list[Memento]:
    """The good answers of one address of a page that the index lists. Raises a ScrapeError, like `Client.fetch`."""
    return read_index(_fetched(client, provider_id, source, index_url(url, last)))


def read_index(index: Capture) -> list[Memento]:
    """The mementos that answered with 200, in the order of the index. Raises FetchError where it is no index."""
    try:
        table = json.loads(index.text or "[]")
        header = table[0] if table else []
        rows = [dict(zip(header, row, strict=True)) for row in table[1:]]
        # A revisit repeats an earlier answer and has no status of its own.
        statuses = {row["digest"]: row["statuscode"] for row in rows if row["statuscode"] != "-"}
        return [
            Memento(datetime.strptime(row["timestamp"], _TIMESTAMP).replace(tzinfo=UTC), row["original"], row["digest"])
            for row in rows
            if (statuses.get(row["digest"], "200") if row["statuscode"] == "-" else row["statuscode"]) == "200"
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FetchError(f"{index.url} is not an index of mementos: {error!r}") from error


def changes(by_address: Iterable[Sequence[Memento]], first: date) -> list[Memento]:
    """One memento per change of a page, oldest first; of several of one instant that of the first address.

    They begin with the last one before the first day, which says what held when that day began.
    """
    chosen: list[Memento] = []
    everything = (memento for of_address in by_address for memento in of_address)
    # Sorting is stable: at one instant they stay in the order of their addresses.
    for memento in sorted(everything, key=lambda memento: memento.captured_at):
        if not chosen or (memento.captured_at != chosen[-1].captured_at and memento.digest != chosen[-1].digest):
            chosen.append(memento)
    midnight = datetime.combine(first, time.min, UTC)
    return chosen[max(0, bisect_right(chosen, midnight, key=lambda memento: memento.captured_at) - 1) :]


def fetch_memento(client: Client, provider_id: str, source: Source, memento: Memento) -> Capture:
    """The page as it was, at the memento's own time.

    Raises a ScrapeError, like `Client.fetch`; a FetchError also where the archive gives out a memento of another time
    in place of the one asked for.
    """
    capture = _fetched(client, provider_id, source, memento.url)
    moment = memento_time(capture.url, capture.headers)
    if moment != memento.captured_at:
        raise FetchError(f"{memento.url} was answered with {capture.url}, captured at {moment or 'no known time'}")
    return replace(capture, url=memento.url, captured_at=moment, origin="web_archive")


def _fetched(client: Client, provider_id: str, source: Source, url: str) -> Capture:
    at_url = replace(source, url=url, former_urls=(), next_page=None)
    return cast(Capture, client.fetch(provider_id, at_url))  # no condition was sent: it cannot be Unchanged
