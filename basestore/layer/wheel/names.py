"""Names of the files in a wheel: relative paths that mean the same to every reader."""

import re
from collections.abc import Collection

from basestore.layer.names import LONGEST_PATH, is_whiteout
from basestore.profile.names import UNSEEN

# Parts of 1 to 255 bytes, without backslashes and control characters; none is . or .., and the
# first none of Windows' drives, by which some readers leave their folder.
_PLAIN = re.compile(rb"(?![A-Za-z]:)[^/\\\x00-\x1f\x7f]{1,255}(?:/[^/\\\x00-\x1f\x7f]{1,255})*/?")
_DOTS = re.compile(rb"(?:\A|/)\.\.?(?:/|\Z)")
_SHOWN = 200  # bytes of a name in a message


class UnsafeNameError(ValueError):
    """A name that can't be taken; the text says which and why."""


def plain_name(raw: bytes, encoding: str) -> str:
    """The name of an entry without a folder's final slash; raises UnsafeNameError."""
    if _PLAIN.fullmatch(raw) is None or _DOTS.search(raw) or len(raw) > LONGEST_PATH:
        raise UnsafeNameError(f"{raw[:_SHOWN]!r} is no plain relative path")
    try:
        name = raw.decode(encoding)
    except UnicodeDecodeError:
        raise UnsafeNameError(f"{raw!r} is not UTF-8 as it says") from None
    if not name.isascii() and UNSEEN.search(name):
        raise UnsafeNameError(f"{raw!r} holds characters that steer a terminal")
    if is_whiteout(name):
        raise UnsafeNameError(f"{raw!r} would delete files of the layers below")
    return name.removesuffix("/")


def file_and_folder(names: Collection[str]) -> str | None:
    """A file's name that others have as their folder; None where there is none."""
    files = set(names)
    todo = {name.rpartition("/")[0] for name in files} - {""}
    seen: set[str] = set()
    while todo:
        if twice := todo & files:
            return min(twice)
        seen |= todo
        todo = {folder.rpartition("/")[0] for folder in todo} - seen - {""}
    return None
