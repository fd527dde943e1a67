"""Files that are whole or not there: how everything durable is written.

Order of every write: data, fsync of the file, rename, fsync of the folder.

What is written has a name ``.NAME-????????.basestore`` until then, beside its place, and its writer
holds a lock of it. So what a writer that was killed left is told from what is being written, and
the next one in that folder removes it; a folder, the next one to the same place.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from basestore.errors import DisagreementError
from basestore.waiting import PATIENCE, taken, wait

_MODE = 0o644
"""Of what this tool writes: everybody may read it."""

_SUFFIX = ".basestore"
_TEMPORARY = re.compile(rf"\..+-[a-z0-9_]{{8}}{re.escape(_SUFFIX)}")  # as mkstemp(3) makes them
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


@contextlib.contextmanager
def locked_folder(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Alone with a folder's files among all that ask like this; others wait (flock(2)).

    They do so for ``patience`` seconds in which no file of the folder comes or goes; then
    LockHeldError says who is in there.
    """
    make_folder(folder)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        what = f"the folder {folder}, in which one command at a time may write,"
        wait(descriptor, fcntl.LOCK_EX, what, lambda: os.fstat(descriptor).st_mtime_ns, patience)
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


def _sync_all(folder: Path) -> None:
    """Make all that was written to a folder's file system durable, as syncfs(2) does.

    Tens of thousands of files one by one take minutes, and sync(2) tells no errors and waits for
    every file system there is.
    """
    import ctypes  # for this only: Python hasn't the call

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
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


class ChangedFileError(DisagreementError):
    """Somebody wrote to a file between its reading and its writing here."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was changed by somebody else in the meantime",
            "nothing was written; run the command again",
        )
        self.path = path


def edit_files(edits: Mapping[Path, tuple[bytes | None, bytes]]) -> None:
    """Give files that people have other bytes, as `replace_files` does; each keeps its mode.

    ``edits``: the bytes that were read, None where there was no file, and those to write. Raises
    ChangedFileError, and leaves all as they are, where one has others just before its renaming.
    """

    def check() -> None:
        for path, (before, _) in edits.items():
            if _content(path) != before:
                raise ChangedFileError(path)

    check()
    _replace({path: (data, _mode(path)) for path, (_, data) in edits.items()}, check)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return _MODE


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write several files, mode 0644, each whole or not at all, renamed in the order given.

    All bytes are on the disk before the first name is given, so that a full disk or a folder that
    can't be written leaves every file as it was. Only a crash between two renames separates them.
    """
    _replace({path: (data, _MODE) for path, data in contents.items()})


def is_at(file: BinaryIO, path: Path) -> bool:
    """Whether a name still leads to the file that is open."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def is_temporary(name: str) -> bool:
    """Whether a file of that name is one to be renamed, or what a killed writer left of one."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_unheld(path: Path) -> bool:
    """Remove a file that nobody holds a lock of; whether it was."""
    try:
        with open(path, "rb", opener=_lockable) as file:
            if taken(file.fileno(), fcntl.LOCK_EX) and is_at(file, path):
                path.unlink()
                return True
    except OSError:  # gone by now, another user's, or on a disk that fails: left for others
        return False
    return False


def _lockable(path: str, flags: int) -> int:
    """Network file systems give an exclusive lock to who may write only."""
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, flags | os.O_RDWR)
    except PermissionError:
        return os.open(path, flags)


def _clear(folders: Iterable[Path]) -> None:
    """Remove what killed writers left in folders, which makes room where a disk is full."""
    for folder in folders:
        with contextlib.suppress(OSError):  # not there yet, or it may be written but not read
            for name in filter(is_temporary, os.listdir(folder)):
                remove_unheld(folder / name)


def _replace(
    contents: Mapping[Path, tuple[bytes, int]], check: Callable[[], None] = lambda: None
) -> None:
    """Write files with these bytes and modes, unless ``check`` refuses it just before the names."""
    folders = {path.parent for path in contents}
    _clear(folders)
    with contextlib.ExitStack() as stack:
        temporaries = [
            stack.enter_context(_temporary(path, *content)) for path, content in contents.items()
        ]
        check()
        for temporary, path in zip(temporaries, contents, strict=True):
            temporary.replace(path)
    for folder in folders:
        sync_folder(folder)


@contextlib.contextmanager
def streamed_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its name when the block ends well, and is gone if not."""
    _clear((path.parent,))
    with _beside(path) as (temporary, file):
        yield file
        _finish(file, _MODE)
        temporary.replace(path)
    sync_folder(path.parent)


@contextlib.contextmanager
def filled_folder(path: Path) -> Iterator[Path]:
    """A new folder to fill, mode 0700, which takes its name when the block ends well.

    It is gone if not. A folder of that name may be there if it is empty.
    """
    with _folder_beside(path.absolute()) as temporary:
        yield temporary
        _sync_all(temporary)
        temporary.replace(path)
        try:
            sync_folder(temporary.parent)
        except OSError:
            path.replace(temporary)  # so that it can be tried again, and is gone till then
            raise


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
    temporary, file = _held(path)
    try:
        with file:
            yield temporary, file
    finally:
        temporary.unlink(missing_ok=True)


def _held(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside ``path`` under a lock, or another one where somebody removed the first.

    Between its making and its lock it looks like what a killed writer left.
    """
    while True:
        descriptor, name = tempfile.mkstemp(_SUFFIX, f".{path.name}-", path.parent)
        file = os.fdopen(descriptor, "wb")
        with contextlib.suppress(OSError):  # a file system without locks: nobody clears there
            if not taken(descriptor, fcntl.LOCK_EX) or not is_at(file, Path(name)):
                file.close()
                Path(name).unlink(missing_ok=True)
                continue
        return Path(name), file


@contextlib.contextmanager
def _folder_beside(path: Path) -> Iterator[Path]:
    """A new folder beside ``path``, removed at the end unless it was renamed."""
    make_folder(path.parent)
    prefix = f".{path.name}-"
    with contextlib.suppress(PermissionError):  # one that may be written but not read
        for name in filter(is_temporary, os.listdir(path.parent)):
            if name.startswith(prefix):
                _remove_unheld_folder(path.parent / name)
    temporary, descriptor = _held_folder(path.parent, prefix)
    try:
        yield temporary
    finally:
        os.close(descriptor)
        shutil.rmtree(temporary, ignore_errors=True)


def _held_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder under a lock, or another one where somebody removed the first, as `_held`."""
    while True:
        path = Path(tempfile.mkdtemp(_SUFFIX, prefix, parent))
        try:
            descriptor = os.open(path, _FOLDER)
        except FileNotFoundError:
            continue
        with contextlib.suppress(OSError):  # a file system without locks: nobody clears there
            if not taken(descriptor, fcntl.LOCK_EX) or not path.is_dir():
                os.close(descriptor)
                continue
        return path, descriptor


def _remove_unheld_folder(path: Path) -> None:
    """Remove a folder, with all in it, that nobody holds a lock of."""
    with contextlib.suppress(OSError):  # gone by now, no folder, or another user's
        descriptor = os.open(path, _FOLDER)
        try:
            if taken(descriptor, fcntl.LOCK_EX):
                shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(descriptor)


def _finish(file: BinaryIO, mode: int) -> None:
    """Make the bytes durable."""
    file.flush()
    os.fchmod(file.fileno(), mode)
    os.fsync(file.fileno())
