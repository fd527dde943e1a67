"""The tree of a foundation: real files below a scratch folder, and the index that describes them.

Links of the tree are followed by the index only, never by the host's file system: an absolute link
would lead to the host's own files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from basestore.digest import CHUNK, read_chunks
from basestore.errors import IntegrityError
from basestore.layer.entry import Encoded, Entry, Kind
from basestore.layer.names import fits, is_whiteout

_MOST_LINKS = 40  # as Linux, path_resolution(7)

GENERATED = "basestore"
"""What brings the paths that no package does, in errors."""


class PathConflictError(IntegrityError):
    """Two packages want different things at one path."""

    def __init__(self, path: str, first: str, second: str) -> None:
        super().__init__(
            f"the packages {first} and {second} both hold /{path}",
            "they can't be installed together without their maintainer scripts; take one of them "
            "out of the profile's [foundation] packages",
        )
        self.path = path
        self.packages = (first, second)


class UnsafePathError(IntegrityError):
    """Something in a package wants a path that isn't plainly one below the root."""

    def __init__(self, path: str, package: str) -> None:
        super().__init__(
            f"{package or 'a package'} wants something at the path {path!r}, which may lead out "
            "of the image, deletes files there, or is too long",
            "a library's soname or a maintainer script names it; take the package out of the "
            "profile's [foundation] packages",
        )
        self.path = path


@dataclass(frozen=True, slots=True)
class Node:
    """What lies at a path. ``owner``: the package that brought it, empty where it was generated.

    ``target``: of a symbolic link its text, of a hard link the path of the file.
    ``elf``: the content begins as an ELF file does.
    """

    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    target: str = ""
    size: int = 0
    owner: str = ""
    elf: bool = False


class Tree:
    """Paths are relative to the root, without leading slash; the root itself has no node."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nodes: dict[str, Node] = {}

    def __contains__(self, path: str) -> bool:
        return path in self.nodes

    def place(self, path: str, node: Node) -> Path:
        """Enter a node at a free path and tell where its content has to go.

        Missing folders above it are made; raises PathConflictError where one of them is no folder,
        and UnsafePathError for what may lead out of the tree.
        """
        parts = path.split("/")
        if not {"", ".", ".."}.isdisjoint(parts) or not fits(path) or is_whiteout(path):
            raise UnsafePathError(path, node.owner)
        self._make_parents(path, node.owner)
        self.nodes[path] = node
        return self.root / path

    def add_folder(self, path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> None:
        """Make a folder where there is nothing yet."""
        if path not in self.nodes:
            self.enter_folder(path, Node(Kind.FOLDER, mode, uid, gid))

    def enter_folder(self, path: str, node: Node) -> None:
        """Make a folder at a free path."""
        self.place(path, node).mkdir(parents=True)

    def add_symlink(self, path: str, target: str, owner: str = "") -> None:
        """Make a symbolic link, in place of a file or link; PathConflictError for a folder."""
        self._clear(path)
        place = self.place(path, Node(Kind.SYMLINK, 0o777, target=target, owner=owner))
        place.symlink_to(target)

    def add_file(
        self, path: str, data: bytes, mode: int = 0o644, *, uid: int = 0, gid: int = 0
    ) -> None:
        """Make a file of bytes in memory, in place of a file or a link.

        Raises PathConflictError for a folder.
        """
        self._clear(path)
        node = Node(Kind.FILE, mode, uid, gid, size=len(data))
        self.place(path, node).write_bytes(data)

    def replace_empty_folder(self, path: str, target: str) -> None:
        """Make a folder that holds nothing into a symbolic link."""
        there = self.nodes.get(path)
        if there is not None and there.kind is Kind.FOLDER:
            if self.names(path):
                raise PathConflictError(path, there.owner or GENERATED, GENERATED)
            (self.root / path).rmdir()
            del self.nodes[path]
        self.add_symlink(path, target)

    def resolve(self, path: str) -> str | None:
        """The path that a path leads to when all links of the tree are followed; None if none.

        The root is the empty string.
        """
        links, done, todo = 0, "", path.split("/")[::-1]
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done.rpartition("/")[0]
                continue
            here = f"{done}/{part}" if done else part
            node = self.nodes.get(here)
            if node is None:
                return None
            if node.kind is not Kind.SYMLINK:
                done = here
                continue
            links += 1
            if links > _MOST_LINKS:
                return None
            done = "" if node.target.startswith("/") else done
            todo.extend(node.target.split("/")[::-1])
        return done

    def file(self, path: str) -> Path | None:
        """Where the content of the file lies that a path leads to; None where there is no file."""
        found = self.resolve(path)
        if not found or self.nodes[found].kind not in (Kind.FILE, Kind.HARDLINK):
            return None
        return self.root / found

    def is_symlink(self, path: str) -> bool:
        """Whether a symbolic link lies at the path itself."""
        return path in self.nodes and self.nodes[path].kind is Kind.SYMLINK

    def read(self, path: str) -> bytes | None:
        """The content of the file that a path leads to; None where there is no file."""
        place = self.file(path)
        return None if place is None else place.read_bytes()

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; links to the folder are followed."""
        found = self.resolve(folder)
        if found is None:
            return []
        prefix = f"{found}/" if found else ""
        return sorted(
            path[len(prefix) :]
            for path in self.nodes
            if path.startswith(prefix) and "/" not in path[len(prefix) :]
        )

    def below(self, folder: str) -> list[str]:
        """All paths below a folder, sorted."""
        return sorted(path for path in self.nodes if path.startswith(f"{folder}/"))

    def entries(self) -> Iterator[Entry]:
        """The layer's entries, sorted by path. A hard link points to a path before its own."""
        names = _file_names(self.nodes)
        for path, node in sorted(self.nodes.items()):
            yield self._entry(path, node, names.get(path, path))

    def _entry(self, path: str, node: Node, first: str) -> Entry:
        if first != path:
            return Entry(path, Kind.HARDLINK, node.mode, (), first, node.uid, node.gid)
        if node.kind is Kind.HARDLINK:
            node = replace(node, kind=Kind.FILE, target="")
        payload = self._payload(path, node.size)
        return Entry(path, node.kind, node.mode, payload, node.target, node.uid, node.gid)

    def _payload(self, path: str, size: int) -> tuple[Encoded, ...]:
        if not size:
            return ()
        place = self.root / path
        return (Encoded(size, lambda: _content(place)),)

    def _make_parents(self, path: str, owner: str) -> None:
        parent = path.rpartition("/")[0]
        if not parent:
            return
        node = self.nodes.get(parent)
        if node is None:
            self.enter_folder(parent, Node(Kind.FOLDER, 0o755, owner=owner))
        elif node.kind is not Kind.FOLDER:
            raise PathConflictError(parent, node.owner or GENERATED, owner or GENERATED)

    def _clear(self, path: str) -> None:
        there = self.nodes.get(path)
        if there is None:
            return
        if there.kind is Kind.FOLDER:
            raise PathConflictError(path, there.owner or GENERATED, GENERATED)
        del self.nodes[path]
        (self.root / path).unlink()


def _file_names(nodes: dict[str, Node]) -> dict[str, str]:
    """For each of several names of one file the first of them, by path."""
    groups: dict[str, list[str]] = {}
    for path, node in nodes.items():
        if node.kind is Kind.HARDLINK:
            groups.setdefault(node.target, [node.target]).append(path)
    return {path: min(paths) for paths in groups.values() for path in paths}


def _content(place: Path) -> Iterator[bytes]:
    with place.open("rb", buffering=0) as file:
        yield from read_chunks(file, CHUNK)
