"""What a mutation is: one change of a copy of the world, and the check that has to find it."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from commandline import CommandLine, Done
from committing import git
from mutations.world import World, copy_store, copy_tree

if TYPE_CHECKING:
    from mutations.engines import Engine

_TELLS = re.compile(r"^.*: NOT .*\n.*|^.*: stale.*|^  FAIL.*|^.*damage.*", re.MULTILINE)
"""What a check says on standard output of what is not well."""


class Check(Enum):
    """Who has to find a change. ``RECIPE`` is what CI runs on every change."""

    RECIPE = "lock --check --resolve --since, verify --since"
    STORE = "store verify"
    DEEP = "store verify --deep"
    REGISTRY = "verify --registry"
    CONTENT = "verify --registry --content"
    PUSH = "push"
    ENGINE = "verify --engine"
    NOBODY = "nothing: it is harmless"


@dataclass
class Copy:
    """A copy of the world for one mutation. ``registry``: the address of its registry.

    ``own_store``: whether store and memory are copies, too, and not the world's own. ``blobs``:
    archives that only a forger has, by digest.
    """

    world: World
    folder: Path
    registry: str
    own_store: bool = False
    blobs: dict[str, bytes] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    engine: "Engine | None" = None

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.folder / "project"

    @property
    def store(self) -> Path:
        """The store."""
        return self.folder / "store" if self.own_store else self.world.store

    @property
    def run(self) -> CommandLine:
        """The command line on the copy, as somebody who has seen nothing of it before."""
        own = {
            "BASESTORE_STORE": str(self.store),
            "XDG_STATE_HOME": str(self.folder / "state"),
            **self.extra,
        }
        return CommandLine(self.root, {**self.world.environ, **own})

    def path(self, file: str) -> Path:
        """A file of the project."""
        return self.root / file

    def text(self, file: str) -> str:
        """A file's text."""
        return self.path(file).read_text()

    def write(self, file: str, text: str) -> None:
        """Write a file of the project."""
        self.path(file).parent.mkdir(parents=True, exist_ok=True)
        self.path(file).write_text(text)

    def edit(self, file: str, old: str, new: str, count: int = 1) -> None:
        """Replace a text that a file holds."""
        text = self.text(file)
        assert old in text, f"{file} has no {old!r}"
        self.write(file, text.replace(old, new, count))

    def commit(self) -> None:
        """Commit the change."""
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "--allow-empty", "-m", "a change")


Change = Callable[[Copy], None]
Serve = Callable[[Copy], AbstractContextManager[object]]


@dataclass(frozen=True)
class Mutation:
    """A change. ``name``: ``KIND/WHAT``. ``said``: what it does, for people.

    ``codes``: exit codes that count as found. ``serve``: what has to run meanwhile, on the copy.
    """

    name: str
    said: str
    change: Change
    check: Check = Check.RECIPE
    codes: frozenset[int] = frozenset({3, 4, 5, 7, 8})
    serve: Serve | None = None

    @property
    def kind(self) -> str:
        """What is changed."""
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Result:
    """What came of one. ``by``: the command that ended it, ``code`` and ``said`` what came of it.

    ``made``: how many layers were made meanwhile, ``allowed`` how many are new. ``wrong``: why it
    fails; empty where it is as it should be.
    """

    mutation: Mutation
    by: str
    code: int
    said: str
    seconds: float
    made: int = 0
    wrong: str = ""


def copy_of(world: World, folder: Path, own_store: bool) -> Copy:
    """A new copy; with the store, and what its builder remembers, where a mutation changes that."""
    copy_tree(world.project, folder / "project")
    if own_store:
        copy_store(world.store, folder / "store")
        copy_tree(world.state, folder / "state")
    return Copy(world, folder, world.registry.address, own_store)


def first_line(done: Done) -> str:
    """What a command said was wrong."""
    for line in done.err.splitlines():
        if line.startswith("error: "):
            return line.removeprefix("error: ")
    found = _TELLS.search(done.out)
    return " ".join((found[0] if found else done.out).split())
