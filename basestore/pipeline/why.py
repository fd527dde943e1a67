"""Why: what brings a package into a lock, and what it weighs. Reads lock, origins and profile."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import NoReturn

from basestore.digest import Digest
from basestore.errors import DisagreementError, InputError, UsageError
from basestore.lock.files import NoLockError, lock_file, origin_file, read_lock, read_origin
from basestore.lock.graph import Graph, Path, deb_graph, wheel_graph
from basestore.lock.model import Deb, Lock, PlatformLock, Wheel
from basestore.lock.origin import Origin
from basestore.profile.document import read_document, read_file
from basestore.profile.lines import key_lines
from basestore.profile.model import Location, Project
from basestore.profile.names import normalised
from basestore.profile.project import profile_names
from basestore.target import Platform

MOST_PATHS = 200
"""So many paths are given at most, the shortest: there can be millions."""

_LIKE = 3  # so many names of a like spelling are told
_PART = 3  # a part of a name has at least so many letters


class Kind(StrEnum):
    """What a package of a lock is."""

    WHEEL = "wheel"
    DEB = "deb"


class NoOriginError(DisagreementError):
    """A lock has no origin that describes it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{origin_file(name)} {reason}, so that nobody knows what brought its packages",
            f"take it back from version control, or run `basestore lock {name}`",
        )


class UnknownPackageError(UsageError):
    """The lock has no package of that name."""

    def __init__(
        self,
        profile: str,
        package: str,
        known: Sequence[str],
        others: Sequence[str],
        base: str = "",
    ) -> None:
        from difflib import get_close_matches

        name = normalised(package)
        parts = [one for one in known if len(name) >= _PART and name in one.split("-")]
        like = get_close_matches(name, known, n=_LIKE, cutoff=0.6) or parts[:_LIKE]
        hint = "name a wheel or .deb as the lock does"
        files = " and ".join(lock_file(name) for name in (profile, base) if name)
        if others:
            hint = f"the lock of {' and of '.join(others)} holds it"
        elif like:
            hint = f"did you mean {' or '.join(like)}?"
        verb = "hold" if base else "holds"
        super().__init__(f"{files} {verb} no package {package!r}", hint)
        self.package = package


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes of a package on one platform, as wheels and .debs are downloaded.

    ``only``: what would not be there without it, the heaviest first. ``whole``: all of its kind.
    """

    platform: Platform
    version: str
    own: int
    only: tuple[tuple[str, int], ...]
    whole: int

    @property
    def together(self) -> int:
        """The package and what only it brings."""
        return self.own + sum(size for _, size in self.only)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a package is in a lock, or for a service in that of its base.

    ``generation``: the profile of the family that brought it, or the service. ``paths``: the
    shortest from each requirement, or as many as were asked for; ``cut``: there are more than
    `MOST_PATHS`. ``base``: what a service has it from; then its own requirements come first.
    """

    profile: str
    kind: Kind
    name: str
    generation: str
    paths: tuple[Path, ...]
    weights: tuple[Weight, ...]
    cut: bool = False
    base: str = ""

    @property
    def version(self) -> str:
        """Its version; where platforms have different ones, all of them."""
        return ", ".join(dict.fromkeys(weight.version for weight in self.weights))


def why(project: Project, profile: str, package: str, every: bool) -> tuple[Reason, ...]:
    """Why a package is in a profile's lock: as a wheel, as a .deb, or as both.

    A service has what its base has, too. ``every``: each path, not only the shortest from each
    requirement. Raises NoLockError, NoOriginError, UnknownPackageError and what reading the files
    raises.
    """
    lock, digest = read_lock(project, profile)
    origins = _origins(project, lock, digest)
    found = _reasons(project, lock, origins, package, every)
    if found or not lock.base:
        return found or _unknown(project, [lock], package)
    below, digest_below = read_lock(project, lock.base)
    origins_below = _origins(project, below, digest_below)
    own = wheel_graph(lock, origins).shortest_paths(normalised(package))
    found = tuple(
        replace(
            reason,
            profile=profile,
            base=lock.base,
            paths=(*own, *reason.paths) if reason.kind is Kind.WHEEL else reason.paths,
        )
        for reason in _reasons(project, below, origins_below, package, every)
    )
    return found or _unknown(project, [lock, below], package)


def _reasons(
    project: Project, lock: Lock, origins: Mapping[str, Origin], package: str, every: bool
) -> tuple[Reason, ...]:
    found = []
    name = normalised(package)
    if name in _sizes(lock, Kind.WHEEL):
        graph = wheel_graph(lock, origins)
        found.append(_reason(lock, Kind.WHEEL, name, graph, every))
    if package in _sizes(lock, Kind.DEB):
        asked = _foundation(project, lock.lineage[0])
        graph = deb_graph(lock, origins[lock.profile], asked)
        found.append(_reason(lock, Kind.DEB, package, graph, every))
    return tuple(found)


def _unknown(project: Project, locks: Sequence[Lock], package: str) -> NoReturn:
    kinds = (Kind.WHEEL, Kind.DEB)
    known = sorted({name for lock in locks for kind in kinds for name in _sizes(lock, kind)})
    names = [lock.profile for lock in locks]
    others = _holders(project, names, package)
    raise UnknownPackageError(names[0], package, known, others, "".join(names[1:]))


def _origins(project: Project, lock: Lock, digest: Digest) -> Mapping[str, Origin]:
    origins = {}
    for name in lock.lineage:
        origin = read_origin(project, name)
        if origin is None:
            raise NoOriginError(name, "is missing")
        origins[name] = origin
    if origins[lock.profile].head.lock != digest:
        raise NoOriginError(lock.profile, f"describes another lock than {lock_file(lock.profile)}")
    return origins


def _reason(lock: Lock, kind: Kind, name: str, graph: Graph, every: bool) -> Reason:
    paths = (
        tuple(islice(graph.paths(name), MOST_PATHS + 1)) if every else graph.shortest_paths(name)
    )
    only = graph.only_through(name)
    weights = tuple(_weights(lock, kind, name, only))
    generations = [w.generation for p in lock.platforms for w in p.wheels if w.name == name]
    return Reason(
        profile=lock.profile,
        kind=kind,
        name=name,
        generation=generations[0] if kind is Kind.WHEEL else lock.lineage[0],
        paths=paths[:MOST_PATHS] if every else paths,
        weights=weights,
        cut=every and len(paths) > MOST_PATHS,
    )


def _weights(lock: Lock, kind: Kind, name: str, only: frozenset[str]) -> Iterator[Weight]:
    for platform in lock.platforms:
        artifacts = {one.name: one for one in _artifacts(platform, kind)}
        if name in artifacts:
            light = ((n, artifacts[n].size) for n in only if n in artifacts)
            yield Weight(
                platform=platform.platform,
                version=artifacts[name].version,
                own=artifacts[name].size,
                only=tuple(sorted(light, key=lambda row: (-row[1], row[0]))),
                whole=sum(one.size for one in artifacts.values()),
            )


def _artifacts(platform: PlatformLock, kind: Kind) -> tuple[Wheel | Deb, ...]:
    return platform.wheels if kind is Kind.WHEEL else platform.debs


def _sizes(lock: Lock, kind: Kind) -> set[str]:
    return {one.name for platform in lock.platforms for one in _artifacts(platform, kind)}


def _foundation(project: Project, profile: str) -> Mapping[str, tuple[Location, ...]]:
    """Where a profile names packages of its foundation."""
    file = project.file_of(profile)
    data = read_file(project.root, file)
    table = read_document(file, data).table("foundation") if data is not None else None
    if table is None:
        return {}
    lines = key_lines(table.document.text)
    return {
        name: (Location(file, lines["foundation", "packages", number]),)
        for number, name in enumerate(table.strings("packages") or ())
    }


def _holders(project: Project, but: Sequence[str], package: str) -> tuple[str, ...]:
    """The profiles whose locks hold a package, but for some."""
    names = {package, normalised(package)}
    found = []
    for other in profile_names(project):
        try:
            lock = read_lock(project, other)[0] if other not in but else None
        except (NoLockError, InputError):
            continue  # what is wrong there has nothing to do with this question
        if lock and names & {*_sizes(lock, Kind.WHEEL), *_sizes(lock, Kind.DEB)}:
            found.append(other)
    return tuple(found)
