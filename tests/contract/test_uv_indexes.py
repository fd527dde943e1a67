"""Packages that are named for an index come from it alone, and nothing else comes from it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import AMD64, World, index_for, profile, versions, wheel
from wheelmaker import make_wheel

from basestore.errors import ExitCode
from basestore.lock.model import Lock
from basestore.lock.policy import PolicyHitError
from basestore.pipeline.fetch import fetch_artifacts
from basestore.profile.model import Profile
from basestore.progress import Progress
from basestore.resolve.explain import UnknownPackageError
from basestore.sources.debian import Debian
from basestore.sources.fetch import ArtifactsUnreachableError, WrongArtifactsError
from basestore.sources.locate import locate_wheels
from basestore.transport import Transport


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


@pytest.fixture
def special() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


def stock(index: LoopbackIndex, special: LoopbackIndex) -> None:
    """torch in both indexes, newer in the default one; what it needs newer in the special one."""
    index.add(
        make_wheel("app", requires=["torch"]),
        make_wheel("torch", "9.0", requires=["nvidia-cuda"]),
        make_wheel("nvidia-cuda"),
        make_wheel("sympy", "1.0"),
    )
    special.add(
        make_wheel("torch", "2.0+cpu", requires=["sympy"]),
        make_wheel("sympy", "9.0"),
        make_wheel("app", "9.0"),
    )


@pytest.mark.parametrize("requirements", [["torch"], ["app"], ["torch", "app"]])
def test_a_named_package_comes_from_its_index_only(
    world: World, index: LoopbackIndex, special: LoopbackIndex, requirements: list[str]
) -> None:
    stock(index, special)

    solution = world.solve(profile(*requirements, indexes=(index_for(special, "torch"),)))

    expected = {"sympy": "1.0", "torch": "2.0+cpu"}
    expected |= {"app": "1.0"} if "app" in requirements else {}
    assert versions(solution.lock) == expected
    assert special.asked == {"torch"}
    assert solution.packages["torch"].index == "special"
    assert solution.packages["sympy"].index == "default"
    assert set(solution.direct) == set(requirements)


def test_it_is_found_where_only_its_index_has_it(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    index.add(make_wheel("app", requires=["torch>=2"]))
    special.add(make_wheel("torch", "2.0"), make_wheel("vision", "1.0"))

    lock = world.lock("app", indexes=(index_for(special, "torch", "vision"),))

    assert versions(lock) == {"app": "1.0", "torch": "2.0"}


def test_a_named_package_that_nobody_needs_stays_out(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    stock(index, special)

    lock = world.lock("sympy", indexes=(index_for(special, "torch"),))

    assert versions(lock) == {"sympy": "1.0"}
    assert special.requests == []


def test_a_package_that_its_index_lacks_is_not_taken_from_another(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    stock(index, special)

    with pytest.raises(UnknownPackageError) as failure:
        world.lock("nvidia-cuda", indexes=(index_for(special, "nvidia-cuda"),))

    assert failure.value.exit_code == ExitCode.NO_RESOLUTION
    assert "profiles/runtime.toml:3 asks for nvidia-cuda" in failure.value.message
    assert failure.value.hint.startswith("nvidia-cuda comes from the index special only")


def test_a_package_deep_in_the_closure_that_its_index_lacks(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    stock(index, special)
    special.remove("torch-2.0+cpu-py3-none-any.whl")

    with pytest.raises(UnknownPackageError) as failure:
        world.lock("app", indexes=(index_for(special, "torch"),))

    assert "profiles/runtime.toml:3 asks for app" in failure.value.message
    assert failure.value.hint.startswith("torch comes from the index special only")


@pytest.mark.parametrize("requirement", ["torch", "app"])
def test_a_torch_with_cuda_is_refused_where_it_sneaks_in(
    world: World, index: LoopbackIndex, special: LoopbackIndex, requirement: str
) -> None:
    stock(index, special)
    named = (index_for(special, "torch"),)

    with pytest.raises(PolicyHitError) as failure:
        world.lock(requirement, forbid=("nvidia-*",))

    (hit,) = failure.value.hits
    (path,) = hit.paths
    assert path.names[-2:] == ("torch", "nvidia-cuda")
    assert path.names[0] == requirement
    assert "nvidia-cuda" not in versions(
        world.lock(requirement, forbid=("nvidia-*",), indexes=named)
    )


def test_what_turns_out_not_to_be_needed_is_left_out(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    # The special torch needs an old app, and the old app needs no torch.
    index.add(
        make_wheel("app", "2.0", requires=["torch"]),
        make_wheel("app", "1.0"),
        make_wheel("torch", "9.0"),
    )
    special.add(make_wheel("torch", "2.0", requires=["app<2"]))

    lock = world.lock("app", indexes=(index_for(special, "torch"),))

    assert versions(lock) == {"app": "1.0"}


def test_a_mirror_of_a_named_index_changes_nothing(
    world: World, index: LoopbackIndex, special: LoopbackIndex, tmp_path: Path
) -> None:
    stock(index, special)
    indexes = (index_for(special, "torch"),)
    expected = world.solve(profile("app", indexes=indexes))
    special.requests.clear()
    with loopback_index() as mirror:
        mirror.files = list(special.files)
        mirrored = World(tmp_path / "mirrored", index, mirrors={"special": mirror.url})

        assert mirrored.solve(profile("app", indexes=indexes)) == expected
    assert special.requests == []


def test_wheels_are_located_in_the_index_they_are_named_for(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    stock(index, special)
    indexes = (index_for(special, "torch"),)
    lock = world.lock("app", indexes=indexes)
    index.requests.clear()

    wanted = {locked.sha256 for locked in lock.platform(AMD64).wheels}
    places = locate_wheels(world.uv, indexes, lock.platforms, wanted)

    assert places.keys() == wanted
    assert special.address in places[wheel(lock, "torch").sha256][0]
    assert "torch" not in index.asked


def test_a_named_wheel_that_its_index_lost_is_asked_of_no_other(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    stock(index, special)
    indexes = (index_for(special, "torch"),)
    lock = world.lock("app", indexes=indexes)
    lost = wheel(lock, "torch")
    index.files = [*index.files, *(file for file in special.files if file.file == lost.file)]
    special.remove(lost.file)
    index.requests.clear()

    assert not locate_wheels(world.uv, indexes, lock.platforms, [lost.sha256])
    assert "torch" not in index.asked


def test_a_build_takes_a_named_wheel_from_its_index_only(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    stock(index, special)
    wanted = profile("app", indexes=(index_for(special, "torch"),))
    lock = world.solve(wanted).lock
    torch = wheel(lock, "torch")
    # The very file lies in the default index too, and there is a higher version in it.
    index.files = [*index.files, *(file for file in special.files if file.file == torch.file)]
    (special_file,) = (file for file in special.files if file.file == torch.file)
    index.requests.clear()

    fetch(world, wanted, lock)
    assert ("GET", f"/files/{torch.file}") not in index.requests
    world.store.blobs.path(torch.sha256).unlink()
    special.remove(torch.file)
    with pytest.raises(ArtifactsUnreachableError, match="no index or archive lists it"):
        fetch(world, wanted, lock)
    special.files.append(replace(special_file, data=special_file.data[:-1] + b"!"))
    with pytest.raises(WrongArtifactsError):
        fetch(world, wanted, lock)

    assert ("GET", f"/files/{torch.file}") not in index.requests
    assert "torch" not in index.asked


def fetch(world: World, wanted: Profile, lock: Lock) -> None:
    """Bring a lock's wheels into the store, as a build does."""
    digests = frozenset(locked.sha256 for locked in lock.platform(AMD64).wheels)
    with Transport(sleep=lambda _: None) as transport:
        debian = Debian(world.store, transport, datetime.now(UTC))
        fetch_artifacts(wanted, lock, digests, debian, world.uv, Progress())


def test_a_file_that_moved_to_a_further_index_is_located_there(
    world: World, index: LoopbackIndex, special: LoopbackIndex
) -> None:
    stock(index, special)
    lock = world.lock("sympy")
    moved = wheel(lock, "sympy")
    special.files = [file for file in index.files if file.file == moved.file]
    index.remove(moved.file)

    indexes = (index_for(special, "torch"),)
    places = locate_wheels(world.uv, indexes, lock.platforms, [moved.sha256])

    assert special.address in places[moved.sha256][0]
