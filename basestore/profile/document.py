"""Documents: TOML files that people or this tool wrote, read with a place in every error.

A *table* hands out values of the type asked for, or None where the key is absent, and raises
DocumentError with file, line and key for everything else. Values are never shown in errors about
types, since they may be secrets.
"""

import errno
import os
import re
import stat
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from basestore.errors import InputError
from basestore.profile.lines import KeyPath, key_lines, show_path

LARGEST = 64 * 1024 * 1024
"""The most bytes of a file that people write, or another tool's lock."""

_SYNTAX = re.compile(r"(?P<reason>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)")

_TOML_HINT = "mend the line, or the one before it; https://toml.io/en/v1.0.0 says how"

_T = TypeVar("_T")

_KINDS: Mapping[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a float",
    bool: "a boolean",
    list: "an array",
    dict: "a table",
    datetime: "a date and time",
    date: "a date",
}

_SPELLINGS: Mapping[type, str] = {
    str: 'put it in quotes: "…"',
    int: "write a whole number without quotes: {key} = 1",
    list: 'write it in brackets: {key} = ["…", "…"]',
    dict: 'write it as a table: {key} = {{ name = "…" }}',
    datetime: "write it without quotes: {key} = 2026-11-20T10:00:00Z",
    date: "write it without quotes and time: {key} = 2026-11-20",
    bool: "write it without quotes: {key} = true",
}


class DocumentError(InputError):
    """Something in a file can't be taken.

    ``file`` as shown to people, relative to the project; ``line`` from 1, None where unknown;
    ``key`` such as ``image.env.LANG`` or ``requirements[3]``, empty for the whole file.
    """

    def __init__(
        self, file: str, reason: str, hint: str, *, key: str = "", line: int | None = None
    ) -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(": ".join(part for part in (place, key, reason) if part), hint)
        self.file = file
        self.line = line
        self.key = key
        self.reason = reason


@dataclass(frozen=True)
class Document:
    """A file's name as shown to people, and its text."""

    file: str
    text: str

    @cached_property
    def lines(self) -> Mapping[KeyPath, int]:
        """The line of every table, key and array element, found out when it is first asked for."""
        return key_lines(self.text)

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            if line := self.lines.get(path[:length]):
                return line
        return None

    def error(self, path: KeyPath, reason: str, hint: str) -> DocumentError:
        """An error at a key."""
        return DocumentError(self.file, reason, hint, key=show_path(path), line=self.line(path))


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a document, and the way to it."""

    document: Document
    path: KeyPath
    values: Mapping[str, object]

    def error(self, reason: str, hint: str, *inner: str | int) -> DocumentError:
        """An error at a value inside this table."""
        return self.document.error((*self.path, *inner), reason, hint)

    def refusal(self, *inner: str | int) -> Callable[[str, str], DocumentError]:
        """What makes errors at a value inside this table, from a reason and a hint."""
        return lambda reason, hint: self.error(reason, hint, *inner)

    def only(self, *known: str) -> None:
        """Raise DocumentError for the first key that is not among those known."""
        for key in self.values:
            if key not in known:
                raise self.error("unknown key", nearest(key, known), key)

    def required(self, key: str, value: _T | None, hint: str) -> _T:
        """The value read for a key; raises DocumentError where the key is absent."""
        if value is None:
            raise DocumentError(
                self.document.file,
                "missing",
                hint,
                key=show_path((*self.path, key)),
                line=self.document.line(self.path),
            )
        return value

    def string(self, key: str) -> str | None:
        """A string."""
        return self._get(str, key)

    def integer(self, key: str) -> int | None:
        """An integer."""
        return self._get(int, key)

    def flag(self, key: str) -> bool | None:
        """A boolean."""
        return self._get(bool, key)

    def day(self, key: str) -> date | None:
        """A date without a time."""
        return self._get(date, key)

    def moment(self, key: str) -> datetime | None:
        """A date and time with its offset from UTC."""
        value = self._get(datetime, key)
        if value is not None and value.tzinfo is None:
            raise self.error("a date and time without an offset", "add Z at its end", key)
        return value

    def strings(self, key: str) -> tuple[str, ...] | None:
        """An array of strings."""
        values = self._get(list, key)
        return None if values is None else self._strings(values, key)

    def integers(self, key: str) -> tuple[int, ...] | None:
        """An array of integers."""
        values = self._get(list, key)
        if values is None:
            return None
        return tuple(self._typed(int, value, key, number) for number, value in enumerate(values))

    def mixed(self, key: str) -> "tuple[str | Table, ...]":
        """An array of strings and tables; empty where the key is absent."""
        values = self._get(list, key) or []
        return tuple(
            value
            if isinstance(value, str)
            else self._inner(self._typed(dict, value, key, number), key, number)
            for number, value in enumerate(values)
        )

    def table(self, key: str) -> "Table | None":
        """A table inside this one."""
        values = self._get(dict, key)
        return None if values is None else self._inner(values, key)

    def tables(self, key: str) -> "tuple[Table, ...]":
        """An array of tables; empty where the key is absent."""
        values = self._get(list, key) or []
        return tuple(
            self._inner(self._typed(dict, value, key, number), key, number)
            for number, value in enumerate(values)
        )

    def members(self, key: str) -> "Mapping[str, Table]":
        """A table of tables; empty where the key is absent."""
        values = self._get(dict, key) or {}
        return {
            name: self._inner(self._typed(dict, value, key, name), key, name)
            for name, value in values.items()
        }

    def string_map(self, key: str) -> Mapping[str, str] | None:
        """A table of strings."""
        values = self._get(dict, key)
        if values is None:
            return None
        return {name: self._typed(str, value, key, name) for name, value in values.items()}

    def strings_map(self, key: str) -> Mapping[str, tuple[str, ...]] | None:
        """A table of arrays of strings."""
        values = self._get(dict, key)
        if values is None:
            return None
        return {
            name: self._strings(self._typed(list, value, key, name), key, name)
            for name, value in values.items()
        }

    def _get(self, kind: type[_T], key: str) -> _T | None:
        return self._typed(kind, self.values[key], key) if key in self.values else None

    def _strings(self, values: Sequence[object], *inner: str) -> tuple[str, ...]:
        return tuple(self._typed(str, value, *inner, n) for n, value in enumerate(values))

    def _inner(self, values: Mapping[str, object], *inner: str | int) -> "Table":
        return Table(self.document, (*self.path, *inner), values)

    def _typed(self, kind: type[_T], value: object, *inner: str | int) -> _T:
        """The value, if it is exactly of that kind: a boolean is no integer here."""
        if type(value) is kind:
            return value
        found = _KINDS.get(type(value), "a date or time")
        key = next(part for part in reversed(inner) if isinstance(part, str))
        hint = _SPELLINGS[kind].format(key=key)
        raise self.error(f"{found}, not {_KINDS[kind]}", hint, *inner)


def read_file(root: Path, file: str) -> bytes | None:
    """A file of the project, None where there is none; raises DocumentError if it can't be read."""
    try:
        return read_regular(root / file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = f"can't be read: {error.strerror or error}"
        raise DocumentError(file, reason, "make it a file that you can read") from None


def read_regular(path: Path) -> bytes:
    """A regular file of at most ``LARGEST`` bytes; raises OSError, also for one that is none.

    What people name may be a pipe or a device, which would never end.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if status.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"it has more than {LARGEST >> 20} MiB")
        return file.read()


def _without_waiting(name: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to would be waited for."""
    return os.open(name, flags | os.O_NONBLOCK)


def read_document(file: str, data: bytes) -> Table:
    """A TOML 1.0 file's root table. ``file`` is its name in errors; raises DocumentError."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(file, "not UTF-8 text", "save it as UTF-8", line=line) from None
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise DocumentError(file, "nested too deeply", "write it flatter") from None
    except ValueError as error:
        raise _syntax_error(file, text, str(error)) from None
    return Table(Document(file, text), (), values)


def _syntax_error(file: str, text: str, message: str) -> DocumentError:
    match = _SYNTAX.fullmatch(message)
    if match is None:  # an integer of thousands of digits
        return DocumentError(file, f"not valid TOML: {message}", _TOML_HINT)
    line = int(match["line"]) if match["line"] else text.count("\n") + 1
    return DocumentError(file, f"not valid TOML: {match['reason']}", _TOML_HINT, line=line)


def nearest(word: str, known: Collection[str]) -> str:
    """A hint that names the known word nearest to one that isn't known, and all of them."""
    from difflib import get_close_matches

    meant = get_close_matches(word, known, n=1, cutoff=0.4)
    guess = f"did you mean {meant[0]!r}? " if meant else ""
    return f"{guess}known here: {', '.join(sorted(known))}"
