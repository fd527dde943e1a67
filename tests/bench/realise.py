"""Realising the wheels of a lock beside the floor (`floor.py`), in turns.

python tests/bench/realise.py                  the wheels of ml and of runtime
python tests/bench/realise.py PROFILE          those of one profile's lock
python tests/bench/realise.py FOLDER           those of a folder of wheels
python tests/bench/realise.py --json --rounds 7
"""

import gc
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from figures import (
    Bench,
    Bound,
    Figure,
    Measurement,
    Unit,
    at_most,
    count,
    megabytes,
    ratio,
    seconds,
)
from floor import PROCESSES, floor_all
from report import run_alone
from wheels import Locked, locked, runner, wheels_of

from basestore.layer.apart import make_all
from basestore.layer.realise import Workshop, make
from basestore.store import Realisation, Store

MOST_RATIO = {"runtime": at_most(2.0), "ml": at_most(1.5)}
MOST_SIZE = at_most(1.005)


def realise_all(lock: Locked, store: Store) -> Sequence[Realisation]:
    """Make the layer of every wheel, as a build does."""
    workshop = Workshop(store, runner(lock.platform))
    return list(make_all(lock.recipes[1:], workshop, make, nullcontext, PROCESSES).values())


def timed(work: Callable[[], object]) -> float:
    """How long work takes, in seconds, with nothing left over from the work before."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def beside_floor(lock: Locked, bench: Bench, bound: Bound | None) -> list[Figure]:
    """Warm up, then both in turns."""
    made = realise_all(lock, lock.fresh(bench.folder / lock.name))
    content = floor_all(lock.wheels)
    ours, least = [], []
    for _ in range(bench.rounds):
        empty = lock.fresh(bench.folder / "empty")
        ours.append(timed(partial(realise_all, lock, empty)))
        least.append(timed(partial(floor_all, lock.wheels)))
        shutil.rmtree(empty.root)
    size = sum(one.size for one in made) / lock.wheel_bytes
    return [
        count(f"{lock.name}: wheels", len(lock.wheels)),
        megabytes(f"{lock.name}: size of the wheels", [lock.wheel_bytes]),
        megabytes(f"{lock.name}: size of their content", [content]),
        count(f"{lock.name}: layers", len(made)),
        seconds(f"{lock.name}: layers made", ours),
        seconds(f"{lock.name}: floor", least),
        ratio(f"{lock.name}: layers made / floor", ours, least, bound),
        Figure(f"{lock.name}: size of the layers / of the wheels", (size,), Unit.SHARE, MOST_SIZE),
    ]


def measure(bench: Bench) -> list[Figure]:
    """ml's and runtime's wheels."""
    return [
        figure
        for name, bound in MOST_RATIO.items()
        for figure in beside_floor(locked(name), bench, bound)
    ]


MEASUREMENT = Measurement(
    "Layers of wheels beside the floor",
    "The wheels of a lock, fetched, become layers in an empty store, two processes at a time. "
    "The floor is the least that any program has to do for that: each byte of content inflated "
    "once (isal), content and layer hashed once with SHA-256 (OpenSSL), by two processes, largest "
    "wheel first, with no other work for a file but to find where it lies. In turns. "
    "`python tests/bench/realise.py`",
    measure,
)


def chosen(what: str) -> Measurement:
    """The measurement of one profile's wheels, or of a folder's."""

    def measure_chosen(bench: Bench) -> list[Figure]:
        folder = Path(what)
        if not folder.is_dir():
            return beside_floor(locked(what), bench, MOST_RATIO.get(what))
        return beside_floor(wheels_of(folder, Store.open(bench.folder / "store")), bench, None)

    return replace(MEASUREMENT, measure=measure_chosen)


if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT, chosen))
