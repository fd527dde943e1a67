"""The states that commands begin in: what a user has done before, on a small project.

Nothing is resolved for the project's foundation, and its layer is recorded as if it had been made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clicases import WHEELS, command_line_on, make_locked_project, store_of
from commandline import CommandLine
from layers import recorded
from locked_project import edit, make_project
from loopback_index import LoopbackIndex, loopback_index
from wheelmaker import make_wheel

from basestore.layer.entry import folder
from basestore.lock.files import read_lock
from basestore.profile.project import read_project
from basestore.recipe.model import FoundationRecipe
from basestore.recipe.plan import plan
from basestore.store import Store
from basestore.target import Platform

PROFILES = ("runtime", "cpu")
SPARES = 6
"""Blobs, and as many recorded layers, that a collection finds nobody needs."""
REGISTRY = "registry.example.com/team"
SERVICE = f"""registry = "{REGISTRY}"

[pins]
files = ["apps/**", "compose.yaml"]

[services.api]
base = "runtime"
context = "apps/api"
requirements = ["itsdangerous", "redis"]  # the base has the second one already
entrypoint = ["python", "main.py"]
"""
FILES = {
    "basestore.toml": SERVICE,
    "apps/api/main.py": "print('api')\n",
    "apps/api/words.py": "WORDS = 3\n",
    "apps/web/Dockerfile": f"ARG V=v1\nFROM {REGISTRY}/base-runtime:$V\nCOPY . .\n",
    "apps/web/.env": f"BASE={REGISTRY}/base-cpu:v1\n",
    "compose.yaml": f"services:\n  web:\n    image: {REGISTRY}/base-cpu:v1  # kept\n",
}
LACKED = make_wheel("itsdangerous", "2", {"itsdangerous/__init__.py": b"SIGNED = True\n" * 300})


@contextmanager
def index_of_everything() -> Iterator[LoopbackIndex]:
    """An index that has the wheels of the bases and of the service."""
    with loopback_index(*WHEELS, LACKED) as index:
        yield index


def pretended(run: CommandLine, _: LoopbackIndex) -> None:
    """Two bases, with locks that pretend to be."""
    run.folder.mkdir()
    make_project(run.folder)


def locked(run: CommandLine, _: LoopbackIndex) -> None:
    """The bases locked, and of their layers the foundation's only, which no .deb goes into."""
    make_locked_project(run.folder)
    store = store_of(run)
    keep_foundations(run.folder, store)
    store.lease.release()


def built(run: CommandLine, index: LoopbackIndex) -> None:
    """The bases locked and built."""
    locked(run, index)
    _with(run, index)("build").expect(0)


def crowded(run: CommandLine, index: LoopbackIndex) -> None:
    """The same, and much that nobody needs."""
    built(run, index)
    store = store_of(run)
    for number in range(SPARES):
        store.blobs.add(f"spare {number}".encode())
        recipe = FoundationRecipe(Platform("amd64"), f"3.11.{number + 50}", ())
        recorded(store, recipe, [folder("etc"), folder(f"spare{number}")])
    store.lease.release()


def served(run: CommandLine, index: LoopbackIndex) -> None:
    """The bases built, a service without a lock, and files that refer to the bases."""
    built(run, index)
    for file, text in FILES.items():
        path = run.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def service_locked(run: CommandLine, index: LoopbackIndex) -> None:
    """The service locked too."""
    served(run, index)
    edit(run.folder / "basestore.toml", ', "redis"', "")
    _with(run, index)("lock", "api").expect(0)


def service_built(run: CommandLine, index: LoopbackIndex) -> None:
    """The service built too."""
    service_locked(run, index)
    _with(run, index)("build", "api").expect(0)


def damaged(run: CommandLine, index: LoopbackIndex) -> None:
    """All that was built, and damage of every kind to what can be made or fetched again."""
    service_built(run, index)
    root = _store(run)
    for path in sorted((root / "blobs" / "sha256").glob("*/*"))[::3]:
        if not _is_of_foundation(run, path):
            _replace(path, path.read_bytes()[:-1] + b"?")
    for kind in ("layers", "recipes"):
        for path in sorted((root / kind).glob("*/*.json"))[::4]:
            if not _is_of_foundation(run, path):
                _replace(path, b"{")


def keep_foundations(root: Path, store: Store) -> None:
    """Record the lowest layer of each lock, as if it had been made of .debs."""
    for recipe in _foundations(root):
        recorded(store, recipe, [folder("etc"), folder("opt")])


def _foundations(root: Path) -> Iterator[FoundationRecipe]:
    for name in PROFILES:
        lock, _ = read_lock(read_project(root), name)
        lowest = plan(lock, lock.platforms[0])[0]
        assert isinstance(lowest, FoundationRecipe)
        yield lowest


def _is_of_foundation(run: CommandLine, path: Path) -> bool:
    """Whether a file of the store is, or belongs to, a layer that can't be made again here."""
    store = Store.look(_store(run))
    for recipe in _foundations(run.folder):
        layer = store.realisations.claimed(recipe.digest)
        assert layer is not None
        mine = (recipe.digest, layer.layer, *layer.needs)
        if path.name.removesuffix(".json") in {digest.hex for digest in mine}:
            return True
    return False


def _replace(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def _store(run: CommandLine) -> Path:
    return Path(run.environ["BASESTORE_STORE"])


def _with(run: CommandLine, index: LoopbackIndex) -> CommandLine:
    return command_line_on(run.folder, index)
