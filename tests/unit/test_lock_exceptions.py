"""The exceptions from RECORD in a lock file."""

from dataclasses import replace
from pathlib import Path

import pytest

from basestore.errors import InputError
from basestore.lock.codec import EditedLockError, parse, write
from basestore.lock.model import ImageConfig, Lock

GOLDEN = Path(__file__).parents[1].joinpath("golden/family.lock").read_bytes()
FAMILY = parse(GOLDEN, "locks/ml.lock")
EXCEPTING = replace(
    FAMILY, record_exceptions={"torch": 'names "tests", which it lacks', "asyncpg": "no RECORD → ü"}
)
EXCEPTIONS = """
[record-exceptions]
asyncpg = "no RECORD → ü"
torch = "names \\"tests\\", which it lacks"
""".encode()


def test_exceptions_stand_before_the_platforms() -> None:
    data = write(EXCEPTING)

    assert parse(data, "locks/ml.lock") == EXCEPTING
    assert data.replace(EXCEPTIONS, b"", 1) == GOLDEN
    assert data.index(EXCEPTIONS) == GOLDEN.index(b"\n[[platforms]]")


def test_a_service_has_exceptions_too() -> None:
    (torch,) = FAMILY.platforms[1].wheels
    platform = replace(FAMILY.platforms[1], wheels=(replace(torch, generation="svc"),))
    lock = Lock(
        profile="svc",
        image=ImageConfig(),
        platforms=(platform,),
        lineage=("svc",),
        base="ml",
        record_exceptions={"torch": "no RECORD"},
    )
    data = write(lock)

    assert parse(data, "locks/svc.lock") == lock
    assert b'base = "ml"\n\n[record-exceptions]\ntorch = "no RECORD"\n\n[[platforms]]\n' in data


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\nasyncpg =", "\nflask =", "18: record-exceptions.flask: names no wheel of the lock"),
        ("\nasyncpg =", "\nAsyncpg =", "18: record-exceptions.Asyncpg: names no wheel of the lock"),
        ("no RECORD → ü", " ", "18: record-exceptions.asyncpg: no reason in one line"),
        ("no RECORD → ü", "ü" * 201, "18: record-exceptions.asyncpg: no reason in one line"),
        ("no RECORD", "no\\nRECORD", "18: record-exceptions.asyncpg: no reason in one line"),
        ("no RECORD", "no\u202eRECORD", "18: record-exceptions.asyncpg: no reason in one line"),
        ('"no RECORD → ü"', "true", "18: record-exceptions.asyncpg: a boolean, not a string"),
        ("\nasyncpg =", '\n"asyncpg" =', "18: not as basestore writes it: expected 'asyncpg ="),
    ],
)
def test_what_is_no_exception(old: str, new: str, message: str) -> None:
    data = write(EXCEPTING)
    assert old.encode() in data
    with pytest.raises(EditedLockError) as caught:
        parse(data.replace(old.encode(), new.encode(), 1), "locks/ml.lock")
    assert caught.value.message.startswith(f"locks/ml.lock:{message}")


def test_every_byte_of_them_is_material() -> None:
    """Exhaustively: a byte left out or replaced is refused or is another lock's file."""
    data = write(EXCEPTING)
    start = data.index(EXCEPTIONS)
    for at in range(start, start + len(EXCEPTIONS)):
        for edited in (
            data[:at] + data[at + 1 :],
            data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
        ):
            try:
                other = parse(edited, "locks/ml.lock")
            except InputError:
                continue
            assert (write(other), other == EXCEPTING) == (edited, edited == data)
