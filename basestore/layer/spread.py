"""Spreading work over threads that share one interpreter lock.

A large wheel is a few large files: its thread is in C most of the time, where no lock is held. A
small one is many small files: its thread is in Python most of the time. Two threads with small
ones wait for each other; one of each kind don't. So half of the threads begin with the largest
items and half with the smallest, and they meet in between.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def spread(
    items: Sequence[_Item], work: Callable[[_Item], _Result], threads: int
) -> Mapping[_Item, _Result]:
    """Work on each item, which are sorted by weight, the heaviest first.

    The first error is raised when the items under way are done; no other is begun after it.
    """
    waiting = deque(items)
    results: dict[_Item, _Result] = {}

    def run(number: int) -> None:
        while (item := _take(waiting, number)) is not None:
            try:
                results[item] = work(item)
            except BaseException:
                waiting.clear()
                raise

    with ThreadPoolExecutor(threads, thread_name_prefix="realise") as pool:
        for future in [pool.submit(run, number) for number in range(threads)]:
            future.result()
    return results


def _take(waiting: deque[_Item], number: int) -> _Item | None:
    """The next item for a thread, by its number; None when there is none left."""
    try:
        return waiting.popleft() if number % 2 == 0 else waiting.pop()
    except IndexError:
        return None
