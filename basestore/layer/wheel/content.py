"""Reading a wheel's small files whole: METADATA's neighbours RECORD, WHEEL, entry_points.txt."""

import os
from typing import BinaryIO

from isal import isal_zlib

from basestore.layer.inflate import BrokenStreamError, whole
from basestore.layer.wheel.zip import DEFLATED, BadZipError, ZipEntry

LIMIT = 64 * 1024 * 1024
"""The most a metadata file may hold, in bytes."""


def read_content(file: BinaryIO, entry: ZipEntry, label: str) -> bytes:
    """A small file's content, checked against size and CRC; raises BadZipError."""
    if entry.size > LIMIT or entry.length > LIMIT:
        raise BadZipError(label, f"{entry.name} is larger than {LIMIT} bytes")
    data = os.pread(file.fileno(), entry.length, entry.offset)
    if entry.method == DEFLATED:
        try:
            return whole(data, entry.name, entry.size, entry.crc32)
        except BrokenStreamError as error:
            raise BadZipError(label, error.message) from error
    if isal_zlib.crc32(data) != entry.crc32:
        raise BadZipError(label, f"{entry.name} has not the recorded CRC-32")
    return data
