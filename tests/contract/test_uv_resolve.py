"""What a lock is made of, with real uv and an index on loopback."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from loopback_index import LoopbackIndex, loopback_index
from resolving import AMD64, ARM64, FOUNDATION, World, native, profile, versions, wheel
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.lock.model import Wheel
from basestore.lock.origin import DebOrigin
from basestore.profile.model import Location
from basestore.resolve.known import Known, Locked
from basestore.resolve.ports import SolveOptions


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, index: LoopbackIndex) -> World:
    return World(tmp_path, index)


def stock(index: LoopbackIndex) -> None:
    """app -> lib -> base, an old lib, and something nobody needs."""
    index.add(
        make_wheel("app", "1.0", requires=["lib>=1"]),
        make_wheel("lib", "1.0"),
        make_wheel("lib", "2.0", requires=["base-lib"]),
        make_wheel("Base.Lib", "3.0"),
        make_wheel("other", "1.0"),
    )


def test_the_closure_comes_with_hashes_and_sizes(world: World, index: LoopbackIndex) -> None:
    stock(index)

    lock = world.lock("app")

    made = {file.file: file for file in index.files}
    assert versions(lock) == {"app": "1.0", "base-lib": "3.0", "lib": "2.0"}
    for locked in lock.platform(AMD64).wheels:
        file = made[locked.file]
        assert locked == Wheel(
            locked.name,
            locked.version,
            file.file,
            len(file.data),
            Digest(file.sha256),
            "runtime",
        )
    assert lock.platform(AMD64).python == "3.11.2"
    assert lock.lineage == ("runtime",)


def test_the_origin_tells_who_requires_whom(world: World, index: LoopbackIndex) -> None:
    stock(index)

    solution = world.solve(profile("other", "app"))

    assert solution.direct == {
        "app": (Location("profiles/runtime.toml", 4),),
        "other": (Location("profiles/runtime.toml", 3),),
    }
    assert {name: facts.requires for name, facts in solution.packages.items()} == {
        "app": ("lib",),
        "base-lib": (),
        "lib": ("base-lib",),
        "other": (),
    }
    uploaded = solution.packages["lib"].uploaded
    assert uploaded is not None
    assert uploaded.isoformat() == "2026-01-02T03:04:05+00:00"
    assert {facts.index for facts in solution.packages.values()} == {"default"}


def test_tracing_asks_the_index_for_nothing_more(world: World, index: LoopbackIndex) -> None:
    stock(index)
    world.lock("app")
    asked = [path for _, path in index.requests if path.startswith("/simple/")]

    # Each page once by uv, and once by us: whether it tells the hashes that uv gives.
    assert Counter(asked) == dict.fromkeys(asked, 2)


def test_the_order_of_requirements_means_nothing(world: World, index: LoopbackIndex) -> None:
    stock(index)

    locks = [world.lock(*order) for order in permutations(["app", "lib", "other>=1"])]

    assert all(lock == locks[0] for lock in locks)


def test_a_requirement_already_in_the_closure_changes_nothing(
    world: World, index: LoopbackIndex
) -> None:
    stock(index)

    assert world.lock("app", "lib") == world.lock("app") == world.lock("app", "base_lib", "app")


def test_a_mirror_changes_nothing(world: World, index: LoopbackIndex, tmp_path: Path) -> None:
    stock(index)
    expected = world.lock("app")
    index.requests.clear()
    with loopback_index() as mirror:
        mirror.files = list(index.files)
        elsewhere = World(tmp_path / "mirrored", index, mirrors={"default": mirror.url})

        assert elsewhere.lock("app") == expected
        assert mirror.asked == {"app", "lib", "base-lib"}
    assert index.requests == []


def test_variables_that_steer_uv_change_nothing(
    world: World, index: LoopbackIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(index)
    expected = world.lock("app")
    settings = tmp_path / "home" / ".config" / "uv"
    settings.mkdir(parents=True)
    for folder in (settings, tmp_path):
        (folder / "uv.toml").write_text('resolution = "lowest"\n')
    (tmp_path / "pins.txt").write_text("lib<2\n")
    monkeypatch.chdir(tmp_path)
    world.environ = {
        "UV_RESOLUTION": "lowest",
        "UV_CONSTRAINT": str(tmp_path / "pins.txt"),
        "UV_NO_SOURCES": "1",
        "UV_PROJECT": str(tmp_path / "nowhere"),
    }

    assert world.lock("app") == expected


def test_markers_see_the_full_version_of_python(world: World, index: LoopbackIndex) -> None:
    index.add(
        make_wheel("app", requires=["backport; python_full_version < '3.11.3'"]),
        make_wheel("backport"),
    )
    newer = World(world.folder, index, foundation=replace(FOUNDATION, python="3.11.9"))

    assert "backport" in versions(world.lock("app"))
    assert "backport" not in versions(newer.lock("app"))


def test_each_platform_has_its_own_wheels(world: World, index: LoopbackIndex) -> None:
    index.add(
        native("fast", machine="x86_64"),
        native("fast", machine="aarch64"),
        make_wheel("app", requires=["fast", "only-arm; platform_machine == 'aarch64'"]),
        native("only-arm", machine="aarch64"),
    )

    lock = world.lock("app", platforms=(ARM64, AMD64))

    assert [one.platform for one in lock.platforms] == [AMD64, ARM64]
    assert wheel(lock, "fast").file.endswith("x86_64.whl")
    assert wheel(lock, "fast", ARM64).file.endswith("aarch64.whl")
    assert "only-arm" in versions(lock, ARM64)
    assert "only-arm" not in versions(lock)


def test_the_best_tag_wins_then_the_highest_build(world: World, index: LoopbackIndex) -> None:
    index.add(
        make_wheel("pure", build="1"),
        make_wheel("pure", build="10"),
        make_wheel("pure", build="9"),
        make_wheel("mixed", build="7"),
        make_wheel("mixed", tag="cp311-cp311-manylinux_2_17_x86_64"),
        make_wheel("mixed", tag="cp311-cp311-manylinux_2_34_x86_64"),
        make_wheel("mixed", tag="cp311-cp311-manylinux_2_39_x86_64"),
    )

    lock = world.lock("pure", "mixed")

    assert wheel(lock, "pure").file == "pure-1.0-10-py3-none-any.whl"
    assert wheel(lock, "mixed").file == "mixed-1.0-cp311-cp311-manylinux_2_34_x86_64.whl"


def test_a_size_that_no_server_tells_is_found_by_fetching(
    world: World, index: LoopbackIndex
) -> None:
    made = make_wheel("shy")
    index.add(made)
    index.change(made.file, told_size=False)

    lock = world.lock("shy")

    assert wheel(lock, "shy").size == len(made.data)
    assert world.store.blobs.has(Digest(made.sha256))


def test_a_plain_index_gives_the_same_lock(
    world: World, index: LoopbackIndex, tmp_path: Path
) -> None:
    """HTML only, no hashes, no metadata files: uv itself downloads and hashes the wheels."""
    stock(index)
    expected = world.lock("app")
    with loopback_index() as plain:
        plain.speaks_json = False
        plain.files = [replace(file, sha256="", metadata=None) for file in index.files]

        solution = World(tmp_path / "plain", plain).solve(profile("app"))

    assert solution.lock == expected
    assert solution.packages["app"].uploaded is None


def test_known_sizes_are_not_asked_for_again(world: World, index: LoopbackIndex) -> None:
    stock(index)
    locked = world.locked(profile("app"))
    index.requests.clear()

    assert world.relock(locked, "app") == locked.lock
    assert [method for method, _ in index.requests if method == "HEAD"] == []


def test_the_foundation_is_solved_only_where_it_must_be(world: World, index: LoopbackIndex) -> None:
    stock(index)
    previous = world.locked(profile("app"))
    world.foundation = replace(FOUNDATION, python="3.11.9")
    world.solved_foundations.clear()

    assert world.relock(previous, "app") == previous.lock
    assert world.solved_foundations == []
    for again in (
        world.solve(
            profile("app"), Known(previous=previous), SolveOptions(upgrade_foundation=True)
        ),
        world.solve(profile("app", python="3.12"), Known(previous=previous)),
        world.solve(profile("app"), Known(previous=Locked(previous.lock, None))),
    ):
        assert again.lock.platform(AMD64).python == "3.11.9"
    assert world.solved_foundations == [AMD64] * 3


def test_only_a_new_platform_has_its_foundation_solved(world: World, index: LoopbackIndex) -> None:
    stock(index)
    previous = world.locked(profile("app"))
    world.solved_foundations.clear()

    both = profile("app", platforms=(AMD64, ARM64))
    solution = world.solve(both, Known(previous=previous))

    assert world.solved_foundations == [ARM64]
    assert solution.lock.platform(AMD64) == previous.lock.platform(AMD64)
    assert solution.debs == {
        "libc6": DebOrigin("bookworm"),
        "python3.11": DebOrigin("bookworm", ("libc6",)),
    }
