"""Standard input, output and error as a program can rely on them, whoever starts it how.

A program may be started with any of the three closed (``>&-``). The next file that it opens then
gets the number, and what is printed goes into it; Python itself has None in the stream's place.
"""

import errno
import os
import sys
from typing import TextIO

BROKEN_PIPE = 141
"""The exit code that shells tell of a program that SIGPIPE ended."""


def open_streams() -> None:
    """Give each of the three that is closed a file that holds nothing.

    Writing to standard output then fails as it would have, so that a result that reached nobody is
    told, as on a full disk. What goes to standard error is beside the result, and may be lost.
    """
    _fill(0, os.O_RDONLY)
    if _fill(1, os.O_RDONLY):
        sys.stdout = _text(1)
    if _fill(2, os.O_WRONLY):
        sys.stderr = _text(2)


def is_broken_pipe(error: BaseException | None) -> bool:
    """Whether nobody reads a pipe any more that was written to."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def empty_streams() -> None:
    """Write what waits for standard output and error, or drop it where that fails.

    Else the interpreter tries at its end, complains, and exits with 120.
    """
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            drop(descriptor)


def drop(descriptor: int) -> None:
    """Let standard output or error go nowhere: the interpreter empties it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _fill(descriptor: int, flags: int) -> bool:
    """Open a closed descriptor; whether it was closed. Those below it must be open."""
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, flags)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)
        os.set_inheritable(descriptor, True)
        return True
    return False


def _text(descriptor: int) -> TextIO:
    return open(descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
