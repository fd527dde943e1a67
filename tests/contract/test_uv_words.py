"""What uv says when it fails, by the oldest uv that is taken and by the one of the environment."""

import tomllib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import pytest
import uv
from loopback_index import File, LoopbackIndex, loopback_index
from packaging.requirements import Requirement
from reach import pip_download
from resolving import World, native
from services import lacking
from sharing import made_once
from wheelmaker import MadeWheel, make_wheel

from basestore.resolve.explain import NoWheelError, ResolutionError, UnknownPackageError
from basestore.sources.uv_failure import IndexAccessError, IndexUnreachableError, NotCachedError

PROJECT = Path(__file__).parents[2]
foreign = partial(native, machine="aarch64")


@pytest.fixture(params=["newest", pytest.param("oldest", marks=pytest.mark.long)])
def program(request: pytest.FixtureRequest) -> Path:
    """A uv."""
    oldest: Path = (
        request.getfixturevalue("oldest_uv")
        if request.param == "oldest"
        else Path(uv.find_uv_bin())
    )
    return oldest


@pytest.fixture(scope="session")
def oldest_uv(run_folder: Path) -> Path:
    """The oldest uv that pyproject.toml allows, from where pip finds it."""
    dependencies = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"][
        "dependencies"
    ]
    (bounds,) = (one.specifier for one in map(Requirement, dependencies) if one.name == "uv")
    (oldest,) = (bound.version for bound in bounds if bound.operator == ">=")
    folder = run_folder / "oldest-uv"
    with made_once(folder) as missing:
        wheel = pip_download(f"uv=={oldest}", folder) if missing else None
        if wheel:
            with ZipFile(wheel) as archive:
                (script,) = (one for one in archive.namelist() if one.endswith("/scripts/uv"))
                (folder / "uv").write_bytes(archive.read(script))
            (folder / "uv").chmod(0o755)
    if not (folder / "uv").exists():
        lacking(f"needs uv {oldest}, which pip finds nowhere")
    return folder / "uv"


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex, program: Path) -> World:
    return World(tmp_path, index, program=program)


def refused(world: World, *requirements: str) -> ResolutionError:
    """Why there is no lock."""
    with pytest.raises(ResolutionError) as caught:
        world.lock(*requirements)
    return caught.value


@pytest.mark.parametrize(
    ("wheels", "requirement"),
    [
        ([foreign("fast")], "fast"),
        ([foreign("fast", f"1.0.{n}") for n in range(3)], "fast"),
        ([foreign("fast", f"1.0.{n}") for n in range(3)], "app"),
        ([make_wheel("app", requires=["fast==1.0.2"]), foreign("fast", "1.0.2")], "app"),
        (
            [
                make_wheel("app", requires=["fast>=1.0.1,<2"]),
                *(foreign("fast", version) for version in ("1.0", "1.0.1", "1.0.2")),
                native("fast", "2"),
            ],
            "app",
        ),
        (
            [
                make_wheel("app", requires=["fast>=1.0.1,!=1.0.2,<2"]),
                native("fast", "1.0"),
                *(foreign("fast", f"1.0.{n}") for n in range(1, 5)),
            ],
            "app",
        ),
    ],
)
def test_the_package_without_a_wheel(
    world: World, index: LoopbackIndex, wheels: Sequence[MadeWheel], requirement: str
) -> None:
    index.add(*wheels)
    if not any(made.file.startswith("app-") for made in wheels):
        index.add(make_wheel("app", requires=["fast"]))

    error = refused(world, requirement)

    assert type(error) is NoWheelError
    assert error.hint.startswith("ask for a version of fast that has a wheel")
    assert "fast" in error.reason


def test_source_archives_are_no_wheels(world: World, index: LoopbackIndex) -> None:
    for version in ("1.0", "1.0.1", "1.0.2"):
        index.files.append(File("old", f"old-{version}.tar.gz", b"never opened", "a" * 64))

    error = refused(world, "old>=1.0.1")

    assert type(error) is NoWheelError
    assert error.hint.startswith("ask for a version of old that has a wheel")


def test_the_package_that_is_unknown(world: World, index: LoopbackIndex) -> None:
    index.add(make_wheel("app", requires=["ghost>1"]))

    error = refused(world, "app")

    assert type(error) is UnknownPackageError
    assert "check the spelling of ghost" in error.hint


def test_demands_that_contradict_each_other_are_all_named(
    world: World, index: LoopbackIndex
) -> None:
    index.add(make_wheel("app", requires=["lib>=2"]), make_wheel("lib"), make_wheel("lib", "2.0"))
    index.add(make_wheel("fine"))

    error = refused(world, "app", "fine", "lib<2")

    assert type(error) is ResolutionError
    assert [demand.name for demand in error.demands] == ["app", "lib"]


def test_an_index_that_is_out_of_order(world: World, index: LoopbackIndex) -> None:
    index.status = 500
    with pytest.raises(IndexUnreachableError) as caught:
        world.lock("lib")
    assert index.address in caught.value.message


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses(world: World, index: LoopbackIndex, status: int) -> None:
    index.credentials = ("me", "right")
    index.status = 200 if status == 401 else status
    world.mirrors = {"default": f"http://me:s3cret@{index.address}/simple"}

    with pytest.raises(IndexAccessError) as caught:
        world.lock("lib")

    assert str(status) in caught.value.message
    assert "s3cret" not in caught.value.message


def test_uv_that_stays_offline(world: World) -> None:
    world.environ = {"UV_OFFLINE": "1"}
    with pytest.raises(NotCachedError) as caught:
        world.lock("lib")
    assert caught.value.packages == ("lib",)
