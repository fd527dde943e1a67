"""Files that are whole or not there: how everything durable is written.

Order of every write: data, fsync of the file, rename, fsync of the folder.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

_MODE = 0o644
"""Of what this tool writes: everybody may read it."""


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Alone with a folder's files among all that ask like this; others wait (flock(2))."""
    make_folder(folder)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it where they are missing, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    with contextlib.suppress(PermissionError):  # one that may be written but not read
        sync_folder(folder.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, mode 0644; its folders are made where they are missing."""
    replace_files({path: data})


def rewrite_files(contents: Mapping[Path, bytes]) -> None:
    """Give files that people have other bytes, as `replace_files` does; each keeps its mode."""
    _replace({path: (data, path.stat().st_mode & 0o7777) for path, data in contents.items()})


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write several files, mode 0644, each whole or not at all, renamed in the order given.

    All bytes are on the disk before the first name is given, so that a full disk or a folder that
    can't be written leaves every file as it was. Only a crash between two renames separates them.
    """
    _replace({path: (data, _MODE) for path, data in contents.items()})


def _replace(contents: Mapping[Path, tuple[bytes, int]]) -> None:
    """Write files with these bytes and modes."""
    with contextlib.ExitStack() as stack:
        temporaries = [
            stack.enter_context(_temporary(path, *content)) for path, content in contents.items()
        ]
        for temporary, path in zip(temporaries, contents, strict=True):
            temporary.replace(path)
    for folder in {path.parent for path in contents}:
        sync_folder(folder)


@contextlib.contextmanager
def streamed_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its name when the block ends well, and is gone if not."""
    with _beside(path) as (temporary, file):
        yield file
        _finish(file, _MODE)
        temporary.replace(path)
    sync_folder(path.parent)


@contextlib.contextmanager
def _temporary(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """A synced file beside ``path``; removed at the end unless it was renamed."""
    with _beside(path) as (temporary, file):
        file.write(data)
        _finish(file, mode)
        yield temporary


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """An open file in the folder of ``path``; removed at the end unless it was renamed."""
    make_folder(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield Path(name), file
    finally:
        Path(name).unlink(missing_ok=True)


def _finish(file: BinaryIO, mode: int) -> None:
    """Make the bytes durable."""
    file.flush()
    os.fchmod(file.fileno(), mode)
    os.fsync(file.fileno())
