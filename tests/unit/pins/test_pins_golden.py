"""Files written as nastily as people write them, and the same files pinned.

``PYTHONPATH=tests python tests/unit/pins/test_pins_golden.py`` writes what they become anew.
"""

from pathlib import Path

import pytest
from pinning import BASES, CPU

from basestore.digest import Digest
from basestore.pins import State, Target, find, judge, rewrite

GOLDEN = Path(__file__).parents[2] / "golden/pins"
TARGET = Target(CPU, Digest("1" * 64), Digest("2" * 64))
FILES = sorted(file.name for file in GOLDEN.glob("*") if file.suffix != ".pinned")


def pinned(file: str, data: bytes) -> bytes:
    found = find(file, data, BASES).occurrences
    return rewrite(data, [edit for one in found for edit in judge(one, TARGET).edits])


@pytest.mark.parametrize("file", FILES)
def test_only_the_references_are_replaced(file: str) -> None:
    data = (GOLDEN / file).read_bytes()

    assert pinned(file, data).decode() == (GOLDEN / f"{file}.pinned").read_text()


@pytest.mark.parametrize("file", FILES)
def test_what_is_pinned_is_left_alone(file: str) -> None:
    data = (GOLDEN / f"{file}.pinned").read_bytes()

    assert {judge(one, TARGET).state for one in find(file, data, BASES).occurrences} == {
        State.PINNED
    }
    assert pinned(file, data) == data


@pytest.mark.parametrize("file", FILES)
def test_line_ends_of_windows_stay(file: str) -> None:
    data = (GOLDEN / file).read_bytes().replace(b"\n", b"\r\n")
    wanted = (GOLDEN / f"{file}.pinned").read_bytes().replace(b"\n", b"\r\n")

    assert pinned(file, data) == wanted


@pytest.mark.parametrize("file", FILES)
def test_a_byte_order_mark_stays(file: str) -> None:
    mark = b"\xef\xbb\xbf"

    assert pinned(file, mark + (GOLDEN / file).read_bytes()) == (
        mark + (GOLDEN / f"{file}.pinned").read_bytes()
    )


if __name__ == "__main__":
    for name in FILES:
        (GOLDEN / f"{name}.pinned").write_bytes(pinned(name, (GOLDEN / name).read_bytes()))
