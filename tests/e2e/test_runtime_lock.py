"""What doesn't change a lock: its profile's wording, where wheels lie, what is in it already."""

import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from commandline import CommandLine, no_network
from loopback_index import File, LoopbackIndex, loopback_index
from runtime_base import Base
from wheelmaker import MadeWheel

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def mirror(base: Base) -> Iterator[LoopbackIndex]:
    """An index on loopback with the lock's wheels, out of the store."""
    with loopback_index() as index:
        wheels = {w.sha256: w for one in base.lock.platforms for w in one.wheels}
        for wheel in wheels.values():
            data = (
                base.store / "blobs/sha256" / wheel.sha256.hex[:2] / wheel.sha256.hex
            ).read_bytes()
            index.files.append(File.of(MadeWheel(wheel.file, data)))
        yield index


def test_wording_order_and_space_of_the_profile(base: Base, tmp_path: Path) -> None:
    basestore = base.copy(tmp_path / "project")
    profile = basestore.folder / "profiles/runtime.toml"
    profile.write_text(reworded(profile.read_text()))

    locked = basestore("lock", "--json", **no_network()).expect(0).json["locks"][0]

    assert locked["changed"] is False
    assert_the_same_and_nothing_to_do(base, basestore)


def test_a_requirement_that_is_in_the_closure_already(
    base: Base, mirror: LoopbackIndex, tmp_path: Path
) -> None:
    """Resolved anew, all of it over another index than the lock came from."""
    basestore = base.copy(tmp_path / "project")
    profile = basestore.folder / "profiles/runtime.toml"
    edited = profile.read_text().replace(
        '"asyncpg",', '"asyncpg",\n  "starlette", "Typing_Extensions",'
    )
    profile.write_text(edited)
    assert basestore("lock", "--check", **no_network()).expect(3).out.startswith("runtime: stale")

    locked = basestore("lock", "--json", **through(mirror, tmp_path)).expect(0).json["locks"][0]

    assert locked["changed"] is False
    assert "starlette" in mirror.asked
    assert (
        'starlette = ["profiles/runtime.toml'
        in (basestore.folder / "locks/runtime.origin.toml").read_text()
    )
    assert_the_same_and_nothing_to_do(base, basestore)


def test_an_upgrade_over_a_mirror_that_has_nothing_newer(
    base: Base, mirror: LoopbackIndex, tmp_path: Path
) -> None:
    basestore = base.copy(tmp_path / "project")
    origin = basestore.folder / "locks/runtime.origin.toml"
    resolved = date_in(origin)

    basestore("lock", "--upgrade", **through(mirror, tmp_path)).expect(0)

    assert mirror.asked >= {w.name for one in base.lock.platforms for w in one.wheels}
    assert date_in(origin) == resolved
    assert_the_same_and_nothing_to_do(base, basestore)


def through(mirror: LoopbackIndex, folder: Path) -> dict[str, str]:
    """An environment whose only index is the mirror, and uv's memory is empty."""
    environ = {**no_network(), "BASESTORE_MIRROR_DEFAULT": mirror.url}
    return {**environ, "UV_CACHE_DIR": str(folder / "uv-cache"), "NO_PROXY": "127.0.0.1"}


def assert_the_same_and_nothing_to_do(base: Base, basestore: CommandLine) -> None:
    """The lock is byte for byte the base's; building does nothing."""
    assert (basestore.folder / "locks/runtime.lock").read_bytes() == base.lock_bytes
    basestore("lock", "--check", **no_network()).expect(0)
    built = basestore("build", "--json", **no_network()).expect(0).json["images"][0]
    assert built["reused"] is True
    assert built["digest"] == base.built["digest"]


def date_in(origin: Path) -> datetime:
    """When the lock last changed, as its origin has it."""
    return tomllib.loads(origin.read_text())["resolved"]


def reworded(profile: str) -> str:
    """The same profile: lists upside down, comments, tables elsewhere, Windows' line ends."""
    lines = profile.splitlines()
    items = [n for n, line in enumerate(lines) if line.strip().startswith('"')]
    requirements = [n for n in items if n < lines.index("[foundation]")]
    for n, line in zip(requirements, [lines[n] for n in reversed(requirements)], strict=True):
        lines[n] = f"\t{line.strip()}   # a reason"
    return "# Another comment.\r\n\r\n" + "\r\n".join(lines) + "\r\n"
