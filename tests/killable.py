"""Work in a process of its own, which may be killed at it, and what lies in a folder after that."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

_CONTEXT = multiprocessing.get_context("fork")


@contextmanager
def process(work: Callable[[Connection], None]) -> Iterator[tuple[int, Connection]]:
    """A process at its work, which is killed at the end of the block; its number, and a line."""
    here, there = _CONTEXT.Pipe()
    worker = _CONTEXT.Process(target=work, args=(there,))
    worker.start()
    assert worker.pid
    try:
        assert here.recv() == "ready"
        yield worker.pid, here
    finally:
        worker.kill()
        worker.join(60)


def names(folder: Path) -> list[str]:
    """What lies in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())
