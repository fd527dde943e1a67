"""Changes in an engine: what it has under an image's name. Found by `verify --engine`."""

import copy as copies
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from loopback_engine import LoopbackEngine, loopback_engine
from mutations.model import Check, Copy, Mutation

Change = Callable[[LoopbackEngine], None]


@contextmanager
def loaded(copy: Copy) -> Iterator[LoopbackEngine]:
    """An engine on loopback that has loaded all images."""
    with loopback_engine() as engine:
        copy.extra["DOCKER_HOST"] = engine.host
        copy.engine = engine
        copy.run("load").expect(0)
        yield engine


def _name_of(engine: LoopbackEngine, name: str) -> str:
    return next(one for one in engine.names if f"/{name}:" in f"/{one}")


def _gone(engine: LoopbackEngine) -> None:
    for name in [one for one in engine.names if "base-ml:" in one]:
        del engine.names[name]


def _exchanged(engine: LoopbackEngine) -> None:
    other = engine.names[_name_of(engine, "base-deep")]
    for name in [one for one in engine.names if "base-ml:" in one]:
        engine.names[name] = other


def _edited(key: str, value: object) -> Change:
    """The image under the name is one with another config."""

    def change(engine: LoopbackEngine) -> None:
        config = copies.deepcopy(engine.configs[engine.names[_name_of(engine, "base-ml")]])
        config["config"][key] = value
        image = "sha256:" + "ab" * 32
        engine.configs[image] = config
        for name in [one for one in engine.names if "base-ml:" in one]:
            engine.names[name] = image

    return change


def _short(engine: LoopbackEngine) -> None:
    """The image under the name lacks its uppermost layer."""
    config = copies.deepcopy(engine.configs[engine.names[_name_of(engine, "base-ml")]])
    config["rootfs"]["diff_ids"].pop()
    image = "sha256:" + "cd" * 32
    engine.configs[image] = config
    for name in [one for one in engine.names if "base-ml:" in one]:
        engine.names[name] = image


CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("gone", "an image's names are gone", _gone),
    ("exchanged", "another image has the name", _exchanged),
    ("user", "an image with another user has the name", _edited("User", "0")),
    ("labels", "an image with other labels has the name", _edited("Labels", {})),
    ("layer-less", "an image with a layer less has the name", _short),
)


def mutations() -> Iterator[Mutation]:
    """Every change of the engine on loopback."""
    for what, said, change in CHANGES:
        yield Mutation(f"engine/{what}", said, _changes(change), Check.ENGINE, serve=loaded)


def _changes(change: Change) -> Callable[[Copy], None]:
    def apply(copy: Copy) -> None:
        assert copy.engine
        change(copy.engine)

    return apply


HOST = os.environ.get("BASESTORE_TEST_DOCKER_HOST", "")
"""A real engine, where one is named."""
