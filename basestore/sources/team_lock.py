"""Reading the lock of another tool: ``pylock.toml`` (PEP 751), and ``uv.lock`` through uv.

uv itself turns its lock into the standard form, in a folder that holds nothing but the lock and the
project's ``pyproject.toml``, without a network and without resolving.
"""

import itertools
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from basestore.digest import Digest
from basestore.errors import InputError, NoResolutionError
from basestore.profile.model import Location, TeamLock
from basestore.profile.names import normalised
from basestore.sources.pylock import (
    IndexedPackage,
    MissingHashError,
    PylockError,
    indexed_package,
    parse_pylock,
)
from basestore.sources.uv import Target, Uv
from basestore.sources.uv_failure import UvFailedError, redact_urls

if TYPE_CHECKING:
    from packaging.markers import Environment
    from packaging.pylock import Package, Pylock

_ENTRY = re.compile(r"(?P<name>[a-z0-9-]+)(==| @ )\S+.*")
_VIA = re.compile(r"\s+#(?: via)?\s+(?P<via>[A-Za-z0-9][A-Za-z0-9._-]*)")


class TeamLockError(InputError):
    """A team's lock can't be taken as it is."""

    def __init__(self, place: Location, file: str, reason: str, hint: str = "") -> None:
        what = "it" if place.file == file else file
        super().__init__(
            f"{place}: {what} can't be taken: {redact_urls(reason)}",
            hint or "make it anew with the tool that it is from",
        )
        self.file = file


class TeamPythonError(NoResolutionError):
    """A team's lock is for another Python than the foundation's."""

    def __init__(self, team: TeamLock, wanted: str, target: Target) -> None:
        super().__init__(
            f"{team.file} is for Python {wanted}, and the foundation has {target.python} "
            f"({team.place} takes it)",
            "lock it for that Python there (requires-python), or choose a foundation that has "
            "another",
        )


class UntakenPackageError(NoResolutionError):
    """A package of a team's lock has no wheel. ``kind`` says what it has."""

    def __init__(self, place: Location, package: str, kind: str, target: Target) -> None:
        super().__init__(
            f"{place}: {package} is {kind}, and only wheels are taken on {target.platform}",
            "build a wheel of it, put that into an index, and lock it from there; or leave it out "
            "of the group or extra that is taken",
        )
        self.package = package


@dataclass(frozen=True, slots=True)
class TeamPackages:
    """What a team's lock has for one target.

    ``requires``: who requires whom, as far as it tells; ``roots``: what nobody else requires.
    ``indexes``: URLs of indexes by package, where told; ``defaults``: the URLs that the default
    index has. ``direct``: what is there by a wheel's URL. ``team``: for errors.
    """

    packages: Mapping[str, IndexedPackage]
    requires: Mapping[str, tuple[str, ...]]
    roots: tuple[str, ...]
    indexes: Mapping[str, str]
    defaults: frozenset[str]
    direct: frozenset[str]
    team: TeamLock

    def place(self, name: str) -> Location:
        """Where a package stands."""
        return _place(self.team, name)


def read_team_lock(team: TeamLock, target: Target, uv: Uv) -> TeamPackages:
    """What a team's lock has for a target.

    Raises TeamLockError, TeamPythonError, UntakenPackageError and UvMissingError.
    """
    is_uvs = bool(team.project)
    pylock = _parse(_exported(uv, team, "pylock.toml") if is_uvs else team.data, team)
    taken = sorted(_taken(pylock, team, target), key=lambda package: package.name)
    names: set[str] = {package.name for package in taken}
    if is_uvs:
        graph = _graph(_exported(uv, team, "requirements.txt").decode(), names)
    else:
        graph = {package.name: _dependencies(package, names) for package in taken}
    sizes = _sizes(team) if is_uvs else {}
    indexes: dict[str, str] = {one.name: one.index for one in taken if one.index}
    return TeamPackages(
        {package.name: _sized(_indexed(package, team), sizes) for package in taken},
        graph,
        tuple(_roots(graph)),
        indexes,
        uv.default_indexes() if indexes else frozenset(),
        frozenset(package.name for package in taken if package.archive),
        team,
    )


def _exported(uv: Uv, team: TeamLock, form: str) -> bytes:
    """A ``uv.lock`` in another form; what holds on all platforms stands in it with markers."""
    options = ["--frozen", "--offline", "--no-emit-workspace", "--no-default-groups"]
    options += [f"--extra={name}" for name in team.extras]
    options += [f"--group={name}" for name in team.groups]
    options += [f"--only-group={name}" for name in team.only_groups]
    options += ["--no-header", "--no-config", "--format", form]
    options += ["--no-hashes"] if form == "requirements.txt" else []
    with tempfile.TemporaryDirectory(prefix="basestore-") as name:
        folder = Path(name)
        (folder / "uv.lock").write_bytes(team.data)
        (folder / "pyproject.toml").write_bytes(team.project)
        try:
            return uv.export(folder, options)
        except UvFailedError as error:
            hint = "name what the project beside it has, and lock that with its own uv"
            raise TeamLockError(team.place, team.file, error.reason, hint) from error


def _parse(data: bytes, team: TeamLock) -> "Pylock":
    try:
        return parse_pylock(data)
    except ValueError as error:
        raise TeamLockError(team.place, team.file, str(error)) from error


def _taken(pylock: "Pylock", team: TeamLock, target: Target) -> Iterator["Package"]:
    """The packages that are selected for the target, each of which has a wheel for it."""
    from packaging.pylock import (
        PackageArchive,
        PackageSdist,
        PackageVcs,
        PackageWheel,
        PylockSelectError,
    )

    _check_python(pylock, team, target)
    _check_selection(pylock, team)
    kinds = {PackageVcs: "a repository's", PackageSdist: "a source archive only"}
    try:
        for package, chosen in pylock.select(
            environment=cast("Environment", target.platform.markers(target.python)),
            tags=list(target.platform.tags(target.python, target.glibc)),
            extras=team.extras if not team.project else (),
            dependency_groups=(team.groups or None) if not team.project else (),
        ):
            is_wheel = isinstance(chosen, PackageArchive) and _is_wheel(chosen.url)
            if not isinstance(chosen, PackageWheel) and not is_wheel:
                kind = kinds.get(type(chosen), "a folder or archive of sources")
                raise UntakenPackageError(_place(team, package.name), package.name, kind, target)
            yield package
    except PylockSelectError as error:
        hint = f"lock it for {target.platform} with Python {target.python} too"
        raise TeamLockError(team.place, team.file, str(error), hint) from error


def _check_python(pylock: "Pylock", team: TeamLock, target: Target) -> None:
    wanted = pylock.requires_python
    if wanted and not wanted.contains(target.python, prereleases=True):
        raise TeamPythonError(team, str(wanted), target)


def _check_selection(pylock: "Pylock", team: TeamLock) -> None:
    """uv has checked its own; the standard form may list what there is."""
    if team.project:
        return
    offered = {"extra": pylock.extras, "dependency group": pylock.dependency_groups}
    for kind, names in (("extra", team.extras), ("dependency group", team.groups)):
        for name in names:
            if normalised(name) not in map(normalised, offered[kind] or ()):
                known = ", ".join(offered[kind] or ()) or "none"
                reason = f"it has no {kind} {name!r}"
                raise TeamLockError(team.place, team.file, reason, f"known there: {known}")


def _is_wheel(url: str | None) -> bool:
    return bool(url) and str(url).partition("#")[0].partition("?")[0].endswith(".whl")


def _indexed(package: "Package", team: TeamLock) -> IndexedPackage:
    try:
        return indexed_package(package)
    except PylockError as error:
        reason = f"{package.name}: {error.reason}"
        raise TeamLockError(_place(team, package.name), team.file, reason) from error
    except MissingHashError as error:
        reason = f"{error.file} has no SHA-256"
        raise TeamLockError(_place(team, package.name), team.file, reason) from error


def _sizes(team: TeamLock) -> Mapping[Digest, int]:
    """What a ``uv.lock`` tells of wheels' sizes in bytes, which its other forms leave out."""
    rows = re.findall(r'hash = "sha256:([0-9a-f]{64})", size = ([0-9]{1,18})', team.data.decode())
    return {Digest(digits): int(size) for digits, size in rows}


def _sized(package: IndexedPackage, sizes: Mapping[Digest, int]) -> IndexedPackage:
    known = (replace(wheel, size=sizes.get(wheel.sha256, wheel.size)) for wheel in package.wheels)
    return replace(package, wheels=tuple(known))


def _dependencies(package: "Package", names: set[str]) -> tuple[str, ...]:
    stated = package.dependencies or ()
    found = {normalised(str(one.get("name", ""))) for one in stated}
    return tuple(sorted(found & names - {package.name}))


def _graph(text: str, names: set[str]) -> Mapping[str, tuple[str, ...]]:
    """Who requires whom, out of the comments of an exported requirements file."""
    requires: dict[str, set[str]] = {name: set() for name in names}
    current = ""
    for line in text.splitlines():
        if entry := _ENTRY.fullmatch(line):
            current = entry["name"]
        elif (via := _VIA.fullmatch(line)) and current in names and via["via"] in names:
            requires[via["via"]].add(current)
    return {name: tuple(sorted(requires[name])) for name in sorted(requires)}


def _roots(requires: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What no other package requires, and one of each circle that nothing else leads to."""
    needed = set(itertools.chain.from_iterable(requires.values()))
    reached: set[str] = set()
    for root in [*sorted(requires.keys() - needed), *sorted(requires)]:
        if root not in reached:
            yield root
            edge = [root]
            while edge:
                name = edge.pop()
                if name not in reached:
                    reached.add(name)
                    edge += requires.get(name, ())


def _place(team: TeamLock, name: str) -> Location:
    pattern = re.compile(rf'^name = "{re.escape(name)}"', re.MULTILINE)
    text = team.data.decode(errors="replace")
    match = pattern.search(text)
    return Location(team.file, text.count("\n", 0, match.start()) + 1 if match else 1)
