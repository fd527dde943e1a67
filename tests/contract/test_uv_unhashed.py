"""An index that tells no SHA-256: the file is fetched once, hashed, locked; the origin says so."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import AMD64, ARM64, World, profile, wheel
from wheelmaker import MadeWheel, make_wheel

from basestore.digest import Digest
from basestore.errors import ExitCode
from basestore.lock import origin
from basestore.resolve.explain import ChangedWheelError
from basestore.resolve.known import Known
from basestore.resolve.ports import SolveOptions
from basestore.sources.locate import locate_wheels

LIB, OTHER = make_wheel("lib"), make_wheel("lib", files={"lib/__init__.py": b"print('other')\n"})


def withhold(index: LoopbackIndex, made: MadeWheel = LIB) -> None:
    """Tell an MD5 of a file instead of its SHA-256."""
    index.change(made.file, sha256="", md5="0" * 32)


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(make_wheel("app", requires=["lib"]), LIB) as served:
        withhold(served)
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


def downloads(index: LoopbackIndex) -> int:
    """How often the file was asked for."""
    return index.requests.count(("GET", f"/files/{LIB.file}"))


def test_the_file_is_fetched_once_hashed_and_locked(world: World, index: LoopbackIndex) -> None:
    solution = world.solve(profile("app", platforms=(AMD64, ARM64)))

    for platform in (AMD64, ARM64):
        locked = wheel(solution.lock, "lib", platform)
        assert (locked.sha256, locked.size) == (Digest(LIB.sha256), len(LIB.data))
    assert downloads(index) == 1
    assert world.store.blobs.has(Digest(LIB.sha256))


def test_the_origin_says_so(world: World) -> None:
    how = world.locked(profile("app")).origin
    assert how is not None

    assert {name: package.told for name, package in how.packages.items()} == {
        "app": True,
        "lib": False,
    }
    written = origin.write(how)
    assert written.count(b'[packages.lib]\nindex = "default"\n') == 1
    assert written.count(b'\nsha256-from = "file"\n') == 1
    assert origin.parse(written, "locks/runtime.origin.toml") == how


@pytest.mark.parametrize("speaks_json", [True, False])
def test_it_says_so_of_what_uv_hashed_too(
    world: World, index: LoopbackIndex, speaks_json: bool
) -> None:
    """uv downloads and hashes itself what has no hash of any kind."""
    index.change(LIB.file, sha256="", md5="")
    index.speaks_json = speaks_json

    first = world.locked(profile("app"))
    kept = world.solve(profile("app"), Known(previous=first))

    for packages in (first.origin.packages, kept.packages):
        assert [name for name, package in packages.items() if not package.told] == ["lib"]
    assert wheel(first.lock, "lib").sha256 == Digest(LIB.sha256)


def test_what_is_locked_is_not_fetched_again(world: World, index: LoopbackIndex) -> None:
    first = world.locked(profile("app"))
    index.requests.clear()

    again = world.solve(profile("app"), Known(previous=first))

    assert (again.lock, again.packages["lib"].told) == (first.lock, False)
    assert downloads(index) == 0


def test_the_lock_is_the_one_of_an_index_with_hashes(world: World, tmp_path: Path) -> None:
    with loopback_index(make_wheel("app", requires=["lib"]), LIB) as good:
        assert World(tmp_path / "good", good).lock("app") == world.lock("app")


def test_it_is_located_by_its_name(world: World, index: LoopbackIndex) -> None:
    lock = world.lock("app")

    places = locate_wheels(world.uv, (), lock.platforms, [Digest(LIB.sha256)])

    assert places == {Digest(LIB.sha256): (f"http://{index.address}/files/{LIB.file}",)}


@pytest.mark.parametrize("told", [True, False])
def test_an_upgrade_of_everything_takes_no_other_bytes_for_a_file(
    world: World, index: LoopbackIndex, told: bool
) -> None:
    first = world.locked(profile("app"))
    index.remove(LIB.file)
    index.add(OTHER)
    if not told:
        withhold(index)

    with pytest.raises(ChangedWheelError) as failure:
        world.relock(first, "app", upgrade=["*"])
    named = world.relock(first, "app", upgrade=["lib"])

    assert failure.value.exit_code == ExitCode.INTEGRITY
    assert LIB.sha256 in failure.value.message
    assert OTHER.sha256 in failure.value.message
    assert "--upgrade-package lib" in failure.value.hint
    assert wheel(named, "lib").sha256 == Digest(OTHER.sha256)


def test_a_better_wheel_without_a_hash_is_the_one_that_is_fetched(
    world: World, index: LoopbackIndex
) -> None:
    better = make_wheel("lib", build="1")
    index.add(better)
    withhold(index, better)
    index.change(LIB.file, sha256=LIB.sha256, md5="")

    chosen = wheel(world.lock("app"), "lib")

    assert (chosen.file, chosen.sha256) == (better.file, Digest(better.sha256))
    assert downloads(index) == 0


def test_a_worse_wheel_without_a_hash_is_left_alone(world: World, index: LoopbackIndex) -> None:
    better = make_wheel("lib", build="1")
    index.add(better)

    assert wheel(world.lock("app"), "lib").file == better.file
    assert downloads(index) == 0


def test_naming_it_with_everything_is_consent(world: World, index: LoopbackIndex) -> None:
    first = world.locked(profile("app"))
    index.change(LIB.file, data=OTHER.data, metadata=OTHER.metadata)

    options = SolveOptions(upgrade=frozenset({"*", "lib"}))
    lock = world.solve(profile("app"), Known(previous=first), options).lock

    assert wheel(lock, "lib").sha256 == Digest(OTHER.sha256)
    assert replace(wheel(lock, "lib"), sha256=Digest(LIB.sha256), size=len(LIB.data)) == wheel(
        first.lock, "lib"
    )
