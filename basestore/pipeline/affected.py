"""Affected: what has to be locked, built and pushed for what has changed since a revision.

Asked of git and of the project's files alone, so that it costs little and needs no store. Where
something can't be told without resolving or building, more is named rather than less.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from basestore.errors import InputError, PolicyError
from basestore.lock import origin
from basestore.lock.blame import Blame
from basestore.lock.files import IMAGES_FILE, lock_file, origin_file
from basestore.lock.freshness import Checks
from basestore.lock.policy import PolicyHitError
from basestore.lock.stale import blamed
from basestore.pipeline.before import commented, project_before, remade
from basestore.pipeline.code import Code
from basestore.pipeline.lock_state import Reason
from basestore.pipeline.recorded import Records
from basestore.pipeline.standing import recorded_of
from basestore.profile.document import read_file
from basestore.profile.family import in_family_order, parents_of
from basestore.profile.model import PROJECT_FILE, Project
from basestore.profile.service import Service
from basestore.sources.git import Changes, Revision
from basestore.state import State

_UNREADABLE = "said what can't be read"


@dataclass(frozen=True, slots=True)
class Affected:
    """A profile or service, and why each thing has to be done with it, if it has to.

    ``base``: the profile that a service stands on. What is locked is built, and what is built is
    pushed: ``pushing`` only says what else there is to push for.
    """

    name: str
    base: str | None = None
    locking: tuple[Reason, ...] = ()
    building: tuple[Reason, ...] = ()
    pushing: tuple[Reason, ...] = ()

    @property
    def lock(self) -> bool:
        """Whether it has to be locked."""
        return bool(self.locking)

    @property
    def build(self) -> bool:
        """Whether it has to be built: then its image may be another one."""
        return bool(self.locking or self.building)

    @property
    def push(self) -> bool:
        """Whether it has to be pushed."""
        return bool(self.causes)

    @property
    def causes(self) -> tuple[Reason, ...]:
        """Everything that something has to be done for, each once."""
        return tuple(dict.fromkeys((*self.locking, *self.building, *self.pushing)))


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change asks for: ``names``, bases before what stands on them, and ``pins``, the files
    whose references to a base have to be rewritten when that is built.
    """

    names: tuple[Affected, ...]
    pins: tuple[str, ...]


def affected(
    project: Project, revision: Revision, now: datetime, state: State | None = None
) -> Impact:
    """What has to be done for what has changed since a revision.

    ``now`` decides on ages and waivers of the policy; ``state`` is what this user remembers. What
    stands in the way of locking or building is a cause of it, and not raised. Raises
    GitFailedError, DocumentError for the images file, and what reading the files of ``[pins]``
    raises.
    """
    changes = revision.changes()
    comparison = _Comparison(
        project=project,
        before=project_before(project, revision, changes),
        changes=changes,
        code=Code(project.root.resolve(), revision, changes),
        commented=commented(project, revision, changes),
        remade=remade(project, revision, changes),
        checks=Checks(project, now, state or State.none()),
    )
    found = tuple(one for one in comparison.all() if one.push)
    return Impact(found, tuple(_pins(project, found)))


def _pins(project: Project, found: Iterable[Affected]) -> list[str]:
    """The files with references to bases that aren't pins of what these are going to be.

    A base that is locked, and whose image is recorded, may have been pinned already.
    """
    bases = {one.name: one for one in found if one.base is None}
    if not (bases and project.registry and project.pins.files):
        return []
    from basestore.pins import State  # few projects have pins, and few changes are of bases
    from basestore.pins.search import search
    from basestore.pipeline.pin import bases_of, find_pins
    from basestore.pipeline.pin_files import read_files

    records = Records.read(project)
    known = {name for name, one in bases.items() if not one.lock and recorded_of(records, name)}
    contents = read_files(project.root, project.pins.files).contents
    found_there = search(contents, bases_of(project)).occurrences
    files = {one.place.file for one in found_there if one.base in bases.keys() - known}
    pins = find_pins(project, known).pins if known else ()
    return sorted(files | {pin.file for pin in pins if pin.state is not State.PINNED})


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A project as it is now, beside what it was in a revision.

    ``before``: None where that can't be told. ``commented``: files of profiles that were changed in
    nothing but their layout and comments. ``remade``: profiles that have another image of the same
    lock.
    """

    project: Project
    before: Project | None
    changes: Changes
    code: Code
    commented: frozenset[str]
    remade: frozenset[str]
    checks: Checks

    def all(self) -> Iterator[Affected]:
        """Every profile and service, parents before children."""
        parents = parents_of(self.project)
        found: dict[str, Affected] = {}
        for name in in_family_order(parents):
            above = found.get(parents[name] or "")
            found[name] = self._affected(name, above)
            yield found[name]

    def _affected(self, name: str, above: Affected | None) -> Affected:
        service = self.project.services.get(name)
        return Affected(
            name,
            service.base if service else None,
            tuple(self._locking(name, above)),
            tuple(self._building(name, above)),
            tuple(self._pushing(name)),
        )

    def _locking(self, name: str, above: Affected | None) -> Iterator[Reason]:
        if above and above.lock:
            yield Reason(f"{above.name}, which it stands on, has to be locked")
        elif any(self._matters(file, name) for file in self._sources(name)):
            yield from _stale(self.project, name, self.checks)

    def _building(self, name: str, above: Affected | None) -> Iterator[Reason]:
        if lock_file(name) in self.changes:
            yield Reason("changed", lock_file(name))
        if name in self.remade:
            yield Reason("has another image of the same lock", IMAGES_FILE)
        if name in self.project.services:
            if above and above.build and not above.lock:
                yield Reason(f"{above.name}, which it stands on, has to be built")
            yield from self._coding(name)

    def _coding(self, name: str) -> Iterator[Reason]:
        """What has changed of a service but its packages."""
        new = self.project.services[name]
        old = self.before.services.get(name) if self.before else None
        if old is None:
            yield Reason("is new" if self.before else _UNREADABLE, new.place.file, new.place.line)
            return
        try:
            files = self.code.changed(old, new)
        except InputError as error:
            yield Reason(error.message)
            return
        yield from (Reason("changed", file) for file in files)
        if _built_by(old) != _built_by(new):
            yield Reason("is built otherwise", new.place.file, new.place.line)

    def _pushing(self, name: str) -> Iterator[Reason]:
        before, now = self.before, self.project
        if before is None:
            yield Reason(_UNREADABLE, PROJECT_FILE)
        elif (before.registry, before.image(name)) != (now.registry, now.image(name)):
            yield Reason("names another repository for it", PROJECT_FILE)

    def _sources(self, name: str) -> Iterator[str]:
        """The files that decide whether a lock is fresh."""
        yield PROJECT_FILE  # its policy is everyone's
        yield self.project.file_of(name)
        yield lock_file(name)
        yield origin_file(name)
        written = read_file(self.project.root, origin_file(name))
        try:
            head = origin.parse_head(written, origin_file(name)) if written else None
        except InputError:
            return  # which `check` says, if somebody has changed it
        yield from head.files if head else ()

    def _matters(self, file: str, name: str) -> bool:
        """Whether a file may have changed in what it says about a lock.

        What lies outside of the project may be none of git's.
        """
        if file == PROJECT_FILE:
            return _said(self.before, name) != _said(self.project, name)
        if file.startswith("../"):
            return True
        return file in self.changes and file not in self.commented


def _built_by(service: Service) -> object:
    return service.builder, service.dockerfile, service.build_args


def _said(project: Project | None, name: str) -> object:
    """What ``basestore.toml`` says that a lock may depend on, wherever it stands there."""
    if project is None:
        return None
    service = project.services.get(name)
    return project.digests.get(""), service.table.values if service else None


def _stale(project: Project, name: str, checks: Checks) -> Iterator[Reason]:
    """Why a lock isn't fresh, or can't be taken; nothing where it is fresh."""
    try:
        freshness = checks.of(name)
        known = blamed(project, freshness) if freshness.reasons else ()
        reasons = known or tuple(Blame(str(reason)) for reason in freshness.reasons)
    except PolicyHitError as error:
        yield from (
            Reason(one.what, one.rule.place.file, one.rule.place.line) for one in error.hits
        )
    except (InputError, PolicyError) as error:
        yield Reason(error.message)
    else:
        for one in reasons:
            place = one.place
            yield Reason(one.text, place.file, place.line) if place else Reason(one.text)
