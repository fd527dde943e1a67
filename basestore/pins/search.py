"""References over files that belong together: variables of one are another's, too."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basestore.pins.bases import Bases
from basestore.pins.find import NOTHING, Found, Given, Kind, defined, find, kind_of
from basestore.pins.model import Build, Occurrence, Place, Variables

Contents = Mapping[str, bytes]
"""Files by their paths relative to the project."""


@dataclass(frozen=True, slots=True)
class References:
    """What the files of a project name: references to bases, and places that others share."""

    occurrences: tuple[Occurrence, ...]
    shared: tuple[Place, ...]


def search(contents: Contents, bases: Bases) -> References:
    """The references to bases in files, in the files' order.

    An ``.env`` file gives values to the compose files and Dockerfiles in its folder (to the latter
    only those that they lack), a compose file's ``args`` to the Dockerfile that it builds. A file
    that mentions no base is not parsed. Raises PinFileError.
    """
    mentioning = [file for file, data in contents.items() if bases.needle.search(data)]
    beside = _variables(contents)
    found = [
        one
        for file in mentioning
        for given in _given(file, contents[file], beside)
        for one in [find(file, contents[file], bases, given)]
    ]
    wanted = frozenset(name for one in found for use in one.occurrences for name in use.variables)
    found += [
        find(file, contents[file], bases, given)
        for file in _may_build(contents, mentioning, wanted)
        for given in _given(file, contents[file], beside)
    ]
    builds = [build for one in found for build in one.builds]
    found += _built(builds, contents, bases, beside)
    return References(
        tuple(_complete(use for one in found for use in one.occurrences)),
        tuple(place for one in found for place in one.shared),
    )


def _variables(contents: Contents) -> Mapping[str, Sequence[Variables]]:
    """The files of variables in each folder."""
    found: dict[str, list[Variables]] = {}
    for file, data in contents.items():
        if kind_of(file) is Kind.VARIABLES:
            found.setdefault(posixpath.dirname(file), []).append(defined(file, data))
    return found


def _given(file: str, data: bytes, beside: Mapping[str, Sequence[Variables]]) -> Iterable[Given]:
    """Each set of values that a file may be read with."""
    values = beside.get(posixpath.dirname(file), ())
    if not values or b"$" not in data:
        return (NOTHING,)
    if kind_of(file) is Kind.DOCKERFILE:
        return [Given({}, one) for one in values]
    return [Given(one, {}) for one in values]


def _may_build(
    contents: Contents, mentioning: Sequence[str], wanted: Iterable[str]
) -> Iterator[str]:
    """The compose files that mention no base, but may give a Dockerfile its version."""
    names = [name.encode() for name in wanted]
    known = frozenset(mentioning)
    for file, data in contents.items():
        may_build = file not in known and kind_of(file) is Kind.YAML and b"args" in data
        if may_build and any(name in data for name in names):
            yield file


def _built(
    builds: Iterable[Build],
    contents: Contents,
    bases: Bases,
    beside: Mapping[str, Sequence[Variables]],
) -> Iterator[Found]:
    for build in builds:
        data = contents.get(build.dockerfile)
        if data is not None and kind_of(build.dockerfile) is Kind.DOCKERFILE:
            for given in _given(build.dockerfile, data, beside):
                yield find(build.dockerfile, data, bases, Given(build.arguments, given.fallback))


def _complete(found: Iterable[Occurrence]) -> Iterator[Occurrence]:
    """Each occurrence once; none with a variable that lacks a value, if another has it there."""
    unique = dict.fromkeys(found)
    complete = {(one.file, one.offset) for one in unique if not one.missing}
    for one in unique:
        if not one.missing or (one.file, one.offset) not in complete:
            yield one
