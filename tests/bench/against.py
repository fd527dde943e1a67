"""Cold builds of ml by this checkout beside those by an earlier revision of it.

python tests/bench/against.py [--json] [--rounds 7] [REVISION]
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from command import Basestore, Done, project
from figures import Bench, Figure, Measurement, below, ratio, seconds
from report import run_alone
from wheels import ROOT, Locked, locked

PREVIOUS = "HEAD~1"
ROUNDS = 7
MOST = below(1.05)


@dataclass(frozen=True)
class Side:
    """A checkout that builds, and how long it took each time."""

    code: Path
    project: Path
    done: list[Done] = field(default_factory=list)

    def build(self, lock: Locked, place: Path) -> None:
        """Build ml from its artifacts, and clear up; what is written is on the disk before."""
        store = lock.fresh(place)
        os.sync()
        environ = {"PYTHONPATH": str(self.code)}
        self.done.append(Basestore(self.project, store.root, environ)("build", lock.name))
        shutil.rmtree(place)

    def all(self, figure: Callable[[Done], float]) -> list[float]:
        """A figure of each time."""
        return [figure(one) for one in self.done]


def measure(bench: Bench, revision: str) -> list[Figure]:
    """Both in turns, each as often the first."""
    lock = locked("ml")
    code = checkout(revision, bench.folder / "code")
    now = Side(ROOT, project(bench.folder / "now"))
    then = Side(code, project(bench.folder / "then"))
    for side in (now, then):  # bytecode is compiled
        side.build(lock, bench.folder / "store")
        side.done.clear()
    for number in range(bench.rounds):
        for side in (now, then) if number % 2 else (then, now):
            side.build(lock, bench.folder / "store")
    walls, cpus = ([side.all(one) for side in (now, then)] for one in (_wall, _cpu))
    return [
        seconds("now", walls[0]),
        seconds(f"{revision}", walls[1]),
        seconds("now, CPU", cpus[0]),
        seconds(f"{revision}, CPU", cpus[1]),
        ratio("now / then", *_medians(walls), MOST),
        ratio("now / then, CPU", *_medians(cpus), MOST),
    ]


def checkout(revision: str, folder: Path) -> Path:
    """The package's code as a revision has it."""
    folder.mkdir()
    words = ["git", "-C", str(ROOT), "archive", revision, "basestore"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=True)
    if archive.returncode:
        sys.exit(f"git has no {revision}")
    return folder


def _wall(done: Done) -> float:
    return done.wall


def _cpu(done: Done) -> float:
    return done.cpu


def _medians(values: Sequence[Sequence[float]]) -> list[list[float]]:
    """Disks get slower and faster as the rounds go by: the middles are compared."""
    return [[median(one)] for one in values]


def against(revision: str) -> Measurement:
    """The measurement beside that revision."""
    return Measurement(
        f"Cold builds, now and at {revision}",
        "`basestore build ml`, whole processes, everything fetched and nothing made.",
        lambda bench: measure(bench, revision),
        ROUNDS,
    )


if __name__ == "__main__":
    sys.exit(run_alone(against(PREVIOUS), against))
