"""Facts: what policies judge, out of a lock, its origin and its profile. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from basestore.lock.graph import Graph, Path
from basestore.lock.model import Lock, PlatformLock
from basestore.lock.origin import PackageOrigin
from basestore.profile.model import Profile
from basestore.profile.place import Location
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel of a platform. ``path``: the shortest way to it, None where none is known.

    ``licences`` and ``standing`` as in `PackageOrigin`: None where nobody has asked.
    """

    name: str
    version: str
    size: int
    index: str
    uploaded: datetime | None
    licences: tuple[str, ...] | None
    standing: str | None
    path: Path | None

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """A platform's packages by name, and the size of its .debs in bytes."""

    platform: Platform
    packages: Mapping[str, Package]
    debs: int

    @property
    def size(self) -> int:
        """Bytes of all wheels and .debs."""
        return self.debs + sum(package.size for package in self.packages.values())


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a policy can judge of a lock. ``lineage``: ancestors first, the profile last."""

    lineage: tuple[str, ...]
    platforms: tuple[PlatformFacts, ...]


def facts(profile: Profile, lock: Lock, origins: Mapping[str, PackageOrigin]) -> Facts:
    """The facts about a profile's lock; ``origins``: how its packages got in, by name."""
    paths = _paths(profile, origins)
    lineage = tuple(generation.name for generation in profile.lineage)
    return Facts(lineage, tuple(_platform(one, origins, paths) for one in lock.platforms))


def _platform(
    lock: PlatformLock, origins: Mapping[str, PackageOrigin], paths: Mapping[str, Path]
) -> PlatformFacts:
    packages = {}
    for wheel in lock.wheels:
        how = origins.get(wheel.name, PackageOrigin(""))
        packages[wheel.name] = Package(
            wheel.name,
            wheel.version,
            wheel.size,
            how.index,
            how.uploaded,
            how.licences,
            how.standing,
            paths.get(wheel.name),
        )
    return PlatformFacts(lock.platform, packages, sum(deb.size for deb in lock.debs))


def _paths(profile: Profile, origins: Mapping[str, PackageOrigin]) -> Mapping[str, Path]:
    graph = Graph({name: how.requires for name, how in origins.items()}, _asked(profile))
    return graph.nearest()


def _asked(profile: Profile) -> Mapping[str, tuple[Location, ...]]:
    names = {one.name for generation in profile.lineage for one in generation.requirements}
    return {name: tuple(one.location for one in profile.demanded(name)) for name in sorted(names)}
