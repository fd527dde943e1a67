"""The outer archive of a package: ar(5) as deb(5) narrows it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.deb.stream import Reader, decompressed
from basestore.layer.deb.tar import Item, items
from basestore.layer.entry import Kind

_MAGIC = b"!<arch>\n"
_HEADER = 60
_SHOWN = 8  # members in a message
_LARGEST_CONTROL = 16 * 1024 * 1024  # md5sums of large packages have some hundred KB
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    offset: int
    size: int


class DebArchive:
    """An opened package; ``name`` names it in errors.

    Raises MalformedDebError, here and from every method.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._control, self._data = self._members()

    def control(self) -> dict[str, bytes]:
        """The files of the control archive, by name: ``control``, ``md5sums``, ``postinst``."""
        found: dict[str, bytes] = {}
        left = _LARGEST_CONTROL
        for item, content in self._items(self._control, "control.tar"):
            if item.path and (item.kind is not Kind.FILE or not _NAME.fullmatch(item.path)):
                raise self._refuse(f"its control archive holds {item.path!r}")
            left -= item.size
            if left < 0:
                raise self._refuse("its control archive is too large")
            if item.path:
                found[item.path] = b"".join(content)
        if "control" not in found:
            raise self._refuse("its control archive has no file named control")
        return found

    def data(self) -> Iterator[tuple[Item, Iterator[memoryview]]]:
        """The package's paths in its order, each with its content in pieces."""
        return self._items(self._data, "data.tar")

    def _refuse(self, reason: str) -> MalformedDebError:
        return MalformedDebError(self._name, reason)

    def _items(self, member: _Member, stem: str) -> Iterator[tuple[Item, Iterator[memoryview]]]:
        self._file.seek(member.offset)
        suffix = member.name.removeprefix(stem)
        pieces = decompressed(self._file, member.size, suffix, self._refuse)
        return items(Reader(pieces, self._refuse), self._refuse)

    def _members(self) -> tuple[_Member, _Member]:
        """The control and the data member, in the order that deb(5) fixes.

        Members whose names begin with an underscore are for others and skipped, but for the first,
        by which dpkg knows a package.
        """
        if self._file.read(len(_MAGIC)) != _MAGIC:
            raise self._refuse("it is not an ar archive")
        members = list(self._headers())
        found = members[:1] + [m for m in members[1:] if not m.name.startswith("_")]
        stems = [member.name.partition(".tar")[0] for member in found]
        if stems != ["debian-binary", "control", "data"]:
            names = ", ".join(member.name for member in found[:_SHOWN])
            raise self._refuse(f"its members are {names or 'none'}")
        self._check_version(found[0])
        return found[1], found[2]

    def _check_version(self, member: _Member) -> None:
        self._file.seek(member.offset)
        if not self._file.read(min(member.size, 64)).startswith(b"2."):
            raise self._refuse("its format is not version 2")

    def _headers(self) -> Iterator[_Member]:
        while header := self._file.read(_HEADER):
            if len(header) != _HEADER or header[58:] != b"`\n":
                raise self._refuse("a header of its ar archive is damaged")
            member = self._member(header)
            yield member
            self._file.seek(member.offset + member.size)
            if member.size % 2 and self._file.read(1) not in (b"\n", b""):  # ar(5), "Content"
                raise self._refuse(f"its member {member.name} is not followed by a newline")

    def _member(self, header: bytes) -> _Member:
        size = header[48:58].rstrip(b" ")
        name = header[:16].decode("ascii", "replace").rstrip(" ").removesuffix("/")
        if not size.isdigit() or not _MEMBER.fullmatch(name):
            raise self._refuse("a header of its ar archive is damaged")
        return _Member(name, self._file.tell(), int(size))
