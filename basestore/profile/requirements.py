"""Requirements: of a profile itself and of the requirement files it names.

A requirement file holds one requirement a line (PEP 508), comments, blank lines and ``-r FILE``.
Everything else that pip would take (options, URLs, paths, hashes) is refused: where a package comes
from is the profile's ``[indexes]``, and which bytes it has is the lock's.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from basestore.digest import Digest
from basestore.profile.document import DocumentError, Table
from basestore.profile.lines import key_lines
from basestore.profile.model import Location, Requirement
from basestore.profile.names import normalised

_COMMENT = re.compile(r"(^|\s)#.*$")  # pip's own rule
_INCLUDE = re.compile(r"(?:-r\s*|--requirement(?:\s+|\s*=\s*))(?P<file>\S.*)")
_LONGEST_SHOWN = 60

Refuse = Callable[[str, str], DocumentError]
"""Makes the error for one place of a file, from a reason and a hint."""

_BY_NAME = "name the package alone, and the index it comes from under [indexes.NAME]"
_NO_OPTION = {
    "-e": "build a wheel of it, put that into an index and name the package here",
    "--editable": "build a wheel of it, put that into an index and name the package here",
    "-c": "state the bounds with the requirements themselves: name>=1,<2",
    "--constraint": "state the bounds with the requirements themselves: name>=1,<2",
    "--hash": "leave the hashes out: the lock holds them",
}
_OTHER_OPTION = "take it out; indexes stand in the profile, under [indexes.NAME]"


class Stated(NamedTuple):
    """Sorted requirements, and the raw digest of each requirement file they came from."""

    requirements: tuple[Requirement, ...]
    files: dict[str, Digest]


def read_requirements(root: Path, table: Table) -> Stated:
    """The ``requirements`` and ``requirements-files`` of a profile's table.

    ``root`` is the project's folder. Raises DocumentError.
    """
    files = _Files(root)
    for number, name in enumerate(table.strings("requirements-files") or ()):
        refuse = _refusal_at_key(table, "requirements-files", number)
        files.read(_relative(table.document.file, name, refuse), (), refuse)
    requirements = sorted(
        [*_own(table), *files.requirements], key=lambda r: (r.name, r.text, r.location)
    )
    return Stated(tuple(requirements), files.digests)


def parse_requirement(text: str, location: Location, refuse: Refuse) -> Requirement:
    """A requirement in packaging's canonical text; raises what ``refuse`` makes."""
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    if "://" in text or text.startswith((".", "/", "~")):
        raise refuse("a URL or path, not a requirement by name", _BY_NAME)
    try:
        parsed = Parsed(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise refuse(
            f"{_shown(text)} is no requirement: {reason}",
            "write a name, extras and versions as in PEP 508: uvicorn[standard]>=0.30,<1",
        ) from None
    if parsed.url is not None:
        raise refuse(f"a URL for {parsed.name}", _BY_NAME)
    parsed.name = normalised(parsed.name)
    parsed.extras = {normalised(extra) for extra in parsed.extras}
    return Requirement(parsed.name, str(parsed), location)


def _own(table: Table) -> Iterator[Requirement]:
    file = table.document.file
    texts = table.strings("requirements") or ()
    lines = key_lines(table.document.text) if texts else {}
    for number, text in enumerate(texts):
        location = Location(file, lines["requirements", number])
        yield parse_requirement(text, location, _refusal_at_key(table, "requirements", number))


class _Files:
    """Requirement files, each read once however often it is included."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.digests: dict[str, Digest] = {}
        self.requirements: list[Requirement] = []

    def read(self, file: str, chain: tuple[str, ...], refuse: Refuse) -> None:
        """Take a file and all it includes; ``chain`` led to it, ``refuse`` is for its mention."""
        if file in chain:
            raise refuse(
                f"includes itself: {' -> '.join((*chain, file))}", "take one of the -r lines out"
            )
        if file in self.digests:
            return
        for line, text in self._lines(file, refuse):
            self._take(text, Location(file, line), (*chain, file))

    def _take(self, text: str, location: Location, chain: tuple[str, ...]) -> None:
        def refuse(reason: str, hint: str) -> DocumentError:
            return DocumentError(location.file, reason, hint, line=location.line)

        if include := _INCLUDE.fullmatch(text):
            self.read(_relative(location.file, include["file"], refuse), chain, refuse)
        else:
            _refuse_options(text, refuse)
            self.requirements.append(parse_requirement(text, location, refuse))

    def _lines(self, file: str, refuse: Refuse) -> Iterator[tuple[int, str]]:
        try:
            data = (self._root / file).read_bytes()
            text = data.decode("utf-8-sig")
        except OSError as error:
            reason = error.strerror or str(error)
            raise refuse(f"{file} can't be read: {reason}", "mend the path or the file") from None
        except UnicodeDecodeError:
            raise DocumentError(file, "not UTF-8 text", "save it as UTF-8") from None
        self.digests[file] = Digest.of(data)
        for number, line in enumerate(text.split("\n"), start=1):
            if stripped := _COMMENT.sub("", line).strip():
                yield number, stripped


def _refuse_options(text: str, refuse: Refuse) -> None:
    """Raise for whatever is an option or a continued line; values of options are never shown."""
    if text.endswith("\\"):
        raise refuse("a line that goes on in the next", "write the requirement on one line")
    option = next((word for word in text.split() if word.startswith("-")), None)
    if option is None:
        return
    shown = option.partition("=")[0] if option.startswith("--") else option[:2]
    raise refuse(f"the option {shown} has no place here", _NO_OPTION.get(shown, _OTHER_OPTION))


def _relative(base: str, name: str, refuse: Refuse) -> str:
    """A file's path relative to the project, from one relative to the file that names it."""
    if "://" in name or name.startswith(("/", "~")):
        raise refuse("an absolute path or URL", "name a file relative to the one that names it")
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), name))


def _refusal_at_key(table: Table, key: str, number: int) -> Refuse:
    return lambda reason, hint: table.error(reason, hint, key, number)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
