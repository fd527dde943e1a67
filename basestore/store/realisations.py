"""Realisations: what a recipe gave, and of which slices the layer's bytes are made.

Two kinds of records, both small JSON files that are written only after every blob they name:
``recipes/<recipe>`` names the layer a recipe gave, ``layers/<layer>`` says what the layer is made
of. Two recipes may give one layer. A record counts only while every blob it names is there.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from basestore.canonical import json_bytes
from basestore.digest import CHUNK, Digest
from basestore.files import replace_file
from basestore.store.blobs import Blobs, DamagedBlobError

# One segment in the table: number of the blob, offset, length; little-endian.
_ROW = struct.Struct("<IQQ")


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
    """The records of a store."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self._recipes = folder / "recipes"
        self._layers = folder / "layers"
        self._blobs = blobs

    def of_recipe(self, recipe: Digest) -> Realisation | None:
        """What the recipe gave, if that is recorded and whole."""
        layer = _layer(_read(_place(self._recipes, recipe)))
        return self.of_layer(layer) if layer else None

    def of_layer(self, layer: Digest) -> Realisation | None:
        """How the layer is made, if that is recorded and whole."""
        realisation = _parse(layer, _read(_place(self._layers, layer)))
        if realisation is None or not all(map(self._blobs.has, realisation.needs)):
            return None
        return realisation

    def record(self, recipe: Digest, realisation: Realisation) -> None:
        """Remember what a recipe gave. All blobs of the realisation must be in the store."""
        replace_file(
            _place(self._layers, realisation.layer),
            json_bytes(
                {
                    "blobs": [str(blob) for blob in realisation.blobs],
                    "diff_id": str(realisation.diff_id),
                    "listing": str(realisation.listing),
                    "segments": str(realisation.segments),
                    "size": realisation.size,
                }
            ),
        )
        replace_file(_place(self._recipes, recipe), json_bytes({"layer": str(realisation.layer)}))

    def segments(self, realisation: Realisation) -> Iterator[Segment]:
        """The layer's segments, in order."""
        for number, offset, length in _ROW.iter_unpack(self._blobs.read(realisation.segments)):
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
            self._rows += _ROW.pack(self._blob, self._offset, self._length)
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


def _place(folder: Path, digest: Digest) -> Path:
    return folder / digest.hex[:2] / f"{digest.hex}.json"


def _layer(record: Any) -> Digest | None:
    """The layer that a recipe's record names; None where it is of another form."""
    try:
        return Digest.parse(record["layer"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _parse(layer: Digest, record: Any) -> Realisation | None:
    """What a layer's record says; None where it is of another form."""
    try:
        return Realisation(
            layer=layer,
            diff_id=Digest.parse(record["diff_id"]),
            size=record["size"],
            blobs=tuple(Digest.parse(blob) for blob in record["blobs"]),
            segments=Digest.parse(record["segments"]),
            listing=Digest.parse(record["listing"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _read(path: Path) -> Any:
    """A record; None where there is none, or a damaged one: it is then made again."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
