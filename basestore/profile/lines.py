"""Where a TOML document says what: the line of every key and of every element of an array.

The standard reader keeps no positions. This one walks a document that the standard reader has
accepted, so it can be simple: it tells strings, comments and punctuation apart and trusts the rest.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from basestore.canonical import toml_key

KeyPath = tuple[str | int, ...]
"""The way to a value: keys, and positions in arrays from 0."""

_TOKEN = re.compile(
    r"""
      (?P<blank> [ \t\r]+ | \#[^\n]* )
    | (?P<newline> \n )
    | (?P<string> \"{3} (?: \\. | [^\\] )*? \"{3} (?!\")
                | '{3} .*? '{3} (?!')
                | " (?: \\. | [^"\\] )* "
                | ' [^']* ' )
    | (?P<mark> [\[\]{}=,.] )
    | (?P<bare> [^\s\[\]{}=,.\#"']+ )
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int
    start: int
    end: int


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every table, key and array element of a valid TOML 1.0 document."""
    return _Walk(text).lines


def element_spans(text: str) -> dict[KeyPath, tuple[int, int]]:
    """Where the elements of arrays begin and end, as offsets in a valid TOML 1.0 document."""
    return _Walk(text).spans


def show_path(path: KeyPath) -> str:
    """A path as people write it: ``image.env.LANG``, ``requirements[3]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{toml_key(part)}" if text else toml_key(part)
    return text


class _Walk:
    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.spans: dict[KeyPath, tuple[int, int]] = {}
        self._tokens = list(_tokens(text))
        self._at = 0
        self._elements: dict[KeyPath, int] = {}  # arrays of tables, and their elements so far
        self._document()

    def _document(self) -> None:
        table: KeyPath = ()
        while self._skip_newlines():
            if self._next.text == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        line = self._take().line
        is_array = self._next.text == "["
        if is_array:
            self._take()
        path = self._resolve(self._key())
        while self._at < len(self._tokens) and self._next.kind != "newline":
            self._take()
        if is_array:
            number = self._elements.get(path, 0)
            self._elements[path] = number + 1
            self.lines.setdefault(path, line)
            path = (*path, number)
        self.lines.setdefault(path, line)
        return path

    def _resolve(self, key: KeyPath) -> KeyPath:
        """TOML 1.0, "Array of Tables": a header's key goes through the last element of each."""
        path: KeyPath = ()
        for number, part in enumerate(key, start=1):
            path = (*path, part)
            if path in self._elements and number < len(key):
                path = (*path, self._elements[path] - 1)
        return path

    def _key(self) -> KeyPath:
        parts = [_plain(self._take())]
        while self._next.text == ".":
            self._take()
            parts.append(_plain(self._take()))
        return tuple(parts)

    def _pair(self, table: KeyPath) -> None:
        line = self._next.line
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._take()  # "="
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        match self._next.text:
            case "[":
                self._items(path, "]")
            case "{":
                self._items(path, "}")
            case _:
                while self._at < len(self._tokens) and not self._ends_value():
                    self._take()

    def _items(self, path: KeyPath, end: str) -> None:
        self._take()
        number = 0
        while self._skip_newlines() and self._next.text != end:
            if self._next.text == ",":
                self._take()
            elif end == "}":
                self._pair(path)
            else:
                start = self._next
                self.lines[(*path, number)] = start.line
                self._value((*path, number))
                self.spans[(*path, number)] = (start.start, self._tokens[self._at - 1].end)
                number += 1
        self._take()

    def _ends_value(self) -> bool:
        return self._next.kind == "newline" or self._next.text in {",", "]", "}"}

    def _skip_newlines(self) -> bool:
        """Go to the next token that is no newline; whether there is one."""
        while self._at < len(self._tokens) and self._next.kind == "newline":
            self._at += 1
        return self._at < len(self._tokens)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "blank":
            yield _Token(kind, match[0], line, *match.span())
        line += match[0].count("\n")


def _plain(token: _Token) -> str:
    """A key's part without its quotes and escapes."""
    if token.kind != "string":
        return token.text
    (name,) = tomllib.loads(f"{token.text} = 0")
    return name
