"""Commands ended, or refused by the disk, at every call that changes a file.

Each command is traced to its end. Then, for each call of it that changes something in the project
or the store, it runs again from the same state and is killed at that call; or the call fails with
ENOSPC, or with EIO. After each: no blob is wrong, nothing is torn, an error is one sentence and
exit code 6, the next run succeeds and gives the control's files, `basestore store verify` is clean,
and after `basestore store gc` nothing is left behind.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from faults.calls import unknown
from faults.killed import Moment, killed
from faults.leftovers import kinds_changed, leftovers, listing
from faults.order import Order, order_of
from faults.scenes import WHOLE, Result, Scene, wrong_blobs
from faults.traced import Ended, Point, points, traced, watched

from basestore.errors import ExitCode
from basestore.lock import images

KILL = "kill"
ERRORS = ("ENOSPC", "EIO")
FAULTS = (KILL, *ERRORS)
AT_MOST = {KILL: 0, **dict.fromkeys(ERRORS, 50)}
"""How many points are tried of a command that has more, if nobody says otherwise; 0 for all."""
_TOLD_EVERY = 50

_T = TypeVar("_T")

Blow = Callable[[], Ended]
"""Runs the scene's command, and lets the fault befall it."""


@dataclass
class Tally:
    """How a command fared with a fault. ``struck``: trials in which the fault came about."""

    command: str
    fault: str
    calls: int
    kinds: int
    order: Order
    tried: int = 0
    struck: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def survived(self) -> int:
        """Trials after which all was well."""
        return self.tried - len(self.failures)

    def __str__(self) -> str:
        return (
            f"{self.command:14} {self.fault:7} {self.survived} of {self.tried} survived, "
            f"{self.struck} struck; "
            f"{self.calls} calls of {self.kinds} kinds; {self.order}"
        )


@dataclass(frozen=True)
class Control:
    """What a command gives undisturbed, its calls that change anything, and their order.

    ``points``: those that can be made to fail; ``files``: all there is after `store gc`.
    """

    result: Result
    calls: Sequence[str]
    points: Sequence[Point]
    order: Order
    files: frozenset[str]


def control(scene: Scene) -> Control:
    """Run the command undisturbed. Raises AssertionError for what the trials wouldn't find."""
    folders = (scene.project, scene.store)
    scene.restore()
    ended = traced(scene.run, scene.words)
    assert ended.code == 0, ended.err
    order = order_of(ended.calls, scene.project, scene.store)
    scene.settle()
    result = scene.result()
    scene.run("store", "gc").expect(0)
    files = listing(folders)
    _check_all_is_seen(scene, ended, folders)
    calls = [call.name for call in ended.calls if call.changes and call.below(folders)]
    return Control(result, calls, points(ended.calls, folders), order, files)


def _check_all_is_seen(scene: Scene, ended: Ended, folders: Collection[Path]) -> None:
    """No call that nobody knows; and programs that the command starts change nothing of ours."""
    scene.restore()
    everything = watched(scene.run, scene.words)
    assert everything.code == 0, everything.err
    assert not unknown(everything.calls, folders), unknown(everything.calls, folders)
    unseen = kinds_changed(everything.calls, folders) - kinds_changed(ended.calls, folders)
    assert not unseen, unseen


def trial(scene: Scene, blow: Blow, wanted: Control) -> tuple[bool, list[str]]:
    """Whether the fault struck, and all that is wrong after it."""
    scene.restore()
    before, damaged = scene.result(), {*wrong_blobs(scene.store)}
    ended = blow()
    wrong = [*ending(scene, ended), *torn(scene, before, wanted.result)]
    wrong += [f"the blob {one.name} is wrong" for one in {*wrong_blobs(scene.store)} - damaged]
    wrong += again(scene, wanted)
    return ended.struck, wrong


def ending(scene: Scene, ended: Ended) -> list[str]:
    """What is wrong with how the command ended."""
    if ended.code in (-9, 137, 0) or ended.astray:
        return []
    if ended.code == ExitCode.INTEGRITY and scene.says_left(ended.err):
        return []
    said = [line for line in ended.err.splitlines() if line.startswith("error:")]
    if "Traceback" in ended.err or len(said) != 1:
        return [f"it said {ended.err[-1200:]!r}"]
    unread = ended.code == ExitCode.BAD_INPUT and "Input/output error" in said[0]
    if ended.code != ExitCode.UNREACHABLE and not unread:
        return [f"exit code {ended.code}: {said[0]}"]
    return []


def torn(scene: Scene, before: Result, wanted: Result) -> list[str]:
    """Files of the project that are neither old nor new, and folders of which a part lacks."""
    found = []
    files = scene.result().files
    for name, data in files.items():
        if name == "locks/images.toml":  # one line after another: whole it is after each
            images.parse(data, name)
            whole = set(data.splitlines()) <= set(wanted.files[name].splitlines())
        else:
            whole = data in (before.files.get(name), wanted.files.get(name))
        if not whole:
            found.append(f"{name} is neither the old nor the new one")
    for folder, sign in WHOLE.items():
        if any(name.startswith(sign) for name in files):
            wished = (name for name in wanted.files if name.startswith(folder))
            found += [f"{name} lacks" for name in wished if name not in files]
    return found


def again(scene: Scene, wanted: Control) -> list[str]:
    """What is wrong after the same command ran once more."""
    done = scene.run(*scene.words)
    if done.code != 0 and not (scene.says_done(done) and scene.result() == wanted.result):
        return [f"the next run: exit code {done.code}: {done.out}{done.err}"]
    scene.settle()
    verified = scene.run("store", "verify")
    if verified.code != 0:
        return [f"store verify: {verified.out}{verified.err}"]
    if scene.result() != wanted.result:
        return [f"its files are others than the control's: {_differing(scene, wanted.result)}"]
    scene.run("store", "gc").expect(0)
    folders = (scene.project, scene.store)
    return leftovers(listing(folders), wanted.files, folders)


def _differing(scene: Scene, wanted: Result) -> list[str]:
    found = scene.result()
    both = {**found.files, **wanted.files}
    names = [name for name in both if found.files.get(name) != wanted.files.get(name)]
    return names or ["the registry's tags"]


def sample(every: Sequence[_T], at_most: int) -> list[_T]:
    """So many, spread evenly; all of them where ``at_most`` is 0."""
    if not at_most or len(every) <= at_most:
        return list(every)
    return [every[len(every) * (2 * n + 1) // (2 * at_most)] for n in range(at_most)]


def blows(scene: Scene, fault: str, known: Control, at_most: int) -> Iterator[tuple[str, Blow]]:
    """What befalls a command, one after another, each with where it does."""
    folders = (scene.project, scene.store)
    if fault == KILL:
        every = [Moment(number, number % 3 == 0) for number in range(1, len(known.calls) + 1)]
        for moment in sample(every, at_most):
            yield str(moment), partial(killed, scene.run, scene.words, folders, moment)
    else:
        for point in sample(known.points, at_most):
            where = f"{point.name} {point.number}"
            yield where, partial(traced, scene.run, scene.words, f"error={fault}", point)


def strike(scene: Scene, fault: str, known: Control, at_most: int) -> Tally:
    """Let a fault befall a command at these points, one after another."""
    tally = Tally(scene.name, fault, len(known.calls), len({*known.calls}), known.order)
    for where, blow in blows(scene, fault, known, at_most):
        struck, wrong = trial(scene, blow, known)
        tally.tried += 1
        tally.struck += struck
        if wrong:
            tally.failures.append(f"{where}: {'; '.join(wrong)}")
            print(f"{scene.name}, {fault} at {tally.failures[-1]}", file=sys.stderr, flush=True)
        if tally.tried % _TOLD_EVERY == 0:
            print(f"{scene.name}, {fault}: {tally.tried} tried", file=sys.stderr, flush=True)
    return tally
