"""Every path, limit and environment variable, read once."""

from functools import cache
from pathlib import Path

from pydantic import HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Each field is the environment variable `TOKENFALL_<FIELD>`; times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(env_prefix="TOKENFALL_")

    home: Path = PROJECT / "data"
    """Where data lives: archive, build, public."""
    origin: HttpUrl | None = None
    """A local server that stands in for all hosts: `<origin>/<host>/<path>?<query>` is fetched instead."""
    contact: str = "https://github.com/tokenfall/tokenfall/issues"
    """Address in the user agent at which a host's owner reaches the operator."""
    connect_timeout: float = 5
    """How long one address of a host may take to accept a connection."""
    read_timeout: float = 20
    """How long a host may be silent in the middle of an answer."""
    total_timeout: float = 60
    """How long a page may take in all, with robots.txt, redirects, retries and their pauses."""
    max_body_bytes: int = 20_000_000
    """The largest page, after decompression; also all pages of one list together."""
    max_pages: int = 100
    """Of how many pages one list may consist, each of which may take `total_timeout`."""
    max_redirects: int = 5
    """How many redirects lead to a page at most."""
    max_retries: int = 3
    """How many times a request is made again after a failure that may pass."""
    retry_backoff: float = 0.5
    """The pause before the first retry; it doubles with every further one; up to half of it is added by chance."""
    max_retry_after: float = 30
    """The longest pause that a host may ask for; one that asks for more is left alone until the next run."""
    max_hosts: int = 8
    """How many hosts are asked at once, each for one page at a time."""
    web_archive_interval: float = 1
    """Seconds between two requests to the web archive, from the end of one; less than one only of a local `origin`."""

    @property
    def user_agent(self) -> str:
        """An honest name, and whom to ask."""
        return f"tokenfall/0.1 (+{self.contact})"

    @property
    def web_archive_pause(self) -> float:
        """The seconds that really lie between two requests to the web archive."""
        is_local = self.origin is not None and self.origin.host in {"127.0.0.1", "[::1]", "localhost"}
        return self.web_archive_interval if is_local else max(1.0, self.web_archive_interval)

    @property
    def archive(self) -> Path:
        """Every capture and every reading, as WARC files, for ever."""
        return self.home.resolve() / "archive"

    @property
    def clones(self) -> Path:
        """Repositories that keep price maps, fetched for their history; they can be fetched again."""
        return self.home.resolve() / "git"

    @property
    def build(self) -> Path:
        """The warehouse that a run writes."""
        return self.home.resolve() / "build" / "warehouse.duckdb"

    @property
    def public(self) -> Path:
        """What readers open: `tokenfall.duckdb` and Parquet files."""
        return self.home.resolve() / "public"


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
