"""Locking a file that grows, to go on with it where an earlier process was broken off."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from basestore.files import is_at
from basestore.waiting import wait

STALLED = 600.0
"""Seconds that another process's download is waited for while nothing of it arrives."""


@contextlib.contextmanager
def locked(path: Path, mode: int, what: str) -> Iterator[BinaryIO]:
    """Open a file for reading and writing, alone; whoever replaced it meanwhile is waited out.

    Raises LockHeldError where it is another process's and doesn't grow any more.
    """
    while True:
        with _opened(path) as file:
            wait(file.fileno(), fcntl.LOCK_EX, what, partial(_size, file), STALLED)
            if not is_at(file, path):
                continue
            if (status := os.fstat(file.fileno())).st_uid == os.geteuid():
                os.fchmod(file.fileno(), mode | stat.S_IMODE(status.st_mode))
            elif not file.writable():
                path.unlink()  # another user finished it: begun anew
            if file.writable():  # and else tried again, as it may be written by now, or is gone
                yield file
                return


def _opened(path: Path) -> BinaryIO:
    """A file to go on with; only to be read if it was finished, but never named."""
    try:
        return path.open("a+b")
    except PermissionError:
        try:
            return path.open("rb")
        except FileNotFoundError:  # named a moment ago
            return path.open("a+b")


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
