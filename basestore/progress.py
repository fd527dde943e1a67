"""Progress: how long work tells a watcher how far it is. The core tells; only the CLI shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
"""Tells that so many more bytes are done. Any thread may call it."""


class Progress:
    """A watcher that shows nothing; the CLI's show bars or lines. Safe for threads."""

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        """One piece of work: ``verb`` groups alike ones ("fetch"), ``total`` is in bytes."""
        del verb, name, total
        yield lambda amount: None  # noqa: ARG005

    def note(self, line: str) -> None:
        """Tell one finished fact, a line without a final newline."""
        del line
