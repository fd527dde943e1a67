"""The plan: which wheels share a layer, and in which order the layers lie.

Heavy wheels alone, the tail of each generation in buckets chosen by a stable hash of the
normalised name, so that adding, dropping or bumping one package touches one layer and every layer
of a parent is a layer of its child, but for those that hold what the child replaces: a generation
is planned as it was before, and then loses what was replaced. Order: foundation, heavy ones by
size, largest first, then the buckets, because an engine with a graph driver pulls again whatever
lies above a changed layer.
"""

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.errors import PolicyError
from basestore.lock.model import Lock, PlatformLock, Replaced, Wheel
from basestore.recipe.model import VENV, FoundationRecipe, Recipe, WheelsRecipe

_Member = Wheel | Replaced

LIMIT = 100
"""Layers of a base. Docker's overlay2 stops at 125, and services add up to 20."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The figures of a plan.

    ``heavy``: a wheel of at least this many bytes has a layer of its own. ``alone``: so many wheels
    of a generation at most, and what its ancestors left of theirs; the smallest beyond it join the
    tail. ``buckets``: layers among which one generation's tail is spread.
    """

    heavy: int
    alone: int
    buckets: int


SHAPE = Shape(heavy=1024 * 1024, alone=25, buckets=8)
"""What locks are planned by. Three generations and the foundation are 100 layers at most."""


SERVICE_SHAPE = Shape(heavy=1024 * 1024, alone=11, buckets=8)
"""What a service's own wheels are planned by: 19 layers at most, and its application is one."""


class TooManyLayersError(PolicyError):
    """The plan has more layers than an engine takes."""

    def __init__(self, profile: str, layers: int) -> None:
        super().__init__(
            f"profile {profile} would have {layers} layers, and a base may have {LIMIT}",
            "merge generations of the family, or let fewer profiles extend each other",
        )
        self.layers = layers


def plan(lock: Lock, platform: PlatformLock, shape: Shape = SHAPE) -> tuple[Recipe, ...]:
    """The recipes of one platform's layers, the lowest first. Pure; raises TooManyLayersError.

    Of a service those between its base's and its application's, which have a shape of their own.
    """
    if lock.base:
        return _layers(lock, platform, SERVICE_SHAPE)
    foundation = FoundationRecipe(platform.platform, platform.python, platform.debs)
    layers = _layers(lock, platform, shape)
    if len(layers) + 1 > LIMIT:
        raise TooManyLayersError(lock.profile, len(layers) + 1)
    return (foundation, *layers)


def _layers(lock: Lock, platform: PlatformLock, shape: Shape) -> tuple[WheelsRecipe, ...]:
    losers = _losers(lock.path_conflicts)
    groups = _groups(_generations(lock, platform), shape)
    return tuple(
        _wheels(platform.python, group, losers, lock.record_exceptions) for group in groups
    )


def bucket(name: str, buckets: int = SHAPE.buckets) -> int:
    """The bucket of a package, by its normalised name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % buckets


def _generations(lock: Lock, platform: PlatformLock) -> Iterator[Sequence[_Member]]:
    """What each generation has brought, the oldest first, whether it was replaced or not."""
    generations: dict[str, list[_Member]] = {name: [] for name in lock.lineage}
    members: tuple[_Member, ...] = (*platform.wheels, *platform.replaced)
    for member in members:
        generations.setdefault(member.generation, []).append(member)
    return filter(None, generations.values())


def _groups(generations: Iterable[Sequence[_Member]], shape: Shape) -> Iterator[tuple[Wheel, ...]]:
    """The wheels of each layer, in the order of the layers."""
    heavy: list[_Member] = []
    tail: list[tuple[_Member, ...]] = []
    for count, members in enumerate(generations, start=1):
        candidates = sorted((w for w in members if w.size >= shape.heavy), key=_by_size)
        alone = candidates[: count * shape.alone - len(heavy)]
        heavy += alone
        tail += _buckets((member for member in members if member not in alone), shape.buckets)
    for group in (*((member,) for member in sorted(heavy, key=_by_size)), *tail):
        if left := tuple(member for member in group if isinstance(member, Wheel)):
            yield left


def _buckets(tail: Iterable[_Member], count: int) -> Iterator[tuple[_Member, ...]]:
    buckets: dict[int, list[_Member]] = {}
    for member in tail:
        buckets.setdefault(bucket(member.name, count), []).append(member)
    for number in sorted(buckets):
        yield tuple(sorted(buckets[number], key=lambda member: member.name))


def _by_size(member: _Member) -> tuple[int, str]:
    return (-member.size, member.name)


def _wheels(
    python: str,
    group: tuple[Wheel, ...],
    losers: Mapping[str, tuple[str, ...]],
    exceptions: Container[str],
) -> WheelsRecipe:
    short = ".".join(python.split(".")[:2])
    omitted = tuple(losers.get(wheel.name, ()) for wheel in group)
    excepted = tuple(wheel.name for wheel in group if wheel.name in exceptions)
    return WheelsRecipe(short, group, omitted, excepted)


def _losers(conflicts: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """The paths that each package leaves to another one, from the image's root."""
    losers: dict[str, tuple[str, ...]] = {}
    for path in sorted(conflicts):
        for name in conflicts[path][:-1]:
            losers[name] = (*losers.get(name, ()), f"{VENV}/{path}")
    return losers
