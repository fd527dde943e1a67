"""Cold builds of ml, as a user runs them: their time beside the floor, and their memory.

python tests/bench/cold.py [--json] [--rounds 5]
"""

import shutil
import sys
from functools import partial
from pathlib import Path

from command import Basestore, project
from figures import Bench, Figure, Measurement, below, megabytes, ratio, seconds
from floor import floor_all
from memory import peak_memory
from realise import timed
from report import run_alone
from wheels import Locked, bring_layer, locked

from basestore.store import Store

MOST_MEMORY = below(150)


def measure(bench: Bench) -> list[Figure]:
    """A build of everything, one of what lies on the foundation, and the floor, in turns."""
    lock = locked("ml")
    folder = project(bench.folder / "project")
    warm = built(lock, folder, lock.fresh(bench.folder / "warm"))
    whole, above, least = [], [], []
    for number in range(bench.rounds):
        place = bench.folder / str(number)
        whole.append(build_cold(lock, folder, lock.fresh(place / "whole")))
        above.append(build_cold(lock, folder, with_foundation(lock, warm, place / "above")))
        least.append(timed(partial(floor_all, lock.wheels)))
        shutil.rmtree(place)
    store = lock.fresh(bench.folder / "memory")
    command = Basestore(folder, store.root).words("build", lock.name)
    peak = peak_memory(command, {"BASESTORE_STORE": str(store.root)})
    return [
        seconds("`build ml`", whole),
        seconds("`build ml`, the foundation's layer made", above),
        seconds("floor of its wheels", least),
        ratio("`build ml` / floor", whole, least),
        ratio("`build ml`, the foundation's layer made / floor", above, least),
        megabytes("memory of `build ml`, the largest process", [peak.process], MOST_MEMORY),
        megabytes("memory of `build ml`, all processes together", [peak.together]),
    ]


def build_cold(lock: Locked, project: Path, store: Store) -> float:
    """Build into a store; how long it took, in seconds."""
    return Basestore(project, store.root)("build", lock.name).wall


def built(lock: Locked, project: Path, store: Store) -> Store:
    """The store, with the image built."""
    build_cold(lock, project, store)
    return store


def with_foundation(lock: Locked, warm: Store, folder: Path) -> Store:
    """A store with the artifacts, and of the layers only the foundation's."""
    made = lock.fresh(folder)
    bring_layer(warm, made, lock.recipes[0])
    return made


MEASUREMENT = Measurement(
    "Cold builds",
    "`basestore build ml`, whole processes, everything fetched and nothing made; and the same with "
    "the foundation's layer in the store, as it is wherever another profile of the family was "
    "built. The floor is that of the wheels alone: nothing in it stands for the .debs, for "
    "compiling the standard library, for starting Python, for writing to the disk; what has a "
    "bound is the layers beside the floor, above. Memory is that of a run of its own; "
    "pages that processes share count once. `python tests/bench/cold.py`",
    measure,
)

if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT))
