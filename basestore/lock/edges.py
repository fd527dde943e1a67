"""Edges: who requires whom by what the wheels themselves declare, against a lock and its origin.

An origin tells edges, and a lock is reached over them: both are words that a pull request may
change. What a wheel declares can't be changed without its digest. Pure: who has read the wheels
brings what they declare.

*reached*: a package that something asked for requires, itself or by others. *unread*: one of which
nobody here knows what it declares; for it the origin's word is followed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from basestore.lock.declared import Declared, Needed, UnreadableMetadataError
from basestore.lock.model import Wheel
from basestore.lock.origin import PackageOrigin
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class WheelSite:
    """The wheels of one platform, and what is known of them; all by package.

    ``held``: all that the image has, a base's included. ``own``: those that the lock answers for.
    ``roots``: what is asked for, with extras. ``declared``: of the wheels that were read. ``told``:
    the edges of the origin.
    """

    platform: Platform
    python: str
    held: Mapping[str, Wheel]
    own: frozenset[str]
    roots: Mapping[str, frozenset[str]]
    declared: Mapping[str, Declared]
    told: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of a check. ``faults``: a clause each, empty where all holds.

    ``unread``: packages of which it isn't known what they declare, each with the reason, empty
    where its wheel just wasn't there.
    """

    faults: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


def judge_wheels(sites: Sequence[WheelSite], packages: Mapping[str, PackageOrigin]) -> Judged:
    """Hold a lock's wheels and its origin's edges and extras to what the wheels declare.

    Each wheel is the package that it is locked as and runs on the Python there; what it requires is
    there within its bounds; nothing else is there; ``packages``, the origin's, tell these edges
    and no others. Where something is unread, less can be said, and nothing wrong is.
    """
    walks = [_Walker(site).walk() for site in sites]
    unread: dict[str, str] = {}
    for walk in walks:
        unread |= walk.unread
    faults = [fault for walk in walks for fault in (*walk.faults, *_strays(walk, not unread))]
    faults += _edges(walks, packages, not unread)
    faults += _extras(walks, packages, not unread)
    return Judged(tuple(dict.fromkeys(faults)), dict(sorted(unread.items())))


def judge_identities(site: WheelSite) -> Judged:
    """Only that each wheel is the package that it is locked as: a team's lock decides the rest."""
    unread = dict.fromkeys(sorted(site.own - site.declared.keys()), "")
    return Judged(tuple(_identities(site)), unread)


@dataclass(slots=True)
class _Walk:
    """What is reached on one platform. ``edges``: of what was read; ``asked``: with extras.

    ``noted``: the extras that others ask for. What a package asks of itself uv puts in the place of
    the extra that asks, and notes no further.
    """

    site: WheelSite
    edges: dict[str, set[str]] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=dict)
    noted: dict[str, set[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)


class _Walker:
    """Follows what wheels declare, from what is asked for."""

    def __init__(self, site: WheelSite) -> None:
        self._site = site
        self._environment = site.platform.markers(site.python)
        self._found = _Walk(site)
        self._todo: list[tuple[str, str]] = []

    def walk(self) -> _Walk:
        site, found = self._site, self._found
        found.faults += _identities(site)
        found.unread |= dict.fromkeys(sorted(site.own - site.declared.keys()), "")
        for name in sorted(site.roots):
            self._note(name, site.roots[name])
        while self._todo:
            name, extra = self._todo.pop()
            if name in found.unread or name not in site.declared:
                self._believe(name)
            else:
                self._follow(name, extra)
        return found

    def _note(self, name: str, extras: frozenset[str]) -> None:
        self._found.noted.setdefault(name, set()).update(extras)
        self._ask(name, extras)

    def _ask(self, name: str, extras: frozenset[str]) -> None:
        """A package is asked for with these extras; each is followed once."""
        if name not in self._site.held:
            return
        first = name not in self._found.asked
        known = self._found.asked.setdefault(name, set())
        self._todo += [(name, extra) for extra in sorted(extras - known)]
        known |= extras
        if first:
            self._todo.append((name, ""))

    def _follow(self, name: str, extra: str) -> None:
        try:
            needs = tuple(self._site.declared[name].needs(self._environment, extra))
        except UnreadableMetadataError as error:
            self._found.unread[name] = f"nobody can read {error}"
            self._found.edges.pop(name, None)
            self._believe(name)
            return
        edges = self._found.edges.setdefault(name, set())
        for need in needs:
            if need.name == name:
                self._ask(name, need.extras)
                continue
            edges.add(need.name)
            self._found.faults += self._unmet(name, need)
            self._note(need.name, need.extras)

    def _believe(self, name: str) -> None:
        """Follow what the origin tells of a package that can't be read."""
        self._found.unread.setdefault(name, "")
        for one in self._site.told.get(name, ()):
            self._ask(one, frozenset())

    def _unmet(self, name: str, need: Needed) -> Iterator[str]:
        wheel, found = self._site.held[name], self._site.held.get(need.name)
        who = f"{wheel.name} {wheel.version} requires {need.text}"
        if found is None:
            yield f"{who}, which is not in the lock"
        elif not need.admits(found.version):
            yield f"{who}, and the lock has {found.name} {found.version}"


def _identities(site: WheelSite) -> Iterator[str]:
    from packaging.version import Version

    for name, declared in sorted(site.declared.items()):
        wheel = site.held[name]
        try:
            same = declared.name == name and Version(declared.version) == Version(wheel.version)
            runs = declared.runs_on(site.python)
        except UnreadableMetadataError:
            runs = True  # uv takes what it can't read for no bound
        except ValueError:  # InvalidVersion is one
            same = runs = False
        if not same:
            yield f"{wheel.file} is {declared.name} {declared.version} by its METADATA"
        if not runs:
            wanted = f"{name} {wheel.version} requires Python {declared.python}"
            yield f"{wanted}, and the lock has Python {site.python}"


def _strays(walk: _Walk, is_complete: bool) -> Iterator[str]:
    """What nothing asks for."""
    if is_complete:
        for name in sorted(walk.site.own - walk.asked.keys()):
            wheel = walk.site.held[name]
            yield f"nothing that is asked for requires {name} {wheel.version}"


def _edges(
    walks: Sequence[_Walk], packages: Mapping[str, PackageOrigin], is_complete: bool
) -> Iterator[str]:
    """Where the origin's edges, merged over platforms, aren't those that were found."""
    unread = {name for walk in walks for name in walk.unread}
    for name in sorted({name for walk in walks for name in walk.edges} - unread):
        found = {one for walk in walks for one in walk.edges.get(name, ())}
        told = set(packages[name].requires) if name in packages else set()
        possible = found if is_complete else found | _possible(walks, name)
        for one in sorted(found - told):
            yield f"{name} requires {one}, which the origin leaves out"
        for one in sorted(told - possible - {name}):
            yield f"the origin says that {name} requires {one}, and its METADATA doesn't"


def _possible(walks: Sequence[_Walk], name: str) -> set[str]:
    """What a package might require, whatever extras it is asked for with."""
    found: set[str] = set()
    for walk in walks:
        declared = walk.site.declared.get(name)
        found.update(declared.names() if declared else ())
    return found


def _merged(platforms: Sequence[Mapping[str, set[str]]]) -> Mapping[str, set[str]]:
    merged: dict[str, set[str]] = {}
    for name, extras in (item for platform in platforms for item in platform.items()):
        merged.setdefault(name, set()).update(extras)
    return merged


def _extras(
    walks: Sequence[_Walk], packages: Mapping[str, PackageOrigin], is_complete: bool
) -> Iterator[str]:
    """Where the origin's extras aren't those that are asked for; older origins tell none."""
    if not any(origin.extras for origin in packages.values()):
        return
    asked, noted = _merged([w.asked for w in walks]), _merged([w.noted for w in walks])
    for name in sorted(asked.keys() & packages.keys()):
        told = set(packages[name].extras)
        for one in sorted(noted.get(name, set()) - told):
            yield f"{name} is asked for with its extra {one}, which the origin leaves out"
        for one in sorted(told - asked[name]) if is_complete else ():
            yield f"the origin has {name} with its extra {one}, which nothing asks for"
