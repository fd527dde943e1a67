"""Where a file of the project really lies: what is written stays in the project.

A checkout may hold links, and a pull request may bring one. A link within the project is what it
leads to, so that the link stays one; through one that leads out, or into ``.git``, nothing is
written.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from basestore.errors import InputError


class LeadsOutError(InputError):
    """A file to be written lies elsewhere: a link leads out of the project, or into ``.git``."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} can't be written: it, or a folder on the way, is a link that leads out of "
            "the project",
            "put a file, or a folder, of the project in the link's place; nothing was written",
        )
        self.file = file


class OneFileError(InputError):
    """Two files to be written are one, since one is a link to the other."""

    def __init__(self, file: str, other: str) -> None:
        super().__init__(
            f"{file} and {other} can't both be written: a link makes them one file",
            "remove the link; nothing was written",
        )
        self.files = (file, other)


def real_path(root: Path, file: str) -> Path:
    """Where a file of the project is to be written; raises LeadsOutError.

    ``file``: its path relative to the project.
    """
    real = Path(os.path.realpath(root))
    found = Path(os.path.realpath(real / file))
    if found == real or not found.is_relative_to(real) or ".git" in found.relative_to(real).parts:
        raise LeadsOutError(file)
    return found


def real_paths(root: Path, files: Iterable[str]) -> dict[str, Path]:
    """The same for several files, all of them or none; raises OneFileError, too."""
    found: dict[str, Path] = {}
    owners: dict[Path, str] = {}
    for file in files:
        found[file] = real_path(root, file)
        if (other := owners.setdefault(found[file], file)) != file:
            raise OneFileError(other, file)
    return found
