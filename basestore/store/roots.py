"""Roots: the projects that used a store. What their locks name is kept, the rest may go.

A root is a small file with the project's path, named by the digest of that path.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from basestore.digest import Digest
from basestore.errors import IntegrityError
from basestore.reading import UNFIT
from basestore.store.folders import Folders


class DamagedRootError(IntegrityError):
    """The file of a root can't be read, so that nobody knows which project it stands for."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} doesn't say any more which project it stands for",
            "run `basestore store verify --repair`, and `basestore build` once in each project",
        )
        self.file = file


@dataclass(frozen=True, slots=True)
class Roots:
    """The projects that a store is kept for."""

    folders: Folders

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.folders.root / "roots" / "projects"

    def register(self, project: Path) -> None:
        """Keep what a project's locks name from now on; one that is known already costs a look."""
        path = project.resolve()
        file = self._file(path)
        if _read(file) != path:
            self.folders.replace(file, json.dumps({"path": str(path)}).encode())

    def forget(self, project: Path) -> bool:
        """Don't keep it any more; whether it was known."""
        file = self._file(project.resolve())
        known = file.exists()
        file.unlink(missing_ok=True)
        return known

    def drop(self, file: Path) -> None:
        """Remove a root's file."""
        file.unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """The files of all roots, sorted."""
        if self.folder.is_dir():
            yield from sorted(self.folder.glob("[!.]*.json"))

    def projects(self) -> Iterator[Path]:
        """The projects' folders, sorted; raises DamagedRootError."""
        for file in self.files():
            yield self.project_of(file)

    def project_of(self, file: Path) -> Path:
        """The project that a root's file names; raises DamagedRootError."""
        path = _read(file)
        if path is None or self._file(path) != file:
            raise DamagedRootError(file)
        return path

    def _file(self, path: Path) -> Path:
        return self.folder / f"{Digest.of(os.fsencode(path)).hex}.json"


def _read(file: Path) -> Path | None:
    """The path in a root's file; None where there is none."""
    try:
        found = json.loads(file.read_bytes())["path"]
        os.fsencode(found)
        return Path(found) if "\0" not in found else None
    except (FileNotFoundError, *UNFIT):
        return None
