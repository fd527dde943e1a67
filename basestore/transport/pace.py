"""Pace: a server that keeps on sending, but next to nothing, is as good as silent.

A limit on the time between two bytes alone is none: a byte a second stays below it for ever.
"""

from collections.abc import Callable
from dataclasses import dataclass

from basestore.transport.errors import StalledError


@dataclass(frozen=True, slots=True)
class Pace:
    """What a body must bring: ``least`` bytes in each ``seconds`` of waiting for it.

    What whoever takes the bytes does with them meanwhile doesn't count. ``clock``: seconds, from
    any moment on.
    """

    least: int
    seconds: float
    clock: Callable[[], float]


class Paced:
    """One body that is being read from ``url``, held to a pace."""

    def __init__(self, url: str, pace: Pace) -> None:
        self._url = url
        self._pace = pace
        self._waited = 0.0
        self._brought = 0

    def next(self, read: Callable[[], bytes]) -> bytes:
        """The next bytes, none at the end. Raises StalledError, and what ``read`` raises.

        What came until now is judged when there is more, so that no end is refused for being late.
        """
        before = self._pace.clock()
        data = read()
        if data and self._waited >= self._pace.seconds:
            self._judge()
        self._waited += self._pace.clock() - before
        self._brought += len(data)
        return data

    def _judge(self) -> None:
        if self._brought < self._pace.least:
            raise StalledError(self._url, self._brought, round(self._waited))
        self._waited, self._brought = 0.0, 0
