"""Reachability: every wheel is there because something asks for it, over the origin's graph."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from basestore.lock.held.demands import Demands
from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.model import PlatformLock
from basestore.profile.names import DEFAULT_INDEX

_BY_URL = "direct"  # what origins call the index of a wheel that is asked for by its URL


def reach(case: Case, demands: Demands) -> Iterator[Finding]:
    """Wheels that nothing asks for, and what the origin says of wheels that aren't there."""
    yield from _graph(case)
    yield from case.each(lambda part: _unasked(case, demands, part))
    if case.profile.team_lock is None:  # which has names of its own for indexes
        yield from _elsewhere(case)


def reached(case: Case, demands: Demands, part: PlatformLock) -> frozenset[str]:
    """What the requirements of a platform lead to; what is the parent's is there anyway.

    What leads to all else in a team's lock is the origin's word: its tool alone knows.
    """
    roots = {*demands.roots(part), *(case.origin.direct if case.profile.team_lock else ())}
    above = None if case.is_service else case.parents(part.platform)
    kept = {one.name for one in above.wheels} - case.profile.replaces.keys() if above else set()
    return reachable({*roots, *kept}, {n: p.requires for n, p in case.origin.packages.items()})


def reachable(roots: Iterable[str], requires: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Names, and all that they lead to."""
    seen, edge = set[str](), list(roots)
    while edge:
        name = edge.pop()
        if name not in seen:
            seen.add(name)
            edge += requires.get(name, ())
    return frozenset(seen)


def _unasked(case: Case, demands: Demands, part: PlatformLock) -> Iterator[Finding]:
    there = reached(case, demands, part)
    for wheel in case.own(part):
        if wheel.name not in there:
            text = f"{case.file} has {wheel.name} {wheel.version}, and nothing asks for it"
            yield Finding(text, Kind.LOCK, wheel.name)


def _graph(case: Case) -> Iterator[Finding]:
    locked = {name for part in case.lock.platforms for name in case.available(part)}
    known = case.origin.packages
    own = {wheel.name for part in case.lock.platforms for wheel in part.wheels}
    yield from unlike(case, own, locked, {name: one.requires for name, one in known.items()})


def unlike(
    case: Case, own: set[str], locked: set[str], known: Mapping[str, Sequence[str]]
) -> Iterator[Finding]:
    """Where an origin's graph has other names than the lock.

    ``own``: those that it has to have, ``locked``: those that it may have.
    """
    for name in sorted(own - known.keys()):
        yield Finding(f"{case.origin_file} says nothing of {name}", Kind.ORIGIN)
    for name in sorted(known.keys() - locked):
        text = f"{case.origin_file} tells of {name}, which {case.file} doesn't have"
        yield Finding(text, Kind.ORIGIN)
    for name in sorted(known.keys() & locked):
        for needed in sorted({*known[name]} - locked):
            text = f"{case.origin_file} has {name} require {needed}, which {case.file} doesn't have"
            yield Finding(text, Kind.ORIGIN)


def _elsewhere(case: Case) -> Iterator[Finding]:
    """Packages that are named for an index and come from none that has a name."""
    own = {wheel.name for part in case.lock.platforms for wheel in case.own(part)}
    for name in sorted(own & case.origin.packages.keys()):
        named, told = case.profile.index_of(name), case.origin.packages[name].index
        if named and told in (DEFAULT_INDEX, _BY_URL):
            text = f"{case.origin_file} has {name} from {told}, and {case.profile.file} names it "
            yield Finding(f"{text}for the index {named}", Kind.ORIGIN, name)
