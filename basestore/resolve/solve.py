"""From a profile to its lock: the foundation first, then the wheels for it, platform by platform.

What is the same in the previous lock stays as it is; what the parent has is the parent's, but for
what the profile replaces.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from basestore.digest import Digest
from basestore.lock.config import image_config, path_conflicts
from basestore.lock.inputs import Part
from basestore.lock.model import Lock, PlatformLock, Replaced, Wheel
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
from basestore.resolve.family import UnneededReplacementError
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.known import Known
from basestore.resolve.paths import shortest_paths
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

    Raises ForbiddenPackageError, UnneededReplacementError, and what `Known.check`,
    `resolve_closure`, `choose`, `keep` and the ports raise.
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
        wanted = self._wanted(target)
        preferences = Preferences(self.known.pins(self.profile, platform), self.options.upgrade)
        closure = resolve_closure(self.ports.uv, wanted, preferences)
        self._check_policy(closure, platform)
        self._check_replaced(closure, platform)
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
        replaced = sorted(self._replaced(answer), key=lambda row: (order[row.generation], row.name))
        return PlatformLock(
            platform=target.platform,
            python=target.python,
            glibc=target.glibc,
            debs=tuple(sorted(answer.foundation.debs, key=lambda deb: deb.name)),
            wheels=tuple(wheels),
            replaced=tuple(replaced),
        )

    def _wheels(self, answer: _Answer, sizes: Mapping[Digest, int]) -> Iterator[Wheel]:
        kept = self._kept(answer)
        yield from kept.values()
        for name, wheel in answer.chosen.items():
            if name not in kept:
                version = answer.closure.packages[name].version
                size, digest = sizes[wheel.sha256], wheel.sha256
                yield Wheel(name, version, wheel.file, size, digest, self.profile.name)

    def _replaced(self, answer: _Answer) -> Iterator[Replaced]:
        platform, kept = answer.target.platform, self._kept(answer)
        yield from self.known.replaced(platform)
        for name, wheel in self.known.parents(platform).items():
            if name not in kept:
                yield Replaced(name, wheel.size, wheel.generation)

    def _kept(self, answer: _Answer) -> Mapping[str, Wheel]:
        """The parent's wheels that stay; of replaced packages those that were chosen all the same.

        So a layer stays shared where the profile comes to the very wheel of its parent.
        """
        return {
            name: wheel
            for name, wheel in self.known.parents(answer.target.platform).items()
            if name not in self.profile.replaces or answer.chosen[name].sha256 == wheel.sha256
        }

    @property
    def _roots(self) -> list[str]:
        return _names(self.profile)

    def _wanted(self, target: Target) -> Wanted:
        profile = self.profile
        demands = (*self._inherited(target.platform), *map(Demand.of, self._asked()))
        return Wanted(profile.name, target, demands, profile.indexes, tuple(profile.replaces))

    def _inherited(self, platform: Platform) -> Iterator[Demand]:
        parent = self.profile.parent
        if parent is None:
            return
        paths = shortest_paths(_names(parent), self.known.parents_requires())
        for name, wheel in self.known.inherited(platform, self.profile.replaces).items():
            path = paths.get(name, (name,))
            yield Demand.locked(wheel, path, parent.demanded(path[0]))

    def _asked(self) -> Iterator[Requirement]:
        """The profile's requirements, and its ancestors' of what it replaces."""
        replaces = self.profile.replaces
        for name in replaces:
            yield from self.profile.demanded(name)
        yield from (one for one in self.profile.requirements if one.name not in replaces)

    def _keep(self, package: IndexedPackage, target: Target) -> IndexedWheel | None:
        name, platform = package.name, target.platform
        parents = self.known.parents(platform).get(name)
        if parents is not None and name not in self.profile.replaces:
            return keep(package, parents, target)
        same = [w for w in package.wheels if parents is not None and w.sha256 == parents.sha256]
        if same:
            return same[0]
        own = self.known.own(self.profile, platform).get(name)
        if own is None or own.version != package.version or self.options.upgrade & {name, "*"}:
            return None
        return keep(package, own, target)

    def _check_policy(self, closure: Closure, platform: Platform) -> None:
        for name in closure.packages:
            if rule := matches(name, self.profile.forbid):
                path = closure.path(name, self._roots)
                raise ForbiddenPackageError(name, rule, platform, path, self._stated(rule))

    def _stated(self, rule: str) -> str:
        """The oldest profile of the lineage that has a rule; a project's rules are in all."""
        return next(one.name for one in self.profile.lineage if rule in one.forbid)

    def _check_replaced(self, closure: Closure, platform: Platform) -> None:
        parents = self.known.parents(platform)
        for name, place in self.profile.replaces.items():
            if name in parents and name not in closure.packages:
                generation = parents[name].generation
                raise UnneededReplacementError(place, name, generation, platform)


def _names(profile: Profile) -> list[str]:
    """What a profile and its ancestors ask for, by name."""
    return [r.name for generation in profile.lineage for r in generation.requirements]


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
