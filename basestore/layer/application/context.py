"""The context: a folder of the project, looked at but never changed."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from basestore.files import is_temporary
from basestore.layer.application.errors import (
    NoContextError,
    OutsideProjectError,
    UnfitFileError,
    UnreadableFileError,
)
from basestore.layer.application.ignore import FILE, Ignore, Verdict, read_ignore
from basestore.layer.application.pattern import clean
from basestore.layer.names import UNFIT
from basestore.profile.service import Service


@dataclass(frozen=True, slots=True)
class Node:
    """What has a path in the context, and what the rules say of it. ``path``: empty for itself."""

    path: str
    status: os.stat_result
    verdict: Verdict

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder; a link to one is none."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.status.st_mode)


@dataclass(frozen=True, slots=True)
class Found:
    """A file or link of the context that is taken. ``target``: a link's, else empty."""

    path: str
    size: int
    executable: bool
    target: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """``folder``: without links in its path. ``name``: relative to the project, for errors."""

    folder: Path
    name: str
    ignore: Ignore

    def root(self) -> Node:
        """The context itself."""
        return Node("", self.folder.stat(), self.ignore.root())

    def shown(self, path: str) -> str:
        """A path of the context as people know it: relative to the project."""
        return path if self.name == "." else f"{self.name}/{path}"

    def child(self, parent: Node, name: str) -> Node | None:
        """What has a name in a folder; None where nothing has."""
        path = f"{parent.path}/{name}" if parent.path else name
        try:
            status = (self.folder / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise self._unreadable(path, error) from None
        return Node(path, status, self.ignore.judge(path, parent.verdict))

    def children(self, parent: Node) -> Iterator[Node]:
        """What lies in a folder and may bring something, by name."""
        prefix = f"{parent.path}/" if parent.path else ""
        for entry in self._scan(parent.path):
            path = prefix + entry.name
            verdict = self.ignore.judge(path, parent.verdict)
            if verdict.ignored and not self.ignore.may_take_back_below(path):
                continue
            try:
                yield Node(path, entry.stat(follow_symlinks=False), verdict)
            except OSError as error:
                raise self._unreadable(path, error) from None

    def found(self, node: Node) -> Iterator[Found]:
        """All files and links at or below a node that aren't left out, by name.

        Raises UnfitFileError and UnreadableFileError.
        """
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if one.is_folder:
                waiting += reversed(list(self.children(one)))
            elif not one.verdict.ignored:
                yield self._take(one)

    def _take(self, node: Node) -> Found:
        shown, status = self.shown(node.path), node.status
        if UNFIT.search(node.path):
            raise UnfitFileError(shown, "its name has a control character or is not UTF-8")
        if node.is_link:
            target = str((self.folder / node.path).readlink())
            if UNFIT.search(target):
                raise UnfitFileError(
                    shown, "where it leads has a control character or is not UTF-8"
                )
            return Found(node.path, 0, False, target)
        if not stat.S_ISREG(status.st_mode):
            raise UnfitFileError(shown, f"it is {_kind(status.st_mode)}")
        return Found(node.path, status.st_size, bool(status.st_mode & stat.S_IXUSR))

    def _scan(self, path: str) -> list[os.DirEntry[str]]:
        """What a folder holds, without what this tool is writing there or was killed at."""
        try:
            with os.scandir(self.folder / path) as entries:
                lasting = (entry for entry in entries if not is_temporary(entry.name))
                return sorted(lasting, key=lambda entry: entry.name)
        except OSError as error:
            raise self._unreadable(path or ".", error) from None

    def _unreadable(self, path: str, error: OSError | ValueError) -> UnreadableFileError:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        return UnreadableFileError(self.shown(path), reason.lower())


def open_context(root: Path, service: Service) -> Context:
    """The context of a service, with its rules.

    ``root``: the project's folder. Raises OutsideProjectError, NoContextError, PatternError,
    NotTextError and UnreadableFileError.
    """
    name = clean(service.context)
    folder = _resolved(root / name)
    if folder is None:
        raise NoContextError(service.place, service.context)
    if service.context.startswith("/") or not folder.is_relative_to(root.resolve()):
        raise OutsideProjectError(service.place, f"the context {service.context}", "the project")
    if not folder.is_dir():
        raise NoContextError(service.place, service.context)
    context = Context(folder, name, Ignore(()))
    file = context.shown(FILE)
    return Context(folder, name, read_ignore(_ignore_bytes(folder / FILE, file), file))


def _resolved(path: Path) -> Path | None:
    """A path without links in it; None for one that no file system can have, or a loop."""
    try:
        path.resolve().exists()
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _ignore_bytes(path: Path, shown: str) -> bytes:
    if not path.is_file():  # a pipe would be waited for
        if os.path.lexists(path):
            raise UnreadableFileError(shown, "it is no file")
        return b""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(shown, (error.strerror or str(error)).lower()) from None


def _kind(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a named pipe" if stat.S_ISFIFO(mode) else "a device"
