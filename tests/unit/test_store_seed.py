"""A seed whose owner collects while others build from it: they hold no lease there."""

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from layers import AMD64
from stored_project import StoredProject, stored_project

from basestore.digest import CHUNK, Digest
from basestore.errors import BasestoreError, ExitCode
from basestore.layer.realise import realise
from basestore.pipeline.build import Builder
from basestore.pipeline.record import build_and_record
from basestore.profile.project import read_project
from basestore.progress import Advance, Progress
from basestore.state import State
from basestore.store import MissingBlobError, Store
from basestore.store.collect import Collector
from basestore.store.memory import Memory
from basestore.store.survey import Spare


@dataclass
class Only:
    """A marker that keeps these."""

    kept: Collection[Digest] = ()

    def mark(self) -> Collection[Digest]:
        return self.kept

    def stale(self) -> bool:
        return False


@dataclass
class World:
    """A project that was built into what is now a seed; ``own`` is another store above it.

    Both are of one user, who believes what is recorded in the seed.
    """

    project: StoredProject
    own: Store
    image: Digest
    state: State

    @property
    def wheels(self) -> Collection[Digest]:
        return self.project.index.keys()

    @property
    def seed(self) -> Path:
        assert self.own.seed
        return self.own.seed

    def collect(self, keep: Collection[Digest] = ()) -> None:
        """What the seed's owner does who needs nothing more of it but this."""
        owner = Store.open(self.seed)
        Collector(owner, Only(keep), Spare(), Progress()).run()
        owner.lease.release()

    def foundation(self) -> Collection[Digest]:
        """The lowest layer, which can't be made again here, and what it needs."""
        recipe = self.project.foundation().digest
        found = Store.look(self.seed).realisations.claimed(recipe)
        assert found
        return {recipe, found.layer, *found.needs}

    def forget_layers(self) -> None:
        """All layers but the lowest have to be made again, of the wheels, which are there."""
        self.collect({*self.wheels, *self.foundation()})

    def build(self, progress: Progress) -> Digest:
        """The image's digest, as this builder makes it."""
        builder = Builder(self.own, replace(self.project, store=self.own).bring, progress, 1, AMD64)
        project = read_project(self.project.root)
        return build_and_record(project, builder, "runtime", (), realise).image.digest


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The image's record is kept: another digest would be refused."""
    state = State.open(tmp_path / "state")
    seed = Store.open(tmp_path / "seed", state=state)
    project = stored_project(tmp_path, seed)
    image = project.build().image.digest
    seed.lease.release()
    return World(project, Store.open(tmp_path / "own", seed.root, state=state), image, state)


class At(Progress):
    """Something happens when the first input is hashed or layer begins, and once only."""

    def __init__(self, happens: Callable[[], None]) -> None:
        self._happens = [happens]
        self.notes: list[str] = []

    @contextmanager
    def task(self, verb: str, name: str, total: int | None = None) -> Iterator[Advance]:
        if verb in ("check", "layer") and self._happens:
            self._happens.pop()()
        yield lambda amount: None

    def note(self, line: str) -> None:
        self.notes.append(line)


def sound(store: Store) -> bool:
    """Whether each blob is what its name says."""
    blobs = (path for path in (store.root / "blobs").rglob("*") if path.is_file())
    return all(Digest.of(path.read_bytes()).hex == path.name for path in blobs)


def test_all_of_it_comes_from_the_seed_where_nothing_goes(world: World) -> None:
    quiet = At(lambda: None)
    assert world.build(quiet) == world.image
    assert quiet.notes == []
    assert not any(world.own.blobs.path(wheel).exists() for wheel in world.wheels)


def test_what_went_before_it_was_looked_for_is_fetched(world: World) -> None:
    world.collect(world.foundation())
    quiet = At(lambda: None)
    assert world.build(quiet) == world.image
    assert quiet.notes == []
    assert all(world.own.blobs.path(wheel).exists() for wheel in world.wheels)


def test_what_goes_between_look_and_use_is_fetched_in_the_same_run(world: World) -> None:
    world.forget_layers()
    collected = At(lambda: world.collect(world.foundation()))
    assert world.build(collected) == world.image
    (note,) = collected.notes
    assert "gone from the seed" in note
    assert all(world.own.blobs.path(wheel).exists() for wheel in world.wheels)
    assert sound(world.own)


def test_layers_that_go_between_look_and_use_are_made_in_the_same_run(world: World) -> None:
    """One layer is made, so that there is a moment; the others were found in the seed."""
    layers = Store.look(world.seed).realisations
    records = sorted((world.seed / "layers").rglob("*.json"))
    lowest = next(one for one in world.foundation() if layers.recorded(one))
    gone = next(path for path in records if path.stem != lowest.hex)
    gone.unlink()
    collected = At(lambda: world.collect(world.foundation()))
    assert world.build(collected) == world.image
    assert sound(world.own)


def test_a_seed_that_is_emptied_again_ends_the_build_and_the_next_one_succeeds(
    world: World,
) -> None:
    """The lowest layer can't be made again here, so that even the second try lacks something."""
    world.forget_layers()
    saved = world.seed.with_name("saved")
    shutil.copytree(world.seed, saved)

    with pytest.raises(BasestoreError) as caught:
        world.build(At(world.collect))
    assert "\n" not in caught.value.message
    assert sound(world.own)

    shutil.rmtree(world.seed)
    saved.rename(world.seed)
    assert world.build(At(lambda: None)) == world.image


def test_without_a_seed_what_is_missing_is_told_at_once(world: World) -> None:
    """Nobody but a lease's holder takes it then, so that trying again would hide a fault."""
    alone = Store(world.seed, world.own.lease, memory=Memory(world.state))
    world.forget_layers()
    project = replace(world.project, store=alone)
    builder = Builder(alone, project.bring, At(lambda: world.collect(world.foundation())), 1, AMD64)
    with pytest.raises(MissingBlobError) as caught:
        build_and_record(read_project(project.root), builder, "runtime", (), realise)
    assert caught.value.exit_code is ExitCode.INTEGRITY


def test_what_goes_while_it_is_read_is_read_to_its_end(world: World) -> None:
    data = bytes(range(256)) * (CHUNK // 64)
    owner = Store.open(world.seed)
    digest = owner.blobs.add(data)
    owner.lease.release()
    with world.own.blobs.open(digest) as file:
        first = file.read(CHUNK)
        world.collect()
        assert not world.own.blobs.has(digest)
        rest = b"".join(iter(lambda: file.read(CHUNK), b""))
    assert Digest.of(first + rest) == digest


def test_a_layer_whose_blobs_went_is_no_layer(world: World) -> None:
    """It is sent or written in parts, of which none is another's; what lacks is named."""
    layers = [
        found
        for path in (world.seed / "layers").rglob("*.json")
        if (found := world.own.realisations.of_layer(Digest(path.stem)))
    ]
    assert layers
    world.collect()
    for layer in layers:
        assert world.own.realisations.of_layer(layer.layer) is None
        with pytest.raises(MissingBlobError) as caught:
            list(world.own.layer_stream(layer))
        assert "basestore build" in caught.value.hint
