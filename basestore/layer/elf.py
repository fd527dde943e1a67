"""What the dynamic linker reads of an ELF file (System V gABI, chapters 4 and 5).

Little-endian files of 64 bits only, which is all that runs on the platforms there are; of anything
else the reader says that it is none.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from basestore.target import Platform

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")

_LOAD, _DYNAMIC_SEGMENT = 1, 2
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 5, 10, 14, 15, 29
_LARGEST_TABLE = 64 * 1024 * 1024
_FURTHEST = 2**63 - 1 - _LARGEST_TABLE  # what a file's offsets can hold

_MACHINES = {"amd64": 62, "arm64": 183}


_Segment = tuple[int, ...]
"""The fields of a program header."""


class Readable(Protocol):
    """What is needed of a file."""

    def seek(self, offset: int, /) -> object:
        """Set the place of the next read."""

    def read(self, size: int, /) -> bytes:
        """The bytes there, at most ``size``."""


class MalformedElfError(ValueError):
    """A file begins as an ELF file but can't be read as one."""


@dataclass(frozen=True, slots=True)
class Elf:
    """A dynamically linked file. ``machine`` is e_machine; ``folders`` its own search path.

    ``soname`` is empty where it has none. ``folders`` is DT_RUNPATH, else DT_RPATH, with
    ``$ORIGIN`` and the like as they are.
    """

    machine: int
    soname: str
    needed: tuple[str, ...]
    folders: tuple[str, ...]


def machine_of(platform: Platform) -> int:
    """The e_machine of a platform's own files."""
    return _MACHINES[platform.architecture]


def read_elf(file: Readable) -> Elf | None:
    """Read the dynamic section; None where the file isn't ELF or isn't dynamically linked.

    Raises MalformedElfError.
    """
    header = _header(file)
    if header is None:
        return None
    segments = _segments(file, header)
    dynamic = _dynamic(segments)
    if dynamic is None:
        return None
    tags = tuple(_tags(_at(file, dynamic[2], dynamic[5])))
    return _elf(header[2], tags, _strings(file, dict(tags), segments))


def dynamic_offset(file: Readable) -> int | None:
    """Where a file's dynamic section begins, in bytes; None where it has none.

    Raises MalformedElfError.
    """
    header = _header(file)
    dynamic = _dynamic(_segments(file, header)) if header else None
    return dynamic[2] if dynamic else None


def _header(file: Readable) -> tuple[Any, ...] | None:
    """The fields of the file's header; None where it is none of ours."""
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or header[:6] != b"\x7fELF\x02\x01":
        return None
    return _HEADER.unpack(header)


def _segments(file: Readable, header: tuple[Any, ...]) -> tuple[_Segment, ...]:
    offset, size, count = header[5], header[9], header[10]
    if count and size != _PROGRAM.size:
        raise MalformedElfError("its program headers have another size")
    return tuple(_PROGRAM.iter_unpack(_at(file, offset, size * count)))


def _dynamic(segments: Iterable[_Segment]) -> _Segment | None:
    return next((s for s in segments if s[0] == _DYNAMIC_SEGMENT and s[5]), None)


def _elf(machine: int, tags: tuple[tuple[int, int], ...], strings: bytes) -> Elf:
    def text(offset: int) -> str:
        end = strings.find(b"\0", offset)
        if end < 0:
            raise MalformedElfError("a name lies outside of its strings")
        return strings[offset:end].decode(errors="replace")

    first = {
        tag: text(value) for tag, value in reversed(tags) if tag in (_SONAME, _RPATH, _RUNPATH)
    }
    folders = first.get(_RUNPATH, first.get(_RPATH, ""))
    return Elf(
        machine=machine,
        soname=first.get(_SONAME, ""),
        needed=tuple(text(value) for tag, value in tags if tag == _NEEDED),
        folders=tuple(folder for folder in folders.split(":") if folder),
    )


def _tags(section: bytes) -> Iterator[tuple[int, int]]:
    """The section's tags with their values, to DT_NULL."""
    whole = len(section) - len(section) % _DYNAMIC.size
    for tag, value in _DYNAMIC.iter_unpack(section[:whole]):
        if tag == 0:
            return
        yield tag, value


def _strings(file: Readable, tags: dict[int, int], segments: Iterable[_Segment]) -> bytes:
    """The dynamic string table: DT_STRTAB is an address, to be found in a loaded segment."""
    address, size = tags.get(_STRTAB), tags.get(_STRSZ, 0)
    if address is None:
        return b""
    for kind, _, offset, virtual, _, length, _, _ in segments:
        if kind == _LOAD and virtual <= address < virtual + length:
            return _at(file, offset + address - virtual, size)
    raise MalformedElfError("its strings lie in no segment")


def _at(file: Readable, offset: int, size: int) -> bytes:
    if size > _LARGEST_TABLE or offset > _FURTHEST:
        raise MalformedElfError("a table of it is too large, or too far away")
    file.seek(offset)
    data = file.read(size)
    if len(data) != size:
        raise MalformedElfError("it ends early")
    return data
