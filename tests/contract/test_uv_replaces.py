"""Children that bring their own versions of some of their parent's packages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import AMD64, ARM64, World, index_for, native, profile, replacing, versions, wheel
from wheelmaker import make_wheel

from basestore.errors import ExitCode
from basestore.lock.model import Lock, PlatformLock, Replaced, Wheel
from basestore.lock.policy import PolicyHitError
from basestore.profile.model import Profile
from basestore.recipe.model import WheelsRecipe
from basestore.recipe.plan import plan
from basestore.resolve.explain import ContradictionError
from basestore.resolve.family import (
    MovedPackageError,
    NothingToReplaceError,
    UnneededReplacementError,
)
from basestore.resolve.known import Known, Locked
from basestore.resolve.ports import SolveOptions


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(
        make_wheel("app", requires=["lib"]),
        make_wheel("lib", "1.0", requires=["old-helper"]),
        make_wheel("lib", "2.0", requires=["helper"]),
        make_wheel("lib", "3.0", requires=["helper"]),
        make_wheel("helper"),
        make_wheel("old-helper"),
        make_wheel("other"),
    ) as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


PARENT = profile("app", "lib<2", "other")


def child(*requirements: str, **fields: object) -> Profile:
    """A profile ``ml`` that replaces lib, unless it says otherwise."""
    made = {"name": "ml", "parent": PARENT, "replaces": replacing("lib")}
    return profile(*requirements, **{**made, **fields})


def only(lock: Lock) -> PlatformLock:
    """The one platform of a lock."""
    (platform,) = lock.platforms
    return platform


def layers(lock: Lock) -> set[tuple[Wheel, ...]]:
    """The wheels of each layer."""
    recipes = plan(lock, only(lock))
    return {recipe.wheels for recipe in recipes if isinstance(recipe, WheelsRecipe)}


def test_a_child_brings_its_own_version(world: World) -> None:
    parent = world.locked(PARENT)

    lock = world.solve(child("lib>=2,<3"), Known(parent)).lock

    assert versions(parent.lock) == {
        "app": "1.0",
        "lib": "1.0",
        "old-helper": "1.0",
        "other": "1.0",
    }
    assert versions(lock) == {**versions(parent.lock), "lib": "2.0", "helper": "1.0"}
    generations = {w.name: w.generation for w in only(lock).wheels}
    assert [name for name, generation in generations.items() if generation == "ml"] == [
        "helper",
        "lib",
    ]
    gone = wheel(parent.lock, "lib")
    assert only(lock).replaced == (Replaced("lib", gone.size, "runtime"),)


def test_all_layers_without_the_replaced_package_are_the_parents(world: World) -> None:
    parent = world.locked(PARENT)
    gone = wheel(parent.lock, "lib")

    lock = world.solve(child("lib>=2"), Known(parent)).lock

    for group in layers(parent.lock):
        left = tuple(one for one in group if one != gone)
        assert not left or left in layers(lock)
    assert gone not in {one for group in layers(lock) for one in group}


def test_without_a_requirement_of_its_own_the_ancestors_ones_hold(
    world: World, index: LoopbackIndex
) -> None:
    parent = world.locked(PARENT)
    index.add(make_wheel("lib", "1.5"))

    assert versions(world.solve(child(), Known(parent)).lock)["lib"] == "1.5"
    unbound = profile("app", "other")
    orphan = child(parent=unbound)
    assert versions(world.solve(orphan, Known(world.locked(unbound))).lock)["lib"] == "3.0"


def test_what_the_parents_packages_require_still_holds(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("strict", requires=["lib<3"]))
    strict = profile("strict", "lib<2")
    parent = world.locked(strict)

    assert versions(world.solve(child("lib>=2", parent=strict), Known(parent)).lock)["lib"] == "2.0"
    with pytest.raises(ContradictionError) as failure:
        world.solve(child("lib>=3", parent=strict), Known(parent))
    assert "profile runtime is locked to strict 1.0" in failure.value.message
    assert "profiles/ml.toml:3 asks for lib>=3" in failure.value.message
    assert 'replaces = ["lib", "strict"]' in failure.value.hint


def test_the_same_wheel_stays_the_parents(world: World) -> None:
    """Nothing is won by a second layer with the same bytes."""
    parent = world.locked(PARENT)

    lock = world.solve(child("lib==1.0"), Known(parent)).lock

    assert only(lock).wheels == only(parent.lock).wheels
    assert only(lock).replaced == ()


def test_another_build_of_the_same_version_elsewhere_is_the_childs(
    world: World, index: LoopbackIndex
) -> None:
    parent = world.locked(PARENT)
    with loopback_index(make_wheel("lib", "1.0", {"lib.py": b"# other\n"})) as special:
        moved = child("lib==1.0", indexes=(index_for(special, "lib"),))
        lock = world.solve(moved, Known(parent)).lock

    assert wheel(lock, "lib").sha256 != wheel(parent.lock, "lib").sha256
    assert wheel(lock, "lib").generation == "ml"
    assert [row.name for row in only(lock).replaced] == ["lib"]


def test_a_replaced_package_keeps_its_version_until_it_is_upgraded(
    world: World, index: LoopbackIndex
) -> None:
    parent = world.locked(PARENT)
    wanted = child("lib>=2")
    first = world.locked(wanted, Known(parent))
    assert versions(first.lock)["lib"] == "3.0"
    index.add(make_wheel("lib", "4.0"))

    known = Known(parent, first)
    assert world.solve(wanted, known).lock == first.lock
    upgraded = world.solve(wanted, known, SolveOptions(upgrade=frozenset({"lib"}))).lock
    assert versions(upgraded)["lib"] == "4.0"


def test_the_version_that_was_the_parents_is_no_preference(world: World) -> None:
    """Whoever writes `replaces` wants another one."""
    loose = profile("app")
    parent = world.locked(profile("app", "lib<2"))
    before = world.locked(child("other", parent=loose, replaces={}), Known(parent))
    assert versions(before.lock)["lib"] == "1.0"

    after = world.solve(child("other", parent=loose), Known(parent, before)).lock

    assert versions(after)["lib"] == "3.0"


def test_without_replaces_the_parents_version_is_back(world: World) -> None:
    parent = world.locked(PARENT)
    before = world.locked(child("lib>=2"), Known(parent))

    after = world.solve(child("other", replaces={}), Known(parent, before)).lock

    assert only(after) == only(parent.lock)


def test_a_grandchild_has_what_its_parent_replaced(world: World, index: LoopbackIndex) -> None:
    parent = world.locked(PARENT)
    middle = child("lib>=2,<3")
    kept = world.locked(middle, Known(parent))
    plain = profile("helper", name="apps", parent=middle)

    lock = world.solve(plain, Known(kept)).lock

    assert only(lock) == only(kept.lock)
    assert layers(kept.lock) <= layers(lock)
    again = profile("lib>=3", name="apps", parent=middle, replaces=replacing("lib"))
    twice = only(world.solve(again, Known(kept)).lock)
    assert [(row.name, row.generation) for row in twice.replaced] == [
        ("lib", "runtime"),
        ("lib", "ml"),
    ]
    assert [w.version for w in twice.wheels if w.name == "lib"] == ["3.0"]
    # Of the requirements on lib those of the last profile that replaced it are in force.
    free = profile(name="apps", parent=middle, replaces=replacing("lib"))
    assert versions(world.solve(free, Known(kept)).lock)["lib"] == "2.0"


def test_a_package_that_the_parent_lacks_can_not_be_replaced(world: World) -> None:
    parent = world.locked(PARENT)

    with pytest.raises(NothingToReplaceError) as failure:
        world.solve(child("lib", replaces=replacing("libb")), Known(parent))

    assert failure.value.exit_code == ExitCode.BAD_INPUT
    assert failure.value.message == (
        "profiles/ml.toml:2: replaces: the lock of the parent runtime holds no libb"
    )
    assert failure.value.hint.startswith("did you mean 'lib'? ")


def test_a_package_that_nobody_needs_any_more_can_not_be_left_out(
    world: World, index: LoopbackIndex
) -> None:
    """old-helper is the parent's for the sake of its lib only."""
    parent = world.locked(PARENT)

    with pytest.raises(UnneededReplacementError) as failure:
        world.solve(child("lib>=2", replaces=replacing("lib", "old-helper")), Known(parent))

    assert failure.value.exit_code == ExitCode.BAD_INPUT
    assert failure.value.message.startswith(
        "profiles/ml.toml:2: replaces: nothing needs old-helper on linux/amd64 any more"
    )


def test_each_platform_has_what_is_replaced_there(world: World, index: LoopbackIndex) -> None:
    index.add(*(native("fast", v, m) for v in ("1.0", "2.0") for m in ("x86_64", "aarch64")))
    both = (AMD64, ARM64)
    marked = profile('fast==1.0; platform_machine == "x86_64"', platforms=both)
    parent = world.locked(marked)
    wanted = child("fast>=2", parent=marked, platforms=both, replaces=replacing("fast"))

    lock = world.solve(wanted, Known(parent)).lock

    amd64, arm64 = lock.platforms
    assert [row.name for row in amd64.replaced] == ["fast"]
    assert arm64.replaced == ()
    assert versions(lock, AMD64) == versions(lock, ARM64) == {"fast": "2.0"}


# --- indexes and policy


@pytest.fixture
def special() -> Iterator[LoopbackIndex]:
    with loopback_index(make_wheel("torch", "2.0+cpu")) as served:
        yield served


@pytest.fixture
def cuda(index: LoopbackIndex) -> Iterator[LoopbackIndex]:
    index.add(make_wheel("torch", "9.0", requires=["nvidia-cuda"]), make_wheel("nvidia-cuda"))
    with loopback_index(make_wheel("torch", "2.0+cu1", requires=["nvidia-cuda"])) as served:
        yield served


def cpu(special: LoopbackIndex, world: World, **fields: object) -> tuple[Profile, Locked]:
    """A parent with a torch from an index of its own, and its lock."""
    made = profile("torch", "other", indexes=(index_for(special, "torch"),), **fields)
    return made, world.locked(made)


def test_an_inherited_index_holds_for_a_replaced_package(
    world: World, special: LoopbackIndex, cuda: LoopbackIndex
) -> None:
    parent, known = cpu(special, world)
    special.add(make_wheel("torch", "3.0+cpu"))

    wanted = child(parent=parent, indexes=parent.indexes, replaces=replacing("torch"))
    lock = world.solve(wanted, Known(known)).lock

    assert versions(lock)["torch"] == "3.0+cpu"
    assert only(lock).replaced[0].name == "torch"


def test_a_replaced_package_may_come_from_another_index(
    world: World, special: LoopbackIndex, cuda: LoopbackIndex
) -> None:
    parent, known = cpu(special, world)
    indexes = (index_for(cuda, "torch", name="cuda"), index_for(special))
    special.requests.clear()

    wanted = child(parent=parent, indexes=indexes, replaces=replacing("torch"))
    solution = world.solve(wanted, Known(known))
    by_default = child(parent=parent, indexes=indexes[1:], replaces=replacing("torch"))

    assert versions(solution.lock)["torch"] == "2.0+cu1"
    assert solution.packages["torch"].index == "cuda"
    assert versions(world.solve(by_default, Known(known)).lock)["torch"] == "9.0"
    assert "torch" not in special.asked


def test_a_package_that_stays_the_parents_stays_with_its_index(
    world: World, special: LoopbackIndex, cuda: LoopbackIndex
) -> None:
    parent, known = cpu(special, world)
    moved = child(parent=parent, indexes=(index_for(cuda, "torch", name="cuda"),), replaces={})

    with pytest.raises(MovedPackageError) as failure:
        world.solve(moved, Known(known))

    assert failure.value.exit_code == ExitCode.BAD_INPUT
    assert failure.value.message == (
        "profiles/ml.toml: indexes.cuda.packages: torch is locked by the parent runtime, to which "
        "it comes from special"
    )
    assert 'replaces = ["torch"]' in failure.value.hint


def test_the_parents_policy_binds_what_replaces_its_packages(
    world: World, special: LoopbackIndex, cuda: LoopbackIndex
) -> None:
    parent, known = cpu(special, world, forbid=("nvidia-*",))
    indexes = (index_for(cuda, "torch", name="cuda"),)
    wanted = child(parent=parent, indexes=indexes, replaces=replacing("torch"))

    with pytest.raises(PolicyHitError, match="torch -> nvidia-cuda") as failure:
        world.solve(wanted, Known(known))

    assert failure.value.exit_code == ExitCode.POLICY
    assert failure.value.hits[0].rule.place.file == "profiles/runtime.toml"
