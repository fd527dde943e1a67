"""Listings: what a layer holds, kept beside it, so that checks over a whole image open no layer.

A listing is a blob: gzip members of canonical JSON with ``files`` (path -> size, CRC-32),
``links`` (path -> target) and ``dynamic`` (ELF file -> soname, needed libraries).
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from basestore.canonical import json_bytes
from basestore.errors import IntegrityError
from basestore.layer import gzip
from basestore.reading import reading


class UnreadableListingError(IntegrityError):
    """A layer's listing in the store is not of the form that this version writes."""

    def __init__(self) -> None:
        super().__init__(
            "a layer in the store was recorded in a form that this version can't read",
            "run `basestore build --rebuild` to make the layers again",
        )


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Of an ELF file's dynamic section: its own name, and the libraries that it needs."""

    soname: str
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A layer's files by path with size and CRC-32, its links, its dynamic ELF files."""

    files: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    dynamic: Mapping[str, Dynamic] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The listing's blob."""
        content = json_bytes(
            {
                "dynamic": {
                    path: [found.soname, list(found.needed)] for path, found in self.dynamic.items()
                },
                "files": {path: list(identity) for path, identity in self.files.items()},
                "links": dict(self.links),
            }
        )
        pieces = range(0, len(content), gzip.MEMBER)
        return b"".join(gzip.member(content[at : at + gzip.MEMBER]) for at in pieces)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Listing":
        """Read a listing that this version wrote; raises UnreadableListingError for another."""
        with reading(lambda _: UnreadableListingError()):
            return cls._of(json.loads(_inflated(data)))

    @classmethod
    def _of(cls, found: Any) -> "Listing":
        files = {path: (size, crc32) for path, (size, crc32) in found["files"].items()}
        links: dict[str, str] = found["links"]
        dynamic = {
            path: Dynamic(soname, tuple(needed))
            for path, (soname, needed) in found["dynamic"].items()
        }
        names = (name for one in dynamic.values() for name in (one.soname, *one.needed))
        if set(map(type, chain(*files.values()))) | {int} != {int}:
            raise TypeError("a size or CRC-32 that is no number")
        if set(map(type, chain(links.values(), names))) | {str} != {str}:
            raise TypeError("a name that is no text")
        return cls(files, links, dynamic)


def _inflated(data: bytes) -> bytes:
    content = b""
    while data:
        inflate = zlib.decompressobj(wbits=31)
        content += inflate.decompress(data)
        data = inflate.unused_data
    return content
