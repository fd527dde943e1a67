import bz2
import gzip
import io
import lzma

import debbytes as d
import pytest

from basestore.errors import ExitCode
from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.entry import Kind

CONTROL = d.control_tar({"control": d.control("pkg")})
BINARY = ("debian-binary", b"2.0\n")


def archive(data: bytes) -> DebArchive:
    return DebArchive(io.BytesIO(data), "pkg 1.0-1")


def with_data(tar: bytes) -> DebArchive:
    return archive(d.ar([BINARY, ("control.tar", CONTROL), ("data.tar", tar)]))


def contents(opened: DebArchive) -> dict[str, bytes]:
    return {item.path: b"".join(content) for item, content in opened.data()}


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("", bytes),
        (".xz", lzma.compress),
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lambda data: lzma.compress(data[:1500]) + lzma.compress(data[1500:])),
        (".gz", lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:])),
    ],
)
def test_reads_every_compression(suffix, compress):
    large = bytes(range(256)) * 4000
    tar = d.folder("") + d.file("a", large) + d.file("b", b"small") + d.END
    data = d.ar(
        [BINARY, (f"control.tar{suffix}", compress(CONTROL)), (f"data.tar{suffix}", compress(tar))]
    )
    opened = archive(data)
    assert opened.control() == {"control": d.control("pkg")}
    assert contents(opened) == {"": b"", "a": large, "b": b"small"}


def test_keeps_mode_owner_and_links():
    tar = (
        d.folder("usr/bin", 0o2755, (0, 50))
        + d.file("usr/bin/su", b"x", 0o4755, (0, 42))
        + d.hardlink("usr/bin/su2", "usr/bin/su")
        + d.symlink("etc/mtab", "/proc/self/../mounts")
        + d.END
    )
    found = [item for item, _ in with_data(tar).data()]
    assert [(i.path, i.kind, i.mode, i.uid, i.gid, i.target, i.size) for i in found] == [
        ("usr/bin", Kind.FOLDER, 0o2755, 0, 50, "", 0),
        ("usr/bin/su", Kind.FILE, 0o4755, 0, 42, "", 1),
        ("usr/bin/su2", Kind.HARDLINK, 0o644, 0, 0, "usr/bin/su", 0),
        ("etc/mtab", Kind.SYMLINK, 0o777, 0, 0, "/proc/self/../mounts", 0),
    ]


def test_reads_gnu_long_names_and_large_numbers():
    name, target = "./" + "n" * 200 + "/" + "n" * 100, "t" * 200
    header = bytearray(d.tar_header("short", b"2"))
    header[108:116] = b"\x80" + (2_000_000).to_bytes(7, "big")
    tar = d.long_name(b"K", target) + d.long_name(b"L", name) + d.sealed(header) + d.END
    [(item, _)] = with_data(tar).data()
    assert (item.path, item.target, item.uid) == ("n" * 200 + "/" + "n" * 100, target, 2_000_000)


def test_reads_the_ustar_prefix():
    header = bytearray(d.tar_header("name"))
    header[345:351] = b"./deep"
    [(item, _)] = with_data(d.sealed(header) + d.END).data()
    assert item.path == "deep/name"


def test_skips_members_that_are_for_others():
    tar = d.file("a", b"1") + d.END
    data = d.ar([BINARY, ("_note", b"odd"), ("control.tar", CONTROL), ("data.tar", tar)])
    assert contents(archive(data)) == {"a": b"1"}


def broken_checksum() -> bytes:
    return b"\x31" + d.tar_header("a")[1:]


@pytest.mark.parametrize(
    ("tar", "reason"),
    [
        (d.tar_header("/etc/passwd") + d.END, "unsafe name '/etc/passwd'"),
        (d.tar_header("./../x") + d.END, "unsafe name"),
        (d.tar_header("a//b") + d.END, "unsafe name"),
        (d.tar_header("a\nb") + d.END, "unsafe name"),
        (d.symlink("l", "a\x1bb") + d.END, "unsafe target"),
        (d.symlink("l", "") + d.END, "unsafe target"),
        (d.tar_header("null", b"3") + d.END, "'null' is a device"),
        (d.tar_header("fifo", b"6") + d.END, "special file"),
        (d.tar_header("pax", b"x", size=0) + d.END, "special file"),
        (d.file("a") + d.file("a") + d.END, "'a' twice"),
        (d.hardlink("l", "a") + d.END, "points to no file"),
        (d.folder("a") + d.hardlink("l", "a") + d.END, "points to no file"),
        (d.tar_header("l", b"2", size=5, link="t") + d.END, "no file but has content"),
        (d.file("a") + d.END + b"more", "follows the end"),
        (d.file("a"), "ends early"),
        (d.file("a", b"x" * 600)[:-600], "ends early"),
        (d.file("a") + bytes(512) + d.file("b"), "broken way"),
        (d.long_name(b"L", "n") + d.END, "broken way"),
        (d.long_name(b"L", "n") * 2 + d.file("a") + d.END, "two long names"),
        (broken_checksum() + d.END, "wrong checksum"),
        (
            d.sealed(bytearray(d.tar_header("a").replace(b"ustar\x00", b"other!"))) + d.END,
            "unknown",
        ),
        (d.sealed(bytearray(d.tar_header("a").replace(b"a", b"\xff", 1))) + d.END, "UTF-8"),
        (b"", "ends early"),
    ],
)
def test_refuses_a_bad_tar(tar, reason):
    with pytest.raises(MalformedDebError) as caught:
        contents(with_data(tar))
    assert reason in caught.value.message
    assert "pkg 1.0-1" in caught.value.message
    assert caught.value.exit_code is ExitCode.INTEGRITY


TAR = lzma.compress(d.file("a", b"x" * 100) + d.END)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an ar archive"),
        (b"PK\x03\x04", "not an ar archive"),
        (d.AR, "its members are none"),
        (d.ar([BINARY, ("data.tar", b""), ("control.tar", b"")]), "data.tar, control.tar"),
        (d.ar([BINARY, ("control.tar", CONTROL)]), "debian-binary, control.tar"),
        (
            d.ar([BINARY, ("control.tar", b""), ("data.tar", b""), ("data.tar.xz", b"")]),
            "its members are",
        ),
        (
            d.ar([("debian-binary", b"3.0\n"), ("control.tar", b""), ("data.tar", b"")]),
            "not version 2",
        ),
        (d.AR + b"x" * 30, "ar archive is damaged"),
        (d.AR + b"x" * 60, "ar archive is damaged"),
        (d.ar([BINARY]).replace(b"4         `", b"-4        `"), "ar archive is damaged"),
        (d.ar([BINARY, ("control.tar", CONTROL), ("data.tar.zst", b"")]), "zstd"),
        (d.ar([BINARY, ("control.tar", CONTROL), ("data.tar.br", b"")]), "'.br'"),
        (d.ar([BINARY, ("control.tar", CONTROL), ("data.tar.xz", TAR[:-20])]), "ends early"),
        (
            d.ar([BINARY, ("control.tar", CONTROL), ("data.tar.xz", TAR + b"not xz at all")]),
            "damaged",
        ),
        (d.ar([BINARY, ("control.tar", CONTROL), ("data.tar.gz", b"\x1f\x8bxxxxxx")]), "damaged"),
        (
            d.ar([BINARY, ("control.tar", CONTROL), ("data.tar", d.END)])[:-600],
            "middle of a member",
        ),
    ],
)
def test_refuses_a_bad_archive(data, reason):
    with pytest.raises(MalformedDebError) as caught:
        contents(archive(data))
    assert reason in caught.value.message


@pytest.mark.parametrize(
    ("tar", "reason"),
    [
        (d.control_tar({"md5sums": b""}), "no file named control"),
        (d.folder("scripts") + d.END, "'scripts'"),
        (d.control_tar({"control": b"", "..bad": b""}), "'..bad'"),
        (d.tar_header("control", size=65 * 2**20) + d.END, "too large"),
    ],
)
def test_refuses_a_bad_control_archive(tar, reason):
    opened = archive(d.ar([BINARY, ("control.tar", tar), ("data.tar", d.END)]))
    with pytest.raises(MalformedDebError) as caught:
        opened.control()
    assert reason in caught.value.message


def test_holds_a_decompression_bomb_in_pieces():
    tar = d.tar_header("big", size=64 * 2**20) + bytes(64 * 2**20) + d.END
    data = d.ar([BINARY, ("control.tar", CONTROL), ("data.tar.gz", gzip.compress(tar))])
    assert len(data) < 2**20
    _, content = next(archive(data).data())
    sizes = [len(piece) for piece in content]
    assert sum(sizes) == 64 * 2**20
    assert max(sizes) <= 256 * 1024
