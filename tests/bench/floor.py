"""The floor: the least that any program has to do to make layers out of a lock's wheels.

Each byte of content is inflated once, content and layer are hashed once, by two processes, largest
wheel first, with no work of Python's for a file but to find where it lies.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from isal import igzip_lib

from basestore.layer.wheel.zip import DEFLATED, ZipEntry, read_zip

PROCESSES = 2
READ = 64 * 1024  # bytes of a wheel that are read at a time
PIECE = 256 * 1024  # bytes of content that are inflated and hashed at a time: they stay in a cache


def floor_all(wheels: Sequence[Path]) -> int:
    """Inflate and hash wheels; the bytes of content."""
    largest_first = sorted(wheels, key=lambda path: -path.stat().st_size)
    with ProcessPoolExecutor(PROCESSES, get_context("fork")) as pool:
        return sum(pool.map(floor, largest_first))


def floor(path: Path) -> int:
    """One wheel: where its streams are, a hash of its bytes, a hash of its content."""
    layer, content, size = hashlib.sha256(), hashlib.sha256(), 0
    small = bytearray()
    with path.open("rb", buffering=0) as file:
        entries = read_zip(file, path.name)
        file.seek(0)
        while piece := file.read(PIECE):
            layer.update(piece)
        for piece in (piece for entry in entries for piece in _content(file, entry)):
            size += len(piece)
            if len(piece) == PIECE:
                content.update(piece)
                continue
            small += piece
            if len(small) >= PIECE:
                content.update(small)
                small.clear()
        content.update(small)
    return size


def _content(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    """The content of a file of a wheel, in pieces."""
    if entry.method != DEFLATED:
        yield from _read(file, entry)
        return
    inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_DEFLATE)
    for stream in _read(file, entry):
        yield inflate.decompress(stream, PIECE)
        while not (inflate.eof or inflate.needs_input):
            yield inflate.decompress(b"", PIECE)


def _read(file: BinaryIO, entry: ZipEntry) -> Iterator[bytes]:
    """The bytes of a file of a wheel as they lie there, in pieces."""
    for begin in range(0, entry.length, READ):
        yield os.pread(file.fileno(), min(READ, entry.length - begin), entry.offset + begin)
