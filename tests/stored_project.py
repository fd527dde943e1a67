"""A project whose image was really built into a store, all but its foundation's packages."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from layers import AMD64, keep, recorded
from locked_project import RUNTIME, lock, make_project
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.layer.entry import Entry, folder
from basestore.layer.realise import realise
from basestore.lock.model import Lock
from basestore.pipeline.build import Builder, Built
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.record import build_and_record
from basestore.profile.model import Project
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.recipe.model import FoundationRecipe
from basestore.recipe.plan import plan
from basestore.store import Store


class NoIndexError(UnreachableError):
    """No index has a wheel."""


@dataclass(frozen=True)
class StoredProject:
    """A project with one locked profile, ``runtime``; ``index``: the wheels that can be fetched."""

    root: Path
    store: Store
    index: Mapping[Digest, bytes]

    def bring(self, _: LockedProfile, __: Lock, wanted: frozenset[Digest]) -> None:
        """Fetch wheels."""
        for digest in wanted:
            if not self.store.blobs.has(digest):
                if digest not in self.index:
                    raise NoIndexError(f"no index has {digest}")
                self.store.blobs.add(self.index[digest])

    def open(self, root: Path) -> tuple[Project, Builder]:
        """What a repair asks for."""
        return read_project(root), Builder(self.store, self.bring, Progress(), 1, AMD64)

    def build(self) -> Built:
        """Build and record the image."""
        project, builder = self.open(self.root)
        return build_and_record(project, builder, "runtime", (), realise)

    def foundation(self) -> FoundationRecipe:
        """The recipe of the lowest layer."""
        locked = read_locked(read_project(self.root), "runtime").parse()
        found = plan(locked, locked.platforms[0])[0]
        assert isinstance(found, FoundationRecipe)
        return found


def stored_project(folder_: Path, store: Store, wheels: int = 3) -> StoredProject:
    """Make it, lock it, build it, and register it with the store."""
    root = folder_ / "project"
    root.mkdir(parents=True)
    make_project(root)
    asked = ", ".join(f'"demo{n}"' for n in range(wheels))
    profile = RUNTIME.replace('"redis", "httpx"', asked)
    (root / "profiles" / "runtime.toml").write_text(
        profile.replace('requirements-files = ["base.txt"]\n', "")
    )
    (root / "profiles" / "cpu.toml").unlink()
    for file in ("cpu.lock", "cpu.origin.toml"):
        (root / "locks" / file).unlink()
    made = [
        make_wheel(f"demo{n}", files={f"demo{n}/__init__.py": f"x = {n}\n".encode() * 50})
        for n in range(wheels)
    ]
    project = StoredProject(root, store, {Digest(one.sha256): one.data for one in made})
    lock(
        root,
        "runtime",
        wheels=tuple(sorted((keep(store, one) for one in made), key=lambda one: one.name)),
    )
    recorded(store, project.foundation(), _foundation())
    project.build()
    store.register(root)
    return project


def _foundation() -> list[Entry]:
    return [folder("etc"), folder("opt")]
