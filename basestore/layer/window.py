"""Reading small pieces of a file that lie near each other with few system calls.

A call costs little, but gives up the interpreter's lock, for which another thread then waits: many
small reads are what keeps two threads from running side by side.
"""

import os
from typing import BinaryIO

_WINDOW = 64 * 1024


class Window:
    """A file of which the part around the last read is kept in memory. For one thread."""

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = file.fileno()
        self._start = 0
        self._data = b""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at an offset; fewer where the file ends."""
        at = offset - self._start
        if at < 0 or at + length > len(self._data):
            self._data = os.pread(self._descriptor, max(length, _WINDOW), offset)
            self._start, at = offset, 0
        return self._data[at : at + length]
