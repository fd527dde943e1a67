"""A suite's Release out of an archive: fetched, its signature checked, and that it is the one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from basestore.debian.release import Release, parse_release
from basestore.errors import IntegrityError, UnreachableError
from basestore.sources.signature import Keyring, claimed_text, verified_text
from basestore.store import Store
from basestore.transport import NotFoundError, Transport, redact

RELEASE_LIMIT = 16 * 1024 * 1024
"""Bytes that an InRelease may have; Debian's have 150 KB."""


class SuiteNotFoundError(UnreachableError):
    """No archive that was asked holds the suite; ``asked`` are redacted base URLs."""

    def __init__(self, suite: str, asked: Sequence[str], further: str = "") -> None:
        self.suite = suite
        self.asked = tuple(map(redact, asked))
        super().__init__(
            f"the suite {suite} is not in {' nor in '.join(self.asked)}{further}",
            "write a codename such as bookworm or trixie into [foundation], or name a mirror",
        )


class WrongReleaseError(IntegrityError):
    """A signed Release isn't the one that was asked for."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"{redact(url)} can't be trusted: {reason}",
            "use another mirror; don't trust this one before you know why",
        )
        self.url = redact(url)


class ForeignReleaseError(WrongReleaseError):
    """A Release of somebody else's archive."""


class ExpiredReleaseError(IntegrityError):
    """A Release is older than it may be: a mirror that stopped, or one that hides updates."""

    def __init__(self, url: str, until: datetime) -> None:
        super().__init__(
            f"{redact(url)} is out of date: it was valid until {until:%Y-%m-%d %H:%M} UTC",
            "use a mirror that is kept up to date, and see whether this machine's clock is right",
        )
        self.url = redact(url)
        self.until = until


@dataclass(frozen=True, slots=True)
class Place:
    """An archive's base URL without slash at its end, and the moment at which a Release from there
    must be valid; None where its age doesn't matter.
    """

    base: str
    valid_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReleaseReader:
    """Reads Releases that were signed with one of the keyring's keys.

    Without a keyring signatures are not checked, which is enough to find what is known by digest.
    """

    store: Store
    transport: Transport
    keyring: Keyring | None

    def read(self, place: Place, suite: str) -> Release:
        """The Release of a suite.

        Raises SuiteNotFoundError, SignatureError, WrongReleaseError, ExpiredReleaseError,
        TransportError.
        """
        url = f"{place.base}/dists/{suite}/InRelease"
        try:
            message = self.transport.read(url, limit=RELEASE_LIMIT)
        except NotFoundError as error:
            raise SuiteNotFoundError(suite, [place.base]) from error
        try:
            release = parse_release(self._text(message, redact(url)))
        except ValueError as error:
            raise WrongReleaseError(url, f"it is no Release: {error}") from error
        _check(release, suite, url, place.valid_at)
        return release

    def _text(self, message: bytes, what: str) -> bytes:
        if self.keyring is None:
            return claimed_text(message, what)
        with self.store.scratch() as folder:
            return verified_text(message, self.keyring, folder, what)


def _check(release: Release, suite: str, url: str, valid_at: datetime | None) -> None:
    if release.origin != "Debian":
        raise ForeignReleaseError(url, f"its origin is {release.origin or 'not told'}, not Debian")
    if not release.is_for(suite):
        raise WrongReleaseError(url, f"it is the Release of {release.codename}, not of {suite}")
    if valid_at and release.valid_until and release.valid_until < valid_at:
        raise ExpiredReleaseError(url, release.valid_until)
