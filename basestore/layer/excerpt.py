"""Excerpts: of a file that goes by once, the parts that ``read_elf`` will ask for.

The files that need it are most of what wheels hold: to keep them whole, in memory or on disk,
would cost more than all else that is done with them.
"""

from collections.abc import Callable
from io import BytesIO

from basestore.layer.elf import MalformedElfError, dynamic_offset

HEAD = 8 * 1024 * 1024
"""What is kept of a file's beginning, in bytes: headers, and where a linker puts the strings."""

SECTION = 4 * 1024 * 1024
"""What is kept from the dynamic section on, in bytes: tools that rename libraries move the strings
there."""

_HEADERS = 64 * 1024  # program headers follow the file's header

ReadAgain = Callable[[int, int], bytes]
"""Gives the bytes at an offset, of a length, by reading all before them once more."""


class Excerpt:
    """Takes a file's content in pieces; then parts of it are read as from a file."""

    def __init__(self, read_again: ReadAgain) -> None:
        self._read_again = read_again
        self._head = bytearray()
        self._section = bytearray()
        self._start: int | None = None  # where the section begins, if that is behind the head
        self._size = 0
        self._at = 0

    def take(self, data: bytes) -> None:
        """Take the next piece."""
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
            if len(self._head) == HEAD:
                self._start = self._section_start()
        if self._start is not None and len(self._section) < SECTION:
            first = max(self._start - self._size, 0)
            self._section += data[first : first + SECTION - len(self._section)]
        self._size += len(data)

    def seek(self, offset: int) -> None:
        """Set the place of the next read."""
        self._at = offset

    def read(self, size: int) -> bytes:
        """The bytes there, at most ``size``; raises what reading again raises."""
        first, end = self._at, min(self._at + size, self._size)
        self._at = max(first, end)
        start = self._start or 0
        if end <= len(self._head):
            return bytes(self._head[first:end])
        if start <= first and end <= start + len(self._section):
            return bytes(self._section[first - start : end - start])
        return self._read_again(first, end - first) if first < end else b""

    def _section_start(self) -> int | None:
        """Where the dynamic section lies, by the program headers, if it isn't in the head."""
        try:
            offset = dynamic_offset(BytesIO(self._head[:_HEADERS]))
        except MalformedElfError:
            return None  # the headers lie elsewhere, or nowhere: ``read_elf`` will tell
        return None if offset is None else max(offset, HEAD)
