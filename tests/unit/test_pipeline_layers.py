"""What a node pulls that has the older image: of locks made of names and sizes only."""

from pathlib import Path

from planning import AMD64, names, wheel

from basestore.digest import Digest
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Wheel
from basestore.pipeline.diff import Side, diff_profile
from basestore.pipeline.layers import Bytes, PlannedLayer
from basestore.recipe.model import Recipe, WheelsRecipe
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store

MB = 1024 * 1024
DEB = Deb("libc6", "2.36-9", "amd64", 2_000, Digest.of(b"libc6"))


def side(*wheels: Wheel, image: ImageConfig | None = None) -> Side:
    platform = PlatformLock(AMD64, "3.11.2", "2.36", (DEB,), wheels)
    lock = Lock("ml", image or ImageConfig(), (platform,), ("ml",))
    return Side(lock, Digest.of(repr(lock).encode()))


def record(store: Store, recipe: Recipe, size: int, layer: bytes) -> None:
    """Remember a layer that nobody made."""
    nothing = store.blobs.add(b"")
    made = Realisation(Digest.of(layer), Digest.of(layer), size, (), nothing, nothing)
    store.realisations.record(recipe.digest, made)


def recipes(side: Side) -> tuple[Recipe, ...]:
    return plan(side.lock, side.lock.platforms[0])


A, B, C = wheel("a", 3 * MB, "ml"), wheel("b", 2 * MB, "ml"), wheel("c", 10, "ml")
NEW_B = wheel("b", 2 * MB + 7, "ml", "2.0")


def test_sizes_of_wheels_stand_for_layers_that_nobody_made() -> None:
    (found,) = diff_profile("ml", side(A, B, C), side(A, NEW_B, C), None).layers

    assert [one.layer.label for one in found.made] == ["b 2.0"]
    assert [str(cause) for one in found.made for cause in one.causes] == ["b 1.0 -> 2.0"]
    assert found.kept == 3
    assert found.pull == Bytes(2 * MB + 7, exact=False)
    assert found.pull_in_order == Bytes(2 * MB + 17, exact=False)


def test_sizes_of_made_layers_are_exact(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    old, new = side(A, B, C), side(A, NEW_B, C)
    for number, recipe in enumerate((*recipes(old), *recipes(new))):
        record(store, recipe, 100 + number, recipe.digest.hex.encode())

    (found,) = diff_profile("ml", old, new, store).layers

    made = store.realisations.of_recipe(recipes(new)[2].digest)
    assert made
    assert found.pull == Bytes(made.size)
    assert found.pull_in_order.exact


def test_two_recipes_of_one_layer_are_one_layer(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    old, new = side(A), side(wheel("a", 3 * MB, "ml", "1.0.post1"))
    record(store, recipes(old)[1], 5, b"the same")
    record(store, recipes(new)[1], 5, b"the same")

    (found,) = diff_profile("ml", old, new, store).layers

    assert (found.made, found.kept, found.pull) == ((), 2, Bytes())


def test_settings_alone_pull_no_layer() -> None:
    changed = diff_profile("ml", side(A), side(A, image=ImageConfig(user="app")), None)

    assert [one.name for one in changed.lock.settings] == ["image.user"]
    assert changed.layers[0].pull == changed.layers[0].pull_in_order == Bytes()


def test_a_new_profile_is_pulled_whole_and_a_removed_one_not_at_all() -> None:
    new, gone = diff_profile("ml", None, side(A, C), None), diff_profile("ml", side(A), None, None)

    assert new.layers[0].pull == Bytes(3 * MB + 10 + DEB.size * 9 // 5, exact=False)
    assert (new.old, gone.new, gone.layers) == (None, None, ())


def test_a_dropped_heavy_package_makes_no_layer() -> None:
    (found,) = diff_profile("ml", side(A, B, C), side(A, C), None).layers

    assert found.made == ()
    assert found.pull.size == 0
    assert found.pull_in_order == Bytes(10, exact=False)


def test_packages_of_one_name_in_wheels_and_debs_are_kept_apart() -> None:
    """There is a wheel and a .deb of tzdata."""
    old, new = side(wheel("libc6", 5, "ml")), side(wheel("libc6", 5, "ml", "2.0"))

    (made,) = diff_profile("ml", old, new, None).layers[0].made

    assert isinstance(made.layer.recipe, WheelsRecipe)
    assert names(made.layer.recipe) == ("libc6",)
    assert [str(cause) for cause in made.causes] == ["libc6 1.0 -> 2.0"]


def test_bytes_are_exact_only_where_all_are() -> None:
    assert Bytes(1) + Bytes(2) == Bytes(3)
    assert Bytes(1) + Bytes(2, exact=False) == Bytes(3, exact=False)
    assert PlannedLayer(recipes(side(A))[1], None).bytes == Bytes(3 * MB, exact=False)
