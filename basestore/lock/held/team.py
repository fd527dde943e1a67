"""A team's lock that a profile takes: its wheels are those of that lock, all that it selects."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import basename
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from basestore.lock.held.model import Case, Finding, Kind
from basestore.lock.model import PlatformLock
from basestore.profile.model import TeamLock
from basestore.profile.names import normalised

if TYPE_CHECKING:
    from packaging.markers import Environment

_UNTOLD = ""
"""The SHA-256 of a file for which the team's lock tells none, so that any will do."""

Row = Mapping[str, object]
"""A table of another tool's lock."""


def team(case: Case) -> Iterator[Finding]:
    """Wheels that the team's lock doesn't have or doesn't select, and those that are missing."""
    taken = case.profile.team_lock
    if taken is None:
        return
    try:
        document = tomllib.loads(taken.data.decode())
        packages = tuple(_rows(document.get("package") or document.get("packages")))
    except (ValueError, RecursionError):
        yield Finding(f"{taken.file} can't be read as the lock of another tool", Kind.LOCK)
        return
    files = {wheel for package in packages for wheel in _wheels(package)}
    yield from case.each(lambda part: _listed(case, taken, files, part))
    yield from case.each(lambda part: _selected(case, taken, packages, part))


def _listed(
    case: Case, taken: TeamLock, files: set[tuple[str, str, str]], part: PlatformLock
) -> Iterator[Finding]:
    for wheel in case.own(part):
        told = {(wheel.name, wheel.file, digest) for digest in (wheel.sha256.hex, _UNTOLD)}
        if told.isdisjoint(files):
            text = f"{case.file} has {wheel.file}, and {taken.file} doesn't have it so"
            yield Finding(text, Kind.LOCK, wheel.name)


def _selected(
    case: Case, taken: TeamLock, packages: tuple[Row, ...], part: PlatformLock
) -> Iterator[Finding]:
    environment = part.platform.markers(part.python)
    choice = _from_uv(taken, packages, environment) if taken.project else _standard(taken, part)
    own, there = {wheel.name for wheel in case.own(part)}, {wheel.name for wheel in part.wheels}
    for name in sorted(choice.surely - there):
        text = f"{taken.file} selects {name}, and {case.file} has none"
        yield Finding(text, Kind.LOCK, name)
    for name in sorted(own - choice.possibly):
        text = f"{case.file} has {name}, which {taken.file} doesn't select"
        yield Finding(text, Kind.LOCK, name)


@dataclass(frozen=True, slots=True)
class _Choice:
    """The packages that a team's lock selects: those that it surely does, and all that it may."""

    surely: frozenset[str]
    possibly: frozenset[str]


def _standard(taken: TeamLock, part: PlatformLock) -> _Choice:
    """What a ``pylock.toml`` selects (PyPA, "pylock.toml", "Installation")."""
    from packaging.pylock import Pylock

    try:
        found = Pylock.from_dict(tomllib.loads(taken.data.decode())).select(
            environment=cast("Environment", part.platform.markers(part.python)),
            tags=list(part.platform.tags(part.python, part.glibc)),
            extras=taken.extras,
            dependency_groups=taken.groups or None,
        )
        names = frozenset(normalised(package.name) for package, _ in found)
    except ValueError:  # it was taken when it was locked, or never will be
        names = frozenset()
    return _Choice(names, names)


def _from_uv(taken: TeamLock, packages: tuple[Row, ...], environment: Mapping[str, str]) -> _Choice:
    """What a ``uv.lock`` leads to, from its project over the edges whose markers hold."""
    walk = _Walk(packages, environment)
    project = _rows([_parsed(taken.project).get("project")])
    root = normalised(str(next(project, {}).get("name", "")))
    return _Choice(walk.reached(taken, root, sure=True), walk.reached(taken, root, sure=False))


@dataclass(frozen=True, slots=True)
class _Walk:
    packages: tuple[Row, ...]
    environment: Mapping[str, str]

    def reached(self, taken: TeamLock, root: str, *, sure: bool) -> frozenset[str]:
        """The packages whose wheels are taken; ``sure``: only over markers that surely hold."""
        seen, names = set[tuple[int, str]](), set[str]()
        edge = [
            edge
            for package in self._named({"name": root})
            for edge in _edges_of_root(package, taken)
        ]
        while edge:
            row = edge.pop()
            holds = self._holds(row)
            found = self._named(row)
            if holds is False or (sure and (holds is None or len(found) != 1)):
                continue
            for package in found:
                extras = row.get("extra")
                for extra in ("", *(map(str, extras) if isinstance(extras, list) else ())):
                    if (id(package), extra) not in seen:
                        seen.add((id(package), extra))
                        edge += _edges(package, extra)
                if not _is_workspace(package):
                    names.add(normalised(str(package.get("name", ""))))
        return frozenset(names)

    def _named(self, row: Row) -> list[Row]:
        return [
            one
            for one in self.packages
            if one.get("name") == row.get("name")
            and row.get("version", one.get("version")) == one.get("version")
        ]

    def _holds(self, row: Row) -> bool | None:
        marker = row.get("marker")
        if marker is None:
            return True
        from packaging.markers import InvalidMarker, Marker

        if "extra" in str(marker):
            return None  # uv's own way to say that extras exclude each other
        try:
            return Marker(str(marker)).evaluate(dict(self.environment))
        except (InvalidMarker, ValueError):
            return None


def _edges_of_root(package: Row, taken: TeamLock) -> Iterator[Row]:
    groups = _table(package, "dev-dependencies")
    for name in (*taken.groups, *taken.only_groups):
        yield from _rows(groups.get(name))
    if taken.only_groups:
        return
    yield from _edges(package, "")
    for name in taken.extras:
        yield from _edges(package, name)


def _edges(package: Row, extra: str) -> Iterator[Row]:
    """What a package depends on: itself, or only by one of its extras."""
    if extra:
        yield from _rows(_table(package, "optional-dependencies").get(extra))
    else:
        yield from _rows(package.get("dependencies"))


def _is_workspace(package: Row) -> bool:
    """Whether a package is of the team's own, whose wheels nobody takes."""
    return not _table(package, "source").keys().isdisjoint({"virtual", "editable", "directory"})


def _wheels(package: Row) -> Iterator[tuple[str, str, str]]:
    """The name, file and SHA-256 of each wheel of a package."""
    name = normalised(str(package.get("name", "")))
    source = _table(package, "source").get("url")
    for wheel in (*_rows(package.get("wheels")), *_rows([package.get("archive")])):
        digest = _table(wheel, "hashes").get("sha256") or _of_uv(wheel.get("hash")) or _UNTOLD
        place = wheel.get("name") or wheel.get("filename") or wheel.get("url") or wheel.get("path")
        yield name, _file(str(place or source or "")), str(digest)


def _of_uv(value: object) -> str:
    """The SHA-256 that a ``uv.lock`` tells of a file; empty where it tells another digest."""
    kind, _, digits = str(value).partition(":")
    return digits if kind == "sha256" else ""


def _file(place: str) -> str:
    try:
        return unquote(basename(urlsplit(place).path))
    except ValueError:
        return ""


def _rows(value: object) -> Iterator[Row]:
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def _table(row: Row, key: str) -> Row:
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def _parsed(data: bytes) -> Row:
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        return {}
