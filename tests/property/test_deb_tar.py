"""The strict reader beside the standard library's, and under damage."""

import contextlib
import io
import tarfile

import debbytes as d
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.errors import MalformedDebError

BINARY = ("debian-binary", b"2.0\n")
CONTROL = ("control.tar", d.control_tar({"control": d.control("pkg")}))

PARTS = st.text(
    st.characters(exclude_characters="/", exclude_categories=("C",)), min_size=1, max_size=90
)
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


def read(tar: bytes) -> dict[str, bytes]:
    data = d.ar([BINARY, CONTROL, ("data.tar", tar)])
    items = DebArchive(io.BytesIO(data), "pkg").data()
    return {item.path: b"".join(content) for item, content in items}


@given(st.dictionaries(NAMES, st.binary(max_size=1500), max_size=5))
def test_reads_what_tarfile_writes_in_gnu_format(files):
    assume(not any(part in (".", "..") for name in files for part in name.split("/")))
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert read(made.getvalue()) == files


VALID = d.ar(
    [
        BINARY,
        CONTROL,
        ("data.tar", d.file("a", b"content" * 100) + d.symlink("b", "a") + d.folder("c") + d.END),
    ]
)


@given(st.integers(0, len(VALID) - 1), st.integers(1, 255))
def test_one_changed_byte_is_refused_or_read_but_never_crashes(at, difference):
    data = bytearray(VALID)
    data[at] ^= difference
    with contextlib.suppress(MalformedDebError):
        archive = DebArchive(io.BytesIO(bytes(data)), "pkg")
        archive.control()
        for item, content in archive.data():
            assert not item.path.startswith("/")
            assert ".." not in item.path.split("/")
            assert sum(map(len, content)) == item.size


def unpack(data: bytes) -> None:
    archive = DebArchive(io.BytesIO(data), "pkg")
    archive.control()
    for _, content in archive.data():
        for _ in content:
            pass


@given(st.integers(0, len(VALID) - 513))
def test_a_truncated_package_is_refused(size):
    with pytest.raises(MalformedDebError):
        unpack(VALID[:size])
