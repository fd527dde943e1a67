"""The layer writer: entries in, one gzip chain and its digests out, every byte passing by once.

Copied streams stay where they lie: the layer is a table of segments over the wheels and one blob
of *inline* bytes (everything that could not be copied). Layout in ``docs/layer-format.md``.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from isal import isal_zlib

from basestore.digest import Digest
from basestore.layer import gzip, inflate, tar
from basestore.layer.chain import Chain, WrittenLayer
from basestore.layer.encoding import Encoder
from basestore.layer.entry import Copied, Encoded, Entry, Payload, Stored
from basestore.layer.hashing import BatchedHash
from basestore.layer.inflate import BrokenStreamError
from basestore.layer.window import Window
from basestore.store import Store

_READ = 256 * 1024


class Observer(Protocol):
    """Sees every entry, and the content of files as it passes by, without another read."""

    def begin(self, entry: Entry) -> None:
        """An entry begins."""

    def content(self, data: bytes) -> None:
        """A piece of the entry's content."""

    def end(self) -> None:
        """The entry is complete."""


class LayerWriter:
    """Writes one layer from entries that arrive sorted by path, byte-wise, without duplicates."""

    def __init__(self, store: Store, observer: Observer) -> None:
        self._store = store
        self._observer = observer

    def write(self, entries: Iterable[Entry]) -> WrittenLayer:
        """Write the layer. Raises BrokenStreamError, MissingBlobError, DamagedBlobError."""
        with self._store.blobs.draft() as draft, ExitStack() as files:
            chain = files.enter_context(closing(Chain(draft)))
            work = _Work(self._store, chain, files, self._observer)
            for entry in entries:
                work.add(entry)
            return work.finish()


class _Work:
    """The state of one layer under way."""

    def __init__(self, store: Store, chain: Chain, files: ExitStack, observer: Observer) -> None:
        self._store = store
        self._chain = chain
        self._files = files
        self._observer = observer
        self._tar = files.enter_context(closing(BatchedHash()))
        self._encoder = files.enter_context(closing(Encoder(chain.inline)))
        self._pending = bytearray()  # headers and padding that wait to become a member
        self._open: dict[Digest, _Source] = {}

    def add(self, entry: Entry) -> None:
        self._headers(tar.header(entry))
        self._observer.begin(entry)
        if entry.payload:
            self._flush()
            for part in entry.payload:
                for content in self._payload(part, entry.path):
                    self._tar.update(content)
                    self._observer.content(content)
            self._headers(tar.padding(entry.size))
        self._observer.end()

    def finish(self) -> WrittenLayer:
        self._headers(tar.END)
        self._flush()
        self._encoder.settle()
        return self._chain.finish(self._store, self._open, self._tar.digest())

    def _headers(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) >= gzip.MEMBER:
            self._flush()

    def _flush(self) -> None:
        content, self._pending = self._pending, bytearray()
        for at in range(0, len(content), gzip.MEMBER):
            member = content[at : at + gzip.MEMBER]
            self._tar.update(member)
            self._encoder.member(member)

    def _payload(self, part: Payload, path: str) -> Iterable[bytes]:
        if isinstance(part, Encoded):
            return self._encoded(part, path)
        self._encoder.settle()  # what is cut from blobs goes to the chain directly
        if isinstance(part, Copied):
            small = part.length <= _READ and part.size <= inflate.CONTENT
            return self._small(part, path) if small else self._copied(part, path)
        return self._stored(part, path)

    def _small(self, part: Copied, path: str) -> Iterable[bytes]:
        """As ``_copied``, in one piece: most files are small, and calls are what they cost."""
        source = self._source(part.blob)
        data = source.window.read(part.offset, part.length)
        content = inflate.whole(data, path, part.size, part.crc32)
        self._chain.inline(gzip.HEADER)
        self._chain.slice(source.number, part.offset, data)
        self._chain.inline(gzip.trailer(part.crc32, part.size))
        return (content,)

    def _copied(self, part: Copied, path: str) -> Iterator[bytes]:
        self._chain.inline(gzip.HEADER)
        inflation = inflate.Inflation(path, part.size, part.crc32)
        yield from inflation.contents(self._slices(part.blob, part.offset, part.length))
        self._chain.inline(gzip.trailer(part.crc32, part.size))

    def _stored(self, part: Stored, path: str) -> Iterator[bytes]:
        self._chain.inline(gzip.HEADER)
        source = self._source(part.blob)
        crc32, done = 0, 0
        while done < part.size:
            length = min(gzip.STORED_BLOCK, part.size - done)
            content = os.pread(source.file.fileno(), length, part.offset + done)
            if len(content) != length:
                raise BrokenStreamError(path, "its content ends too early")
            self._chain.inline(gzip.stored_header(length, done + length == part.size))
            self._chain.slice(source.number, part.offset + done, content)
            crc32 = isal_zlib.crc32(content, crc32)
            done += length
            yield content
        if crc32 != part.crc32:
            raise BrokenStreamError(path, "its content's CRC-32 is not the one recorded")
        self._chain.inline(gzip.trailer(part.crc32, part.size))

    def _encoded(self, part: Encoded, path: str) -> Iterator[bytes]:
        done = 0
        for content in _rejoined(part.read(), gzip.MEMBER):
            done += len(content)
            self._encoder.member(content)
            yield content
        if done != part.size:
            raise BrokenStreamError(path, f"{done} bytes where {part.size} were announced")

    def _slices(self, blob: Digest, offset: int, length: int) -> Iterator[bytes]:
        source = self._source(blob)
        while length:
            data = os.pread(source.file.fileno(), min(length, _READ), offset)
            if not data:
                return
            self._chain.slice(source.number, offset, data)
            offset += len(data)
            length -= len(data)
            yield data

    def _source(self, digest: Digest) -> "_Source":
        known = self._open.get(digest)
        if known is None:
            file = self._files.enter_context(self._store.blobs.verified(digest))
            known = self._open[digest] = _Source(len(self._open) + 1, file, Window(file))
        return known


@dataclass(frozen=True, slots=True)
class _Source:
    """A blob that streams are copied from, and its number in the segment table."""

    number: int
    file: BinaryIO
    window: Window


def _rejoined(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of exactly ``size``, but for the last."""
    joined = bytearray()
    for piece in pieces:
        joined += piece
        while len(joined) >= size:
            yield bytes(joined[:size])
            del joined[:size]
    if joined:
        yield bytes(joined)
