"""Edges of .debs: what control files declare, against a lock's foundation and its origin. Pure.

The clauses are those that the foundation was solved by: Pre-Depends and Depends have to be met,
Conflicts and Breaks must not be. An edge goes to what apt would take of what is there: a clause's
first relation that something meets, and of that the package of its name; which of several
providers it is hangs on the archive's own priorities, so that any of them will do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from basestore.debian.packages import BinaryPackage
from basestore.debian.relations import Clause, Relation, clause_text
from basestore.debian.version import Version
from basestore.lock.edges import Judged
from basestore.lock.model import Deb
from basestore.lock.origin import DebOrigin


@dataclass(frozen=True, slots=True)
class DebSite:
    """The .debs of one platform. ``roots``: the packages asked for by name.

    ``declared``: what the control files say of those that were read, by the name they are locked
    as.
    """

    held: Mapping[str, Deb]
    roots: tuple[str, ...]
    declared: Mapping[str, BinaryPackage]


def judge_debs(sites: Sequence[DebSite], origins: Mapping[str, DebOrigin]) -> Judged:
    """Hold a lock's .debs and its origin's edges to what the control files declare.

    Where some are unread, nothing is said of what they might provide, conflict with or require.
    """
    unread = {name: "" for site in sites for name in sorted(site.held.keys() - site.declared)}
    walks = [_Walk(site, not unread) for site in sites]
    faults = [fault for walk in walks for fault in walk.faults()]
    faults += _edges(walks, origins, not unread)
    return Judged(tuple(dict.fromkeys(faults)), unread)


@dataclass(frozen=True, slots=True)
class _Walk:
    site: DebSite
    is_complete: bool
    clauses: dict[str, tuple[frozenset[str], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note by name what may meet each clause; empty where nothing that was read does."""
        for name, package in self.site.declared.items():
            self.clauses[name] = tuple(self._meeting(clause) for clause in package.depends)

    def faults(self) -> Iterator[str]:
        for name in sorted(self.site.declared):
            yield from self._wrong(name, self.site.declared[name])
        if self.is_complete:
            reached = self._reached()
            for name in sorted(self.site.held.keys() - reached):
                yield f"nothing that is asked for requires the .deb {_named(self.site.held[name])}"

    def _wrong(self, name: str, package: BinaryPackage) -> Iterator[str]:
        deb = self.site.held[name]
        found = (package.name, package.version, package.architecture)
        if found != (deb.name, Version.parse(deb.version), deb.architecture):
            told = f"{package.name} {package.version} ({package.architecture})"
            yield f"{_named(deb)} ({deb.architecture}) is {told} by its control file"
        for clause, met in zip(package.depends, self.clauses[name], strict=True):
            if not met and self.is_complete:
                yield f"{_named(deb)} requires {clause_text(clause)}, which no .deb of the lock is"
        for relation in package.conflicts:
            for other in self.site.declared.values():
                if other is not package and other.satisfies(relation):
                    yield f"{_named(deb)} conflicts with {relation}, which {other.name} is"

    def _meeting(self, clause: Clause) -> frozenset[str]:
        for relation in clause:
            there = [n for n, one in self.site.declared.items() if one.satisfies(relation)]
            if there:
                return frozenset([relation.name] if relation.name in there else there)
        return frozenset()

    def _reached(self) -> set[str]:
        reached: set[str] = set()
        # What is asked for may be a name that others provide.
        todo = [one for name in self.site.roots for one in self._meeting((Relation(name),))]
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo += [one for met in self.clauses.get(name, ()) for one in met]
        return reached


def _edges(
    walks: Sequence[_Walk], origins: Mapping[str, DebOrigin], is_complete: bool
) -> Iterator[str]:
    for name in sorted({name for walk in walks for name in walk.clauses}):
        told = set(origins[name].requires) if name in origins else set()
        met = [one for walk in walks for one in walk.clauses.get(name, ())]
        for any_of in met:
            if any_of and not any_of & told:
                yield f"{name} requires {' or '.join(sorted(any_of))}, which the origin leaves out"
        possible = {one for any_of in met for one in any_of} if is_complete else told
        for one in sorted(told - possible):
            yield f"the origin says that {name} requires {one}, and its control file doesn't"


def _named(deb: Deb) -> str:
    return f"{deb.name} {deb.version}"
