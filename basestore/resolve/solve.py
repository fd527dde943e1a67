"""From a profile to its lock: the foundation first, then the wheels for it, platform by platform.

What is the same in the previous lock stays as it is; what the parent has is the parent's, but for
what the profile replaces.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from basestore.digest import Digest
from basestore.lock.config import image_config, path_conflicts, record_exceptions
from basestore.lock.foundation import foundation_digest
from basestore.lock.inputs import Part
from basestore.lock.model import Lock, PlatformLock, Replaced, Wheel
from basestore.lock.origin import DebOrigin, Head, Origin, PackageOrigin
from basestore.lock.policy import Verdict
from basestore.profile.model import Location, Profile, Requirement
from basestore.profile.service import Service
from basestore.resolve.answer import (
    Answer,
    asked_names,
    deb_origins,
    direct_places,
    package_origins,
)
from basestore.resolve.direct import Direct, by_requirement
from basestore.resolve.explain import Demand, Wanted
from basestore.resolve.family import UnneededReplacementError
from basestore.resolve.foundation import SolvedFoundation
from basestore.resolve.known import Known
from basestore.resolve.learn import Learned
from basestore.resolve.merge import merge_debs, merge_packages
from basestore.resolve.paths import shortest_paths
from basestore.resolve.pick import Picker
from basestore.resolve.pin import find_untold, tells_all
from basestore.resolve.policy import judge, learn_for
from basestore.resolve.ports import Ports, SolveOptions
from basestore.resolve.taken import take
from basestore.resolve.wheels import Closure, Preferences, resolve_closure
from basestore.sources.direct import as_asked, asked_by_url, team_direct_places
from basestore.sources.team_lock import read_team_lock
from basestore.sources.uv import Target
from basestore.sources.uv_failure import IndexAccessError, IndexUnreachableError
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Solution:
    """A lock and how it came about. ``direct``: where each requirement of the profile stands.

    ``verdict``: the policy's, which has no hits. ``gone``: packages that stay as they are believed
    to be, and which their indexes list no more.
    """

    lock: Lock
    direct: Mapping[str, tuple[Location, ...]]
    packages: Mapping[str, PackageOrigin]
    debs: Mapping[str, DebOrigin]
    verdict: Verdict = field(default_factory=Verdict)
    gone: tuple[str, ...] = ()

    def origin(
        self, head: Head, parts: Mapping[Part, Digest], resolver: str, resolved: datetime
    ) -> Origin:
        """The origin to write beside the lock."""
        return Origin(
            head,
            resolver,
            resolved,
            parts,
            self.direct,
            self.packages,
            self.debs,
            foundation=foundation_digest(self.lock),
        )


def solve(profile: Profile, known: Known, options: SolveOptions, ports: Ports) -> Solution:
    """The lock of a profile.

    Raises PolicyHitError, UnneededReplacementError, IdleRecordExceptionError, and what
    `Known.check`, `resolve_closure`, `choose`, `keep` and the ports raise.
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
    if profile.service:
        lock = _lacking(lock, profile.service)
    lock = replace(lock, record_exceptions=record_exceptions(profile, lock.platforms))
    learned = solver.learned(answers)
    untold = solver.untold(answers)
    merged = merge_packages([package_origins(answer, learned, untold) for answer in answers])
    packages = {**merged, **known.kept_origins()}
    verdict = judge(profile, lock, packages, ports.now)
    bases = () if profile.service else answers  # a service's .debs are its base's
    debs = merge_debs([deb_origins(answer.foundation, profile) for answer in bases])
    gone = solver.gone(answers)
    return Solution(lock, direct_places(profile, answers), packages, debs, verdict, gone)


def _lacking(lock: Lock, service: Service) -> Lock:
    """A service's lock out of the lock of its whole closure: what its base lacks."""
    return replace(
        lock,
        base=service.base,
        lineage=(service.name,),
        path_conflicts={},
        platforms=tuple(
            replace(
                one,
                debs=(),
                wheels=tuple(w for w in one.wheels if w.generation == service.name),
                replaced=(),
            )
            for one in lock.platforms
        ),
    )


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

    def answer(self, platform: Platform, foundation: SolvedFoundation) -> Answer:
        """The wheels of one platform."""
        target = Target(platform, foundation.python, foundation.glibc)
        wanted = self._wanted(target)
        preferences = self._preferences(platform)
        closure = self._taken(target) or self._resolved(wanted, preferences)
        self._check_replaced(closure, platform)
        direct = Direct(self.profile, self.ports.uv.environ, self.ports.pin)
        picker = Picker(self.profile, self.known, self.options.upgrade, self.ports.pin, direct)
        chosen = {name: picker.pick(name, wanted, closure) for name in closure.packages}
        return Answer(target, foundation, closure, chosen)

    def _resolved(self, wanted: Wanted, preferences: Preferences) -> Closure:
        try:
            return resolve_closure(self.ports.uv, wanted, preferences)
        except (IndexUnreachableError, IndexAccessError) as error:
            raise by_requirement(error, self.profile) from error

    def _taken(self, target: Target) -> Closure | None:
        """The closure out of a team's lock, where the profile takes one."""
        team = self.profile.team_lock
        if team is None:
            return None
        inherited = self.known.inherited(target.platform, self.profile.replaces)
        found = read_team_lock(team, target, self.ports.uv)
        return take(self.profile, found, inherited, self.known.parents_origins())

    def _preferences(self, platform: Platform) -> Preferences:
        fixed = frozenset(self.known.inherited(platform, self.profile.replaces))
        pins, options = self.known.pins(self.profile, platform), self.options
        new = frozenset(pins) - self.known.settled(self.profile) if self.known.doubted else set()
        gone = self.known.gone
        return Preferences(pins, options.upgrade, fixed, options.before, frozenset(new), gone)

    def learned(self, answers: Sequence[Answer]) -> Mapping[Digest, Learned]:
        """What the policy has to know of the chosen wheels."""
        chosen = [(answer.closure, answer.chosen) for answer in answers]
        return learn_for(self.profile.policy, self.known, chosen, self.ports.learn)

    def untold(self, answers: Sequence[Answer]) -> frozenset[Digest]:
        """The digests that no index told."""
        chosen = [(answer.closure, answer.chosen) for answer in answers]
        # The digests of a team's lock are that lock's word: no index is asked.
        tells = tells_all if self.profile.team_lock else self.ports.tells
        return find_untold(self.known, chosen, tells, self.ports.uv.trusted)

    def gone(self, answers: Sequence[Answer]) -> tuple[str, ...]:
        """The packages of its own that are kept though no index lists them."""
        if not self.known.doubted or self.profile.team_lock:
            return ()
        names = self.known.gone | {
            name
            for answer in answers
            for name, wheel in answer.chosen.items()
            if not wheel.url and name not in self.known.parents(answer.target.platform)
        }
        return tuple(sorted(names))

    def locked(self, answers: Sequence[Answer]) -> tuple[PlatformLock, ...]:
        """The platforms' parts of the lock, once all sizes are known."""
        chosen = [wheel for answer in answers for wheel in answer.chosen.values()]
        # An upgrade asks anew, so that a size that a server told wrongly can be mended.
        sizes = {} if self.options.upgrade else self.known.sizes()
        unknown = [wheel for wheel in chosen if wheel.sha256 not in sizes]
        sizes = {**sizes, **self.ports.measure(unknown)}
        return tuple(self._platform(answer, sizes) for answer in answers)

    def _platform(self, answer: Answer, sizes: Mapping[Digest, int]) -> PlatformLock:
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

    def _wheels(self, answer: Answer, sizes: Mapping[Digest, int]) -> Iterator[Wheel]:
        kept = self._kept(answer)
        yield from kept.values()
        for name, wheel in answer.chosen.items():
            if name not in kept:
                version = answer.closure.packages[name].version
                size, digest = sizes[wheel.sha256], wheel.sha256
                yield Wheel(name, version, wheel.file, size, digest, self.profile.name)
        seen = self.known.seen(self.profile, answer.target.platform)
        yield from (seen[name] for name in sorted(self.known.gone & seen.keys() - kept.keys()))

    def _replaced(self, answer: Answer) -> Iterator[Replaced]:
        platform, kept = answer.target.platform, self._kept(answer)
        yield from self.known.replaced(platform)
        for name, wheel in self.known.parents(platform).items():
            if name not in kept:
                yield Replaced(name, wheel.size, wheel.generation)

    def _kept(self, answer: Answer) -> Mapping[str, Wheel]:
        """The parent's wheels that stay; of replaced packages those that were chosen all the same.

        So a layer stays shared where the profile comes to the very wheel of its parent.
        """
        return {
            name: wheel
            for name, wheel in self.known.parents(answer.target.platform).items()
            if name not in self.profile.replaces or self._is_chosen(answer, wheel)
        }

    def _is_chosen(self, answer: Answer, wheel: Wheel) -> bool:
        chosen = answer.chosen.get(wheel.name)
        return chosen is not None and chosen.sha256 == wheel.sha256

    def _wanted(self, target: Target) -> Wanted:
        profile = self.profile
        environ = self.ports.uv.environ
        gone = self.known.gone
        asked = (one for one in self._asked() if one.name not in gone)
        own = tuple(Demand.of(one, as_asked(one, environ)) for one in asked)
        inherited = tuple(d for d in self._inherited(target.platform) if d.name not in gone)
        needed = tuple(self._needed_by_gone())
        bounds = tuple(map(Demand.bound, profile.constraints))
        # A profile's lock has its whole closure. A service's has what its base lacks, so that of
        # its base's packages only those matter that it needs itself, and uv asks for no others.
        demands, bounds = (
            ((*own, *needed), (*inherited, *bounds))
            if profile.service
            else ((*inherited, *own, *needed), bounds)
        )
        return Wanted(
            profile.name,
            target,
            demands,
            profile.indexes,
            tuple(profile.replaces),
            bounds,
            profile.service.base if profile.service else "",
        )

    def _inherited(self, platform: Platform) -> Iterator[Demand]:
        parent = self.profile.parent
        if parent is None:
            return
        paths = shortest_paths(asked_names(parent), self.known.parents_requires())
        for name, wheel in self.known.inherited(platform, self.profile.replaces).items():
            path = paths.get(name, (name,))
            demand = Demand.locked(wheel, path, parent.demanded(path[0]))
            yield replace(demand, as_asked=self._by_url(parent, wheel))

    def _needed_by_gone(self) -> Iterator[Demand]:
        """What packages require of which no index tells that any more."""
        for name, origin in self.known.kept_origins().items():
            for required in origin.requires:
                if required not in self.known.gone:
                    extras = ",".join(self.known.kept_extras(required))
                    text = f"{required}[{extras}]" if extras else required
                    yield Demand(required, text, f"{name} requires {text}")

    def _by_url(self, parent: Profile, wheel: Wheel) -> str:
        """How a parent's wheel is asked for that lies at a URL; empty where an index has it."""
        if direct := asked_by_url(parent, wheel):
            return as_asked(direct, self.ports.uv.environ)
        places = team_direct_places(parent, {wheel.sha256}).values()
        return next((f"{wheel.name} @ {url}#sha256={wheel.sha256.hex}" for (url,) in places), "")

    def _asked(self) -> Iterator[Requirement]:
        """The profile's requirements, and its ancestors' of what it replaces."""
        replaces = self.profile.replaces
        for name in replaces:
            yield from self.profile.demanded(name)
        yield from (one for one in self.profile.requirements if one.name not in replaces)

    def _check_replaced(self, closure: Closure, platform: Platform) -> None:
        parents = self.known.parents(platform)
        for name, place in self.profile.replaces.items():
            is_there = name in closure.packages or name in self.known.gone
            if name in parents and not is_there:
                generation = parents[name].generation
                raise UnneededReplacementError(place, name, generation, platform)
