"""The dynamic linker's cache, /etc/ld.so.cache, in glibc's format 1.1 of 2.32 and later.

A header of 48 bytes, entries of 24 bytes, the strings, and an extension that names the
``glibc-hwcaps`` folders (glibc, sysdeps/generic/dl-cache.h). All numbers are little-endian, all
offsets count from the file's first byte. The linker searches the entries by bisection, so their
order is part of the format.
"""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from basestore.target import Platform

_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER = struct.Struct("<20sIIB3xI12x")
_ENTRY = struct.Struct("<iIIIQ")
_EXTENSION = struct.Struct("<II")
_SECTION = struct.Struct("<IIII")
_LITTLE_ENDIAN = 2
_EXTENSION_MAGIC = 0xEAA42174
_HWCAPS_SECTION = 1
_HWCAPS_ENTRY = 1 << 62

# "ELF with glibc 2", and the architecture's own mark.
_FLAGS = {"amd64": 0x0303, "arm64": 0x0A03}
_PARTS = re.compile(r"\d+|\D")


@dataclass(frozen=True, slots=True)
class Cached:
    """A soname and the absolute path that it leads to; ``hwcaps`` names the special folder."""

    soname: str
    path: str
    hwcaps: str = ""


def version_key(name: str) -> list[tuple[int, int]]:
    """The linker's order of names: numbers by value, and after any other character."""
    return [(1, int(part)) if part.isdigit() else (0, ord(part)) for part in _PARTS.findall(name)]


def write_cache(libraries: Iterable[Cached], platform: Platform) -> bytes:
    """The cache's bytes. Of libraries with one soname the first given is found first."""
    ordered = _ordered(libraries)
    start = _HEADER.size + _ENTRY.size * len(ordered)
    strings = _Strings(start)
    hwcaps = sorted({library.hwcaps for library in ordered if library.hwcaps})
    entries = b"".join(
        _entry(library, hwcaps, strings, _FLAGS[platform.architecture]) for library in ordered
    )
    names = [strings.offset(name) for name in hwcaps]
    text = strings.text
    end = start + len(text)
    padding = bytes(-end % 4) if hwcaps else b""
    extension = _extension(end + len(padding), names) if hwcaps else b""
    offset = end + len(padding) if hwcaps else 0
    header = _HEADER.pack(_MAGIC, len(ordered), len(text), _LITTLE_ENDIAN, offset)
    return header + entries + text + padding + extension


def _ordered(libraries: Iterable[Cached]) -> list[Cached]:
    """Sonames falling; of one soname those for certain processors first, by their names."""
    inner = sorted(libraries, key=lambda library: (not library.hwcaps, library.hwcaps))
    return sorted(inner, key=lambda library: version_key(library.soname), reverse=True)


def _entry(library: Cached, hwcaps: list[str], strings: "_Strings", flags: int) -> bytes:
    value = strings.offset(library.path)
    if library.path.endswith(f"/{library.soname}"):
        key = value + len(library.path.encode()) - len(library.soname.encode())
    else:
        key = strings.offset(library.soname)
    special = _HWCAPS_ENTRY | hwcaps.index(library.hwcaps) if library.hwcaps else 0
    return _ENTRY.pack(flags, key, value, 0, special)


def _extension(offset: int, names: list[int]) -> bytes:
    data = struct.pack(f"<{len(names)}I", *names)
    head = _EXTENSION.pack(_EXTENSION_MAGIC, 1)
    where = offset + _EXTENSION.size + _SECTION.size
    return head + _SECTION.pack(_HWCAPS_SECTION, 0, where, len(data)) + data


class _Strings:
    """NUL-terminated strings, each once; ``start`` is where they will lie in the file."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._offsets: dict[str, int] = {}
        self.text = b""

    def offset(self, string: str) -> int:
        """Where the string lies in the file."""
        if string not in self._offsets:
            self._offsets[string] = self._start + len(self.text)
            self.text += string.encode() + b"\0"
        return self._offsets[string]
