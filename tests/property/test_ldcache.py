"""The cache's bytes, read by a linker written from glibc's description of the format."""

import re
import struct

from hypothesis import given
from hypothesis import strategies as st

from basestore.layer.foundation.ldcache import Cached, version_key, write_cache
from basestore.target import Platform

STEMS = st.sampled_from(
    ["libz", "libfoo-1", "libfoo-10", "libfoo-9", "liba_b", "lib64x", "ld-linux"]
)
SONAMES = st.builds(
    lambda stem, numbers: ".".join([stem, "so", *map(str, numbers)]),
    STEMS,
    st.lists(st.integers(0, 200), max_size=3),
)
FOLDERS = st.sampled_from(["/lib", "/usr/lib", "/lib/x86_64-linux-gnu", "/usr/local/lib"])
HWCAPS = st.sampled_from(["", "", "", "x86-64-v2", "x86-64-v3"])


def cached(soname: str, folder: str, hwcaps: str) -> Cached:
    if hwcaps:
        return Cached(soname, f"{folder}/glibc-hwcaps/{hwcaps}/{soname}.0", hwcaps)
    return Cached(soname, f"{folder}/{soname}")


LIBRARIES = st.lists(st.builds(cached, SONAMES, FOLDERS, HWCAPS), max_size=30)


def compare(one: str, other: str) -> int:
    """glibc's _dl_cache_libcmp, from its description: digits by value, after other characters."""
    a, b = (re.findall(r"\d+|\D", name) for name in (one, other))
    for left, right in zip(a, b, strict=False):
        if left.isdigit() != right.isdigit():
            return 1 if left.isdigit() else -1
        x, y = (int(left), int(right)) if left.isdigit() else (ord(left), ord(right))
        if x != y:
            return x - y
    return len(a) - len(b)


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        magic, count, length, flags, extension = struct.unpack_from("<20sIIB3xI", data)
        assert magic == b"glibc-ld.so.cache1.1"
        assert flags == 2
        self.entries = [struct.unpack_from("<iIIIQ", data, 48 + 24 * n) for n in range(count)]
        assert all(48 + 24 * count <= entry[1] < 48 + 24 * count + length for entry in self.entries)
        self.hwcaps = self._hwcaps(extension) if extension else []

    def _hwcaps(self, at: int) -> list[str]:
        assert at % 4 == 0
        magic, sections = struct.unpack_from("<II", self.data, at)
        assert (magic, sections) == (0xEAA42174, 1)
        tag, _, offset, size = struct.unpack_from("<IIII", self.data, at + 8)
        assert tag == 1
        assert offset + size == len(self.data)
        return [self.text(at) for at in struct.unpack_from(f"<{size // 4}I", self.data, offset)]

    def text(self, at: int) -> str:
        return self.data[at : self.data.index(b"\0", at)].decode()

    def search(self, name: str) -> list[tuple[str, str]]:
        """All entries of a name: bisection, then to both sides; (path, hwcaps) in order."""
        low, high = 0, len(self.entries) - 1
        while low <= high:
            middle = (low + high) // 2
            order = compare(name, self.text(self.entries[middle][1]))
            if order == 0:
                return self._around(middle, name)
            low, high = (low, middle - 1) if order > 0 else (middle + 1, high)
        return []

    def _around(self, at: int, name: str) -> list[tuple[str, str]]:
        while at and compare(name, self.text(self.entries[at - 1][1])) == 0:
            at -= 1
        found = []
        while at < len(self.entries) and compare(name, self.text(self.entries[at][1])) == 0:
            found.append(self._entry(at))
            at += 1
        return found

    def _entry(self, at: int) -> tuple[str, str]:
        _, _, value, _, hwcap = self.entries[at]
        special = self.hwcaps[hwcap & 0xFFFFFFFF] if hwcap >> 62 else ""
        return self.text(value), special


@given(LIBRARIES)
def test_the_linker_finds_each_soname_and_the_first_of_several(libraries):
    reader = Reader(write_cache(libraries, Platform("amd64")))
    assert reader.hwcaps == sorted({library.hwcaps for library in libraries} - {""})
    for library in libraries:
        same = [other for other in libraries if other.soname == library.soname]
        special = sorted((other for other in same if other.hwcaps), key=lambda other: other.hwcaps)
        plain = [other for other in same if not other.hwcaps]
        expected = [(other.path, other.hwcaps) for other in (*special, *plain)]
        assert reader.search(library.soname) == expected


@given(LIBRARIES, st.text("abc", min_size=1))
def test_the_linker_finds_nothing_else(libraries, name):
    reader = Reader(write_cache(libraries, Platform("amd64")))
    assert reader.search(f"{name}.so.1") == []


@given(SONAMES, SONAMES)
def test_order_of_names_is_glibcs(one, other):
    left, right = version_key(one), version_key(other)
    order = compare(one, other)
    assert (order > 0, order == 0) == (left > right, left == right)


@given(LIBRARIES)
def test_the_architecture_only_changes_the_flags(libraries):
    amd64, arm64 = (Reader(write_cache(libraries, Platform(a))) for a in ("amd64", "arm64"))
    assert {entry[0] for entry in amd64.entries} <= {0x0303}
    assert {entry[0] for entry in arm64.entries} <= {0x0A03}
    assert [entry[1:] for entry in amd64.entries] == [entry[1:] for entry in arm64.entries]
