"""Symbolic links of an application: each must lead to something that is copied along."""

import posixpath
from collections.abc import Mapping

from basestore.layer.application.context import Context
from basestore.layer.application.errors import LinkError
from basestore.layer.application.take import Placed

_DEEPEST = 40  # links in a row: Linux gives up there, too (path_resolution(7))


def check_links(context: Context, placed: Mapping[str, Placed]) -> None:
    """Check all links among what is placed, by path in the image; raises LinkError."""
    links = [one for one in placed.values() if one.found.target]
    folders = _folders(placed) if links else frozenset[str]()
    for link in links:
        reason = _misled(link, placed, folders)
        if reason:
            raise LinkError(context.shown(link.found.path), link.found.target, reason)


def _misled(link: Placed, placed: Mapping[str, Placed], folders: frozenset[str]) -> str:
    """What is wrong with where a link leads; empty where nothing is."""
    path, target = link.found.path, link.found.target
    if target.startswith("/"):
        return "leads to an absolute path, which may differ in an image"
    if posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).startswith(".."):
        return "leads out of the context"
    return "" if _leads(link.path, placed, folders) else "leads to nothing that is copied"


def _leads(path: str, placed: Mapping[str, Placed], folders: frozenset[str]) -> bool:
    """Whether a path of the image, links followed, is a file or folder of the application."""
    todo, at = path.split("/")[::-1], ""
    followed = 0
    while todo:
        part = todo.pop()
        if part == "..":
            at = at.rpartition("/")[0]
            continue
        if part in ("", "."):
            continue
        at = f"{at}/{part}" if at else part
        target = placed[at].found.target if at in placed else ""
        if target:
            followed += 1
            if followed > _DEEPEST or target.startswith("/"):
                return False
            todo += target.split("/")[::-1]
            at = at.rpartition("/")[0]
        elif todo and at not in folders:
            return False
    return at in placed or at in folders


def _folders(placed: Mapping[str, Placed]) -> frozenset[str]:
    """All folders above what is placed; the image's root is none that a link may lead to."""
    found: set[str] = set()
    for path in placed:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return frozenset(found)
