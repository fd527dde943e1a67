"""Packages into the tree, as dpkg would unpack them, on a system with merged /usr."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from basestore.errors import IntegrityError
from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.control import Control, parse_control
from basestore.layer.deb.tar import Item
from basestore.layer.entry import Kind
from basestore.layer.foundation.tree import Node, PathConflictError, Tree
from basestore.lock.model import Deb
from basestore.store.blobs import Blobs

_MERGED = ("bin", "lib", "lib32", "lib64", "libo32", "libx32", "sbin")
"""Folders of the root that are links into /usr (Debian bookworm release notes, "merged-/usr")."""

_MOVED = {**{name: f"usr/{name}" for name in _MERGED}, "var/lock": "run/lock", "var/run": "run"}
_ELF = b"\x7fELF"


class WrongPackageError(IntegrityError):
    """A .deb is another package than the lock says."""

    def __init__(self, deb: Deb, found: tuple[str, str, str]) -> None:
        super().__init__(
            f"the .deb locked as {deb.name} {deb.version} ({deb.architecture}) "
            f"is {found[0]} {found[1]} ({found[2]})",
            "lock the profile anew; the archive's index named it wrongly",
        )
        self.deb = deb


@dataclass(frozen=True, slots=True)
class Installed:
    """An unpacked package.

    ``files``: its control files by name. ``paths``: absolute paths as the package has them, in
    its order, the root as ``/.``: what dpkg keeps as its list.
    """

    control: Control
    files: dict[str, bytes]
    paths: tuple[str, ...]


def unpack_all(debs: Iterable[Deb], blobs: Blobs, tree: Tree) -> tuple[Installed, ...]:
    """Unpack packages into an empty tree; the result is sorted by name.

    base-files comes first, as when a system is bootstrapped: of a folder that several packages
    hold, the first one's mode counts. Raises MalformedDebError, WrongPackageError,
    PathConflictError and MissingBlobError.
    """
    ordered = sorted(debs, key=lambda deb: (deb.name != "base-files", deb.name, deb.architecture))
    installed = [_unpack(deb, blobs, tree) for deb in ordered]
    _merge_usr(tree)
    return tuple(sorted(installed, key=lambda package: package.control.identity))


def _merge_usr(tree: Tree) -> None:
    """/bin, /lib and /sbin are links into /usr, and the others where a package has them."""
    for name in _MERGED:
        if name in ("bin", "lib", "sbin"):
            tree.add_folder(f"usr/{name}")
        if f"usr/{name}" in tree:
            tree.add_symlink(name, f"usr/{name}")


def _unpack(deb: Deb, blobs: Blobs, tree: Tree) -> Installed:
    with blobs.verified(deb.sha256) as file:
        archive = DebArchive(file, f"{deb.name} {deb.version}")
        files = archive.control()
        control = parse_control(files["control"], f"{deb.name} {deb.version}")
        if control.identity != (deb.name, deb.version, deb.architecture):
            raise WrongPackageError(deb, control.identity)
        paths = tuple(_place_all(archive, deb.name, tree))
    return Installed(control, files, paths)


def _place_all(archive: DebArchive, owner: str, tree: Tree) -> Iterator[str]:
    for item, content in archive.data():
        if item.path:
            _place(item, content, owner, tree)
        yield f"/{item.path}" if item.path else "/."


def _place(item: Item, content: Iterator[memoryview], owner: str, tree: Tree) -> None:
    path = moved(item.path)
    if item.kind is Kind.SYMLINK and path != item.path and item.target.lstrip("/") == path:
        return  # the package brings the link of the merged folder itself
    target = moved(item.target) if item.kind is Kind.HARDLINK else item.target
    node = Node(item.kind, item.mode, item.uid, item.gid, target, item.size, owner)
    if path in tree:
        _meet(path, node, content, tree)
    elif item.kind is Kind.FOLDER:
        tree.enter_folder(path, node)
    elif item.kind is Kind.SYMLINK:
        tree.place(path, node).symlink_to(target)
    elif item.kind is Kind.HARDLINK:
        first = replace(tree.nodes[target], kind=item.kind, target=target, owner=owner)
        tree.place(path, first).hardlink_to(tree.root / target)
    else:
        _write(path, node, content, tree)


def _write(path: str, node: Node, content: Iterator[memoryview], tree: Tree) -> None:
    first = next(content, memoryview(b""))
    place = tree.place(path, replace(node, elf=first[:4] == _ELF))
    # The loader is run in place, so it must be executable; all other modes are the index's.
    mode = 0o755 if node.mode & 0o111 else 0o644
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        for piece in chain((first,), content):
            file.write(piece)


def _meet(path: str, node: Node, content: Iterator[memoryview], tree: Tree) -> None:
    """Two packages hold one path: right for folders and for what is the same."""
    there = tree.nodes[path]
    if node.kind is Kind.FILE is there.kind and _same(tree.root / path, content):
        return
    if node.kind is Kind.FOLDER is there.kind:
        return
    if node.kind is Kind.SYMLINK is there.kind and node.target == there.target:
        return
    raise PathConflictError(path, there.owner, node.owner)


def _same(place: Path, content: Iterator[memoryview]) -> bool:
    with place.open("rb") as file:
        return all(file.read(len(piece)) == piece for piece in content) and not file.read(1)


def moved(path: str) -> str:
    """Where a package's path lies on a system with merged /usr, /run and /run/lock."""
    for old, new in _MOVED.items():
        if path == old or path.startswith(f"{old}/"):
            return new + path[len(old) :]
    return path
