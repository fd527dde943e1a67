"""Inflating raw deflate streams (RFC 1951), bounded, and held to what was announced."""

from collections.abc import Iterable, Iterator

from isal import igzip_lib, isal_zlib

from basestore.errors import IntegrityError

CONTENT = 256 * 1024
"""The most content given at a time, in bytes; 64 KiB of a stream can become 67 MB."""

InflateError: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # wrong stub


class BrokenStreamError(IntegrityError):
    """A file inside a wheel is not what the wheel's own directory says of it.

    ``path``: in the wheel or in the image. ``file``: the wheel's name, empty where it isn't known.
    """

    def __init__(self, path: str, reason: str, file: str = "") -> None:
        where = f"{file} is refused: {path}" if file else path
        super().__init__(f"{where}: {reason}", "the wheel is broken; report it to its maintainers")
        self.path = path
        self.reason = reason
        self.file = file


def inflate_start(data: bytes, limit: int) -> bytes:
    """The first ``limit`` bytes that a stream's beginning holds; raises InflateError."""
    inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    return bytes(inflate.decompress(data, limit))


def whole(data: bytes, path: str, size: int, crc32: int) -> bytes:
    """The content of a whole small stream; raises BrokenStreamError."""
    inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    try:
        content: bytes = inflate.decompress(data, size + 1)
    except InflateError as error:
        raise BrokenStreamError(path, f"no deflate stream ({error})") from error
    if not inflate.eof or inflate.unused_data:
        raise BrokenStreamError(path, "its deflate stream ends elsewhere than it should")
    if len(content) != size or isal_zlib.crc32(content) != crc32:
        raise BrokenStreamError(path, "its content has not the recorded size and CRC-32")
    return content


class Inflation:
    """Inflates one stream and holds it to the size and CRC-32 that were announced."""

    def __init__(self, path: str, size: int, crc32: int) -> None:
        self._path = path
        self._announced = size, crc32
        self._inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
        self._size = 0
        self._crc32 = 0

    def contents(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The content of a stream that comes in pieces; raises BrokenStreamError."""
        for piece in pieces:
            if self._inflate.eof:
                raise BrokenStreamError(self._path, "data after the end of its deflate stream")
            yield from self._piece(piece)
        self._check()

    def _piece(self, piece: bytes) -> Iterator[bytes]:
        # 64 KiB can become 67 MB, so the output is bounded, not the input.
        while True:
            try:
                content = self._inflate.decompress(piece, CONTENT)
            except InflateError as error:
                raise BrokenStreamError(self._path, f"no deflate stream ({error})") from error
            if content:
                self._size += len(content)
                if self._size > self._announced[0]:
                    raise BrokenStreamError(self._path, "more content than announced")
                self._crc32 = isal_zlib.crc32(content, self._crc32)
                yield content
            if self._inflate.eof or self._inflate.needs_input:
                return
            piece = b""

    def _check(self) -> None:
        if not self._inflate.eof or self._inflate.unused_data:
            raise BrokenStreamError(self._path, "its deflate stream ends elsewhere than it should")
        if self._size != self._announced[0]:
            raise BrokenStreamError(self._path, "less content than announced")
        if self._crc32 != self._announced[1]:
            raise BrokenStreamError(self._path, "its content's CRC-32 is not the one recorded")
