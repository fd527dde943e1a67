"""The plan: which wheels share a layer, in which order, and how many layers there may be."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from planning import AMD64, layers, names, planned, replaced, wheel

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock.model import Deb, Wheel
from basestore.recipe.model import FoundationRecipe, Recipe, WheelsRecipe, label
from basestore.recipe.plan import LIMIT, SHAPE, TooManyLayersError, bucket

BUCKETS, HEAVY, MAX_HEAVY = SHAPE.buckets, SHAPE.heavy, SHAPE.alone

# Names that share bucket 0 of 8, and one of each other bucket.
TOGETHER = [name for name in (f"p{n}" for n in range(100)) if bucket(name) == 0][:3]
APART = [next(n for n in (f"q{i}" for i in range(500)) if bucket(n) == b) for b in range(BUCKETS)]


def heavies(count: int, generation: str = "base") -> list[Wheel]:
    return [wheel(f"{generation}-h{n:02}", HEAVY + n, generation) for n in range(count)]


def test_the_buckets_of_names_never_change() -> None:
    """They are part of the format: the first eight bytes of SHA-256, modulo eight."""
    assert [bucket(name) for name in ("numpy", "torch", "fastapi", "ulid-py")] == [2, 1, 2, 7]


def test_nothing_but_the_foundation() -> None:
    assert planned([]) == (FoundationRecipe(AMD64, "3.11.2", ()),)


def test_heavy_wheels_are_alone_by_size_and_come_before_the_buckets() -> None:
    small = [wheel(name, 10) for name in TOGETHER]
    found = layers([wheel("aa", HEAVY), *small, wheel("bb", HEAVY + 5), wheel("cc", HEAVY)])

    assert found == (("bb",), ("aa",), ("cc",), tuple(sorted(TOGETHER)))


def test_a_byte_less_is_not_heavy() -> None:
    one, two = APART[:2]
    assert layers([wheel(one, HEAVY - 1), wheel(two, HEAVY)]) == ((two,), (one,))


def test_buckets_come_in_their_order_each_sorted_by_name() -> None:
    found = layers([wheel(name, 1) for name in reversed([*APART, *TOGETHER])])

    assert [bucket(group[0]) for group in found] == list(range(BUCKETS))
    assert all(list(group) == sorted(group) for group in found)


def test_each_generation_has_buckets_of_its_own_but_heavies_are_mixed_by_size() -> None:
    base = [wheel("a1", HEAVY, "base"), wheel(TOGETHER[0], 1, "base")]
    ml = [wheel("b1", HEAVY * 2, "ml"), wheel(TOGETHER[1], 1, "ml")]

    assert layers([*base, *ml]) == (("b1",), ("a1",), (TOGETHER[0],), (TOGETHER[1],))


def test_beyond_the_most_heavies_the_smallest_join_the_tail() -> None:
    found = layers(heavies(MAX_HEAVY + 2))

    assert list(found[:MAX_HEAVY]) == [(f"base-h{n:02}",) for n in range(MAX_HEAVY + 1, 1, -1)]
    assert sorted(name for group in found[MAX_HEAVY:] for name in group) == ["base-h00", "base-h01"]


def test_a_heavy_one_that_is_alone_in_its_bucket_lies_with_the_buckets() -> None:
    more = heavies(MAX_HEAVY, "ml")
    found = layers([*heavies(MAX_HEAVY + 1), *(replace(w, size=HEAVY) for w in more)])

    assert found[-1] == ("base-h00",)


def test_the_layers_of_a_parent_are_layers_of_its_child() -> None:
    parent = [*heavies(MAX_HEAVY + 3), *(wheel(name, 5) for name in APART)]
    child = [*heavies(5, "ml"), *(wheel(f"{name}-ml", 5, "ml") for name in APART)]

    assert set(planned(parent)) <= set(planned([*parent, *child]))


def test_python_is_short_in_recipes_of_wheels() -> None:
    (_, recipe) = planned([wheel("a", 1)])

    assert isinstance(recipe, WheelsRecipe)
    assert recipe.python == "3.11"


def crowd(generation: str, heavy: int = 60) -> list[Wheel]:
    """More of everything than a generation may have layers for."""
    tail = [wheel(f"{generation}-t{n}", 1, generation) for n in range(100)]
    return [*heavies(heavy, generation), *tail]


@pytest.mark.parametrize("generations", [1, 2, 3])
def test_every_generation_has_its_share_of_the_layers(generations: int) -> None:
    wheels = [wheel for n in range(generations) for wheel in crowd(f"g{n}")]
    assert len(planned(wheels)) == 1 + generations * (MAX_HEAVY + BUCKETS)


def test_a_child_gets_what_its_ancestors_left() -> None:
    parent = [*heavies(5, "a"), wheel("x", 1, "a")]
    assert len(planned([*parent, *crowd("b")])) == 1 + 2 * MAX_HEAVY + 1 + BUCKETS


def test_a_fourth_generation_that_doesnt_fit_is_refused() -> None:
    wheels = [wheel for n in range(4) for wheel in crowd(f"g{n}")]
    count = 1 + 4 * (MAX_HEAVY + BUCKETS)

    assert count > LIMIT
    with pytest.raises(TooManyLayersError, match=f"profile ml would have {count} layers") as caught:
        planned(wheels)
    assert caught.value.exit_code is ExitCode.POLICY


# --- replaced packages


def test_the_layer_of_a_replaced_heavy_one_is_left_out() -> None:
    a, b = wheel("a", HEAVY + 9), wheel("b", HEAVY + 5)
    own = wheel("a", HEAVY + 7, "ml", "2.0")

    assert planned([b, own], without=replaced(a))[1:] == (*planned([own])[1:], *planned([b])[1:])


def test_a_bucket_is_made_without_what_is_replaced() -> None:
    first, second, third = (wheel(name, 5) for name in sorted(TOGETHER))
    own = replace(second, version="2.0", generation="ml")
    child = [first, third, own]

    assert layers(child, replaced(second)) == ((first.name, third.name), (second.name,))
    assert layers([own], replaced(first, second, third)) == ((second.name,),)


def test_nobody_moves_up_into_the_place_of_a_replaced_heavy_one() -> None:
    """Else every parent with more heavies than may be alone would lose layers to a child."""
    parent = heavies(MAX_HEAVY + 3)
    largest = parent[-1]
    child = [*parent[:-1], replace(largest, version="2.0", generation="ml")]

    kept = set(planned(parent)) - {planned(parent)[1]}
    assert kept <= set(planned(child, without=replaced(largest)))


def test_a_generation_whose_wheels_are_all_replaced_still_counts() -> None:
    parent = heavies(5)
    own = [*(replace(w, generation="ml") for w in parent), *crowd("ml", 2 * MAX_HEAVY)]

    assert len(planned(own, without=replaced(*parent))) == 1 + 2 * MAX_HEAVY - 5 + BUCKETS


# --- path conflicts


def omitted(recipes: Sequence[Recipe]) -> dict[str, tuple[str, ...]]:
    return {
        wheel.name: paths
        for recipe in recipes
        if isinstance(recipe, WheelsRecipe)
        for wheel, paths in zip(recipe.wheels, recipe.omitted, strict=True)
    }


def test_all_but_the_last_package_leave_a_path_out() -> None:
    conflicts = {"bin/x": ("a", "b", "c"), "lib/y": ("a", "c")}
    found = omitted(planned([wheel(name, 1) for name in "abcd"], conflicts))

    both = ("opt/venv/bin/x", "opt/venv/lib/y")
    assert found == {"a": both, "b": both[:1], "c": (), "d": ()}


def test_only_the_layers_of_those_who_leave_a_path_change() -> None:
    wheels = [wheel(name, 1) for name in APART]
    plain = planned(wheels)
    allowed = planned(wheels, {"bin/x": (APART[2], APART[5])})

    assert {names(r) for r in set(allowed) - set(plain)} == {(APART[2],)}


def test_the_order_of_conflicts_in_the_lock_doesnt_matter() -> None:
    wheels = [wheel(name, 1) for name in "ab"]
    one = {"x": ("a", "b"), "y": ("a", "b")}
    assert planned(wheels, one) == planned(wheels, dict(reversed(one.items())))


# --- recipes


def test_a_recipes_digest_covers_what_decides_its_bytes_and_nothing_else() -> None:
    a, b = wheel("a", 1), wheel("b", 2)
    recipe = WheelsRecipe("3.11", (a, b), ((), ()))
    renamed = tuple(replace(w, generation="x", file="y", version="9", size=9) for w in (a, b))

    assert replace(recipe, wheels=renamed).digest == recipe.digest
    others = [
        replace(recipe, python="3.12"),
        replace(recipe, wheels=(b, a)),
        replace(recipe, wheels=(a,), omitted=((),)),
        replace(recipe, omitted=(("x",), ())),
        replace(recipe, omitted=((), ("x",))),
        replace(recipe, wheels=(replace(a, sha256=Digest.of(b"")), b)),
        FoundationRecipe(AMD64, "3.11", ()),
    ]
    assert len({other.digest for other in others} | {recipe.digest}) == len(others) + 1


def test_recipes_tell_their_packages_inputs_and_weight() -> None:
    deb = Deb("dash", "0.5.12-2", "amd64", 100, Digest.of(b"dash"))
    foundation = FoundationRecipe(AMD64, "3.11.2", (deb,))
    wheels = WheelsRecipe("3.11", (wheel("a", 3), wheel("b", 4)), ((), ()))

    assert foundation.packages == ("dash 0.5.12-2",)
    assert foundation.inputs == (deb.sha256,)
    assert (label(foundation), foundation.weight) == ("foundation linux/amd64", 1000)
    assert wheels.packages == ("a 1.0", "b 1.0")
    assert wheels.inputs == tuple(w.sha256 for w in wheels.wheels)
    assert (label(wheels), wheels.weight) == ("a 1.0 and 1 more", 7)
    assert label(replace(wheels, wheels=wheels.wheels[:1])) == "a 1.0"
