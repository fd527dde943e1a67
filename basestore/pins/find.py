"""The references to bases in a file, by the kind of file it is."""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import PurePosixPath

from basestore.pins.bases import Bases, split
from basestore.pins.dockerfile import references
from basestore.pins.lines import in_template, in_variables, variables
from basestore.pins.model import (
    Build,
    Occurrence,
    PinFileError,
    Place,
    Variables,
    shared_places,
    text_of,
)


class Kind(Enum):
    """What a file is, by its name."""

    DOCKERFILE = auto()
    VARIABLES = auto()
    YAML = auto()
    TEMPLATE = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """What a file names.

    ``shared``: places of variables that other references are put together from, too. ``builds``:
    the Dockerfiles that a compose file builds.
    """

    occurrences: tuple[Occurrence, ...] = ()
    shared: tuple[Place, ...] = ()
    builds: tuple[Build, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """Values of variables. ``fallback``: of those that have none otherwise."""

    values: Variables
    fallback: Variables


NOTHING = Given({}, {})


def kind_of(file: str) -> Kind:
    """What a file is, by its name; what is nothing else is taken for text with references."""
    name = PurePosixPath(file).name.lower()
    if name in ("dockerfile", "containerfile") or name.startswith(
        ("dockerfile.", "containerfile.")
    ):
        return Kind.DOCKERFILE
    if name.endswith((".dockerfile", ".containerfile")):
        return Kind.DOCKERFILE
    if name == ".env" or name.startswith(".env.") or name.endswith(".env"):
        return Kind.VARIABLES
    if name.endswith((".yaml", ".yml", ".json")):
        return Kind.YAML
    return Kind.TEMPLATE


def find(file: str, data: bytes, bases: Bases, given: Given = NOTHING) -> Found:
    """The references to bases in a file; ``file`` is its path relative to the project.

    Raises PinFileError where it names a base and doesn't parse.
    """
    kind = kind_of(file)
    if kind is Kind.DOCKERFILE:
        return _in_dockerfile(file, data, bases, given)
    if kind is Kind.VARIABLES:
        return Found(tuple(in_variables(file, data, bases)))
    if kind is Kind.TEMPLATE:
        return Found(tuple(in_template(file, data, bases)))
    return _in_yaml(file, data, bases, given.values)


def defined(file: str, data: bytes) -> Variables:
    """The variables that a file defines for those beside it; none unless it is an ``.env`` file."""
    return variables(file, data) if kind_of(file) is Kind.VARIABLES else {}


def _in_dockerfile(file: str, data: bytes, bases: Bases, given: Given) -> Found:
    occurrences: list[Occurrence] = []
    shared: list[Place] = []
    for offset, pieces in references(file, data, given.values, given.fallback):
        repository = split(text_of(pieces))[0]
        if bases.claims(repository):
            occurrences.append(Occurrence(file, offset, pieces, bases.base_of(repository)))
        else:
            shared += shared_places(pieces)
    return Found(tuple(occurrences), tuple(shared))


def _in_yaml(file: str, data: bytes, bases: Bases, values: Variables) -> Found:
    from basestore.pins.manifest import Manifest
    from basestore.pins.nodes import Document

    manifest = Manifest(bases, values, Document(file, data))
    try:
        manifest.read()
    except PinFileError:
        if b"{{" not in data:
            raise
        return Found(tuple(in_template(file, data, bases)))
    return Found(tuple(manifest.occurrences), tuple(manifest.shared), tuple(manifest.builds))
