"""What lies in a store: every file with its kind, its bytes, and when it was last used.

Kinds are for people. What a blob is shows in its first bytes; nothing is decided by that.
"""

import contextlib
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from basestore.digest import Digest
from basestore.files import is_temporary

_HEAD = 512  # bytes that tell what a blob is
_ROW = 20  # bytes of a row of a segment table


class Kind(StrEnum):
    """What a file of the store is."""

    WHEEL = "wheels"
    DEB = ".debs"
    INLINE = "inline bytes"
    SEGMENTS = "segment tables"
    LISTING = "listings"
    DOCUMENT = "documents"
    INDEX = "indexes"
    OTHER = "other blobs"
    LAYER = "layer records"
    RECIPE = "recipe records"
    PARTIAL = "partials"
    SCRATCH = "scratch"
    QUARANTINE = "quarantine"


@dataclass(frozen=True)
class StoredFile:
    """A file of the store. ``size`` in bytes; ``used``: seconds since the epoch, when it was last
    written or, as far as the file system keeps that, read. ``inode``: its number.
    """

    path: Path
    size: int
    used: float
    inode: int
    _kind: Kind | None = None

    @cached_property
    def kind(self) -> Kind:
        """What it is; of a blob its first bytes are read."""
        return self._kind or kind_of(head_of(self.path), self.size)

    @property
    def is_blob(self) -> bool:
        """Whether it is a blob, of whatever kind."""
        return self._kind is None

    @property
    def digest(self) -> Digest | None:
        """The digest that the file is named by; None where it isn't."""
        name = self.path.name.removesuffix(".json")
        if self._kind is Kind.PARTIAL:
            user, _, name = name.partition("-")  # without one it is of before users had their own
            name = name if user.isdecimal() else ""
        with contextlib.suppress(ValueError):
            return Digest(name)
        return None


def blobs(root: Path) -> Iterator[Sequence[StoredFile]]:
    """The blobs, one folder after the other."""
    for folder in _folders(root / "blobs" / "sha256"):
        yield _files(folder, None)


def layers(root: Path) -> Iterator[Sequence[StoredFile]]:
    """The records of layers, one folder after the other."""
    for folder in _folders(root / "layers"):
        yield _files(folder, Kind.LAYER)


def recipes(root: Path) -> Iterator[Sequence[StoredFile]]:
    """The records of recipes, one folder after the other."""
    for folder in _folders(root / "recipes"):
        yield _files(folder, Kind.RECIPE)


def partials(root: Path) -> Sequence[StoredFile]:
    """Downloads and blobs under way, or broken off."""
    return _files(root / "partials", Kind.PARTIAL)


def quarantine(root: Path) -> Sequence[StoredFile]:
    """Damaged blobs that were set aside."""
    return _files(root / "quarantine", Kind.QUARANTINE)


def unfinished(root: Path) -> Sequence[StoredFile]:
    """The format and roots under way, or what killed writers left of them."""
    found = (*_files(root, Kind.PARTIAL), *_files(root / "roots" / "projects", Kind.PARTIAL))
    return [file for file in found if is_temporary(file.path.name)]


def scratch(root: Path) -> Sequence[StoredFile]:
    """The folders of work under way, or broken off; their size is that of what lies in them."""
    found = []
    for folder in _folders(root / "scratch"):
        with contextlib.suppress(FileNotFoundError):  # the work came to its end
            status, size = folder.lstat(), sum(_sizes(folder))
            found.append(StoredFile(folder, size, status.st_mtime, status.st_ino, Kind.SCRATCH))
    return found


def everything(root: Path) -> Iterator[Sequence[StoredFile]]:
    """All of that, one folder after the other."""
    yield from blobs(root)
    yield from layers(root)
    yield from recipes(root)
    yield from (partials(root), unfinished(root), scratch(root), quarantine(root))


def head_of(path: Path) -> bytes:
    """The first bytes of a blob; none of one that is gone."""
    try:
        with open_quietly(path) as file:
            return file.read(_HEAD)
    except FileNotFoundError:
        return b""


def open_quietly(path: Path) -> BinaryIO:
    """Open a file to read, unbuffered, which doesn't count as a use of it where that can be had."""
    return open(path, "rb", buffering=0, opener=_quiet)


def _quiet(path: str, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:  # it is for the owner alone (open(2))
        return os.open(path, flags)


def kind_of(head: bytes, size: int) -> Kind:
    """What a blob is, by its first bytes and its size."""
    magics = {
        b"PK": Kind.WHEEL,
        b"!<arch>\n": Kind.DEB,
        b"\xfd7zXZ\0": Kind.INDEX,
        b"{": Kind.DOCUMENT,
    }
    for magic, kind in magics.items():
        if head.startswith(magic):
            return kind
    if head.startswith(b"\x1f\x8b"):
        return Kind.LISTING if _inflated(head).startswith(b'{"dynamic"') else Kind.INLINE
    return Kind.SEGMENTS if size % _ROW == 0 else Kind.OTHER


def _inflated(head: bytes) -> bytes:
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(wbits=31).decompress(head, 16)
    return b""


def _folders(folder: Path) -> Iterator[Path]:
    """The folders in one, sorted; none where there is none."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        names = sorted(one.name for one in found if one.is_dir(follow_symlinks=False))
        yield from (folder / name for name in names)


def _files(folder: Path, kind: Kind | None) -> Sequence[StoredFile]:
    """The files in a folder, but for those that go while one looks; unsorted."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    used = max(status.st_mtime, status.st_atime)
                    path, size, inode = folder / entry.name, status.st_size, status.st_ino
                    found.append(StoredFile(path, size, used, inode, kind))
    return found


def _sizes(folder: Path) -> Iterator[int]:
    for above, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield (Path(above) / name).lstat().st_size
