"""Spreading work over threads: everything once, nothing begun after an error."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.layer.spread import spread


@given(st.lists(st.integers(), unique=True), st.integers(1, 5))
def test_every_item_is_worked_on_once(items: list[int], threads: int) -> None:
    worked: list[int] = []

    def work(item: int) -> int:
        worked.append(item)
        return item * 2

    assert spread(items, work, threads) == {item: item * 2 for item in items}
    assert sorted(worked) == sorted(items)


def test_half_of_the_threads_begin_with_the_heaviest_and_half_with_the_lightest() -> None:
    begun: list[int] = []
    both = threading.Barrier(2, timeout=10)

    def work(item: int) -> None:
        begun.append(item)
        if len(begun) <= 2:
            both.wait()

    spread([9, 5, 1], work, 2)

    assert set(begun[:2]) == {9, 1}


def test_nothing_is_begun_after_an_error() -> None:
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        raise LookupError(item)

    with pytest.raises(LookupError):
        spread(range(10), work, 1)
    assert begun == [0]
