"""Layers against the standard library: any entries, and wheels with any bytes changed."""

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from isal import isal_zlib
from layers import Contents, Unwatched, gunzip, held_to_digests, new_store
from wheelmaker import make_wheel
from zipbytes import DESCRIPTOR, Item, deflated, descriptor, zip_bytes

from basestore.digest import Digest
from basestore.layer import gzip, tar
from basestore.layer.entry import Copied, Encoded, Entry, Kind, Payload, Stored
from basestore.layer.inflate import BrokenStreamError
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.install import Layout, wheel_entries
from basestore.layer.wheel.zip import ZipEntry, read_zip
from basestore.layer.writer import LayerWriter
from basestore.lock.model import Wheel
from basestore.store import Realisation, Store

# --- any entries

# All that a path may hold: no NUL, no slash; ASCII often, so that ustar's own forms are met.
letters = st.one_of(
    st.sampled_from("ab-. "),
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]),
)
short_parts = st.text(letters, min_size=1, max_size=8).filter(lambda part: part not in (".", ".."))
long_parts = st.builds(
    lambda letter, length: letter * length,
    st.sampled_from("abé🂡"),
    st.sampled_from([49, 50, 54, 98, 99, 100, 101, 153, 154, 155, 156, 255]),
)
parts = st.one_of(short_parts, long_parts)
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
repeated = st.builds(
    lambda data, times: data * times, st.binary(min_size=1, max_size=9), st.integers(1, 90_000)
)
contents = st.one_of(st.just(b""), st.binary(max_size=2000), repeated)
modes = st.sampled_from([0o644, 0o755, 0o600, 0o4755, 0o1777, 0])
owners = st.sampled_from([0, 1, 42, 65534, 2**21 - 1])
forms = st.sampled_from(["copied", "stored", "encoded", "both"])


@dataclass(frozen=True)
class Planned:
    """An entry to be: its payload is made when there is a store to put it into."""

    entry: Entry
    content: bytes
    form: str


@st.composite
def planned(draw: st.DrawFn) -> list[Planned]:
    """Entries with unique paths, in a layer's order; hard links lead to files before them."""
    names = sorted(draw(st.lists(paths, max_size=8, unique=True)), key=str.encode)
    found: list[Planned] = []
    for path in names:
        earlier = [item.entry.path for item in found if item.entry.kind is Kind.FILE]
        kinds = [Kind.FILE, Kind.FILE, Kind.FOLDER, Kind.SYMLINK]
        kind = draw(st.sampled_from(kinds + [Kind.HARDLINK] * bool(earlier)))
        target = draw(paths) if kind is Kind.SYMLINK else ""
        target = draw(st.sampled_from(earlier)) if kind is Kind.HARDLINK else target
        content = draw(contents) if kind is Kind.FILE else b""
        entry = Entry(path, kind, draw(modes), (), target, draw(owners), draw(owners))
        found.append(Planned(entry, content, draw(forms)))
    return found


def payload(store: Store, content: bytes, form: str) -> tuple[Payload, ...]:
    """A content in one of the forms a payload has; nothing for an empty one."""
    if not content:
        return ()
    if form == "encoded":
        halves = (content[: len(content) // 2], content[len(content) // 2 :])
        return (Encoded(len(content), lambda: iter(halves)),)
    if form == "both":
        cut = len(content) // 2
        return (
            *payload(store, content[:cut], "copied"),
            *payload(store, content[cut:], "encoded"),
        )
    crc32 = isal_zlib.crc32(content)
    if form == "stored":
        return (Stored(store.blobs.add(b"lead" + content), 4, len(content), crc32),)
    stream = deflated(content)
    return (Copied(store.blobs.add(stream + b"tail"), 0, len(stream), len(content), crc32),)


def entries(store: Store, items: Sequence[Planned]) -> list[Entry]:
    return [replace(item.entry, payload=payload(store, item.content, item.form)) for item in items]


def write(store: Store, made: Sequence[Entry]) -> Realisation:
    written = LayerWriter(store, Unwatched()).write(made)
    blobs, segments = written.blobs, written.segments
    return Realisation(written.layer, written.diff_id, written.size, blobs, segments, segments)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One store for all examples: blobs and layers don't meet."""
    return new_store(tmp_path_factory.mktemp("layers"))


TYPES = {
    Kind.FILE: tarfile.REGTYPE,
    Kind.HARDLINK: tarfile.LNKTYPE,
    Kind.SYMLINK: tarfile.SYMTYPE,
    Kind.FOLDER: tarfile.DIRTYPE,
}


@settings(max_examples=150, deadline=None)
@given(planned())
def test_tarfile_reads_exactly_what_was_written(shared: Store, items: list[Planned]) -> None:
    realisation = write(shared, entries(shared, items))
    data = held_to_digests(shared, realisation)

    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8") as archive:
        infos = archive.getmembers()
        assert len(infos) == len(items)
        for info, item in zip(infos, items, strict=True):
            entry = item.entry
            assert (info.name, info.type) == (entry.path, TYPES[entry.kind])
            assert (info.mode, info.uid, info.gid) == (entry.mode, entry.uid, entry.gid)
            assert (info.linkname, info.mtime) == (entry.target, tar.MTIME)
            assert (info.uname, info.gname) == ("", "")
            if entry.kind is Kind.FILE:
                file = archive.extractfile(info)
                assert file is not None
                assert file.read() == item.content
    assert data.endswith(bytes(1024))
    assert len(data) % 512 == 0


@settings(max_examples=25, deadline=None)
@given(planned())
def test_the_same_entries_give_the_same_bytes_in_another_store(
    shared: Store, items: list[Planned]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        other = Store.open(Path(folder))
        assert write(other, entries(other, items)) == write(shared, entries(shared, items))


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=4000), st.lists(st.integers(1, 4000), max_size=8))
def test_how_content_is_cut_into_pieces_doesnt_matter(
    shared: Store, content: bytes, cuts: list[int]
) -> None:
    edges = sorted({0, *(cut for cut in cuts if cut < len(content)), len(content)})
    pieces = [content[a:b] for a, b in pairwise(edges)]
    whole, cut = (
        [Entry("x", Kind.FILE, 0o644, (Encoded(len(content), lambda given=given: iter(given)),))]
        for given in ([content], pieces)
    )

    assert write(shared, cut) == write(shared, whole)


@given(paths, st.sampled_from([2**33, 2**33 - 1, 8**11 + 1, 2**50]), st.sampled_from(list(Kind)))
def test_headers_of_sizes_that_nobody_can_test_with_content(
    path: str, size: int, kind: Kind
) -> None:
    parts = (Encoded(size, lambda: iter(())),) if kind is Kind.FILE else ()
    target = path if kind in (Kind.SYMLINK, Kind.HARDLINK) else ""
    data = io.BytesIO(tar.header(Entry(path, kind, 0o644, parts, target)) + tar.END)
    with tarfile.open(fileobj=data, mode="r:", encoding="utf-8") as archive:
        info = archive.next()

    assert info is not None
    assert (info.name, info.linkname) == (path, target)
    assert info.size == (size if kind is Kind.FILE else 0)


# --- wheels with changed bytes

TEXT = b"".join(b"a line of text %d\n" % number for number in range(40))


def base_wheel() -> bytes:
    """One that uses all that the reader knows: descriptors, folders, stored and empty files."""
    return make_wheel(
        "demo",
        files={"demo/__init__.py": TEXT, "demo/empty.py": b"", "demo/raw.bin": TEXT[:300]},
        data={"scripts/tool": b"#!python\nprint(1)\n"},
        entry_points={"console_scripts": {"demo": "demo:main"}},
        stored=["demo/raw.bin", "demo/empty.py"],
        executable=["demo/raw.bin"],
    ).data


def streamed_wheel() -> bytes:
    """The same by another builder: sizes behind the entries."""
    with zipfile.ZipFile(io.BytesIO(base_wheel())) as archive:
        rows = [(name, archive.read(name)) for name in archive.namelist()]
    zeros = {"crc32": 0, "length": 0, "size": 0}
    items = [Item("demo/", mode=0o40755, data=b"\x03\x00")]
    for name, content in rows:
        item = Item(name, content, flags=DESCRIPTOR, local=zeros)
        after = descriptor(item, signature=True, eight=False)
        items.append(Item(name, content, flags=DESCRIPTOR, local=zeros, after=after))
    return zip_bytes(items)


WHEELS = (base_wheel(), streamed_wheel())


@dataclass(frozen=True)
class Edit:
    """A change at a place of the file, which is told in parts of its length."""

    kind: str
    place: float
    data: bytes

    def apply(self, wheel: bytes) -> bytes:
        at = int(self.place * len(wheel))
        if self.kind == "insert":
            return wheel[:at] + self.data + wheel[at:]
        if self.kind == "delete":
            return wheel[:at] + wheel[at + len(self.data) :]
        new = bytes(a ^ b for a, b in zip(wheel[at:], self.data, strict=False))
        return wheel[:at] + new + wheel[at + len(new) :]


edits = st.builds(
    Edit,
    st.sampled_from(["flip", "flip", "insert", "delete"]),
    st.floats(0, 1, exclude_max=True),
    st.one_of(
        st.integers(0, 7).map(lambda bit: bytes([1 << bit])),
        st.binary(min_size=1, max_size=4),
        st.sampled_from([b"PK\x05\x06", b"PK\x06\x07", b"\xff\xff\xff\xff", bytes(8)]),
    ),
)


def install(store: Store, data: bytes) -> dict[str, bytes]:
    """The contents by path of a wheel that becomes a layer."""
    digest = store.blobs.add(data)
    wheel = Wheel("demo", "1.0", "demo-1.0-py3-none-any.whl", len(data), digest, "runtime")
    with store.blobs.open(digest) as file:
        made = sorted(wheel_entries(wheel, file, Layout("3.11")), key=lambda entry: entry.path)
    seen = Contents()
    LayerWriter(store, seen).write(made)
    return seen.files


@pytest.fixture(scope="module")
def rights(shared: Store) -> list[dict[str, bytes]]:
    """What the wheels install when nobody has touched them."""
    return [install(shared, data) for data in WHEELS]


def held(store: Store, data: bytes, right: dict[str, bytes]) -> None:
    """A wheel is refused with an error of its own, or installs what it did before."""
    try:
        found = install(store, data)
    except (BadZipError, BrokenStreamError):
        return
    assert found == right


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([0, 1]), st.lists(edits, min_size=1, max_size=3))
@example(0, [Edit("insert", 0.999, b"x")])
def test_a_changed_wheel_is_refused_or_installs_the_same(
    shared: Store, rights: list[dict[str, bytes]], which: int, changes: list[Edit]
) -> None:
    data = WHEELS[which]
    for change in changes:
        data = change.apply(data)
    held(shared, data, rights[which])


def header_bytes(data: bytes) -> Iterator[int]:
    """The places of every byte that isn't a file's compressed data."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        spans = [(e.offset, e.offset + e.length) for e in read_zip(file, "demo")]
    return (at for at in range(len(data)) if not any(a <= at < b for a, b in spans))


def directory_is_held(data: bytes, at: int, value: int, right: Digest) -> None:
    """With one byte changed the entries are the same, or the archive is refused."""
    with tempfile.TemporaryFile() as file:
        file.write(data[:at] + bytes([value]) + data[at + 1 :])
        file.flush()
        try:
            found = read_zip(file, "demo")
        except BadZipError:
            return
    assert directory_digest(found) == right


def directory_digest(found: Sequence[ZipEntry]) -> Digest:
    """What a directory says, without the execute bits, which stand in one place only."""
    rows = [(e.name, e.method, e.offset, e.length, e.size, e.crc32) for e in found]
    return Digest.of(repr(rows).encode())


@pytest.mark.parametrize("which", [0, 1])
def test_no_byte_of_a_header_can_be_changed_to_another_meaning(which: int) -> None:
    """Every one of them, with the values that matter most."""
    data = WHEELS[which]
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        right = directory_digest(read_zip(file, "demo"))
    for at in header_bytes(data):
        for value in {0, 1, 0xFF, data[at] ^ 1, data[at] ^ 0x80, data[at] ^ 8} - {data[at]}:
            directory_is_held(data, at, value, right)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_out_of_nowhere_are_no_wheel(shared: Store, data: bytes) -> None:
    with pytest.raises(BadZipError):
        install(shared, data)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=6))
def test_chains_are_one_content_to_gzip_and_zlib(pieces: list[bytes]) -> None:
    assert gunzip(b"".join(map(gzip.member, pieces))) == b"".join(pieces)
