"""Requirement files as pip reads them (pip, "Requirements file format"), as far as they say what.

Taken: requirements, by name or by a wheel's URL, their ``--hash``, comments, lines that go on,
``-r FILE``, ``-c FILE``. Options that say what holds here anyway are passed over. Options that say
where packages come from are refused: that is the profile's ``[indexes]``.
"""

import itertools
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from basestore.digest import Digest
from basestore.profile.direct import Refuse, read_hash
from basestore.profile.document import DocumentError, read_regular
from basestore.profile.model import Location, Requirement
from basestore.profile.requirement import parse_constraint, parse_requirement

_COMMENT = re.compile(r"(^|\s)#.*$")  # pip's own rule
_INCLUDE = re.compile(
    r"(?:-(?P<short>[rc])\s*|--(?P<long>requirement|constraint)(?:\s+|\s*=\s*))(?P<file>\S.*)"
)
_OPTION = re.compile(r"--[a-z-]*")
_WEAK_HASHES = frozenset({"md5", "sha1", "sha224", "sha384", "sha512"})

_ANYWAY = re.compile(r"--require-hashes|--prefer-binary|--only-binary[\s=]\s*\S+")
"""Only wheels are taken, and each is locked by its hash."""

_BUILD = "build a wheel of it, put that into an index or at a URL and name it here"
_INDEX = "take it out, and name the index and its packages under [indexes.NAME] of the profile"
_MIRROR = "take it out; where the default index lies is a mirror's matter, see `[mirrors]`"
_NO_OPTION = {
    "-e": _BUILD,
    "--editable": _BUILD,
    "-i": _MIRROR,
    "--index-url": _MIRROR,
    "--extra-index-url": _INDEX,
    "-f": _INDEX,
    "--find-links": _INDEX,
    "--no-index": _MIRROR,
    "--pre": "take it out, and name a pre-release where one is wanted: name>=2.0rc1",
    "--no-binary": f"only wheels are taken: {_BUILD}",
    "--trusted-host": "take it out; give the host's certificate with SSL_CERT_FILE",
}
_NOT_SHOWN = "can't be taken, and isn't shown, since the file lies outside of the project"
_BRING_IT = "copy the file into the project and name it there, to be told what is wrong with it"
_OTHER_OPTION = "take it out: it says how to install, and a profile says what"


Parse = Callable[[str, Location, Refuse], Requirement]
"""What a line is read as: a requirement or a constraint."""


class RequirementFiles:
    """Requirement files, each read once as either however often it is included."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._taken: dict[Parse, dict[str, list[Requirement]]] = {
            parse_requirement: {},
            parse_constraint: {},
        }
        self.digests: dict[str, Digest] = {}

    @property
    def requirements(self) -> Iterator[Requirement]:
        """What the files ask for."""
        return itertools.chain.from_iterable(self._taken[parse_requirement].values())

    @property
    def constraints(self) -> Iterator[Requirement]:
        """What they bound."""
        return itertools.chain.from_iterable(self._taken[parse_constraint].values())

    def read(self, file: str, refuse: Refuse) -> None:
        """Take a file and all it includes; ``refuse`` is for its mention. Raises DocumentError."""
        self._read(file, refuse, (), parse_requirement)

    def read_constraints(self, file: str, refuse: Refuse) -> None:
        """Take a file of constraints likewise."""
        self._read(file, refuse, (), parse_constraint)

    def _read(self, file: str, refuse: Refuse, chain: tuple[str, ...], parse: Parse) -> None:
        if file in chain:
            raise refuse(
                f"includes itself: {' -> '.join((*chain, file))}",
                "take one of the -r or -c lines out",
            )
        if file in self._taken[parse]:
            return
        taken = self._taken[parse][file] = []
        for location, text in self._lines(file, refuse):
            refuse_here = self._refusal_at(location)
            if include := _INCLUDE.fullmatch(text):
                other = relative(file, include["file"], refuse_here)
                as_what = _included(include, parse, refuse_here)
                self._read(other, refuse_here, (*chain, file), as_what)
            elif not _ANYWAY.fullmatch(text):
                taken.append(_requirement(text, location, refuse_here, parse))

    def _lines(self, file: str, refuse: Refuse) -> Iterator[tuple[Location, str]]:
        try:
            data = read_regular(self._root / file)
            text = data.decode("utf-8-sig")
        except OSError as error:
            reason = error.strerror or str(error)
            raise refuse(f"{file} can't be read: {reason}", "mend the path or the file") from None
        except ValueError:
            reason = "not UTF-8 text" if "\0" not in file else "a NUL in its path"
            raise DocumentError(file, reason, "save it as UTF-8") from None
        self.digests[file] = Digest.of(data)
        for number, line in _joined(text):
            if stripped := _COMMENT.sub("", line).strip():
                yield Location(file, number), stripped

    def _refusal_at(self, location: Location) -> Refuse:
        """Makes errors at a line. Of a file that isn't the project's they show nothing.

        A profile that somebody sends can name any file of the machine that it is locked on.
        """

        def refuse(reason: str, hint: str) -> DocumentError:
            if _is_inside(self._root, location.file):
                return DocumentError(location.file, reason, hint, line=location.line)
            return DocumentError(location.file, _NOT_SHOWN, _BRING_IT, line=location.line)

        return refuse


def relative(base: str, name: str, refuse: Refuse) -> str:
    """A file's path relative to the project, from one relative to the file that names it."""
    if "://" in name:
        raise refuse("a URL, not a file", "download it into the project and name it there")
    if name.startswith(("/", "~")):
        raise refuse("an absolute path", "name a file relative to the one that names it")
    if "\0" in name or "${" in name:
        raise refuse("a path with a variable or a NUL in it", "write the path itself")
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), name))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines and their numbers; one that ends with a backslash goes on in the next (pip)."""
    start, parts = 0, list[str]()
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        is_comment = line.lstrip().startswith("#")
        start = start or number
        if line.endswith("\\") and not is_comment:
            parts.append(line[:-1])
            continue
        yield start, "".join([*parts, f" {line}" if is_comment else line])
        start, parts = 0, []
    if parts:
        yield start, "".join(parts)


def _included(include: re.Match[str], parse: Parse, refuse: Refuse) -> Parse:
    if "c" in {include["short"], (include["long"] or "")[:1]}:
        return parse_constraint
    if parse is parse_constraint:
        raise refuse("requirements among constraints", "include it with -c, or from elsewhere")
    return parse_requirement


def _requirement(text: str, location: Location, refuse: Refuse, parse: Parse) -> Requirement:
    """A line with its ``--hash`` options; raises what ``refuse`` makes."""
    words = text.split()
    options = next((n for n, word in enumerate(words) if word.startswith("-")), len(words))
    hashes = tuple(_hashes(words[options:], refuse))
    if options == 0:
        raise refuse("a hash without a requirement", "write it behind the requirement")
    requirement = parse(" ".join(words[:options]), location, refuse)
    allowed = tuple(sorted({*requirement.hashes, *hashes}))
    if requirement.hashes and hashes and set(requirement.hashes) - set(hashes):
        raise refuse("two hashes of one wheel", "leave the wrong one out")
    return replace(requirement, hashes=allowed)


def _hashes(words: Sequence[str], refuse: Refuse) -> Iterator[Digest]:
    """The SHA-256 among the hashes that options name (pip, "Hash-checking mode")."""
    found, weak = [], set[str]()
    rest = iter(words)
    for word in rest:
        option, _, value = word.partition("=")
        if option != "--hash":
            raise _no_option(word, refuse)
        kind, _, digits = (value or next(rest, "")).partition(":")
        if kind == "sha256":
            found.append(read_hash(digits, refuse))
        elif kind in _WEAK_HASHES:
            weak.add(kind)
        else:
            raise refuse("a hash of no known kind", "write --hash=sha256:…")
    if weak and not found:
        kinds = ", ".join(sorted(weak))
        raise refuse(f"hashes of the kind {kinds} only", "add the SHA-256: --hash=sha256:…")
    return iter(found)


def _no_option(word: str, refuse: Refuse) -> DocumentError:
    """The error for an option; its value is never shown."""
    match = _OPTION.match(word)
    shown = match[0] if match else word[:2]
    return refuse(f"the option {shown} has no place here", _NO_OPTION.get(shown, _OTHER_OPTION))


def _is_inside(root: Path, file: str) -> bool:
    """Whether a file lies in a folder, links followed."""
    return Path(os.path.realpath(root / file)).is_relative_to(os.path.realpath(root))
