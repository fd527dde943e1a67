"""A disk that promises no more than POSIX does (fsync, rename), and remembers all it was told.

What a file holds, and its mode, is durable once the file was synced; what a folder has under a
name, once the folder was. Until then each name and each file may be found after a loss of power in
any state that it had since, whatever became of the others: nothing keeps an order but a sync. Of a
rename only one thing is promised: that the new name leads to the old file or to the new one.
Journaling file systems promise more; what outlives this disk outlives theirs. Owners, times, and
the modes of folders are not followed.

Times are the numbers of steps. What was there at the beginning is durable, at the time `START`.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from faults.journal import Behind, Step, Word
from faults.nodes import START, Content, File, Folder, Link, Node, Past, Syncs

_DELETED = " (deleted)"


class UnknownCallError(Exception):
    """A call changes something in a way that the disk doesn't know."""


class Disk:
    """The folder ``root``, as far as it is ``lasting``: told so of paths relative to it.

    ``before``: the files that were there at the beginning. ``whole``: by path all that a file there
    held when it was given that name, at the beginning, and whenever it was settled. ``times``: of
    the steps that did anything.
    """

    def __init__(self, root: Path, lasting: Callable[[str], bool]) -> None:
        self._root = str(root)
        self._lasting = lasting
        self.top = _read(root, "", lasting)
        self.whole: defaultdict[str, set[bytes]] = defaultdict(set)
        self.times: list[int] = []
        self._offset = 0
        self.before = frozenset(self.files().items())
        self.settle()

    def follow(self, steps: Sequence[Step]) -> None:
        """Do what was done, after all that was done before."""
        for step in steps:
            self._step(step)
        self._offset += max((step.ended for step in steps), default=0) + 1

    def files(self) -> dict[str, bytes]:
        """What every file holds now, by path."""
        return {path: node.past.now.data for path, node in self.nodes() if isinstance(node, File)}

    def nodes(self) -> Iterator[tuple[str, Node]]:
        """All that is there now, with its path."""
        yield from _below(self.top, "")

    def settle(self) -> None:
        """What every file holds now is whole: a command has come to its end."""
        for path, data in self.files().items():
            self.whole[path].add(data)

    def _step(self, step: Step) -> None:
        places = [self._path(path) for path in paths_of(step)]
        if step.name in ("sync", "syncfs"):
            self._sync_all(step)
        elif any(place is not None for place in places) and self._do(step, places):
            self.times.append(step.ended + self._offset)

    def _path(self, path: str) -> str | None:
        """A path relative to the root, None where it is not lasting or has no name any more."""
        if not f"{path}/".startswith(f"{self._root}/") or path.endswith(_DELETED):
            return None
        relative = path[len(self._root) + 1 :]
        return relative if self._lasting(relative) else None

    def _do(self, step: Step, places: Sequence[str | None]) -> bool:
        """Do one step; whether it changed or synced anything."""
        time = step.ended + self._offset
        match step.name, places:
            case "openat", [str() as path]:
                return self._open(time, path, str(step.words[2]), step.words[3:])
            case "write", [str() as path]:
                data = step.words[1]
                assert isinstance(data, bytes)
                self._write(time, path, data[: step.gave])
            case (("chmod" | "fchmod"), [str() as path]):
                self._mode(time, path, int(str(step.words[1]), 8))
            case "ftruncate", [str() as path]:
                self._cut(time, path, int(str(step.words[1])))
            case (("fsync" | "fdatasync"), [str() as path]):
                self._synced(path).spans.append((step.began + self._offset, time))
            case (("rename" | "renameat" | "renameat2"), [str() as old, str() as new]):
                self._rename(time, old, new)
            case (("link" | "linkat"), [str() as old, str() as new]):
                self._put(time, new, self._find(old))
            case (("symlink" | "symlinkat"), [str() as path]):
                assert isinstance(step.words[0], bytes)
                self._put(time, path, Link(step.words[0]))
            case (("unlink" | "unlinkat" | "rmdir"), [str() as path]):
                self._put(time, path, None)
            case (("mkdir" | "mkdirat"), [str() as path]):
                self._put(time, path, Folder())
            case (("chown" | "lchown" | "fchown" | "fchownat"), _):
                return False  # owners are not followed
            case _:
                raise UnknownCallError(f"{step.name} of {', '.join(map(str, places))}")
        return True

    def _open(self, time: int, path: str, flags: str, mode: Sequence[Word]) -> bool:
        found = self._find(path)
        if "O_CREAT" in flags and found is None:
            made = Content(b"", int(str(mode[0]), 8) & ~0o022)
            self._put(time, path, File(Past(time, made)))
        elif "O_TRUNC" in flags and isinstance(found, File) and found.past.now.data:
            found.past.add(time, Content(b"", found.past.now.mode))
        else:
            return False
        return True

    def _write(self, time: int, path: str, data: bytes) -> None:
        """Writes come at a file's end; that all ends as on the real disk is seen in the end."""
        past = self._file(path).past
        past.add(time, Content(past.now.data + data, past.now.mode))

    def _cut(self, time: int, path: str, size: int) -> None:
        past = self._file(path).past
        past.add(time, Content(past.now.data[:size].ljust(size, b"\0"), past.now.mode))

    def _mode(self, time: int, path: str, mode: int) -> None:
        node = self._find(path)
        if isinstance(node, File):  # modes of folders are not followed
            node.past.add(time, Content(node.past.now.data, mode))

    def _rename(self, time: int, old: str, new: str) -> None:
        node = self._find(old)
        assert node is not None, old
        self._put(time, new, node)
        self._put(time, old, None)
        for path, one in _below(node, new) if isinstance(node, Folder) else ((new, node),):
            if isinstance(one, File):
                self.whole[path].add(one.past.now.data)

    def _put(self, time: int, path: str, node: Node | None) -> None:
        above, _, name = path.rpartition("/")
        folder = self._find(above)
        assert isinstance(folder, Folder), path
        folder.put(time, name, node)

    def _find(self, path: str) -> Node | None:
        node: Node | None = self.top
        for part in path.split("/") if path else ():
            past = node.names.get(part) if isinstance(node, Folder) else None
            node = past.now if past else None
        return node

    def _file(self, path: str) -> File:
        node = self._find(path)
        assert isinstance(node, File), path
        return node

    def _synced(self, path: str) -> Syncs:
        node = self._find(path)
        assert isinstance(node, (File, Folder)), path
        return node.syncs

    def _sync_all(self, step: Step) -> None:
        span = (step.began + self._offset, step.ended + self._offset)
        for node in (self.top, *(node for _, node in self.nodes())):
            if isinstance(node, (File, Folder)):
                node.syncs.spans.append(span)
        self.times.append(span[1])


def paths_of(step: Step) -> Sequence[str]:
    """The paths that a step is about; names and the folders that they are told with are joined."""
    words = step.words
    if step.name.startswith("symlink"):
        words = words[1:]
    if step.name in ("write", "writev", "pwrite64", "pwritev", "pwritev2"):
        words = words[:1]
    found: list[str] = []
    folder = ""
    for word in words:
        if isinstance(word, Behind):
            folder = word
            found.append(word)
        elif isinstance(word, bytes):
            if folder:
                found.pop()  # it only says what the name is relative to
            found.append(os.path.normpath(os.path.join(folder, os.fsdecode(word))))  # noqa: PTH118
            folder = ""
    return found


def _below(folder: Folder, path: str) -> Iterator[tuple[str, Node]]:
    for name, past in folder.names.items():
        if (node := past.now) is not None:
            place = f"{path}/{name}" if path else name
            yield place, node
            if isinstance(node, Folder):
                yield from _below(node, place)


def _read(root: Path, path: str, lasting: Callable[[str], bool]) -> Folder:
    """What is on the real disk."""
    folder = Folder()
    for one in sorted(root.iterdir()):
        place = f"{path}/{one.name}" if path else one.name
        if lasting(place):
            folder.names[one.name] = Past(START, _node(one, place, lasting))
    return folder


def _node(one: Path, place: str, lasting: Callable[[str], bool]) -> Node:
    if one.is_symlink():
        return Link(os.fsencode(one.readlink()))
    if one.is_dir():
        return _read(one, place, lasting)
    return File(Past(START, Content(one.read_bytes(), one.stat().st_mode & 0o7777)))
