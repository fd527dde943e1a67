"""Verifying the store: what of a layer's record only layers understand."""

import hashlib
import io
from collections.abc import Iterator
from gzip import BadGzipFile

from isal import igzip

from basestore.layer.inflate import InflateError
from basestore.layer.listing import Listing, UnreadableListingError
from basestore.progress import Advance
from basestore.store import Realisation, Store

_READ = 1024 * 1024


def check_listing(store: Store, realisation: Realisation, advance: Advance) -> str:
    """What is wrong with a layer's listing; the hashes of its blobs carry the rest."""
    try:
        Listing.from_bytes(store.blobs.read(realisation.listing))
    except UnreadableListingError:
        return "its listing can't be read"
    advance(realisation.size)
    return ""


def check_bytes(store: Store, realisation: Realisation, advance: Advance) -> str:
    """The same, and whether the layer's bytes and its tar have the digests that are recorded."""
    source = _Source(store.layer_stream(realisation), advance)
    try:
        tar = _digest_of_tar(source)
    except (BadGzipFile, EOFError, InflateError) as error:
        return f"its segments are no gzip chain: {error}"
    if source.sha256.hexdigest() != realisation.layer.hex:
        return f"its segments give the layer {source.sha256.hexdigest()}"
    if tar != realisation.diff_id.hex:
        return f"its tar is {tar}, and {realisation.diff_id.hex} is recorded"
    return check_listing(store, realisation, lambda _: None)


class _Source(io.RawIOBase):
    """A layer's bytes as a file, hashed on their way."""

    def __init__(self, chunks: Iterator[bytes], advance: Advance) -> None:
        self.sha256 = hashlib.sha256()
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            chunk = next(self._chunks, b"")
            self.sha256.update(chunk)
            self._advance(len(chunk))
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _digest_of_tar(source: _Source) -> str:
    sha256 = hashlib.sha256()
    buffered = io.BufferedReader(source, _READ)
    with igzip.open(buffered, "rb") as content:  # type: ignore[no-untyped-call]
        while piece := content.read(_READ):
            sha256.update(piece)
    return sha256.hexdigest()
