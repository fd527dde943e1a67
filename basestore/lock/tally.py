"""How much a lock holds, counted without reading it: an artifact has a line of its own.

Only for locks known to be canonical, those that are their origin's; `codec.parse` is what decides
whether they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from basestore.lock.codec import EditedLockError
from basestore.reading import reading
from basestore.target import Platform

_PLATFORM = re.compile(rb'platform = "(?P<platform>[^"]+)"')
_ARRAY = re.compile(rb"(?P<key>[a-z]+) = \[")
_ROW = re.compile(rb'  \{ name = "(?P<name>[^"]+)",.* size = (?P<size>\d+),')


@dataclass(frozen=True, slots=True)
class Tally:
    """``packages``: distinct wheels and .debs by name; the bytes of each platform's."""

    packages: int
    wheels: Mapping[Platform, int]
    debs: Mapping[Platform, int]


def tally(data: bytes, file: str) -> Tally:
    """Count what a canonical lock holds; raises EditedLockError for one that can't be counted.

    ``file``: its name in errors.
    """
    with reading(lambda reason: EditedLockError(file, reason)):
        return _count(data)


def _count(data: bytes) -> Tally:
    names: set[tuple[bytes, bytes]] = set()
    sizes: dict[bytes, dict[Platform, int]] = {b"debs": {}, b"wheels": {}}
    platform, array = None, b""
    for line in data.split(b"\n"):
        if found := _PLATFORM.fullmatch(line):
            platform = Platform.parse(found["platform"].decode())
            for of_kind in sizes.values():
                of_kind[platform] = 0
        elif found := _ARRAY.fullmatch(line):
            array = found["key"]
        elif platform and array in sizes and (found := _ROW.match(line)):
            names.add((array, found["name"]))
            sizes[array][platform] += int(found["size"])
    return Tally(len(names), sizes[b"wheels"], sizes[b"debs"])
