"""What a loss of power leaves: of each name and each file one of the states that it may be in.

A *fate* chooses. What is pending is what may be found in more than one state.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from faults.disk import Disk
from faults.nodes import Content, File, Folder, Link, Node

PAGE = 4096
RANDOM = 4
"""How many fates of each moment are drawn by lot."""

_T = TypeVar("_T")
Names = Callable[[Sequence[Node | None]], Node | None]
Bytes = Callable[[Sequence[Content]], Content]


@dataclass(frozen=True)
class Name:
    """A name in a folder."""

    folder: Folder
    name: str


@dataclass(frozen=True)
class Pending:
    """What may be found in more than one state, with these states, oldest first."""

    names: Mapping[Name, Sequence[Node | None]]
    files: Mapping[File, Sequence[Content]]


@dataclass(frozen=True)
class Fate:
    """How it turned out. ``names`` and ``files``: what became of what was pending."""

    label: str
    names: Mapping[Name, Node | None]
    files: Mapping[File, Content]


@dataclass(frozen=True)
class Found:
    """What is found under a path. ``node`` tells two names of one file."""

    node: Node
    content: Content | None = None


Tree = Mapping[str, Found]


def pending(disk: Disk, now: int) -> Pending:
    """What is in doubt at a moment."""
    names: dict[Name, Sequence[Node | None]] = {}
    files: dict[File, Sequence[Content]] = {}
    waiting: list[Node] = [disk.top]
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, File):
            files[node] = node.past.possible(node.syncs.durable(now), now)
        elif isinstance(node, Folder):
            durable = node.syncs.durable(now)
            for name, past in node.names.items():
                states = [state for state, _ in groupby(past.possible(durable, now))]
                names[Name(node, name)] = states
                waiting += [state for state in states if state is not None]
    return Pending(
        {name: states for name, states in names.items() if len(states) > 1},
        {file: states for file, states in files.items() if len(states) > 1},
    )


def fates(doubt: Pending, lot: random.Random) -> Iterator[Fate]:
    """How it may turn out: the plain ways, the nasty ones, one thing alone, and by lot."""
    yield _fate("nothing more survived", doubt, _oldest, _oldest)
    yield _fate("all survived", doubt, _newest, _newest)
    yield _fate("names survived, and no data", doubt, _newest, _oldest)
    yield _fate("names and sizes survived, and zeros", doubt, _newest, _zeros)
    yield _fate("names survived, and half the data", doubt, _newest, _half)
    yield from _alone(doubt)
    for number in range(RANDOM):
        yield _fate(f"by lot, {number}", doubt, lot.choice, lambda states: _pages(states, lot))


def _fate(label: str, doubt: Pending, names: Names, data: Bytes) -> Fate:
    return Fate(
        label,
        {name: names(states) for name, states in doubt.names.items()},
        {file: data(states) for file, states in doubt.files.items()},
    )


def _alone(doubt: Pending) -> Iterator[Fate]:
    """Each name alone came late, and each alone was early."""
    old, new = _fate("", doubt, _oldest, _oldest), _fate("", doubt, _newest, _newest)
    for name, states in doubt.names.items():
        for state in dict.fromkeys(states):
            if state is not new.names[name]:
                late = {**new.names, name: state}
                yield Fate(f"all but the name {name.name}", late, new.files)
            if state is not old.names[name]:
                early = {**old.names, name: state}
                yield Fate(f"nothing but the name {name.name}", early, old.files)


def tree(disk: Disk, fate: Fate, now: int) -> Tree:
    """What is found after it turned out so, by path; a folder before what is in it."""
    found: dict[str, Found] = {}
    _walk(disk.top, "", fate, now, found, set())
    return found


def _walk(
    folder: Folder, path: str, fate: Fate, now: int, found: dict[str, Found], seen: set[Folder]
) -> None:
    durable = folder.syncs.durable(now)
    for name, past in sorted(folder.names.items(), key=lambda one: -one[1].changed(now)):
        key = Name(folder, name)
        node = fate.names[key] if key in fate.names else past.possible(durable, now)[-1]
        place = f"{path}/{name}" if path else name
        if isinstance(node, File):
            found[place] = Found(node, _content(node, fate, now))
        elif isinstance(node, Link):
            found[place] = Found(node)
        elif node and node not in seen:  # a folder has one name, the last that it was given
            seen.add(node)
            found[place] = Found(node)
            _walk(node, place, fate, now, found, seen)


def _content(file: File, fate: Fate, now: int) -> Content:
    chosen = fate.files.get(file)
    return chosen or file.past.possible(file.syncs.durable(now), now)[-1]


def _oldest(states: Sequence[_T]) -> _T:
    return states[0]


def _newest(states: Sequence[_T]) -> _T:
    return states[-1]


def _zeros(states: Sequence[Content]) -> Content:
    """The size came first: what was added are zeros."""
    old, new = states[0], states[-1]
    size = len(new.data)
    return Content(old.data[:size].ljust(size, b"\0"), new.mode)


def _half(states: Sequence[Content]) -> Content:
    old, new = states[0], states[-1]
    return Content(new.data[: (len(old.data) + len(new.data)) // 2], new.mode)


def _pages(states: Sequence[Content], lot: random.Random) -> Content:
    """One of the states, or the newest with zeros in the place of some pages."""
    state = lot.choice(states)
    if state == states[0] or lot.random() < 0.5:
        return state
    old, data = states[0].data, state.data
    pages = (
        data[at : at + PAGE]
        if lot.random() < 0.5
        else old[at : at + PAGE].ljust(len(data[at : at + PAGE]), b"\0")
        for at in range(0, len(data), PAGE)
    )
    return Content(b"".join(pages)[: len(data)], state.mode)
