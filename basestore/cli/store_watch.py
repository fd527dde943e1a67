"""Watching work that reads the whole store: how much of it, how fast, and how long it takes yet."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from basestore.cli.terminal import note, size
from basestore.progress import Advance, Progress

_EVERY = 10.0  # seconds between two lines


class RateLines(Progress):
    """A line on standard error every ten seconds, and one at the end of each piece of work."""

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        """A piece of work, counted in bytes."""
        begun = told = time.monotonic()
        done = 0
        lock = threading.Lock()

        def advance(amount: int) -> None:
            nonlocal done, told
            with lock:
                done += amount
                now = time.monotonic()
                if now - told >= _EVERY:
                    told = now
                    self.note(f"{verb} {name}: {_so_far(done, total or 0, now - begun)}")

        yield advance
        took = time.monotonic() - begun
        self.note(f"{verb} {name}: {size(done)} in {took:.1f}s, {_rate(done, took)}")

    def note(self, line: str) -> None:
        """A line on standard error."""
        note(line)


@contextmanager
def watching_bytes(json: bool) -> Iterator[Progress]:
    """The fitting watcher: a bar on a terminal, lines in a pipe, nothing beside JSON."""
    if json:
        yield Progress()
    elif sys.stderr.isatty():
        yield from _bar()
    else:
        yield RateLines()


def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )

    class Bar(Progress):
        """A bar for each piece of work."""

        @contextmanager
        def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
            """A piece of work, counted in bytes."""
            piece = shown.add_task(f"{verb} {name}", total=total)
            yield lambda amount: shown.advance(piece, amount)

    with RichProgress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield Bar()


def _so_far(done: int, total: int, seconds: float) -> str:
    left = (total - done) * seconds / done if done else 0
    return f"{size(done)} of {size(total)}, {_rate(done, seconds)}, {left:.0f}s left"


def _rate(done: int, seconds: float) -> str:
    return f"{size(int(done / seconds) if seconds else 0)}/s"
