"""Attacks on .debs, each right but for one thing; refused, or unpacked with nothing outside."""

import gzip
import io
import lzma
import os
import struct
import tracemalloc
from pathlib import Path

import debbytes as d
import pytest

from basestore.errors import BasestoreError, ExitCode
from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.content import check_contents
from basestore.layer.deb.control import parse_control
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.deb.stream import FREE
from basestore.layer.entry import Kind
from basestore.layer.foundation.tree import Tree
from basestore.layer.foundation.unpack import unpack_all

BINARY = ("debian-binary", b"2.0\n")
CONTROL = ("control.tar", d.control_tar({"control": d.control("pkg")}))
DATA = ("data.tar", d.file("a", b"x") + d.END)
RIGHT = d.ar([BINARY, CONTROL, DATA])


def package(tar: bytes, suffix: str = "") -> bytes:
    """A package whose data archive is this one."""
    return d.ar([BINARY, CONTROL, (f"data.tar{suffix}", tar)])


def read(data: bytes) -> dict[str, bytes]:
    archive = DebArchive(io.BytesIO(data), "pkg 1.0-1")
    archive.control()
    return {item.path: b"".join(content) for item, content in archive.data()}


def ar_header(**fields: bytes) -> bytes:
    """The right package with another header before its last member."""
    member = {"name": b"data.tar", "size": b"%d" % len(DATA[1]), "magic": b"`\n", **fields}
    head = b"%-16s%-12s%-6s%-6s%-8s%-10s%-2s" % (
        member["name"], b"0", b"0", b"0", b"100644", member["size"], member["magic"],
    )  # fmt: skip
    return d.ar([BINARY, CONTROL]) + head + DATA[1]


def header(field: slice, value: bytes, base: bytes = b"") -> bytes:
    """A tar header with one field replaced and a right checksum, and the archive's end."""
    block = bytearray(base or d.tar_header("./x"))
    block[field] = value.ljust(field.stop - field.start, b"\0")
    return d.sealed(block) + d.END


MODE, UID, SIZE = slice(100, 108), slice(108, 116), slice(124, 136)
MAGIC, PREFIX = slice(257, 265), slice(345, 500)
GNU = d.tar_header("./x")[:257] + b"ustar  \0" + bytes(247)
LONG_SIZE = b"\x80" + (1 << 70).to_bytes(11, "big")

AR: dict[str, tuple[bytes, str]] = {
    "no ar": (b"PK\x03\x04" + RIGHT, "not an ar archive"),
    "thin ar": (RIGHT.replace(b"!<arch>", b"!<thin>"), "not an ar archive"),
    "short header": (RIGHT + b"more", "ar archive is damaged"),
    "header without its end": (ar_header(magic=b"xx"), "ar archive is damaged"),
    "negative size": (ar_header(size=b"-1"), "ar archive is damaged"),
    "size in hexadecimal": (ar_header(size=b"0x200"), "ar archive is damaged"),
    "size with a sign": (ar_header(size=b"+512"), "ar archive is damaged"),
    "no size": (ar_header(size=b""), "ar archive is damaged"),
    "size beyond the file": (ar_header(size=b"9999999999"), "middle of a member"),
    "size too small": (ar_header(size=b"600"), "damaged|followed"),
    "no newline after an odd member": (
        d.ar([BINARY, CONTROL, ("_x", b"odd")])[:-1] + b"\0" + d.ar([DATA])[8:],
        "not followed by a newline",
    ),
    "name with an escape": (ar_header(name=b"data\x1b.tar"), "ar archive is damaged"),
    "name with a path": (ar_header(name=b"../data.tar"), "ar archive is damaged"),
    "name from a table": (ar_header(name=b"/0"), "ar archive is damaged"),
    "no member": (d.AR, "its members are none"),
    "no version": (d.ar([CONTROL, DATA]), "its members are control.tar, data.tar"),
    "no control": (d.ar([BINARY, DATA]), "its members are debian-binary, data.tar"),
    "no data": (d.ar([BINARY, CONTROL]), "its members are"),
    "other order": (d.ar([BINARY, DATA, CONTROL]), "its members are"),
    "two controls": (d.ar([BINARY, CONTROL, CONTROL, DATA]), "its members are"),
    "two datas": (d.ar([BINARY, CONTROL, DATA, DATA]), "its members are"),
    "data twice in two compressions": (
        d.ar([BINARY, CONTROL, DATA, ("data.tar.xz", b"")]),
        "its members are",
    ),
    "a member between": (d.ar([BINARY, ("evil", b""), CONTROL, DATA]), "its members are"),
    "a member behind": (d.ar([BINARY, CONTROL, DATA, ("evil", b"")]), "its members are"),
    "a member before the version": (d.ar([("_x", b""), BINARY, CONTROL, DATA]), "its members"),
    "version 3": (d.ar([("debian-binary", b"3.0\n"), CONTROL, DATA]), "not version 2"),
    "unknown compression": (d.ar([BINARY, CONTROL, ("data.tar.lzma", b"")]), "'.lzma'"),
    "a suffix behind": (d.ar([BINARY, CONTROL, ("data.tar.xz.sh", b"")]), "'.xz.sh'"),
}

TAR: dict[str, tuple[bytes, str]] = {
    # names
    "absolute": (d.tar_header("/etc/passwd") + d.END, "unsafe name '/etc/passwd'"),
    "parent": (d.tar_header("./../../etc/passwd") + d.END, "unsafe name"),
    "parent inside": (d.tar_header("./a/../../x") + d.END, "unsafe name"),
    "two slashes": (d.tar_header(".//etc/passwd") + d.END, "unsafe name"),
    "newline": (d.tar_header("./a\nb") + d.END, "unsafe name"),
    "escape": (d.tar_header("./a\x1b[2Jb") + d.END, "unsafe name"),
    "C1 control": (d.tar_header("./a\x9bb") + d.END, "unsafe name"),
    "turned around": (d.tar_header("./a\u202eb") + d.END, "unsafe name"),
    "no UTF-8": (header(slice(0, 100), b"./\xff"), "not UTF-8"),
    "too long a part": (d.long_name(b"L", "./" + "n" * 256) + d.file("a") + d.END, "too long"),
    "too deep": (d.long_name(b"L", "./" + "d/" * 1100 + "x") + d.file("a") + d.END, "too long"),
    "twice": (d.file("a") + d.file("a") + d.END, "'a' twice"),
    "twice in two forms": (d.file("a") + d.tar_header("a") + d.END, "'a' twice"),
    "a file and a folder": (d.file("a") + d.folder("a") + d.END, "'a' twice"),
    "a file called like a folder": (d.tar_header("./a/") + d.END, "called like a folder"),
    "a link called like a folder": (d.symlink("a/", "/etc") + d.END, "called like a folder"),
    "whiteout": (d.file("etc/.wh.passwd") + d.END, "would delete files"),
    "whiteout of a folder": (d.folder(".wh.etc") + d.END, "would delete files"),
    "whiteout of all": (d.file(".wh..wh..opq") + d.END, "would delete files"),
    "link called like a whiteout": (d.symlink("etc/.wh.passwd", "x") + d.END, "would delete files"),
    "link to a whiteout": (d.file("a") + d.hardlink("b", ".wh.a") + d.END, "would delete files"),
    **{
        f"{kind} called {name!r}": (d.tar_header(name, flag, link=link) + d.END, "is the root, and")
        for name in (".", "./.")
        for kind, flag, link in [
            ("file", b"0", ""),
            ("link", b"2", "etc"),
            ("hard link", b"1", "./a"),
        ]
    },
    "nothing's name": (d.tar_header("") + d.END, "is the root, and"),
    # links
    "hard link to the root": (
        d.tar_header("./", b"5") + d.hardlink("l", "") + d.END,
        "no file before",
    ),
    "hard link to a file called .": (
        d.tar_header(".") + d.tar_header("./l", b"1", link=".") + d.END,
        "is the root, and",
    ),
    "hard link outside": (d.tar_header("./l", b"1", link="/etc/shadow") + d.END, "unsafe name"),
    "hard link upwards": (d.tar_header("./l", b"1", link="../../etc/x") + d.END, "unsafe name"),
    "hard link to what comes later": (d.hardlink("l", "a") + d.file("a") + d.END, "no file before"),
    "hard link to a link": (
        d.symlink("s", "/etc/shadow") + d.hardlink("l", "s") + d.END,
        "no file before",
    ),
    "hard link to itself": (d.hardlink("l", "l") + d.END, "no file before"),
    "hard link with content": (
        d.file("a") + d.tar_header("./l", b"1", size=5, link="./a") + d.END,
        "no file but has content",
    ),
    "link to nothing": (d.symlink("l", "") + d.END, "unsafe target"),
    "link with an escape": (d.symlink("l", "a\x1bb") + d.END, "unsafe target"),
    # kinds
    "character device": (d.tar_header("./dev/null", b"3") + d.END, "is a device"),
    "block device": (d.tar_header("./dev/sda", b"4") + d.END, "is a device"),
    "fifo": (d.tar_header("./p", b"6") + d.END, "another special file"),
    "contiguous file": (d.tar_header("./p", b"7") + d.END, "another special file"),
    "GNU sparse": (d.tar_header("./p", b"S") + d.END, "another special file"),
    "GNU multi-volume": (d.tar_header("./p", b"M") + d.END, "another special file"),
    "GNU dump": (d.tar_header("./p", b"D") + d.END, "another special file"),
    "PAX": (d.tar_header("./p", b"x") + d.END, "another special file"),
    "PAX for all": (d.tar_header("./p", b"g") + d.END, "another special file"),
    "Solaris": (d.tar_header("./p", b"X") + d.END, "another special file"),
    # long names
    "long name of nothing": (
        d.tar_header("././@LongLink", b"L") + d.file("a") + d.END,
        "a name of 0 bytes",
    ),
    "long name of a gigabyte": (
        header(SIZE, LONG_SIZE, d.tar_header("././@LongLink", b"L")),
        "a name of",
    ),
    "long name that ends in between": (
        d.long_name(b"L", "./a\0/../../etc/passwd") + d.file("a") + d.END,
        "NUL in it",
    ),
    "long name that is empty": (d.long_name(b"L", "") + d.file("a") + d.END, "empty"),
    "long name for nobody": (d.long_name(b"L", "n") + d.END, "broken way"),
    "two long names": (d.long_name(b"L", "n") * 2 + d.file("a") + d.END, "two long names"),
    "long target that leaves": (
        d.file("a") + d.long_name(b"K", "../x") + d.hardlink("l", "a") + d.END,
        "unsafe name",
    ),
    # numbers
    "negative size": (header(SIZE, b"-0000000001\0"), "broken number"),
    "size with underlines": (header(SIZE, b"1_0\0"), "broken number"),
    "size with a prefix": (header(SIZE, b"0o17\0"), "broken number"),
    "size of two numbers": (header(SIZE, b"0000000\x00017\0"), "broken number"),
    "size of base 256, negative": (header(SIZE, b"\xff" * 12), "broken number"),
    "size beyond all": (header(SIZE, LONG_SIZE), "ends early"),
    "time that is no number": (header(slice(136, 148), b"yesterday"), "broken number"),
    "device that is no number": (header(slice(329, 337), b"sda1"), "broken number"),
    "owner beyond all": (header(UID, b"\x80" + b"\xff" * 7), "owner or group"),
    "wrong checksum": (b"\x31" + d.tar_header("a")[1:] + d.END, "wrong checksum"),
    "unknown magic": (header(MAGIC, b"pirates\0"), "unknown kind"),
    "prefix of the old format": (
        header(PREFIX, b"etc/cron.d", GNU),
        "readers understand differently",
    ),
    "prefix that leaves": (header(PREFIX, b"../.."), "unsafe name"),
    # the end
    "no end": (d.file("a"), "ends early"),
    "half an end": (d.file("a") + bytes(512), "ends early"),
    "an end between": (d.file("a") + bytes(512) + d.file("b") + d.END, "broken way"),
    "an archive behind": (d.file("a") + d.END + d.file("b") + d.END, "follows the end"),
    "two megabytes of nothing behind": (d.file("a") + bytes(2 << 20), "follows the end"),
    "cut in a content": (d.file("a", b"x" * 600)[:-300], "ends early"),
}


def test_the_package_that_the_attacks_change_is_right() -> None:
    assert read(RIGHT) == {"a": b"x"}
    assert read(ar_header()) == {"a": b"x"}
    assert read(package(header(MODE, b"0000644\0"))) == {"x": b""}


@pytest.mark.parametrize(("table", "case"), [*(("ar", c) for c in AR), *(("tar", c) for c in TAR)])
def test_refused(table: str, case: str) -> None:
    data, reason = AR[case] if table == "ar" else TAR[case]
    with pytest.raises(MalformedDebError, match=reason) as caught:
        read(data if table == "ar" else package(data))
    assert "pkg 1.0-1" in caught.value.message
    assert caught.value.message.isprintable()
    assert caught.value.exit_code is ExitCode.INTEGRITY


BOMB = d.tar_header("./big", size=FREE + 512) + bytes(FREE + 512) + d.END
"""A file of a little more than is allowed for so few bytes."""


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".xz", lambda data: lzma.compress(data, preset=0)), (".gz", lambda d: gzip.compress(d, 1))],
)
def test_a_bomb_is_refused_when_it_goes_off(suffix: str, compress: object) -> None:
    bomb = package(compress(BOMB), suffix)  # type: ignore[operator]
    assert len(bomb) < 3_000_000
    tracemalloc.start()
    with pytest.raises(MalformedDebError, match="the most that it may have"):
        check_contents(io.BytesIO(bomb), "pkg 1.0-1")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_an_xz_that_wants_gigabytes_of_memory_is_refused() -> None:
    greedy = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 28}]
    data = bytearray(lzma.compress(DATA[1], filters=greedy, format=lzma.FORMAT_XZ))
    with pytest.raises(MalformedDebError, match="damaged"):
        read(package(bytes(data), ".xz"))


def test_a_control_archive_that_is_a_bomb_is_refused() -> None:
    tar = d.file("control", d.control("pkg")) + d.file("md5sums", bytes(17 << 20)) + d.END
    bomb = d.ar([BINARY, ("control.tar.xz", lzma.compress(tar, preset=0)), DATA])
    with pytest.raises(MalformedDebError, match="control archive is too large"):
        read(bomb)


RIGHT_FIELDS = b"Package: pkg\nVersion: 1\nArchitecture: amd64\n"


@pytest.mark.parametrize(
    "control",
    [
        b"Package: pkg\nPackage: evil\n",
        b" Package: pkg\n",
        b"Pack age: pkg\n",
        b"Package: pkg\n\xff: x\n",
        b"no colon\n",
        b": value\n",
        b"Package: pkg\nVersion: 1\n",
        b"Package: pkg\nVersion: \x1b[2J1\nArchitecture: amd64\n",
        b"Package: pkg\n evil\nVersion: 1\nArchitecture: amd64\n",
        b"",
        RIGHT_FIELDS + b"package: pkg\n",
        RIGHT_FIELDS + b"X-More: a\nx-more: b\n",
        RIGHT_FIELDS + b"Depends: a\nDEPENDS: b\n",
        RIGHT_FIELDS + b"Depends: a\\b\n",
        RIGHT_FIELDS + b"X-More: a\n b\\c\n",
        RIGHT_FIELDS.replace(b"pkg", b"p\\kg"),
        *(
            RIGHT_FIELDS.replace(b": 1", b": 1" + odd)
            for odd in (b"\\", b"\x00", b"\x1b[2J", b"\x7f", "\x9b".encode(), b" 2", b"\n 2", b"/2")
        ),
    ],
)
def test_a_control_file_with_two_meanings_is_refused(control: bytes) -> None:
    with pytest.raises(MalformedDebError, match="control file"):
        parse_control(control, "pkg 1.0-1")


def test_names_of_fields_are_the_same_in_any_letters() -> None:
    read = parse_control(RIGHT_FIELDS.lower() + b"multi-ARCH: same\nx-More: a\n", "pkg")

    assert read.identity == ("pkg", "1", "amd64")
    assert read.info_name == "pkg:amd64"
    assert list(read.fields) == ["Package", "Version", "Architecture", "Multi-Arch", "x-More"]


def test_backslashes_stay_where_real_packages_have_them() -> None:
    """In descriptions; and in paths, those of systemd's units."""
    text = RIGHT_FIELDS + b"Description: a\n C:\\b\n"
    assert parse_control(text, "pkg").fields["Description"] == "a\n C:\\b"
    assert read(package(d.file("x\\x2dy.slice") + d.END)) == {"x\\x2dy.slice": b""}


def test_cut_anywhere_it_is_refused() -> None:
    data = d.deb(d.control("pkg"), [d.file("a", os.urandom(3000)), d.symlink("b", "a")])
    for length in range(0, len(data) - 1, 11):
        with pytest.raises(MalformedDebError):
            read(data[:length])


# --- on the disk: nothing is written outside of the tree, whatever links say


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the host that attacks would like to write into."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "passwd").write_bytes(b"the host's")
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "root").mkdir()
    return Tree(tmp_path / "root")


def unpack(tree: Tree, folder: Path, *packages: list[bytes]) -> None:
    blobs = d.blobs_in(folder)
    unpack_all([d.stock(blobs, f"p{n}", items) for n, items in enumerate(packages)], blobs, tree)


def test_a_link_out_of_the_root_is_text_and_is_never_followed(
    tree: Tree, outside: Path, tmp_path: Path
) -> None:
    """In a container it leads nowhere else than the container's own root."""
    items = [d.symlink("up", "../../../../../outside"), d.symlink("there", str(outside))]
    unpack(tree, tmp_path, items)

    assert tree.nodes["up"].kind is Kind.SYMLINK
    assert tree.read("there/passwd") is None
    assert tree.read("up/passwd") is None


@pytest.mark.parametrize("target", ["../outside", "/etc", "."])
def test_nothing_is_written_through_a_link(
    tree: Tree, outside: Path, tmp_path: Path, target: str
) -> None:
    for packages in ([[d.symlink("l", target), d.file("l/evil", b"x")]],
                     [[d.symlink("l", target)], [d.file("l/evil", b"x")]]):  # fmt: skip
        fresh = Tree(tmp_path / f"root{len(packages)}")
        fresh.root.mkdir()
        with pytest.raises(BasestoreError, match="both hold /l"):
            unpack(fresh, tmp_path, *packages)
    assert sorted(os.listdir(outside)) == ["passwd"]


def test_a_hard_link_to_another_packages_file_is_refused(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(MalformedDebError, match="no file before"):
        unpack(tree, tmp_path, [d.file("a", b"x")], [d.hardlink("l", "a")])


def test_a_file_above_a_path_is_refused(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(BasestoreError, match="both hold /a"):
        unpack(tree, tmp_path, [d.file("a", b"x"), d.file("a/b", b"y")])


def test_setuid_files_keep_their_mode_in_the_index_and_never_on_the_disk(
    tree: Tree, tmp_path: Path
) -> None:
    unpack(tree, tmp_path, [d.file("su", b"x", 0o4755), d.file("at", b"y", 0o2755)])

    assert (tree.nodes["su"].mode, tree.nodes["at"].mode) == (0o4755, 0o2755)
    assert not any((tree.root / name).stat().st_mode & 0o6000 for name in ("su", "at"))


# --- a whole package against its own md5sums


def md5_package(sums: bytes) -> io.BytesIO:
    control = d.control_tar({"control": d.control("pkg"), "md5sums": sums})
    data = d.file("bin/su", b"x", 0o4755) + d.hardlink("bin/su2", "bin/su") + d.END
    return io.BytesIO(d.ar([BINARY, ("control.tar", control), ("data.tar", data)]))


SU = b"9dd4e461268c8034f5c8564e155c67a6  bin/su\n"


def test_setuid_files_are_listed() -> None:
    checked = check_contents(md5_package(SU + SU.replace(b"su\n", b"su2\n")), "pkg")

    assert (checked.files, checked.privileged) == (2, ("/bin/su",))


@pytest.mark.parametrize(
    ("sums", "reason"),
    [
        (SU.replace(b"9d", b"00"), "bin/su is not what its md5sums says"),
        (SU.replace(b"su", b"sh"), "lists bin/sh, which it doesn't hold"),
        (SU + SU, "broken line"),
        (SU.replace(b"su\n", b"\x1b\n"), "which it doesn't hold"),
        (b"short\n", "broken line"),
        (b"\xff\n", "not UTF-8"),
    ],
)
def test_wrong_md5sums_are_refused(sums: bytes, reason: str) -> None:
    with pytest.raises(MalformedDebError, match=reason) as caught:
        check_contents(md5_package(sums), "pkg")
    assert caught.value.message.isprintable()


def test_the_header_of_the_tables_is_a_whole_one() -> None:
    assert struct.calcsize("16s12s6s6s8s10s2s") == len(ar_header()) - len(
        d.ar([BINARY, CONTROL]) + DATA[1]
    )
