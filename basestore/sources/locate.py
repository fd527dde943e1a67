"""Where the wheels of a lock lie today: the lock says what, uv says where, the hash decides."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from basestore.digest import Digest
from basestore.lock.model import PlatformLock, Wheel
from basestore.profile.model import Index
from basestore.sources.uv import Question, Target, Uv
from basestore.sources.uv_failure import UnsatisfiableError

Places = Mapping[Digest, Sequence[str]]
"""URLs by digest, best first."""


def locate_wheels(
    uv: Uv,
    indexes: Sequence[Index],
    platforms: Sequence[PlatformLock],
    wanted: Collection[Digest],
) -> Places:
    """Where the wanted wheels of a lock lie; what no index has is left out.

    A package that is named for an index is looked for there only; any other in the default
    index, then in the others one at a time. Raises IndexUnreachableError, IndexAccessError,
    PylockError, MissingHashError, UvMissingError and UvFailedError.
    """
    places: dict[Digest, tuple[str, ...]] = {}
    for platform in platforms:
        target = Target(platform.platform, platform.python, platform.glibc)
        asked = Question("basestore-lock", (), target)
        missing = [wheel for wheel in platform.wheels if wheel.sha256 in wanted]
        for assigned, sought in _rounds(indexes, missing):
            lacking = [wheel for wheel in sought if wheel.sha256 not in places]
            places |= _find(uv, replace(asked, indexes=assigned), lacking)
    return places


def _rounds(
    indexes: Sequence[Index], wheels: Sequence[Wheel]
) -> Iterator[tuple[tuple[Index, ...], Sequence[Wheel]]]:
    """Which index is asked for which wheels, one assignment after the other."""
    yield tuple(indexes), wheels
    named = {name for index in indexes for name in index.packages}
    free = [wheel for wheel in wheels if wheel.name not in named]
    for index in indexes:
        yield (replace(index, packages=tuple(wheel.name for wheel in free)),), free


def _find(uv: Uv, asked: Question, wheels: Sequence[Wheel]) -> dict[Digest, tuple[str, ...]]:
    """Ask for all at once; where one can't be found, for each half, so that it hides no other."""
    if not wheels:
        return {}
    pins = tuple(f"{wheel.name}=={wheel.version}" for wheel in wheels)
    try:
        packages = uv.list_exactly(replace(asked, requirements=pins))
    except UnsatisfiableError:
        if len(wheels) == 1:
            return {}
        middle = len(wheels) // 2
        return _find(uv, asked, wheels[:middle]) | _find(uv, asked, wheels[middle:])
    digests = {wheel.sha256 for wheel in wheels}
    listed = [wheel for package in packages for wheel in package.wheels]
    found = {wheel.sha256: (wheel.url,) for wheel in listed if wheel.sha256 in digests}
    # Without hashes only a file's name can be compared; whether it is the one is seen when fetched.
    named = {wheel.file: (wheel.url,) for package in packages for wheel in package.unhashed}
    return {**{w.sha256: named[w.file] for w in wheels if w.file in named}, **found}
