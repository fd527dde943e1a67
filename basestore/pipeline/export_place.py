"""Export: where to. It writes where it was told, and replaces nothing that it wasn't told to.

*stream*: what is written to and never replaced: a pipe, a device, an open descriptor.
"""

import os
import re
import stat
from pathlib import Path

from basestore.errors import UsageError
from basestore.profile.model import PROJECT_FILE, Project

STANDARD_OUTPUT = 1

_DESCRIPTOR = re.compile(r"/proc/(?:self|thread-self|[0-9]+(?:/task/[0-9]+)?)/fd/([0-9]+)")


class InProjectError(UsageError):
    """What the project itself is made of would be written over."""

    def __init__(self, path: Path, own: str) -> None:
        super().__init__(
            f"{path} lies in the project's {own}, where nothing is exported to",
            "name a place elsewhere",
        )


class NoFileError(UsageError):
    """A folder is where a file is to be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is no file", "name a file; it is written whole")


class ExistingFileError(UsageError):
    """A file is there, and nobody said that it may be replaced."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is there already", "name another file, or let --force replace this one"
        )


def check_place(project: Project, path: Path) -> None:
    """Raise InProjectError for a place in profiles/ or locks/, and for basestore.toml."""
    real = Path(os.path.realpath(path))
    for own in ("profiles", "locks", PROJECT_FILE):
        folder = Path(os.path.realpath(project.root / own))
        if real.is_relative_to(folder) or real.is_relative_to(project.root.resolve() / own):
            raise InProjectError(path, own)


def file_place(project: Project, path: Path, force: bool) -> Path:
    """Where a file is to be written: what links lead to.

    Raises InProjectError, NoFileError, and ExistingFileError for what is there, be it a link to
    nothing, unless ``force``.
    """
    check_place(project, path)
    if path.is_dir():
        raise NoFileError(path)
    if os.path.lexists(path) and not force:
        raise ExistingFileError(path)
    return Path(os.path.realpath(path))


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe or device."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def descriptor(path: Path) -> int | None:
    """The descriptor of this process that a path such as ``/dev/stdout`` is."""
    for name in (path, path.parent / path.readlink() if path.is_symlink() else path):
        found = _DESCRIPTOR.fullmatch(f"{os.path.realpath(name.parent)}/{name.name}")
        if found and os.path.realpath(name.parent) == os.path.realpath("/proc/self/fd"):
            return int(found[1])
    return None
