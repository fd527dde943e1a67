"""Who requires whom: the ways from what people ask for to what is locked.

*requirement*: a package that people ask for, and where. *path*: packages, the first a requirement,
each of which requires the next. What platforms require differently is merged, as in origins.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from basestore.lock.model import Lock
from basestore.lock.origin import Origin
from basestore.profile.model import Location


@dataclass(frozen=True, slots=True)
class Path:
    """A way from a requirement, asked for at ``place``, to the last of ``names``."""

    place: Location
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """``requires``: what each package requires; ``asked``: where people ask for a package."""

    requires: Mapping[str, tuple[str, ...]]
    asked: Mapping[str, tuple[Location, ...]]

    def shortest_paths(self, name: str) -> tuple[Path, ...]:
        """From each requirement that brings a package the shortest path, the shortest first."""
        requirers = self._requirers()
        ways: dict[str, tuple[str, ...]] = {name: (name,)}
        queue = deque([name])
        while queue:
            current = queue.popleft()
            for requirer in requirers.get(current, ()):
                if requirer not in ways:
                    ways[requirer] = (requirer, *ways[current])
                    queue.append(requirer)
        return tuple(path for way in ways.values() for path in self._from_places(way))

    def nearest(self) -> Mapping[str, Path]:
        """A shortest path to each package that the requirements bring."""
        found = {name: Path(at[0], (name,)) for name, at in sorted(self.asked.items()) if at}
        queue = deque(found)
        while queue:
            path = found[queue.popleft()]
            for required in sorted(self.requires.get(path.names[-1], ())):
                if required not in found:
                    found[required] = Path(path.place, (*path.names, required))
                    queue.append(required)
        return found

    def paths(self, name: str) -> Iterator[Path]:
        """Every path to a package that comes by no package twice, the shortest first.

        There can be very many: take as many as are wanted. Ways are followed upwards, first those
        that can be short (A*, by how far the nearest requirement is), so that a few paths cost
        little in whatever graph; of those that can be equally short the longest so far.
        """
        requirers, above = self._requirers(), self._above()
        heap: list[tuple[int, int, bool, tuple[str, ...]]] = []
        if name in above:
            heap.append((above[name], -1, False, (name,)))
        while heap:
            _, _, is_whole, way = heappop(heap)
            if is_whole:
                yield from self._from_places(way)
                continue
            if way[0] in self.asked:
                heappush(heap, (len(way) - 1, -len(way), True, way))
            for requirer in requirers.get(way[0], ()):
                if requirer in above and requirer not in way:
                    bound = len(way) + above[requirer]
                    heappush(heap, (bound, -len(way) - 1, False, (requirer, *way)))

    def only_through(self, name: str) -> frozenset[str]:
        """What would not be there without a package, itself left out."""
        without = self._reached(name)
        return frozenset(self._reached("") - without - {name})

    def _from_places(self, way: tuple[str, ...]) -> Iterator[Path]:
        return (Path(place, way) for place in self.asked.get(way[0], ()))

    def _above(self) -> Mapping[str, int]:
        """How many steps above a package its nearest requirement is, 0 for what is asked for."""
        steps = dict.fromkeys(self.asked, 0)
        queue = deque(steps)
        while queue:
            current = queue.popleft()
            for required in self.requires.get(current, ()):
                if required not in steps:
                    steps[required] = steps[current] + 1
                    queue.append(required)
        return steps

    def _requirers(self) -> Mapping[str, tuple[str, ...]]:
        requirers: dict[str, list[str]] = {}
        for name in sorted(self.requires):
            for required in self.requires[name]:
                requirers.setdefault(required, []).append(name)
        return {name: tuple(found) for name, found in requirers.items()}

    def _reached(self, left_out: str) -> set[str]:
        """What the requirements bring without a package."""
        reached = {name for name in self.asked if name != left_out}
        queue = deque(reached)
        while queue:
            for required in self.requires.get(queue.popleft(), ()):
                if required not in reached and required != left_out:
                    reached.add(required)
                    queue.append(required)
        return reached


def wheel_graph(lock: Lock, origins: Mapping[str, Origin]) -> Graph:
    """The wheels of a lock; ``origins``: those of its lineage, by profile.

    Of a service's also those of its base that its requirements come by.
    """
    packages = origins[lock.profile].packages
    held = {wheel.name for platform in lock.platforms for wheel in platform.wheels}
    held |= packages.keys() if lock.base else set()
    requires = {name: packages[name].requires for name in held if name in packages}
    return Graph(_among(requires, held), _asked(lock, origins, held))


def deb_graph(lock: Lock, origin: Origin, asked: Mapping[str, tuple[Location, ...]]) -> Graph:
    """The .debs of a lock; ``asked``: where the profile names packages of the foundation."""
    held = {deb.name for platform in lock.platforms for deb in platform.debs}
    requires = {name: origin.debs[name].requires for name in held if name in origin.debs}
    there = {name: places for name, places in asked.items() if name in held}
    return Graph(_among(requires, held), there)


def _among(
    requires: Mapping[str, Iterable[str]], held: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    there = set(held)
    return {name: tuple(one for one in requires[name] if one in there) for name in sorted(requires)}


def _asked(
    lock: Lock, origins: Mapping[str, Origin], held: Iterable[str]
) -> Mapping[str, tuple[Location, ...]]:
    """The places of the whole lineage; a generation that replaces a package speaks for it alone."""
    replacing = _replacing(lock)
    there = set(held)
    asked: dict[str, tuple[Location, ...]] = {}
    for generation in lock.lineage:
        for name, places in sorted(origins[generation].direct.items()):
            if name in there:
                before = () if replacing.get(name) == generation else asked.get(name, ())
                asked[name] = (*before, *places)
    return asked


def _replacing(lock: Lock) -> Mapping[str, str]:
    """The packages of ancestors that were replaced, and the generation whose wheel is there."""
    replaced = {row.name for platform in lock.platforms for row in platform.replaced}
    return {
        wheel.name: wheel.generation
        for platform in lock.platforms
        for wheel in platform.wheels
        if wheel.name in replaced
    }
