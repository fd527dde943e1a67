"""One package more, less or newer: how many layers can change.

With no change of kind (a wheel of 1 MiB or more is *heavy*, the others are the *tail*) one layer
goes and one comes. A package that becomes heavy or light leaves its bucket, or joins it, and has,
or had, a layer of its own: two. Where a generation has more heavy wheels than may be alone, the
lightest of them changes places with the newcomer, too: its own layer and its bucket's: one or two
more. No layer ever changes that holds neither of the two.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from planning import layers, names, planned, replaced, wheel

from basestore.lock.model import Wheel
from basestore.recipe.model import FoundationRecipe, Recipe, WheelsRecipe
from basestore.recipe.plan import SHAPE, bucket

BUCKETS, HEAVY, MAX_HEAVY = SHAPE.buckets, SHAPE.heavy, SHAPE.alone

GENERATIONS = ("base", "ml")
light = st.integers(1, HEAVY - 1)
heavy = st.integers(HEAVY, HEAVY + 50)
any_size = st.one_of(light, heavy)


@st.composite
def locked(draw: st.DrawFn, size: st.SearchStrategy[int], most: int = 30) -> list[Wheel]:
    """The wheels of two generations, names unique, in a lock's order."""
    sizes = draw(st.lists(st.tuples(size, st.sampled_from(GENERATIONS)), max_size=most))
    wheels = [wheel(f"n{number}", size, of) for number, (size, of) in enumerate(sizes)]
    return sorted(wheels, key=lambda w: (GENERATIONS.index(w.generation), w.name))


def changed(before: Sequence[Wheel], after: Sequence[Wheel]) -> tuple[set[Recipe], set[Recipe]]:
    """The layers that go and that come."""
    old, new = set(planned(before)), set(planned(after))
    return old - new, new - old


@given(locked(any_size, MAX_HEAVY), st.data())
def test_adding_or_dropping_a_package_changes_one_layer(
    wheels: list[Wheel], data: st.DataObject
) -> None:
    added = wheel("added", data.draw(any_size), data.draw(st.sampled_from(GENERATIONS)))
    go, come = changed(wheels, [*wheels, added])

    assert [names(layer).count("added") for layer in come] == [1]
    assert len(go) <= 1
    for layer in go:  # the bucket it joins
        assert set(names(layer)) == set(names(*come)) - {"added"}
    assert changed([*wheels, added], wheels) == (come, go)


@given(locked(any_size, MAX_HEAVY), st.data())
def test_bumping_a_package_changes_one_layer_or_two_where_it_changes_its_kind(
    wheels: list[Wheel], data: st.DataObject
) -> None:
    old = wheel("bumped", data.draw(any_size), data.draw(st.sampled_from(GENERATIONS)))
    new = wheel("bumped", data.draw(any_size), old.generation, version="2.0")
    go, come = changed([*wheels, old], [*wheels, new])

    if (old.size >= HEAVY) == (new.size >= HEAVY):
        assert (len(go), len(come)) == (1, 1)
        assert names(*go) == names(*come)
        return
    assert len(go) <= 2
    assert len(come) <= 2
    touched = {name for layer in (*go, *come) for name in names(layer)} - {"bumped"}
    assert all(bucket(name) == bucket("bumped") for name in touched)
    assert Counter("bumped" in names(layer) for layer in (*go, *come))[True] == 2


@given(st.lists(heavy, min_size=MAX_HEAVY, max_size=MAX_HEAVY + 4), any_size, any_size)
def test_beyond_the_most_heavies_another_package_changes_places_with_it(
    sizes: list[int], before: int, after: int
) -> None:
    wheels = [wheel(f"n{number}", size) for number, size in enumerate(sizes)]
    old, new = wheel("bumped", before), wheel("bumped", after, version="2.0")
    go, come = changed([*wheels, old], [*wheels, new])

    alone = [
        {group[0] for group in layers(state)[:MAX_HEAVY]}
        for state in ([*wheels, old], [*wheels, new])
    ]
    moved = alone[0] ^ alone[1]
    assert len(moved - {"bumped"}) <= 1
    assert max(len(go), len(come)) <= 3
    buckets = {bucket(name) for name in (*moved, "bumped")}
    for layer in (*go, *come):
        assert {*names(layer)} & {*moved, "bumped"} or bucket(names(layer)[0]) in buckets


@given(locked(any_size, 60), locked(any_size, 60))
def test_a_parents_recipes_are_all_its_childs(parent: list[Wheel], own: list[Wheel]) -> None:
    child = [replace(w, name=f"own-{w.name}", generation="child") for w in own]

    assert set(planned(parent)) <= set(planned([*parent, *child]))


@given(locked(any_size, 80), locked(any_size, 20), st.data())
def test_a_child_shares_every_layer_that_holds_nothing_it_replaces(
    parent: list[Wheel], own: list[Wheel], data: st.DataObject
) -> None:
    gone = set(data.draw(st.lists(st.sampled_from(parent), max_size=5))) if parent else set()
    new = [replace(w, name=f"own-{w.name}", generation="child") for w in own]
    new += [wheel(w.name, data.draw(any_size), "child", "2.0") for w in gone]
    stays = [w for w in parent if w not in gone]
    child = set(planned([*stays, *new], without=replaced(*gone)))

    for recipe in planned(parent):
        if isinstance(recipe, FoundationRecipe):
            assert recipe in child
            continue
        left = tuple(w for w in recipe.wheels if w not in gone)
        same = replace(recipe, wheels=left, omitted=((),) * len(left))
        assert not left or same in child
    held = [w for r in child if isinstance(r, WheelsRecipe) for w in r.wheels]
    assert sorted(held, key=str) == sorted([*stays, *new], key=str)


@given(locked(any_size, 80), st.data())
def test_a_grandchild_shares_what_its_parent_kept(oldest: list[Wheel], data: st.DataObject) -> None:
    gone = set(data.draw(st.lists(st.sampled_from(oldest), max_size=5))) if oldest else set()
    new = [wheel(w.name, data.draw(any_size), "child", "2.0") for w in gone]
    parent = [*(w for w in oldest if w not in gone), *new]
    again = set(data.draw(st.lists(st.sampled_from(parent), max_size=5))) if parent else set()
    newest = [wheel(w.name, data.draw(any_size), "grandchild", "3.0") for w in again]
    stays = [w for w in parent if w not in again]

    kept = planned(parent, without=replaced(*gone))
    grandchild = planned([*stays, *newest], without=replaced(*gone, *again))

    shared = [r for r in kept if not (isinstance(r, WheelsRecipe) and again & {*r.wheels})]
    assert set(shared) <= set(grandchild)


@given(locked(any_size, 90))
def test_every_wheel_is_in_one_layer_and_the_layers_are_in_order(wheels: list[Wheel]) -> None:
    first, *rest = planned(wheels)
    assert isinstance(first, FoundationRecipe)
    recipes = [recipe for recipe in rest if isinstance(recipe, WheelsRecipe)]
    held = [w for recipe in recipes for w in recipe.wheels]
    assert sorted(held, key=str) == sorted(wheels, key=str)

    heavies = Counter(w.generation for w in wheels if w.size >= HEAVY)
    count = sum(min(number, MAX_HEAVY) for number in heavies.values())
    alone = [r.wheels[0] for r in recipes[:count]]
    assert all(len(r.wheels) == 1 and r.wheels[0].size >= HEAVY for r in recipes[:count])
    assert alone == sorted(alone, key=lambda w: (-w.size, w.name))
    tail = [
        (GENERATIONS.index(r.wheels[0].generation), bucket(r.wheels[0].name))
        for r in recipes[len(alone) :]
    ]
    assert tail == sorted(set(tail))
    assert len(tail) <= BUCKETS * len(GENERATIONS)
    for recipe in recipes[len(alone) :]:
        held_names = [w.name for w in recipe.wheels]
        assert held_names == sorted(held_names)
        assert len({(w.generation, bucket(w.name)) for w in recipe.wheels}) == 1


@given(locked(any_size), st.randoms(use_true_random=False))
def test_the_order_of_wheels_inside_a_generation_doesnt_matter(
    wheels: list[Wheel], random: Random
) -> None:
    mixed = list(wheels)
    random.shuffle(mixed)
    mixed.sort(key=lambda w: GENERATIONS.index(w.generation))

    assert planned(mixed) == planned(wheels)
