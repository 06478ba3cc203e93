"""The nouns of tokenfall. Prices are named after FOCUS, pages after WARC."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Literal, NamedTuple


class Meter(StrEnum):
    """What is counted. Token meters are priced per tokens, the others in the unit that the page prints."""

    INPUT = "input"
    OUTPUT = "output"
    REASONING_OUTPUT = "reasoning_output"
    CITATION = "citation"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_5M = "cache_write_5m"
    CACHE_WRITE_1H = "cache_write_1h"
    CACHE_STORAGE = "cache_storage"
    AUDIO_INPUT = "audio_input"
    AUDIO_OUTPUT = "audio_output"
    AUDIO_CACHE_READ = "audio_cache_read"
    AUDIO_CACHE_WRITE = "audio_cache_write"
    IMAGE_INPUT = "image_input"
    IMAGE_OUTPUT = "image_output"
    IMAGE_CACHE_READ = "image_cache_read"
    VIDEO_INPUT = "video_input"
    VIDEO_OUTPUT = "video_output"
    VIDEO_CACHE_READ = "video_cache_read"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    MODERATION = "moderation"
    TRAINING = "training"
    TRANSCRIPTION = "transcription"
    SPEECH = "speech"
    VOICE = "voice"
    MUSIC = "music"
    SEARCH_CALL = "search_call"
    TOOL_CALL = "tool_call"
    REQUEST = "request"
    IMAGE = "image"
    VIDEO = "video"
    PAGE = "page"
    ANNOTATED_PAGE = "annotated_page"
    CHARACTER = "character"
    SECOND = "second"
    STORAGE = "storage"
    SESSION = "session"
    COMPUTE = "compute"
    EXCHANGE_RATE = "exchange_rate"


class ServiceTier(StrEnum):
    """The promise that a price buys: latency, scheduling, or a model of one's own."""

    STANDARD = "standard"
    BATCH = "batch"
    FLEX = "flex"
    PRIORITY = "priority"
    ULTRAFAST = "ultrafast"
    OFF_PEAK = "off_peak"
    FINE_TUNED = "fine_tuned"
    PROVISIONED = "provisioned"


class Unit(StrEnum):
    """The pricing units that pages print, each spelled one way."""

    TOKEN = "token"
    THOUSAND_TOKENS = "1K tokens"
    MILLION_TOKENS = "1M tokens"
    MILLION_TOKENS_HOUR = "1M tokens per hour"
    CHARACTER = "character"
    THOUSAND_CHARACTERS = "1K characters"
    TEN_THOUSAND_CHARACTERS = "10K characters"
    MILLION_CHARACTERS = "1M characters"
    IMAGE = "image"
    HUNDRED_IMAGES = "100 images"
    THOUSAND_IMAGES = "1K images"
    MEGAPIXEL = "megapixel"
    FRAME = "frame"
    SECOND = "second"
    THIRTY_SECONDS = "30 seconds"
    MINUTE = "minute"
    HOUR = "hour"
    PAGE = "page"
    THOUSAND_PAGES = "1K pages"
    REQUEST = "request"
    THOUSAND_REQUESTS = "1K requests"
    CALL = "call"
    THOUSAND_CALLS = "1K calls"
    VIDEO = "video"
    SONG = "song"
    VOICE = "voice"
    SESSION = "session"
    GB_HOUR = "GB per hour"
    GB_DAY = "GB per day"
    EURO = "euro"
    GB_MONTH = "GB per month"
    MODEL_MONTH = "model per month"
    MINUTE_20_SESSION = "20-minute session"


# How many of the unit make one million tokens. Exact multiplication only: a division would leave the decimals.
MTOK_FACTOR: Mapping[str, Decimal] = {
    Unit.TOKEN: Decimal(1_000_000),
    Unit.THOUSAND_TOKENS: Decimal(1_000),
    Unit.MILLION_TOKENS: Decimal(1),
}

Format = Literal["html", "markdown", "json", "xml", "csv"]
Origin = Literal["live", "web_archive", "file"]
Role = Literal["primary", "cross_check", "price_map", "price_history", "exchange_rates"]
Doubt = Literal["flap", "jump"]


@dataclass(frozen=True, slots=True)
class Capture:
    """One answer of one page at one time, byte for byte."""

    provider_id: str
    page_id: str
    url: str
    captured_at: datetime
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = "live"

    @property
    def sha256(self) -> str:
        """Digest of the body, the name by which every price leads back to its page."""
        return sha256(self.body).hexdigest()

    @property
    def text(self) -> str:
        """The body as text: UTF-8 (a byte order mark is dropped); anything else raises UnicodeDecodeError."""
        return self.body.decode("utf-8-sig")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuote:
    """One price, exactly as one page prints it.

    `list_unit_price` is None where the page names the meter but no price ("Contact sales", -1); 0 means free.
    Context bounds count prompt tokens: the band holds prompts above `context_from` and up to `context_to`.
    `announced_from` is when a price starts, where the page says so; `valid_until` when it ends (exclusive), UTC.
    `provider_id` names who sells at this price where that is not the provider whose page it stands on.
    `time_window` is `[DAYS ]HH:MM-HH:MM[,HH:MM-HH:MM][; DAYS HH:MM-HH:MM] UTC[ HOLIDAYS]` with DAYS like `Sat` or
    `Mon-Fri` (none: every day) and HOLIDAYS `except CN holidays` or `and CN holidays` (all day on China's public
    holidays). Windows are half-open and stay within their day, which ends at 24:00; None means at all hours.
    `doubt` is why a price of an outside map is not to be believed on the map's word alone.
    """

    model_label: str
    meter: Meter
    list_unit_price: Decimal | None
    pricing_unit: Unit
    currency: str = "USD"
    service_tier: ServiceTier = ServiceTier.STANDARD
    context_from: int | None = None
    context_to: int | None = None
    region: str | None = None
    time_window: str | None = None
    announced_from: datetime | None = None
    valid_until: datetime | None = None
    provider_id: str | None = None
    doubt: Doubt | None = None
    evidence: str
    locator: str

    def __post_init__(self) -> None:
        if self.list_unit_price is not None and not (self.list_unit_price.is_finite() and self.list_unit_price >= 0):
            raise ValueError(f"a price is finite and not negative, not {self.list_unit_price}")
        for moment in (self.announced_from, self.valid_until):
            if moment is not None and moment.utcoffset() != UTC.utcoffset(None):
                raise ValueError(f"dates of a quote are in UTC, not {moment!r}")

    @property
    def usd_per_mtok(self) -> Decimal | None:
        """USD per 1,000,000 tokens, where the price is in USD and its unit counts tokens."""
        if self.list_unit_price is None or self.currency != "USD" or self.pricing_unit not in MTOK_FACTOR:
            return None
        return self.list_unit_price * MTOK_FACTOR[self.pricing_unit]

    @property
    def key(self) -> tuple[object, ...]:
        """What makes a price unique on its page."""
        return (
            self.provider_id,
            self.model_label,
            self.meter,
            self.pricing_unit,
            self.currency,
            self.service_tier,
            self.context_from,
            self.context_to,
            self.region,
            self.time_window,
            self.announced_from,
            self.valid_until,
        )


class Position(NamedTuple):
    """How far the archive has been read: up to this offset in bytes of this file. Positions sort as written."""

    file: str
    offset: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one page, whatever came of it: a row of `raw.captures`.

    `capture_id` names the record in the archive. `outcome` is "ok", "unchanged" (a 304: the same bytes were observed
    again) or the class name of an error, with its `message`. `requested_at` is the clock of this machine and so when
    the warehouse learnt of it; `captured_at` is the time of the content, which is earlier for mementos. `position` is
    the end of its record in the archive.
    """

    capture_id: str
    provider_id: str
    page_id: str
    url: str
    origin: Origin
    requested_at: datetime
    captured_at: datetime
    outcome: str
    message: str | None = None
    status: int | None = None
    sha256: str | None = None
    size: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    position: Position = Position("", 0)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A 304: at `captured_at` the page still was what the `previous` attempt found."""

    previous: Attempt
    url: str
    captured_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one parse made of one capture: its quotes, or the error by name. `read_at` is when we came to believe it.

    `quotes_sha256` names the set of quotes: readings that found the same share it; None where there are none.
    """

    reading_id: str
    capture_id: str
    read_at: datetime
    outcome: str
    message: str | None = None
    quotes: tuple[PriceQuote, ...] = ()
    quotes_sha256: str | None = None
    position: Position = Position("", 0)


Parser = Callable[[Capture], Iterable[PriceQuote | None]]
NextPage = Callable[[Capture], str | None]


@dataclass(frozen=True, slots=True)
class Source:
    """One page of a provider: where it is and how it is read.

    A `primary` page is what the provider's history is made of; a `cross_check` page repeats prices and fills in
    for days before the primary page was first captured; a `price_map` is kept by somebody else, and a `price_history`
    is all that one ever said, in one document that supersedes earlier ones. `former_urls` are addresses that held the
    page earlier. A parser is not `verified` before it has read a real page.

    Of a list that comes in pages `next_page` finds in each the address of the next one. They are one capture: bytes as
    served, one page after the other, a newline between them.
    """

    page_id: str
    url: str
    format: Format
    parse: Parser
    role: Role = "primary"
    verified: bool = True
    former_urls: tuple[str, ...] = ()
    next_page: NextPage | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """Who publishes prices, and on which pages."""

    provider_id: str
    name: str
    homepage: str
    kind: Literal["first_party", "reseller", "aggregator", "price_map", "exchange_rates"]
    sources: tuple[Source, ...]
