"""Excerpts of ELF files: whatever their layout, what is read is what the whole file says."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from isal import isal_zlib
from layers import new_store
from zipbytes import deflated

from basestore.layer.elf import Elf, read_elf
from basestore.layer.entry import Copied, Encoded, Entry, Kind, Stored
from basestore.layer.excerpt import HEAD, SECTION, Excerpt
from basestore.layer.listing import Dynamic
from basestore.layer.recorder import Recorder
from basestore.layer.writer import LayerWriter

STRINGS = b"\0libc.so.6\0libx.so.1\0$ORIGIN/../lib\0"
TAGS = [(1, 1), (14, 11), (29, 21)]
SIZE = 3 * HEAD
FOUND = Elf(62, "libx.so.1", ("libc.so.6",), ("$ORIGIN/../lib",))


def elf(dynamic_at: int, strings_at: int, headers_at: int = 64, size: int = SIZE) -> bytes:
    """A file with its program headers, dynamic section and strings at these offsets."""
    tags = [*TAGS, (5, strings_at), (10, len(STRINGS)), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *tag) for tag in tags)
    identity = b"\x7fELF\x02\x01\x01"
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", identity, 3, 62, 1, 0, headers_at, 0, 0, 64, 56, 2, 64, 0, 0
    )
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    at, length = dynamic_at, len(dynamic)
    segment = struct.pack("<IIQQQQQQ", 2, 6, at, at, at, length, length, 8)
    made = bytearray(b"\xaa") * size
    for place, data in ((headers_at, load + segment), (at, dynamic), (strings_at, STRINGS)):
        made[place : place + len(data)] = data
    made[:64] = head
    return bytes(made)


class Again:
    """Reads a file again, and counts how often it was asked to."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.times = 0

    def __call__(self, offset: int, length: int) -> bytes:
        self.times += 1
        return self._data[offset : offset + length]


def cut(data: bytes, piece: int) -> Iterator[bytes]:
    return (data[at : at + piece] for at in range(0, len(data), piece))


def excerpt(data: bytes, piece: int) -> tuple[Excerpt, Again]:
    again = Again(data)
    made = Excerpt(again)
    for part in cut(data, piece):
        made.take(part)
    return made, again


@pytest.mark.parametrize("piece", [256 * 1024, 999_999, SIZE])
@pytest.mark.parametrize(
    ("dynamic_at", "strings_at", "times"),
    [
        pytest.param(4096, 8192, 0, id="small tables first"),
        pytest.param(HEAD - 30, HEAD - 4096, 1, id="dynamic across the head's end"),
        pytest.param(2 * HEAD, 4096, 0, id="as linkers do"),
        pytest.param(2 * HEAD, 2 * HEAD + 5000, 0, id="as patchelf does"),
        pytest.param(4096, HEAD + 5000, 0, id="strings soon after the head"),
        pytest.param(2 * HEAD + 9000, 2 * HEAD, 1, id="strings before the section"),
        pytest.param(HEAD + 9, HEAD + 9 + SECTION, 1, id="strings far behind the section"),
        pytest.param(SIZE - 4096, SIZE - 2048, 0, id="all at the end"),
    ],
)
def test_what_is_read_is_what_the_file_says(
    dynamic_at: int, strings_at: int, times: int, piece: int
) -> None:
    data = elf(dynamic_at, strings_at)
    assert read_elf(io.BytesIO(data)) == FOUND

    made, again = excerpt(data, piece)
    assert read_elf(made) == FOUND
    assert again.times == times


def test_program_headers_may_lie_at_the_end() -> None:
    data = elf(SIZE - 4096, SIZE - 2048, headers_at=SIZE - 1024)
    made, again = excerpt(data, 100_000)
    assert read_elf(made) == FOUND
    assert again.times == 3


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1000, HEAD - 1, HEAD, HEAD + 1])
def test_any_part_is_read_as_from_a_file(size: int) -> None:
    data = elf(4096, 8192)[:size]
    made, _ = excerpt(data, 70_000)
    for offset, length in ((0, 64), (50, 100), (size // 2, 10), (size, 5), (size + 5, 5)):
        made.seek(offset)
        assert made.read(length) == data[offset : offset + length]
        assert made.read(3) == data[offset + length : offset + length + 3]


def test_what_no_one_asked_for_isnt_kept() -> None:
    """Of content that only begins as an ELF file no section is looked for."""
    data = b"\x7fELF" + bytes(SIZE)
    made, again = excerpt(data, 500_000)
    assert read_elf(made) is None
    assert again.times == 0


def test_a_recorder_reads_again_what_its_excerpts_lack(tmp_path: Path) -> None:
    """From every kind of payload, also where a file has several."""
    store = new_store(tmp_path)
    data = elf(2 * HEAD + 9000, 2 * HEAD)
    stream, crc32 = deflated(data), isal_zlib.crc32(data)
    payloads = {
        "copied": (Copied(store.blobs.add(stream), 0, len(stream), SIZE, crc32),),
        "encoded": (Encoded(SIZE, lambda: cut(data, 99_999)),),
        "halves": (
            Encoded(SIZE - 2 * HEAD - 5, lambda: iter((data[: -2 * HEAD - 5],))),
            Encoded(2 * HEAD + 5, lambda: iter((data[-2 * HEAD - 5 :],))),
        ),
        "stored": (Stored(store.blobs.add(data), 0, SIZE, crc32),),
    }
    recorder = Recorder(store.blobs)
    LayerWriter(store, recorder).write(
        Entry(path, Kind.FILE, 0o755, payload) for path, payload in payloads.items()
    )

    dynamic = Dynamic(FOUND.soname, FOUND.needed)
    assert recorder.listing().dynamic == dict.fromkeys(payloads, dynamic)
