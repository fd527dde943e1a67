"""Files and folders with their past: what they were after each step, and when they were synced."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

START = -1
_T = TypeVar("_T")


@dataclass(frozen=True)
class Content:
    """What a file holds, and its mode."""

    data: bytes
    mode: int


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: bytes


class Past(Generic[_T]):
    """The states that something had, oldest first, each with the time it came about."""

    def __init__(self, time: int, first: _T) -> None:
        self._times, self._states = [time], [first]

    def add(self, time: int, state: _T) -> None:
        """From now on it is this."""
        self._times.append(time)
        self._states.append(state)

    @property
    def now(self) -> _T:
        """What it is."""
        return self._states[-1]

    def changed(self, now: int) -> int:
        """When it became what it was at a moment."""
        return max((time for time in self._times if time <= now), default=START)

    def possible(self, durable: int, now: int) -> Sequence[_T]:
        """What may be found of it: the state at the time it was made durable, and each later one.

        What came about later than that sync is as old as the first state.
        """
        last = max((n for n, time in enumerate(self._times) if time <= durable), default=0)
        later = (
            state
            for time, state in zip(self._times[last + 1 :], self._states[last + 1 :], strict=True)
            if time <= now
        )
        return (self._states[last], *later)


@dataclass(eq=False)
class Syncs:
    """When something was synced. A sync is for what was done before it began."""

    spans: list[tuple[int, int]] = field(default_factory=list)

    def durable(self, now: int) -> int:
        """Up to which time all is durable, of what was done until ``now``."""
        return max((began for began, ended in self.spans if ended <= now), default=START)


@dataclass(eq=False)
class File:
    """A file, whatever its names are."""

    past: Past[Content]
    syncs: Syncs = field(default_factory=Syncs)


@dataclass(eq=False)
class Folder:
    """A folder: what its names led to; None where a name led to nothing."""

    names: dict[str, Past["Node | None"]] = field(default_factory=dict)
    syncs: Syncs = field(default_factory=Syncs)

    def put(self, time: int, name: str, node: "Node | None") -> None:
        """From now on a name leads to this."""
        if name not in self.names:
            self.names[name] = Past(START, None)
        self.names[name].add(time, node)


Node = File | Folder | Link
