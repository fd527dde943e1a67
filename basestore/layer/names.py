"""Names of files in archives: which ones have one meaning, on every system that unpacks them."""

import re

LONGEST_PART = 255
"""Of a name between slashes, in bytes: NAME_MAX of Linux's file systems."""

LONGEST_PATH = 2048
"""In bytes: what engines and scratch folders put before it has to fit into PATH_MAX, 4096."""

# C0 and C1 (Unicode 23.1), line and paragraph separators, and the marks that turn text around,
# with which a name looks like another one in terminals and reviews (Unicode TR 36, 2.5).
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that steer what shows them, and stand for nothing themselves."""


def fits(path: str) -> bool:
    """Whether Linux can hold a path and each of its parts."""
    raw = path.encode()
    if len(raw) <= LONGEST_PART:
        return True
    return len(raw) <= LONGEST_PATH and max(map(len, raw.split(b"/"))) <= LONGEST_PART


def shown(text: str) -> str:
    """A text from an archive as it may stand in a message, whatever it holds."""
    return text if text.isprintable() else repr(text)
