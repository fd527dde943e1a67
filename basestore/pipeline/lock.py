"""Lock: a profile becomes its lock and origin; what need not change stays as it is."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from basestore.digest import Digest
from basestore.errors import InputError, PolicyError, UsageError
from basestore.lock import codec
from basestore.lock.files import NoLockError, read_lock, read_origin, write_lock
from basestore.lock.freshness import StaleLockError, check, source_files
from basestore.lock.inputs import inputs
from basestore.lock.model import Lock
from basestore.lock.origin import Head
from basestore.profile.model import Profile, Project
from basestore.profile.project import profile_names
from basestore.profile.reader import read_profile
from basestore.recipe.plan import plan
from basestore.resolve import known
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.solve import Ports, Solution, SolveOptions, solve
from basestore.sources.pylock import IndexedWheel
from basestore.sources.uv import Uv
from basestore.target import Platform


class UnknownUpgradeError(UsageError):
    """A package is to be upgraded that no lock holds."""

    def __init__(self, package: str, profiles: Sequence[str]) -> None:
        super().__init__(
            f"{package} is to be upgraded, but the locks of {', '.join(profiles)} don't hold it",
            "check the spelling, or add it to a profile's requirements",
        )
        self.package = package


@dataclass(frozen=True, slots=True)
class World:
    """What locking asks of the world. ``now`` is the time that an origin may name."""

    uv: Uv
    foundation: Callable[[Profile, Platform], SolvedFoundation]
    measure: Callable[[Sequence[IndexedWheel]], Mapping[Digest, int]]
    now: datetime


@dataclass(frozen=True, slots=True)
class Locked:
    """A profile's lock after locking. ``packages``: distinct wheels and .debs by name."""

    profile: str
    digest: Digest
    previous: Digest | None
    packages: int

    @property
    def changed(self) -> bool:
        """Whether the lock has other bytes than before."""
        return self.digest != self.previous


@dataclass(frozen=True, slots=True)
class _Job:
    """A profile to lock, with the locks that are known, and their digests."""

    project: Project
    profile: Profile
    known: known.Known
    parent: Digest | None
    previous: Digest | None


def family_order(project: Project, names: Iterable[str]) -> tuple[str, ...]:
    """Profiles with parents before children, else in the order given."""
    wanted = tuple(names)
    lineages = (read_profile(project, name).lineage for name in wanted)
    ordered = dict.fromkeys(one.name for lineage in lineages for one in lineage)
    return tuple(name for name in ordered if name in wanted)


def stale_below(project: Project, names: Collection[str]) -> tuple[str, ...]:
    """The profiles that descend from those named and whose locks are stale, in family order.

    What has no lock yet is left out, and so are profiles that can't be read.
    """
    others = (name for name in profile_names(project) if name not in names)
    below = [name for name in others if _ancestors(project, name) & set(names)]
    return family_order(project, [name for name in below if _is_stale(project, name)])


def check_upgrade(project: Project, names: Sequence[str], packages: Iterable[str]) -> None:
    """Raise UnknownUpgradeError for a package, by its normalised name, that no lock holds."""
    found = [read_lock(project, name)[0] for name in names if check(project, name).lock]
    held = {wheel.name for lock in found for one in lock.platforms for wheel in one.wheels}
    for package in packages:
        if package not in held:
            raise UnknownUpgradeError(package, names)


def lock_profile(project: Project, name: str, wish: SolveOptions, world: World) -> Locked:
    """Lock one profile; nothing is resolved where its lock is fresh and no upgrade is wished.

    Raises StaleLockError for a parent's lock that is not fresh, and what reading profiles and
    locks and what resolving raises; the files are then as they were.
    """
    freshness = check(project, name)
    profile = read_profile(project, name)
    if profile.parent:
        parent = check(project, profile.parent.name)
        if not parent.fresh:
            raise StaleLockError(parent)
    job = _job(project, profile)
    kept = freshness.fresh and not wish.upgrade and not wish.upgrade_foundation
    if kept and job.known.previous and job.previous:
        return _keep(job, job.known.previous, job.previous, bool(freshness.moved))
    return _resolve(job, wish, world)


def _ancestors(project: Project, name: str) -> set[str]:
    try:
        profile = read_profile(project, name)
    except InputError:
        return set()
    return {ancestor.name for ancestor in profile.lineage[:-1]}


def _is_stale(project: Project, name: str) -> bool:
    try:
        freshness = check(project, name)
    except (InputError, PolicyError):
        return True  # its own `lock` tells what is wrong with it
    return freshness.lock is not None and not freshness.fresh


def _job(project: Project, profile: Profile) -> _Job:
    parent, parent_digest = _read(project, profile.parent.name) if profile.parent else (None, None)
    previous, digest = _read(project, profile.name)
    return _Job(project, profile, known.Known(parent, previous), parent_digest, digest)


def _read(project: Project, name: str) -> tuple[known.Locked | None, Digest | None]:
    """A lock with the origin that describes it, if that one is there."""
    try:
        lock, digest = read_lock(project, name)
    except NoLockError:
        return None, None
    how = read_origin(project, name)
    return known.Locked(lock, how if how and how.head.lock == digest else None), digest


def _keep(job: _Job, previous: known.Locked, digest: Digest, moved: bool) -> Locked:
    """The lock stays; where the raw bytes of its files have changed, the origin notes them."""
    how = previous.origin
    if moved and how:
        files = source_files(job.profile, job.parent)
        write_lock(job.project, previous.lock, replace(how, head=replace(how.head, files=files)))
    return Locked(job.profile.name, digest, digest, _packages(previous.lock))


def _resolve(job: _Job, wish: SolveOptions, world: World) -> Locked:
    ports = Ports(world.uv, lambda platform: world.foundation(job.profile, platform), world.measure)
    solution = solve(job.profile, job.known, wish, ports)
    for platform in solution.lock.platforms:
        plan(solution.lock, platform)  # too many layers are to be known before anybody builds
    digest = _write(job, solution, world)
    return Locked(job.profile.name, digest, job.previous, _packages(solution.lock))


def _write(job: _Job, solution: Solution, world: World) -> Digest:
    """Write lock and origin; the resolver and the time are those of the lock's last change."""
    digest = Digest.of(codec.write(solution.lock))
    now = inputs(job.profile, job.parent)
    head = Head(digest, now.digest, source_files(job.profile, job.parent))
    before = job.known.previous.origin if job.known.previous else None
    if before and before.head.lock == digest:
        origin = solution.origin(head, now.parts, before.resolver, before.resolved)
    else:
        origin = solution.origin(head, now.parts, f"uv {world.uv.version()}", world.now)
    return write_lock(job.project, solution.lock, origin)


def _packages(lock: Lock) -> int:
    wheels = {("wheel", wheel.name) for one in lock.platforms for wheel in one.wheels}
    debs = {("deb", deb.name) for one in lock.platforms for deb in one.debs}
    return len(wheels | debs)
