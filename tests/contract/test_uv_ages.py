"""How new what enters a lock may be: ``exclude-newer``, in a profile and for one run."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loopback_index import File, LoopbackIndex, loopback_index
from resolving import World, index_for, profile, versions
from wheelmaker import MadeWheel, make_wheel

from basestore.errors import ExitCode
from basestore.lock.model import Lock
from basestore.resolve.ages import TooNewError, UndatedIndexError
from basestore.resolve.explain import UnknownPackageError
from basestore.resolve.known import Known, Locked
from basestore.resolve.ports import SolveOptions

LIMIT = datetime(2026, 11, 1, tzinfo=UTC)
OLD, NEW, NEWER = "2026-10-01T00:00:00Z", "2026-11-10T00:00:00Z", "2026-11-20T00:00:00Z"


def uploaded(made: MadeWheel, moment: str) -> File:
    return replace(File.of(made), uploaded=moment)


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        served.files = [
            uploaded(make_wheel("app", requires=["lib"]), OLD),
            uploaded(make_wheel("lib", "1.0"), OLD),
            uploaded(make_wheel("lib", "2.0"), NEW),
            uploaded(make_wheel("lib", "3.0"), NEWER),
        ]
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


def limited(
    world: World,
    *requirements: str,
    known: Known | None = None,
    upgrade: Sequence[str] = (),
    **fields: object,
) -> Lock:
    """The lock of a profile into which nothing comes that is newer than the limit."""
    options = SolveOptions(upgrade=frozenset(upgrade), before=LIMIT)
    return world.solve(profile(*requirements, **fields), known, options).lock


def locked_to(world: World, version: str) -> Locked:
    """An earlier lock that has a version of lib."""
    locked = world.locked(profile("app", f"lib=={version}"))
    assert versions(locked.lock)["lib"] == version
    return locked


def test_nothing_newer_enters(world: World) -> None:
    assert versions(limited(world, "app")) == {"app": "1.0", "lib": "1.0"}
    assert versions(world.lock("app")) == {"app": "1.0", "lib": "3.0"}


def test_what_is_locked_stays_however_new(world: World) -> None:
    known = Known(previous=locked_to(world, "2.0"))

    assert versions(limited(world, "app", known=known)) == {"app": "1.0", "lib": "2.0"}


def test_an_upgrade_obeys_and_may_go_back(world: World) -> None:
    known = Known(previous=locked_to(world, "2.0"))

    for upgrade in (["lib"], ["*"]):
        lock = limited(world, "app", known=known, upgrade=upgrade)
        assert versions(lock) == {"app": "1.0", "lib": "1.0"}


def test_what_may_not_stay_doesnt_bring_a_newer_one(world: World) -> None:
    known = Known(previous=locked_to(world, "2.0"))

    lock = limited(world, "app", "lib!=2.0", known=known)

    assert versions(lock) == {"app": "1.0", "lib": "1.0"}


def test_a_parents_part_stays_whatever_its_age(world: World) -> None:
    base = profile("lib", name="base")
    parent = world.locked(base)
    older = world.locked(profile("lib==2.0", name="ml", parent=None))
    assert versions(parent.lock) == {"lib": "3.0"}

    for previous in (None, older):
        known = Known(parent=parent, previous=previous)
        lock = limited(world, "app", known=known, name="ml", parent=base)
        assert versions(lock) == {"app": "1.0", "lib": "3.0"}


def test_only_too_new_ones_would_do(world: World) -> None:
    with pytest.raises(TooNewError) as failure:
        limited(world, "app", "lib>=2")

    error = failure.value
    assert error.exit_code == ExitCode.NO_RESOLUTION
    assert "profiles/runtime.toml:4 asks for lib>=2" in error.message
    assert "nothing uploaded since 2026-11-01 00:00 UTC" in error.message
    assert "lib 3.0, uploaded 2026-11-20 00:00 UTC" in error.message
    assert '--exclude-newer "0 days"' in error.hint


def test_too_new_deep_in_the_closure(world: World, index: LoopbackIndex) -> None:
    index.files.append(uploaded(make_wheel("deep", requires=["lib>=3"]), OLD))

    with pytest.raises(TooNewError, match=r"lib 3\.0, uploaded 2026-11-20"):
        limited(world, "deep")


def test_a_package_that_is_not_there_is_not_too_new(world: World) -> None:
    with pytest.raises(UnknownPackageError):
        limited(world, "ghost")


def test_an_index_without_upload_times_is_refused(world: World, index: LoopbackIndex) -> None:
    index.files = [replace(file, uploaded="") for file in index.files]

    with pytest.raises(UndatedIndexError) as failure:
        limited(world, "app")

    assert failure.value.exit_code == ExitCode.NO_RESOLUTION
    assert failure.value.message.startswith("profile runtime is to take nothing too new, but the")
    assert failure.value.index == "default"
    assert "mirror" in failure.value.hint


def test_a_named_index_without_upload_times_is_let_off_by_the_profile(world: World) -> None:
    with loopback_index() as plain:
        plain.files = [uploaded(make_wheel("torch", requires=["lib"]), "")]
        named = index_for(plain, "torch")
        with pytest.raises(UndatedIndexError) as failure:
            limited(world, "torch", indexes=(named,))

        lock = limited(world, "torch", indexes=(replace(named, dated=False),))

    assert failure.value.index == "special"
    assert "exclude-newer = false under [indexes.special]" in failure.value.hint
    assert versions(lock) == {"lib": "1.0", "torch": "1.0"}


def test_a_locked_one_of_an_index_without_upload_times_stays(world: World) -> None:
    with loopback_index() as plain:
        plain.files = [uploaded(make_wheel("torch"), "")]
        named = (index_for(plain, "torch"),)
        known = Known(previous=world.locked(profile("torch", indexes=named)))

        lock = limited(world, "torch", "app", known=known, indexes=named)

    assert versions(lock) == {"app": "1.0", "lib": "1.0", "torch": "1.0"}


@pytest.mark.parametrize(
    "variables",
    [
        {"UV_EXCLUDE_NEWER": "2026-11-01"},
        {"UV_EXCLUDE_NEWER_PACKAGE": "lib=2026-11-01"},
        {"UV_CONSTRAINT": "/nowhere.txt"},
        {"UV_RESOLUTION": "lowest"},
        {"UV_NO_INDEX": "1"},
        {"UV_FIND_LINKS": "/nowhere"},
        {"UV_CONFIG_FILE": "/nowhere.toml"},
        {"UV_SOMETHING_NEW": "1"},
    ],
)
def test_uvs_variables_steer_nothing(
    world: World, tmp_path: Path, variables: dict[str, str]
) -> None:
    assert World(tmp_path, world.index, environ=variables).lock("app") == world.lock("app")


@pytest.mark.parametrize(
    "settings",
    [
        'exclude-newer = "2026-11-01"',
        'constraint-dependencies = ["lib<2"]',
        'override-dependencies = ["lib==1.0"]',
        'resolution = "lowest"',
        "no-index = true",
        '[pip]\nresolution = "lowest"',
        "this is no TOML",
    ],
)
def test_a_users_settings_file_steers_nothing(world: World, settings: str) -> None:
    expected = world.lock("app")
    for file in (".config/uv/uv.toml", "uv.toml", "pyproject.toml"):
        path = world.folder / "home" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings)

    assert world.lock("app") == expected


def test_a_further_index_of_the_environment_is_not_asked(world: World) -> None:
    with loopback_index(make_wheel("lib", "9.0")) as further:
        for variable in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
            world.environ = {variable: further.url}
            assert versions(world.lock("app")) == {"app": "1.0", "lib": "3.0"}
        assert further.requests == []
