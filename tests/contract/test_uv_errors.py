"""Why there is no lock: each kind of failure with its exit code, its names and no secret."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_index import File, LoopbackIndex, loopback_index
from resolving import AMD64, ARM64, World, index_for, native, profile, versions
from wheelmaker import make_wheel

from basestore.errors import BasestoreError, ExitCode
from basestore.resolve.explain import NoWheelError, ResolutionError, UnknownPackageError
from basestore.sources.locate import locate_wheels
from basestore.sources.uv import Uv, UvMissingError
from basestore.sources.uv_failure import (
    IndexAccessError,
    IndexUnreachableError,
    NotCachedError,
    UvFailedError,
)


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


def fail(world: World, *requirements: str, **fields: object) -> BasestoreError:
    """The error that locking raises; whatever is in it can be shown."""
    with pytest.raises(BasestoreError) as failure:
        world.lock(*requirements, **fields)
    shown = failure.value.message + failure.value.hint
    for internal in ("basestore-profile", "--only-binary", "--no-build", "hint:", "\n", "s3cret"):
        assert internal not in shown
    return failure.value


def test_contradicting_requirements(world: World, index: LoopbackIndex) -> None:
    index.add(
        make_wheel("app", requires=["lib>=2"]),
        make_wheel("lib", "1.0"),
        make_wheel("lib", "2.0"),
        make_wheel("fine"),
    )

    error = fail(world, "app", "fine", "lib<2")

    assert isinstance(error, ResolutionError)
    assert error.exit_code == ExitCode.NO_RESOLUTION
    assert error.message.startswith(
        "profile runtime has no resolution on linux/amd64 with Python 3.11.2: "
        "profiles/runtime.toml:3 asks for app; profiles/runtime.toml:5 asks for lib<2; "
    )
    assert "lib>=2" in error.reason


def test_an_unknown_package(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("app", requires=["ghost"]))

    error = fail(world, "app")

    assert isinstance(error, UnknownPackageError)
    assert error.exit_code == ExitCode.NO_RESOLUTION
    assert "profiles/runtime.toml:3 asks for app" in error.message
    assert "ghost" in error.reason
    assert "spelling of ghost" in error.hint


def test_no_wheel_for_one_of_the_platforms(world: World, index: LoopbackIndex) -> None:
    index.add(native("fast", machine="x86_64"), make_wheel("app", requires=["fast"]))

    assert versions(world.lock("app")) == {"app": "1.0", "fast": "1.0"}
    error = fail(world, "app", platforms=(AMD64, ARM64))

    assert isinstance(error, NoWheelError)
    assert error.exit_code == ExitCode.NO_RESOLUTION
    assert "on linux/arm64" in error.message
    assert "profiles/runtime.toml:3 asks for app" in error.message
    assert "fast" in error.hint
    assert "linux/arm64" in error.hint


def test_an_sdist_alone_is_no_wheel(world: World, index: LoopbackIndex) -> None:
    index.files.append(File("old", "old-1.0.tar.gz", b"never opened", "a" * 64))
    index.add(make_wheel("app", requires=["old"]))

    error = fail(world, "app")

    assert isinstance(error, NoWheelError)
    assert "old" in error.reason
    assert not [path for _, path in index.requests if path.endswith("tar.gz")]


def test_a_package_for_a_newer_python(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("modern", requires_python=">=3.12"))

    error = fail(world, "modern")

    assert isinstance(error, ResolutionError)
    assert ">=3.12" in error.reason


def test_an_index_that_is_out_of_order(world: World, index: LoopbackIndex) -> None:
    index.status = 500

    error = fail(world, "lib")

    assert isinstance(error, IndexUnreachableError)
    assert error.exit_code == ExitCode.UNREACHABLE
    assert index.address in error.message
    assert "500" in error.reason


def test_an_index_that_is_not_there(tmp_path: Path) -> None:
    with loopback_index() as index:
        index.credentials = ("me", "s3cret")
        world = World(tmp_path, index, mirrors={"default": index.url_with_credentials})

    error = fail(world, "lib")

    assert isinstance(error, IndexUnreachableError)
    assert index.address in error.message
    assert error.reason


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses(tmp_path: Path, index: LoopbackIndex, status: int) -> None:
    index.credentials = ("me", "right")
    index.status = status if status != 401 else 200
    url = f"http://me:s3cret@{index.address}/simple"

    error = fail(World(tmp_path, index, mirrors={"default": url}), "lib")

    assert isinstance(error, IndexAccessError)
    assert error.exit_code == ExitCode.UNREACHABLE
    assert index.address in error.message
    assert str(status) in error.message


def test_credentials_reach_the_index_and_its_files(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("app", requires=["lib"]), make_wheel("lib"))
    expected = world.lock("app")
    index.credentials = ("me", "s3c/ret@")
    private = World(world.folder / "private", index)
    url = f"http://me:s3c%2Fret%40@{index.address}/simple"
    private.mirrors = {"default": url}

    assert private.lock("app") == expected
    wanted = [locked.sha256 for locked in expected.platform(AMD64).wheels]
    places = locate_wheels(private.uv, (), expected.platforms, wanted)
    assert {url for urls in places.values() for url in urls} == {
        f"http://me:s3c%2Fret%40@{index.address}/files/{locked.file}"
        for locked in expected.platform(AMD64).wheels
    }


def test_credentials_of_a_named_index_come_from_uvs_variables(
    world: World, index: LoopbackIndex
) -> None:
    with loopback_index(make_wheel("torch")) as special:
        special.credentials = ("me", "s3cret")
        world.environ = {"UV_INDEX_SPECIAL_USERNAME": "me", "UV_INDEX_SPECIAL_PASSWORD": "s3cret"}

        lock = world.lock("torch", indexes=(index_for(special, "torch"),))

    assert versions(lock) == {"torch": "1.0"}


def test_uv_that_is_told_to_stay_offline(world: World) -> None:
    world.environ = {"UV_OFFLINE": "1"}

    error = fail(world, "lib")

    assert isinstance(error, NotCachedError)
    assert error.exit_code == ExitCode.UNREACHABLE
    assert error.packages == ("lib",)


def test_uv_with_a_broken_variable(world: World) -> None:
    world.environ = {"UV_KEYRING_PROVIDER": "nonsense"}

    error = fail(world, "lib")

    assert isinstance(error, UvFailedError)
    assert "nonsense" in error.message


def test_uv_that_is_not_there(world: World, tmp_path: Path) -> None:
    missing = Uv(tmp_path / "uv", tmp_path / "python", {})

    with pytest.raises(UvMissingError, match="can't be run"):
        missing.version()
    assert world.uv.version()[0].isdigit()


def test_a_profile_whose_name_is_a_packages(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("my-app"), make_wheel("lib"))

    lock = world.solve(profile("my-app", "lib", name="my_app")).lock

    assert versions(lock) == {"lib": "1.0", "my-app": "1.0"}
