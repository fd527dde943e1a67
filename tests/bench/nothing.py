"""Commands that have nothing to do.

python tests/bench/nothing.py [--json] [--rounds 5]
"""

import sys

from command import Basestore, Done, project, run
from figures import Bench, Figure, Measurement, seconds
from loopback import registry
from report import run_alone
from wheels import locked


def measure(bench: Bench) -> list[Figure]:
    """Each command in turns, with a start of Python beside them."""
    lock = locked("ml")
    store = lock.fresh(bench.folder / "store")
    basestore = Basestore(project(bench.folder / "project"), store.root)
    basestore("build", "ml")
    with registry(bench.folder / "registry") as found:
        commands = {
            "`lock --check`, four profiles": ["lock", "--check"],
            "`build ml`": ["build", "ml"],
            "`push ml`": ["push", "ml", "--to", found.address],
        }
        for words in commands.values():
            basestore(*words)
        done: dict[str, list[Done]] = {name: [] for name in ("a start of Python", *commands)}
        for _ in range(bench.rounds):
            done["a start of Python"].append(run([sys.executable, "-c", ""], {}))
            for name, words in commands.items():
                done[name].append(basestore(*words))
    return [
        figure
        for name, runs in done.items()
        for figure in (
            seconds(name, [one.wall for one in runs]),
            seconds(f"{name}, CPU", [one.cpu for one in runs]),
        )
    ]


MEASUREMENT = Measurement(
    "Nothing to do",
    "Commands that find everything done, whole processes: each lock fresh, the image in the store, "
    "the image in the registry. `python tests/bench/nothing.py`",
    measure,
)

if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT))
