"""URL -> Capture: one careful, honest visitor.

It says who it is and whom to ask, obeys robots.txt (RFC 9309), never has two requests open at one host, asks
conditionally where it can, and bounds what an answer may cost: time, bytes after decompression, redirects, retries.
Proxies and certificates from the environment are ignored: the address guard would only ever see the proxy.
"""

import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from queue import SimpleQueue
from threading import Event, Lock
from typing import cast
from urllib.parse import urlsplit

import requests
from protego import Protego
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError
from urllib3.util import Retry

from pipeline.capture.guard import checked
from pipeline.capture.transport import Exchange, Transport
from pipeline.domain import Attempt, Capture, NextPage, Source, Unchanged
from pipeline.errors import BotChallenge, FetchError, RobotsDisallowed, ScrapeError, TooLarge
from pipeline.settings import Settings

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# How the large shields mark a challenge, which often comes as 403, 429 or 503. To try again would be to evade it.
_CHALLENGE_HEADERS = ("cf-mitigated", "x-vercel-mitigated", "x-amzn-waf-action")
_CHUNK = 65_536
# What RFC 9309 wants read of a robots.txt; the rest is ignored.
_ROBOTS_BYTES = 512_000


@dataclass(frozen=True, slots=True)
class Job:
    """One page to fetch. With the `previous` good attempt at it the page is asked for only if it has changed."""

    provider_id: str
    source: Source
    previous: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a job; `requested_at` is when its first request was made, UTC."""

    job: Job
    requested_at: datetime
    outcome: Capture | Unchanged | ScrapeError


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_challenge(self) -> bool:
        return any(self.headers.get(name, "").lower() in {"challenge", "captcha"} for name in _CHALLENGE_HEADERS)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """None: we follow redirects. To prepare for them, requests would read all that their bodies inflate to."""
        return None


class Client:
    """Fetches pages; safe to share between threads. Use it as a context manager.

    Between two requests to one host lie `interval` seconds at least. What it learns of a host
    (robots.txt, that it cannot be reached, or for how long it wants to be left alone) holds for the life of the client.
    """

    def __init__(self, settings: Settings, *, interval: float = 0) -> None:
        self._settings = settings
        self._interval = interval
        self._origin = str(settings.origin).rstrip("/") if settings.origin else None
        self._robots: dict[str, Protego | ScrapeError] = {}
        self._turns: dict[str, Lock] = {}
        # From when on a host may be asked again, on the monotonic clock.
        self._free_from: dict[str, float] = {}
        self._session = _Session()
        self._session.trust_env = False
        self._session.headers = requests.structures.CaseInsensitiveDict(
            # Only gzip: its decoder can be stopped at any output size, and knows where the stream must end.
            {"User-Agent": settings.user_agent, "Accept": "*/*", "Accept-Language": "en", "Accept-Encoding": "gzip"}
        )
        # Every visit is a first visit.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, Transport(pool_connections=64, pool_maxsize=settings.max_hosts))
        self._retry = Retry(
            total=settings.max_retries + 1,
            backoff_factor=settings.retry_backoff / 2,
            backoff_jitter=settings.retry_backoff / 2,
            backoff_max=settings.max_retry_after,
        ).increment()  # one failure ahead of the first: without it Retry would not pause before the second try

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def fetch(self, provider_id: str, source: Source, previous: Attempt | None = None) -> Capture | Unchanged:
        """The page as it is now, or the word that it is as the `previous` attempt found it.

        Where today's address knows no such page, the addresses that held it before are asked, newest first: pages
        move, sometimes back. The URL of the result is the address that answered, behind any redirects. Raises
        FetchError, RobotsDisallowed, BlockedAddress, BotChallenge or TooLarge.
        """
        if source.next_page is not None:
            previous = None  # that its first page is unchanged says nothing of the others
        deadline = time.monotonic() + self._settings.total_timeout
        answer = self._follow(checked(source.url), deadline, previous)
        gone = answer
        for url in source.former_urls:
            if answer.status not in _GONE:
                break
            answer = self._follow(checked(url), deadline, previous)
        if answer.status in _GONE:
            answer = gone
        captured_at = self._captured_at(answer)
        if answer.is_challenge:
            raise BotChallenge(f"{answer.url} answered {answer.status} with a challenge for browsers; it is not evaded")
        if answer.status == HTTPStatus.NOT_MODIFIED and previous is not None and answer.url == previous.url:
            return Unchanged(previous, answer.url, captured_at, answer.headers)
        if not 200 <= answer.status < 300:
            raise FetchError(f"{answer.url} answered {_named(answer.status)}")
        capture = Capture(
            provider_id=provider_id,
            page_id=source.page_id,
            url=answer.url,
            captured_at=captured_at,
            body=answer.body,
            status=answer.status,
            headers=answer.headers,
        )
        return capture if source.next_page is None else self._with_next_pages(capture, source, source.next_page)

    def _with_next_pages(self, first: Capture, source: Source, next_page: NextPage) -> Capture:
        """The first page of a list and all that follow it as one capture: all of them or none.

        A page that is not laid out as `next_page` knows it is the last: what has come is kept, and its parser will
        say what is wrong.
        """
        pages = [first]
        while (link := _link(next_page, pages[-1])) is not None:
            url = checked(self._unmapped(link), base=pages[-1].url)
            if url in {page.url for page in pages}:
                raise FetchError(f"{pages[-1].url} names {url} as its next page, which came before")
            if len(pages) == self._settings.max_pages:
                raise TooLarge(f"{first.url} goes on after {len(pages)} pages; reading stopped there")
            page = self.fetch(first.provider_id, replace(source, url=url, former_urls=(), next_page=None))
            pages.append(cast(Capture, page))  # no condition was sent: it cannot be Unchanged
            if sum(len(page.body) for page in pages) > self._settings.max_body_bytes:
                raise TooLarge(
                    f"{first.url} and its next pages are larger than {self._settings.max_body_bytes:,} bytes"
                )
        return replace(first, body=b"\n".join(page.body for page in pages))

    def fetch_all(self, jobs: Iterable[Job]) -> Iterator[Fetched]:
        """Fetches at most `max_hosts` hosts at once, the pages of one host one after the other.

        Yields as they are done. A job that ends in a ScrapeError stops no other; anything else is a bug and is raised
        when the others are done.
        """
        by_host: defaultdict[str, list[Job]] = defaultdict(list)
        for job in jobs:
            by_host[job.source.url.partition("://")[2].partition("/")[0].lower()].append(job)
        done: SimpleQueue[Fetched | None] = SimpleQueue()
        abandoned = Event()

        def visit(host_jobs: list[Job]) -> None:
            try:
                for job in host_jobs:
                    if abandoned.is_set():
                        return
                    done.put(self._do(job))
            finally:
                done.put(None)

        with ThreadPoolExecutor(max_workers=self._settings.max_hosts) as threads:
            visits = [threads.submit(visit, host_jobs) for host_jobs in by_host.values()]
            try:
                for _ in visits:
                    while (fetched := done.get()) is not None:
                        yield fetched
            finally:
                abandoned.set()
        for finished in visits:
            finished.result()

    def _do(self, job: Job) -> Fetched:
        requested_at = datetime.now(UTC)
        outcome: Capture | Unchanged | ScrapeError
        try:
            outcome = self.fetch(job.provider_id, job.source, job.previous)
        except ScrapeError as error:
            outcome = error
        return Fetched(job, requested_at, outcome)

    def _follow(
        self, url: str, deadline: float, previous: Attempt | None = None, *, for_robots: bool = False
    ) -> _Answer:
        """The answer behind all redirects; each hop passes the address guard and is asked for in robots.txt."""
        for _ in range(self._settings.max_redirects + 1):
            if not for_robots:
                self._obey_robots(url, deadline)
            answer = self._get(url, deadline, _validators(url, previous), whole=not for_robots)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            url = checked(self._unmapped(location), base=url)
        raise FetchError(f"{url} is behind more than {self._settings.max_redirects} redirects")

    def _obey_robots(self, url: str, deadline: float) -> None:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._robots:
            try:
                self._robots[site] = self._read_robots(f"{site}/robots.txt", deadline)
            except ScrapeError as error:
                self._robots[site] = error
        robots = self._robots[site]
        if isinstance(robots, ScrapeError):
            raise type(robots)(str(robots)) from robots
        # The product token alone: the address in the rest of our name must not match the rules for others.
        if not robots.can_fetch(url, self._settings.user_agent.partition("/")[0]):
            raise RobotsDisallowed(f"{site}/robots.txt forbids {parts.path} to {self._settings.user_agent}")

    def _read_robots(self, url: str, deadline: float) -> Protego:
        answer = self._follow(url, deadline, for_robots=True)
        if 200 <= answer.status < 300:
            return Protego.parse(answer.body.decode("utf-8", "replace"))
        if 400 <= answer.status < 500 and answer.status not in TRANSIENT:
            return Protego.parse("")
        raise RobotsDisallowed(
            f"{url} answered {_named(answer.status)}: until it can be read, nothing may be fetched (RFC 9309)"
        )

    def _get(self, url: str, deadline: float, headers: Mapping[str, str], *, whole: bool) -> _Answer:
        """One answer, tried again while failures look transient; the last answer if they never stop."""
        retry = self._retry
        while True:
            failure: Exception | None = None
            wait = 0.0
            try:
                answer = self._exchange(url, deadline, headers, whole=whole)
                if answer.status not in TRANSIENT or answer.is_challenge:
                    return answer
                wait = _retry_after(answer.headers.get("Retry-After"))
                host = urlsplit(url).hostname or ""
                self._free_from[host] = max(self._free_from[host], time.monotonic() + wait)
            except requests.exceptions.SSLError as error:
                raise FetchError(f"no secure connection for {url}: {_cause(error)}") from error
            except (requests.ConnectionError, requests.Timeout, HTTPError) as error:
                failure = error
            except requests.RequestException as error:
                raise FetchError(f"{url} cannot be asked for: {error}") from error
            if retry.total == 0 or wait > self._settings.max_retry_after:
                break
            retry = retry.increment("GET", url)
            wait = max(wait, retry.get_backoff_time())
            if time.monotonic() + wait > deadline:
                break
            time.sleep(wait)
        if failure is not None:
            raise FetchError(f"{url} did not arrive: {_cause(failure)}") from failure
        return answer

    def _exchange(self, url: str, deadline: float, headers: Mapping[str, str], *, whole: bool) -> _Answer:
        limits = self._settings
        late = f"{url} took longer than {limits.total_timeout:g} s"
        with (
            self._turn(url, deadline, late),
            Exchange(deadline - time.monotonic(), guarded=self._origin is None, late=late),
            self._session.get(
                self._wire(url),
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(limits.connect_timeout, limits.read_timeout),
            ) as response,
        ):
            body = bytearray()
            if 200 <= response.status_code < 300:
                limit = limits.max_body_bytes if whole else _ROBOTS_BYTES
                for chunk in _decoded(response):
                    body += chunk
                    if len(body) > limit and whole:
                        raise TooLarge(f"{url} is larger than {limit:,} bytes; reading stopped there")
                    if len(body) > limit:
                        break
            return _Answer(url, response.status_code, response.headers, bytes(body))

    @contextmanager
    def _turn(self, url: str, deadline: float, late: str) -> Iterator[None]:
        """One request at a time per host, also where redirects of other hosts lead to it, and none before its time."""
        host = urlsplit(url).hostname or ""
        turn = self._turns.setdefault(host, Lock())
        if not turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise FetchError(late)
        try:
            now = time.monotonic()
            pause = max(0.0, self._free_from.get(host, now) - now)
            if pause and now + pause > deadline:
                raise FetchError(f"{url} was not asked for: {host} is to be left alone for {pause:.0f} s more")
            time.sleep(pause)
            try:
                yield
            finally:
                # From the end of a request: whatever holds one up on its way, the host sees no two of them closer.
                self._free_from[host] = time.monotonic() + self._interval
        finally:
            turn.release()

    def _wire(self, url: str) -> str:
        """The URL that is really requested."""
        if self._origin is None:
            return url
        parts = urlsplit(url)
        return f"{self._origin}/{parts.hostname}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def _unmapped(self, location: str) -> str:
        """Where a redirect leads; the origin may name itself, or the host that it stands in for."""
        if self._origin is not None and location.startswith(f"{self._origin}/"):
            return f"//{location.removeprefix(f'{self._origin}/')}"
        return location

    def _captured_at(self, answer: _Answer) -> datetime:
        moment = None if self._origin is None else memento_time(answer.url, answer.headers)
        return moment or datetime.now(UTC)


def memento_time(url: str, headers: Mapping[str, str]) -> datetime | None:
    """When the content of an answer was captured, by its Memento-Datetime (RFC 7089); None where it has none.

    Raises FetchError for one that cannot be read.
    """
    memento = headers.get("Memento-Datetime")
    if memento is None:
        return None
    try:
        moment = parsedate_to_datetime(memento)
    except ValueError as error:
        raise FetchError(f"{url} has an unreadable Memento-Datetime: {memento!r}") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _link(next_page: NextPage, page: Capture) -> str | None:
    try:
        return next_page(page)
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def _validators(url: str, previous: Attempt | None) -> dict[str, str]:
    """The conditions of a request. An ETag means nothing at another address than the one that gave it."""
    if previous is None or previous.url != url:
        return {}
    validators = {"If-None-Match": previous.etag, "If-Modified-Since": previous.last_modified}
    return {name: value for name, value in validators.items() if value is not None}


def _decoded(response: requests.Response) -> Iterator[bytes]:
    """The body in pieces of at most 64 KiB, whatever it inflates to. Raises where it ends before its end."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    pieces: Iterator[bytes] = response.raw.stream(_CHUNK, decode_content=False)
    if encoding == "identity":
        yield from pieces
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise FetchError(f"{response.url} answered in the encoding {encoding!r}, which it was not asked for")
    decoder = _gunzip()
    try:
        for piece in pieces:
            while piece:
                if decoder.eof:
                    decoder = _gunzip()
                yield decoder.decompress(piece, _CHUNK)
                piece = decoder.unconsumed_tail or decoder.unused_data
        yield decoder.flush()
    except zlib.error as error:
        raise FetchError(f"{response.url} is not the gzip that it says it is: {error}") from error
    if not decoder.eof:
        raise ProtocolError("the body breaks off within its gzip stream")


def _gunzip() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def _cause(error: Exception) -> object:
    """What went wrong, without what requests and urllib3 wrap around it."""
    inner = error.args[0] if error.args else error
    return getattr(inner, "reason", None) or inner


def _retry_after(header: str | None) -> float:
    """How many seconds a host asks us to stay away; 0 where it does not say, or not so that one could tell."""
    if header is None:
        return 0
    try:
        return Retry().parse_retry_after(header)
    except (InvalidHeader, ValueError, OverflowError):
        return 0


def _named(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else str(status)
