"""The lock's one form: whatever the value, and whatever is done to its bytes."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import TypeVar

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import locks

from basestore.digest import Digest
from basestore.errors import ExitCode, InputError
from basestore.lock.codec import HEADS, parse, write
from basestore.lock.model import Deb, Lock, Replaced, Wheel

T = TypeVar("T")
A = TypeVar("A", Deb, Wheel)


@given(locks())
def test_round_trip(lock: Lock) -> None:
    data = write(lock)
    assert parse(data, "locks/x.lock") == lock
    assert data.startswith(HEADS[bool(lock.base)])
    assert data.endswith(b"\n")


@given(locks(), st.randoms(use_true_random=False))
def test_order_of_a_value_does_not_reach_the_bytes(lock: Lock, random: Random) -> None:
    platforms = [
        replace(
            p,
            debs=_shuffled(p.debs, random),
            wheels=_shuffled(p.wheels, random),
            replaced=_shuffled(p.replaced, random),
        )
        for p in lock.platforms
    ]
    image = replace(lock.image, env=_shuffled(lock.image.env, random))
    other = replace(lock, image=image, platforms=_shuffled(tuple(platforms), random))
    assert write(other) == write(lock)


def _shuffled(values: tuple[T, ...], random: Random) -> tuple[T, ...]:
    return tuple(random.sample(values, len(values)))


@st.composite
def edits(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with one byte put in, taken out or replaced."""
    at = draw(st.integers(0, len(data) - 1))
    byte = draw(st.one_of(st.sampled_from(b' \t\r\n#"0'), st.integers(0, 255)))
    start, end = draw(st.sampled_from([(at, at), (at, at + 1)]))
    inserted = draw(st.sampled_from([b"", bytes([byte])]))
    return data[:start] + inserted + data[end:]


@given(st.data())
def test_an_edit_is_refused_or_makes_the_canonical_file_of_another_lock(
    data: st.DataObject,
) -> None:
    """So no edit keeps the meaning, and none keeps the digest that the origin describes."""
    lock = data.draw(locks())
    written = write(lock)
    edited = data.draw(edits(written))
    assume(edited != written)
    try:
        other = parse(edited, "locks/x.lock")
    except InputError as error:
        refusal = (error.exit_code, error.message[:12])
        assert refusal == (ExitCode.BAD_INPUT, "locks/x.lock")
    else:
        assert other != lock
        assert write(other) == edited
        assert Digest.of(edited) != Digest.of(written)


@given(locks(), st.data())
def test_swapped_neighbours_are_refused(lock: Lock, data: st.DataObject) -> None:
    lines = write(lock).splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 2))
    assume(lines[at] != lines[at + 1])
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    with pytest.raises(InputError):
        parse(b"".join(lines), "locks/x.lock")


@given(locks(), st.data())
def test_a_line_of_white_space_or_comment_is_refused(lock: Lock, data: st.DataObject) -> None:
    lines = write(lock).splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines)))
    extra = data.draw(st.sampled_from([b"\n", b" \n", b"# note\n", b"\r\n"]))
    with pytest.raises(InputError):
        parse(b"".join([*lines[:at], extra, *lines[at:]]), "locks/x.lock")


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse(data, "locks/x.lock")
    for head in HEADS:
        with pytest.raises(InputError):
            parse(head + data, "locks/x.lock")


@given(locks(), st.data())
def test_the_digest_follows_every_artifact_and_setting(lock: Lock, data: st.DataObject) -> None:
    first = lock.platforms[0]
    platforms = [
        replace(first, python="3.99.1"),
        replace(first, glibc="2.99"),
        *(replace(first, debs=debs) for debs in _changed(first.debs)),
        *(replace(first, wheels=wheels) for wheels in _changed(first.wheels)),
        *(replace(first, replaced=rows) for rows in _resized(first.replaced)),
    ]
    others = [
        replace(lock, image=replace(lock.image, user="other")),
        *(replace(lock, platforms=(changed, *lock.platforms[1:])) for changed in platforms),
    ]
    assert write(data.draw(st.sampled_from(others))) != write(lock)


def _resized(rows: tuple[Replaced, ...]) -> Iterator[tuple[Replaced, ...]]:
    """Without one of them, or with another size for one."""
    for number, row in enumerate(rows):
        before, after = rows[:number], rows[number + 1 :]
        yield (*before, *after)
        yield (*before, replace(row, size=row.size + 1), *after)


def _changed(artifacts: tuple[A, ...]) -> Iterator[tuple[A, ...]]:
    """Without one of them, or with another digest or size for one."""
    for number, artifact in enumerate(artifacts):
        before, after = artifacts[:number], artifacts[number + 1 :]
        yield (*before, *after)
        yield (*before, replace(artifact, sha256=Digest.of(b"other")), *after)
        yield (*before, replace(artifact, size=artifact.size + 1), *after)
