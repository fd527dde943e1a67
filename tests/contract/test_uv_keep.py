"""What a previous lock is worth: pins stay until someone asks for better."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import AMD64, ARM64, World, native, profile, versions, wheel
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.resolve.explain import ChangedWheelError
from basestore.resolve.known import Known
from basestore.sources.locate import locate_wheels


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


def test_pins_stay_until_an_upgrade(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("app", requires=["lib"]), make_wheel("lib", "1.0"), make_wheel("extra"))
    first = world.locked(profile("app"))
    index.add(make_wheel("app", "2.0", requires=["lib"]), make_wheel("lib", "2.0"))

    assert world.relock(first, "app") == first.lock
    assert versions(world.relock(first, "app", "extra")) == {
        "app": "1.0",
        "extra": "1.0",
        "lib": "1.0",
    }
    one = world.relock(first, "app", upgrade=["lib"])
    assert versions(one) == {"app": "1.0", "lib": "2.0"}
    everything = world.relock(first, "app", upgrade=["*"])
    assert versions(everything) == {"app": "2.0", "lib": "2.0"}


def test_a_pin_gives_way_to_a_requirement(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("lib", "1.0"))
    first = world.locked(profile("lib"))
    index.add(make_wheel("lib", "2.0"))

    assert versions(world.relock(first, "lib>=2")) == {"lib": "2.0"}


def test_what_nobody_needs_any_more_goes(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("app"), make_wheel("lib"))

    assert versions(world.relock(world.locked(profile("app", "lib")), "app")) == {"app": "1.0"}


def test_a_better_wheel_of_a_pinned_version_waits_for_an_upgrade(
    world: World, index: LoopbackIndex
) -> None:
    index.add(make_wheel("lib"))
    first = world.locked(profile("lib"))
    index.add(make_wheel("lib", build="1"))

    assert world.relock(first, "lib") == first.lock
    assert wheel(world.relock(first, "lib", upgrade=["lib"]), "lib").file.startswith("lib-1.0-1-")


def test_a_new_platform_gets_the_versions_of_the_others(world: World, index: LoopbackIndex) -> None:
    index.add(native("lib", "1.0"), native("lib", "1.0", "aarch64"))
    first = world.locked(profile("lib"))
    index.add(native("lib", "2.0"), native("lib", "2.0", "aarch64"))
    (one,) = first.lock.platforms

    both = profile("lib", platforms=(AMD64, ARM64))
    lock = world.solve(both, Known(previous=first)).lock

    assert lock.platform(AMD64) == one
    assert versions(lock, ARM64) == {"lib": "1.0"}


def test_other_bytes_under_a_pinned_name_are_refused(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("lib"))
    first = world.locked(profile("lib"))
    other = make_wheel("lib", files={"lib/__init__.py": b"print('other')\n"})
    index.remove(other.file)
    index.add(other)

    with pytest.raises(ChangedWheelError) as failure:
        world.relock(first, "lib")

    assert failure.value.exit_code == ExitCode.INTEGRITY
    assert wheel(first.lock, "lib").sha256.hex in failure.value.message
    assert other.sha256 in failure.value.message
    assert "--upgrade-package lib" in failure.value.hint
    upgraded = world.relock(first, "lib", upgrade=["lib"])
    assert wheel(upgraded, "lib").sha256 == Digest(other.sha256)


def test_a_pinned_wheel_that_is_gone_is_not_replaced(world: World, index: LoopbackIndex) -> None:
    index.add(native("lib"))
    first = world.locked(profile("lib"))
    index.remove(native("lib").file)
    index.add(make_wheel("lib"))

    with pytest.raises(ChangedWheelError, match="has it no more"):
        world.relock(first, "lib")


def test_a_yanked_pin_stays(world: World, index: LoopbackIndex) -> None:
    made = make_wheel("lib", "2.0")
    index.add(made, make_wheel("lib", "1.0"))
    first = world.locked(profile("lib"))
    index.change(made.file, yanked=True)

    assert world.relock(first, "lib") == first.lock
    assert versions(world.relock(first, "lib", upgrade=["*"])) == {"lib": "1.0"}


def test_a_lock_is_found_again_from_profile_and_lock_alone(
    world: World, index: LoopbackIndex, tmp_path: Path
) -> None:
    made = make_wheel("lib", "2.0")
    index.add(make_wheel("app", requires=["lib"]), made, native("fast"))
    lock = world.lock("app", "fast")
    index.add(make_wheel("lib", "3.0"), make_wheel("app", "4.0"))
    index.change(made.file, yanked=True)
    later = World(tmp_path / "later", index)

    wanted = {locked.sha256 for locked in lock.platform(AMD64).wheels}
    places = locate_wheels(later.uv, (), lock.platforms, wanted)

    assert {digest: len(urls) for digest, urls in places.items()} == dict.fromkeys(wanted, 1)
    for locked in lock.platform(AMD64).wheels:
        assert places[locked.sha256][0].endswith(f"/files/{locked.file}")


def test_one_missing_file_hides_no_other(
    world: World, index: LoopbackIndex, tmp_path: Path
) -> None:
    names = ["a1", "b2", "c3", "d4", "e5"]
    index.add(*(make_wheel(name) for name in names))
    lock = world.lock(*names)
    index.remove("c3-1.0-py3-none-any.whl")
    index.remove("e5-1.0-py3-none-any.whl")
    later = World(tmp_path / "later", index)

    wanted = {locked.sha256 for locked in lock.platform(AMD64).wheels}
    places = locate_wheels(later.uv, (), lock.platforms, wanted)

    assert wanted - places.keys() == {wheel(lock, "c3").sha256, wheel(lock, "e5").sha256}


def test_a_file_with_other_bytes_is_not_located(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("lib"))
    lock = world.lock("lib")
    index.change("lib-1.0-py3-none-any.whl", sha256="0" * 64)

    assert locate_wheels(world.uv, (), lock.platforms, [wheel(lock, "lib").sha256]) == {}
