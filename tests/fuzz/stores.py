"""Targets of a store: its records, tables, listings and documents, whoever wrote them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from fuzz.target import Target, scratch

from basestore.digest import Digest
from basestore.image.stored import image_of, read_image
from basestore.layer import gzip
from basestore.layer.listing import Listing
from basestore.lock.tally import tally
from basestore.state import State
from basestore.store import Store
from basestore.store.folders import Folders
from basestore.store.format import FORMAT
from basestore.store.leases import Held, Leases
from basestore.store.memory import Memory
from basestore.store.realisations import Realisation, Realisations, parse_layer, parse_recipe
from basestore.store.roots import Roots

ZERO, ONE = Digest("0" * 64), Digest("1" * 64)
PARTS = b"\n-----\n"
"""What stands between the documents of an input."""

JSON = (b"{", b"[", b"]", b"}", b'"', b",", b":", b"null", b"-1", b"1e9", b"9" * 5000, b"[" * 9000)


@dataclass(frozen=True)
class Blobs:
    """Blobs that are parts of an input, one after the other, whatever is asked for."""

    parts: Iterator[bytes]

    def read(self, digest: Digest) -> bytes:
        """The next part."""
        del digest
        return next(self.parts, b"")

    def path(self, digest: Digest) -> Path:
        """A place, for messages."""
        return Path("/store/blobs/sha256", digest.hex[:2], digest.hex)


@dataclass(frozen=True)
class OfParts:
    """A store of nothing but blobs."""

    blobs: Blobs


def store_of(data: bytes) -> Store:
    return cast(Store, OfParts(Blobs(iter(data.split(PARTS)))))


@cache
def folder(name: str) -> Path:
    made = scratch() / "stores" / name
    made.mkdir(parents=True)
    return made


def _recipe(data: bytes) -> None:
    found = parse_recipe(data)
    assert found is None or isinstance(found, Digest)


def _layer(data: bytes) -> None:
    found = parse_layer(ZERO, data)
    if found:
        assert all(isinstance(one, Digest) for one in (found.diff_id, *found.needs))
        assert found.size >= 0


def _segments(data: bytes) -> None:
    blobs = cast(Any, Blobs(iter([data])))
    nobody, memory = cast(Any, None), Memory(State.none())
    records = Realisations(Folders(folder("segments")), blobs, nobody, None, memory)
    layer = Realisation(ZERO, ZERO, 0, (ZERO, ONE), ZERO, ZERO)
    assert all(one.offset >= 0 and one.length >= 0 for one in records.segments(layer))


def _listing(data: bytes) -> None:
    """The inflated form, which mutations of deflate streams never reach, or a whole one."""
    pieces = range(0, len(data), gzip.MEMBER)
    packed = b"".join(gzip.member(data[at : at + gzip.MEMBER]) for at in pieces)
    found = Listing.from_bytes(data if data[:2] == b"\x1f\x8b" else packed)
    assert Listing.from_bytes(found.to_bytes()) == found


def _format(data: bytes) -> None:
    root = folder("format")
    (root / "format").write_bytes(data)
    FORMAT.check(root)


def _root(data: bytes) -> None:
    roots = Roots(Folders(folder("root")))
    roots.folder.mkdir(parents=True, exist_ok=True)
    file = roots.folder / f"{Digest.of(b'/srv/project').hex}.json"
    file.write_bytes(data)
    roots.project_of(file)


def _lease(data: bytes) -> None:
    leases = Leases(folder("lease"), Folders(folder("lease")))
    (leases.folder / "1-0").write_bytes(data)
    held = Held(leases)
    held.refresh()
    held.glance()
    assert list(leases.living()) == []


def _image(data: bytes) -> None:
    """An index, then the documents that it names, in the order in which they are read."""
    assert read_image(store_of(data), ZERO)


def _image_of(data: bytes) -> None:
    image_of(store_of(data), ZERO, ZERO, lambda _: True)


STORES: Mapping[str, Target] = {
    "store-recipe": Target(_recipe, (), tokens=JSON),
    "store-layer": Target(_layer, (), tokens=JSON),
    "store-segments": Target(_segments, tokens=(b"\0" * 20, b"\xff" * 8)),
    "store-listing": Target(_listing, tokens=(b'"files":', b'"links":', *JSON)),
    "store-format": Target(_format, tokens=(b"basestore store ", b"\n")),
    "store-root": Target(_root, tokens=(b'{"path":', b"\\u0000", b"\\ud800", *JSON)),
    "store-lease": Target(_lease, (), tokens=(b"0" * 64 + b"\n",)),
    "store-image": Target(_image, tokens=(PARTS, b'"manifests":', b'"layers":', *JSON)),
    "store-image-of": Target(_image_of, (), tokens=(PARTS, b'"Labels":', *JSON)),
    "tally": Target(
        lambda data: tally(data, "fuzzed.lock"), tokens=(b"linux/", b"size = ", b"9" * 5000)
    ),
}
