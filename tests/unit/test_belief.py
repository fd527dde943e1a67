"""What a store, a cache or a pull request says of layers and images is looked at, not believed."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from images import layers_of
from layers import AMD64, keep, recipe_of, recorded, workshop
from locked_project import edit
from stored_project import StoredProject, stored_project
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.image.assemble import assemble
from basestore.image.stored import image_of, keep_image
from basestore.layer.apart import make_all
from basestore.layer.entry import folder
from basestore.layer.realise import NotReproducibleError, realise, remake
from basestore.lock.files import read_lock
from basestore.pipeline.assembled import required_image
from basestore.pipeline.build import Built
from basestore.pipeline.inputs import verify_inputs
from basestore.pipeline.recorded import NotBuiltError, OtherImageError, Recorded, Records
from basestore.pipeline.verify import Finding, verify_project
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.recipe.model import Recipe
from basestore.recipe.plan import plan
from basestore.state import State
from basestore.store import DamagedBlobError, Store
from basestore.store.realisations import place


@dataclass(frozen=True)
class Place:
    """A project that its user has built, in a store that others may write."""

    project: StoredProject
    folder: Path

    @property
    def store(self) -> Store:
        return self.project.store

    @property
    def recorded(self) -> Recorded:
        return Records.read(read_project(self.project.root)).required("runtime")

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        found, _ = read_lock(read_project(self.project.root), "runtime")
        return plan(found, found.platforms[0])

    def by(self, user: str) -> "Place":
        """The same as a user opens it in his next command; the lowest layer he has made."""
        state = State.open(self.folder / f"state of {user}")
        store = Store.open(self.store.root, state=state)
        foundation = self.project.foundation()
        recorded(store, foundation, [folder("etc"), folder("opt")])
        return Place(replace(self.project, store=store), self.folder)

    def there(self) -> Built | None:
        project, builder = self.project.open(self.project.root)
        return builder.there(project, self.recorded)

    def image(self) -> Finding:
        """What `verify` says of the image."""
        project = read_project(self.project.root)
        findings = verify_project(project, "runtime", store=self.store)
        return next(one for one in findings if one.check == "image")

    def record(self, kind: str, digest: Digest) -> Path:
        return place(self.store.root / kind, digest)

    def edit_images(self, old: str, new: str) -> None:
        edit(self.project.root / "locks" / "images.toml", old, new)


@pytest.fixture
def built(tmp_path: Path) -> Place:
    state = State.open(tmp_path / "state of alice")
    store = Store.open(tmp_path / "store", state=state)
    return Place(stored_project(tmp_path, store), tmp_path)


def test_what_this_user_built_is_there_in_his_next_command(built: Place) -> None:
    again = built.by("alice")
    there = again.there()
    assert there is not None
    assert there.reused
    assert there.image.digest == built.recorded.image
    assert again.image().holds is True


def test_what_another_user_built_is_made_again_and_then_his(built: Place) -> None:
    bob = built.by("bob")
    assert bob.there() is None
    assert bob.image().holds is None
    assert "basestore build runtime" in bob.image().detail
    with pytest.raises(NotBuiltError):
        required_image(read_project(bob.project.root), bob.recorded, bob.store)
    before = {one: one.stat().st_ino for one in (built.store.root / "layers").rglob("*.json")}

    made = bob.project.build()

    assert made.image.digest == built.recorded.image
    assert not made.reused
    assert bob.by("bob").there() is not None
    # Each record came out as it was: only what the user has seen was written.
    assert {one: one.stat().st_ino for one in before} == before


def other_layer(place: Place) -> Digest:
    """The layer of other files than a recipe's, as somebody makes it who wants it in an image."""
    mallory = Store.open(place.store.root)
    wheel = keep(mallory, make_wheel("demo0", files={"demo0/__init__.py": b"import evil\n"}))
    return realise(recipe_of([wheel]), workshop(mallory)).layer


def name_another(place: Place) -> None:
    """A recipe's record names another layer, which is there and whole."""
    recipe = place.recipes[-1].digest
    place.record("recipes", recipe).write_text(json.dumps({"layer": str(other_layer(place))}))


def cut_other_blobs(place: Place) -> None:
    """A layer's record says what another layer's says."""
    mine = place.store.realisations.of_recipe(place.recipes[-1].digest)
    assert mine
    other = place.record("layers", other_layer(place)).read_bytes()
    place.record("layers", mine.layer).write_bytes(other)


def say_another_size(place: Place) -> None:
    mine = place.store.realisations.of_recipe(place.recipes[-1].digest)
    assert mine
    path = place.record("layers", mine.layer)
    said = json.loads(path.read_bytes())
    path.write_text(json.dumps({**said, "size": said["size"] + 1}))


def say_another_diff_id(place: Place) -> None:
    mine = place.store.realisations.of_recipe(place.recipes[-1].digest)
    assert mine
    path = place.record("layers", mine.layer)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "diff_id": f"sha256:{'1' * 64}"}))


def say_nonsense(place: Place) -> None:
    mine = place.store.realisations.of_recipe(place.recipes[-1].digest)
    assert mine
    path = place.record("layers", mine.layer)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "size": float("nan")}))


def nest(place: Place) -> None:
    place.record("recipes", place.recipes[-1].digest).write_text("[" * 100_000)


def be_a_pipe(place: Place) -> None:
    path = place.record("recipes", place.recipes[-1].digest)
    path.unlink()
    os.mkfifo(path)


RECORDS = [
    name_another,
    cut_other_blobs,
    say_another_size,
    say_another_diff_id,
    say_nonsense,
    nest,
    be_a_pipe,
]


@pytest.mark.parametrize("change", RECORDS)
def test_an_edited_record_counts_as_absent_and_the_layer_is_made_again(
    built: Place, change: Callable[[Place], None]
) -> None:
    image = built.recorded.image
    change(built)
    again = built.by("alice")
    assert again.there() is None
    assert again.image().holds is None

    assert again.project.build().image.digest == image
    assert again.by("alice").image().holds is True


def test_another_layer_that_this_user_made_is_not_taken_for_a_recipes(built: Place) -> None:
    """Both records are his; which recipe gave which layer is what he wrote down."""
    one, other = (recipe.digest for recipe in built.recipes[-2:])
    assert one != other
    built.record("recipes", one).write_bytes(built.record("recipes", other).read_bytes())
    assert built.store.realisations.of_recipe(one) is None
    assert built.store.realisations.claimed(one) is not None


def test_made_again_it_is_held_to_whatever_is_recorded(built: Place) -> None:
    name_another(built)
    bob = built.by("bob")
    bob.project.bring(*[None] * 2, frozenset(built.recipes[-1].inputs))  # type: ignore[list-item]
    with pytest.raises(NotReproducibleError):
        remake(built.recipes[-1], workshop(bob.store))


def plant(place: Place) -> Digest:
    """An image of other layers that says it is the lock's, whole, in the store."""
    from basestore.lock.files import read_lock

    lock, digest = read_lock(read_project(place.project.root), "runtime")
    assembled = assemble(lock.image, digest, {AMD64: layers_of(place.store)})
    keep_image(place.store, assembled)
    assert image_of(place.store, assembled.image.digest, digest) is not None
    return assembled.image.digest


def record_planted(place: Place) -> None:
    """A change of the images file that names it, in both of its places."""
    planted = plant(place)
    place.edit_images(str(place.recorded.image), str(planted))


def record_another_manifest(place: Place) -> None:
    """The images file has another digest of a platform, and the image's as it was."""
    image = str(place.recorded.image)
    place.edit_images(f'"linux/amd64" = "{image}"', f'"linux/amd64" = "sha256:{"2" * 64}"')


def record_another_platform(place: Place) -> None:
    image = str(place.recorded.image)
    mine = f'"linux/amd64" = "{image}"'
    place.edit_images(mine, f'{mine}, "linux/arm64" = "sha256:{"2" * 64}"')


def record_another_image(place: Place) -> None:
    image = str(place.recorded.image)
    place.edit_images(f'image = "{image}"', f'image = "sha256:{"3" * 64}"')


@pytest.mark.parametrize(
    "change",
    [record_planted, record_another_manifest, record_another_platform, record_another_image],
)
def test_an_edited_images_file_is_refused_whatever_the_store_has(
    built: Place, change: Callable[[Place], None]
) -> None:
    change(built)
    again = built.by("alice")
    with pytest.raises(OtherImageError) as caught:
        again.there()
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert "locks/images.toml" in caught.value.message
    with pytest.raises(OtherImageError):
        required_image(read_project(again.project.root), again.recorded, again.store)
    with pytest.raises(OtherImageError):
        again.project.build()
    assert again.image().holds is False

    # Another user, who has made no layer, is told so once he has.
    bob = built.by("bob")
    assert bob.image().holds is None
    with pytest.raises(OtherImageError):
        bob.project.build()


def test_documents_that_are_gone_or_damaged_are_written_again(built: Place) -> None:
    image = built.there()
    assert image
    (one,) = image.image.platforms
    built.store.blobs.path(one.config.digest).unlink()
    path = built.store.blobs.path(one.manifest.digest)
    path.chmod(0o644)
    path.write_bytes(b"{}")
    assert built.by("alice").there() is not None
    found = image_of(built.store, image.image.digest, built.recorded.lock)
    assert found
    assert found.platforms[0].config == one.config


# --- inputs


def wheel_of(place: Place) -> Digest:
    return place.recipes[-1].inputs[0]


def other_bytes(place: Place, mode: int = 0o444) -> None:
    """Another wheel of the same name and files under a locked wheel's digest, well made."""
    path = place.store.blobs.path(wheel_of(place))
    made = make_wheel("demo0", files={"demo0/__init__.py": b"import evil\n"})
    path.unlink()
    path.write_bytes(made.data)
    path.chmod(mode)


def forget_layers(place: Place) -> None:
    """The layers have to be made again."""
    for recipe in place.recipes[1:]:
        place.record("recipes", recipe.digest).unlink()


@pytest.mark.parametrize("user", ["alice", "bob"])
@pytest.mark.parametrize("mode", [0o444, 0o644, 0o664])
def test_other_bytes_under_a_wheels_digest_are_never_built_in(
    built: Place, user: str, mode: int
) -> None:
    forget_layers(built)
    other_bytes(built, mode)
    place = built.by(user)
    with pytest.raises(DamagedBlobError) as caught:
        place.project.build()
    assert str(place.store.blobs.path(wheel_of(place))) in caught.value.hint
    assert place.there() is None


def test_other_bytes_that_come_after_the_inputs_were_hashed_are_found(built: Place) -> None:
    """Whoever makes the layer opens the wheel himself."""
    forget_layers(built)
    inputs = [digest for recipe in built.recipes[1:] for digest in recipe.inputs]
    verify_inputs(built.store, inputs, Progress())
    other_bytes(built)
    with pytest.raises(DamagedBlobError):
        realise(built.recipes[-1], workshop(built.store))


def test_layers_of_forked_processes_are_believed_without_a_state(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    recipes = [recipe_of([keep(store, make_wheel(f"demo{n}"))]) for n in range(4)]
    made = make_all(recipes, workshop(store), realise, lambda _: _Quiet(), 2)
    assert {one: store.realisations.of_recipe(one.digest) for one in recipes} == made
    assert Store.open(store.root).realisations.of_recipe(recipes[0].digest) is None


class _Quiet:
    """Shows nothing."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass
