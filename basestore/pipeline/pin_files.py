"""The files that ``[pins]`` names."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from basestore.errors import InputError
from basestore.files import is_temporary
from basestore.profile.document import read_file

_MAGIC = re.compile(r"[*?\[]")


class OutsideError(InputError):
    """A file is a link to one outside of the project."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} lies outside of the project: it, or a folder on the way, is a link",
            "leave it out of `files` under [pins], or move what it links to into the project",
        )
        self.file = file


@dataclass(frozen=True, slots=True)
class PinFiles:
    """Files by their real paths relative to the project, and the patterns that match none."""

    contents: dict[str, bytes]
    unmatched: tuple[str, ...]


def read_files(root: Path, patterns: Sequence[str]) -> PinFiles:
    """Read the files that patterns match, sorted; nothing of a ``.git``, nor half-written files.

    Raises OutsideError, and DocumentError for a file that can't be read.
    """
    real = os.path.realpath(root)
    found: set[str] = set()
    unmatched = []
    for pattern in patterns:
        matched = list(_matching(str(root), _components(pattern)))
        found.update(_real_paths(str(root), real, matched))
        if not matched:
            unmatched.append(pattern)
    contents = {file: read_file(Path(real), file) for file in sorted(found)}
    return PinFiles({f: data for f, data in contents.items() if data is not None}, tuple(unmatched))


def _components(pattern: str) -> tuple[str, ...]:
    """``**`` stands for any folders, at the end for all that is in them."""
    parts = PurePosixPath(pattern).parts
    kept = [
        p for p, before in zip(parts, ("", *parts), strict=False) if (p, before) != ("**", "**")
    ]
    return (*kept, "*") if kept[-1] == "**" else tuple(kept)


def _matching(folder: str, components: Sequence[str]) -> Iterator[str]:
    head, *rest = components
    if head == "**":
        yield from _matching(folder, rest)
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from _matching(entry.path, components)
    elif _MAGIC.search(head):
        wanted = _compiled(head)
        for entry in _entries(folder):
            if wanted.fullmatch(entry.name):
                yield from _below(entry.path, rest)
    else:
        yield from _below(f"{folder}/{head}", rest)


def _below(path: str, rest: Sequence[str]) -> Iterator[str]:
    if rest and os.path.isdir(path):  # noqa: PTH112  # hundreds of times, and short of Path's cost
        yield from _matching(path, rest)
    elif not rest and os.path.isfile(path):  # noqa: PTH113
        yield path


def _compiled(component: str) -> re.Pattern[str]:
    from fnmatch import translate

    return re.compile(translate(component))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [e for e in entries if e.name != ".git" and not is_temporary(e.name)]


def _real_paths(root: str, real: str, files: Sequence[str]) -> Iterator[str]:
    """Each file's path without links, relative to the project."""
    folders: dict[str, str] = {}
    for file in files:
        folder, name = file.rsplit("/", 1)
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        path = f"{folders[folder]}/{name}"
        if os.path.islink(path):  # noqa: PTH114
            path = os.path.realpath(path)
        if not path.startswith(f"{real}/"):
            raise OutsideError(file.removeprefix(f"{root}/"))
        yield path.removeprefix(f"{real}/")
