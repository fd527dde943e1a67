"""What changes between two locks of a profile. Pure.

*change*: of one wheel or .deb on one platform: added, dropped, or another in its place. *setting*:
all else that a lock holds, each under the name that it has in the lock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from basestore.canonical import toml_strings
from basestore.lock.codec import healthcheck_table
from basestore.lock.model import Deb, ImageConfig, Lock, PlatformLock, Wheel
from basestore.target import Platform

Artifact = TypeVar("Artifact", Wheel, Deb)


class Jump(StrEnum):
    """How far a version has moved: the first part of its release that differs.

    ``BUILD``: the release is the same; another candidate, local version or file of it.
    """

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Change(Generic[Artifact]):
    """A package's artifact before and after; one of them is None where it came or went."""

    old: Artifact | None
    new: Artifact | None

    @property
    def name(self) -> str:
        """The package's name."""
        return (self.new or self._old).name

    @property
    def versions(self) -> tuple[str | None, str | None]:
        """The versions before and after."""
        return (self.old.version if self.old else None, self.new.version if self.new else None)

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes before and after, 0 where there is no artifact."""
        return (self.old.size if self.old else 0, self.new.size if self.new else 0)

    @property
    def _old(self) -> Artifact:
        if self.old is None:
            raise ValueError("a change of nothing")
        return self.old


@dataclass(frozen=True, slots=True)
class PlatformDiff:
    """The changes of one platform, by name. ``old`` and ``new``: None where it has no such lock."""

    platform: Platform
    old: PlatformLock | None
    new: PlatformLock | None
    wheels: tuple[Change[Wheel], ...]
    debs: tuple[Change[Deb], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """Something else that differs, None where it isn't set: ``image.env.LANG``, ``python``."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class LockDiff:
    """All that differs. ``platforms``: those of both locks, also where nothing differs."""

    platforms: tuple[PlatformDiff, ...]
    settings: tuple[Setting, ...]

    @property
    def empty(self) -> bool:
        """Whether both locks are the same."""
        return not self.settings and not any(p.wheels or p.debs for p in self.platforms)


def compare_locks(old: Lock | None, new: Lock | None) -> LockDiff:
    """What makes ``new`` of ``old``; None stands for a lock that isn't there."""
    before = {one.platform: one for one in old.platforms} if old else {}
    after = {one.platform: one for one in new.platforms} if new else {}
    platforms = tuple(
        _compare(platform, before.get(platform), after.get(platform))
        for platform in sorted({*before, *after})
    )
    return LockDiff(platforms, tuple(_settings(_values(old), _values(new))))


def jump(old: str, new: str) -> Jump | None:
    """How far two versions are apart (PyPA version specifiers, "Release segments").

    None for versions that are none of Python's. An epoch's change is a major one.
    """
    from packaging.version import Version

    try:
        before, after = Version(old), Version(new)
    except ValueError:  # InvalidVersion is one, and so are thousands of digits
        return None
    if before.epoch != after.epoch:
        return Jump.MAJOR
    length = max(len(before.release), len(after.release))
    parts = zip(_padded(before.release, length), _padded(after.release, length), strict=True)
    first = next((number for number, (a, b) in enumerate(parts) if a != b), None)
    if first is None:
        return Jump.BUILD
    return (Jump.MAJOR, Jump.MINOR, Jump.PATCH)[min(first, 2)]


def is_downgrade(old: str, new: str) -> bool:
    """Whether a wheel's version goes back; False for versions that are none of Python's."""
    from packaging.version import Version

    try:
        return Version(new) < Version(old)
    except ValueError:  # InvalidVersion is one, and so are thousands of digits
        return False


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    """1.0 and 1.0.0 are one release."""
    return release + (0,) * (length - len(release))


def _compare(
    platform: Platform, old: PlatformLock | None, new: PlatformLock | None
) -> PlatformDiff:
    wheels = _changes(old.wheels if old else (), new.wheels if new else ())
    debs = _changes(old.debs if old else (), new.debs if new else ())
    return PlatformDiff(platform, old, new, wheels, debs)


def _changes(old: Sequence[Artifact], new: Sequence[Artifact]) -> tuple[Change[Artifact], ...]:
    before: Mapping[str, Artifact] = {one.name: one for one in old}
    after: Mapping[str, Artifact] = {one.name: one for one in new}
    return tuple(
        Change(before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def _settings(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Setting]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Setting(name, old.get(name), new.get(name))


def _values(lock: Lock | None) -> Mapping[str, str]:
    """All of a lock but its artifacts, by name; empty without a lock."""
    if lock is None:
        return {}
    return {
        "format": str(lock.format),
        **dict(_list("extends", lock.lineage[:-1])),
        **({"base": lock.base} if lock.base else {}),
        **{f"image.{name}": value for name, value in _image(lock.image)},
        **{f"path-conflicts.{path}": toml_strings(n) for path, n in lock.path_conflicts.items()},
        **{f"record-exceptions.{n}": reason for n, reason in lock.record_exceptions.items()},
        **{
            f"{one.platform}.{name}": value
            for one in lock.platforms
            for name, value in _platform(one)
        },
    }


def _platform(platform: PlatformLock) -> Iterator[tuple[str, str]]:
    yield from (("python", platform.python), ("glibc", platform.glibc))
    rows = [f"{row.name} of {row.generation}, {row.size} B" for row in platform.replaced]
    yield from _list("replaced", rows)


def _image(image: ImageConfig) -> Iterator[tuple[str, str]]:
    for entry in image.env:
        name, _, value = entry.partition("=")
        yield f"env.{name}", value
    yield from ((f"labels.{name}", value) for name, value in image.labels.items())
    yield from _list("entrypoint", image.entrypoint)
    yield from _list("cmd", image.cmd)
    yield from ((n, v) for n, v in (("user", image.user), ("workdir", image.workdir)) if v)
    if image.ports:
        yield "ports", ", ".join(map(str, image.ports))
    if image.healthcheck:
        yield "healthcheck", healthcheck_table(image.healthcheck)


def _list(name: str, values: Sequence[str]) -> Iterator[tuple[str, str]]:
    """As in the lock; nothing where it is empty."""
    if values:
        yield name, toml_strings(values)
