"""A copy of a project, built from its committed locks once a test run and shared by its workers."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from commandline import Done

from basestore.lock.codec import parse
from basestore.lock.model import Lock

TRIES = 3
RELOCKED = "relocked"
"""The file beside a project that says that its foundation was locked anew."""


@dataclass(frozen=True)
class BuiltProject:
    """A folder with a copy of a project, built into a store."""

    folder: Path
    store: Path

    @property
    def project(self) -> Path:
        """The project; tests only read it."""
        return self.folder / "project"

    @property
    def built(self) -> dict[str, Any]:
        """What `build --json` printed of each image, by name."""
        images = json.loads((self.folder / "built.json").read_text())["images"]
        return {image["profile"]: image for image in images}

    def lock(self, name: str) -> Lock:
        """The lock of a profile or a service."""
        return read_lock(self.project, name)


def records_of(built: Path, project: Path, names: Sequence[str]) -> Path:
    """The folder of the records that what was built is held to: the project's own.

    Where a .deb is gone from Debian's archive, the copy that was built is locked anew, in its .debs
    and nothing else; its own records count then.
    """
    there, here = ([read_lock(root, name) for name in names] for root in (project, built))
    if not (built.parent / RELOCKED).exists():
        assert here == there
        return project / "locks"
    assert [without_debs(lock) for lock in here] == [without_debs(lock) for lock in there]
    return built / "locks"


def without_debs(lock: Lock) -> Lock:
    """What a lock has besides its .debs."""
    return replace(lock, platforms=tuple(replace(one, debs=()) for one in lock.platforms))


def read_lock(project: Path, name: str) -> Lock:
    """A lock of a project."""
    file = f"locks/{name}.lock"
    return parse((project / file).read_bytes(), file)


def build_once(
    folder: Path, run: Callable[..., Done], profiles: Sequence[str], services: Sequence[str] = ()
) -> None:
    """Build all, and keep what `build --json` printed in ``built.json``.

    Debian's archive drops superseded packages: where it has, go on with what it has today.
    """
    names = (*profiles, *services)
    done = with_retries(run, "build", "--json", *names)
    if done.code == 6 and "--upgrade-foundation" in done.err:
        print(f"{done.err}locking the foundation anew, in {folder}", file=sys.stderr)
        (folder / RELOCKED).write_text(done.err)
        with_retries(run, "lock", "--upgrade-foundation", *profiles).expect(0)
        if services:
            with_retries(run, "lock", *services).expect(0)
        done = with_retries(run, "build", "--json", *names)
    (folder / "built.json").write_text(done.expect(0).out)


def with_retries(basestore: Callable[..., Done], *words: str) -> Done:
    """Run a command that needs the network; one that doesn't answer gets three chances."""
    for _ in range(TRIES - 1):
        done = basestore(*words)
        if done.code != 6 or "--upgrade-foundation" in done.err:
            return done
    return basestore(*words)
