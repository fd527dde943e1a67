"""Entries: what a layer holds, before it is bytes."""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from basestore.digest import Digest


class Kind(enum.Enum):
    """The kinds of entries, by their POSIX ustar type flag."""

    FILE = b"0"
    HARDLINK = b"1"
    SYMLINK = b"2"
    FOLDER = b"5"


@dataclass(frozen=True, slots=True)
class Copied:
    """A raw deflate stream (RFC 1951) inside a stored blob, copied as it is.

    ``size`` and ``crc32`` are the content's, and are checked while the stream passes by.
    """

    blob: Digest
    offset: int
    length: int
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Uncompressed content that is a slice of a stored blob."""

    blob: Digest
    offset: int
    size: int
    crc32: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """Content encoded here: ``read`` gives its ``size`` bytes anew at each call, in any pieces."""

    size: int
    read: Callable[[], Iterator[bytes]]


Payload = Copied | Stored | Encoded


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a layer, relative to the root, without leading or final slash.

    ``mode``: permission bits. ``target``: of a link; a hard link's is a path like ``path``.
    ``payload``: the content of a file, in one or more parts; empty for an empty file.
    """

    path: str
    kind: Kind
    mode: int
    payload: tuple[Payload, ...] = ()
    target: str = ""
    uid: int = 0
    gid: int = 0

    @property
    def size(self) -> int:
        """The content's size in bytes."""
        payload = self.payload
        return payload[0].size if len(payload) == 1 else sum(part.size for part in payload)


def encoded(data: bytes) -> Encoded:
    """A payload of bytes that are in memory."""
    return Encoded(len(data), lambda: iter((data,)))


def file(path: str, data: bytes, mode: int = 0o644) -> Entry:
    """A file with content that is in memory; no payload where it is empty."""
    return Entry(path, Kind.FILE, mode, (encoded(data),) if data else ())


def folder(path: str, mode: int = 0o755) -> Entry:
    """A folder."""
    return Entry(path, Kind.FOLDER, mode)


def symlink(path: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(path, Kind.SYMLINK, 0o777, target=target)
