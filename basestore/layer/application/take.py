"""Taking: what ``files`` names in the context, each at its path in the image."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from basestore.errors import BasestoreError
from basestore.layer.application.context import Context, Found, Node
from basestore.layer.application.errors import (
    EmptySourceError,
    IgnoredSourceError,
    NoSourceError,
    OutsideProjectError,
    PatternError,
    SourceBehindLinkError,
)
from basestore.layer.application.pattern import (
    MalformedPatternError,
    Pattern,
    clean,
    is_special,
    parse,
)
from basestore.layer.application.target import image_path, joined
from basestore.profile.service import Copy


@dataclass(frozen=True, slots=True)
class Placed:
    """Something found, its ``path`` in the image (no leading slash), and who asked for it."""

    path: str
    found: Found
    copy: Copy


@dataclass(frozen=True, slots=True)
class _Taking:
    """A node that is taken, with all below it, to a path of the image."""

    node: Node
    path: str


def take(context: Context, copy: Copy, workdir: str) -> Iterator[Placed]:
    """All that one entry of ``files`` brings.

    ``workdir``: where it goes if the entry doesn't say, absolute. Raises OutsideProjectError,
    PatternError, NoSourceError, IgnoredSourceError, EmptySourceError, SourceBehindLinkError,
    TargetError, UnfitFileError and UnreadableFileError.
    """
    takings = list(_takings(context, copy, workdir))
    empty = True
    for taking in takings:
        for found in context.found(taking.node):
            empty = False
            below = found.path[len(taking.node.path) :].removeprefix("/")
            yield Placed(joined(taking.path, below), found, copy)
    if empty:
        raise _explain(context, copy, takings)


def _takings(context: Context, copy: Copy, workdir: str) -> Iterator[_Taking]:
    source = clean(copy.source)
    if copy.source.startswith("/") or source == ".." or source.startswith("../"):
        raise OutsideProjectError(copy.place, f"the source {copy.source!r}", "the context")
    home = image_path(copy.target or workdir, copy.place)
    if is_special(source):
        for node in _matches(context, _pattern(copy, source)):
            below = node.path.rpartition("/")[2] if copy.target else node.path
            yield _Taking(node, joined(home, below))
        return
    node = _named(context, copy, source)
    if not copy.target:
        yield _Taking(node, joined(home, node.path))
    elif not node.is_folder and copy.target.endswith("/"):
        yield _Taking(node, joined(home, node.path.rpartition("/")[2]))
    else:
        yield _Taking(node, home)


def _named(context: Context, copy: Copy, source: str) -> Node:
    """What has exactly that path in the context."""
    node = context.root()
    for name in source.split("/") if source != "." else ():
        if node.is_link:
            raise SourceBehindLinkError(copy.place, copy.source, context.shown(node.path))
        child = context.child(node, name)
        if child is None:
            near = _near(context, node, name) if node.is_folder else []
            raise NoSourceError(copy.place, copy.source, context.name, near)
        node = child
    return node


def _near(context: Context, folder: Node, name: str) -> list[str]:
    """Paths in a folder whose names are like one that isn't there."""
    names = {c.path.rpartition("/")[2]: c.path for c in context.children(folder)}
    return [names[near] for near in difflib.get_close_matches(name, names, n=3)]


def _pattern(copy: Copy, source: str) -> Pattern:
    try:
        return parse(source)
    except MalformedPatternError as error:
        raise PatternError(copy.place, copy.source, str(error)) from None


def _matches(context: Context, pattern: Pattern) -> Iterator[Node]:
    """What matches, the uppermost only: a folder is taken with all below it."""
    waiting = [context.root()]
    while waiting:
        for child in context.children(waiting.pop()):
            if pattern.matches(child.path):
                yield child
            elif child.is_folder and pattern.may_match_below(child.path):
                waiting.append(child)


def _explain(context: Context, copy: Copy, takings: list[_Taking]) -> BasestoreError:
    """Why an entry brings nothing."""
    if not takings:
        return NoSourceError(copy.place, copy.source, context.name, ())
    for verdict in (taking.node.verdict for taking in takings):
        if verdict.ignored and verdict.decided:
            rule = verdict.decided
            return IgnoredSourceError(copy.place, copy.source, rule.pattern.text, rule.by)
    return EmptySourceError(copy.place, copy.source)
