"""gpu's cold build beside its floor: PyTorch with CUDA, gigabytes of wheels.

python tests/bench/gpu.py [--json] [--rounds 1]
"""

import shutil
import sys
from functools import partial

from cold import build_cold
from command import Basestore, project
from figures import (
    Bench,
    Figure,
    Measurement,
    Unit,
    at_most,
    below,
    count,
    megabytes,
    ratio,
    seconds,
)
from floor import floor_all
from memory import peak_memory
from realise import timed
from report import run_alone
from wheels import disk, locked

from basestore.recipe.plan import LIMIT

MOST_MEMORY = below(250)
MOST_DISK = at_most(1.05)


def measure(bench: Bench) -> list[Figure]:
    """Both in turns, then memory in a run of its own."""
    lock = locked("gpu")
    folder = project(bench.folder / "project")
    whole, least, taken = [], [], 0
    for _ in range(bench.rounds):
        store = lock.fresh(bench.folder / "store")
        whole.append(build_cold(lock, folder, store))
        taken = disk(store.root)
        shutil.rmtree(store.root)
        least.append(timed(partial(floor_all, lock.wheels)))
    store = lock.fresh(bench.folder / "store")
    command = Basestore(folder, store.root).words("build", lock.name)
    peak = peak_memory(command, {"BASESTORE_STORE": str(store.root)})
    return [
        count("wheels", len(lock.wheels)),
        megabytes("size of the wheels", [lock.wheel_bytes]),
        count("layers", len(lock.recipes), at_most(LIMIT)),
        seconds("`build gpu`", whole),
        seconds("floor of its wheels", least),
        ratio("`build gpu` / floor", whole, least),
        megabytes("memory of `build gpu`, the largest process", [peak.process], MOST_MEMORY),
        megabytes("memory of `build gpu`, all processes together", [peak.together]),
        megabytes("the store on the disk", [taken]),
        Figure(
            "the store on the disk / wheels", (taken / lock.wheel_bytes,), Unit.SHARE, MOST_DISK
        ),
    ]


MEASUREMENT = Measurement(
    "gpu, cold",
    "`basestore build gpu`, whole processes, everything fetched and nothing made, beside the floor "
    "of its wheels. The store on the disk is all of it: wheels, .debs, what the layers need beside "
    "them. Memory is that of a run of its own. `python tests/bench/gpu.py`",
    measure,
    rounds=1,
)

if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT))
