"""Release: the description of one archive's suite, as the text that was signed.

Source: the Debian repository format, "Release files".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from basestore.debian.control import parse_stanza
from basestore.digest import Digest


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A file that a Release vouches for; ``size`` in bytes."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Release:
    """A Release. ``files`` by path below the suite's folder; ``valid_until`` in UTC."""

    origin: str
    suite: str
    codename: str
    valid_until: datetime | None
    by_hash: bool
    files: Mapping[str, IndexFile]

    def is_for(self, suite: str) -> bool:
        """Whether it describes a suite, called by its codename or its name."""
        return suite in (self.codename, self.suite)


def parse_release(text: bytes) -> Release:
    """Read a Release; raises ValueError for what isn't one."""
    fields = parse_stanza(text.strip(b"\n"))
    until = fields.get("valid-until")
    return Release(
        origin=fields.get("origin", ""),
        suite=fields.get("suite", ""),
        codename=fields.get("codename", ""),
        valid_until=_moment(until) if until else None,
        by_hash=fields.get("acquire-by-hash") == "yes",
        files=dict(map(_index_file, fields.get("sha256", "").strip().splitlines())),
    )


def _moment(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is no date") from None


def _index_file(line: str) -> tuple[str, IndexFile]:
    digits, size, path = line.split()
    return path, IndexFile(Digest(digits), int(size))
