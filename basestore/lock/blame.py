"""Blame: the line of a profile that made a lock stale, as far as profile and origin tell.

The origin knows where a requirement stood, not how it read. So where only its versions have
changed, the line is told if the locked version no longer meets it, else the files that changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.lock.freshness import Freshness, Reason, Why
from basestore.lock.inputs import Part
from basestore.lock.model import Lock
from basestore.lock.origin import Origin
from basestore.profile.document import Table, read_document, read_file
from basestore.profile.lines import key_lines
from basestore.profile.model import PROJECT_FILE, Location, Profile, Project, Requirement
from basestore.profile.reader import profile_file

_KEYS: Mapping[Part, str] = {
    Part.CONSTRAINTS: "constraints-files",
    Part.FOUNDATION: "foundation",
    Part.FROM_LOCK: "from-lock",
    Part.HASHES: "requirements-files",
    Part.IMAGE: "image",
    Part.INDEXES: "indexes",
    Part.PARENT: "extends",
    Part.PATH_CONFLICTS: "path-conflicts",
    Part.PLATFORMS: "platforms",
    Part.PYTHON: "python",
    Part.REPLACES: "replaces",
}


@dataclass(frozen=True, slots=True)
class Blame:
    """What made a lock stale, and where that stands; None where it can't be told."""

    text: str
    place: Location | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


def blame(
    project: Project, profile: Profile, lock: Lock, origin: Origin, freshness: Freshness
) -> tuple[Blame, ...]:
    """Why a lock is stale that its origin describes; each reason with its place.

    What makes a stale parent stale is left out.
    """
    case = _Case(project, profile, lock, origin)
    found = [one for reason in freshness.reasons for one in case.of(reason)]
    if profile.parent and any(one.why is Why.STALE_PARENT for one in freshness.reasons):
        inherited = profile.parent.files
        found = [one for one in found if not (one.place and one.place.file in inherited)]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Case:
    project: Project
    profile: Profile
    lock: Lock
    origin: Origin

    def of(self, reason: Reason) -> Iterator[Blame]:
        match reason.why:
            case Why.ADDED:
                yield from self._added(reason.names)
            case Why.REMOVED:
                yield from self._removed(reason.names)
            case Why.CHANGED:
                for name in reason.names:
                    yield from self._changed(Part(name))
            case _:
                yield Blame(str(reason))

    def _added(self, names: Sequence[str]) -> Iterator[Blame]:
        for one in self.profile.requirements:
            if one.name in names:
                yield Blame(f"{one.text} was added", one.location)

    def _removed(self, names: Sequence[str]) -> Iterator[Blame]:
        for name in names:
            for place in self.origin.direct.get(name, ()):
                yield Blame(f"{name} was removed", place)

    def _changed(self, part: Part) -> Iterator[Blame]:
        if part is Part.REQUIREMENTS:
            yield from self._changed_requirements()
        elif part is Part.FORMAT:
            yield Blame("locks have another format by now")
        else:
            yield Blame(_said(part, self.profile), self._stated(_KEYS[part]))

    def _changed_requirements(self) -> Iterator[Blame]:
        own = [one for one in self.profile.requirements if self._moved(one.location.file)]
        unmet = list(self._unmet(own))
        for one, version in unmet:
            yield Blame(f"{one.text} was changed, and {version} is locked", one.location)
        if not unmet:
            files = sorted({one.location.file for one in own})
            yield Blame(f"requirements were changed in {', '.join(files) or 'the profile'}")

    def _unmet(self, requirements: Iterable[Requirement]) -> Iterator[tuple[Requirement, str]]:
        from packaging.requirements import Requirement as Parsed

        locked = {wheel.name: wheel.version for p in self.lock.platforms for wheel in p.wheels}
        for one in requirements:
            version = locked.get(one.name)
            allowed = Parsed(one.text).specifier
            if version and not allowed.contains(version, prereleases=True):
                yield one, version

    def _stated(self, key: str) -> Location | None:
        """Where a key stands, in the youngest file that has it and has changed."""
        files = [profile_file(one.name) for one in reversed(self.profile.lineage)]
        for file in (*files, PROJECT_FILE):
            table = _read(self.project, file) if self._moved(file) else None
            if table and key in table.values:
                lines = key_lines(table.document.text)
                # A table of tables has no line of its own: `[indexes.pytorch]`.
                return Location(file, min(lines[path] for path in lines if path[0] == key))
        return None

    def _moved(self, file: str) -> bool:
        """Whether a file has other bytes than when the lock was made."""
        return self.profile.files.get(file) != self.origin.head.files.get(file)


def _said(part: Part, profile: Profile) -> str:
    if part is Part.PARENT and profile.parent:
        return f"the lock of its parent {profile.parent.name} was changed"
    return f"`{_KEYS[part]}` was changed"


def _read(project: Project, file: str) -> Table | None:
    data = read_file(project.root, file)
    return None if data is None else read_document(file, data)
