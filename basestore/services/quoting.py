"""Words of a Dockerfile: what has to be escaped where.

Source: docs.docker.com, "Dockerfile reference": "Environment replacement", "Exec form"; BuildKit
``frontend/dockerfile/shell/lex.go``: in double quotes ``\\`` escapes, ``$`` begins a variable.
"""

import json
import re
from collections.abc import Iterable

from basestore.errors import InputError

_SPECIAL = re.compile(r'[\\"$]')


class UnwritableError(InputError):
    """A Dockerfile has no way to write a value; ``what`` names it."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"a Dockerfile can't hold {what}: {reason}",
            "let the program read it from a file that is copied, or change it",
        )
        self.what = what


def quoted(text: str, what: str) -> str:
    """A value in double quotes that no variable is replaced in; ``what`` names it in the error.

    Raises UnwritableError for a line break, which ends the instruction even in quotes.
    """
    if "\n" in text or "\r" in text:
        raise UnwritableError(what, "it has a line break")
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    return f'"{escaped}"'


def exec_form(words: Iterable[str]) -> str:
    """A command's words in JSON: run as they are, without a shell."""
    return json.dumps(list(words), ensure_ascii=False)


def paths_form(paths: Iterable[str]) -> str:
    """COPY's words in JSON, in which variables are replaced all the same."""
    return exec_form(re.sub(r"[\\$]", r"\\\g<0>", path) for path in paths)
