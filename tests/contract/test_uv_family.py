"""Children: the whole closure of the parent as it is locked, and their own after it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import AMD64, ARM64, FOUNDATION, World, profile, versions, wheel
from wheelmaker import make_wheel

from basestore.errors import ExitCode
from basestore.lock import codec
from basestore.lock.policy import PolicyHitError
from basestore.profile.model import Location, RecordException
from basestore.resolve.explain import ContradictionError
from basestore.resolve.known import Known, ParentLockError
from basestore.resolve.ports import SolveOptions


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


PARENT = profile("app")


def stock(index: LoopbackIndex) -> None:
    index.add(
        make_wheel("app", requires=["lib"]),
        make_wheel("lib", "1.0"),
        make_wheel("tool", requires=["lib", "helper"]),
        make_wheel("helper"),
        make_wheel("modern", requires=["lib>=2"]),
    )


def test_a_child_holds_the_parents_very_wheels(world: World, index: LoopbackIndex) -> None:
    stock(index)
    parent = world.locked(PARENT)
    index.add(make_wheel("lib", "2.0"), make_wheel("lib", "1.0", build="1"))
    world.foundation = replace(FOUNDATION, python="3.11.9")

    child = profile("tool", name="ml", parent=PARENT)
    solution = world.solve(child, Known(parent=parent))

    (own,) = solution.lock.platforms
    (inherited,) = parent.lock.platforms
    assert own.wheels[:2] == inherited.wheels
    assert [(w.name, w.generation) for w in own.wheels[2:]] == [("helper", "ml"), ("tool", "ml")]
    assert (own.python, own.debs) == (inherited.python, inherited.debs)
    assert solution.lock.lineage == ("runtime", "ml")
    assert set(solution.direct) == {"tool"}
    assert solution.packages["tool"].requires == ("helper", "lib")


def test_a_child_has_its_parents_exceptions(world: World, index: LoopbackIndex) -> None:
    stock(index)
    excepted = {"lib": RecordException("no RECORD", Location("profiles/runtime.toml", 9))}
    excepting = replace(PARENT, record_exceptions=excepted)
    parent = world.locked(excepting)
    own = {"tool": RecordException("names what it lacks", Location("profiles/ml.toml", 4))}
    child = profile("tool", name="ml", parent=excepting, record_exceptions={**excepted, **own})

    lock = world.solve(child, Known(parent=parent)).lock

    assert parent.lock.record_exceptions == {"lib": "no RECORD"}
    assert lock.record_exceptions == {"lib": "no RECORD", "tool": "names what it lacks"}
    assert codec.parse(codec.write(lock), "locks/ml.lock") == lock


def test_an_upgrade_of_a_child_leaves_the_parents_part(world: World, index: LoopbackIndex) -> None:
    stock(index)
    parent = world.locked(PARENT)
    child = profile("tool", name="ml", parent=PARENT)
    known = Known(parent=parent)
    first = world.locked(child, known)
    index.add(make_wheel("lib", "2.0"), make_wheel("helper", "2.0"))

    upgraded = world.solve(
        child,
        Known(parent=parent, previous=first),
        SolveOptions(upgrade=frozenset("*")),
    ).lock

    assert versions(upgraded)["helper"] == "2.0"
    assert wheel(upgraded, "lib") == wheel(parent.lock, "lib")


def contradiction(world: World, index: LoopbackIndex, requirement: str) -> ContradictionError:
    """What is said of a child whose requirement contradicts its parent's lib 1.0."""
    stock(index)
    index.add(make_wheel("lib", "0.9"), make_wheel("old", requires=["lib<1"]))
    parent = world.locked(PARENT)
    index.add(make_wheel("lib", "2.0"), make_wheel("lib", "2.1"))
    index.add(make_wheel("deep", requires=["modern"]))
    child = profile("tool", requirement, name="ml", parent=PARENT)
    with pytest.raises(ContradictionError) as failure:
        world.solve(child, Known(parent=parent))
    assert failure.value.exit_code == ExitCode.NO_RESOLUTION
    return failure.value


@pytest.mark.parametrize("requirement", ["lib>=2", "modern", "deep"])
def test_a_contradiction_names_both_sides_what_they_allow_and_the_ways_out(
    world: World, index: LoopbackIndex, requirement: str
) -> None:
    error = contradiction(world, index, requirement)

    assert error.message.startswith(
        "profile ml has no resolution on linux/amd64 with Python 3.11.2: "
        f"profiles/ml.toml:4 asks for {requirement}; profile runtime is locked to lib 1.0 "
        "(profiles/runtime.toml:3 asks for app, app -> lib); lib>=2 allows 2.1 at most; because "
    )
    assert error.hint == (
        "loosen profiles/ml.toml:4; or lock the parent anew, "
        "`basestore lock runtime --upgrade-package lib`; "
        'or let ml bring its own, replaces = ["lib"]'
    )


@pytest.mark.parametrize("requirement", ["lib<1", "old"])
def test_an_upgrade_is_no_way_out_for_who_wants_an_older_version(
    world: World, index: LoopbackIndex, requirement: str
) -> None:
    error = contradiction(world, index, requirement)

    assert "; lib<1 allows 0.9 at most; " in error.message
    assert error.hint == (
        "loosen profiles/ml.toml:4; or lock the parent anew, with the same requirement in runtime; "
        'or let ml bring its own, replaces = ["lib"]'
    )


def test_what_no_version_meets_can_only_be_loosened(world: World, index: LoopbackIndex) -> None:
    error = contradiction(world, index, "lib>=9")

    assert "; no version there is meets lib>=9; " in error.message
    assert error.hint == "loosen profiles/ml.toml:4"


def test_what_the_parent_itself_asks_for_is_told(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("lib", "1.0"), make_wheel("lib", "3.0"))
    bound = profile("lib<2")
    parent = world.locked(bound)

    with pytest.raises(ContradictionError) as failure:
        world.solve(profile("lib>=2", name="ml", parent=bound), Known(parent=parent))

    assert (
        "profiles/ml.toml:3 asks for lib>=2; profile runtime is locked to lib 1.0 "
        "(profiles/runtime.toml:3 asks for lib<2); lib<2 allows 1.0 at most; "
        "lib>=2 allows 3.0 at most; because"
    ) in failure.value.message


def test_a_forbidden_package_three_steps_down(world: World, index: LoopbackIndex) -> None:
    index.add(
        make_wheel("one", requires=["two"]),
        make_wheel("two", requires=["three"]),
        make_wheel("three", requires=["nvidia-cuda"]),
        make_wheel("nvidia-cuda"),
    )

    with pytest.raises(PolicyHitError) as failure:
        world.lock("one", forbid=("nvidia-*",))

    assert failure.value.message == (
        "the policy refuses profile runtime: nvidia-cuda 1.0 is forbidden as 'nvidia-*' "
        "(profiles/runtime.toml:1: policy.forbid); profiles/runtime.toml:3 asks for one, "
        "one -> two -> three -> nvidia-cuda"
    )
    assert failure.value.hint == (
        "drop one, take one or two or three in a version or from an index ([indexes.<name>]) that "
        "needs no nvidia-cuda, or except it for a time with [[policy.allow]] or [[policy.warn]] "
        "in profiles/runtime.toml"
    )


def test_a_forbidden_package_that_is_asked_for(world: World, index: LoopbackIndex) -> None:
    stock(index)

    with pytest.raises(PolicyHitError, match=r"runtime\.toml:3 asks for helper$") as failure:
        world.lock("helper", forbid=("helper",))

    assert failure.value.hint.startswith("drop helper, or except it")


@pytest.mark.parametrize("rule", ["lib", "li*", "l?b"])
def test_a_forbidden_package_is_named_with_its_rule_and_path(
    world: World, index: LoopbackIndex, rule: str
) -> None:
    stock(index)

    with pytest.raises(PolicyHitError) as failure:
        world.lock("helper", "app", forbid=(rule,))

    assert failure.value.exit_code == ExitCode.POLICY
    (hit,) = failure.value.hits
    assert [path.names for path in hit.paths] == [("app", "lib")]
    assert f"lib 1.0 is forbidden as {rule!r}" in failure.value.message
    assert "app -> lib" in failure.value.message


def test_a_childs_policy_covers_what_it_inherits(world: World, index: LoopbackIndex) -> None:
    stock(index)
    parent = world.locked(PARENT)
    child = profile("tool", name="ml", parent=PARENT, forbid=("lib",))

    with pytest.raises(PolicyHitError, match="app -> lib"):
        world.solve(child, Known(parent=parent))


def test_names_that_match_no_rule_are_fine(world: World, index: LoopbackIndex) -> None:
    stock(index)

    assert AMD64 in [
        one.platform for one in world.lock("app", forbid=("libs", "nvidia-*")).platforms
    ]


def test_a_child_waits_for_its_parents_lock(world: World, index: LoopbackIndex) -> None:
    stock(index)
    child = profile("tool", name="ml", parent=PARENT)
    with pytest.raises(ParentLockError, match="runtime, whose lock is missing") as failure:
        world.solve(child)
    assert failure.value.exit_code == ExitCode.DISAGREEMENT
    assert failure.value.hint == "run `basestore lock runtime`"

    elsewhere = replace(child, platforms=(ARM64,))
    with pytest.raises(ParentLockError, match="is not for linux/arm64"):
        world.solve(elsewhere, Known(parent=world.locked(PARENT)))


def test_a_child_with_a_foundation_of_its_own_has_it_solved(
    world: World, index: LoopbackIndex
) -> None:
    stock(index)
    parent = world.locked(PARENT)
    world.solved_foundations.clear()
    foundation = replace(PARENT.foundation, packages=("python3.11", "libgomp1"))
    child = profile("tool", name="ml", parent=PARENT, foundation=foundation)

    world.solve(child, Known(parent=parent))

    assert world.solved_foundations == [AMD64]
