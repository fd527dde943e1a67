"""Orders: the layers of this project's plan, stacked in other ways."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.replay.plans import Cut, Group, Week, shaped, size_of

from basestore.recipe.plan import Shape, bucket


@dataclass(frozen=True, slots=True)
class Trait:
    """What an order may know of a layer.

    ``alone``: no bucket. ``pure``: its wheel runs anywhere (``none-any``). ``place``: of its
    generation, 0 the oldest's. ``name``: of its first wheel.
    """

    alone: bool
    pure: bool
    place: int
    size: int
    name: str


Order = Callable[[Trait], tuple[object, ...]]
"""A sort key."""

ORDERS: Mapping[str, Order] = {
    "all heavy by size, then buckets": lambda t: (not t.alone, _size(t)),
    "compiled heavy by size, pure ones by size, buckets": lambda t: (not t.alone, t.pure, _size(t)),
    "heavy by size, pure ones by half of it, buckets": lambda t: (
        not t.alone,
        _size(t) / (1 + t.pure),
    ),
    "all by size, buckets too": lambda t: (-t.size,),
    "parent's heavy, child's heavy, buckets": lambda t: (not t.alone, t.place, _size(t)),
    "generation by generation, parent first": lambda t: (t.place, not t.alone, _size(t)),
    "all heavy by name, then buckets": lambda t: (not t.alone, t.name if t.alone else ""),
    "buckets, then all heavy by size": lambda t: (t.alone, _size(t)),
}


def ordered(shape: Shape, order: Order) -> Cut:
    """The layers of the project's plan in another order; buckets stay in theirs."""

    def cut(week: Week) -> Sequence[Group]:
        return sorted(shaped(shape)(week), key=lambda group: order(_trait(group, week, shape)))

    return cut


def in_hindsight(shape: Shape, weeks: Sequence[Week]) -> Cut:
    """The layers by how often each will have changed: what no lock can know.

    Of two layers with sizes s that change independently with chances p, the one with the smaller
    p / (s (1 - p)) belongs below.
    """
    cut = shaped(shape)
    changes: Counter[str] = Counter()
    for before, after in pairwise(weeks):
        known = set(cut(before))
        changes.update(_identity(group, shape) for group in cut(after) if group not in known)

    def weight(group: Group) -> float:
        chance = changes[_identity(group, shape)] / len(weeks)
        return chance / (size_of(group) * (1 - chance))

    return lambda week: sorted(cut(week), key=weight)


def _size(trait: Trait) -> int:
    return -trait.size if trait.alone else 0


def _trait(group: Group, week: Week, shape: Shape) -> Trait:
    first = group[0]
    return Trait(
        alone=_is_alone(group, shape),
        pure=first.file.endswith("-none-any.whl"),
        place=week.lock.lineage.index(first.generation),
        size=size_of(group),
        name=first.name,
    )


def _is_alone(group: Group, shape: Shape) -> bool:
    return len(group) == 1 and group[0].size >= shape.heavy


def _identity(group: Group, shape: Shape) -> str:
    """What stays the same of a layer while its wheels change."""
    first = group[0]
    if _is_alone(group, shape):
        return first.name
    return f"{first.generation} {bucket(first.name, shape.buckets)}"
