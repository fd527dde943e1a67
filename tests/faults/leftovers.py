"""What a command that was cut off has left behind, once it ran again and `store gc` was called."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from faults.calls import Call

_NAMES = (
    (re.compile(r"[0-9a-f]{64}"), "DIGEST"),
    (re.compile(r"\b\d+-[0-9a-f]{12}\b"), "LEASE"),
    (re.compile(r"(?<=-)[a-z0-9_]{8}(?=/|$|\.basestore)"), "RANDOM"),
    (re.compile(r"/[0-9a-f]{2}(?=/|$)"), "/SHARD"),
)
_TEMPORARY = re.compile(r"\..+-[a-z0-9_]{8}(\.basestore)?")


def listing(folders: Collection[Path]) -> frozenset[str]:
    """All files and links below folders, and the folders that are there for a while only."""
    return frozenset(
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir() or _TEMPORARY.fullmatch(path.name)
    )


def kind(path: str, folders: Collection[Path]) -> str:
    """A path without what differs from run to run: ``store/partials/new-LEASE-RANDOM``."""
    for folder in folders:
        path = path.replace(str(folder), folder.name, 1)
    for pattern, word in _NAMES:
        path = pattern.sub(word, path)
    return path


def kinds_changed(calls: Iterable[Call], folders: Collection[Path]) -> frozenset[str]:
    """The kinds of all that calls have changed in folders."""
    return frozenset(
        kind(path, folders)
        for call in calls
        if call.changes
        for path in call.paths
        if any(path.startswith(f"{folder}/") for folder in folders)
    )


def leftovers(
    now: Collection[str], wanted: Collection[str], folders: Collection[Path]
) -> list[str]:
    """What is there too many, and what is gone, by kind."""
    more = {kind(path, folders) for path in set(now) - set(wanted)}
    less = {kind(path, folders) for path in set(wanted) - set(now)}
    found = [f"{one} is left behind" for one in sorted(more)]
    return [*found, *(f"{one} is gone" for one in sorted(less))]
