"""Services: what their base lacks, and never another version of what it has."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import World, index_for, profile, versions, wheel
from wheelmaker import make_wheel

from basestore.errors import ExitCode
from basestore.lock import codec
from basestore.lock.config import IdleRecordExceptionError
from basestore.lock.model import Lock
from basestore.profile.document import read_document
from basestore.profile.model import Location, Profile, RecordException
from basestore.profile.service import Service
from basestore.resolve.explain import ContradictionError
from basestore.resolve.known import Known, Locked
from basestore.resolve.ports import SolveOptions


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(
        make_wheel("app", requires=["lib", "big"]),
        make_wheel("lib", "1.0"),
        make_wheel("big"),
        make_wheel("tool", requires=["lib", "helper"]),
        make_wheel("helper", "1.0"),
        make_wheel("modern", requires=["lib>=2"]),
    ) as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


BASE = profile("app")


def service(*requirements: str, base: Profile = BASE) -> Profile:
    table = read_document("basestore.toml", b"")
    entry = Service("svc", base.name, "svc", Location("basestore.toml", 1), table)
    return profile(*requirements, name="svc", parent=base, service=entry, indexes=base.indexes)


def test_its_lock_has_what_its_base_lacks(world: World, index: LoopbackIndex) -> None:
    base = world.locked(BASE)
    index.add(make_wheel("lib", "2.0"))

    solution = world.solve(service("tool"), Known(parent=base))

    lock = solution.lock
    assert versions(lock) == {"helper": "1.0", "tool": "1.0"}
    assert {one.generation for one in lock.platforms[0].wheels} == {"svc"}
    assert (lock.base, lock.lineage, lock.platforms[0].debs) == ("runtime", ("svc",), ())
    assert (lock.platforms[0].python, lock.platforms[0].glibc) == ("3.11.2", "2.36")
    assert codec.parse(codec.write(lock), "locks/svc.lock") == lock
    assert solution.packages["tool"].requires == ("helper", "lib")
    assert "big" not in solution.packages


def test_its_lock_has_the_exceptions_of_its_own_packages(world: World) -> None:
    base = world.locked(BASE)
    stated = {"helper": RecordException("no RECORD", Location("basestore.toml", 7))}

    lock = world.solve(replace(service("tool"), record_exceptions=stated), Known(base)).lock

    assert lock.record_exceptions == {"helper": "no RECORD"}
    assert codec.parse(codec.write(lock), "locks/svc.lock") == lock
    bases = {"lib": RecordException("no RECORD", Location("basestore.toml", 7))}
    with pytest.raises(IdleRecordExceptionError, match=r"^basestore\.toml:7: .* no wheel of lib$"):
        world.solve(replace(service("tool"), record_exceptions=bases), Known(base))


def test_the_index_is_asked_of_nothing_that_the_service_does_not_need(
    world: World, index: LoopbackIndex
) -> None:
    base = world.locked(BASE)
    index.requests.clear()

    world.solve(service("tool"), Known(parent=base))

    assert index.asked == {"tool", "helper", "lib"}


def test_an_upgrade_is_of_its_own_packages(world: World, index: LoopbackIndex) -> None:
    base = world.locked(BASE)
    first = world.solve(service("tool"), Known(parent=base))
    index.add(make_wheel("lib", "2.0"), make_wheel("helper", "2.0"))
    known = Known(parent=base, previous=Locked(first.lock, None))

    assert versions(world.solve(service("tool"), known).lock)["helper"] == "1.0"
    everything = SolveOptions(upgrade=frozenset("*"))
    upgraded = world.solve(service("tool"), known, everything).lock
    assert versions(upgraded) == {"helper": "2.0", "tool": "1.0"}


def test_what_its_base_has_is_no_reason_for_a_line(world: World) -> None:
    base = world.locked(BASE)

    lock = world.solve(service("lib", "tool"), Known(parent=base)).lock

    assert versions(lock) == {"helper": "1.0", "tool": "1.0"}


def test_nothing_asked_for_is_nothing_locked(world: World) -> None:
    lock: Lock = world.solve(service(), Known(parent=world.locked(BASE))).lock

    assert [one.wheels for one in lock.platforms] == [()]
    assert codec.parse(codec.write(lock), "locks/svc.lock") == lock


@pytest.mark.parametrize("requirement", ["lib>=2", "modern"])
def test_a_contradiction_names_both_and_the_ways_out(
    world: World, index: LoopbackIndex, requirement: str
) -> None:
    base = world.locked(BASE)
    index.add(make_wheel("lib", "2.0"))

    with pytest.raises(ContradictionError) as caught:
        world.solve(service(requirement), Known(parent=base))

    error = caught.value
    assert error.exit_code is ExitCode.NO_RESOLUTION
    assert error.message.startswith("service svc has no resolution on linux/amd64")
    assert f"profiles/svc.toml:3 asks for {requirement}" in error.message
    assert "profile runtime is locked to lib 1.0" in error.message
    assert error.hint == (
        "loosen profiles/svc.toml:3; or lock the base anew, "
        "`basestore lock runtime --upgrade-package lib`"
    )


def test_a_package_that_is_named_for_an_index_comes_from_there(
    world: World, index: LoopbackIndex
) -> None:
    with loopback_index(make_wheel("special", "1.0")) as other:
        base = profile("app", indexes=(index_for(other, "special"),))
        locked = world.locked(base)
        index.add(make_wheel("special", "9.0"))

        lock = world.solve(service("special", base=base), Known(parent=locked)).lock

    assert wheel(lock, "special").version == "1.0"
