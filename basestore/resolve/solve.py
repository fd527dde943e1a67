"""From a profile to its lock: the foundation first, then the wheels for it, platform by platform.

What is the same in the previous lock stays as it is; what the parent has is the parent's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from basestore.digest import Digest
from basestore.lock.config import image_config, path_conflicts
from basestore.lock.inputs import Part
from basestore.lock.model import Lock, PlatformLock, Wheel
from basestore.lock.origin import (
    DebOrigin,
    Head,
    Origin,
    PackageOrigin,
    merge_debs,
    merge_packages,
)
from basestore.profile.model import Location, Profile, Requirement
from basestore.profile.names import matches
from basestore.resolve.explain import Demand, ForbiddenPackageError, Wanted
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.known import Known
from basestore.resolve.wheels import Closure, Preferences, choose, keep, resolve_closure
from basestore.sources.pylock import IndexedPackage, IndexedWheel
from basestore.sources.uv import Target, Uv
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Ports:
    """What solving asks of the world.

    ``foundation`` solves a platform's foundation anew; ``measure`` tells wheels' sizes in bytes.
    """

    uv: Uv
    foundation: Callable[[Platform], SolvedFoundation]
    measure: Callable[[Sequence[IndexedWheel]], Mapping[Digest, int]]


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """``upgrade``: packages whose earlier version means nothing, ``*`` for all.

    ``upgrade_foundation``: likewise for the .debs. A parent's part is the parent's all the same.
    """

    upgrade: frozenset[str] = frozenset()
    upgrade_foundation: bool = False


@dataclass(frozen=True, slots=True)
class Solution:
    """A lock and how it came about. ``direct``: where each requirement of the profile stands."""

    lock: Lock
    direct: Mapping[str, tuple[Location, ...]]
    packages: Mapping[str, PackageOrigin]
    debs: Mapping[str, DebOrigin]

    def origin(
        self, head: Head, parts: Mapping[Part, Digest], resolver: str, resolved: datetime
    ) -> Origin:
        """The origin to write beside the lock."""
        return Origin(head, resolver, resolved, parts, self.direct, self.packages, self.debs)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A platform solved but for the sizes."""

    target: Target
    foundation: SolvedFoundation
    closure: Closure
    chosen: Mapping[str, IndexedWheel]


def solve(profile: Profile, known: Known, options: SolveOptions, ports: Ports) -> Solution:
    """The lock of a profile.

    Raises ParentLockError, ForbiddenPackageError, and what `resolve_closure`, `choose`, `keep` and
    the ports raise.
    """
    from concurrent.futures import ThreadPoolExecutor

    known.check(profile)
    solver = _Solver(profile, known, options, ports)
    platforms = sorted(profile.platforms)
    foundations = [solver.foundation(platform) for platform in platforms]
    with ThreadPoolExecutor(len(platforms), thread_name_prefix="solve") as pool:
        answers = list(pool.map(solver.answer, platforms, foundations))
    locked = solver.locked(answers)
    lock = Lock(
        profile=profile.name,
        image=image_config(profile),
        platforms=locked,
        lineage=tuple(generation.name for generation in profile.lineage),
        path_conflicts=path_conflicts(profile, locked),
    )
    packages = merge_packages([_package_origins(answer) for answer in answers])
    debs = merge_debs([_deb_origins(answer.foundation, profile) for answer in answers])
    return Solution(lock, _direct(profile.requirements), packages, debs)


@dataclass(frozen=True, slots=True)
class _Solver:
    """Solves one profile, a platform at a time. Safe for threads."""

    profile: Profile
    known: Known
    options: SolveOptions
    ports: Ports

    def foundation(self, platform: Platform) -> SolvedFoundation:
        """The parent's, the previous one, or one solved anew."""
        kept = self.known.parents_foundation(self.profile, platform)
        if kept is None and not self.options.upgrade_foundation:
            kept = self.known.previous_foundation(self.profile, platform)
        return kept or self.ports.foundation(platform)

    def answer(self, platform: Platform, foundation: SolvedFoundation) -> _Answer:
        """The wheels of one platform."""
        target = Target(platform, foundation.python, foundation.glibc)
        wanted = Wanted(self.profile.name, target, tuple(self._demands(platform)))
        preferences = Preferences(self.known.pins(platform), self.options.upgrade)
        closure = resolve_closure(self.ports.uv, wanted, self.profile.indexes, preferences)
        self._check_policy(closure, platform)
        chosen = {
            name: self._keep(package, target)
            or choose(package, wanted, closure.path(name, self._roots))
            for name, package in closure.packages.items()
        }
        return _Answer(target, foundation, closure, chosen)

    def locked(self, answers: Sequence[_Answer]) -> tuple[PlatformLock, ...]:
        """The platforms' parts of the lock, once all sizes are known."""
        chosen = [wheel for answer in answers for wheel in answer.chosen.values()]
        # An upgrade asks anew, so that a size that a server told wrongly can be mended.
        sizes = {} if self.options.upgrade else self.known.sizes()
        unknown = [wheel for wheel in chosen if wheel.sha256 not in sizes]
        sizes = {**sizes, **self.ports.measure(unknown)}
        return tuple(self._platform(answer, sizes) for answer in answers)

    def _platform(self, answer: _Answer, sizes: Mapping[Digest, int]) -> PlatformLock:
        target = answer.target
        order = {generation.name: n for n, generation in enumerate(self.profile.lineage)}
        wheels = sorted(
            self._wheels(answer, sizes), key=lambda wheel: (order[wheel.generation], wheel.name)
        )
        debs = tuple(sorted(answer.foundation.debs, key=lambda deb: deb.name))
        return PlatformLock(target.platform, target.python, target.glibc, debs, tuple(wheels))

    def _wheels(self, answer: _Answer, sizes: Mapping[Digest, int]) -> Iterator[Wheel]:
        inherited = self.known.inherited(answer.target.platform)
        yield from inherited.values()
        for name, wheel in answer.chosen.items():
            if name not in inherited:
                version = answer.closure.packages[name].version
                size, digest = sizes[wheel.sha256], wheel.sha256
                yield Wheel(name, version, wheel.file, size, digest, self.profile.name)

    @property
    def _roots(self) -> list[str]:
        return [r.name for generation in self.profile.lineage for r in generation.requirements]

    def _demands(self, platform: Platform) -> Iterator[Demand]:
        yield from map(Demand.locked, self.known.inherited(platform).values())
        yield from map(Demand.of, self.profile.requirements)

    def _keep(self, package: IndexedPackage, target: Target) -> IndexedWheel | None:
        wheel = self.known.locked(target.platform).get(package.name)
        if wheel is None or wheel.version != package.version:
            return None
        inherited = package.name in self.known.inherited(target.platform)
        if self.options.upgrade & {package.name, "*"} and not inherited:
            return None
        return keep(package, wheel, target)

    def _check_policy(self, closure: Closure, platform: Platform) -> None:
        for name in closure.packages:
            if rule := matches(name, self.profile.forbid):
                raise ForbiddenPackageError(name, rule, platform, closure.path(name, self._roots))


def _direct(requirements: Sequence[Requirement]) -> Mapping[str, tuple[Location, ...]]:
    direct: dict[str, set[Location]] = {}
    for requirement in requirements:
        direct.setdefault(requirement.name, set()).add(requirement.location)
    return {name: tuple(sorted(direct[name])) for name in sorted(direct)}


def _package_origins(answer: _Answer) -> Mapping[str, PackageOrigin]:
    closure = answer.closure
    return {
        name: PackageOrigin(closure.indexes[name], closure.requires[name], wheel.uploaded)
        for name, wheel in sorted(answer.chosen.items())
    }


def _deb_origins(foundation: SolvedFoundation, profile: Profile) -> Mapping[str, DebOrigin]:
    requires = foundation.requires
    return {
        deb.name: DebOrigin(profile.foundation.suite, requires.get(deb.name, ()))
        for deb in foundation.debs
    }
