"""Duplicates: what a service asks for, and its base has already."""

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.files import ChangedFileError, edit_files
from basestore.lock.files import read_lock
from basestore.profile.document import DocumentError, read_file
from basestore.profile.edit import without_elements, without_lines
from basestore.profile.inside import real_paths
from basestore.profile.lines import KeyPath, element_spans, key_lines
from basestore.profile.model import PROJECT_FILE, Location, Project, Requirement
from basestore.profile.project import all_names
from basestore.profile.reader import read_profile
from basestore.profile.requirement import parse_requirement


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A requirement of a service that its base meets, and the version there.

    ``text``: the requirement, as `Requirement` has it.
    """

    service: str
    base: str
    name: str
    text: str
    version: str
    place: Location

    def __str__(self) -> str:
        return f"{self.place}: {self.name} is in its base {self.base} already, as {self.version}"


def duplicates(project: Project, name: str) -> tuple[Duplicate, ...]:
    """What a locked service asks for without need, by place.

    Only what its base has on every platform of the service. Raises NoLockError for the base.
    """
    service = read_profile(project, name)
    if service.service is None:
        return ()
    base, _ = read_lock(project, service.service.base)
    there = [{w.name: w.version for w in base.platform(p).wheels} for p in service.platforms]
    everywhere = set[str].intersection(*map(set, there))
    return tuple(
        Duplicate(name, service.service.base, one.name, one.text, there[0][one.name], one.location)
        for one in service.requirements
        if one.name in everywhere and _is_met(one, there)
    )


def take_out(project: Project, found: Sequence[Duplicate]) -> tuple[str, ...]:
    """Take duplicates out of the files that hold them; the files, all written or none.

    Raises LeadsOutError, and ChangedFileError where one isn't as it was when they were found.

    Files that other profiles and services read, too, are left, and so is a ``pyproject.toml``:
    what a project depends on is its own matter.
    """
    shared = _read_by_others(project, {one.service for one in found})
    taken = [one for one in found if one.place.file not in shared]
    before = {one.place.file: read_file(project.root, one.place.file) for one in taken}
    _check_still_there(project, found)
    changed = dict(_edited(before, taken))
    places = real_paths(project.root, changed)
    edit_files({places[f]: (before[f], text.encode()) for f, text in changed.items()})
    return tuple(changed)


def _check_still_there(project: Project, found: Sequence[Duplicate]) -> None:
    """Raise ChangedFileError for a file whose duplicates are others than those that were found."""
    again = {one for name in {one.service for one in found} for one in duplicates(project, name)}
    for one in found:
        if one not in again:
            raise ChangedFileError(project.root / one.place.file)


def _is_met(requirement: Requirement, there: Sequence[Mapping[str, str]]) -> bool:
    """Whether the base alone meets it; extras may bring what the base lacks."""
    from packaging.requirements import Requirement as Parsed

    asked = Parsed(requirement.text)
    if asked.extras or asked.url:
        return False
    held = (versions[requirement.name] for versions in there)
    return all(asked.specifier.contains(version, prereleases=True) for version in held)


def _read_by_others(project: Project, services: Collection[str]) -> frozenset[str]:
    others = (read_profile(project, name) for name in all_names(project) if name not in services)
    return frozenset(file for one in others for file in one.files) - {PROJECT_FILE}


def _edited(
    before: Mapping[str, bytes | None], found: Sequence[Duplicate]
) -> Iterator[tuple[str, str]]:
    for file, here in _by_file(found).items():
        data = before[file]
        if data is None or file.endswith("pyproject.toml"):
            continue
        text = data.decode()
        if file == PROJECT_FILE:
            yield file, without_elements(text, [p for one in here for p in _elements(text, one)])
        else:
            yield file, without_lines(text, [one.place.line for one in here])


def _by_file(found: Sequence[Duplicate]) -> Mapping[str, Sequence[Duplicate]]:
    files: dict[str, list[Duplicate]] = {}
    for one in found:
        files.setdefault(one.place.file, []).append(one)
    return files


def _elements(text: str, one: Duplicate) -> Iterator[KeyPath]:
    """The elements of a service's requirements that a duplicate is."""
    lines, spans = key_lines(text), element_spans(text)
    below = ("services", one.service, "requirements")
    for path, (start, end) in spans.items():
        if path[:-1] == below and lines[path] == one.place.line:
            stated = tomllib.loads(f"x = {text[start:end]}")["x"]
            if parse_requirement(stated, one.place, _refusal).text == one.text:
                yield path


def _refusal(reason: str, hint: str) -> DocumentError:
    return DocumentError(PROJECT_FILE, reason, hint)  # it was read before, and refused nothing
