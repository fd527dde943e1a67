"""Attacks on wheels, each a whole wheel that is right but for one thing, and each refused.

What a reader of zips alone refuses has more cases in ``tests/unit/test_wheel_zip.py``; here the
wheel goes all the way into a layer, and the refusal names the wheel or the place, and the entry.
"""

import struct
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from layers import installed, keep, new_store, recipe_of, workshop
from wheelmaker import (
    MadeWheel,
    make_wheel,
    record_with,
    record_with_wrong_hash,
    record_without,
    right_record,
)
from zipbytes import (
    DESCRIPTOR,
    FULL32,
    STORED,
    UTF8,
    Item,
    deflated,
    descriptor,
    extra,
    wide,
    zip_bytes,
)

from basestore.errors import BasestoreError, ExitCode
from basestore.layer.realise import make
from basestore.layer.wheel.content import check_contents
from basestore.layer.wheel.errors import BadZipError
from basestore.store import Store

FILE = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
DATA = "demo-1.0.data"
X = Item("demo/x.py", b"VALUE = 'some content'\n" * 5)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def wheel(*items: Item, **zip_fields: object) -> MadeWheel:
    """A right wheel with these files, from whose headers the lies come."""
    metadata = [
        Item(f"{INFO}/METADATA", b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"),
        Item(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\n"),
    ]
    rows = [(item.name, item.content) for item in (*items, *metadata) if item.name[-1] != "/"]
    record = Item(f"{INFO}/RECORD", right_record(rows, f"{INFO}/RECORD"))
    return MadeWheel(FILE, zip_bytes([*items, *metadata, record], **zip_fields))


def changed(**fields: object) -> MadeWheel:
    """The wheel with one file changed, between two that are right."""
    item = replace(X, **fields)
    return wheel(Item("demo/__init__.py", b"a = 1\n"), item, Item("demo/z.py", b"z = 1\n"))


def both(**fields: object) -> Mapping[str, object]:
    return {"local": fields, "central": fields}


def named(name: bytes, flags: int = 0) -> MadeWheel:
    return changed(flags=flags, **both(name=name))


def with_files(*pairs: tuple[str, bytes]) -> MadeWheel:
    """A wheel whose headers are right, with these files."""
    return make_wheel("demo", files=dict(pairs))


def bomb(size: int, told: int) -> MadeWheel:
    """A file whose stream holds ``size`` zeros and says that it is ``told``."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = bytes(1 << 20)
    stream = b"".join(deflater.compress(piece) for _ in range(size >> 20)) + deflater.flush()
    return changed(data=stream, **both(size=told))


def endless() -> bytes:
    """A deflate stream of stored blocks of which none is the last (RFC 1951, 3.2.4)."""
    return (struct.pack("<BHH", 0, 4, 0xFFFB) + b"more") * 1000


MANY = [Item(f"demo/{n}.bin", b"", data=bytes(4000), local=f, central=f) for n in range(300)
        for f in [{"size": 4000 * 1032, "crc32": 0}]]  # fmt: skip

HEADERS: dict[str, tuple[MadeWheel, str]] = {
    # local header against central directory
    **{
        f"local {field} lies": (changed(local={field: value}), "demo/x.py")
        for field, value in {
            "signature": b"PK\x03\x05",
            "flags": UTF8,
            "method": STORED,
            "crc32": 1,
            "length": 1,
            "size": 1,
            "name": b"demo/y.py",
            "extra": extra(0x7075, b"\x01" + bytes(4) + b"other"),
        }.items()
    },
    **{
        f"central {field} lies": (changed(central={field: value}), "demo/|directory")
        for field, value in {
            "signature": b"PK\x01\x03",
            "flags": UTF8,
            "method": STORED,
            "crc32": 1,
            "length": 1,
            "size": 1,
            "name": b"demo/y.py",
            "disk": 1,
            "offset": 0,
            "version": 64,
        }.items()
    },
    # what lies between, before and behind
    "overlap": (changed(**both(length=len(X.stream) + 30)), "demo/z.py"),
    "two entries with one place": (changed(central={"offset": 0}), "demo/x.py"),
    "gap before an entry": (changed(before=b"hidden"), "demo/x.py"),
    "gap behind an entry": (changed(after=b"hidden"), "demo/z.py"),
    "gap before the directory": (wheel(X, gap=b"hidden"), "between the entries"),
    "leading data": (replace(wheel(X), data=b"#!/bin/sh\n" + wheel(X).data), "directory"),
    "trailing data": (wheel(X, tail=b"PK"), "doesn't end with"),
    "comment": (wheel(X, end={"comment": b"evil\x1b[2J"}), "its comment is more than a line"),
    "comment with an end record": (wheel(X, end={"comment": wheel(X).data[-22:]}), "directory"),
    "two archives": (replace(wheel(X), data=wheel(X).data * 2), "directory"),
    "names twice": (changed(name="demo/z.py"), "demo/z.py"),
    "a file and a folder": (
        changed(name="demo/z.py/x"),
        "demo/z.py' is a file in it, and a folder",
    ),
    "a file above two folders": (changed(name="demo/z.py/a/b/c"), "demo/z.py' is a file"),
    # flags and methods
    "encrypted": (changed(flags=1), "demo/x.py' is encrypted"),
    "strongly encrypted": (changed(flags=0x41), "demo/x.py"),
    "bzip2": (changed(method=12, data=b"BZh9"), "unknown compression"),
    "deflate64": (changed(method=9), "unknown compression"),
    "lzma": (changed(method=14), "unknown compression"),
    "zstandard": (changed(method=93), "unknown compression"),
    # ZIP64
    "zip64 size lies": (changed(central={"size": FULL32, "extra": wide(66)}), "demo/x.py"),
    "zip64 length lies": (changed(**both(length=FULL32, extra=wide(2**63))), "demo/z.py"),
    "zip64 offset lies": (changed(central={"offset": FULL32, "extra": wide(2**62)}), "demo/z.py"),
    "zip64 offset in the local header": (
        changed(local={"extra": wide(len(X.content), len(X.stream), 7)}),
        "contradicts",
    ),
    "zip64 count lies": (wheel(X, zip64={"count": 9}, end={"count": 0xFFFF}), "differ|too early"),
    "zip64 record is hidden": (wheel(X, zip64={}), "doesn't announce"),
    "zip64 says that a terabyte lies in it": (
        changed(**both(size=FULL32, extra=wide(1 << 40))),
        "demo/x.py' says it holds more than its stream can",
    ),
    # data descriptors
    "descriptor is missing": (changed(flags=DESCRIPTOR), "data descriptor"),
    "descriptor lies": (changed(flags=DESCRIPTOR, after=bytes(16)), "data descriptor"),
    "descriptor and hidden data": (
        changed(flags=DESCRIPTOR, after=descriptor(X, signature=True, eight=False) + b"hidden"),
        "data descriptor",
    ),
    # links and other kinds
    "symbolic link": (changed(mode=0o120777), "demo/x.py' is neither file nor folder"),
    "device": (changed(mode=0o60644), "neither file nor folder"),
    "socket": (changed(mode=0o140644), "neither file nor folder"),
    "folder with content": (changed(name="demo/x/"), "yet it has content"),
}

NAMES = {
    "absolute": b"/etc/passwd",
    "parent": b"../../../etc/passwd",
    "parent inside": b"demo/../../x",
    "drive": b"C:/Windows/x",
    "drive and name": b"c:x",
    "backslash": b"demo\\x",
    "parent with backslashes": b"..\\..\\x",
    "share": b"\\\\server\\share",
    "nul": b"demo/x\x00.py",
    "newline": b"demo/x\n.py",
    "escape": b"demo/\x1b[2Jx",
    "longer than Linux takes": b"demo/" + b"n" * 256,
    "deeper than Linux takes": b"d/" * 1100 + b"x",
    "empty part": b"demo//x",
    "dot": b"demo/./x",
}
ENCODED = {
    "no UTF-8": b"demo/\xff.py",
    "overlong": b"demo/\xc0\xae\xc0\xae/x",
    "surrogate": b"demo/\xed\xa0\x80",
    "C1 control": "demo/\x9b2Jx".encode(),
    "line separator": "demo/x\u2028y".encode(),
    "turned around": "demo/\u202eyp.x".encode(),
}

SIZES: dict[str, tuple[Callable[[], MadeWheel], str]] = {
    "inflates beyond its stated size": (lambda: bomb(64 << 20, 100), "ends elsewhere"),
    "inflates to less": (lambda: changed(**both(size=1000)), "not the recorded size"),
    "states what no stream can hold": (
        lambda: changed(**both(size=len(X.stream) * 1033)),
        "more than its stream can",
    ),
    "states more than a wheel may hold": (lambda: wheel(*MANY), "the most it may have"),
    "never ends": (lambda: changed(data=endless(), **both(size=4000)), "ends elsewhere"),
    "ends before its end": (lambda: changed(data=X.stream + b"hidden"), "ends elsewhere|after"),
    "is cut": (lambda: changed(data=X.stream[:-1]), "ends elsewhere"),
    "is no stream": (lambda: changed(data=b"\x07" * 40), "no deflate stream"),
    "has another CRC": (lambda: changed(**both(crc32=7)), "CRC-32"),
    "is stored with another CRC": (
        lambda: changed(method=STORED, **both(crc32=7)),
        "CRC-32",
    ),
    "has a RECORD that is a bomb": (lambda: record_bomb("RECORD"), "RECORD is larger than"),
    "has entry points that are a bomb": (
        lambda: record_bomb("entry_points.txt"),
        "entry_points.txt is larger than",
    ),
}


def record_bomb(name: str) -> MadeWheel:
    """A metadata file of 100 MB in 100 KB."""
    content = deflated(b"a,,\n" * 25_000_000)
    lie = {"size": 100_000_000, "crc32": zlib.crc32(b"a,,\n" * 25_000_000)}
    made = wheel(X)
    if name != "RECORD":
        return wheel(X, Item(f"{INFO}/{name}", data=content, local=lie, central=lie))
    items = [
        X,
        Item(f"{INFO}/METADATA", b"Name: demo\n"),
        Item(f"{INFO}/WHEEL", b"Wheel-Version: 1\n"),
    ]
    record = Item(f"{INFO}/RECORD", data=content, local=lie, central=lie)
    return replace(made, data=zip_bytes([*items, record]))


def without(name: str) -> MadeWheel:
    """A wheel without one of its metadata files, and a RECORD that says so."""
    files = {
        "METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "WHEEL": b"Wheel-Version: 1.0\n",
    }
    items = [X, *(Item(f"{INFO}/{key}", data) for key, data in files.items() if key != name)]
    if name != "RECORD":
        rows = [(item.name, item.content) for item in items]
        items.append(Item(f"{INFO}/RECORD", right_record(rows, f"{INFO}/RECORD")))
    return MadeWheel(FILE, zip_bytes(items))


def of(metadata: bytes) -> MadeWheel:
    """A wheel with another METADATA."""
    items = [X, Item(f"{INFO}/METADATA", metadata), Item(f"{INFO}/WHEEL", b"Wheel-Version: 1.0\n")]
    rows = [(item.name, item.content) for item in items]
    record = Item(f"{INFO}/RECORD", right_record(rows, f"{INFO}/RECORD"))
    return MadeWheel(FILE, zip_bytes([*items, record]))


def script(name: str, reference: str = "demo:main") -> MadeWheel:
    return make_wheel("demo", entry_points={"console_scripts": {name: reference}})


def says(wheel: bytes, file: str = FILE) -> MadeWheel:
    """A wheel with another WHEEL, or another file name."""
    items = [
        X,
        Item(f"{INFO}/METADATA", b"Name: demo\nVersion: 1.0\n"),
        Item(f"{INFO}/WHEEL", wheel),
    ]
    rows = [(item.name, item.content) for item in items]
    record = Item(f"{INFO}/RECORD", right_record(rows, f"{INFO}/RECORD"))
    return MadeWheel(file, zip_bytes([*items, record]))


BUILT = "demo-1.0-7-py3-none-any.whl"
SITES = "data/lib/python3.11/site-packages"
OTHERS = "another installed project"

TWICE = b"[console_scripts]\na=b:c\na=b:d\n"

WHEELS: dict[str, tuple[MadeWheel, str]] = {
    "no dist-info": (replace(wheel(X), data=zip_bytes([X])), "0 top-level .dist-info"),
    "two dist-infos": (with_files(("evil-2.0.dist-info/METADATA", b"")), "2 top-level .dist-info"),
    "another's dist-info": (
        replace(make_wheel("evil"), file=FILE),
        "evil-1.0.dist-info is not of demo 1.0",
    ),
    "another version's": (
        replace(make_wheel("demo", "2.0"), file=FILE),
        "demo-2.0.dist-info is not of demo 1.0",
    ),
    "no WHEEL": (without("WHEEL"), f"it has no {INFO}/WHEEL"),
    "no METADATA": (without("METADATA"), f"it has no {INFO}/METADATA"),
    "no RECORD": (without("RECORD"), f"it has no {INFO}/RECORD"),
    "METADATA of another name": (of(b"Name: evil\nVersion: 1.0\n"), "METADATA is of 'evil 1.0'"),
    "METADATA of another version": (of(b"Name: demo\nVersion: 9\n"), "METADATA is of 'demo 9'"),
    "METADATA of two names": (of(b"Name: demo\nName: evil\n"), "2 headers Name instead of one"),
    **{
        f"METADATA of two names, {case}": (of(text), "2 headers Name instead of one")
        for case, text in {
            "in other letters": b"Name: demo\nNAME: demo\n",
            "with a blank": b"Name: demo\nName : evil\n",
            "after a carriage return": b"Name: demo\rName: evil\n",
            "below what is no header": b"Name: demo\nno header\nName: evil\n",
            "below a line of blanks": b"Name: demo\n \nName: evil\n",
        }.items()
    },
    "METADATA of two versions": (of(b"Version: 1.0\nVersion: 1.0\n"), "2 headers Version"),
    "METADATA of a name over two lines": (of(b"Name: demo\n evil\n"), "METADATA is of"),
    "WHEEL without a version": (says(b"Generator: x\n"), "0 headers Wheel-Version"),
    "WHEEL of two versions": (says(b"Wheel-Version: 1.0\nwheel-version: 2.0\n"), "2 headers Wheel"),
    "WHEEL of two kinds": (
        says(b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nRoot-Is-Purelib: false\n"),
        "2 headers Root-Is-Purelib",
    ),
    "WHEEL of a build": (says(b"Wheel-Version: 1.0\nBuild: 7\n"), "of the build '7'"),
    "WHEEL of two builds": (says(b"Wheel-Version: 1.0\nBuild: 7\nBuild: 7\n", BUILT), "2 headers"),
    "WHEEL of another build": (says(b"Wheel-Version: 1.0\nBuild: 8\n", BUILT), "its name of '7'"),
    # another project's metadata, which would make it an installed one
    **{
        f"{kind} in {place}": (
            make_wheel("demo", data={f"{place}/{name}/METADATA": b"Name: evil\n"}),
            f"{name}/METADATA would stand for {OTHERS}",
        )
        for place in ("purelib", "platlib", SITES, SITES.replace("lib/", "lib64/"))
        for kind, name in {
            "another's dist-info": "evil-1.0.dist-info",
            "another's, without a version": "evil.dist-info",
            "another's, in other letters": "evil-1.0.DIST-Info",
            "its own": "demo-1.0.dist-info",
            "another's egg-info": "evil-1.0.egg-info",
        }.items()
    },
    "another's dist-info in other letters": (
        with_files(("evil-1.0.Dist-Info/METADATA", b"")),
        OTHERS,
    ),
    "another's dist-info that is a file": (with_files(("evil-1.0.dist-info", b"")), OTHERS),
    "another's egg-info": (with_files(("evil.egg-info/PKG-INFO", b"")), OTHERS),
    "another's egg-info that is a file": (with_files(("evil-1.0.egg-info", b"")), OTHERS),
    # whiteouts
    **{
        f"a whiteout in {place}": (make_wheel("demo", **{key: {name: b""}}), "would delete files")
        for place, key, name in [
            ("a package", "files", "demo/.wh.x"),
            ("site-packages", "files", ".wh.pip"),
            ("a folder of it", "files", ".wh.demo/x"),
            ("all of a folder", "files", "demo/.wh..wh..opq"),
            ("a scheme", "data", "data/.wh.bin"),
            ("a script", "data", "scripts/.wh.python"),
            ("dist-info", "extra_dist_info", ".wh.RECORD"),
        ]
    },
    "a whiteout as an entry point": (script(".wh.python"), "is no script"),
    "RECORD of what isn't there": (
        make_wheel("demo", record=record_with("demo/g.py")),
        "demo/g.py, which it doesn't hold",
    ),
    "RECORD of what lies outside": (
        make_wheel("demo", record=record_with("../../../etc/passwd")),
        "etc/passwd, which it doesn't hold",
    ),
    "a file that RECORD lacks": (
        make_wheel("demo", record=record_without("demo/__init__.py")),
        "RECORD doesn't list demo/__init__.py",
    ),
    "RECORD that steers the terminal": (
        make_wheel("demo", record=record_with("demo/\x1b[2J")),
        "which it doesn't hold",
    ),
    "RECORD with a line twice": (
        make_wheel("demo", record=record_with("demo/__init__.py")),
        "lists demo/__init__.py twice",
    ),
    "RECORD that is no CSV": (make_wheel("demo", record=lambda *_: b'"a'), "RECORD can't be read"),
    "RECORD that is no UTF-8": (make_wheel("demo", record=lambda *_: b"\xff,,\n"), "can't be read"),
    "RECORD with two fields": (make_wheel("demo", record=lambda *_: b"a,b\n"), "three fields"),
    # where files go
    "data of no scheme": (make_wheel("demo", data={"etc/passwd": b"x"}), "no scheme"),
    "data without a scheme": (make_wheel("demo", data={"passwd": b"x"}), "no scheme"),
    "data that is a scheme": (make_wheel("demo", data={"scripts": b"x"}), "no scheme"),
    "data that leaves its folder": (
        wheel(replace(X, name=f"{DATA}/scripts/x", **both(name=f"{DATA}/scripts/../x".encode()))),
        "no plain relative path",
    ),
    "headers elsewhere": (
        wheel(replace(X, name=f"{DATA}/headers/x", **both(name=f"{DATA}/headers//etc/x".encode()))),
        "no plain relative path",
    ),
    "another's data": (
        make_wheel("demo", files={"demo/__init__.py": b"", "demo-1.0.data/x": b""}),
        "no scheme",
    ),
    "data of another name": (  # pip would make a program of it
        make_wheel("demo", files={"demo/__init__.py": b"", "Demo-1.0.data/scripts/x": b""}),
        "in a .data folder that isn't demo-1.0.data/",
    ),
    # entry points
    "script called ..": (script(".."), "entry point '..'"),
    "script called .": (script("."), "entry point '.'"),
    "script with a path": (script("../../bin/sh"), "entry point '../../bin/sh'"),
    "script of an absolute path": (script("/bin/sh"), "entry point '/bin/sh'"),
    "script with an escape": (script("a\x1bb"), "entry point"),
    "script of code": (script("x", "os:system('id')"), "is no script"),
    "script of two lines": (script("x", "demo:main\n  import os"), "is no script"),
    "script of a path": (script("x", "../evil:main"), "is no script"),
    "entry points twice": (
        make_wheel("demo", extra_dist_info={"entry_points.txt": TWICE}),
        "entry_points.txt can't be read",
    ),
}  # fmt: skip


def refused(store: Store, made: MadeWheel, reason: str) -> BasestoreError:
    with pytest.raises(BasestoreError, match=reason) as caught:
        installed(store, made)
    error = caught.value
    assert error.exit_code in (ExitCode.INTEGRITY, ExitCode.BAD_INPUT)
    assert made.file in error.message or "site-packages/demo/x.py" in error.message
    assert error.message.isprintable()
    assert error.hint
    return error


def test_the_wheel_that_the_attacks_change_is_right(store: Store) -> None:
    files = installed(store, changed())

    assert files["opt/venv/lib/python3.11/site-packages/demo/x.py"].content == X.content


@pytest.mark.parametrize("case", HEADERS)
def test_headers(store: Store, case: str) -> None:
    refused(store, *HEADERS[case])


@pytest.mark.parametrize("case", NAMES)
def test_names_that_escape(store: Store, case: str) -> None:
    refused(store, named(NAMES[case]), "no plain relative path")


@pytest.mark.parametrize("case", ENCODED)
def test_names_that_arent_what_they_look_like(store: Store, case: str) -> None:
    refused(store, named(ENCODED[case], UTF8), "not UTF-8|steer a terminal")


@pytest.mark.parametrize("name", ["demo/x.", "demo/x ", "demo/con", "demo/a:b", "demo/é"])
def test_names_that_only_windows_cant_have_are_taken(store: Store, name: str) -> None:
    """Images are for Linux: trailing dots and devices' names mean nothing there."""
    found = installed(store, make_wheel("demo", files={name: b"x"}))

    assert found[f"opt/venv/lib/python3.11/site-packages/{name}"].content == b"x"


@pytest.mark.parametrize("case", SIZES)
def test_sizes_and_streams(store: Store, case: str) -> None:
    made, reason = SIZES[case]
    refused(store, made(), reason)


def test_a_bomb_takes_no_memory(store: Store) -> None:
    """256 MB in 256 KB that says it is 100 bytes."""
    made = keep(store, bomb(256 << 20, 100))
    tracemalloc.start()
    with pytest.raises(BasestoreError, match=r"ends elsewhere|more content"):
        make(recipe_of([made]), workshop(store))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 32 << 20


@pytest.mark.parametrize("case", WHEELS)
def test_what_wheels_say_of_themselves(store: Store, case: str) -> None:
    refused(store, *WHEELS[case])


@pytest.mark.parametrize(
    "files",
    [
        {"demo/_vendor/other-1.0.dist-info/METADATA": b""},  # as setuptools has them
        {"demo.egg-info/PKG-INFO": b""},
        {"demo/x.wh.y": b"", "demo/.whether": b"", "demo/a.wh.": b""},
        {"demo/site-packages/other-1.0.dist-info/METADATA": b""},
    ],
)
def test_what_looks_like_it_is_taken(store: Store, files: Mapping[str, bytes]) -> None:
    found = installed(store, make_wheel("demo", files=files))

    assert all(f"opt/venv/lib/python3.11/site-packages/{name}" in found for name in files)


@pytest.mark.parametrize(
    "wheel",
    [
        b"Wheel-Version: 1.0\nTag: py3-none-linux_x86_64\n",
        b"Wheel-Version: 1.9\r\nTag: cp311-cp311-any\r\nTag: cp312-cp312-any\r\n",
        b"Wheel-Version: 1.0\n",
    ],
)
def test_tags_unlike_the_file_names_are_taken(store: Store, wheel: bytes) -> None:
    """Real wheels are renamed for more systems, and WHEEL stays: torchvision's, of our own lock."""
    assert installed(store, says(wheel))


@pytest.mark.parametrize(
    "record",
    [
        record_with_wrong_hash("demo/__init__.py"),
        lambda rows, path: right_record(rows, path).replace(b"sha256=", b"md5=", 1),
        lambda rows, path: right_record(rows, path).replace(b"sha256=", b"", 1),
        lambda rows, path: right_record(rows, path).replace(b",16\n", b",17\n", 1),
    ],
)
def test_hashes_of_record_when_asked(tmp_path: Path, record: Callable[..., bytes]) -> None:
    """By ``verify --content``, not by every build: the lock's SHA-256 carries them."""
    made = make_wheel("demo", record=record)
    with made.write(tmp_path).open("rb") as file, pytest.raises(BadZipError) as caught:
        check_contents(file, made.file)

    assert "demo/__init__.py" in caught.value.message


def test_every_cut_of_a_wheel_is_refused(store: Store) -> None:
    data = changed().data
    for length in range(0, len(data), 7):
        with pytest.raises(BadZipError, match=FILE):
            installed(store, MadeWheel(FILE, data[:length]))


def test_the_streaming_path_holds_a_bomb_to_its_size(store: Store) -> None:
    """Large files are inflated in pieces: what is too much is not even looked at."""
    size = 40 << 20
    refused(store, bomb(size, size - 1), "more content than announced|not the recorded|elsewhere")
