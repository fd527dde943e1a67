"""Lock: a profile becomes its lock and origin; what need not change stays as it is."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from basestore.digest import Digest
from basestore.errors import InputError, PolicyError, UsageError
from basestore.lock import codec
from basestore.lock.files import NoLockError, read_lock, read_origin, write_lock
from basestore.lock.freshness import Freshness, StaleLockError, check, source_files
from basestore.lock.inputs import inputs
from basestore.lock.model import Lock
from basestore.lock.origin import Head
from basestore.lock.policy import Hit, PolicyHitError
from basestore.profile.cutoff import moment_of
from basestore.profile.model import Profile, Project
from basestore.profile.project import profile_names
from basestore.profile.reader import read_profile
from basestore.recipe.plan import plan
from basestore.resolve import known
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.learn import Learn, learn_nothing
from basestore.resolve.pin import Pin, Tells, pin_nothing, tells_all
from basestore.resolve.ports import Ports, SolveOptions
from basestore.resolve.solve import Solution, solve
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
    """What locking asks of the world.

    ``now`` is the time that an origin may name, and by which policies judge; ``learn`` finds out
    what they ask about wheels, ``pin`` digests that no index tells, and ``tells`` which are told.
    """

    uv: Uv
    foundation: Callable[[Profile, Platform], SolvedFoundation]
    measure: Callable[[Sequence[IndexedWheel]], Mapping[Digest, int]]
    now: datetime
    learn: Learn = learn_nothing
    pin: Pin = pin_nothing
    tells: Tells = tells_all


@dataclass(frozen=True, slots=True)
class Locked:
    """A profile's lock after locking. ``packages``: distinct wheels and .debs by name.

    ``warnings``: what the policy only warns of.
    """

    profile: str
    digest: Digest
    previous: Digest | None
    packages: int
    warnings: tuple[Hit, ...] = ()

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
    fresh = {name: _freshness(project, name, None) for name in names}
    there = [name for name, one in fresh.items() if one is None or one.lock]
    found = [read_lock(project, name)[0] for name in there]
    held = {wheel.name for lock in found for one in lock.platforms for wheel in one.wheels}
    for package in packages:
        if package not in held:
            raise UnknownUpgradeError(package, names)


def lock_profile(project: Project, name: str, wish: SolveOptions, world: World) -> Locked:
    """Lock one profile; nothing is resolved where its lock is fresh and no upgrade is wished.

    Raises StaleLockError for a parent's lock that is not fresh, and what reading profiles and
    locks and what resolving raises; the files are then as they were.
    """
    freshness = _freshness(project, name, world.now)
    profile = read_profile(project, name)
    if profile.parent:
        parent = check(project, profile.parent.name, world.now)
        if not parent.fresh:
            raise StaleLockError(parent)
    job = _job(project, profile)
    anew = wish.upgrade or wish.upgrade_foundation
    if freshness and freshness.fresh and job.known.previous and job.previous and not anew:
        return _keep(job, job.known.previous, job.previous, freshness)
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


def _freshness(project: Project, name: str, now: datetime | None) -> Freshness | None:
    """What `check` finds; None where the policy refuses the lock there is: a new one may pass."""
    try:
        return check(project, name, now)
    except PolicyHitError:
        return None


def _keep(job: _Job, previous: known.Locked, digest: Digest, freshness: Freshness) -> Locked:
    """The lock stays; where the raw bytes of its files have changed, the origin notes them."""
    how = previous.origin
    if freshness.moved and how:
        files = source_files(job.profile, job.parent)
        head = replace(how.head, files=files, waived=freshness.waived)
        write_lock(job.project, previous.lock, replace(how, head=head))
    packages = _packages(previous.lock)
    return Locked(job.profile.name, digest, digest, packages, freshness.warnings)


def _resolve(job: _Job, wish: SolveOptions, world: World) -> Locked:
    solution = solve(
        job.profile, job.known, _limited(job.profile, wish, world.now), _ports(job, world)
    )
    for platform in solution.lock.platforms:
        plan(solution.lock, platform)  # too many layers are to be known before anybody builds
    digest = _write(job, solution, world)
    packages, warnings = _packages(solution.lock), solution.verdict.warnings
    return Locked(job.profile.name, digest, job.previous, packages, warnings)


def _ports(job: _Job, world: World) -> Ports:
    return Ports(
        world.uv,
        lambda platform: world.foundation(job.profile, platform),
        world.measure,
        world.learn,
        world.now,
        world.pin,
        world.tells,
    )


def _limited(profile: Profile, wish: SolveOptions, now: datetime) -> SolveOptions:
    """The wish with the profile's ``exclude-newer``, unless the wish has one."""
    if profile.exclude_newer is None or wish.before is not None:
        return wish
    return replace(wish, before=moment_of(profile.exclude_newer, now))


def _write(job: _Job, solution: Solution, world: World) -> Digest:
    """Write lock and origin; the resolver and the time are those of the lock's last change."""
    digest = Digest.of(codec.write(solution.lock))
    now = inputs(job.profile, job.parent)
    files, waived = source_files(job.profile, job.parent), solution.verdict.waived
    head = Head(digest, now.digest, files, waived)
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
