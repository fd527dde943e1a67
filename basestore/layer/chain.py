"""The chain: a layer's compressed bytes under way, as segments and as a running digest."""

from collections.abc import Iterable
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.layer.hashing import BATCH, BatchedHash
from basestore.store import Store
from basestore.store.blobs import Draft
from basestore.store.realisations import SegmentTable

_INLINE = 0  # the inline blob's number in the segment table


@dataclass(frozen=True, slots=True)
class WrittenLayer:
    """A layer's digests, and of which blobs (``blobs[0]``: inline) its ``segments`` cut."""

    layer: Digest
    diff_id: Digest
    size: int
    blobs: tuple[Digest, ...]
    segments: Digest


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
        if len(self._pending) >= BATCH:
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

    def close(self) -> None:
        """End what runs beside; after ``finish``, and in its place where that isn't reached."""
        self._layer.close()
        if self._inline:
            self._inline.close()

    def _flush(self) -> None:
        data = self._pending
        self._pending = bytearray()  # a new one: a hash may still have to take the old one
        self._draft.file.write(data)
        self._table.add(_INLINE, self._inline_size, len(data))
        self._inline_size += len(data)
        self._layer.update(data)
        if self._inline:
            self._inline.update(data)
