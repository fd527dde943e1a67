"""Realisations: what a recipe gave, and of which slices the layer's bytes are made.

Two kinds of records, both small JSON files that are written only after every blob they name:
``recipes/<recipe>`` names the layer a recipe gave, ``layers/<layer>`` says what the layer is made
of. Two recipes may give one layer. A record counts only while every blob it names is there.
"""

import contextlib
import json
import os
import stat
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from basestore.canonical import json_bytes
from basestore.digest import CHUNK, Digest
from basestore.reading import UNFIT, reading
from basestore.store.blobs import Blobs, DamagedBlobError, Lease
from basestore.store.folders import Folders
from basestore.store.memory import Memory

_LARGEST = 16 * 1024 * 1024
"""Bytes of a record; one of a layer of ten thousand wheels has a million."""

ROW = struct.Struct("<IQQ")
"""One segment in the table: number of the blob, offset, length; little-endian."""

_FARTHEST = (1 << 63) - 1  # an offset that a file can be read at, off_t


@dataclass(frozen=True, slots=True)
class Segment:
    """``length`` bytes of a blob, from ``offset``."""

    blob: Digest
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Realisation:
    """A layer: its digest and ``size`` as compressed, and ``diff_id``, the digest of its tar.

    ``blobs``: what the segments cut from. ``segments``: the blob that holds the segment table.
    ``listing``: a blob that says what the layer holds; its form is the layer's business.
    """

    layer: Digest
    diff_id: Digest
    size: int
    blobs: tuple[Digest, ...]
    segments: Digest
    listing: Digest

    @property
    def needs(self) -> tuple[Digest, ...]:
        """Every blob without which this realisation is worth nothing."""
        return (*self.blobs, self.segments, self.listing)


class Realisations:
    """The records of a store, and those of another store that is only read."""

    def __init__(
        self, folders: Folders, blobs: Blobs, lease: Lease, seed: Path | None, memory: Memory
    ) -> None:
        self._folders = folders
        self._roots = tuple(map(str, (folders.root, seed) if seed else (folders.root,)))
        self._blobs = blobs
        self._lease = lease
        self._memory = memory

    def of_recipe(self, recipe: Digest) -> Realisation | None:
        """What the recipe gave, if this user recorded it and it is whole."""
        return self._believed("recipes", recipe, self.claimed(recipe))

    def made_layer(self, layer: Digest) -> Realisation | None:
        """How a layer is made that some recipe gave, if this user recorded it and it is whole."""
        return self._believed("layers", layer, self.of_layer(layer))

    def claimed(self, recipe: Digest) -> Realisation | None:
        """What the recipe gave, if that is recorded, by whomever, and whole."""
        self._lease.hold((recipe,))
        layer = self.layer_of(recipe)
        return self.of_layer(layer) if layer else None

    def of_layer(self, layer: Digest) -> Realisation | None:
        """How the layer is made, if that is recorded and whole.

        By whomever: whether its bytes are the layer's shows when they are read.
        """
        realisation = self.recorded(layer)
        if realisation is None:
            return None
        self._lease.hold((layer, *realisation.needs))
        # The record was read before it was held: it must still be there, like the blobs.
        there = self._has_record(layer) and all(map(self._blobs.has, realisation.needs))
        return realisation if there else None

    def layer_of(self, recipe: Digest) -> Digest | None:
        """The layer that a recipe's record names, whether it is there or not."""
        return parse_recipe(self._read("recipes", recipe))

    def recorded(self, layer: Digest) -> Realisation | None:
        """What a layer's record says, whether that is all there or not."""
        return parse_layer(layer, self._read("layers", layer))

    def record(self, recipe: Digest, realisation: Realisation) -> None:
        """Remember what a recipe gave. All blobs of the realisation must be in the store."""
        self._lease.hold((recipe, realisation.layer))
        self._keep(place(self._folders.root / "layers", realisation.layer), _record(realisation))
        named = json_bytes({"layer": str(realisation.layer)})
        self._keep(place(self._folders.root / "recipes", recipe), named)
        self.believe(recipe, realisation.layer, proof(realisation))

    def believe(self, recipe: Digest, layer: Digest, proved: Digest) -> None:
        """This user's process has recorded that; ``proved``: as `proof` gives it."""
        self._memory.note_made("recipes", recipe, proved)
        self._memory.note_made("layers", layer, proved)

    def _keep(self, path: Path, data: bytes) -> None:
        """Write a record, but not once more."""
        with contextlib.suppress(OSError):
            if _bytes(path) == data:
                return
        self._folders.replace(path, data)

    def _believed(self, kind: str, key: Digest, found: Realisation | None) -> Realisation | None:
        return found if found and self._memory.has_made(kind, key, proof(found)) else None

    def _has_record(self, layer: Digest) -> bool:
        return any(_exists(f"{root}/layers/{_name(layer)}") for root in self._roots)

    def _read(self, folder: str, digest: Digest) -> bytes:
        """A record's bytes, empty where there is none."""
        for root in self._roots:
            if (data := _bytes(f"{root}/{folder}/{_name(digest)}")) is not None:
                return data
        return b""

    def segments(self, realisation: Realisation) -> Iterator[Segment]:
        """The layer's segments, in order; raises DamagedBlobError for a table that is none."""
        table, path = realisation.segments, self._blobs.path(realisation.segments)
        with reading(lambda _: DamagedBlobError(table, path)):
            for number, offset, length in ROW.iter_unpack(self._blobs.read(table)):
                if offset + length > _FARTHEST:
                    raise DamagedBlobError(table, path)
                yield Segment(realisation.blobs[number], offset, length)


class SegmentTable:
    """A segment table in the making; neighbouring slices of one blob become one segment."""

    def __init__(self) -> None:
        self._rows = bytearray()
        self._blob, self._offset, self._length = 0, 0, 0

    def add(self, blob: int, offset: int, length: int) -> None:
        """Append a slice of the blob with that number."""
        if blob == self._blob and self._offset + self._length == offset:
            self._length += length
            return
        self._flush()
        self._blob, self._offset, self._length = blob, offset, length

    def finish(self) -> bytes:
        """The table's bytes."""
        self._flush()
        return bytes(self._rows)

    def _flush(self) -> None:
        if self._length:
            self._rows += ROW.pack(self._blob, self._offset, self._length)
            self._length = 0


def stream(blobs: Blobs, segments: Iterable[Segment]) -> Iterator[bytes]:
    """The bytes of the segments in order, in pieces of about ``CHUNK``; small ones are joined."""
    files: dict[Digest, BinaryIO] = {}
    pending = bytearray()
    try:
        for segment in segments:
            file = files.get(segment.blob)
            if file is None:
                file = files[segment.blob] = blobs.open(segment.blob)
            file.seek(segment.offset)
            left = segment.length
            while left:
                piece = file.read(min(left, CHUNK))
                if not piece:
                    raise DamagedBlobError(segment.blob, blobs.path(segment.blob))
                pending += piece
                left -= len(piece)
                if len(pending) >= CHUNK:
                    yield bytes(pending)
                    pending.clear()
        if pending:
            yield bytes(pending)
    finally:
        for file in files.values():
            file.close()


def _bytes(path: Path | str) -> bytes | None:
    """A record's bytes; None where no regular file is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(_LARGEST)


def _exists(path: str) -> bool:
    """Not by access(2), which forgets what a process may do beside its user."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.stat(path)
        return True
    return False


def proof(realisation: Realisation) -> Digest:
    """What stands for all that a record says: its layer, and the digests of what gives that."""
    return Digest.of(realisation.layer.hex.encode() + _record(realisation))


def _record(realisation: Realisation) -> bytes:
    """A layer's record."""
    return json_bytes(
        {
            "blobs": [str(blob) for blob in realisation.blobs],
            "diff_id": str(realisation.diff_id),
            "listing": str(realisation.listing),
            "segments": str(realisation.segments),
            "size": realisation.size,
        }
    )


def place(folder: Path, digest: Digest) -> Path:
    """Where a record lies."""
    return folder / _name(digest)


def _name(digest: Digest) -> str:
    return f"{digest.hex[:2]}/{digest.hex}.json"


def parse_recipe(data: bytes) -> Digest | None:
    """The layer that a recipe's record names; None for one that can't be read: made again."""
    try:
        return Digest.parse(json.loads(data)["layer"])
    except UNFIT:
        return None


def parse_layer(layer: Digest, data: bytes) -> Realisation | None:
    """What a layer's record says; None for one that can't be read: it is then made again."""
    try:
        record = json.loads(data)
        return Realisation(
            layer=layer,
            diff_id=Digest.parse(record["diff_id"]),
            size=_number(record["size"]),
            blobs=tuple(Digest.parse(blob) for blob in record["blobs"]),
            segments=Digest.parse(record["segments"]),
            listing=Digest.parse(record["listing"]),
        )
    except UNFIT:
        return None


def _number(value: object) -> int:
    """A record's number of bytes; raises ValueError for what is none."""
    if type(value) is not int or not 0 <= value <= _FARTHEST:
        raise ValueError("no number of bytes")
    return value
