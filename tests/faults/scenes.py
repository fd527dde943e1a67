"""Scenes: a small project in the state just before a command, and what the command must give.

A scene is made once, kept beside, and put back in its place before each trial, because a store
knows its projects by their paths. Nothing of it needs a network: the index, and the registry, are
on loopback.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clicases import command_line_on
from commandline import CommandLine, Done
from faults import prepare
from faults.prepare import keep_foundations
from loopback_index import LoopbackIndex
from loopback_registry import LoopbackRegistry, loopback_registry

__all__ = ["NAMES", "Result", "Scene", "keep_foundations", "scenes", "wrong_blobs"]

LOCK = ("lock", *(f"--upgrade-package={name}" for name in ("redis", "httpx", "orjson", "torch")))
OUT = "out"
"""The folder in the project that exports go to."""
_TEMPORARY = re.compile(r"(^|.*/)\.[^/]+-[a-z0-9_]{8}\.basestore(/|$)")
_WHEN = re.compile(rb"^resolved = .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Play:
    """What a scene begins with, and its command. ``{out}`` and ``{registry}`` are filled in.

    ``settle``: the command that shows afterwards that nothing is lost; empty for none. ``refuses``:
    what it says where it has been done, if it isn't done twice. ``leaves``: what it says, with exit
    code 5, where it could not do all that it is for and tells the reasons.
    """

    prepare: Callable[[CommandLine, LoopbackIndex], None]
    words: Sequence[str]
    settle: Sequence[str] = ()
    refuses: str = ""
    leaves: str = ""


PLAYS: Mapping[str, Play] = {
    "lock": Play(prepare.pretended, LOCK),
    "lock-service": Play(prepare.served, ("lock", "api")),
    "lock-fix": Play(prepare.served, ("lock", "--fix", "api")),
    "build": Play(prepare.locked, ("build",)),
    "build-service": Play(prepare.service_locked, ("build", "api")),
    "rebuild": Play(prepare.service_built, ("build", "--rebuild", "api")),
    "push": Play(prepare.built, ("push", "--to", "{registry}")),
    "push-service": Play(prepare.service_built, ("push", "api", "--to", "{registry}")),
    "export-oci": Play(prepare.built, ("export", "cpu", "--to", "oci:{out}/oci")),
    "export-archive": Play(
        prepare.built,
        ("export", "cpu", "--to", "docker-archive:{out}/a.tar"),
        refuses="a.tar is there already",
    ),
    "export-rootfs": Play(
        prepare.built,
        ("export", "cpu", "--to", "rootfs:{out}/rootfs"),
        refuses="rootfs is not empty",
    ),
    "export-pylock": Play(
        prepare.built,
        ("export", "cpu", "--to", "pylock:{out}/pylock.toml"),
        refuses="pylock.toml is there already",
    ),
    "pin": Play(prepare.served, ("pin",)),
    "dockerfile": Play(prepare.service_built, ("dockerfile", "api", "--write")),
    "gc": Play(prepare.crowded, ("store", "gc"), ("build",)),
    "repair": Play(
        prepare.damaged,
        ("store", "verify", "--repair"),
        ("build",),
        leaves="what could not be brought back",
    ),
}
NAMES = tuple(PLAYS)

WHOLE = {f"{OUT}/rootfs/": f"{OUT}/rootfs/", f"{OUT}/oci/": f"{OUT}/oci/index.json"}
"""Folders of which all is there as soon as something is that begins like this."""


@dataclass(frozen=True)
class Result:
    """What a command leaves for others: the project's files, and the registry's tags.

    Of an origin all but when it was resolved; of a link what it points to.
    """

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

    def settle(self) -> None:
        """After a collection, say, all must be there still: a build finds it."""
        if words := PLAYS[self.name].settle:
            self.run(*words).expect(0)

    def says_left(self, err: str) -> bool:
        """Whether the command tells that it could not do all."""
        leaves = PLAYS[self.name].leaves
        return bool(leaves) and leaves in err and "warning: " in err

    def says_done(self, done: Done) -> bool:
        """Whether the command refuses to do again what is done."""
        refuses = PLAYS[self.name].refuses
        return bool(refuses) and refuses in done.err

    def result(self) -> Result:
        """What there is now."""
        paths = {str(path.relative_to(self.project)): path for path in self.project.rglob("*")}
        return Result(
            {
                name: _content(path)
                for name, path in paths.items()
                if not _TEMPORARY.match(name) and (path.is_symlink() or path.is_file())
            },
            {name: frozenset(tags) for name, tags in self.registry.manifests.items() if tags},
        )


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return bytes(path.readlink())
    data = path.read_bytes()
    return _WHEN.sub(b"", data) if path.name.endswith(".origin.toml") else data


@contextmanager
def scenes(work: Path, *names: str) -> Iterator[Sequence[Scene]]:
    """The scenes of these names, or all of them, while a block lasts."""
    place = work / "trial"
    with prepare.index_of_everything() as index, loopback_registry() as registry:

        def scene(name: str) -> Scene:
            play = PLAYS[name]
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            play.prepare(command_line_on(place / "project"), index)
            run = command_line_on(place / "project", index)
            (place / "tmp").mkdir()
            state = work / name
            shutil.copytree(place, state, symlinks=True)
            environ = {**run.environ, "TMPDIR": str(place / "tmp")}
            known = {"registry": registry.address, "out": place / "project" / OUT}
            words = [word.format_map(known) for word in play.words]
            return Scene(name, words, place, state, CommandLine(run.folder, environ), registry)

        yield [scene(name) for name in names or NAMES]


def wrong_blobs(store: Path) -> list[Path]:
    """The blobs of a store that are not what their names say, hashed without the store's code."""
    blobs = (store / "blobs" / "sha256").glob("*/*")
    return [path for path in blobs if hashlib.sha256(path.read_bytes()).hexdigest() != path.name]
