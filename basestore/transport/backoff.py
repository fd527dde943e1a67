"""When to try again: a fixed schedule, or what the server asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from basestore.transport.errors import TransportError

FIRST_DELAY = 0.5
"""Seconds before the first further try; each later one waits twice as long."""

LONGEST_DELAY = 60.0
"""Seconds waited at most, whatever a server asks for."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Backoff:
    """The schedule, and how to wait (seconds)."""

    sleep: Callable[[float], None]

    def pause(self, error: TransportError, failures: int) -> None:
        """Wait after the failure with that number (from 1), or raise it where it is the last."""
        if failures > error.retries:
            raise error
        self.sleep(min(max(FIRST_DELAY * 2 ** (failures - 1), error.retry_after), LONGEST_DELAY))

    def retry(self, work: Callable[[], Result]) -> Result:
        """Do the work until it succeeds, or until its error isn't worth a further try."""
        failures = 0
        while True:
            try:
                return work()
            except TransportError as error:
                failures += 1
                self.pause(error, failures)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that ``Retry-After`` asks for (RFC 9110 10.2.3), 0 where it is absent or wrong.

    A date counts from the server's own ``Date``, so that no clock is asked.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_DELAY)
    from email.utils import parsedate_to_datetime

    try:
        then, now = (parsedate_to_datetime(value) for value in (text, headers.get("date", "")))
        return max((then - now).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return 0.0
