"""COPY: what a service's files are in a Dockerfile.

Source: docs.docker.com, "Dockerfile reference", "COPY": of a folder the content is copied; patterns
are Go's ``filepath.Match``, which knows no ``**``; what one finds lands in the target without its
folders.
"""

import posixpath
import re
from collections.abc import Iterable

from basestore.errors import InputError
from basestore.layer.application.pattern import is_special
from basestore.profile.service import Copy
from basestore.services.quoting import paths_form

_ESCAPED = re.compile(r"\\.")


class CopyPatternError(InputError):
    """A pattern that COPY can't express."""

    def __init__(self, copy: Copy, reason: str) -> None:
        super().__init__(
            f"{copy.place}: COPY of a Dockerfile can't do what {copy.source!r} says: {reason}",
            f"name the folder {_literal_folder(copy.source)!r} in `files`, and leave out the rest "
            "by .dockerignore",
        )
        self.copy = copy


def check_copy(copy: Copy, found: Iterable[str]) -> None:
    """Raise CopyPatternError where COPY would place something otherwise than `build` does.

    ``found``: the files that it brings, relative to the context.
    """
    if not is_special(copy.source):
        return
    depth = copy.source.count("/")
    for path in found:
        if path.count("/") > depth:
            folder = "/".join(path.split("/")[: depth + 1])
            raise CopyPatternError(copy, f"it finds the folder {folder}, and would merge it")


def copy_instruction(copy: Copy, workdir: str) -> str:
    """The COPY of files; raises CopyPatternError."""
    folder, _, last = copy.source.rpartition("/")
    if "**" in last or is_special(folder):
        raise CopyPatternError(copy, "it finds files in several folders")
    if not is_special(last):
        own = "" if copy.source == "." else copy.source
        return f"COPY {paths_form([copy.source, copy.target or posixpath.join(workdir, own)])}"
    target = copy.target or posixpath.join(workdir, folder)
    return f"COPY {paths_form([_classes(copy.source), posixpath.join(target, '')])}"


def _classes(pattern: str) -> str:
    """The pattern with a class for each escaped character.

    BuildKit takes a path whose only special characters are escaped ones for no pattern at all.
    """
    return _ESCAPED.sub(r"[\g<0>]", pattern)


def _literal_folder(pattern: str) -> str:
    """The folders before the first with a special character; ``.`` for the context."""
    parts = pattern.split("/")
    wild = next((n for n, part in enumerate(parts) if is_special(part)), len(parts))
    return "/".join(parts[:wild]) or "."
