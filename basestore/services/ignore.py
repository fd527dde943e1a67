"""``.dockerignore``: what of a context a builder is not sent."""

import posixpath
from collections.abc import Iterable

from basestore.layer.application.ignore import DEFAULTS

MARK = "# Written by basestore. Without this line it leaves the file alone."
"""The first line of a ``.dockerignore`` that was written here."""

# What lies in working copies and is no part of a program, besides what is left out anyway.
_CLUTTER = (
    "**/.DS_Store",
    "**/.env",
    "**/.mypy_cache",
    "**/.pytest_cache",
    "**/.ruff_cache",
    "**/.venv",
    "**/node_modules",
    ".gitignore",
)


def dockerignore(dockerfile: str, sources: Iterable[str]) -> bytes:
    """An ignore file for a context.

    ``dockerfile``: relative to the context, empty where it lies elsewhere; a builder gets it all
    the same. ``sources``: what the service's files name; nothing that they name is left out.
    """
    named = {posixpath.basename(source) for source in sources}
    rules = (*DEFAULTS, *_CLUTTER, *filter(None, [dockerfile]))
    kept = [rule for rule in rules if posixpath.basename(rule) not in named]
    return "\n".join([MARK, *kept, ""]).encode()
