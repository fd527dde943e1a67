"""Signals that end the program: it cleans up, and nothing that it started goes on without it."""

import os
import signal
from types import FrameType

from basestore.processes import ENDINGS, end_descendants

_PATIENCE = 5
"""Seconds for cleaning up; threads may wait for a server that long, and longer."""

_SIGNALLED = 128  # what shells add to the number of the signal that ended a program


class EndedError(BaseException):
    """A signal ended the program; ``code`` is its exit code.

    No `Exception`: whoever catches those goes on, and whoever cleans up does so as for ctrl-c.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = _SIGNALLED + number


def heed_endings() -> None:
    """From now on end as a program does that cleans up; a signal that is ignored stays so.

    Processes that were started are ended at once, so that nobody waits for them. A second signal,
    or cleaning up that takes too long, ends everything as it is.
    """
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    for ending in (*ENDINGS, signal.SIGALRM):
        signal.signal(ending, lambda _number, _frame: _leave(number))
    signal.alarm(_PATIENCE)
    end_descendants(signal.SIGTERM)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise EndedError(number)


def _leave(number: int) -> None:
    """End without cleaning up; what is left, the next command removes."""
    end_descendants(signal.SIGKILL)
    os._exit(_SIGNALLED + number)
