"""Encoding ahead: the members that encoding one by one would give, in their order."""

import errno
import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basestore.layer import gzip
from basestore.layer.encoding import WAITING, WORTH, Encoder

NOISE = random.Random(5).randbytes(200_000)

lengths = st.one_of(st.integers(1, 600), st.sampled_from([WORTH - 1, WORTH, WORTH + 1, 5 * WORTH]))
contents = st.builds(
    lambda start, length: NOISE[start : start + length], st.integers(0, 999), lengths
)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("encode")]


@given(st.lists(st.lists(contents, max_size=12), max_size=4))
def test_the_members_come_in_their_order(rounds: list[list[bytes]]) -> None:
    """Settled between rounds, as a layer does before what it copies."""
    taken: list[bytes] = []
    encoder = Encoder(taken.append)
    expected = []
    for contents in rounds:
        for content in contents:
            encoder.member(content)
        encoder.settle()
        expected += [gzip.member(content) for content in contents]
        assert taken == expected
    encoder.close()
    assert not threads()


def test_small_members_need_no_thread() -> None:
    taken: list[bytes] = []
    encoder = Encoder(taken.append)
    encoder.member(b"small")
    assert taken == [gzip.member(b"small")]
    assert not threads()
    encoder.close()


@pytest.mark.parametrize("length", [WORTH, gzip.MEMBER])
def test_little_content_waits(length: int) -> None:
    taken: list[bytes] = []
    encoder = Encoder(taken.append)
    for number in range(1, 5 * WAITING // length + 1):
        encoder.member(bytes(length))
        assert (number - len(taken)) * length <= WAITING
    encoder.settle()
    assert taken == [gzip.member(bytes(length))] * (5 * WAITING // length)
    encoder.close()


def test_the_threads_end_though_members_wait() -> None:
    encoder = Encoder(lambda member: None)
    for _ in range(50):
        encoder.member(NOISE)
    assert threads()
    encoder.close()
    assert not threads()


def test_what_the_taker_raises_is_raised_here() -> None:
    def full(member: bytes) -> None:
        raise OSError(28, "No space left on device")

    encoder = Encoder(full)
    encoder.member(NOISE)
    with pytest.raises(OSError, check=lambda error: error.errno == errno.ENOSPC):
        encoder.settle()
    encoder.close()
    assert not threads()
