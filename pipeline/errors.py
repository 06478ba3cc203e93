"""Everything that can go wrong between an address and a price, by name.

The class name is what users see: in `raw.captures.outcome`, in coverage, in the Dagster UI and first on stderr.
"""


class ScrapeError(Exception):
    """A page could not be captured or read. The message says what happened and what to do."""


class FetchError(ScrapeError):
    """The page did not arrive: DNS, TLS, a timeout, or an HTTP error that retries did not cure."""


class RobotsDisallowed(ScrapeError):
    """The host's robots.txt forbids the page to our user agent; nothing was fetched."""


class BlockedAddress(ScrapeError):
    """The address, or one that it redirects to, is not a public http(s) address; no connection was made."""


class TooLarge(ScrapeError):
    """The body exceeds the size limit after decompression; reading stopped at the limit."""


class BotChallenge(ScrapeError):
    """The answer is a challenge for browsers, not the page. It is recorded and never evaded."""


class LayoutChanged(ScrapeError):
    """The page is not laid out as the parser knows it, or holds no price. The capture is kept for a replay."""


class UnreadablePrice(LayoutChanged):
    """A cell that should hold a price holds something that the strict reader refuses."""


class GitHistoryError(Exception):
    """The history of a price map in a git repository could not be read."""


class NotARepository(GitHistoryError):
    """There is no git repository at the address or in the folder, or it could not be fetched."""


class FileNotInRepository(GitHistoryError):
    """The repository has no commit with the files that the map consists of."""


class NothingNew(GitHistoryError):
    """The archive has this history of the map already, or one that goes on for longer."""


class NotTheMap(GitHistoryError):
    """None of the versions of the files could be read as the map."""


class NothingToBuildFrom(Exception):
    """Neither the network, nor the archive, nor an installed price map gave anything to build a warehouse from."""


class AuditFailed(Exception):
    """The build did not pass its audits; the public file was left as it was."""


class ArchiveInUse(Exception):
    """Another process writes to the archive. Wait until it is done, or end it."""
