"""Losses of power: after each step of a command, in each way that a disk may have taken it.

A command is traced once to its end. Its steps are played to a disk that keeps no order but that of
the syncs (`faults.disk`), and after each the power is cut: of what was not synced nothing survives,
or all, or names without data, or any one thing alone, or some by lot (`faults.survival`). All trees
that may be found are judged as they lie there. For a sample of the moments the machine is started
with them, and the same command runs again (`faults.reboot`).
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from faults.disk import Disk
from faults.journal import Journal, recorded
from faults.reboot import closed, dangling, differing, faults_of, lasting_of, lost, start
from faults.scenes import Result, Scene, scenes
from faults.survival import Fate, Tree, fates, pending, tree
from faults.traced import Point, points, traced

SEED = 6
STARTED = ("nothing more", "names", "by lot, 0", "by lot, 1")
"""How the labels of the fates begin with which the machine is started."""

SECTION = """Losses of power are played: a command's calls, byte by byte, go to a disk that makes a
file's bytes and mode durable with the file's sync, a name with its folder's, and keeps no other
order. The power is cut after each call, and of what was in doubt nothing survives, or all, or names
without data, with zeros or half of it, or one name alone, or all but one, or some by lot. In each
tree that may be found every blob is hashed, and nothing that takes its name at once may be torn.
With some of them the machine is started: the same command then succeeds and gives the control's
digests, and `basestore store verify` is clean. At a command's end nothing of it may be in doubt.

| command | cuts | choices | trees | of them with records of lost blobs | started | failures |
|---|---|---|---|---|---|---|
{rows}
"""


@dataclass
class Tally:
    """How a command fared. ``cuts``: moments; ``choices``: of what survived, in all of them.

    ``trees``: the different ones that were found and judged; among them are ``dangling`` ones, in
    which the record of a layer names a blob that was lost, and ``closed`` ones, in which others
    than its owner can't read a blob. ``started``: those with which the machine was started.
    """

    command: str
    cuts: int = 0
    choices: int = 0
    trees: int = 0
    dangling: int = 0
    closed: int = 0
    started: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.command:14} {self.cuts} cuts, {self.choices} choices, {self.trees} trees "
            f"({self.dangling} dangling, {self.closed} closed), "
            f"{self.started} started, {len(self.failures)} failures"
        )


@dataclass(frozen=True)
class Past:
    """A command that ran to its end: what it told the disk, and what it gave."""

    scene: Scene
    disk: Disk
    result: Result

    @property
    def store(self) -> str:
        """Where on the disk the store is."""
        return str(self.scene.store.relative_to(self.scene.place))


def past_of(scene: Scene, kill: Point | None = None) -> Past:
    """Run a command undisturbed, and hold what its trace tells to what is on the real disk.

    ``kill``: before that, it is killed there.
    """
    scene.restore()
    disk = Disk(scene.place, lasting_of(scene))
    if kill:
        disk = _after_kill(scene, disk, recorded(scene.run, scene.words, kill))
    ended = recorded(scene.run, scene.words)
    assert ended.code == 0, ended.err
    disk.follow(ended.steps)
    disk.settle()
    assert differing(scene, disk) == []
    scene.settle()
    return Past(scene, disk, scene.result())


def _after_kill(scene: Scene, disk: Disk, ended: Journal) -> Disk:
    """The disk after a command that was killed; of the last calls it shows if they came about."""
    sure = [step for step in ended.steps if step.gave is not None]
    for steps in (sure, ended.steps):
        tried = deepcopy(disk)
        tried.follow(steps)
        if not differing(scene, tried):
            return tried
    raise AssertionError(f"the trace differs from the disk in {differing(scene, tried)}")


def found_after(past: Past, now: int) -> Iterator[tuple[Fate, Tree]]:
    """All that may be found after a cut at a moment."""
    for fate in fates(pending(past.disk, now), random.Random(SEED * 100_000 + now)):
        yield fate, tree(past.disk, fate, now)


def strike(past: Past, at_most: int, every: int = 1) -> Tally:
    """Cut the power after every step, or each so many; start the machine after some (0: all)."""
    tally = Tally(past.scene.name)
    judged, started = set[int](), set[int]()
    times = past.disk.times[::-1][::every][::-1]
    starts = sample(times, at_most)
    for number, now in enumerate(times, 1):
        tally.cuts += 1
        for fate, found in found_after(past, now):
            tally.choices += 1
            where = f"step {number} of {len(times)}, {fate.label}"
            mark = _mark(found, past.store)
            if mark not in judged:
                judged.add(mark)
                _judge(tally, past, found, where)
            if now in starts and fate.label.startswith(STARTED) and mark not in started:
                started.add(mark)
                _start(tally, past, found, where)
    _note(tally, "at its end", _undone(past))
    return tally


def _judge(tally: Tally, past: Past, found: Tree, where: str) -> None:
    tally.trees += 1
    tally.dangling += bool(dangling(found, past.store))
    tally.closed += bool(closed(found, past.store))
    _note(tally, where, faults_of(found, past.disk, past.store))


def _start(tally: Tally, past: Past, found: Tree, where: str) -> None:
    tally.started += 1
    _note(tally, where, start(past.scene, found, past.result))


def _undone(past: Past) -> Iterator[str]:
    """What a loss of power undoes although the command had come to its end."""
    _, found = next(found_after(past, past.disk.times[-1]))
    return lost(found, past.disk, past.store)


def sample(times: Sequence[int], at_most: int) -> frozenset[int]:
    """So many of the times, spread evenly, the last among them; all where ``at_most`` is 0."""
    if not at_most or len(times) <= at_most:
        return frozenset(times)
    return frozenset(times[len(times) * n // at_most - 1] for n in range(1, at_most + 1))


def _mark(found: Tree, store: str) -> int:
    """Tells trees apart, but for the leases in them, which every step changes."""
    leases = f"{store}/leases/"
    lasting = (path for path in found if not path.startswith(leases))
    return hash(frozenset((path, found[path].content) for path in lasting))


def _note(tally: Tally, where: str, wrong: Iterable[str]) -> None:
    if said := list(wrong):
        tally.failures.append(f"{tally.command}, {where}: {'; '.join(said)}")
        print(tally.failures[-1], file=sys.stderr, flush=True)


def rows(tallies: Iterable[Tally]) -> str:
    """The rows of the table in `SECTION`."""
    return "\n".join(
        f"| {t.command} | {t.cuts} | {t.choices} | {t.trees} | {t.dangling} | {t.started} "
        f"| {len(t.failures)} |"
        for t in tallies
    )


def cuts(names: Sequence[str], at_most: int, killed: int = 0) -> Iterator[Tally]:
    """Each command, with so many moments after which the machine is started.

    ``killed``: also with so many runs of it that were killed before, one by one.
    """
    with tempfile.TemporaryDirectory() as work, scenes(Path(work), *names) as known:
        for scene in known:
            yield strike(past_of(scene), at_most)
            for kill in _kills(scene, killed) if killed else ():
                tally = strike(past_of(scene, kill), 1)
                tally.command += f" after a kill at {kill.name} {kill.number}"
                yield tally


def told(names: Sequence[str], at_most: int, killed: int = 0) -> Iterator[Tally]:
    """The same, each printed as it is known."""
    for tally in cuts(names, at_most, killed):
        print(tally, flush=True)
        yield tally


def _kills(scene: Scene, at_most: int) -> Sequence[Point]:
    scene.restore()
    found = points(traced(scene.run, scene.words).calls, (scene.project, scene.store))
    return [found[number] for number in sorted(sample(range(len(found)), at_most))]


def main() -> None:
    """Say what was done and what went wrong; exit 1 if anything did."""
    parser = argparse.ArgumentParser(prog="powercut", description="Cut the power after each step.")
    parser.add_argument("--points", type=int, default=10, help="starts of the machine; 0: all")
    parser.add_argument("--killed", type=int, default=0, help="runs of the command killed before")
    parser.add_argument("--command", action="append", help="lock, build, push, gc, ...")
    asked = parser.parse_args()
    tallies = list(told(asked.command or (), asked.points, asked.killed))
    print(rows(tallies))
    sys.exit(any(tally.failures for tally in tallies))


if __name__ == "__main__":
    main()
