"""Plans: the ways to cut one week's lock into layers that the replay compares."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.replay.simulation import Image, Layer

from basestore.lock.model import Lock, PlatformLock, Wheel
from basestore.recipe.model import WheelsRecipe
from basestore.recipe.plan import Shape, plan

Group = tuple[Wheel, ...]
"""The wheels of one layer."""


@dataclass(frozen=True, slots=True)
class Week:
    """A lock of the past on one platform. ``requires``: who required whom then."""

    lock: Lock
    platform: PlatformLock
    requires: Mapping[str, tuple[str, ...]]


Family = tuple[Week, ...]
"""A profile's week, the last one here, and before it its ancestors', the oldest first."""

Cut = Callable[[Week], Sequence[Group]]
"""The layers above the foundation, the lowest first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A way to cut, with its name in the table."""

    name: str
    cut: Cut

    def image(self, week: Week) -> Image:
        """The week's layers. The foundation, which can't be replayed, is one that never changes."""
        debs = sum(deb.size for deb in week.platform.debs)
        return (Layer("foundation", debs), *map(_layer, self.cut(week)))


def one_layer(week: Week) -> Sequence[Group]:
    """All wheels in one layer."""
    return [week.platform.wheels]


def by_name(week: Week) -> Sequence[Group]:
    """One layer a wheel, by name."""
    return [(wheel,) for wheel in sorted(week.platform.wheels, key=lambda wheel: wheel.name)]


def by_size(week: Week) -> Sequence[Group]:
    """One layer a wheel, the largest lowest."""
    return [(wheel,) for wheel in sorted(week.platform.wheels, key=_descending)]


def popular(count: int) -> Cut:
    """The packages that most others need, directly or not, alone; all others in one layer.

    The most popular lie lowest, as in nixpkgs' layered images.
    """

    def cut(week: Week) -> Sequence[Group]:
        needed = popularity(week.requires)
        ranked = sorted(week.platform.wheels, key=lambda wheel: (-needed[wheel.name], wheel.name))
        rest = tuple(sorted(ranked[count:], key=lambda wheel: wheel.name))
        return [*((wheel,) for wheel in ranked[:count]), *filter(None, [rest])]

    return cut


def shaped(shape: Shape) -> Cut:
    """The plan of this project with these figures."""

    def cut(week: Week) -> Sequence[Group]:
        recipes = plan(week.lock, week.platform, shape)
        return [recipe.wheels for recipe in recipes if isinstance(recipe, WheelsRecipe)]

    return cut


def salted(shape: Shape, salt: str) -> Cut:
    """The plan of this project, had every package another hash."""

    def cut(week: Week) -> Sequence[Group]:
        wheels = tuple(replace(w, name=f"{w.name} {salt}") for w in week.platform.wheels)
        return shaped(shape)(replace(week, platform=replace(week.platform, wheels=wheels)))

    return cut


def popularity(requires: Mapping[str, Iterable[str]]) -> Counter[str]:
    """How many packages need each one, directly or through others."""
    return Counter(needed for name in requires for needed in _closure(name, requires))


def size_of(group: Group) -> int:
    """The size of a layer: its wheels' bytes; a copied layer has 1.0018 times as many."""
    return sum(wheel.size for wheel in group)


def _closure(name: str, requires: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    edge = [name]
    while edge:
        new = set(requires.get(edge.pop(), ())) - found
        found |= new
        edge += new
    return found - {name}


def _layer(group: Group) -> Layer:
    inputs = " ".join(str(wheel.sha256) for wheel in group)
    return Layer(hashlib.sha256(inputs.encode()).hexdigest(), size_of(group))


def _descending(wheel: Wheel) -> tuple[int, str]:
    return (-wheel.size, wheel.name)
