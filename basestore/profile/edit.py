"""Taking requirements out of the files that people wrote, and nothing else."""

import re
from collections.abc import Collection, Iterable

from basestore.profile.lines import KeyPath, element_spans

_LINES = re.compile(r"(?<=\n)")  # as requirement files are read: other line ends are text
_AFTER = re.compile(r"[ \t]*,?[ \t]*")
_BEFORE = re.compile(r",[ \t]*$")
_REST = re.compile(r"[ \t]*(#[^\r\n]*)?(\r?\n|$)")


def without_elements(text: str, paths: Collection[KeyPath]) -> str:
    """A TOML document without some elements of its arrays.

    What stands alone on its line goes with the line and the comment there. Raises KeyError for a
    path that is no element.
    """
    spans = element_spans(text)
    for start, end in sorted((spans[path] for path in paths), reverse=True):
        text = _without(text, start, end)
    return text


def without_lines(text: str, lines: Iterable[int]) -> str:
    """A requirements file without the requirements that begin on these lines, from 1.

    Lines that go on in the next one go with it (pip, "Requirements file format").
    """
    rows = _LINES.split(text)
    gone: set[int] = set()
    for line in lines:
        at = line - 1
        gone.add(at)
        while at + 1 < len(rows) and rows[at].rstrip("\r\n").endswith("\\"):
            at += 1
            gone.add(at)
    return "".join(row for number, row in enumerate(rows) if number not in gone)


def _without(text: str, start: int, end: int) -> str:
    end += len(_AFTER.match(text, end)[0])  # type: ignore[index]  # it matches anything
    line = text.rfind("\n", 0, start) + 1
    rest = _REST.match(text, end)
    if rest and not text[line:start].strip():
        return text[:line] + text[rest.end() :]
    before, after = text[:start], text[end:]
    if after.lstrip(" \t").startswith("]"):  # it was the last one, and its comma stands before it
        before, after = _BEFORE.sub("", before.rstrip(" \t")), after.lstrip(" \t")
    return before + after
