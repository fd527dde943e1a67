"""Commands that have nothing to do.

python tests/bench/nothing.py [--json] [--rounds 5]
"""

import sys
from pathlib import Path

from command import Basestore, Done, project, run
from figures import Bench, Figure, Measurement, at_most, ratio, seconds
from loopback import registry
from report import run_alone
from wheels import locked

FILES = 500
REGISTRY = "registry.example.com/team"
PINS = f'registry = "{REGISTRY}"\n[pins]\nfiles = ["apps/**"]\n'
PYTHON, TYPER = "a start of Python", "a start of Python with typer"
TIMES = {
    "`lock --check`, four profiles": at_most(3.4),
    "`build ml`": at_most(3.4),
    f"`pin --check`, {FILES} files": at_most(8.4),
}
"""CPU over that of a start with typer, at most: 0.2 s and 0.5 s where such a start takes 0.06 s."""


def measure(bench: Bench) -> list[Figure]:
    """Each command in turns, with a start of Python beside them."""
    lock = locked("ml")
    store = lock.fresh(bench.folder / "store")
    root = project(bench.folder / "project")
    write_services(root)
    basestore = Basestore(root, store.root)
    basestore("build", "ml")
    basestore("pin")
    starts = {PYTHON: "", TYPER: "import typer"}
    with registry(bench.folder / "registry") as found:
        commands = {
            "`lock --check`, four profiles": ["lock", "--check"],
            "`build ml`": ["build", "ml"],
            "`push ml`": ["push", "ml", "--to", found.address],
            f"`pin --check`, {FILES} files": ["pin", "--check"],
        }
        for words in commands.values():
            basestore(*words)
        done: dict[str, list[Done]] = {name: [] for name in (*starts, *commands)}
        for _ in range(bench.rounds):
            for name, code in starts.items():
                done[name].append(run([sys.executable, "-c", code], {}))
            for name, words in commands.items():
                done[name].append(basestore(*words))
    cpu = {name: [one.cpu for one in runs] for name, runs in done.items()}
    return [
        figure
        for name, runs in done.items()
        for figure in (
            seconds(name, [one.wall for one in runs]),
            seconds(f"{name}, CPU", cpu[name]),
            *(
                [ratio(f"{name}, CPU over {TYPER}", cpu[name], cpu[TYPER], TIMES[name])]
                if name in TIMES
                else []
            ),
        )
    ]


def write_services(root: Path) -> None:
    """Files of services that name the base ``ml``, and are found by the project."""
    (root / "basestore.toml").write_text(PINS)
    for number in range(FILES):
        file = root / f"apps/svc-{number}" / ("Dockerfile" if number % 2 else "deployment.yaml")
        file.parent.mkdir(parents=True)
        before = "FROM" if number % 2 else "image:"
        file.write_text(f"{before} {REGISTRY}/base-ml:1\n")


MEASUREMENT = Measurement(
    "Nothing to do",
    "Commands that find everything done, whole processes: each lock fresh, the image in the store, "
    "the image in the registry, every reference current. `python tests/bench/nothing.py`",
    measure,
)

if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT))
