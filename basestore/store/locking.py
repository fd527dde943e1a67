"""Locking a file that grows, to go on with it where an earlier process was broken off.

Only files that this user made and nobody else could ever write: whoever opened one to write it may
change its bytes long after it was hashed, named and made read-only.
"""

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

_MODE = 0o600
_FLAGS = os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITTEN_BY_OTHERS = 0o022


@contextlib.contextmanager
def locked(path: Path, what: str) -> Iterator[BinaryIO]:
    """Open a file for reading and writing, alone; whoever replaced it meanwhile is waited out.

    What lies there that others may write, or made, is removed and begun anew. Raises LockHeldError
    where it is another process's and doesn't grow any more.
    """
    while True:
        file = _opened(path)
        if file is None:
            continue
        with file:
            wait(file.fileno(), fcntl.LOCK_EX, what, partial(_size, file), STALLED)
            if is_at(file, path):
                os.fchmod(file.fileno(), _MODE)
                yield file
                return


def _opened(path: Path) -> BinaryIO | None:
    """A file to go on with; None where one has to look again."""
    try:
        descriptor = os.open(path, os.O_RDWR | _FLAGS, _MODE)
    except PermissionError:
        _reopen(path)
        return None
    except OSError:
        if not path.is_symlink():
            raise
        path.unlink(missing_ok=True)
        return None
    if not _is_own(os.fstat(descriptor)):
        os.close(descriptor)
        path.unlink(missing_ok=True)
        return None
    return os.fdopen(descriptor, "a+b")


def _reopen(path: Path) -> None:
    """Make a file writable again that was finished, but never named; others' go."""
    with contextlib.suppress(FileNotFoundError):
        if not _is_own(path.lstat()):
            path.unlink()
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, _MODE)
        finally:
            os.close(descriptor)


def _is_own(status: os.stat_result) -> bool:
    """Whether a file is this user's, under one name, and was never another's to write."""
    own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
    return own and status.st_nlink == 1 and not status.st_mode & _WRITTEN_BY_OTHERS


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
