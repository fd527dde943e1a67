"""The chain: a layer's compressed bytes under way, as segments and as a running digest."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.store import Store
from basestore.store.blobs import Draft
from basestore.store.realisations import SegmentTable

_BIG = 64 * 1024
_BATCH = 256 * 1024
_INLINE = 0  # the inline blob's number in the segment table


@dataclass(frozen=True, slots=True)
class WrittenLayer:
    """A layer's digests, and of which blobs (``blobs[0]``: inline) its ``segments`` cut."""

    layer: Digest
    diff_id: Digest
    size: int
    blobs: tuple[Digest, ...]
    segments: Digest


class BatchedHash:
    """A SHA-256 that takes small pieces in batches, so that big ones run beside other threads."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._batch = bytearray()
        self.size = 0

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        if len(data) >= _BIG:
            self._flush()
            self._sha256.update(data)
            return
        self._batch += data
        if len(self._batch) >= _BATCH:
            self._flush()

    def copy(self) -> "BatchedHash":
        """A hash that has taken the same bytes so far."""
        self._flush()
        twin = BatchedHash()
        twin._sha256 = self._sha256.copy()
        twin.size = self.size
        return twin

    def digest(self) -> Digest:
        """The digest of the bytes taken so far."""
        self._flush()
        return Digest(self._sha256.hexdigest())

    def _flush(self) -> None:
        if self._batch:
            self._sha256.update(self._batch)
            self._batch.clear()


class Chain:
    """The gzip chain: inline bytes to the draft, slices to the table, all into the layer's hash.

    While nothing was copied the inline blob and the layer are the same bytes: one hash serves both
    until the first slice.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._layer = BatchedHash()
        self._inline: BatchedHash | None = None
        self._table = SegmentTable()
        self._pending = bytearray()  # inline bytes since the last slice
        self._inline_size = 0

    def inline(self, data: bytes) -> None:
        """Append bytes made here."""
        self._pending += data
        if len(self._pending) >= _BATCH:
            self._flush()

    def slice(self, number: int, offset: int, data: bytes) -> None:
        """Append ``data``, which stand at ``offset`` in the copied blob ``number`` (from 1)."""
        if self._pending:
            self._flush()
        if self._inline is None:
            self._inline = self._layer.copy()
        self._table.add(number, offset, len(data))
        self._layer.update(data)

    def finish(self, store: Store, copied: Iterable[Digest], diff_id: Digest) -> WrittenLayer:
        """Keep inline bytes and table in the store; the copied blobs in order of their number."""
        self._flush()
        layer = self._layer.digest()
        inline = self._inline.digest() if self._inline else layer
        self._draft.keep(inline)
        segments = store.blobs.add(self._table.finish())
        blobs = (inline, *copied)
        return WrittenLayer(layer, diff_id, self._layer.size, blobs, segments)

    def _flush(self) -> None:
        data = bytes(self._pending)
        self._pending.clear()
        self._draft.file.write(data)
        self._table.add(_INLINE, self._inline_size, len(data))
        self._inline_size += len(data)
        self._layer.update(data)
        if self._inline:
            self._inline.update(data)
