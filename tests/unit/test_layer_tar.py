"""Tar headers against the standard tarfile, at the lengths where their form changes."""

import io
import tarfile

import pytest

from basestore.layer import tar
from basestore.layer.entry import Encoded, Entry, Kind, folder, symlink


def read_one(header: bytes) -> tarfile.TarInfo:
    """The member that a header describes, its content left out."""
    data = io.BytesIO(header + tar.END)
    with tarfile.open(fileobj=data, mode="r:", encoding="utf-8") as archive:
        info = archive.next()
    assert info is not None
    return info


def sized(path: str, size: int) -> Entry:
    """A file of any size, whose content is never read."""
    return Entry(path, Kind.FILE, 0o644, (Encoded(size, lambda: iter(())),))


def name_of(*lengths: int) -> str:
    """A path of parts of these lengths."""
    return "/".join("abcdefghij"[index % 10] * length for index, length in enumerate(lengths))


@pytest.mark.parametrize(
    ("path", "blocks"),
    [
        (name_of(1), 1),
        (name_of(100), 1),
        (name_of(101), 3),  # no slash to cut at
        (name_of(49, 50), 1),
        (name_of(50, 50), 1),  # 101 bytes, cut in two
        (name_of(54, 100), 1),  # 155 bytes
        (name_of(155, 100), 1),  # 256 bytes, the most that ustar holds
        (name_of(156, 99), 3),
        (name_of(154, 101), 3),
        (name_of(155, 101), 3),
        (name_of(20, 20, 20, 20, 20, 100), 1),
        (name_of(255, 255, 255), 4),  # a PAX record of more than one block
        ("é", 3),
        ("d/" + "é" * 50, 3),
        ("🂡" * 64, 3),
        ("with space, comma=equals", 1),
        ("new\nline", 1),
        ("new\nline" + "x" * 100, 3),
    ],
)
def test_names_are_read_back_from_the_fewest_blocks(path: str, blocks: int) -> None:
    header = tar.header(sized(path, 7))

    assert len(header) == blocks * tar.BLOCK
    assert (read_one(header).name, read_one(header).size) == (path, 7)


@pytest.mark.parametrize("length", [98, 99, 100, 101, 154, 155, 156, 254, 255])
def test_a_folders_final_slash_counts(length: int) -> None:
    path = f"{'a' * (length // 2)}/{'b' * (length - length // 2 - 1)}"
    info = read_one(tar.header(folder(path, 0o1777)))

    assert (info.name, info.isdir(), info.mode, info.size) == (path, True, 0o1777, 0)


@pytest.mark.parametrize(
    "target", ["lib", "a" * 100, "a" * 101, "../" * 60 + "x", "/usr/lib/é", "é" * 80]
)
def test_targets_of_links_are_read_back(target: str) -> None:
    info = read_one(tar.header(symlink("opt/link", target)))

    assert (info.issym(), info.linkname, info.name) == (True, target, "opt/link")


@pytest.mark.parametrize("target", ["lib", "é" * 80])
def test_targets_that_are_not_ascii_need_a_record(target: str) -> None:
    """The ustar fields hold ASCII only; everything else is a PAX record, in UTF-8."""
    ustar = tar.header(symlink("opt/link", target))[-tar.BLOCK :]

    assert ustar.isascii()
    assert (b"linkpath=" in tar.header(symlink("opt/link", target))) is (not target.isascii())


def test_hard_links_have_a_target_and_no_content() -> None:
    info = read_one(tar.header(Entry("b", Kind.HARDLINK, 0o755, (), "a")))

    assert (info.islnk(), info.linkname, info.size) == (True, "a", 0)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 8**11 - 1, 8**11, 2**40])
def test_sizes_beyond_8_gib_are_told_by_a_record(size: int) -> None:
    header = tar.header(sized("big", size))

    assert read_one(header).size == size
    assert len(header) == (1 if size < 8**11 else 3) * tar.BLOCK


def test_metadata_is_fixed() -> None:
    info = read_one(tar.header(Entry("a", Kind.FILE, 0o4755, (), "", 33, 65534)))

    assert (info.mode, info.uid, info.gid) == (0o4755, 33, 65534)
    assert (info.mtime, info.uname, info.gname) == (315_532_800, "", "")


def test_a_header_is_these_bytes() -> None:
    """For a second implementation, to the byte."""
    expected = bytearray(512)
    expected[0:5] = b"etc/x"
    expected[100:108] = b"0000755\0"
    expected[108:124] = b"0000000\0" * 2
    expected[124:136] = b"00000000005\0"
    expected[136:148] = b"02263523000\0"
    expected[148:156] = b" " * 8
    expected[156:157] = b"0"
    expected[257:265] = b"ustar\x0000"
    expected[329:345] = b"0000000\0" * 2
    expected[148:156] = b"%06o\0 " % sum(expected)

    entry = Entry("etc/x", Kind.FILE, 0o755, (Encoded(5, lambda: iter(())),))
    assert tar.header(entry) == bytes(expected)


@pytest.mark.parametrize(("size", "fill"), [(0, 0), (1, 511), (512, 0), (513, 511), (1000, 24)])
def test_padding_fills_whole_blocks(size: int, fill: int) -> None:
    assert tar.padding(size) == bytes(fill)


@pytest.mark.parametrize("path", [".wh.etc", "usr/.wh.bin", "a/.wh..wh..opq", "a/.wh.b/c"])
@pytest.mark.parametrize("kind", Kind)
def test_no_layer_holds_a_whiteout_whoever_brings_it(path: str, kind: Kind) -> None:
    with pytest.raises(tar.WhiteoutError, match=f"/{path}"):
        tar.header(Entry(path, kind, 0o644))


@pytest.mark.parametrize("path", ["a.wh.b", "x/.why", "x/a.wh.", ".wh"])
def test_names_that_only_look_so_are_held(path: str) -> None:
    assert path.encode() in tar.header(Entry(path, Kind.FILE, 0o644))
