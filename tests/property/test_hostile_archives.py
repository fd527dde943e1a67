"""Damaged archives are refused, or read to what the standard library's readers give."""

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace

import debbytes as d
import pytest
from fuzz.mutate import Mutator, sealed
from hypothesis import given, settings
from hypothesis import strategies as st
from wheelmaker import make_wheel
from zipbytes import DESCRIPTOR, FULL32, STORED, Item, descriptor, wide, zip_bytes

from basestore.errors import BasestoreError
from basestore.layer.deb.archive import DebArchive
from basestore.layer.entry import Kind
from basestore.layer.wheel.content import read_content
from basestore.layer.wheel.zip import ZipEntry, read_zip

FILE = "demo-1.0-py3-none-any.whl"
STREAMED = Item("demo/s.py", b"streamed " * 9, flags=DESCRIPTOR)
WIDE = {"size": FULL32, "length": FULL32, "extra": wide(40, 40)}
WHEELS = (
    make_wheel("demo", entry_points={"console_scripts": {"run": "demo:main"}}).data,
    make_wheel("demo", files={"demo/a.py": b"a" * 300, "demo/b": b""}, stored=["*"]).data,
    zip_bytes(
        [
            replace(STREAMED, after=descriptor(STREAMED, signature=True, eight=False)),
            Item("demo/w", b"w" * 40, STORED, local=WIDE, central=WIDE),
            Item("demo/", mode=0o40755, method=STORED),
        ],
        zip64={},
        end={"start": FULL32},
    ),
    zip_bytes([Item("demo/c.py", b"c" * 40)], end={"comment": b"zip-rs"}),
)
ITEMS = (
    d.folder("etc")
    + d.file("etc/a", b"content " * 100, 0o4755)
    + d.hardlink("etc/b", "etc/a")
    + d.symlink("l", "/etc/a")
    + d.long_name(b"L", "./" + "n" * 150)
    + d.file("short", b"x")
    + d.END
)
TARS = (ITEMS, sealed(ITEMS.replace(b"ustar\x0000", b"ustar  \0")))

SEEDS = st.integers(0, 2**64 - 1)
MANY = settings(max_examples=400)


def ours(data: bytes) -> dict[str, bytes]:
    """What the strict reader finds in a zip; raises BasestoreError."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        entries: tuple[ZipEntry, ...] = read_zip(file, FILE)  # type: ignore[arg-type]
        return {e.name: read_content(file, e, FILE) for e in entries}  # type: ignore[arg-type]


def theirs(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        found = [info for info in archive.infolist() if not info.is_dir()]
        return {info.filename: archive.read(info) for info in found}


def test_the_wheels_that_are_damaged_are_read_alike() -> None:
    assert all(ours(data) == theirs(data) != {} for data in WHEELS)


@MANY
@given(SEEDS)
def test_a_damaged_zip_is_refused_or_read_as_zipfile_reads_it(seed: int) -> None:
    data = Mutator(seed, (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"\1\0\x10\0")).mutated(WHEELS)
    try:
        found = ours(data)
    except BasestoreError:
        return
    assert found == theirs(data)


@given(st.sampled_from(WHEELS), st.data())
def test_a_zip_with_one_changed_byte_never_gives_other_content(
    data: bytes, draw: st.DataObject
) -> None:
    at = draw.draw(st.integers(0, len(data) - 1))
    changed = bytearray(data)
    changed[at] ^= draw.draw(st.integers(1, 255))
    try:
        found = ours(bytes(changed))
    except BasestoreError:
        return
    assert set(found.values()) <= set(theirs(data).values())


@given(st.sampled_from(WHEELS), st.data())
def test_a_cut_zip_is_refused(data: bytes, draw: st.DataObject) -> None:
    start = draw.draw(st.integers(0, len(data) - 1))
    end = draw.draw(st.integers(start + 1, len(data)))
    with pytest.raises(BasestoreError):
        ours(data[:start] + data[end:])


Entries = Mapping[str, tuple[str, int, str, bytes]]
"""Path to kind, mode, target and content."""


def our_tar(data: bytes) -> Entries:
    package = d.ar(
        [
            ("debian-binary", b"2.0\n"),
            ("control.tar", d.control_tar({"control": d.control("pkg")})),
            ("data.tar", data),
        ]
    )
    found = {}
    for item, content in DebArchive(io.BytesIO(package), "pkg").data():
        target = item.target if item.kind in (Kind.SYMLINK, Kind.HARDLINK) else ""
        found[item.path] = item.kind.name, item.mode, target, b"".join(content)
    return found


NAMES = {
    tarfile.REGTYPE: "FILE",
    tarfile.AREGTYPE: "FILE",
    tarfile.LNKTYPE: "HARDLINK",
    tarfile.SYMTYPE: "SYMLINK",
    tarfile.DIRTYPE: "FOLDER",
}


def their_tar(data: bytes) -> Entries:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for info in archive:
            content = archive.fileobj
            assert content is not None
            content.seek(info.offset_data)
            body = content.read(info.size) if info.isreg() else b""
            target = info.linkname if info.islnk() or info.issym() else ""
            target = _relative(target) if info.islnk() else target
            kind = NAMES[info.type]
            found[_relative(info.name)] = kind, info.mode & 0o7777, target, body
    return found


def _relative(name: str) -> str:
    path = name.removeprefix("./").rstrip("/")
    return "" if path == "." else path


def test_the_tars_that_are_damaged_are_read_alike() -> None:
    assert all(our_tar(data) == their_tar(data) != {} for data in TARS)


@MANY
@given(SEEDS)
def test_a_damaged_tar_is_refused_or_read_as_tarfile_reads_it(seed: int) -> None:
    """With right checksums, or hardly any damage would get further than those."""
    data = sealed(Mutator(seed, (b"ustar\x0000", b"ustar  \0", b"./", b"\0")).mutated(TARS))
    try:
        found = our_tar(data)
    except BasestoreError:
        return
    assert found == their_tar(data)


@given(SEEDS)
def test_a_damaged_deb_is_refused_or_read(seed: int) -> None:
    packages = [d.deb(d.control("pkg"), [d.file("a", b"x" * 99), d.symlink("b", "a")])]
    data = Mutator(seed, (b"`\n", b"_x")).mutated(packages)
    try:
        archive = DebArchive(io.BytesIO(data), "pkg")
        control = archive.control()
        found = {item.path: b"".join(content) for item, content in archive.data()}
    except BasestoreError:
        return
    assert found == {"": b"", "a": b"x" * 99, "b": b""}
    assert control == {"control": d.control("pkg")}
