"""Watching work: bars on a terminal, a line a finished piece in a pipe, nothing when quiet."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basestore.cli.terminal import note, size
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
        """A line on standard error."""
        note(line)


class Bars(Progress):
    """A bar for each verb with the sum of its pieces, and one for each piece under way."""

    def __init__(self, shown: "RichProgress") -> None:
        self._shown = shown
        self._lock = threading.Lock()
        self._sums: dict[str, _Sum] = {}

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        """A piece of work; one that fails disappears without counting as done."""
        whole = self._begin(verb, total or 0)
        piece = self._shown.add_task(f"  {name}", total=total)

        def advance(amount: int) -> None:
            self._shown.advance(piece, amount)
            self._shown.advance(whole.task, amount)

        try:
            yield advance
            self._end(verb, whole)
        finally:
            self._shown.remove_task(piece)

    def note(self, line: str) -> None:
        """A line above the bars."""
        self._shown.console.print(line, markup=False, highlight=False)

    def _begin(self, verb: str, total: int) -> "_Sum":
        with self._lock:
            if verb not in self._sums:
                self._sums[verb] = _Sum(self._shown.add_task(verb, total=None))
            whole = self._sums[verb]
            whole.begun += 1
            whole.total += total
            self._tell(verb, whole)
            return whole

    def _end(self, verb: str, whole: "_Sum") -> None:
        with self._lock:
            whole.done += 1
            self._tell(verb, whole)

    def _tell(self, verb: str, whole: "_Sum") -> None:
        description = f"{verb} {whole.done}/{whole.begun}"
        self._shown.update(whole.task, description=description, total=whole.total or None)


@dataclass(slots=True)
class _Sum:
    """All pieces of a verb so far: how many, how many done, and their bytes."""

    task: "TaskID"
    begun: int = 0
    done: int = 0
    total: int = 0


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
    from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Amount(ProgressColumn):
        """Bytes done of all, where the work is counted in bytes."""

        def render(self, task: Task) -> Text:
            return Text(
                f"{size(int(task.completed))} of {size(int(task.total))}" if task.total else ""
            )

    columns = (
        TextColumn("{task.description:<48.48}", markup=False),
        BarColumn(bar_width=20),
        Amount(),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield Bars(shown)
