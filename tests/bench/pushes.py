"""Our push beside skopeo's of the same layout, each to an empty registry.

python tests/bench/pushes.py [--json] [--rounds 5]
"""

import sys
from pathlib import Path

from command import Basestore, project, run
from figures import Bench, Figure, Measurement, megabytes, ratio, seconds
from loopback import need, registry
from report import run_alone
from wheels import locked


def measure(bench: Bench) -> list[Figure]:
    """Both in turns."""
    skopeo = need("skopeo", "skopeo")
    lock = locked("ml")
    store = lock.fresh(bench.folder / "store")
    basestore = Basestore(project(bench.folder / "project"), store.root)
    basestore("build", "ml")
    layout = bench.folder / "layout"
    basestore("export", "ml", "--to", f"oci:{layout}")
    ours, theirs = [], []
    for number in range(bench.rounds):
        place = bench.folder / f"registry-{number}"
        with registry(place) as found:
            ours.append(basestore("push", "ml", "--to", found.address).wall)
            size = found.size
        with registry(place) as found:
            theirs.append(_skopeo(skopeo, layout, f"docker://{found.address}/base-ml:latest"))
    return [
        megabytes("the image", [size]),
        seconds("`push ml`", ours),
        seconds("`skopeo copy`", theirs),
        ratio("`skopeo copy` / `push ml`", theirs, ours),
    ]


def _skopeo(program: str, layout: Path, to: str) -> float:
    """Copy a layout; how long it took, in seconds."""
    words = [program, "--insecure-policy", "copy", "--all", "--dest-tls-verify=false"]
    return run([*words, f"oci:{layout}", to], {}).wall


MEASUREMENT = Measurement(
    "Pushing",
    "`basestore push ml` from the store, and `skopeo copy` of the OCI layout that "
    "`basestore export` wrote, each to an empty docker-registry on loopback. "
    "`python tests/bench/pushes.py`",
    measure,
)

if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT))
