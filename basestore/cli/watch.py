"""Watching work: bars on a terminal, a line a finished piece in a pipe, nothing when quiet."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from basestore.cli.terminal import size
from basestore.progress import Advance, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Lines(Progress):
    """One line on standard error for each finished piece of work."""

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        """A piece of work."""
        start = time.monotonic()
        yield lambda _: None
        amount = f" {size(total)}" if total else ""
        self.note(f"{verb} {name}{amount} in {time.monotonic() - start:.1f}s")

    def note(self, line: str) -> None:
        """A line, in one write, so that threads' lines stay apart."""
        sys.stderr.write(f"{line}\n")


class Bars(Progress):
    """A bar for each verb with its sum, and one for each piece under way, on standard error."""

    def __init__(self, shown: "RichProgress") -> None:
        self._shown = shown
        self._lock = threading.Lock()
        self._sums: dict[str, tuple[TaskID, int, int]] = {}

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        """A piece of work."""
        whole = self._begin(verb)
        piece = self._shown.add_task(f"  {name}", total=total)
        yield lambda amount: self._shown.advance(piece, amount)
        self._shown.remove_task(piece)
        self._end(verb, whole)

    def note(self, line: str) -> None:
        """A line above the bars."""
        self._shown.console.print(line, markup=False, highlight=False)

    def _begin(self, verb: str) -> "TaskID":
        with self._lock:
            task, begun, done = self._sums.get(verb, (None, 0, 0))
            if task is None:
                task = self._shown.add_task(verb, total=None)
            self._sums[verb] = (task, begun + 1, done)
            self._shown.update(task, description=f"{verb} {done}/{begun + 1}")
            return task

    def _end(self, verb: str, whole: "TaskID") -> None:
        with self._lock:
            task, begun, done = self._sums[verb]
            self._sums[verb] = (task, begun, done + 1)
            self._shown.update(whole, description=f"{verb} {done + 1}/{begun}")


@contextmanager
def watching(json: bool) -> Iterator[Progress]:
    """The fitting watcher: bars on a terminal, lines in a pipe, nothing beside JSON."""
    if json:
        yield Progress()
    elif sys.stderr.isatty():
        yield from _bars()
    else:
        yield Lines()


def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description:<44.44}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield Bars(shown)
