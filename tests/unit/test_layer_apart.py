"""Layers made in forked processes: the same layers, and errors where they can be told."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from layers import keep, new_store, recipe_of, workshop
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.layer.apart import Make, make_all
from basestore.layer.realise import NotReproducibleError, Workshop, make, remake
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
