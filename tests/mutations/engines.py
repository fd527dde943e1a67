"""Changes in an engine: what it has under an image's name. Found by `verify --engine`.

The engine is a real one where BASESTORE_TEST_DOCKER_HOST names it, else one on loopback.
"""

import copy as copies
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from loopback_engine import LoopbackEngine, loopback_engine
from mutations.model import Check, Copy, Mutation

HOST = os.environ.get("BASESTORE_TEST_DOCKER_HOST", "")

_ALONE = Lock()
"""A real engine has one set of names for all."""


class Engine(Protocol):
    """An engine that has loaded all images, and what can be done to it."""

    @property
    def host(self) -> str:
        """How it is reached."""

    def names(self, image: str) -> list[str]:
        """The names that it has for an image."""

    def forget(self, name: str) -> None:
        """Drop a name."""

    def rename(self, image: str, name: str) -> None:
        """Give a name to another image."""

    def altered(self, image: str, instruction: tuple[str, str]) -> str:
        """A new image like one, but for a Dockerfile's instruction; its name."""


class OnLoopback:
    """The one on loopback."""

    def __init__(self, served: LoopbackEngine) -> None:
        self._served = served

    @property
    def host(self) -> str:
        return self._served.host

    def names(self, image: str) -> list[str]:
        return [name for name in self._served.names if f"/{image}:" in f"/{name}"]

    def forget(self, name: str) -> None:
        del self._served.names[name]

    def rename(self, image: str, name: str) -> None:
        self._served.names[name] = self._served.names[image]

    def altered(self, image: str, instruction: tuple[str, str]) -> str:
        config = copies.deepcopy(self._served.configs[self._served.names[image]])
        key, value = instruction
        if key == "USER":
            config["config"]["User"] = value
        elif key == "LABEL":
            name, _, text = value.partition("=")
            config["config"]["Labels"][name] = text
        else:
            config["rootfs"]["diff_ids"].append("sha256:" + "ef" * 32)
        made = "sha256:" + "ab" * 32
        self._served.configs[made] = config
        self._served.names["altered:1"] = made
        return "altered:1"


class Real:
    """A real one, through Docker's own client."""

    host = HOST

    def names(self, image: str) -> list[str]:
        listed = self._docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        return [name for name in listed if f"/{image}:" in f"/{name}"]

    def forget(self, name: str) -> None:
        self._docker("rmi", "--force", "--no-prune", name)

    def rename(self, image: str, name: str) -> None:
        self._docker("tag", image, name)

    def altered(self, image: str, instruction: tuple[str, str]) -> str:
        container = self._docker("create", image).strip()
        change = () if instruction[0] == "LAYER" else ("--change", " ".join(instruction))
        self._docker("commit", *change, container, "altered:1")
        self._docker("rm", container)
        return "altered:1"

    def _docker(self, *words: str) -> str:
        program = shutil.which("docker", path="/usr/bin:" + os.environ.get("PATH", ""))
        command = [program or "docker", "--host", HOST, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def _engine() -> Iterator[Engine]:
    if HOST:
        with _ALONE:
            yield Real()
    else:
        with loopback_engine() as served:
            yield OnLoopback(served)


@contextmanager
def loaded(copy: Copy) -> Iterator[None]:
    """An engine that has loaded all images."""
    with _engine() as engine:
        copy.extra["DOCKER_HOST"] = engine.host
        copy.engine = engine
        copy.run("load").expect(0)
        copy.run("verify", "--engine").expect(0)
        yield


Change = Callable[[Engine], None]


def _gone(engine: Engine) -> None:
    for name in engine.names("base-ml"):
        engine.forget(name)


def _exchanged(image: str, other: str) -> Change:
    def change(engine: Engine) -> None:
        (found, *_) = engine.names(other)
        for name in engine.names(image):
            engine.rename(found, name)

    return change


def _altered(image: str, *instruction: str) -> Change:
    """An image has the name that is another's but for one thing."""

    def change(engine: Engine) -> None:
        key, value = instruction
        names = engine.names(image)
        made = engine.altered(names[0], (key, value))
        for name in names:
            engine.rename(made, name)

    return change


CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("gone", "an image's names are gone", _gone),
    ("exchanged", "another profile's image has the name", _exchanged("base-ml", "base-deep")),
    ("exchanged-service", "another service's image has the name", _exchanged("api", "job")),
    ("user", "an image with another user has the name", _altered("base-ml", "USER", "0")),
    ("label", "an image of another lock has the name",
     _altered("base-ml", "LABEL", f"dev.basestore.lock={'0' * 64}")),
    ("layer-more", "an image with a layer more has the name", _altered("base-ml", "LAYER", "")),
    ("service-user", "a service with another user has the name", _altered("api", "USER", "0")),
)  # fmt: skip


def mutations() -> Iterator[Mutation]:
    """Every change of an engine."""
    for what, said, change in CHANGES:
        yield Mutation(f"engine/{what}", said, _changes(change), Check.ENGINE, serve=loaded)


def _changes(change: Change) -> Callable[[Copy], None]:
    def apply(copy: Copy) -> None:
        assert copy.engine
        change(copy.engine)

    return apply
