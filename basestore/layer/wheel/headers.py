"""Headers of WHEEL and METADATA that say which wheel it is: each of them stands there once.

Both files are headers as of e-mails (core metadata, "Metadata file format"). Their readers differ
in what ends a line and what may stand before the colon. So whatever one of them may take for the
header counts: where it is there once, no reader finds another.
"""

import re
from collections.abc import Callable
from functools import cache

_END = re.compile(rb"\r?\n\r?\n")


def headers(content: bytes) -> bytes:
    """What stands before the description, which follows a blank line."""
    return _END.split(content, maxsplit=1)[0]


def single(
    text: bytes, name: str, refuse: Callable[[str], Exception], *, default: str | None = None
) -> str:
    """The value of a header, with its continuation lines; ``default`` where there is none.

    Raises what ``refuse`` makes, also where there is none and no default.
    """
    found = _pattern(name).findall(text)
    if not found and default is not None:
        return default
    if len(found) != 1:
        raise refuse(f"it has {len(found)} headers {name} instead of one")
    value: bytes = found[0]
    return value.decode(errors="replace").strip()


@cache
def _pattern(name: str) -> re.Pattern[bytes]:
    line, blank = rb"[^\r\n]*", rb"(?:\r\n|\r|\n)[ \t]"
    return re.compile(
        rb"(?i)(?<![^\r\n])"
        + name.encode()
        + rb"[ \t]*:("
        + line
        + rb"(?:"
        + blank
        + line
        + rb")*)"
    )
