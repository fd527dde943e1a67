"""Hashing in batches and beside: the digest is always that of the bytes, and threads end."""

import hashlib
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.layer.hashing import ALONE, BATCH, WAITING, BatchedHash

# Lengths on both sides of every threshold; the pieces themselves are cheap to make.
lengths = st.one_of(
    st.integers(0, 300),
    st.sampled_from([64 * 1024 - 1, 64 * 1024, BATCH - 1, BATCH, BATCH + 1, 5 * BATCH + 7]),
)
pieces = st.lists(
    st.builds(lambda fill, length: bytes([fill]) * length, st.integers(1, 9), lengths)
)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "hash"]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@given(pieces, pieces, st.sampled_from([0, 1000, BATCH, ALONE]))
def test_the_digest_is_that_of_the_bytes(first: list[bytes], then: list[bytes], alone: int) -> None:
    """With a thread from the beginning, from somewhere on, or never; a copy goes its own way."""
    one = BatchedHash(alone)
    for piece in first:
        one.update(piece)
    other = one.copy()
    for piece in then:
        other.update(piece)

    assert one.digest().hex == sha256(b"".join(first))
    assert other.digest().hex == sha256(b"".join((*first, *then)))
    assert other.size == len(b"".join((*first, *then)))
    one.close()
    other.close()
    assert not threads()


def test_a_digest_may_be_asked_for_midway() -> None:
    running = BatchedHash(alone=0)
    for number in range(5):
        assert running.digest().hex == sha256(bytes(number * BATCH))
        running.update(bytes(BATCH))
    running.close()


def test_little_data_needs_no_thread() -> None:
    running = BatchedHash()
    running.update(bytes(1000))
    running.update(bytes(BATCH))
    assert not threads()
    running.close()


def test_a_thread_ends_when_the_hash_is_closed() -> None:
    running = BatchedHash(alone=0)
    running.update(bytes(20 * WAITING * BATCH))
    assert threads()
    running.close()
    running.close()
    assert not threads()


@pytest.mark.parametrize("length", [BATCH, 10 * BATCH])
def test_few_bytes_wait(length: int) -> None:
    """A hundred times what may wait goes through, and never more than what may wait is held."""
    many = 100 * WAITING * BATCH // length

    def made() -> Iterator[bytes]:
        for number in range(many):
            yield number.to_bytes(4, "big") * (length // 4)

    running = BatchedHash(alone=0)
    tracemalloc.start()
    for piece in made():
        running.update(piece)
    found = running.digest()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    running.close()

    assert peak < WAITING * BATCH + 3 * length
    assert found.hex == sha256(b"".join(made()))
