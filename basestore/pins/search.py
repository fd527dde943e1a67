"""References over files that belong together: variables of one are another's, too."""

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.pins.bases import Bases
from basestore.pins.find import NOTHING, Found, Given, Kind, defined, find, kind_of
from basestore.pins.model import Occurrence, Piece, Place, Variables

Contents = Mapping[str, bytes]
"""Files by their paths relative to the project."""

_CONTINUED = re.compile(rb"\$(?:[{(]([A-Za-z_]\w*)[)}]|([A-Za-z_]\w*))[:@]", re.ASCII)
_READ = re.compile(rb"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class References:
    """What the files of a project name: references to bases, and places that others share."""

    occurrences: tuple[Occurrence, ...]
    shared: tuple[Place, ...]


def search(contents: Contents, bases: Bases) -> References:
    """The references to bases in files, in the files' order.

    An ``.env`` file gives values to the compose files and Dockerfiles in its folder (to the latter
    only those that they lack), a compose file's ``args`` to the Dockerfile that it builds. Only
    files are parsed that mention a base, or that are put together with one that does. Raises
    PinFileError.
    """
    reading = _Reading(contents, bases, _variables(contents))
    reading.read(file for file, data in contents.items() if bases.needle.search(data))
    reading.read(reading.readers(lambda one: bases.needle.search(one.text.encode()) is not None))
    reading.read(reading.builders())
    reading.build()
    used = {one.place for found in reading.found for use in found.occurrences for one in use.pieces}
    reading.read(reading.readers(lambda one: one.place in used))
    reading.build()
    shared = [place for found in reading.found for place in found.shared]
    uses = dict.fromkeys(use for found in reading.found for use in found.occurrences)
    return References(
        tuple(_complete(_uncontinued(uses))),
        (*shared, *reading.continued()),
    )


class _Reading:
    """What has been read of a project's files, each once, and Dockerfiles once for each build."""

    def __init__(
        self, contents: Contents, bases: Bases, beside: Mapping[str, Sequence[Variables]]
    ) -> None:
        self.found: list[Found] = []
        self._contents = contents
        self._bases = bases
        self._beside = beside
        self._folders: dict[str, list[str]] = {}
        for file in contents if beside else ():
            self._folders.setdefault(posixpath.dirname(file), []).append(file)
        self._files: set[str] = set()
        self._built = 0

    def read(self, files: Iterable[str]) -> None:
        """Read files, with each set of values that there is for them."""
        for file in files:
            if file not in self._files:
                self._files.add(file)
                self._find(file, {})

    def build(self) -> None:
        """Read the Dockerfiles that compose files build with arguments."""
        builds = [build for one in self.found[self._built :] for build in one.builds]
        self._built = len(self.found)
        for build in builds:
            if build.dockerfile in self._contents and _is_dockerfile(build.dockerfile):
                self._find(build.dockerfile, build.arguments)

    def readers(self, wanted: Callable[[Piece], bool]) -> Iterator[str]:
        """The files that take such a value from a file of variables beside them."""
        for folder, files in self._beside.items():
            names = {
                name.encode("latin-1")
                for values in files
                for name, pieces in values.items()
                if any(map(wanted, pieces))
            }
            for file in self._folders[folder] if names else ():
                if _reads(file, self._contents[file], names):
                    yield file

    def continued(self) -> Iterator[Place]:
        """The ends of variables behind which scripts beside them put a tag or digest."""
        for folder, files in self._beside.items():
            scripts = [one for one in self._folders[folder] if kind_of(one) is Kind.TEMPLATE]
            rows = [row for one in scripts for row in _CONTINUED.findall(self._contents[one])]
            names = {name.decode() for row in rows for name in row}
            for place in (one.place for v in files for n in names for one in v.get(n, ())):
                if place:
                    yield Place(place.file, place.end, place.end)

    def builders(self) -> Iterator[str]:
        """The compose files that may give a Dockerfile that was read what it is put together of."""
        dockerfiles = (self._contents[file] for file in self._files if _is_dockerfile(file))
        names = {name for data in dockerfiles if b"$" in data for name in _READ.findall(data)}
        for file, data in self._contents.items() if names else ():
            builds = kind_of(file) is Kind.YAML and _may_build(data)
            if builds and any(name in data for name in names):
                yield file

    def _find(self, file: str, arguments: Variables) -> None:
        data = self._contents[file]
        for given in self._given(file, data, arguments):
            self.found.append(find(file, data, self._bases, given))

    def _given(self, file: str, data: bytes, arguments: Variables) -> Iterable[Given]:
        """Each set of values that a file may be read with."""
        values = self._beside.get(posixpath.dirname(file), ())
        if not values or not (b"$" in data or _may_build(data)):
            return (Given(arguments, {}) if arguments else NOTHING,)
        if _is_dockerfile(file):
            return [Given(arguments, one) for one in values]
        return [Given(one, {}) for one in values]


def _reads(file: str, data: bytes, names: Collection[bytes]) -> bool:
    kind = kind_of(file)
    if kind is Kind.YAML and _may_build(data) and any(name in data for name in names):
        return True
    interpolates = b"$" in data and kind in (Kind.YAML, Kind.DOCKERFILE)
    return interpolates and any(name in names for name in _READ.findall(data))


def _may_build(data: bytes) -> bool:
    """Whether a compose file may hand arguments to a build, without a ``$`` even."""
    return b"args" in data and b"build" in data


def _is_dockerfile(file: str) -> bool:
    return kind_of(file) is Kind.DOCKERFILE


def _variables(contents: Contents) -> Mapping[str, Sequence[Variables]]:
    """The files of variables in each folder."""
    found: dict[str, list[Variables]] = {}
    for file, data in contents.items():
        if kind_of(file) is Kind.VARIABLES:
            found.setdefault(posixpath.dirname(file), []).append(defined(file, data))
    return found


def _uncontinued(uses: Collection[Occurrence]) -> Iterator[Occurrence]:
    """Not the values of variables that others put more behind: those are the references then."""
    continued = {place for one in uses for place in one.continued}
    return (one for one in uses if not one.defines or one.place not in continued)


def _complete(uses: Iterable[Occurrence]) -> Iterator[Occurrence]:
    """None with a variable that lacks a value, if another has it there."""
    found = list(uses)
    complete = {(one.file, one.offset) for one in found if not one.missing}
    for one in found:
        if not one.missing or (one.file, one.offset) not in complete:
            yield one
