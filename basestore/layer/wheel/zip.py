"""A strict reader of zip files, for wheels: what it accepts has one meaning only.

PKWARE APPNOTE 6.3.10; section numbers below are its. Local headers and central directory must
agree, entries must tile the file from its first byte to the directory, names must be plain and
unique, and nothing may follow the end but a short comment. Contents are not read here.
"""

import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from basestore.layer.wheel.directory import Directory, find_directory
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.names import UnsafeNameError, file_and_folder, plain_name
from basestore.layer.window import Window

STORED, DEFLATED = 0, 8

_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")  # 4.3.12
_LOCAL = struct.Struct("<4sHHHHHIIIHH")  # 4.3.7
_DESCRIPTOR = b"PK\x07\x08"  # 4.3.9.3
_FULL32 = 0xFFFFFFFF
_ZIP64 = 0x0001  # 4.5.3
_UNICODE_PATH = 0x7075  # 4.6.9: another name, for those who read it

# 4.4.4; encryption, patches, strong encryption and masked headers are other bits.
_LEVEL, _HAS_DESCRIPTOR, _UTF8 = 0x0006, 0x0008, 0x0800
_KNOWN_FLAGS = _LEVEL | _HAS_DESCRIPTOR | _UTF8
_NEWEST = 63  # 4.4.3.2: what it takes to read an entry; nothing newer is defined
_EMPTY_STREAM = 2  # bytes of the shortest deflate stream, that of nothing

_DENSEST = 1032
"""No deflate stream holds more times its own bytes: 258 bytes take at least two bits."""

_FREE, _RATIO, _MOST = 1024**3, 100, 64 * 1024**3
"""A wheel's content may have a GiB, or a hundred times the wheel's bytes, but never 64 GiB.

Seen among real ones: 1.1 GB, and ten times.
"""


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file in a zip: its data's ``offset``, ``length``, its content's ``size``, ``crc32``."""

    name: str
    method: int
    offset: int
    length: int
    size: int
    crc32: int
    executable: bool


class _Central(NamedTuple):  # made in a quarter of a dataclass's time, once a file
    name: bytes
    flags: int
    method: int
    crc32: int
    length: int
    size: int
    mode: int
    offset: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith(b"/")


def read_zip(file: BinaryIO, label: str) -> tuple[ZipEntry, ...]:
    """All files of a zip in their order there, folders left out; ``label`` names it in errors.

    Raises BadZipError.
    """
    return _Reader(file, label).entries()


class _Reader:
    def __init__(self, file: BinaryIO, label: str) -> None:
        self._window = Window(file)
        self._size = os.fstat(file.fileno()).st_size
        self._label = label

    def entries(self) -> tuple[ZipEntry, ...]:
        directory = find_directory(self._window, self._size, self._bad)
        start = directory.start
        central = sorted(self._central(directory), key=lambda entry: entry.offset)
        names = self._names(central)
        found = []
        position = 0
        for index, entry in enumerate(central):
            if entry.offset != position:
                raise self._bad(f"{entry.name!r} doesn't begin where the entry before it ends")
            following = central[index + 1].offset if index + 1 < len(central) else start
            offset, position = self._local(entry, following)
            self._check_kind(entry)
            if not entry.is_folder:
                found.append(_file(names[index], entry, offset))
        if position != start:
            raise self._bad("there is data between the entries and the directory")
        self._check_size(sum(entry.size for entry in central))
        if twice := file_and_folder([entry.name for entry in found]):
            raise self._bad(f"{twice!r} is a file in it, and a folder")
        return tuple(found)

    def _bad(self, reason: str) -> BadZipError:
        return BadZipError(self._label, reason)

    def _read(self, offset: int, length: int) -> bytes:
        data = self._window.read(offset, length)
        if len(data) != length:
            raise self._bad("it ends too early")
        return data

    def _central(self, found: Directory) -> Iterator[_Central]:
        directory, at = found.content, 0
        for _ in range(found.count):
            if at + _CENTRAL.size > len(directory):
                raise self._bad("its central directory ends too early")
            fields = _CENTRAL.unpack_from(directory, at)
            signature, version, flags, method = fields[0], fields[2], fields[3], fields[4]
            crc32, length, size, name_length, extra_length, comment_length = fields[7:13]
            disk, attributes, offset = fields[13], fields[15], fields[16]
            at += _CENTRAL.size
            end = at + name_length + extra_length + comment_length
            if signature != b"PK\x01\x02" or disk or version > _NEWEST or end > len(directory):
                raise self._bad("its central directory is malformed")
            name = directory[at : at + name_length]
            extra = directory[at + name_length : at + name_length + extra_length]
            size, length, offset = self._zip64(extra, [size, length, offset], name)
            yield _Central(name, flags, method, crc32, length, size, attributes >> 16, offset)
            at = end
        if at != len(directory):
            raise self._bad("its central directory holds more than its entries")

    def _zip64(self, extra: bytes, values: list[int], name: bytes) -> list[int]:
        """Values that don't fit 32 bits stand in the extra field, in this order (4.5.3).

        Some builders write it for nothing: then it has to say the same.
        """
        if not extra and _FULL32 not in values:
            return values
        wide = self._zip64_values(extra, name)
        full = values.count(_FULL32)
        agrees = len(wide) == full if full else wide == values[: len(wide)]
        if not agrees:
            raise self._bad(f"{name!r} has a ZIP64 extra field that contradicts its header")
        missing = iter(wide)
        return [next(missing) if value == _FULL32 else value for value in values]

    def _zip64_values(self, extra: bytes, name: bytes) -> list[int]:
        """What the one ZIP64 extra field holds, empty where there is none (4.5.1)."""
        found: list[bytes] = []
        at = 0
        while at + 4 <= len(extra):
            kind, length = struct.unpack_from("<HH", extra, at)
            at += 4 + length
            if kind == _UNICODE_PATH:
                raise self._bad(f"{name!r} has a second name in its extra field")
            if kind == _ZIP64:
                found.append(extra[at - length : at])
        field = b"".join(found)
        if at > len(extra) or len(found) > 1 or len(field) % 8:
            raise self._bad(f"{name!r} has a malformed extra field")
        return [value for (value,) in struct.iter_unpack("<Q", field)]

    def _check_size(self, content: int) -> None:
        most = min(max(_FREE, _RATIO * self._size), _MOST)
        if content > most:
            raise self._bad(f"its content has {content} bytes, and {most} are the most it may have")

    def _names(self, central: list[_Central]) -> list[str]:
        """The entries' names, each of them plain, and none twice, as file or as folder."""
        names = [self._name(entry) for entry in central]
        seen = set()
        for name in names:
            if name in seen:
                raise self._bad(f"{name!r} stands in it twice")
            seen.add(name)
        return names

    def _name(self, entry: _Central) -> str:
        try:
            return plain_name(entry.name, "utf-8" if entry.flags & _UTF8 else "cp437")
        except UnsafeNameError as error:
            raise self._bad(str(error)) from None

    def _local(self, entry: _Central, following: int) -> tuple[int, int]:
        """Check a local header; where the entry's data begins, and where the entry ends."""
        at = entry.offset + _LOCAL.size + len(entry.name)
        head = self._read(entry.offset, _LOCAL.size + len(entry.name))
        fields = _LOCAL.unpack_from(head)
        signature, flags, method = fields[0], fields[2], fields[3]
        crc32, length, size, name_length, extra_length = fields[6:]
        same = name_length == len(entry.name) and head[_LOCAL.size :] == entry.name
        if signature != b"PK\x03\x04" or not same:
            raise self._bad(f"{entry.name!r} has another name in its local header")
        if flags != entry.flags or method != entry.method:
            raise self._bad(f"{entry.name!r} has other flags in its local header")
        data = at + extra_length
        extra = self._read(at, extra_length) if extra_length else b""
        size, length = self._zip64(extra, [size, length], entry.name)
        told, real = (crc32, length, size), (entry.crc32, entry.length, entry.size)
        if flags & _HAS_DESCRIPTOR:  # then they may be zero here (4.4.4, bit 3)
            told = (crc32 or entry.crc32, length or entry.length, size or entry.size)
        if told != real:
            raise self._bad(f"{entry.name!r} has other sizes or CRC in its local header")
        end = data + entry.length
        if flags & _HAS_DESCRIPTOR:
            end = self._after_descriptor(entry, end, following)
        return data, end

    def _after_descriptor(self, entry: _Central, at: int, following: int) -> int:
        """Check the data descriptor (4.3.9) that fills all up to the next entry."""
        data = self._read(at, following - at) if 12 <= following - at <= 24 else b""
        body = data.removeprefix(_DESCRIPTOR)
        wide = "<IQQ" if len(body) == 20 else "<III"
        if len(body) not in (12, 20) or struct.unpack(wide, body) != (
            entry.crc32,
            entry.length,
            entry.size,
        ):
            raise self._bad(f"{entry.name!r} has a malformed data descriptor")
        return following

    def _check_kind(self, entry: _Central) -> None:
        allowed = (0, stat.S_IFREG, stat.S_IFDIR) if entry.is_folder else (0, stat.S_IFREG)
        if stat.S_IFMT(entry.mode) not in allowed:
            raise self._bad(f"{entry.name!r} is neither file nor folder")
        if entry.flags & ~_KNOWN_FLAGS or entry.method not in (STORED, DEFLATED):
            raise self._bad(f"{entry.name!r} is encrypted or of an unknown compression method")
        if entry.method == STORED and entry.length != entry.size:
            raise self._bad(f"{entry.name!r} is stored, yet its two sizes differ")
        if entry.size > _DENSEST * entry.length:
            raise self._bad(f"{entry.name!r} says it holds more than its stream can")
        if entry.is_folder and (entry.size or entry.crc32 or entry.length > _EMPTY_STREAM):
            raise self._bad(f"{entry.name!r} is a folder, yet it has content")


def _file(name: str, entry: _Central, offset: int) -> ZipEntry:
    return ZipEntry(
        name=name,
        method=entry.method,
        offset=offset,
        length=entry.length,
        size=entry.size,
        crc32=entry.crc32,
        # As pip and installer have it: without the type the permissions mean nothing.
        executable=stat.S_ISREG(entry.mode) and bool(entry.mode & 0o111),
    )
