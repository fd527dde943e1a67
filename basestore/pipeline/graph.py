"""Graph: what stands on what, at which digest, and what a new lock makes stale. Asks no store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from basestore.digest import Digest
from basestore.pipeline.lock_state import Locks, LockState
from basestore.pipeline.recorded import Records
from basestore.pipeline.standing import Standing, base_image, recorded_of, standing
from basestore.profile.family import Parents, ancestors, in_family_order
from basestore.profile.model import Project
from basestore.state import State


@dataclass(frozen=True, slots=True)
class Node:
    """A profile or service.

    ``parent``: what it extends or stands on, as its file says. ``depth``: so many of its ancestors
    are there. ``service``: whether it is one, and not a profile. ``image``: what is recorded for
    its lock of today, on its base's image of today; ``stands_on``: the image of its base that a
    service's recorded image has below it. ``dependents``: all that a new lock of it makes stale.
    """

    name: str
    parent: str | None
    depth: int
    service: bool
    lock: LockState
    standing: Standing
    tag: str | None
    image: Digest | None
    stands_on: Digest | None
    dependents: tuple[str, ...]


def graph(
    project: Project, names: Collection[str], now: datetime, state: State | None = None
) -> tuple[Node, ...]:
    """Profiles and services with all that they stand on and all that stands on them.

    All there are where none is named; parents before children. ``now`` decides on ages and waivers
    of the policy; ``state`` is what this user remembers. Raises DocumentError for the images file
    and the services file.
    """
    family = _Family.of(Locks.of(project, now, state), Records.read(project))
    wanted = set(names) or set(family.order)
    near = {
        one
        for one in family.order
        if wanted & {one, *family.above[one]} or any(one in family.above[name] for name in wanted)
    }
    return tuple(family.node(one) for one in family.order if one in near)


@dataclass(frozen=True, slots=True)
class _Family:
    """All profiles and services; ``above``: the ancestors of each that are there."""

    locks: Locks
    records: Records
    order: Sequence[str]
    above: "dict[str, tuple[str, ...]]"

    @classmethod
    def of(cls, locks: Locks, records: Records) -> "_Family":
        parents = locks.parents
        order = in_family_order(parents)
        return cls(locks, records, order, {one: _there(parents, one) for one in order})

    def node(self, name: str) -> Node:
        recorded = recorded_of(self.records, name)
        return Node(
            name=name,
            parent=self.locks.parents[name],
            depth=len(self.above[name]),
            service=name in self.records.project.services,
            lock=self.locks.state(name),
            standing=standing(self.records, name),
            tag=recorded.tag if recorded else None,
            image=recorded.image if recorded else None,
            stands_on=base_image(self.records, name),
            dependents=tuple(one for one in self.order if name in self.above[one]),
        )


def _there(parents: Parents, name: str) -> tuple[str, ...]:
    return tuple(one for one in ancestors(parents, name) if one in parents)
