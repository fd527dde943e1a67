"""What is asked for, each parsed once, and where it is in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from basestore.lock.held.model import Case
from basestore.lock.model import PlatformLock, Wheel
from basestore.profile.model import Profile, Requirement

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

Environment = Mapping[str, str]
"""What markers are evaluated by."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A requirement or constraint as stated, with what its text says."""

    stated: Requirement
    specifier: "SpecifierSet | None" = None
    marker: "Marker | None" = None
    extras: frozenset[str] = frozenset()

    @classmethod
    def of(cls, stated: Requirement) -> Self:
        """That of a requirement; most are a name alone."""
        if stated.text == stated.name:
            return cls(stated)
        from packaging.requirements import Requirement as Parsed

        parsed = Parsed(stated.text)
        specifier = parsed.specifier if str(parsed.specifier) else None
        return cls(stated, specifier, parsed.marker, frozenset(parsed.extras))

    @property
    def name(self) -> str:
        """The package's name."""
        return self.stated.name

    def holds(self, environment: Environment) -> bool | None:
        """Whether it is in force; None where its marker asks what can't be told."""
        if self.marker is None:
            return True
        try:
            return self.marker.evaluate(dict(environment))
        except ValueError:  # UndefinedComparison and its like: `platform_release` of no machine
            return None

    def allows(self, wheel: Wheel) -> bool:
        """Whether a wheel's version is one of those asked for.

        A pre-release counts: whether there was anything else isn't known here.
        """
        if self.specifier is None:
            return True
        return all(_allows(one, wheel.version) for one in self.specifier)


def _allows(specifier: object, version: str) -> bool:
    from packaging.specifiers import Specifier
    from packaging.version import InvalidVersion, Version

    if not isinstance(specifier, Specifier):
        return True
    if specifier.operator == "===":  # uv compares versions there, packaging texts
        try:
            return Version(specifier.version) == Version(version)
        except InvalidVersion:
            return specifier.version.lower() == version.lower()
    return specifier.contains(version, prereleases=True)


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of a lock. ``own``: of those the profile's own, of what it brings itself."""

    requirements: tuple[Demand, ...]
    bounds: tuple[Demand, ...]
    own: frozenset[Requirement]

    @classmethod
    def of(cls, case: Case) -> Self:
        """Those of a profile's whole lineage; a service's are its own, for its base has its.

        What a profile brings by its team's lock is taken as it is: that lock alone is asked.
        """
        profile = case.profile
        stated = profile.requirements if profile.service else tuple(_demanded(profile))
        own = {*profile.requirements}
        for name in profile.replaces:
            own |= {*profile.demanded(name)}
        bounds = profile.constraints
        if profile.team_lock:
            stated = tuple(one for one in stated if one.name not in profile.replaces)
            bounds = ()
        requirements = tuple(map(Demand.of, dict.fromkeys(stated)))
        return cls(requirements, tuple(map(Demand.of, bounds)), frozenset(own))

    def roots(self, part: PlatformLock) -> frozenset[str]:
        """The names that are asked for on a platform, or may be."""
        environment = part.platform.markers(part.python)
        return frozenset(
            one.name for one in self.requirements if one.holds(environment) is not False
        )


def _demanded(profile: Profile) -> Iterator[Requirement]:
    names = {one.name for generation in profile.lineage for one in generation.requirements}
    for name in sorted(names):
        yield from profile.demanded(name)
