"""The nodes of YAML documents with their places; the one door to the YAML library.

libyaml's events, so that nesting can be bounded: its own composing recurses without an end.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from basestore.pins.model import PinFileError, Place

DEEPEST = 200
"""How deeply collections may be nested."""

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_START = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_END = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class Scalar(NamedTuple):
    """A scalar: its value without white space around it, and its characters in the text."""

    value: str
    start: int
    end: int


class Items(NamedTuple):
    """A sequence's nodes."""

    nodes: "list[Node]"


class Entries(NamedTuple):
    """A mapping's nodes by their keys; of equal keys the last.

    ``values``: all of them in order, with an empty key where it is no scalar. So an anchor is
    always met before its aliases.
    """

    nodes: "dict[str, Node]"
    values: "list[tuple[str, Node]]"


Node = Scalar | Items | Entries


class Document:
    """A YAML file's text, and where its characters stand in bytes."""

    def __init__(self, file: str, data: bytes) -> None:
        """Raises PinFileError for what isn't UTF-8."""
        self.file = file
        self.data = data
        text = _text(file, data)
        self._text = text.removeprefix("\ufeff")
        self._known = (0, len(data) - len(self._text.encode())) if text != self._text else (0, 0)
        self._ascii = text.isascii()

    def roots(self) -> Iterator[Node]:
        """The root node of each document; an alias is the very node that its anchor names.

        Raises PinFileError for what is no YAML, or is nested too deeply.
        """
        try:
            yield from _roots(self.file, iter(yaml.parse(self._text, Loader=_LOADER)))
        except yaml.YAMLError as error:
            raise PinFileError(self.file, self._line(error), f"no YAML: {_reason(error)}") from None

    def offset(self, index: int) -> int:
        """The byte at which a character stands."""
        if self._ascii:
            return index
        known, offset = self._known
        if index < known:
            return offset - len(self._text[index:known].encode())
        self._known = (index, offset + len(self._text[known:index].encode()))
        return self._known[1]

    def place(self, scalar: Scalar) -> Place | None:
        """Where a scalar's value stands verbatim; None where it is written in another way.

        It is the last thing in the scalar, but for a quote or line ends.
        """
        raw, value = self._text[scalar.start : scalar.end], scalar.value
        if not value:
            at = self.offset(scalar.end - 1)
            return Place(self.file, at, at) if raw[-2:] in ('""', "''") else None
        index = raw.rfind(value)
        if index < 0 or not value.isascii():
            return None
        at = self.offset(scalar.start + index)
        return Place(self.file, at, at + len(value))

    def _line(self, error: yaml.YAMLError) -> int:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if mark is not None:
            return min(int(mark.line), self._text.count("\n")) + 1
        return self._text.count("\n", 0, getattr(error, "position", 0)) + 1


class _Open:
    """A collection that isn't closed yet."""

    __slots__ = ("key", "node")

    def __init__(self, node: Items | Entries) -> None:
        self.node = node
        self.key: Node | None = None

    def add(self, node: Node) -> None:
        """The next node: an item, a key or a key's value."""
        if isinstance(self.node, Items):
            self.node.nodes.append(node)
        elif self.key is None:
            self.key = node
        else:
            name = self.key.value if isinstance(self.key, Scalar) else ""
            self.node.nodes[name] = node
            self.node.values.append((name, node))
            self.key = None


def _roots(file: str, events: Iterator[Any]) -> Iterator[Node]:
    anchors: dict[str, Node] = {}
    stack = [_Open(Items([]))]
    for event in events:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            node: Node = Scalar(event.value.strip(), event.start_mark.index, event.end_mark.index)
        elif kind is yaml.AliasEvent:
            stack[-1].add(_aliased(file, anchors, event))
            continue
        elif kind in _START:
            node = Items([]) if kind is yaml.SequenceStartEvent else Entries({}, [])
        else:
            if kind in _END:
                stack.pop()
            elif kind is yaml.DocumentEndEvent:
                yield stack[0].node.nodes[0]  # type: ignore[index]  # a sequence of one
                stack, anchors = [_Open(Items([]))], {}
            continue
        if event.anchor:
            anchors[event.anchor] = node
        stack[-1].add(node)
        if not isinstance(node, Scalar):
            stack.append(_Open(node))
            if len(stack) > DEEPEST:
                raise PinFileError(file, event.start_mark.line + 1, "nested too deeply")


def _aliased(file: str, anchors: dict[str, Node], event: Any) -> Node:
    if event.anchor not in anchors:
        line = event.start_mark.line + 1
        raise PinFileError(file, line, f"no YAML: there is no anchor {event.anchor}")
    return anchors[event.anchor]


def _reason(error: yaml.YAMLError) -> str:
    return getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid"


def _text(file: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PinFileError(file, line, "not UTF-8 text") from None
