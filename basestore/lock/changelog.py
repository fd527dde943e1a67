"""A diff as people read it: a line for each package, whatever the number of platforms. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from basestore.debian.version import Version
from basestore.lock.diff import Change, Jump, LockDiff, is_downgrade, jump
from basestore.lock.model import Deb, Wheel
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Line:
    """What happened to a package, in the same way on all of the platforms in ``sizes``.

    ``old``, ``new``: versions, None where it came or went; equal where only its file is another.
    ``jump``: None for what came or went, for the same file, and for .debs. ``back``: to an older
    version. ``moved``: the generation that brings it now, where that was another one. ``sizes``:
    bytes before and after.
    """

    name: str
    old: str | None
    new: str | None
    jump: Jump | None
    back: bool
    moved: str | None
    sizes: Mapping[Platform, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Changelog:
    """The lines of the wheels and of the foundation's .debs, each by name."""

    wheels: tuple[Line, ...]
    debs: tuple[Line, ...]


def changelog(diff: LockDiff) -> Changelog:
    """A diff's packages, those of all platforms together."""
    wheels = _merged((one.platform, change) for one in diff.platforms for change in one.wheels)
    debs = _merged((one.platform, change) for one in diff.platforms for change in one.debs)
    return Changelog(tuple(map(_wheel_line, wheels)), tuple(map(_deb_line, debs)))


_AnyChange = Change[Wheel] | Change[Deb]
_Sizes = Mapping[Platform, tuple[int, int]]


class _Key(NamedTuple):
    """What makes one line of the changes of several platforms."""

    name: str
    old: str
    new: str
    moved: str
    same_file: bool


def _merged(changes: Iterable[tuple[Platform, _AnyChange]]) -> list[tuple[_Key, _Sizes]]:
    merged: dict[_Key, dict[Platform, tuple[int, int]]] = {}
    for platform, change in changes:
        merged.setdefault(_key(change), {})[platform] = change.sizes
    return sorted(merged.items(), key=lambda item: item[0])


def _key(change: _AnyChange) -> _Key:
    old, new = change.old, change.new
    moved = isinstance(old, Wheel) and isinstance(new, Wheel) and old.generation != new.generation
    return _Key(
        name=change.name,
        old=old.version if old else "",
        new=new.version if new else "",
        moved=new.generation if moved and isinstance(new, Wheel) else "",
        same_file=bool(old and new and old.sha256 == new.sha256),
    )


def _wheel_line(merged: tuple[_Key, _Sizes]) -> Line:
    key, sizes = merged
    both = bool(key.old and key.new)
    return Line(
        name=key.name,
        old=key.old or None,
        new=key.new or None,
        jump=jump(key.old, key.new) if both and not key.same_file else None,
        back=both and is_downgrade(key.old, key.new),
        moved=key.moved or None,
        sizes=sizes,
    )


def _deb_line(merged: tuple[_Key, _Sizes]) -> Line:
    key, sizes = merged
    back = bool(key.old and key.new) and Version.parse(key.new) < Version.parse(key.old)
    return Line(key.name, key.old or None, key.new or None, None, back, None, sizes)
