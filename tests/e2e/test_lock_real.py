"""The project's own base against the real package index: resolved, repeated, mirrored, located."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import uv
from loopback_index import File, LoopbackIndex, loopback_index

from basestore.errors import UnreachableError
from basestore.lock import codec
from basestore.lock.model import Lock
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.progress import Progress
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.known import Known, Locked
from basestore.resolve.ports import Ports, SolveOptions
from basestore.resolve.sizes import measure
from basestore.resolve.solve import Solution, solve
from basestore.sources.locate import locate_wheels
from basestore.sources.uv import Uv
from basestore.store import Store
from basestore.transport import Transport

pytestmark = [pytest.mark.long, pytest.mark.network]

PROJECT = Path(__file__).parents[2]
FOUNDATION = SolvedFoundation((), "3.11.2", "2.36", {})


class World:
    """Solves the profile ``runtime`` over a foundation that is given, from the real index."""

    def __init__(self, folder: Path, mirrors: dict[str, str] | None = None) -> None:
        environ = {**os.environ, "UV_CACHE_DIR": str(folder / "uv-cache")}
        self.uv = Uv(Path(uv.find_uv_bin()), Path(sys.executable), environ, mirrors or {})
        self.store = Store.open(folder / "store")
        self.profile = read_profile(read_project(PROJECT), "runtime")

    def solve(self, previous: Lock | None = None) -> Solution:
        """Solve; a network that fails gets three chances."""
        known = Known(previous=Locked(previous, None) if previous else None)
        for _ in range(2):
            try:
                return self._solve(known)
            except UnreachableError:
                continue
        return self._solve(known)

    def _solve(self, known: Known) -> Solution:
        with Transport() as transport:
            ports = Ports(
                self.uv,
                lambda _: FOUNDATION,
                lambda wheels: measure(self.store, transport, wheels, Progress()),
            )
            return solve(self.profile, known, SolveOptions(), ports)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def solution(world: World) -> Solution:
    return world.solve()


def test_the_closure_is_whole(solution: Solution) -> None:
    asked = {requirement.name for requirement in read_runtime()}
    for platform in solution.lock.platforms:
        names = {wheel.name for wheel in platform.wheels}
        assert asked <= names
        # redis wants it for Python 3.11 before 3.11.3, which Debian 12 has.
        assert "async-timeout" in names
        assert 30 <= len(names) <= 90
        assert all(wheel.size > 500 for wheel in platform.wheels)
    assert solution.direct.keys() == asked
    assert "pydantic" in solution.packages["fastapi"].requires


def test_the_same_again_from_nothing_and_from_the_lock(world: World, solution: Solution) -> None:
    shutil.rmtree(Path(world.uv.environ["UV_CACHE_DIR"]))

    assert codec.write(world.solve().lock) == codec.write(solution.lock)
    assert codec.write(world.solve(solution.lock).lock) == codec.write(solution.lock)


def test_every_wheel_is_found_again(world: World, solution: Solution) -> None:
    places = locate_wheels(world.uv, (), solution.lock.platforms, digests(solution.lock))

    assert places.keys() == digests(solution.lock)


def test_a_mirror_gives_the_same_bytes(world: World, solution: Solution, tmp_path: Path) -> None:
    with loopback_index() as mirror:
        fill(mirror, world, solution.lock)
        mirrored = World(tmp_path, {"default": mirror.url})

        assert codec.write(mirrored.solve().lock) == codec.write(solution.lock)
        assert mirror.asked == {
            wheel.name for platform in solution.lock.platforms for wheel in platform.wheels
        }


def fill(mirror: LoopbackIndex, world: World, lock: Lock) -> None:
    """List the lock's wheels in a mirror that sends whoever wants one to where it lies."""
    places = locate_wheels(world.uv, (), lock.platforms, digests(lock))
    wheels = {wheel.file: wheel for platform in lock.platforms for wheel in platform.wheels}
    for wheel in wheels.values():
        (url,) = places[wheel.sha256]
        mirror.files.append(File(wheel.name, wheel.file, sha256=wheel.sha256.hex, location=url))


def digests(lock: Lock) -> set[object]:
    return {wheel.sha256 for platform in lock.platforms for wheel in platform.wheels}


def read_runtime() -> tuple[object, ...]:
    return read_profile(read_project(PROJECT), "runtime").requirements
