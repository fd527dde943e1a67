"""A project in git whose images were built, and whoever proves a change without that store."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from committing import GIT, commit, git
from layers import AMD64, recorded
from locked_project import lock
from wheelmaker import MadeWheel, make_wheel

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.layer.entry import file, folder
from basestore.layer.realise import realise
from basestore.lock.model import Lock, Wheel
from basestore.pipeline.aside import aside
from basestore.pipeline.build import Builder, Built
from basestore.pipeline.documents import Documents
from basestore.pipeline.given import Giver
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.proven import Proofs
from basestore.pipeline.record import build_and_record
from basestore.pipeline.recorded import Records
from basestore.pipeline.since import Since
from basestore.pipeline.then import Then
from basestore.pipeline.verify import Finding
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.recipe.model import FoundationRecipe
from basestore.recipe.plan import plan
from basestore.sources.git import Git
from basestore.state import State
from basestore.store import Store

RUNTIME = """python = "3.11"
platforms = ["linux/amd64"]
requirements = ["alpha", "beta", "gamma"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
CHILD = 'extends = "runtime"\nrequirements = ["delta"]\n'
PROJECT = """[services.api]
base = "runtime"
context = "apps/api"
requirements = ["epsilon"]
entrypoint = ["python", "main.py"]
"""
NAMES = ("runtime", "child", "api")


class NoIndexError(UnreachableError):
    """No index has a wheel."""


@dataclass
class Changing:
    """A project with a base, its child and a service, each wheel in a layer of its own.

    ``store``: the developer's, where everything was built. ``index``: the wheels that can be
    fetched; ``brought``: those that were.
    """

    root: Path
    store: Store
    index: dict[Digest, MadeWheel] = field(default_factory=dict)
    brought: list[str] = field(default_factory=list)

    def wheel(self, name: str, version: str = "1.0", generation: str = "runtime", **how) -> Wheel:
        """A wheel that the index has from now on."""
        made = make_wheel(name, version, **how)
        digest = Digest(made.sha256)
        self.index[digest] = made
        return Wheel(name, version, made.file, len(made.data), digest, generation)

    def lock(self, name: str, *wheels: Wheel) -> None:
        """Lock a profile or service to these wheels."""
        lock(self.root, name, wheels=tuple(sorted(wheels, key=_order)))

    def locked(self, name: str) -> tuple[Wheel, ...]:
        """The wheels of a lock."""
        return read_locked(read_project(self.root), name).parse().platforms[0].wheels

    def relock(self, name: str, *wheels: Wheel) -> None:
        """Lock other versions of packages, or new ones, beside what is locked."""
        kept = {wheel.name: wheel for wheel in self.locked(name)}
        self.lock(name, *{**kept, **{wheel.name: wheel for wheel in wheels}}.values())

    def build(self, *names: str) -> None:
        """Build images in the developer's store, and record them."""
        for name in names:
            self.build_one(name)

    def build_one(self, name: str) -> Built:
        return build_and_record(
            read_project(self.root), self.builder(self.store), name, (), realise
        )

    def builder(self, store: Store) -> Builder:
        def bring(_: LockedProfile, __: Lock, wanted: frozenset[Digest]) -> None:
            for digest in wanted:
                if not store.blobs.has(digest):
                    if digest not in self.index:
                        raise NoIndexError(f"no index has {digest}")
                    store.blobs.add(self.index[digest].data)
                    self.brought.append(self.index[digest].file)

        return Builder(store, bring, Progress(), 1, AMD64)

    def foundation(self) -> FoundationRecipe:
        """The recipe of the lowest layer of all images."""
        runtime = read_locked(read_project(self.root), "runtime").parse()
        found = plan(runtime, runtime.platforms[0])[0]
        assert isinstance(found, FoundationRecipe)
        return found

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    @contextmanager
    def since(self, store: Store, documents: Store | None = None) -> Iterator[Since]:
        """The checks of who has an own store, and the documents of the developer's images."""
        project = read_project(self.root)
        then = Then.of(project, Git(self.root, GIT).revision("HEAD"))
        proofs = Proofs(then, Documents(documents or self.store, lambda _: None))
        self.brought.clear()
        with aside(self.builder(store)) as place:
            yield Since(then, Records.read(project), Giver(project, proofs, place))

    def found(self, store: Store, name: str) -> Mapping[str, Finding]:
        """What is found of a name by its checks; each kind of check once."""
        with self.since(store) as checks:
            findings = checks.findings(name)
        found = {one.check: one for one in findings}
        assert len(found) == len(findings)
        return found


def make_foundation(store: Store, recipe: FoundationRecipe) -> None:
    """Have a foundation's layer in a store, as if its user had made it."""
    recorded(store, recipe, [folder("etc"), file("etc/os-release", b"NAME=none\n"), folder("opt")])


def open_store(folder_: Path) -> Store:
    """The developer's store, and what that user knows of it."""
    return Store.open(folder_ / "store", state=State.open(folder_ / "state" / "basestore"))


def copied(changing: Changing, to: Path) -> Changing:
    """All of it in another folder, to be changed."""
    shutil.copytree(changing.root.parent, to, symlinks=True)
    return Changing(to / "project", open_store(to), dict(changing.index))


def changing_project(folder_: Path) -> Changing:
    """Make it, lock it, build it and commit it."""
    root = folder_ / "project"
    for name in ("profiles", "apps/api"):
        (root / name).mkdir(parents=True)
    changing = Changing(root, open_store(folder_))
    for path, text in (
        ("profiles/runtime.toml", RUNTIME),
        ("profiles/child.toml", CHILD),
        ("basestore.toml", PROJECT),
        ("apps/api/main.py", "print('api')\n"),
    ):
        changing.write(path, text)
    base = [changing.wheel(name) for name in ("alpha", "beta", "gamma")]
    changing.lock("runtime", *base)
    changing.lock("child", *base, changing.wheel("delta", generation="child"))
    changing.lock("api", changing.wheel("epsilon", generation="api"))
    make_foundation(changing.store, changing.foundation())
    changing.build(*NAMES)
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return changing


def _order(wheel: Wheel) -> tuple[bool, str]:
    return (wheel.generation != "runtime", wheel.name)
