"""Locks of the past: what `basestore lock` would have written at the end of past days.

Each day is a project of its own below a cache folder: a copy of this one's profiles, with locks
that the real pipeline wrote. So a repeat finds them fresh and asks nobody, and an edited profile is
locked anew.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path

from bench.replay.plans import Family, Week
from bench.replay.releases import History, Release, end_of
from loopback_index import loopback_index

from basestore.cli.context import open_store, open_transport, open_uv
from basestore.cli.settings import Settings
from basestore.digest import Digest
from basestore.lock.files import lock_file, origin_file, read_lock, read_origin
from basestore.lock.freshness import check
from basestore.pipeline.lock import World, lock_profile
from basestore.profile.model import Profile, Project
from basestore.profile.project import read_project
from basestore.profile.reader import read_profile
from basestore.progress import Progress
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.ports import SolveOptions
from basestore.resolve.sizes import measure
from basestore.sources.pylock import IndexedWheel
from basestore.sources.uv import Target, Uv
from basestore.target import Platform

Sizes = Callable[[Sequence[IndexedWheel]], Mapping[Digest, int]]


@dataclass(frozen=True, slots=True)
class Replay:
    """What is replayed: a profile on one platform, at the ends of these days, oldest first."""

    project: Project
    profile: str
    platform: Platform
    days: tuple[date, ...]
    cache: Path

    def family(self, project: Project) -> Family:
        """The profile and its ancestors as a project has them locked."""
        lineage = read_profile(project, self.profile).lineage
        return tuple(self._week(project, profile.name) for profile in lineage)

    def _week(self, project: Project, name: str) -> Week:
        lock, _ = read_lock(project, name)
        how = read_origin(project, name)
        packages = how.packages.items() if how else ()
        requires = {name: package.requires for name, package in packages}
        return Week(lock, lock.platform(self.platform), requires)


@dataclass(slots=True)
class Measured:
    """Sizes of wheels, each asked for once."""

    ask: Sizes
    known: dict[Digest, int] = field(default_factory=dict)

    def __call__(self, wheels: Sequence[IndexedWheel]) -> Mapping[Digest, int]:
        """The sizes of wheels in bytes by digest."""
        self.known |= self.ask([wheel for wheel in wheels if wheel.sha256 not in self.known])
        return self.known


def relock(replay: Replay, settings: Settings, tell: Callable[[str], None]) -> list[Family]:
    """The family's locks of all days; those that the cache lacks are resolved, and told.

    Raises what `lock_profile` raises, and NoLockError where the project isn't locked today.
    """
    projects = {day: _copy(replay, day) for day in replay.days}
    stale = [day for day, project in projects.items() if not check(project, replay.profile).fresh]
    if stale:
        with _past(replay, settings, stale) as world_of:
            for day in stale:
                tell(f"lock {replay.profile} as of {day}")
                with world_of(day) as world:
                    wish = SolveOptions(before=end_of(day))
                    _lock(projects[day], replay.profile, wish, world)
    return [replay.family(project) for project in projects.values()]


def _copy(replay: Replay, day: date) -> Project:
    """The day's project, with the profile's files as they are today."""
    root = replay.cache / day.isoformat()
    (root / "profiles").mkdir(parents=True, exist_ok=True)
    for file in read_profile(replay.project, replay.profile).files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(replay.project.root / file, root / file)
    return read_project(root)


def _lock(project: Project, name: str, wish: SolveOptions, world: World) -> None:
    """Lock a family as nothing had been locked before, which is a full upgrade."""
    for profile in read_profile(project, name).lineage:
        if not check(project, profile.name).fresh:
            for file in (lock_file(profile.name), origin_file(profile.name)):
                (project.root / file).unlink(missing_ok=True)
            lock_profile(project, profile.name, wish, world)


@contextmanager
def _past(
    replay: Replay, settings: Settings, days: Sequence[date]
) -> Iterator[Callable[[date], AbstractContextManager[World]]]:
    """What locking asks of the world, as it was at the end of each of the days, oldest first."""
    uv, store = open_uv(settings), open_store(settings)
    indexes = read_profile(replay.project, replay.profile).indexes
    history = _history(replay, uv, [name for index in indexes for name in index.packages])
    released = {day: tuple(history.on(day)) for day in days}
    with open_transport(settings) as transport:
        everything = _until(days[-1], released)
        sizes = _sizes(everything, lambda wheels: measure(store, transport, wheels, Progress()))

        @contextmanager
        def world(day: date) -> Iterator[World]:
            with loopback_index() as served:
                served.files += [one.file for one in _until(day, released).values()]
                mirrors = {**uv.mirrors, **{index.name: served.url for index in indexes}}
                now = datetime.combine(day, time(), UTC)
                foundation = _foundation_of(replay.project)
                yield World(replace(uv, mirrors=mirrors), foundation, sizes, now)

        yield world


def _until(day: date, released: Mapping[date, Sequence[Release]]) -> Mapping[Digest, Release]:
    """What the named indexes had at the end of a day.

    No cut-off does that: a profile may say that an index of it tells no upload times.
    """
    return {one.digest: one for then in released if then <= day for one in released[then]}


def _history(replay: Replay, uv: Uv, names: Sequence[str]) -> History:
    today = replay.family(replay.project)[-1]
    target = Target(today.platform.platform, today.platform.python, today.platform.glibc)
    wheels = [wheel for wheel in today.platform.wheels if wheel.name in names]
    return History(uv, target, wheels, today.requires)


def _sizes(released: Mapping[Digest, Release], ask: Sizes) -> Measured:
    return Measured(ask, {digest: release.size for digest, release in released.items()})


def _foundation_of(project: Project) -> Callable[[Profile, Platform], SolvedFoundation]:
    """The foundations of today's locks: an archive's index tells of no other day."""

    def foundation(profile: Profile, platform: Platform) -> SolvedFoundation:
        locked = read_lock(project, profile.name)[0].platform(platform)
        how, here = read_origin(project, profile.name), {deb.name for deb in locked.debs}
        debs = {name: one for name, one in how.debs.items() if name in here} if how else {}
        return SolvedFoundation(
            locked.debs,
            locked.python,
            locked.glibc,
            {name: tuple(n for n in one.requires if n in here) for name, one in debs.items()},
            {name: one.provides for name, one in debs.items() if one.provides},
        )

    return foundation
