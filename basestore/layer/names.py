"""Names of files in archives: which ones have one meaning, on every system that unpacks them."""

import re

LONGEST_PART = 255
"""Of a name between slashes, in bytes: NAME_MAX of Linux's file systems."""

LONGEST_PATH = 2048
"""In bytes: what engines and scratch folders put before it has to fit into PATH_MAX, 4096."""

WHITEOUT = ".wh."
"""How the names of whiteouts begin (OCI image-spec, "Image Layer Filesystem Changeset"): they are
none in the image, but delete what the layers below have under the rest of the name."""

UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""In names of files on this machine: C0, C1, and what stands for bytes that are no UTF-8."""


def fits(path: str) -> bool:
    """Whether Linux can hold a path and each of its parts."""
    raw = path.encode()
    if len(raw) <= LONGEST_PART:
        return True
    return len(raw) <= LONGEST_PATH and max(map(len, raw.split(b"/"))) <= LONGEST_PART


def is_whiteout(path: str) -> bool:
    """Whether a part of a path begins as a whiteout does: it would delete, and not be there."""
    return WHITEOUT in path and any(part.startswith(WHITEOUT) for part in path.split("/"))


def shown(text: str) -> str:
    """A text from an archive as it may stand in a message, whatever it holds."""
    return text if text.isprintable() else repr(text)
