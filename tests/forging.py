"""A locked project; lock and origin are changed together, as a pull request may change them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from committing import GIT, git
from debmaker import MadeDeb, make_deb, packages_file
from loopback_index import LoopbackIndex
from requiring import NOW
from resolving import World as Machine
from wheelmaker import MadeWheel, make_wheel

from basestore.debian.packages import PackagesIndex, SuiteIndex
from basestore.digest import Digest
from basestore.lock import codec
from basestore.lock.files import read_lock, read_origin, write_lock
from basestore.lock.model import Deb, Lock, Wheel
from basestore.lock.origin import DebOrigin, Origin, PackageOrigin
from basestore.pipeline.archives import Archives
from basestore.pipeline.edges import verify_edges
from basestore.pipeline.lock import World, lock_profile
from basestore.pipeline.lock_again import Again, lock_again
from basestore.pipeline.verify import Finding
from basestore.profile.model import Profile, Project
from basestore.profile.project import read_project
from basestore.progress import Progress
from basestore.resolve.foundation import SolvedFoundation, solve_foundation
from basestore.resolve.pin import Pinner, tells
from basestore.resolve.ports import SolveOptions
from basestore.resolve.sizes import measure
from basestore.sources.git import Git
from basestore.state import State
from basestore.target import Platform
from basestore.transport import Transport

Answer = TypeVar("Answer")

WHEELS = (
    make_wheel(
        "web",
        "1.0",
        requires=[
            "core>=1,<2",
            "tool; extra == 'tools'",
            "win; sys_platform == 'win32'",
            "web[tools]; extra == 'most'",
        ],
        requires_python=">=3.8,<3.11",
    ),
    make_wheel("core", "1.0"),
    make_wheel("core", "1.1"),
    make_wheel("core", "2.0"),
    make_wheel("core", "0.9"),
    make_wheel("tool", "1.0", requires=["web[all]", "helper"]),
    make_wheel("helper", "1.0"),
    make_wheel("helper", "1.1"),
    make_wheel("stray", "1.0"),
    make_wheel("future", "1.0", requires_python=">=3.12"),
)
DEBS = (
    make_deb("python3.11", "3.11.2-6", depends="libc6 (>= 2.30), mime | plain-mime"),
    make_deb("libc6", "2.36-9"),
    make_deb("plain-mime", "1", provides="mime"),
    make_deb("stray-deb", "1"),
    make_deb("old-libc", "1", conflicts="libc6"),
)
PROFILE = """python = "3.11"
platforms = ["linux/amd64"]
requirements = ["web[most]"]
[foundation]
debian = "bookworm"
packages = ["mime", "python3.11"]
"""


@dataclass
class Forgery:
    """The project; ``suite``: the .debs of its signed index."""

    root: Path
    machine: Machine
    suite: Sequence[MadeDeb] = DEBS
    asked_for: list[str] = field(default_factory=list)

    @property
    def project(self) -> Project:
        """The project as it lies there."""
        return read_project(self.root)

    def write(self, text: str, name: str = "runtime") -> None:
        """Write a profile."""
        (self.root / "profiles").mkdir(parents=True, exist_ok=True)
        (self.root / f"profiles/{name}.toml").write_text(text)

    def lock(self, name: str = "runtime", **wish: object) -> None:
        """Lock, as a user does."""
        self._in_the_world(
            lambda world: lock_profile(self.project, name, SolveOptions(**wish), world)
        )

    def again(self, since: str | None = None, name: str = "runtime") -> Again:
        """Solve again."""
        revision = Git(self.root, GIT).revision(since) if since else None
        declare = Archives(self.machine.store).deb
        return self._in_the_world(
            lambda world: lock_again(self.project, name, world, revision, declare)
        )

    def edges(self, name: str = "runtime") -> tuple[Finding, ...]:
        """Hold it to the archives in the store."""
        return verify_edges(self.project, name, self.machine.store, State.none())

    def have(self, *archives: MadeWheel | MadeDeb) -> None:
        """Put archives into the store."""
        for one in archives:
            self.machine.store.blobs.add(one.data)

    def commit(self) -> None:
        """Commit all of it."""
        if not (self.root / ".git").exists():
            git(self.root, "init", "-q", "-b", "main")
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "-m", "a commit")

    def read(self, name: str = "runtime") -> tuple[Lock, Origin]:
        """What lies there."""
        how = read_origin(self.project, name)
        assert how is not None
        return read_lock(self.project, name)[0], how

    def forge(self, change: "Change", name: str = "runtime") -> None:
        """Change lock and origin, so that each is of the other and can be read."""
        lock, how = change(*self.read(name))
        head = replace(how.head, lock=Digest.of(codec.write(lock)))
        write_lock(self.project, lock, replace(how, head=head))

    def _in_the_world(self, do: Callable[[World], Answer]) -> Answer:
        with Transport(sleep=lambda _: None) as transport:
            store = self.machine.store

            def sizes(wheels):  # type: ignore[no-untyped-def]
                return measure(store, transport, wheels, Progress())

            def suite(name: str, platform: Platform) -> SuiteIndex:
                self.asked_for.append(f"{name} {platform}")
                return SuiteIndex(name, [PackagesIndex("", packages_file(self.suite))])

            def foundation(profile: Profile, platform: Platform) -> SolvedFoundation:
                index = suite(profile.foundation.suite, platform)
                return solve_foundation(index, profile.foundation, profile.python, platform)

            pin, told = Pinner(store, transport, Progress()), partial(tells, transport)
            uv = self.machine.uv
            return do(World(uv, foundation, sizes, NOW, pin=pin, tells=told, suite=suite))


Change = Callable[[Lock, Origin], tuple[Lock, Origin]]


def nothing(lock: Lock, how: Origin) -> tuple[Lock, Origin]:
    """A change of nothing."""
    return lock, how


def wheel_of(made: MadeWheel) -> Wheel:
    """A row as `lock` writes it."""
    name, version, *_ = made.file.split("-")
    return Wheel(name, version, made.file, len(made.data), Digest(made.sha256), "runtime")


def made(name: str, version: str) -> MadeWheel:
    """One of the wheels."""
    return next(one for one in WHEELS if one.file.startswith(f"{name}-{version}-"))


def wheels(*changes: tuple[str, Wheel | None]) -> Change:
    """Rows put in by name, or taken out; the origin's row of what is taken out goes too."""

    def change(lock: Lock, how: Origin) -> tuple[Lock, Origin]:
        (here,) = lock.platforms
        rows = {wheel.name: wheel for wheel in here.wheels} | dict(changes)
        kept = sorted((row for row in rows.values() if row), key=lambda row: row.name)
        packages = {name: row for name, row in how.packages.items() if rows.get(name, True)}
        new = (name for name, one in changes if one and name not in packages)
        packages |= {name: PackageOrigin("default") for name in new}
        return (
            replace(lock, platforms=(replace(here, wheels=tuple(kept)),)),
            replace(how, packages=packages),
        )

    return change


def row(name: str, **fields: object) -> Change:
    """The lock's row of a wheel with other fields."""

    def change(lock: Lock, how: Origin) -> tuple[Lock, Origin]:
        (here,) = lock.platforms
        rows = tuple(
            replace(wheel, **fields) if wheel.name == name else wheel for wheel in here.wheels
        )
        return replace(lock, platforms=(replace(here, wheels=rows),)), how

    return change


def package(name: str, **fields: object) -> Change:
    """The origin's row of a package with other fields."""

    def change(lock: Lock, how: Origin) -> tuple[Lock, Origin]:
        rows = {**how.packages, name: replace(how.packages[name], **fields)}
        return lock, replace(how, packages=rows)

    return change


def deb_rows(do: Callable[[dict[str, Deb]], object]) -> Change:
    """The lock's .debs, changed in place."""

    def change(lock: Lock, how: Origin) -> tuple[Lock, Origin]:
        (here,) = lock.platforms
        rows = {deb.name: deb for deb in here.debs}
        do(rows)
        kept = tuple(rows[name] for name in sorted(rows))
        return replace(lock, platforms=(replace(here, debs=kept),)), how

    return change


def deb_origin(name: str, **fields: object) -> Change:
    """The origin's row of a .deb with other fields."""

    def change(lock: Lock, how: Origin) -> tuple[Lock, Origin]:
        rows = {**how.debs, name: replace(how.debs.get(name, DebOrigin("bookworm")), **fields)}
        return lock, replace(how, debs=rows)

    return change


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(lock: Lock, how: Origin) -> tuple[Lock, Origin]:
        for one in changes:
            lock, how = one(lock, how)
        return lock, how

    return change


def town(folder: Path, index: LoopbackIndex) -> Forgery:
    """The project, locked to the versions of its time; its archives are in the store."""
    index.add(*WHEELS)
    found = Forgery(folder / "project", Machine(folder / "machine", index))
    found.write(PROFILE)
    found.lock()
    found.have(*WHEELS, *DEBS)
    return found
