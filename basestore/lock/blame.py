"""Blame: the line of a profile that made a lock stale, as far as profile and origin tell.

The origin knows where each requirement and constraint stood, and how it read. One that an earlier
version wrote has only the places: there the line is told if the locked version no longer meets it,
else the files that changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.lock.freshness import Freshness, Reason, Why
from basestore.lock.inputs import Part
from basestore.lock.model import Lock
from basestore.lock.origin import Origin
from basestore.lock.texts import Texts
from basestore.profile.document import Table, read_document, read_file
from basestore.profile.model import PROJECT_FILE, Location, Profile, Project, Requirement
from basestore.profile.names import name_of

_KEYS: Mapping[Part, str] = {
    Part.FOUNDATION: "foundation",
    Part.FROM_LOCK: "from-lock",
    Part.IMAGE: "image",
    Part.INDEXES: "indexes",
    Part.PARENT: "extends",
    Part.PATH_CONFLICTS: "path-conflicts",
    Part.PLATFORMS: "platforms",
    Part.PYTHON: "python",
    Part.RECORD_EXCEPTIONS: "record-exceptions",
    Part.REPLACES: "replaces",
}


_SERVICE_KEYS = {"extends": "base"}


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
    if any(one.why in (Why.ADDED, Why.REMOVED) for one in freshness.reasons):
        found += case.reworded()
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
            case Why.STALE_PARENT if self.profile.service:
                yield Blame(f"its base is stale: {', '.join(reason.names)}")
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

    def reworded(self) -> Iterator[Blame]:
        """Requirements of packages that were asked for before too, in other words."""
        asked = {one.name for one in self.profile.requirements}
        before = [(text, at) for text, at in _flat(self.origin.stated) if name_of(text) in asked]
        now = [one for one in self.profile.requirements if one.name in self.origin.direct]
        return self._reworded(before, now if self.origin.stated else ())

    def _changed(self, part: Part) -> Iterator[Blame]:
        match part:
            case Part.FORMAT:
                yield Blame("locks have another format by now")
            case Part.REQUIREMENTS:
                yield from self._changed_requirements()
            case Part.CONSTRAINTS if self.origin.stated or self.origin.bounds:
                before = _flat(self.origin.bounds)
                yield from self._reworded(before, self.profile.constraints)
            case Part.CONSTRAINTS | Part.HASHES:
                yield self._changed_in_files(part)
            case Part.RECORD_EXCEPTIONS:
                yield from self._changed_exceptions()
            case _:
                yield Blame(_said(part, self.profile), self._stated(_KEYS[part]))

    def _changed_exceptions(self) -> Iterator[Blame]:
        """Of the packages that are locked or not: what the lock has otherwise than the profile."""
        now, was = self.profile.record_exceptions, self.lock.record_exceptions
        for name in sorted({*now, *was}):
            what, one = f"the exception of {name} from its RECORD", now.get(name)
            if one is None:
                yield Blame(f"{what} was removed", self._stated("record-exceptions"))
            elif name not in was:
                yield Blame(f"{what} was added", one.place)
            elif one.reason != was[name]:
                yield Blame(f"{what} has another reason now", one.place)

    def _changed_requirements(self) -> Iterator[Blame]:
        found = list(self._reworded(_flat(self.origin.stated), self.profile.requirements))
        if self.origin.stated and found:
            yield from found
            return
        own = [one for one in self.profile.requirements if self._moved(one.location.file)]
        unmet = [(one, self._unmet(one)) for one in own]
        for one, version in unmet:
            if version:
                yield Blame(f"{one.text} was changed, and {version} is locked", one.location)
        if not any(version for _, version in unmet):
            yield self._in_files("requirements", own)

    def _reworded(
        self, before: Sequence[tuple[str, Location]], now: Iterable[Requirement]
    ) -> Iterator[Blame]:
        """What reads otherwise now, package by package; texts at other places are the same."""
        asked = tuple(now)
        texts = {one.text for one in asked}
        gone = [(text, at) for text, at in before if text not in texts]
        known, told = {text for text, _ in before}, set[str]()
        for one in asked:
            if one.text in known:
                continue
            was = [text for text, _ in gone if name_of(text) == one.name]
            told.update(was)
            yield Blame(self._change(one, was), one.location)
        for text, at in gone:
            if text not in told:
                yield Blame(f"{text} was removed", at)

    def _change(self, one: Requirement, was: Sequence[str]) -> str:
        said = f'was "{" and ".join(was)}", now "{one.text}"' if was else f"{one.text} was added"
        version = self._unmet(one)
        return f"{said}, and {version} is locked" if version else said

    def _changed_in_files(self, part: Part) -> Blame:
        if part is Part.CONSTRAINTS:
            return self._in_files("constraints", self.profile.constraints)
        asked = (*self.profile.requirements, *self.profile.constraints)
        return self._in_files("hashes", [one for one in asked if one.hashes] or asked)

    def _in_files(self, what: str, stated: Iterable[Requirement]) -> Blame:
        files = sorted({one.location.file for one in stated if self._moved(one.location.file)})
        return Blame(f"{what} were changed in {', '.join(files) or 'the profile'}")

    def _unmet(self, one: Requirement) -> str | None:
        """The locked version of a package, where it doesn't meet a requirement."""
        from packaging.requirements import Requirement as Parsed

        locked = {wheel.name: wheel.version for p in self.lock.platforms for wheel in p.wheels}
        version = locked.get(one.name)
        allowed = Parsed(one.text).specifier
        return version if version and not allowed.contains(version, prereleases=True) else None

    def _stated(self, key: str) -> Location | None:
        """Where a key stands, in the youngest file that has it and has changed."""
        service = self.profile.service
        if service and self._moved(PROJECT_FILE):
            lines = service.table.document.lines
            line = lines.get((*service.table.path, _SERVICE_KEYS.get(key, key)))
            return Location(PROJECT_FILE, line) if line else service.place
        files = [one.file for one in reversed(self.profile.lineage)]
        for file in dict.fromkeys((*files, PROJECT_FILE)):
            table = _read(self.project, file) if self._moved(file) else None
            if table and key in table.values:
                lines = table.document.lines
                # A table of tables has no line of its own: `[indexes.pytorch]`.
                return Location(file, min(lines[path] for path in lines if path[0] == key))
        return None

    def _moved(self, file: str) -> bool:
        """Whether a file has other bytes than when the lock was made."""
        return self.profile.files.get(file) != self.origin.head.files.get(file)


def _flat(texts: Texts) -> list[tuple[str, Location]]:
    return [(text, at) for at in sorted(texts) for text in texts[at]]


def _said(part: Part, profile: Profile) -> str:
    kind = "base" if profile.service else "parent"
    if part is Part.PARENT and profile.parent:
        return f"the lock of its {kind} {profile.parent.name} was changed"
    if part is Part.IMAGE and profile.service:
        return "the settings of its image were changed"
    return f"`{_KEYS[part]}` was changed"


def _read(project: Project, file: str) -> Table | None:
    data = read_file(project.root, file)
    return None if data is None else read_document(file, data)
