"""`docker build` with pip or uv and `docker push`, beside our build and push, from the same wheels.

python tests/bench/peers.py [--json] [--rounds 1]
"""

import io
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path
from typing import IO

from cold import build_cold, built, with_foundation
from command import Basestore, project, run
from figures import Bench, Bound, Figure, Measurement, at_least, megabytes, ratio, seconds
from loopback import Engine, engine, registry
from report import run_alone
from uv import find_uv_bin
from wheels import Locked, locked, runner

from basestore.layer.realise import Workshop, realise
from basestore.store import Store

BASE = """\
FROM foundation
COPY uv /usr/local/bin/uv
COPY site-packages /opt/venv/lib/{python}/site-packages
RUN python -m compileall -q /opt/venv/lib/{python}/site-packages
"""

INSTALL = """\
FROM {base}
RUN --mount=type=bind,from=wheels,target=/wheels {command}
"""

PIP = "python -m pip install --no-index --no-deps --no-cache-dir --find-links /wheels"
UV = "uv pip install --python /opt/venv/bin/python --no-index --no-deps --offline --no-cache"
REQUIREMENTS = "-r /wheels/requirements.txt"


Write = Callable[[IO[bytes]], None]
"""Writes a tar archive to a file."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to install wheels in a Dockerfile. ``bound``: how much faster we have to be."""

    name: str
    command: str
    bound: Bound | None = None


PEERS = (
    Peer("pip", f"{PIP} {REQUIREMENTS}", at_least(20)),
    Peer("pip --no-compile", f"{PIP} --no-compile {REQUIREMENTS}"),
    Peer("uv", f"{UV} --find-links /wheels {REQUIREMENTS}", at_least(8)),
    Peer("uv --compile-bytecode", f"{UV} --compile-bytecode --find-links /wheels {REQUIREMENTS}"),
)
"""Each with its own defaults first, which is what the bounds are about."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Seconds of building and of pushing, and the bytes that the registry has of it."""

    build: float
    push: float
    size: int

    @property
    def both(self) -> float:
        """Seconds until the image is in the registry."""
        return self.build + self.push


Turn = tuple[Peer, Pushed]
"""Whose turn it was, and what came of it."""


def measure(bench: Bench) -> list[Figure]:
    """Each peer in each round, and we before and after each of them."""
    lock = locked("ml")
    folder = project(bench.folder / "project")
    warm = built(lock, folder, lock.fresh(bench.folder / "warm"))
    ours, whole, turns = [], [], []
    with engine(bench.folder / "engine") as docker:
        environ = lock.lock.image.env
        import_image(docker, "foundation", environ, partial(write_foundation, lock, warm))
        import_image(docker, "wheels", (), partial(write_wheels, lock))
        _make_base(docker, bench.folder / "context", lock.platform.python)
        for peer in PEERS * bench.rounds:
            ours.append(_we(lock, folder, with_foundation(lock, warm, bench.folder / "cold")))
            whole.append(_we(lock, folder, lock.fresh(bench.folder / "cold")))
            turns.append((peer, _they(docker, peer, bench.folder)))
        ours.append(_we(lock, folder, with_foundation(lock, warm, bench.folder / "cold")))
    beside = [(before.both + after.both) / 2 for before, after in pairwise(ours)]
    return [
        *_timed("basestore", ours),
        *_timed("basestore, the foundation too", whole),
        *(figure for peer in PEERS for figure in _timed(peer.name, _of(peer, turns))),
        *(_times(peer, turns, beside) for peer in PEERS),
    ]


def _of(peer: Peer, turns: Sequence[Turn]) -> list[Pushed]:
    return [pushed for whose, pushed in turns if whose is peer]


def _timed(name: str, runs: Sequence[Pushed]) -> list[Figure]:
    return [
        seconds(f"{name}: build", [one.build for one in runs]),
        seconds(f"{name}: push", [one.push for one in runs]),
        seconds(f"{name}: both", [one.both for one in runs]),
        megabytes(f"{name}: in the registry", [one.size for one in runs]),
    ]


def _times(peer: Peer, turns: Sequence[Turn], beside: Sequence[float]) -> Figure:
    """How much longer a peer takes until the image is in the registry than we before and after."""
    ours = [time for time, (whose, _) in zip(beside, turns, strict=True) if whose is peer]
    theirs = [pushed.both for pushed in _of(peer, turns)]
    return ratio(f"{peer.name} / basestore", theirs, ours, peer.bound)


# --- a round


def _we(lock: Locked, folder: Path, store: Store) -> Pushed:
    """Build into a store, which goes afterwards, and push everything to an empty registry."""
    build = build_cold(lock, folder, store)
    with registry(store.root / "registry") as found:
        push = Basestore(folder, store.root)("push", lock.name, "--to", found.address).wall
        size = found.size
    shutil.rmtree(store.root)
    return Pushed(build, push, size)


def _they(docker: Engine, peer: Peer, work: Path) -> Pushed:
    """Build on the base, and push to a registry that has the base."""
    with registry(work / "registry") as found:
        image = f"{found.address}/base"
        _push_base(docker, image)
        text = INSTALL.format(base=f"{image}:base", command=peer.command)
        build = _build(docker, text, f"{image}:made", work / "empty")
        push = docker("push", f"{image}:made").wall
        size = found.size
        docker("image", "rm", "--force", f"{image}:made", f"{image}:base")
    return Pushed(build, push, size)


def _push_base(docker: Engine, image: str) -> None:
    docker("tag", "base", f"{image}:base")
    docker("push", f"{image}:base")


def _build(docker: Engine, text: str, tag: str, context: Path) -> float:
    """Build a Dockerfile without cache and network; how long it took, in seconds."""
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(text)
    return docker("build", "--no-cache", "--network", "none", "--tag", tag, str(context)).wall


# --- what the engine begins with


def _make_base(docker: Engine, context: Path, python: str) -> None:
    """The foundation with pip and uv in it, their bytecode compiled."""
    context.mkdir()
    shutil.copy(find_uv_bin(), context / "uv")
    copy_pip(context / "site-packages")
    _build(docker, BASE.format(python=f"python{python.rpartition('.')[0]}"), "base", context)


def copy_pip(to: Path) -> None:
    """Copy this environment's pip, without its bytecode, into a folder of packages."""
    pip = distribution("pip")
    for file in pip.files or ():
        if file.parts[0].startswith("pip") and file.suffix != ".pyc":
            place = to / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(pip.locate_file(file)), place)


def import_image(
    docker: Engine, image: str, env: Sequence[str], write: Callable[[IO[bytes]], None]
) -> None:
    """Make an image of an archive that ``write`` writes."""
    changes = [word for line in env for word in ("--change", f"ENV {line}")]
    with tempfile.TemporaryFile() as archive:
        write(archive)
        archive.seek(0)
        run(docker.words("import", *changes, "-", image), docker.environ, archive)


def write_foundation(lock: Locked, warm: Store, archive: IO[bytes]) -> None:
    """The layer of the foundation, as our image has it."""
    made = realise(lock.recipes[0], Workshop(warm, runner(lock.platform)))  # it is recorded
    archive.writelines(warm.layer_stream(made))


def write_wheels(lock: Locked, archive: IO[bytes]) -> None:
    """The wheels, and a list of them for pip and uv."""
    pins = "".join(f"{wheel.name}=={wheel.version}\n" for wheel in lock.platform.wheels).encode()
    with tarfile.open(fileobj=archive, mode="w") as made:
        for wheel, path in zip(lock.platform.wheels, lock.wheels, strict=True):
            made.add(path, wheel.file)
        requirements = tarfile.TarInfo("requirements.txt")
        requirements.size = len(pins)
        made.addfile(requirements, io.BytesIO(pins))


MEASUREMENT = Measurement(
    "Beside `docker build`",
    "ml from the same fetched wheels, offline, until it is in a docker-registry on loopback. "
    "Theirs: `docker build --no-cache` (BuildKit) on a base that has our foundation, pip and uv, "
    "installing with `--no-index --no-deps --find-links` from wheels that an image holds for the "
    "engine (a bind mount: nothing is sent or copied), and `docker push` to a registry that has "
    "that base already. Ours, before and after each of them: `basestore build ml` into a store "
    "that has of all layers only the foundation's, and `basestore push ml` of everything to an "
    "empty registry; and once more with the foundation's layer to be made too. pip compiles "
    "bytecode by default, uv doesn't; ours holds none for wheels. `python tests/bench/peers.py`",
    measure,
    rounds=1,
)

if __name__ == "__main__":
    sys.exit(run_alone(MEASUREMENT))
