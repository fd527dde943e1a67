"""Records that a restored cache brings, believed where a revision's images prove them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from changing import Changing, changing_project, copied
from committing import GIT

from basestore.layer.listing import Listing
from basestore.layer.realise import Workshop, realise, runner_of
from basestore.pipeline.documents import Documents
from basestore.pipeline.locked import read_locked
from basestore.pipeline.proven import Proofs
from basestore.pipeline.then import Then
from basestore.pipeline.vouched import vouch
from basestore.profile.project import read_project
from basestore.recipe.plan import plan
from basestore.sources.git import Git
from basestore.store import Store

WHEELS = 3
"""Layers of the base besides its foundation."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Changing:
    return changing_project(tmp_path_factory.mktemp("changing"))


@pytest.fixture
def changing(template: Changing, tmp_path: Path) -> Changing:
    return copied(template, tmp_path / "dev")


@pytest.fixture
def restored(changing: Changing, tmp_path: Path) -> Path:
    """The developer's store, which another user has now."""
    return shutil.copytree(changing.root.parent / "store", tmp_path / "restored")


@contextmanager
def proofs_of(changing: Changing, documents: Store) -> Iterator[Proofs]:
    project = read_project(changing.root)
    then = Then.of(project, Git(changing.root, GIT).revision("HEAD"))
    yield Proofs(then, Documents(documents, lambda _: None))


def believed(changing: Changing, store: Store) -> list[bool]:
    lock = read_locked(read_project(changing.root), "runtime").parse()
    recipes = plan(lock, lock.platforms[0])
    return [store.realisations.of_recipe(one.digest) is not None for one in recipes]


def test_what_the_revision_proves_is_believed(changing: Changing, restored: Path) -> None:
    store = Store.open(restored)
    assert not any(believed(changing, store))

    with proofs_of(changing, store) as proofs:
        assert vouch(proofs, ["runtime"], store) == WHEELS

    assert believed(changing, store) == [False, True, True, True]


@pytest.mark.parametrize("what", ["layer", "listing", "size"])
def test_what_was_edited_is_not(changing: Changing, restored: Path, what: str) -> None:
    lock = read_locked(read_project(changing.root), "runtime").parse()
    recipes = plan(lock, lock.platforms[0])
    other = Store.open(restored)
    true = other.realisations.claimed(recipes[1].digest)
    assert true
    false = {
        "layer": other.realisations.claimed(recipes[2].digest),
        "listing": replace(true, listing=other.blobs.add(Listing().to_bytes())),
        "size": replace(true, size=true.size + 1),
    }[what]
    assert false
    other.realisations.record(recipes[1].digest, false)
    store = Store.open(restored)

    with proofs_of(changing, store) as proofs:
        vouch(proofs, ["runtime"], store)

    assert believed(changing, store) == [False, False, True, True]


def test_a_build_makes_only_what_is_not_proven(changing: Changing, restored: Path) -> None:
    changing.relock("runtime", changing.wheel("beta", "2.0"))
    store = Store.open(restored)
    made = Changing(changing.root, store, changing.index)
    with proofs_of(changing, store) as proofs:
        vouch(proofs, ["runtime"], store)
    before = set((restored / "recipes").rglob("*.json"))

    lock = read_locked(read_project(changing.root), "runtime")
    source = lock.parse()
    recipes = plan(source, source.platforms[0])
    workshop = Workshop(store, runner_of(source, None))
    layers = made.builder(store).layers(
        lock, source, {source.platforms[0].platform: recipes[1:]}, realise, workshop
    )

    assert len(layers.kept) == WHEELS - 1
    assert len(set((restored / "recipes").rglob("*.json")) - before) == 1
