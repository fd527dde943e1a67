"""The strict zip reader: every rule with an archive that breaks it, and what must be taken."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from wheelmaker import make_zip
from zipbytes import (
    DEFLATED,
    DESCRIPTOR,
    FULL32,
    STORED,
    UTF8,
    Item,
    descriptor,
    end_record,
    extra,
    wide,
    zip64_records,
    zip_bytes,
)

from basestore.errors import ExitCode
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.zip import ZipEntry, read_zip

A = Item("a.py", b"print('a')\n" * 10)
B = Item("pkg/b.txt", b"content of b", method=STORED)
BOTH = [A, B]
HIDING = Item(  # other readers look for a ZIP64 record just there
    "x", b"x", central={"comment": zip64_records({"count": 0, "length": 0, "start": 0})}
)
PLAIN = zip_bytes(BOTH)
DIRECTORY = PLAIN.index(b"PK\x01\x02")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, data: bytes) -> tuple[ZipEntry, ...]:
    path = folder / "demo-1.0-py3-none-any.whl"
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        return read_zip(file, path.name)


def with_item(**changes: object) -> bytes:
    """Two good entries around one that is changed."""
    fields = {"name": "x", "content": b"some content " * 5, **changes}
    return zip_bytes([A, Item(**fields), B])


def both(**fields: object) -> dict[str, object]:
    """The same lie in both headers."""
    return {"local": fields, "central": fields}


def streamed(*, signature: bool, eight: bool, told: Sequence[int] = (0, 0, 0)) -> bytes:
    """An archive written by a stream: sizes behind the entries."""
    local = dict(zip(("crc32", "length", "size"), told, strict=True))
    item = Item("a.py", A.content, flags=DESCRIPTOR, local=local)
    last = Item("b.py", B.content, STORED, flags=DESCRIPTOR, local=local)
    return zip_bytes(
        [
            Item(**{**vars(i), "after": descriptor(i, signature=signature, eight=eight)})
            for i in (item, last)
        ]
    )


# --- taken


def test_files_are_found_where_their_data_lies(folder: Path) -> None:
    entries = read(folder, PLAIN)

    assert [entry.name for entry in entries] == ["a.py", "pkg/b.txt"]
    for entry, item in zip(entries, BOTH, strict=True):
        assert PLAIN[entry.offset : entry.offset + entry.length] == item.stream
        assert (entry.size, entry.crc32) == (len(item.content), item.crc32)
        assert entry.method == item.method


def test_it_agrees_with_zipfile_on_an_archive_of_its_making(folder: Path) -> None:
    rows = [("pkg/" + name, name.encode() * 100) for name in ("a", "été", "c")]
    data = make_zip(rows, executable=["pkg/a"], stored=["pkg/c"])

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        expected = [(i.filename, i.compress_size, i.file_size, i.CRC) for i in archive.infolist()]
    entries = read(folder, data)
    assert [(e.name, e.length, e.size, e.crc32) for e in entries] == expected
    assert [entry.executable for entry in entries] == [True, False, False]


@pytest.mark.parametrize(
    ("mode", "executable"),
    [(0o100644, False), (0o100755, True), (0o100601, True), (0, False), (0o755, False)],
)
def test_executable_is_a_regular_file_with_an_execute_bit(
    folder: Path, mode: int, executable: bool
) -> None:
    """As pip has it: permissions without a file type mean nothing."""
    (entry,) = read(folder, zip_bytes([Item("x", b"x", mode=mode)]))

    assert entry.executable is executable


@pytest.mark.parametrize("mode", [0, 0o40755, 0o100644])
@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_folders_are_left_out(folder: Path, mode: int, method: int) -> None:
    data = b"\x03\x00" if method == DEFLATED else b""
    pkg = Item("pkg/", method=method, mode=mode, data=data)

    assert [entry.name for entry in read(folder, zip_bytes([A, pkg, B]))] == ["a.py", "pkg/b.txt"]


def test_the_directorys_order_doesnt_matter(folder: Path) -> None:
    from zipbytes import central_header, local_header

    bodies = [local_header(item) + item.stream for item in BOTH]
    headers = central_header(B, len(bodies[0])) + central_header(A, 0)
    body = b"".join(bodies)
    end = end_record({"count": 2, "length": len(headers), "start": len(body)})

    assert read(folder, body + headers + end) == read(folder, PLAIN)


@pytest.mark.parametrize("signature", [True, False])
@pytest.mark.parametrize("eight", [True, False])
def test_true_data_descriptors_are_taken(folder: Path, signature: bool, eight: bool) -> None:
    entries = read(folder, streamed(signature=signature, eight=eight))

    assert [(e.name, e.size) for e in entries] == [("a.py", 110), ("b.py", 12)]


def test_zip64_where_it_is_needed(folder: Path) -> None:
    size, length = len(A.content), len(A.stream)
    local = {"length": FULL32, "size": FULL32, "extra": wide(size, length)}
    central = {**local, "offset": FULL32, "extra": wide(size, length, 0)}
    item = Item("a.py", A.content, local=local, central=central)
    end = {"count": 0xFFFF, "length": FULL32, "start": FULL32}

    assert read(folder, zip_bytes([item, B], zip64={}, end=end))[1].name == "pkg/b.txt"
    assert read(folder, zip_bytes([item, B], zip64={}, end={"start": FULL32}))[0].size == size
    assert read(folder, zip_bytes([item, B]))[0].length == length


def test_zip64_for_nothing_is_taken_where_it_says_the_same(folder: Path) -> None:
    """As some builders write it, in the local header."""
    item = Item("a.py", A.content, local={"extra": wide(len(A.content), len(A.stream))})

    assert read(folder, zip_bytes([item, B]))[0].size == len(A.content)


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [("é".encode(), UTF8, "é"), (b"\x82", 0, "é"), ("é".encode(), 0, "├⌐")],
)
def test_names_are_utf8_where_they_say_so_else_code_page_437(
    folder: Path, raw: bytes, flags: int, name: str
) -> None:
    item = Item("x", b"x", flags=flags, **both(name=raw))

    assert read(folder, zip_bytes([item]))[0].name == name


def test_foreign_extra_fields_are_passed_over(folder: Path) -> None:
    stamp = extra(0x5455, b"\x01" + bytes(4)) + extra(0x7875, bytes(11))
    item = Item("x", b"x", local={"extra": stamp}, central={"extra": stamp[:9]})

    assert len(read(folder, zip_bytes([item]))) == 1


@pytest.mark.parametrize("zip64", [None, {}])
@pytest.mark.parametrize("comment", [b"zip-rs", b"c" * 255, b"PK"])
def test_a_comment_is_passed_over(
    folder: Path, comment: bytes, zip64: dict[str, object] | None
) -> None:
    """Such as ``zip-rs``, which maturin's wheels had in 2019."""
    end = {"comment": comment} if zip64 is None else {"comment": comment, "start": FULL32}

    assert read(folder, zip_bytes(BOTH, zip64=zip64, end=end)) == read(folder, PLAIN)


# --- refused

NAMES = {
    "absolute": b"/etc/passwd",
    "parent": b"../x",
    "parent inside": b"a/../x",
    "parent last": b"a/..",
    "dot": b"./x",
    "dot inside": b"a/./x",
    "empty part": b"a//x",
    "empty": b"",
    "only a slash": b"/",
    "backslash": b"a\\x",
    "nul": b"a\x00x",
    "control": b"a\x1bx",
    "newline": b"a\nx",
    "delete": b"a\x7f",
    "two slashes": b"a//",
}

LIES: dict[str, tuple[bytes, str]] = {
    # how it ends
    "empty": (b"", "too short"),
    "no zip": (b"x" * 100, "doesn't end with"),
    "trailing byte": (PLAIN + b"x", "doesn't end with"),
    "trailing newline": (PLAIN + b"\n", "doesn't end with"),
    "comment with an end record in it": (
        zip_bytes(BOTH, end={"comment": PLAIN[-22:]}),
        "directory isn't where",
    ),
    "comment with a part of a record": (
        zip_bytes(BOTH, end={"comment": b"PK\x05\x06 and more"}),
        "doesn't end with",
    ),
    "comment that is a zip": (zip_bytes(BOTH, end={"comment": PLAIN}), "directory isn't where"),
    "comment of two lines": (zip_bytes(BOTH, end={"comment": b"two\nlines"}), "its comment"),
    "comment with a NUL": (zip_bytes(BOTH, end={"comment": b"zip\0rs"}), "its comment"),
    "comment that isn't ASCII": (zip_bytes(BOTH, end={"comment": b"\xa0"}), "its comment"),
    "comment of 256 bytes": (zip_bytes(BOTH, end={"comment": b"c" * 256}), "doesn't end with"),
    "byte behind a comment": (zip_bytes(BOTH, end={"comment": b"c"}) + b"x", "doesn't end with"),
    "half a comment": (zip_bytes(BOTH, end={"comment": b"zip-rs"})[:-1], "doesn't end with"),
    "another archive behind": (PLAIN + PLAIN, "directory isn't where"),
    "leading data": (b"#!/bin/sh\n" + PLAIN, "directory isn't where"),
    "a last byte less": (PLAIN[:-1], "doesn't end with"),
    # the end record
    "split disk": (zip_bytes(BOTH, end={"disk": 1}), "split"),
    "split directory": (zip_bytes(BOTH, end={"start_disk": 1}), "split"),
    "split count": (zip_bytes(BOTH, end={"here": 1}), "split"),
    "fewer entries": (zip_bytes(BOTH, end={"count": 1}), "more than its entries"),
    "more entries": (zip_bytes(BOTH, end={"count": 3}), "ends too early"),
    "directory elsewhere": (zip_bytes(BOTH, end={"start": DIRECTORY - 1}), "isn't where"),
    "directory longer": (zip_bytes(BOTH, end={"length": 1000}), "isn't where"),
    "directory shorter": (
        zip_bytes(BOTH, end={"length": 10, "start": len(PLAIN) - 32}),
        "directory ends too early",
    ),
    # tiling
    "gap before an entry": (with_item(before=b"gap"), "doesn't begin where"),
    "data behind an entry": (with_item(after=b"gap"), "doesn't begin where"),
    "gap before the directory": (zip_bytes(BOTH, gap=b"gap"), "between the entries and the"),
    "leading data that is accounted for": (
        zip_bytes([Item("a.py", b"a", before=b"MZ"), B]),
        "doesn't begin where",
    ),
    "overlap": (with_item(central={"offset": 0}), "doesn't begin where"),
    "a file that nobody lists": (
        zip_bytes([A, Item("x", before=zip_bytes([B])[: -22 - 55])]),
        "doesn't begin where",
    ),
    "longer than it is": (with_item(**both(length=1000)), "doesn't begin where"),
    "shorter than it is": (with_item(**both(length=3)), "doesn't begin where"),
    # local header and directory
    "local signature": (with_item(local={"signature": b"PK\x03\x05"}), "another name"),
    "central signature": (with_item(central={"signature": b"PK\x01\x03"}), "malformed"),
    "local name": (with_item(local={"name": b"y"}), "another name"),
    "local longer name": (with_item(local={"name": b"xx"}), "another name"),
    "local flags": (with_item(local={"flags": UTF8}), "other flags"),
    "local method": (with_item(local={"method": STORED}), "other flags"),
    "local crc": (with_item(local={"crc32": 1}), "other sizes"),
    "local length": (with_item(local={"length": 1}), "other sizes"),
    "local size": (with_item(local={"size": 1}), "other sizes"),
    "local zeros": (with_item(local={"size": 0, "length": 0, "crc32": 0}), "other sizes"),
    "another disk": (with_item(central={"disk": 1}), "malformed"),
    # kinds and methods
    "encrypted": (with_item(flags=1), "encrypted"),
    "strongly encrypted": (with_item(flags=0x41), "encrypted"),
    "masked headers": (with_item(flags=0x2000), "encrypted"),
    "patched": (with_item(flags=0x20), "encrypted"),
    "bzip2": (with_item(method=12, data=b"BZh"), "unknown compression method"),
    "deflate64": (with_item(method=9), "unknown compression method"),
    "zstandard": (with_item(method=93), "unknown compression method"),
    "stored with two sizes": (with_item(method=STORED, **both(size=3)), "two sizes differ"),
    "symbolic link": (with_item(mode=0o120777), "neither file nor folder"),
    "device": (with_item(mode=0o20666), "neither file nor folder"),
    "fifo": (with_item(mode=0o10666), "neither file nor folder"),
    "folder without a slash": (with_item(mode=0o40755), "neither file nor folder"),
    "link with a slash": (with_item(name="x/", content=b"", mode=0o120777), "neither file"),
    "folder with content": (with_item(name="x/"), "yet it has content"),
    "stored folder with content": (with_item(name="x/", method=STORED), "yet it has content"),
    "folder with hidden data": (
        with_item(name="x/", content=b"", data=b"hidden"),
        "yet it has content",
    ),
    "encrypted folder": (with_item(name="x/", content=b"", flags=1), "encrypted"),
    # names twice
    "duplicate": (with_item(name="a.py"), "twice"),
    "file and folder": (with_item(name="a.py/", content=b""), "twice"),
    "one name in two encodings": (
        zip_bytes(
            [
                Item("1", b"1", flags=UTF8, **both(name="é".encode())),
                Item("2", b"2", **both(name=b"\x82")),
            ]
        ),
        "twice",
    ),
    "no utf-8": (with_item(flags=UTF8, **both(name=b"\xff")), "not UTF-8"),
    "a second name": (
        with_item(central={"extra": extra(0x7075, b"\x01" + bytes(4) + b"other")}),
        "second name",
    ),
    "a second local name": (
        with_item(local={"extra": extra(0x7075, b"\x01" + bytes(4) + b"other")}),
        "second name",
    ),
    "extra field beyond its end": (
        with_item(central={"extra": b"\x99\x99\xff\x00"}),
        "malformed extra field",
    ),
    # ZIP64
    "zip64 size is missing": (with_item(**both(size=FULL32)), "ZIP64"),
    "zip64 size is short": (with_item(**both(size=FULL32, extra=extra(1, bytes(4)))), "extra"),
    "zip64 says too much": (
        with_item(central={"size": FULL32, "extra": wide(65, 1, 2)}),
        "ZIP64 extra field that contradicts",
    ),
    "zip64 twice": (
        with_item(central={"size": FULL32, "extra": wide(65) + wide(66)}),
        "malformed extra field",
    ),
    "zip64 lies": (with_item(central={"size": FULL32, "extra": wide(66)}), "other sizes"),
    "zip64 lies for nothing": (with_item(local={"extra": wide(66)}), "contradicts"),
    "zip64 lies for nothing in the directory": (
        with_item(central={"extra": wide(66)}),
        "contradicts",
    ),
    "zip64 offset lies": (
        with_item(central={"offset": FULL32, "extra": wide(2**63)}),
        "doesn't begin where",
    ),
    "zip64 sizes lie in both": (
        with_item(**both(length=FULL32, extra=wide(2**63))),
        "doesn't begin where",
    ),
    "zip64 record is missing": (zip_bytes(BOTH, end={"start": FULL32}), "ZIP64 end"),
    "zip64 record before the start": (
        end_record({"count": 0xFFFF, "length": 0, "start": 0}),
        "locator",
    ),
    "zip64 record nobody announces": (zip_bytes(BOTH, zip64={}), "doesn't announce"),
    "zip64 record in a comment": (zip_bytes([A, HIDING]), "doesn't announce"),
    **{
        f"zip64 {field}": (
            zip_bytes(BOTH, zip64={field: value}, end={"start": FULL32}),
            reason,
        )
        for field, value, reason in [
            ("count", 3, "differ"),
            ("start", 0, "differ|isn't where"),
            ("length", 0, "differ|isn't where"),
            ("here", 1, "malformed"),
            ("record", 45, "malformed"),
            ("signature", b"PK\x06\x05", "malformed"),
            ("disk", 1, "split"),
            ("start_disk", 1, "split"),
            ("locator", b"PK\x06\x08", "locator"),
            ("on_disk", 1, "locator"),
            ("at", 0, "locator"),
            ("at", 2**64 - 1, "locator"),
            ("disks", 2, "locator"),
        ]
    },
    # descriptors
    "descriptor is missing": (with_item(flags=DESCRIPTOR), "data descriptor"),
    "descriptor is cut": (with_item(flags=DESCRIPTOR, after=b"PK\x07\x08"), "data descriptor"),
    "descriptor lies": (with_item(flags=DESCRIPTOR, after=bytes(12)), "data descriptor"),
    "descriptor is 13 bytes": (with_item(flags=DESCRIPTOR, after=bytes(13)), "data descriptor"),
    "descriptor for nothing": (
        with_item(after=descriptor(A, signature=True, eight=False)),
        "doesn't begin where",
    ),
    "descriptor and other local sizes": (
        streamed(signature=True, eight=False, told=(0, 7, 0)),
        "other sizes",
    ),
    "descriptor and another local crc": (
        streamed(signature=True, eight=False, told=(7, 0, 0)),
        "other sizes",
    ),
    **{f"name {case}": (with_item(**both(name=name)), "plain") for case, name in NAMES.items()},
}


@pytest.mark.parametrize("case", LIES)
def test_what_can_be_read_in_two_ways_is_refused(folder: Path, case: str) -> None:
    data, reason = LIES[case]

    with pytest.raises(BadZipError, match=reason) as caught:
        read(folder, data)
    assert caught.value.exit_code is ExitCode.INTEGRITY
    assert caught.value.message.startswith("demo-1.0-py3-none-any.whl is refused: ")
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_every_truncation_is_refused(folder: Path) -> None:
    for length in range(len(PLAIN)):
        with pytest.raises(BadZipError):
            read(folder, PLAIN[:length])


def test_a_split_archive_of_65535_entries_needs_zip64(folder: Path) -> None:
    """A count of 0xFFFF says that the true one stands elsewhere (4.4.1.4)."""
    with pytest.raises(BadZipError, match="locator"):
        read(folder, zip_bytes(BOTH, end={"count": 0xFFFF}))
