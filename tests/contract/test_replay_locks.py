"""Locks of the past, by real uv over an index on loopback that tells when files were uploaded."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from bench.replay.releases import History
from bench.replay.relock import Replay, relock
from locked_project import edit, lock
from loopback_index import File, LoopbackIndex, loopback_index
from resolving import AMD64, World, versions
from wheelmaker import make_wheel

from basestore.cli.settings import Settings
from basestore.digest import Digest
from basestore.lock.model import Wheel
from basestore.profile.project import read_project
from basestore.sources.uv import Target

JANUARY, MARCH = date(2026, 1, 31), date(2026, 3, 31)

RUNTIME = """python = "3.11"
platforms = ["linux/amd64"]
requirements = ["web"]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""
CPU = """extends = "runtime"
requirements = ["torch"]
[indexes.special]
url = "https://torch.example.org/whl"
packages = ["torch"]
"""


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    """Two packages, each released in January and in March."""
    with loopback_index() as served:
        for name in ("web", "torch"):
            for version, day in (("1.0", "2026-01-31"), ("2.0", "2026-03-31")):
                made = File.of(make_wheel(name, version))
                served.files.append(replace(made, uploaded=f"{day}T23:00:00Z"))
        yield served


@pytest.fixture
def machine(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    root = tmp_path / "project"
    (root / "profiles").mkdir(parents=True)
    (root / "profiles" / "runtime.toml").write_text(RUNTIME)
    (root / "profiles" / "cpu.toml").write_text(CPU)
    lock(root, "runtime")
    lock(root, "cpu")
    return Replay(read_project(root), "cpu", AMD64, (JANUARY, MARCH), tmp_path / "cache")


def settings(machine: World) -> Settings:
    folder = machine.folder
    return Settings(
        store=folder / "store",
        state=folder / "state",
        mirrors={},
        docker_config=folder,
        netrc=folder / "netrc",
        environ=machine.uv.environ,
        host=AMD64,
        jobs=1,
        home=folder,
    )


def test_each_day_is_locked_with_what_there_was(replay: Replay, machine: World) -> None:
    january, march = relock(replay, settings(machine), print)

    assert [versions(week.lock) for week in january] == [
        {"web": "1.0"},
        {"web": "1.0", "torch": "1.0"},
    ]
    assert [versions(week.lock) for week in march] == [
        {"web": "2.0"},
        {"web": "2.0", "torch": "2.0"},
    ]


def test_an_index_that_tells_no_upload_times_has_what_was_released_until_then(
    replay: Replay, machine: World
) -> None:
    edit(
        replay.project.profiles / "cpu.toml",
        'packages = ["torch"]',
        'packages = ["torch"]\nexclude-newer = false',
    )

    (_, january), (_, march) = relock(replay, settings(machine), print)

    assert versions(january.lock) == {"web": "1.0", "torch": "1.0"}
    assert versions(march.lock) == {"web": "2.0", "torch": "2.0"}


def test_the_named_index_is_a_stand_in_of_the_size_locked_today(
    replay: Replay, machine: World
) -> None:
    ((_, january), _) = relock(replay, settings(machine), print)
    (torch,) = (wheel for wheel in january.platform.wheels if wheel.name == "torch")

    assert (torch.file, torch.size, torch.generation) == ("torch-1.0-py3-none-any.whl", 9, "cpu")


def test_a_repeat_asks_nobody(replay: Replay, machine: World) -> None:
    first = relock(replay, settings(machine), print)
    machine.index.requests.clear()
    told: list[str] = []

    assert relock(replay, settings(machine), told.append) == first
    assert (machine.index.requests, told) == ([], [])


def test_an_edited_profile_is_locked_anew(replay: Replay, machine: World) -> None:
    relock(replay, settings(machine), print)
    edit(
        replay.project.profiles / "cpu.toml",
        'requirements = ["torch"]',
        'requirements = ["torch<2"]',
    )

    (_, (_, march)) = relock(replay, settings(machine), print)

    assert versions(march.lock) == {"web": "2.0", "torch": "1.0"}


def test_history_has_todays_local_version_and_requirements(machine: World) -> None:
    file = "torch-9+cpu-cp311-cp311-linux_x86_64.whl"
    today = Wheel("torch", "9+cpu", file, 5, Digest("a" * 64), "cpu")
    target = Target(AMD64, "3.11.2", "2.36")
    history = History(machine.uv, target, [today], {"torch": ("web",)})

    (january,) = history.on(JANUARY)
    (march,) = history.on(MARCH)

    assert january.file.file == "torch-1.0+cpu-cp311-cp311-linux_x86_64.whl"
    assert january.file.uploaded == "2026-01-31T23:00:00Z"
    assert b"\nRequires-Dist: web\n" in (january.file.metadata or b"")
    assert march.file.file == "torch-2.0+cpu-cp311-cp311-linux_x86_64.whl"
    assert (january.size, january.digest == march.digest) == (5, False)
