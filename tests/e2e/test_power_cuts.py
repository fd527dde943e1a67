"""Losses of power, played to a disk that keeps no order but that of the syncs: a small sample."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.disk import Disk
from faults.journal import Behind, Step, Word
from faults.powercut import Past, past_of, strike
from faults.scenes import scenes
from faults.survival import fates, pending, tree
from services import lacking, need_program

STARTS = {"lock": 1, "build": 1, "gc": 1, "export-rootfs": 1, "pin": 1}


@pytest.fixture(scope="module", params=STARTS)
def past(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Past]:
    """A command that ran to its end, and what it told the disk."""
    if sys.platform != "linux":
        lacking("needs Linux")
    need_program("strace")
    with scenes(tmp_path_factory.mktemp("power"), request.param) as (scene,):
        yield past_of(scene)


@pytest.mark.long
def test_outlives_a_loss_of_power(past: Past) -> None:
    tally = strike(past, STARTS[past.scene.name], every=8)
    assert tally.failures == []
    assert tally.closed == 0
    assert tally.trees > 5
    assert tally.started
    if past.scene.name == "build":
        assert not tally.dangling  # a record comes after all that it names


def steps(place: Path, *calls: tuple[str, *tuple[Word, ...]]) -> list[Step]:
    """Steps one after another; paths begin with a slash, which stands for the place."""

    def word(one: Word) -> Word:
        if isinstance(one, Behind):
            return Behind(f"{place}{one}")
        return bytes(place) + one if isinstance(one, bytes) and one.startswith(b"/") else one

    return [
        Step(name, tuple(map(word, words)), len(words[-1]), number, number)
        for number, (name, *words) in enumerate(calls)
    ]


def found(place: Path, *calls: tuple[str, *tuple[Word, ...]]) -> dict[str, set[bytes]]:
    """What may be found after these steps and a loss of power: what each file then holds."""
    disk = Disk(place, lambda _: True)
    disk.follow(steps(place, *calls))
    states: dict[str, set[bytes]] = {}
    for fate in fates(pending(disk, disk.times[-1]), random.Random(1)):
        there = {
            p: f.content.data for p, f in tree(disk, fate, disk.times[-1]).items() if f.content
        }
        for path in ("old", "new"):
            states.setdefault(path, set()).add(there.get(path, b"none"))
    return states


MADE = ("openat", Behind(""), b"/new", "O_WRONLY|O_CREAT", "0600")
FILE = Behind("/new")
"""Made and written; then `RENAMED` takes the place of the old one."""
WRITTEN = ("write", FILE, b"ABCD")
RENAMED = ("rename", b"/new", b"/old")


@pytest.mark.parametrize(
    ("calls", "left"),
    [
        ([RENAMED], {b"...", b"", b"AB", b"ABCD", bytes(4)}),
        ([("fsync", FILE), RENAMED], {b"...", b"ABCD"}),
        ([("fsync", FILE), RENAMED, ("fsync", Behind(""))], {b"ABCD"}),
        ([RENAMED, ("fsync", Behind(""))], {b"", b"AB", b"ABCD", bytes(4)}),
    ],
)
def test_the_disk_promises_what_was_synced(
    tmp_path: Path, calls: list[tuple[str, *tuple[Word, ...]]], left: set[bytes]
) -> None:
    (tmp_path / "old").write_bytes(b"...")
    assert found(tmp_path, MADE, WRITTEN, *calls)["old"] == left
