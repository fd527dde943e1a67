"""The worked example `docs/examples/team`: two bases, three services, built once a test run.

Its bases hold wheels of the project's own family, so the family's store has most of their layers.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from built_project import BuiltProject, build_once, read_lock, with_retries
from commandline import CommandLine, Done
from family_base import torch_mirror
from runtime_base import PROJECT, command_line

from basestore.target import Platform

EXAMPLE = PROJECT / "docs/examples/team"
REGISTRY = "127.0.0.1:5000/team"
BASES = ("ml", "runtime")
SERVICES = ("svc-api", "svc-documents", "svc-indexer")
AMD64 = Platform("amd64")
BASE_OF = {"svc-api": "runtime", "svc-documents": "ml", "svc-indexer": "ml"}


@dataclass(frozen=True)
class Team(BuiltProject):
    """A copy of the example."""

    def copy(self, place: Path, registry: str = REGISTRY) -> "Checkout":
        """A copy of the project whose registry is another one, with the same store."""
        shutil.copytree(self.project, place)
        for file in (path for path in place.rglob("*") if path.is_file()):
            with suppress(UnicodeDecodeError):
                text = file.read_text()
                if REGISTRY in text:
                    file.write_text(text.replace(REGISTRY, registry))
        return Checkout(command_line(place, self.store), registry)


@dataclass(frozen=True)
class Checkout:
    """Somebody's copy of the example, to edit."""

    basestore: CommandLine
    registry: str

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.basestore.folder

    def run(self, *words: str) -> Done:
        """Run basestore to a good end."""
        return self.basestore(*words).expect(0)

    def lock(self, *names: str) -> Done:
        """Lock, with the network."""
        with torch_mirror() as mirror:
            return with_retries(partial(self.basestore, **mirror), "lock", *names)

    def build(self, name: str) -> Any:
        """What `build --json` prints of an image."""
        done = with_retries(self.basestore, "build", "--json", name).expect(0)
        return next(image for image in done.json["images"] if image["profile"] == name)

    def push(self, name: str) -> Any:
        """What `push --json` prints of an image."""
        return next(
            one for one in self.run("push", "--json", name).json["pushed"] if one["profile"] == name
        )

    def replace(self, file: str, old: str, new: str) -> None:
        """Edit a file, which holds the text."""
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


def make_team(store: Path, folder: Path) -> Team:
    """Build the example from its committed locks, without what is recorded of its images."""
    team = Team(folder, store)
    shutil.copytree(EXAMPLE, team.project)
    for record in ("images", "services"):
        (team.project / f"locks/{record}.toml").unlink()
    with torch_mirror() as mirror:
        run = partial(command_line(team.project, store), **mirror)
        build_once(folder, run, BASES, SERVICES)
    return team


def layers(image: Any) -> list[str]:
    """The digests of an image's layers on its one platform, the lowest first."""
    (platform,) = image["platforms"]
    return [layer["digest"] for layer in platform["layers"]]


def installed(project: Path, service: str) -> list[str]:
    """What the locks say a service's image has installed."""
    locks = [read_lock(project, name) for name in (BASE_OF[service], service)]
    wheels = [wheel for lock in locks for wheel in lock.platform(AMD64).wheels]
    return sorted(f"{wheel.name}=={wheel.version}" for wheel in wheels)


def sample(name: str) -> bytes:
    """A PDF of the example."""
    return (EXAMPLE / f"samples/{name}.pdf").read_bytes()
