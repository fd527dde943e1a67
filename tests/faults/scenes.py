"""Scenes: a small project in the state just before a command, and what the command must give.

A scene is made once, kept beside, and put back in its place before each trial, because a store
knows its projects by their paths. Nothing of it needs a network: the index, and the registry, are
on loopback.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clicases import command_line_on, index_of_wheels, make_locked_project
from commandline import CommandLine
from layers import recorded
from locked_project import make_project
from loopback_registry import LoopbackRegistry, loopback_registry

from basestore.layer.entry import folder
from basestore.lock.files import read_lock
from basestore.profile.project import read_project
from basestore.recipe.model import FoundationRecipe
from basestore.recipe.plan import plan
from basestore.store import Store
from basestore.target import Platform

PROFILES = ("runtime", "cpu")
PRETENDED = ("redis", "httpx", "orjson", "torch")
LOCK = ("lock", *(f"--upgrade-package={name}" for name in PRETENDED))
SPARES = 6
"""Blobs, and as many recorded layers, that a collection finds nobody needs."""


@dataclass(frozen=True)
class Result:
    """What a command leaves for others: the locks, the images' digests, the registry's tags."""

    files: Mapping[str, bytes]
    tags: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Scene:
    """A command, and the place it runs in. ``state``: the place as it was before."""

    name: str
    words: Sequence[str]
    place: Path
    state: Path
    run: CommandLine
    registry: LoopbackRegistry

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.place / "project"

    @property
    def store(self) -> Path:
        """The store's folder."""
        return Path(self.run.environ["BASESTORE_STORE"])

    def restore(self) -> None:
        """Put everything back to before the command."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.state, self.place, symlinks=True)
        self.registry.blobs.clear()
        self.registry.manifests.clear()

    def result(self) -> Result:
        """What there is now."""
        locks = self.project / "locks"
        files = [*locks.glob("*.lock"), *locks.glob("images.toml")]
        return Result(
            {file.name: file.read_bytes() for file in files},
            {name: frozenset(tags) for name, tags in self.registry.manifests.items() if tags},
        )


@contextmanager
def scenes(work: Path, *names: str) -> Iterator[Sequence[Scene]]:
    """The scenes of `lock`, `build`, `push` and `gc`, or some of them, while a block lasts."""
    place = work / "trial"
    with index_of_wheels() as index, loopback_registry() as registry:

        def scene(name: str, words: Sequence[str], prepare: Callable[[CommandLine], None]) -> Scene:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            prepare(command_line_on(place / "project"))
            run = command_line_on(place / "project", index)
            (place / "tmp").mkdir()
            state = work / name
            shutil.copytree(place, state, symlinks=True)
            environ = {**run.environ, "TMPDIR": str(place / "tmp")}
            return Scene(name, words, place, state, CommandLine(run.folder, environ), registry)

        def built(run: CommandLine) -> None:
            _locked(run)
            mirrors = {"BASESTORE_MIRROR_DEFAULT": index.url}
            CommandLine(run.folder, {**run.environ, **mirrors})("build").expect(0)

        def crowded(run: CommandLine) -> None:
            built(run)
            _spare(Store.open(Path(run.environ["BASESTORE_STORE"])))

        known: Mapping[str, tuple[Sequence[str], Callable[[CommandLine], None]]] = {
            "lock": (LOCK, _pretended),
            "build": (("build",), _locked),
            "push": (("push", "--to", registry.address), built),
            "gc": (("store", "gc"), crowded),
        }
        yield [scene(name, *known[name]) for name in names or known]


def _pretended(run: CommandLine) -> None:
    run.folder.mkdir()
    make_project(run.folder)


def _locked(run: CommandLine) -> None:
    """A locked project, and of its layers the foundation's only, which no .deb goes into."""
    make_locked_project(run.folder)
    store = Store.open(Path(run.environ["BASESTORE_STORE"]))
    keep_foundations(run.folder, store)
    store.lease.release()


def keep_foundations(root: Path, store: Store) -> None:
    """Record the lowest layer of each lock, as if it had been made of .debs."""
    for name in PROFILES:
        lock, _ = read_lock(read_project(root), name)
        lowest = plan(lock, lock.platforms[0])[0]
        assert isinstance(lowest, FoundationRecipe)
        recorded(store, lowest, [folder("etc"), folder("opt")])


def _spare(store: Store) -> None:
    for number in range(SPARES):
        store.blobs.add(f"spare {number}".encode())
        recipe = FoundationRecipe(Platform("amd64"), f"3.11.{number + 50}", ())
        recorded(store, recipe, [folder("etc"), folder(f"spare{number}")])
    store.lease.release()


def wrong_blobs(store: Path) -> list[Path]:
    """The blobs of a store that are not what their names say, hashed without the store's code."""

    blobs = (store / "blobs" / "sha256").glob("*/*")
    return [path for path in blobs if hashlib.sha256(path.read_bytes()).hexdigest() != path.name]
