"""A service's files as a commit has them: what it would have copied then, with nothing checked out.

The rules are those of `layer.application`; only where folders and files are looked up is another.
"""

import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from basestore.layer.application.context import Context, Found, Node
from basestore.layer.application.ignore import FILE, read_ignore
from basestore.layer.application.pattern import clean
from basestore.sources.git import EXECUTABLE, LINK, SUBMODULE, Entry, Revision

Tree = Mapping[str, "Tree | Entry"]
"""A folder of a commit: what it holds by name."""


@dataclass(frozen=True, slots=True)
class Committed(Context):
    """A context in a commit. ``tree``: what the commit has there."""

    tree: Tree = field(default_factory=dict)

    def root(self) -> Node:
        """The context itself."""
        return Node("", _status(stat.S_IFDIR), self.ignore.root())

    def child(self, parent: Node, name: str) -> Node | None:
        """What has a name in a folder; None where nothing has."""
        found = folder_of(self.tree, parent.path).get(name)
        return None if found is None else self._node(parent, name, found)

    def children(self, parent: Node) -> Iterator[Node]:
        """What lies in a folder and may bring something, by name."""
        for name, found in sorted(folder_of(self.tree, parent.path).items()):
            node = self._node(parent, name, found)
            if not node.verdict.ignored or self.ignore.may_take_back_below(node.path):
                yield node

    def _node(self, parent: Node, name: str, found: "Tree | Entry") -> Node:
        path = f"{parent.path}/{name}" if parent.path else name
        mode = found.mode if isinstance(found, Entry) else stat.S_IFDIR
        return Node(path, _status(mode), self.ignore.judge(path, parent.verdict))

    def _take(self, node: Node) -> Found:
        return Found(node.path, 0, node.status.st_mode == EXECUTABLE)


def committed_context(revision: Revision, project: Tree, context: str) -> Committed:
    """A service's context in a commit; ``project``: what that has of the project.

    Raises PatternError and NotTextError for its ``.dockerignore``, and GitFailedError.
    """
    name = clean(context)
    tree = folder_of(project, "" if name == "." else name)
    rules = tree.get(FILE)
    data = revision.content(rules) if isinstance(rules, Entry) and rules.mode != LINK else b""
    ignore = read_ignore(data, posixpath.normpath(posixpath.join(name, FILE)))
    return Committed(Path(), name, ignore, tree)


def tree_of(entries: Mapping[str, Entry]) -> Tree:
    """Entries by path as folders in folders; of submodules a commit has nothing but their place."""
    root: dict[str, Tree | Entry] = {}
    for path, entry in entries.items():
        *folders, name = path.split("/")
        at = root
        for folder in folders:
            below = at.setdefault(folder, {})
            if not isinstance(below, dict):
                raise TypeError(f"{path} lies below a file")
            at = below
        at[name] = {} if entry.mode == SUBMODULE else entry
    return root


def folder_of(tree: Tree, path: str) -> Tree:
    """A folder below another one; nothing where there is none."""
    for name in path.split("/") if path else ():
        below = tree.get(name, {})
        tree = {} if isinstance(below, Entry) else below
    return tree


def _status(mode: int) -> os.stat_result:
    """What a commit can say of a file: how it would be checked out."""
    return os.stat_result((mode, *(0,) * 9))
