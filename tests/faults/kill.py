"""Commands ended, or refused by the disk, at every call that changes a file.

Each command is traced once to its end. Then, for each call of it that changes something in the
project or the store, it runs again from the same state and is killed at that call; or the call
fails with ENOSPC, or with EIO. After each: no blob is wrong, no lock is torn, an error is one
sentence and exit code 6, the next run succeeds and gives the control's digests, and `basestore
store verify` is clean.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from faults.order import Order, order_of
from faults.scenes import Result, Scene, wrong_blobs
from faults.traced import Ended, Point, points, traced

from basestore.errors import ExitCode
from basestore.lock import images

FAULTS = {"kill": "signal=KILL", "ENOSPC": "error=ENOSPC", "EIO": "error=EIO"}


@dataclass
class Tally:
    """How a command fared with a fault. ``struck``: trials in which the fault came about."""

    command: str
    fault: str
    points: int
    calls: int
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
            f"{self.command:6} {self.fault:7} {self.survived} of {self.tried} survived, "
            f"{self.struck} struck; {self.points} points of {self.calls} calls; {self.order}"
        )


@dataclass(frozen=True)
class Control:
    """What a command gives undisturbed, the points at which it changes anything, and its order."""

    result: Result
    points: Sequence[Point]
    order: Order


def control(scene: Scene) -> Control:
    """Run the command undisturbed."""
    scene.restore()
    ended = traced(scene.run, scene.words)
    assert ended.code == 0, ended.err
    order = order_of(ended.calls, scene.project, scene.store)
    settle(scene)
    return Control(scene.result(), points(ended.calls, (scene.project, scene.store)), order)


def settle(scene: Scene) -> None:
    """After a collection all must be there still: a build finds it."""
    if scene.name == "gc":
        scene.run("build").expect(0)


def trial(scene: Scene, fault: str, point: Point, wanted: Result) -> tuple[bool, list[str]]:
    """Whether the fault struck, and all that is wrong after it."""
    scene.restore()
    before = scene.result()
    ended = traced(scene.run, scene.words, FAULTS[fault], point)
    wrong = [*ending(ended), *torn(scene, before, wanted)]
    wrong += [f"the next run: {text}" for text in again(scene, wanted)]
    return ended.struck, wrong


def ending(ended: Ended) -> list[str]:
    """What is wrong with how the command ended."""
    if ended.code in (-9, 137, 0) or ended.astray:
        return []
    said = [line for line in ended.err.splitlines() if line.startswith("error:")]
    if "Traceback" in ended.err or len(said) != 1:
        return [f"it said {ended.err[-600:]!r}"]
    unread = ended.code == ExitCode.BAD_INPUT and "Input/output error" in said[0]
    if ended.code != ExitCode.UNREACHABLE and not unread:
        return [f"exit code {ended.code}: {said[0]}"]
    return []


def torn(scene: Scene, before: Result, wanted: Result) -> list[str]:
    """Blobs and files of the project that are neither old nor new."""
    found = [f"the blob {path.name} is wrong" for path in wrong_blobs(scene.store)]
    for name, data in scene.result().files.items():
        if name == "images.toml":  # one line after another: whole it is after each
            images.parse(data, name)
            whole = set(data.splitlines()) <= set(wanted.files[name].splitlines())
        else:
            whole = data in (before.files.get(name), wanted.files.get(name))
        if not whole:
            found.append(f"{name} is neither the old nor the new one")
    return found


def again(scene: Scene, wanted: Result) -> list[str]:
    """What is wrong after the same command ran once more."""
    done = scene.run(*scene.words)
    if done.code != 0:
        return [f"exit code {done.code}: {done.err}"]
    settle(scene)
    verified = scene.run("store", "verify")
    if verified.code != 0:
        return [f"store verify: {verified.out}{verified.err}"]
    return [] if scene.result() == wanted else ["its digests are others than the control's"]


def sample(all_points: Sequence[Point], at_most: int) -> list[Point]:
    """So many points, spread evenly; all of them where ``at_most`` is 0."""
    if not at_most or len(all_points) <= at_most:
        return list(all_points)
    return [all_points[len(all_points) * n // at_most] for n in range(at_most)]


def strike(scene: Scene, fault: str, known: Control, at_most: int) -> Tally:
    """Let a fault befall a command at these points, one after another."""
    calls = len({point.name for point in known.points})
    tally = Tally(scene.name, fault, len(known.points), calls, known.order)
    for point in sample(known.points, at_most):
        struck, wrong = trial(scene, fault, point, known.result)
        tally.tried += 1
        tally.struck += struck
        if wrong:
            tally.failures.append(f"{point.name} {point.number}: {'; '.join(wrong)}")
            print(f"{scene.name}, {fault} at {tally.failures[-1]}", file=sys.stderr)
    return tally
