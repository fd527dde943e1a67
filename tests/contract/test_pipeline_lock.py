"""Locking as a whole: real uv over an index on loopback, a foundation that is given, real files."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commandline import closed_address, contents
from locked_project import edit, solved
from loopback_index import LoopbackIndex, loopback_index
from resolving import World as Machine
from resolving import native
from wheelmaker import make_wheel

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.lock.files import read_lock, read_origin
from basestore.lock.freshness import StaleLockError, check
from basestore.lock.model import Lock
from basestore.lock.origin import Origin
from basestore.lock.policy import PolicyHitError
from basestore.pipeline.lock import Locked, World, lock_profile, stale_below
from basestore.profile.family import family_order
from basestore.profile.model import Profile, Project
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.resolve.explain import (
    ChangedWheelError,
    NoWheelError,
    ResolutionError,
    UnknownPackageError,
)
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.ports import SolveOptions
from basestore.resolve.sizes import measure
from basestore.sources.pylock import IndexedWheel
from basestore.sources.uv_failure import IndexUnreachableError
from basestore.target import Platform
from basestore.transport import Transport

FOUNDATION = solved()
LIBC, PYTHON = FOUNDATION.debs
NEWER_LIBC = replace(LIBC, version="2.36-9+deb12u11", sha256=Digest("e" * 64))
DAY_ONE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

PROFILE = """# What our services share.
python = "3.11"
platforms = ["linux/amd64", "linux/arm64"]
requirements = [
  "web",
  "speed",
]
[foundation]
debian = "bookworm"
packages = ["python3.11"]
"""


class ArchiveDownError(UnreachableError):
    """The archive of the foundation doesn't answer."""


@dataclass
class Town:
    """A project, the machine it is locked on, and what may change between two runs."""

    root: Path
    machine: Machine
    foundation: SolvedFoundation | None = FOUNDATION
    solved: list[Platform] = field(default_factory=list)
    now: datetime = DAY_ONE

    @property
    def project(self) -> Project:
        """The project as it is now."""
        return read_project(self.root)

    def write(self, text: str, name: str = "runtime") -> None:
        """Write a profile."""
        (self.root / f"profiles/{name}.toml").write_text(text)

    def edit(self, old: str, new: str, name: str = "runtime") -> None:
        """Edit a profile."""
        edit(self.root / f"profiles/{name}.toml", old, new)

    def run(self, name: str = "runtime", **wish: object) -> Locked:
        """Lock, a day later than the last time."""
        self.now += timedelta(days=1)
        with Transport() as transport:

            def sizes(wheels: tuple[IndexedWheel, ...]) -> Mapping[Digest, int]:
                return measure(self.machine.store, transport, wheels, Progress())

            world = World(self.machine.uv, self._foundation, sizes, self.now)
            return lock_profile(self.project, name, SolveOptions(**wish), world)

    def lock(self, name: str = "runtime") -> Lock:
        """The lock as it lies there."""
        return read_lock(self.project, name)[0]

    def origin(self, name: str = "runtime") -> Origin:
        """The origin beside it."""
        found = read_origin(self.project, name)
        assert found is not None
        return found

    def versions(self, name: str = "runtime") -> dict[str, str]:
        """Versions of the wheels for linux/amd64."""
        return {wheel.name: wheel.version for wheel in self.lock(name).platforms[0].wheels}

    @property
    def files(self) -> dict[str, bytes]:
        """Everything in the project."""
        return contents(self.root)

    def _foundation(self, profile: Profile, platform: Platform) -> SolvedFoundation:
        if self.foundation is None:
            raise ArchiveDownError("the archive is down")
        self.solved.append(platform)
        return self.foundation


@pytest.fixture
def index() -> Iterator[LoopbackIndex]:
    with loopback_index(
        make_wheel("web", "1.0", requires=["core>=1"]),
        make_wheel("core", "1.0"),
        native("speed", "1.0", "x86_64"),
        native("speed", "1.0", "aarch64"),
    ) as served:
        yield served


@pytest.fixture
def town(tmp_path: Path, index: LoopbackIndex) -> Town:
    root = tmp_path / "project"
    (root / "profiles").mkdir(parents=True)
    made = Town(root, Machine(tmp_path / "machine", index))
    made.write(PROFILE)
    return made


@pytest.fixture
def locked(town: Town) -> Town:
    """The project, locked on the first day."""
    town.run()
    return town


def newer(index: LoopbackIndex) -> None:
    """All have newer versions."""
    index.add(
        make_wheel("web", "2.0", requires=["core>=1"]),
        make_wheel("core", "2.0"),
        native("speed", "2.0", "x86_64"),
        native("speed", "2.0", "aarch64"),
    )


def test_the_first_lock_writes_lock_origin_and_attributes(town: Town) -> None:
    done = town.run()

    assert set(town.files) - {"profiles/", "profiles/runtime.toml", "locks/"} == {
        "locks/.gitattributes",
        "locks/runtime.lock",
        "locks/runtime.origin.toml",
    }
    assert town.files["locks/.gitattributes"] == b"* -text\n"
    assert done == Locked("runtime", Digest.of(town.files["locks/runtime.lock"]), None, 5)
    assert done.changed
    assert check(town.project, "runtime").fresh
    origin = town.origin()
    assert origin.head.lock == done.digest
    assert origin.resolved == town.now
    assert origin.resolver.startswith("uv ")
    assert {name: str(places[0]) for name, places in origin.direct.items()} == {
        "speed": "profiles/runtime.toml:6",
        "web": "profiles/runtime.toml:5",
    }


def test_each_platform_has_its_wheels_and_its_foundation(locked: Town) -> None:
    amd64, arm64 = locked.lock().platforms

    assert [w.file for w in amd64.wheels if w.name == "speed"] != [
        w.file for w in arm64.wheels if w.name == "speed"
    ]
    assert locked.solved == [amd64.platform, arm64.platform]
    assert (amd64.python, amd64.glibc, amd64.debs) == ("3.11.2", "2.36", FOUNDATION.debs)


def test_a_fresh_lock_asks_nobody(locked: Town, index: LoopbackIndex) -> None:
    before = locked.files
    index.requests.clear()
    newer(index)
    locked.foundation = None

    done = locked.run()

    assert not done.changed
    assert done.packages == 5
    assert index.requests == []
    assert locked.files == before


def test_only_raw_bytes_changed(locked: Town, index: LoopbackIndex) -> None:
    """The origin notes the new bytes, so that the next check needs no parsing."""
    lock, origin = locked.files["locks/runtime.lock"], locked.origin()
    index.requests.clear()
    locked.edit("# What", "# All that")
    assert check(locked.project, "runtime").moved == ("profiles/runtime.toml",)

    assert not locked.run().changed

    assert index.requests == []
    assert locked.files["locks/runtime.lock"] == lock
    assert check(locked.project, "runtime").moved == ()
    now = locked.origin()
    assert replace(now, head=origin.head) == origin
    assert now.head.files["profiles/runtime.toml"] == Digest.of(
        locked.files["profiles/runtime.toml"]
    )


def test_a_requirement_in_the_closure_leaves_lock_and_date(locked: Town) -> None:
    lock, first = locked.files["locks/runtime.lock"], locked.origin()
    locked.edit('  "web",', '  "web", "core",')
    assert not check(locked.project, "runtime").fresh

    assert not locked.run().changed

    assert locked.files["locks/runtime.lock"] == lock
    assert locked.origin().resolved == first.resolved
    assert locked.origin().resolver == first.resolver
    assert "core" in locked.origin().direct
    assert check(locked.project, "runtime").fresh


def test_pins_are_kept_when_a_requirement_is_added(locked: Town, index: LoopbackIndex) -> None:
    newer(index)
    index.add(make_wheel("more", "7", requires=["core"]))
    locked.edit('  "web",', '  "web", "more",')
    locked.foundation = None

    assert locked.run().changed

    assert locked.versions() == {"core": "1.0", "more": "7", "speed": "1.0", "web": "1.0"}
    assert locked.origin().resolved == locked.now


def test_a_pin_gives_way_where_it_must(locked: Town, index: LoopbackIndex) -> None:
    newer(index)
    locked.edit('  "web",', '  "web", "core>=2",')

    locked.run()

    assert locked.versions() == {"core": "2.0", "speed": "1.0", "web": "1.0"}


def test_a_requirement_that_goes_takes_its_own_with_it(locked: Town) -> None:
    locked.edit('  "web",\n', "")

    locked.run()

    assert locked.versions() == {"speed": "1.0"}


def test_upgrade_takes_the_newest_wheels_and_keeps_the_foundation(
    locked: Town, index: LoopbackIndex
) -> None:
    newer(index)
    locked.foundation = None

    assert locked.run(upgrade=frozenset({"*"})).changed

    assert locked.versions() == {"core": "2.0", "speed": "2.0", "web": "2.0"}


def test_upgrade_of_one_package(locked: Town, index: LoopbackIndex) -> None:
    newer(index)

    locked.run(upgrade=frozenset({"core"}))

    assert locked.versions() == {"core": "2.0", "speed": "1.0", "web": "1.0"}


def test_upgrade_of_the_foundation_keeps_the_wheels(locked: Town, index: LoopbackIndex) -> None:
    newer(index)
    locked.foundation = replace(FOUNDATION, debs=(NEWER_LIBC, PYTHON))

    assert locked.run(upgrade_foundation=True).changed

    assert locked.lock().platforms[0].debs == (NEWER_LIBC, PYTHON)
    assert locked.versions() == {"core": "1.0", "speed": "1.0", "web": "1.0"}


def test_another_foundation_is_solved_anew(locked: Town) -> None:
    locked.solved.clear()
    locked.edit('["python3.11"]', '["python3.11", "dash"]')

    locked.run()

    assert [str(platform) for platform in locked.solved] == ["linux/amd64", "linux/arm64"]


def test_a_new_platform_takes_the_versions_of_the_others(town: Town, index: LoopbackIndex) -> None:
    town.edit(', "linux/arm64"', "")
    town.run()
    newer(index)
    town.edit('"linux/amd64"', '"linux/amd64", "linux/arm64"')

    town.run()

    amd64, arm64 = ({w.name: w.version for w in one.wheels} for one in town.lock().platforms)
    assert amd64 == arm64 == {"core": "1.0", "speed": "1.0", "web": "1.0"}


def test_a_lock_without_its_origin_keeps_its_pins(locked: Town, index: LoopbackIndex) -> None:
    """As after a merge by hand."""
    lock = locked.files["locks/runtime.lock"]
    (locked.root / "locks/runtime.origin.toml").unlink()
    newer(index)

    assert not locked.run().changed

    assert locked.files["locks/runtime.lock"] == lock
    assert check(locked.project, "runtime").fresh


def test_a_lock_that_was_ended_before_its_origin_keeps_its_foundation(
    locked: Town, index: LoopbackIndex
) -> None:
    origin = locked.root / "locks/runtime.origin.toml"
    before = origin.read_bytes()
    debs = locked.origin().debs
    newer(index)
    done = locked.run(upgrade=frozenset({"web"}))
    origin.write_bytes(before)
    assert not check(locked.project, "runtime").fresh
    locked.foundation = None

    again = locked.run()

    assert (again.digest, again.changed) == (done.digest, False)
    assert locked.origin().head.lock == done.digest
    assert locked.origin().debs == debs
    assert check(locked.project, "runtime").fresh


def test_the_origin_of_another_foundation_says_nothing_of_this_one(locked: Town) -> None:
    origin = locked.root / "locks/runtime.origin.toml"
    before = origin.read_bytes()
    locked.foundation = replace(FOUNDATION, debs=(NEWER_LIBC, PYTHON))
    locked.run(upgrade_foundation=True)
    origin.write_bytes(before)
    locked.foundation = None

    with pytest.raises(ArchiveDownError):
        locked.run()


def test_attributes_that_people_wrote_stay(town: Town) -> None:
    (town.root / "locks").mkdir()
    (town.root / "locks/.gitattributes").write_text("* -text linguist-generated\n")

    town.run()

    assert town.files["locks/.gitattributes"] == b"* -text linguist-generated\n"


def test_the_same_from_any_folder_and_in_any_order(
    locked: Town, index: LoopbackIndex, tmp_path: Path
) -> None:
    index.files.reverse()
    elsewhere = Town(tmp_path / "else where", Machine(tmp_path / "other machine", index))
    (elsewhere.root / "profiles").mkdir(parents=True)
    elsewhere.write(PROFILE.replace('  "web",\n  "speed",\n', '  "speed", "Web", "web>=0.5",\n'))

    elsewhere.run()

    assert elsewhere.files["locks/runtime.lock"] == locked.files["locks/runtime.lock"]


CHILD = 'extends = "runtime"\nrequirements = ["extra"]\n'


def test_a_child_holds_its_parents_part(locked: Town, index: LoopbackIndex) -> None:
    newer(index)
    index.add(make_wheel("extra", "3", requires=["core"]))
    locked.write(CHILD, "ml")

    locked.run("ml", upgrade=frozenset({"*"}))

    assert locked.versions("ml") == {"core": "1.0", "extra": "3", "speed": "1.0", "web": "1.0"}
    assert [w.generation for w in locked.lock("ml").platforms[0].wheels] == [
        *("runtime", "runtime", "runtime"),
        "ml",
    ]


def test_a_family_is_locked_from_its_oldest_member_on(locked: Town) -> None:
    locked.write('extends = "cpu"\n', "apps")
    locked.write('extends = "runtime"\n', "cpu")
    locked.write('extends = "runtime"\n', "a")

    assert family_order(locked.project, ("apps", "a", "cpu", "runtime")) == (
        *("runtime", "a", "cpu", "apps"),
    )
    assert family_order(locked.project, ("apps", "runtime")) == ("runtime", "apps")


def test_the_descendants_that_a_new_lock_makes_stale(locked: Town) -> None:
    locked.write('extends = "cpu"\n', "apps")
    locked.write('extends = "runtime"\n', "cpu")
    locked.write('extends = "runtime"\n', "unlocked")
    locked.write("colour = 1\n", "broken")
    locked.run("cpu")
    locked.run("apps")
    assert stale_below(locked.project, ["runtime"]) == ()

    locked.edit('  "web",\n', "")
    locked.run()

    assert stale_below(locked.project, ["runtime"]) == ("cpu", "apps")
    assert stale_below(locked.project, ["cpu"]) == ("apps",)
    assert stale_below(locked.project, ["runtime", "cpu"]) == ("apps",)
    with pytest.raises(StaleLockError, match="of cpu is stale: changed: parent"):
        locked.run("apps")
    locked.run("cpu")
    locked.run("apps")
    assert stale_below(locked.project, ["runtime"]) == ()


def test_a_descendant_that_the_new_policy_of_its_parent_forbids_is_stale(
    locked: Town, index: LoopbackIndex
) -> None:
    index.add(make_wheel("extra", "3"))
    locked.write(CHILD, "ml")
    locked.run("ml")
    locked.write(PROFILE + '[policy]\nforbid = ["extra"]\n')

    locked.run()

    assert stale_below(locked.project, ["runtime"]) == ("ml",)


def test_a_child_that_replaces_a_package(locked: Town, index: LoopbackIndex) -> None:
    newer(index)
    locked.write('extends = "runtime"\nreplaces = ["Core"]\nrequirements = ["core>=2"]\n', "ml")

    locked.run("ml")

    assert locked.versions("ml") == {"core": "2.0", "speed": "1.0", "web": "1.0"}
    assert [row.name for row in locked.lock("ml").platforms[1].replaced] == ["core"]
    assert check(locked.project, "ml").fresh
    locked.edit('replaces = ["Core"]\n', "", "ml")
    assert [str(reason) for reason in check(locked.project, "ml").reasons] == ["changed: replaces"]


def test_a_child_waits_for_its_parent(locked: Town, index: LoopbackIndex) -> None:
    index.add(make_wheel("extra", "3"))
    locked.write(CHILD, "ml")
    locked.edit('  "web",\n', "")
    before = locked.files

    with pytest.raises(StaleLockError, match=r"the lock of runtime is stale: .*removed: web"):
        locked.run("ml")

    assert locked.files == before


def fails(town: Town, error: type[Exception], match: str, **wish: object) -> None:
    """Locking fails, and not a byte of the project changes."""
    before = town.files
    with pytest.raises(error, match=match):
        town.run(**wish)
    assert town.files == before


def test_no_resolution_names_requirement_and_line(locked: Town, index: LoopbackIndex) -> None:
    index.add(make_wheel("jobs", "1", requires=["core<1"]))
    locked.edit('  "web",', '  "web",\n  "jobs",')

    fails(locked, ResolutionError, r"profiles/runtime\.toml:6 asks for jobs.*core")


def test_a_package_that_no_index_has(locked: Town) -> None:
    locked.edit('  "web",', '  "web", "wbe",')

    fails(locked, UnknownPackageError, r"profiles/runtime\.toml:5 asks for wbe")


def test_a_package_without_a_wheel_for_a_platform(locked: Town, index: LoopbackIndex) -> None:
    index.add(native("odd", "1.0", "x86_64"))
    locked.edit('  "web",', '  "web", "odd",')

    fails(locked, NoWheelError, r"no resolution on linux/arm64 .*asks for odd")


def test_a_package_that_the_policy_forbids(locked: Town, index: LoopbackIndex) -> None:
    index.add(make_wheel("more", "7", requires=["nvidia-cuda"]), make_wheel("nvidia-cuda"))
    locked.edit('  "web",', '  "web", "more",')
    (locked.root / "basestore.toml").write_text('[policy]\nforbid = ["nvidia-*"]\n')

    fails(locked, PolicyHitError, r"nvidia-cuda 1.0 is forbidden .*more -> nvidia-cuda")


def test_an_index_that_is_down(locked: Town) -> None:
    locked.edit('  "web",', '  "web", "more",')
    locked.machine.mirrors = {"default": f"http://{closed_address()}/simple"}

    fails(locked, IndexUnreachableError, r"127\.0\.0\.1:\d+ can't be reached")


def test_an_index_that_is_down_for_the_first_lock(town: Town, index: LoopbackIndex) -> None:
    index.status = 503

    fails(town, IndexUnreachableError, "503")
    assert not (town.root / "locks").exists()


def test_an_archive_that_is_down(town: Town) -> None:
    town.foundation = None

    fails(town, ArchiveDownError, "down")


def test_a_locked_wheel_that_was_replaced_in_its_index(locked: Town, index: LoopbackIndex) -> None:
    """The same file name with other bytes; only asking for the package takes it."""
    file = "core-1.0-py3-none-any.whl"
    other = make_wheel("core", "1.0", {"core/__init__.py": b"# other\n"})
    assert other.file == file
    index.remove(file)
    index.add(other, make_wheel("more"))
    locked.edit('  "web",', '  "web", "more",')
    shutil.rmtree(locked.machine.folder / "uv-cache")

    fails(locked, ChangedWheelError, f"{file} is locked with sha256")

    locked.run(upgrade=frozenset({"core"}))
    assert {w.sha256.hex for w in locked.lock().platforms[0].wheels} >= {other.sha256}


def test_a_folder_that_cannot_be_written(town: Town) -> None:
    (town.root / "locks").write_text("a file")

    fails(town, UnreachableError, r"locks/runtime\.lock .*can't be written")
