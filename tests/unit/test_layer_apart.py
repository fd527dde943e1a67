"""Layers made in forked processes: the same layers, and errors where they can be told."""

import io
import os
import resource
import select
import signal
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from killable import process
from layers import keep, new_store, recipe_of, workshop
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.layer.apart import Make, NoProcessError, make_all
from basestore.layer.hashing import ALONE
from basestore.layer.inflate import BrokenStreamError
from basestore.layer.realise import NotReproducibleError, Workshop, make, remake
from basestore.processes import end_with
from basestore.recipe.model import Recipe
from basestore.store import MissingBlobError, Realisation, Store

NAMES = ("one", "two", "three", "four", "five")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


@pytest.fixture
def recipes(store: Store) -> list[Recipe]:
    wheels = [make_wheel(name, files={f"{name}.py": name.encode() * 999}) for name in NAMES]
    return [recipe_of([keep(store, wheel)]) for wheel in wheels]


def wrong_crc(data: bytes, name: str) -> bytes:
    """A wheel of which both headers of a file give another CRC-32."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        crc32 = archive.getinfo(name).CRC
    right, wrong = crc32.to_bytes(4, "little"), (crc32 ^ 1).to_bytes(4, "little")
    assert data.count(right) == 2
    return data.replace(right, wrong)


class Watched:
    """Notes which recipes were shown, and how many are begun but not ended."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.open = 0

    @contextmanager
    def __call__(self, recipe: Recipe) -> Iterator[None]:
        self.open += 1
        yield
        self.open -= 1
        self.seen += recipe.packages


@contextmanager
def room_for_files(count: int) -> Iterator[None]:
    """Let this process open so many files more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = [os.dup(0) for _ in range(count)]
    for descriptor in free:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[-1] + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def only_elsewhere(here: int, then: Make) -> Make:
    """Work that ends every process but this one, without a word."""

    def work(recipe: Recipe, workshop: Workshop) -> Realisation:
        if os.getpid() != here:
            os._exit(7)
        return then(recipe, workshop)

    return work


@pytest.mark.parametrize("jobs", [1, 2, 9])
def test_the_layers_are_those_made_here(store: Store, recipes: list[Recipe], jobs: int) -> None:
    watched = Watched()
    made = make_all(recipes, workshop(store), make, watched, jobs)

    assert sorted(watched.seen) == sorted(f"{name} 1.0" for name in NAMES)
    assert watched.open == 0
    assert set(made) == set(recipes)
    for recipe in recipes:
        assert made[recipe] == make(recipe, workshop(store))


def test_nothing_to_make(store: Store) -> None:
    assert make_all([], workshop(store), make, Watched(), 2) == {}


def test_an_error_is_raised_here(store: Store, recipes: list[Recipe]) -> None:
    store.blobs.path(recipes[2].inputs[0]).unlink()

    with pytest.raises(MissingBlobError):
        make_all(recipes, workshop(store), make, Watched(), 2)


def test_a_broken_wheel_is_told_by_its_error(store: Store, recipes: list[Recipe]) -> None:
    """So large that its process hashes in a thread, and broken behind that."""
    made = make_wheel("broken", files={"broken.py": b"x" * (ALONE + 999_999)})
    wheel = keep(store, replace(made, data=wrong_crc(made.data, "broken.py")))

    with pytest.raises(BrokenStreamError, match=r"broken\.py: its content's CRC-32"):
        make_all([*recipes, recipe_of([wheel])], workshop(store), make, Watched(), 2)


def test_a_layer_that_comes_out_other_is_told(store: Store, recipes: list[Recipe]) -> None:
    """The process that finds it leaves the record alone, so that it is found here again."""
    first = make(recipes[3], workshop(store))
    other = replace(first, layer=Digest.of(b"another"))
    store.realisations.record(recipes[3].digest, other)

    with pytest.raises(NotReproducibleError):
        make_all(recipes, workshop(store), remake, Watched(), 2)
    assert store.realisations.of_recipe(recipes[3].digest) == other


def test_what_a_process_leaves_undone_is_made_up_for(store: Store, recipes: list[Recipe]) -> None:
    work = only_elsewhere(os.getpid(), make)
    made = make_all(recipes, workshop(store), work, Watched(), 2)

    assert [made[recipe].layer for recipe in recipes] == [
        make(recipe, workshop(store)).layer for recipe in recipes
    ]


def test_where_the_system_has_no_room_for_a_process(store: Store, recipes: list[Recipe]) -> None:
    """It has room for one, and refuses the second: the first one, which is at work, is ended."""

    def work(recipe: Recipe, workshop: Workshop) -> Realisation:
        signal.pause()
        raise AssertionError

    files, processes = os.listdir("/proc/self/fd"), children()
    with room_for_files(3), pytest.raises(NoProcessError, match="can't be started: too many open"):
        make_all(recipes, workshop(store), work, Watched(), 2)

    assert children() == processes  # it was waited for
    assert os.listdir("/proc/self/fd") == files


def children() -> set[str]:
    """The numbers of this process's children, also of those that ended and nobody waited for."""
    return {
        number
        for file in Path("/proc/self/task").glob("*/children")
        for number in file.read_text().split()
    }


def test_an_interrupt_leaves_nothing_behind(store: Store, recipes: list[Recipe]) -> None:
    """It comes when both processes are in the midst of a layer; they end, and clean up."""
    here, there = os.pipe()

    def work(recipe: Recipe, workshop: Workshop) -> Realisation:
        with workshop.store.scratch(), workshop.store.blobs.draft():
            os.write(there, b".")
            signal.pause()
        raise AssertionError

    @contextmanager
    def interrupted(recipe: Recipe) -> Iterator[None]:
        assert os.read(here, 1) == b"."
        both_begun.wait()
        raise KeyboardInterrupt
        yield

    both_begun = threading.Barrier(2)
    processes = children()
    with pytest.raises(KeyboardInterrupt):
        make_all(recipes, workshop(store), work, interrupted, 2)
    assert not [*(store.root / "scratch").iterdir(), *(store.root / "partials").iterdir()]
    assert children() == processes  # each was waited for
    os.close(here)
    os.close(there)


def test_they_end_with_their_parent(store: Store, recipes: list[Recipe]) -> None:
    """It is killed, so that it can end nothing itself; what they were at is cleaned up."""
    here, there = os.pipe()

    def work(recipe: Recipe, workshop: Workshop) -> Realisation:
        with workshop.store.scratch():
            os.write(there, os.getpid().to_bytes(4, "big"))
            signal.pause()
        raise AssertionError

    def parent(line: Connection) -> None:
        line.send("ready")
        make_all(recipes, workshop(store), work, Watched(), 2)

    with process(parent) as (killed, _):
        ends = [os.pidfd_open(int.from_bytes(os.read(here, 4), "big")) for _ in range(2)]
        os.kill(killed, signal.SIGKILL)
        for end in ends:
            assert select.select([end], [], [], 60)[0]
            os.close(end)
    assert not [*(store.root / "scratch").iterdir()]
    os.close(here)
    os.close(there)


def test_a_parent_that_ended_before_is_noticed() -> None:
    def child(line: Connection) -> None:
        with pytest.raises(KeyboardInterrupt):
            end_with(os.getppid() + 1)
        end_with(os.getppid())
        line.send("ready")

    with process(child):
        pass
