"""Decompression in bounded pieces, and reading exact numbers of bytes from them."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

PIECE = 256 * 1024
"""Most bytes held at a time, compressed or not."""

MEMORY_LIMIT = 100 * 1024 * 1024
"""What an xz decoder may take, in bytes; `xz -9` needs 65 MiB."""

FREE, RATIO, MOST = 256 * 1024**2, 100, 16 * 1024**3
"""Content may have 256 MiB, or a hundred times its compressed bytes, but never 16 GiB.

xz makes a GiB of zeros into 150 KB, while the densest package of the profiles here, libc6,
becomes ten times as large.
"""

Refuse = Callable[[str], Exception]
"""Makes the error for a reason; the caller knows the package's name."""


class _Decoder(Protocol):
    """The common part of lzma's and bz2's decompressors."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Inflater:
    """zlib's gzip decoder in the form of the other two."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        # A full piece may leave output behind in zlib although all input was taken.
        return not self._full and not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        piece = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length
        return piece


def _xz() -> _Decoder:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY_LIMIT)


_DECODERS: dict[str, Callable[[], _Decoder]] = {
    ".xz": _xz,
    ".gz": _Inflater,
    ".bz2": bz2.BZ2Decompressor,
}


def decompressed(file: BinaryIO, size: int, suffix: str, refuse: Refuse) -> Iterator[bytes]:
    """The content of the next ``size`` bytes of a file, compressed as the suffix says.

    ``suffix`` is that of the member's name, empty where it isn't compressed. Streams that follow
    each other are one, as for dpkg-deb. Raises what ``refuse`` makes, also where there is more
    content than there may be.
    """
    raw = _slice(file, size, refuse)
    if not suffix:
        return raw
    if suffix == ".zst":
        raise refuse("it is compressed with zstd, which basestore can't read yet")
    if suffix not in _DECODERS:
        raise refuse(f"it is compressed in an unknown way, {suffix!r}")
    most = min(max(FREE, RATIO * size), MOST)
    return _capped(_decoded(raw, _DECODERS[suffix], refuse), most, refuse)


def _capped(pieces: Iterator[bytes], most: int, refuse: Refuse) -> Iterator[bytes]:
    left = most
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise refuse(f"a member becomes larger than {most} bytes, the most that it may have")
        yield piece


def _slice(file: BinaryIO, size: int, refuse: Refuse) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, PIECE))
        if not piece:
            raise refuse("it ends in the middle of a member")
        size -= len(piece)
        yield piece


def _decoded(raw: Iterator[bytes], new: Callable[[], _Decoder], refuse: Refuse) -> Iterator[bytes]:
    decoder, pending, begun = new(), b"", False
    while data := pending or next(raw, b""):
        yield from _drain(decoder, data, refuse)
        pending, begun = b"", True
        if decoder.eof:
            pending, decoder, begun = decoder.unused_data, new(), False
    if begun:
        raise refuse("its compressed data ends early")


def _drain(decoder: _Decoder, data: bytes, refuse: Refuse) -> Iterator[bytes]:
    while True:
        try:
            piece = decoder.decompress(data, PIECE)
        except (lzma.LZMAError, OSError, zlib.error) as error:
            raise refuse(f"its compressed data is damaged: {error}") from error
        if piece:
            yield piece
        if decoder.eof or decoder.needs_input:
            return
        data = b""


class Reader:
    """Exact reads from pieces of any size."""

    def __init__(self, pieces: Iterator[bytes], refuse: Refuse) -> None:
        self._pieces = pieces
        self._refuse = refuse
        self._rest = memoryview(b"")

    def take(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        return b"".join(self.stream(size))

    def stream(self, size: int) -> Iterator[memoryview]:
        """Exactly ``size`` bytes, in pieces; take each before the next."""
        while size:
            if not self._rest:
                self._rest = memoryview(self._next())
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            yield piece

    def rest(self) -> Iterator[bytes]:
        """Whatever follows, to the end."""
        yield bytes(self._rest)
        self._rest = memoryview(b"")
        yield from self._pieces

    def _next(self) -> bytes:
        piece = next(self._pieces, None)
        if piece is None:
            raise self._refuse("its archive ends early")
        return piece
