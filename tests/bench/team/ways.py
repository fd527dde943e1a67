"""Three ways to make a team's images: all in one, on a shared base by Docker, and basestore's."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.team.monorepo import DOCKERFILE, INSTALLED, Monorepo
from command import Basestore
from loopback import Engine

FOUNDATION = "foundation-with-pip"
"""What Docker's images begin with: our foundation's layer, and pip."""


class Way(Protocol):
    """A way to make images, in a checkout of its own, for a registry of its own."""

    @property
    def repo(self) -> Monorepo:
        """The checkout, which changes between its builds."""

    @property
    def has_bases(self) -> bool:
        """Whether there are images of bases to make before the services'."""

    def build(self, image: str) -> float:
        """Build a base or a service; how long it took, in seconds."""

    def push(self, image: str) -> float:
        """Push what was built last; how long it took, in seconds."""

    def kept(self) -> int:
        """The bytes that the machine which builds keeps on its disk."""


@dataclass(frozen=True, slots=True)
class Docker:
    """Images by `docker build`, with the cache of an engine, and `docker push`.

    ``data``: the engine's folder. ``options``: pip's, besides.
    """

    engine: Engine
    data: Path
    address: str
    options: str

    def reference(self, image: str) -> str:
        """Where an image is pushed to."""
        return f"{self.address}/team/{image}:latest"

    def build(self, image: str, below: str, pins: Sequence[str], context: Path) -> float:
        """Build a context's Dockerfile, which installs pins, on another image."""
        (context / "requirements.txt").write_text("".join(f"{pin}\n" for pin in pins))
        words = ["--network", "none", "--build-arg", f"BASE={below}"]
        words += ["--build-arg", f"PIP_OPTIONS={self.options}"]
        return self.engine("build", *words, "--tag", self.reference(image), str(context)).wall

    def push(self, image: str) -> float:
        """Push an image."""
        return self.engine("push", self.reference(image)).wall


@dataclass(frozen=True, slots=True)
class AllInOne:
    """Each service's Dockerfile installs everything on the foundation."""

    repo: Monorepo
    docker: Docker

    @property
    def has_bases(self) -> bool:
        return False

    def build(self, image: str) -> float:
        pins = [*self.repo.pins(self.repo.lock(image).base), *self.repo.pins(image)]
        context = self.repo.context(image)
        (context / "Dockerfile").write_text(DOCKERFILE)
        return self.docker.build(image, FOUNDATION, pins, context)

    def push(self, image: str) -> float:
        return self.docker.push(image)

    def kept(self) -> int:
        return du(self.docker.data)


@dataclass(frozen=True, slots=True)
class SharedBase:
    """A Dockerfile a base; each service's Dockerfile is FROM one, and installs what it lacks."""

    repo: Monorepo
    docker: Docker

    @property
    def has_bases(self) -> bool:
        return True

    def build(self, image: str) -> float:
        base, context = self.repo.lock(image).base, self.repo.context(image)
        context.mkdir(exist_ok=True)  # a base has none
        (context / "Dockerfile").write_text(DOCKERFILE if base else INSTALLED)
        below = self.docker.reference(base) if base else FOUNDATION
        return self.docker.build(image, below, self.repo.pins(image), context)

    def push(self, image: str) -> float:
        return self.docker.push(image)

    def kept(self) -> int:
        return du(self.docker.data)


@dataclass(frozen=True, slots=True)
class Assembled:
    """`basestore build` and `basestore push`, one process each."""

    repo: Monorepo
    basestore: Basestore
    address: str

    @property
    def has_bases(self) -> bool:
        return True

    def build(self, image: str) -> float:
        return self.basestore("build", image).wall

    def push(self, image: str) -> float:
        return self.basestore("push", image, "--to", f"{self.address}/team").wall

    def kept(self) -> int:
        return du(self.basestore.store)


def du(folder: Path) -> int:
    """The bytes that a folder takes on the disk, with its folders and links, as du counts them."""
    size = 0
    for top, _, names in os.walk(folder):
        for name in (".", *names):
            with suppress(FileNotFoundError):  # a service that runs may remove files of its own
                size += os.lstat(f"{top}/{name}").st_blocks * 512
    return size
