"""Processes that this one started: they end with it.

Linux alone tells a process of its parent's death, and lists the children of one; elsewhere nothing
is done, and who ends is who was told to.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a program, and lets it clean up."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with(parent: int) -> None:
    """Be told to end (SIGTERM) when the parent ends, which forked this process.

    Raises KeyboardInterrupt where it ended before. The parent's ending is that of the thread that
    forked (prctl(2)).
    """
    import ctypes  # for this only: Python hasn't the call

    with contextlib.suppress(OSError, AttributeError):  # a system that hasn't the call
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise KeyboardInterrupt


def end_descendants(number: signal.Signals) -> None:
    """Send a signal to each process that this one started, and to those that they started.

    Programs that are run pass on no signal: what ends uv need not end what that runs.
    """
    for process in tuple(_descendants(os.getpid())):
        with contextlib.suppress(OSError):  # ended since
            os.kill(process, number)


def _descendants(process: int) -> Iterator[int]:
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that ended since
            for child in map(int, listed.read_text().split()):
                yield from _descendants(child)
                yield child
