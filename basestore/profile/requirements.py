"""Requirements: all that a profile asks for, from its own lines and the files that it names.

*requirement*: a package that has to be there (PEP 508). *constraint*: bounds for a package that is
there for another reason. Both may stand in requirement files; a ``pyproject.toml`` is asked for
its dependencies, extras and groups.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from basestore.digest import Digest
from basestore.profile.document import DocumentError, Table
from basestore.profile.model import Index, Location, Requirement
from basestore.profile.pyproject import read_pyprojects
from basestore.profile.requirement import parse_requirement
from basestore.profile.requirement_files import RequirementFiles, relative


class Stated(NamedTuple):
    """Sorted requirements and constraints, and the raw digest of each file they came from."""

    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...]
    files: dict[str, Digest]


def read_requirements(root: Path, table: Table, python: str, indexes: Sequence[Index]) -> Stated:
    """What a profile's table asks for, itself and by files.

    ``root`` is the project's folder, ``python`` and ``indexes`` are the profile's. Raises
    DocumentError.
    """
    files = RequirementFiles(root)
    for number, name in enumerate(table.strings("requirements-files") or ()):
        refuse = table.refusal("requirements-files", number)
        files.read(relative(table.document.file, name, refuse), refuse)
    for number, name in enumerate(table.strings("constraints-files") or ()):
        refuse = table.refusal("constraints-files", number)
        files.read_constraints(relative(table.document.file, name, refuse), refuse)
    projects = read_pyprojects(root, table, python, indexes)
    requirements = _sorted([*_own(table), *files.requirements, *projects.requirements])
    for one in requirements:
        _refuse_named(one, indexes)
    return Stated(
        requirements,
        _sorted([*files.constraints, *projects.constraints]),
        {**files.digests, **projects.files},
    )


def _refuse_named(requirement: Requirement, indexes: Sequence[Index]) -> None:
    """What is named for an index comes from there only, and not from a URL."""
    named = (one.name for one in indexes if requirement.name in one.packages)
    if requirement.url and (index := next(named, None)):
        raise DocumentError(
            requirement.location.file,
            f"{requirement.name} by a URL, which [indexes.{index}] names for that index",
            f"ask for it by name, or take it out of [indexes.{index}] packages",
            line=requirement.location.line,
        )


def _sorted(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    return tuple(sorted(requirements, key=lambda r: (r.name, r.text, r.location)))


def _own(table: Table) -> Iterator[Requirement]:
    file = table.document.file
    texts = table.strings("requirements") or ()
    lines = table.document.lines if texts else {}
    for number, text in enumerate(texts):
        location = Location(file, lines[(*table.path, "requirements", number)])
        yield parse_requirement(text, location, table.refusal("requirements", number))
