"""Lock: a profile becomes its lock and origin; what need not change stays as it is."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from basestore.debian.packages import SuiteIndex
from basestore.digest import Digest
from basestore.errors import InputError, PolicyError
from basestore.lock import codec
from basestore.lock.facts import facts
from basestore.lock.files import NoLockError, read_lock, read_origin, write_lock
from basestore.lock.foundation import foundation_digest
from basestore.lock.freshness import Freshness, StaleLockError, check, source_files
from basestore.lock.inputs import inputs
from basestore.lock.model import Lock
from basestore.lock.origin import Head, Origin
from basestore.lock.policy import Hit, PolicyHitError, Verdict
from basestore.lock.policy import check as judge
from basestore.lock.texts import texts_of
from basestore.pipeline.believe import believable, is_kept
from basestore.profile.cutoff import moment_of
from basestore.profile.family import ancestors, in_family_order, parents_of
from basestore.profile.model import Profile, Project, Requirement
from basestore.profile.policy import Waiver
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


@dataclass(frozen=True, slots=True)
class World:
    """What locking asks of the world.

    ``now`` is the time that an origin may name, and by which policies judge; ``learn`` finds out
    what they ask about wheels, ``pin`` digests that no index tells, and ``tells`` which are told.
    ``suite``: a suite's signed index for a platform, where rows of a lock are looked up.
    """

    uv: Uv
    foundation: Callable[[Profile, Platform], SolvedFoundation]
    measure: Callable[[Sequence[IndexedWheel]], Mapping[Digest, int]]
    now: datetime
    learn: Learn = learn_nothing
    pin: Pin = pin_nothing
    tells: Tells = tells_all
    suite: Callable[[str, Platform], SuiteIndex] | None = None


@dataclass(frozen=True, slots=True)
class Locked:
    """A profile's lock after locking. ``packages``: distinct wheels and .debs by name.

    ``warnings``: what the policy only warns of. ``idle``: its exceptions that except nothing here.
    """

    profile: str
    digest: Digest
    previous: Digest | None
    packages: int
    warnings: tuple[Hit, ...] = ()
    idle: tuple[Waiver, ...] = ()

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


def stale_below(project: Project, names: Collection[str]) -> tuple[str, ...]:
    """The profiles that descend from those named and whose locks are stale, in family order.

    What has no lock yet is left out.
    """
    parents = parents_of(project)
    wanted = [one for one in in_family_order(parents) if one not in names]
    below = [one for one in wanted if {*ancestors(parents, one)} & {*names}]
    return tuple(name for name in below if _is_stale(project, name))


def idle_waivers(project: Project, results: Sequence[Locked]) -> tuple[Waiver, ...]:
    """The exceptions that except nothing in any profile that they are for.

    Only those whose profiles were all locked: what another one needs isn't known here.
    """
    found: dict[Waiver, set[str]] = {}
    for one in results:
        for waiver in one.idle:
            found.setdefault(waiver, set()).add(one.profile)
    return tuple(waiver for waiver, idle in found.items() if idle >= {*_in_force(project, waiver)})


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
    if freshness and is_kept(freshness) and job.known.previous and job.previous and not anew:
        return _keep(job, job.known.previous, job.previous, world.now)
    return _resolve(job, believable(profile, job.known, job.parent, wish), world)


def _in_force(project: Project, waiver: Waiver) -> Iterator[str]:
    """The profiles that an exception is for."""
    for name in parents_of(project):
        try:
            profile = read_profile(project, name)
        except InputError:
            yield name
            continue
        lineage = [one.name for one in profile.lineage]
        if waiver in profile.policy.waivers and waiver.is_for(lineage):
            yield name


def _is_stale(project: Project, name: str) -> bool:
    try:
        freshness = check(project, name)
    except (InputError, PolicyError):
        return True  # its own `lock` tells what is wrong with it
    return freshness.lock is not None and not freshness.fresh


def _job(project: Project, profile: Profile) -> _Job:
    parent, parent_digest = (
        read_known(project, profile.parent.name) if profile.parent else (None, None)
    )
    previous, digest = read_known(project, profile.name)
    return _Job(project, profile, known.Known(parent, previous), parent_digest, digest)


def read_known(project: Project, name: str) -> tuple[known.Locked | None, Digest | None]:
    """A lock with the origin that describes it, if that one is there.

    A `lock` that was killed between the two names left an earlier lock's origin; that still says
    where the foundation is from, if only wheels have changed.
    """
    try:
        lock, digest = read_lock(project, name)
    except NoLockError:
        return None, None
    return known.Locked.of(lock, digest, read_origin(project, name)), digest


def _freshness(project: Project, name: str, now: datetime | None) -> Freshness | None:
    """What `check` finds; None where the policy refuses the lock there is: a new one may pass."""
    try:
        return check(project, name, now)
    except PolicyHitError:
        return None


def _keep(job: _Job, previous: known.Locked, digest: Digest, moment: datetime) -> Locked:
    """The lock stays; where files have changed that mean the same, the origin notes them."""
    how, lock = previous.origin, previous.lock
    verdict = Verdict()
    if how:
        if job.profile.policy.rules:
            verdict = judge(job.profile.policy, facts(job.profile, lock, how.packages), moment)
        now = inputs(job.profile, job.parent)
        head = Head(digest, now.digest, source_files(job.profile, job.parent), verdict.waived)
        how = replace(how, head=head, foundation=foundation_digest(lock))
        write_lock(job.project, lock, _restated(how, job.profile))
    packages = _packages(lock)
    return Locked(job.profile.name, digest, digest, packages, verdict.warnings, verdict.idle)


def _restated(how: Origin, profile: Profile) -> Origin:
    """An origin with the places and texts of today, where only these may have changed."""
    stated, bounds = texts_of(profile.requirements), texts_of(profile.constraints)
    direct = how.direct
    if profile.team_lock is None:
        found = {name: {one.location for one in asked} for name, asked in _by_name(profile).items()}
        direct = {name: tuple(sorted(found[name])) for name in sorted(found)}
    return replace(how, direct=direct, stated=stated, bounds=bounds)


def _by_name(profile: Profile) -> Mapping[str, Sequence[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for one in profile.requirements:
        found.setdefault(one.name, []).append(one)
    return found


def _resolve(job: _Job, wish: SolveOptions, world: World) -> Locked:
    solution = solve(
        job.profile, job.known, limited(job.profile, wish, world.now), ports(job.profile, world)
    )
    for platform in solution.lock.platforms:
        plan(solution.lock, platform)  # too many layers are to be known before anybody builds
    digest = _write(job, solution, world)
    packages, verdict = _packages(solution.lock), solution.verdict
    return Locked(job.profile.name, digest, job.previous, packages, verdict.warnings, verdict.idle)


def ports(profile: Profile, world: World) -> Ports:
    """What solving a profile asks of the world."""
    return Ports(
        world.uv,
        lambda platform: world.foundation(profile, platform),
        world.measure,
        world.learn,
        world.now,
        world.pin,
        world.tells,
    )


def limited(profile: Profile, wish: SolveOptions, now: datetime) -> SolveOptions:
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
    return write_lock(job.project, solution.lock, _restated(origin, job.profile))


def _packages(lock: Lock) -> int:
    wheels = {("wheel", wheel.name) for one in lock.platforms for wheel in one.wheels}
    debs = {("deb", deb.name) for one in lock.platforms for deb in one.debs}
    return len(wheels | debs)
