"""Tiny .debs and ELF files made byte by byte, so that tests can also make broken ones."""

import lzma
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from basestore.lock.model import Deb
from basestore.state import State
from basestore.store.blobs import Blobs
from basestore.store.folders import Folders
from basestore.store.leases import Unleased
from basestore.store.memory import Memory

END = bytes(1024)
AR = b"!<arch>\n"


def tar_header(
    name: str,
    flag: bytes = b"0",
    *,
    size: int = 0,
    mode: int = 0o644,
    owner: tuple[int, int] = (0, 0),
    link: str = "",
) -> bytes:
    """One ustar header block."""
    block = bytearray(512)
    block[0:100] = name.encode().ljust(100, b"\0")
    block[100:108] = b"%07o\0" % mode
    block[108:116] = b"%07o\0" % owner[0]
    block[116:124] = b"%07o\0" % owner[1]
    block[124:136] = b"%011o\0" % size
    block[136:148] = b"%011o\0" % 0
    block[156:157] = flag
    block[157:257] = link.encode().ljust(100, b"\0")
    block[257:265] = b"ustar\x0000"
    return sealed(block)


def sealed(block: bytearray) -> bytes:
    """The block with the right checksum."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def file(
    name: str, content: bytes = b"", mode: int = 0o644, owner: tuple[int, int] = (0, 0)
) -> bytes:
    head = tar_header(f"./{name}", size=len(content), mode=mode, owner=owner)
    return head + padded(content)


def folder(name: str, mode: int = 0o755, owner: tuple[int, int] = (0, 0)) -> bytes:
    return tar_header(f"./{name}/", b"5", mode=mode, owner=owner)


def symlink(name: str, target: str) -> bytes:
    return tar_header(f"./{name}", b"2", mode=0o777, link=target)


def hardlink(name: str, target: str) -> bytes:
    return tar_header(f"./{name}", b"1", link=f"./{target}")


def long_name(flag: bytes, name: str) -> bytes:
    """GNU's header before an item whose name (``L``) or target (``K``) is long."""
    data = name.encode() + b"\0"
    return tar_header("././@LongLink", flag, size=len(data)) + padded(data)


def ar(members: Sequence[tuple[str, bytes]]) -> bytes:
    parts = [AR]
    for name, data in members:
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n"
        parts += [head.encode(), data, b"\n" * (len(data) % 2)]
    return b"".join(parts)


def control_tar(files: Mapping[str, bytes]) -> bytes:
    return b"".join(file(name, data) for name, data in files.items()) + END


def deb(control: bytes, items: Sequence[bytes], files: Mapping[str, bytes] | None = None) -> bytes:
    """A package as dpkg-deb writes it."""
    return ar(
        [
            ("debian-binary", b"2.0\n"),
            ("control.tar.xz", lzma.compress(control_tar({"control": control, **(files or {})}))),
            ("data.tar.xz", lzma.compress(folder("") + b"".join(items) + END)),
        ]
    )


def control(
    name: str, *, version: str = "1.0-1", architecture: str = "amd64", more: str = ""
) -> bytes:
    return (
        f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
        f"Maintainer: Nobody <nobody@example.com>\n{more}Description: {name}\n Longer.\n"
    ).encode()


def stock(
    blobs: Blobs,
    name: str,
    items: Sequence[bytes] = (),
    *,
    files: Mapping[str, bytes] | None = None,
    more: str = "",
) -> Deb:
    """Put a package into the store, and tell how a lock would name it."""
    data = deb(control(name, more=more), items, files)
    return Deb(name, "1.0-1", "amd64", len(data), blobs.add(data))


def blobs_in(folder: Path) -> Blobs:
    return Blobs(Folders(folder), Unleased(), None, Memory(State.none()))


def elf(
    *, needed: Sequence[str] = (), soname: str = "", runpath: str = "", machine: int = 62
) -> bytes:
    """A shared library of 64 bits with one loaded segment and a dynamic section."""
    strings = b"\0"
    tags: list[tuple[int, int]] = []
    for tag, text in [(1, name) for name in needed] + [(14, soname), (29, runpath)]:
        if text:
            tags.append((tag, len(strings)))
            strings += text.encode() + b"\0"
    start = 64 + 2 * 56
    tags += [(5, start), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *tag) for tag in tags)
    end = start + len(strings) + len(dynamic)
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, machine, 1, 0, 64, 0, 0, 64, 56, 2, 64, 0, 0
    )
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end, end, 4096)
    at = start + len(strings)
    segment = struct.pack("<IIQQQQQQ", 2, 6, at, at, at, len(dynamic), len(dynamic), 8)
    return head + load + segment + strings + dynamic
