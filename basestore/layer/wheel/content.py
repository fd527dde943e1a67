"""Contents of a wheel's files: small ones whole, and all of them against RECORD's hashes."""

import base64
import hashlib
import os
from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib

from basestore.layer.inflate import BrokenStreamError, Inflation, whole
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.record import Row, check_names, parse_record, unhashed
from basestore.layer.wheel.zip import DEFLATED, ZipEntry, read_zip

LIMIT = 64 * 1024 * 1024
"""The most that a file which is read whole may hold, in bytes: RECORD, or a script."""

SMALL = 4 * 1024 * 1024
"""The most that WHEEL, METADATA or entry_points.txt may hold, in bytes."""

_READ = 64 * 1024

# PyPA, "Recording installed projects": sha256 or better of the guaranteed algorithms.
_ALGORITHMS = ("sha256", "sha384", "sha512")


def read_content(file: BinaryIO, entry: ZipEntry, label: str, limit: int = LIMIT) -> bytes:
    """A small file's content, checked against size and CRC; raises BadZipError."""
    if entry.size > limit or entry.length > limit:
        raise BadZipError(label, f"{entry.name} is larger than {limit} bytes")
    data = os.pread(file.fileno(), entry.length, entry.offset)
    if entry.method == DEFLATED:
        try:
            return whole(data, entry.name, entry.size, entry.crc32)
        except BrokenStreamError as error:
            raise BadZipError(label, error.message) from error
    if isal_zlib.crc32(data) != entry.crc32:
        raise BadZipError(label, f"{entry.name} has not the recorded CRC-32")
    return data


def check_contents(file: BinaryIO, label: str) -> int:
    """Hold every file of a wheel to RECORD's hash and size; how many there were.

    Raises BadZipError with the first that differs, or that RECORD gives no hash for.
    """
    members = {member.name: member for member in read_zip(file, label)}
    records = [
        name for name in members if name.endswith(".dist-info/RECORD") and name.count("/") == 1
    ]
    if len(records) != 1:
        raise BadZipError(label, f"it has {len(records)} RECORD files instead of one")
    rows = parse_record(read_content(file, members[records[0]], label), label)
    check_names(rows, members, records[0], label)
    hashed = [row for row in rows if row.path not in unhashed(records[0])]
    for row in hashed:
        _check(file, members[row.path], row, label)
    return len(hashed)


def _check(file: BinaryIO, member: ZipEntry, row: Row, label: str) -> None:
    algorithm, _, expected = row.hash.partition("=")
    if algorithm not in _ALGORITHMS:
        raise BadZipError(label, f"its RECORD has no strong hash of {row.path}")
    found = hashlib.new(algorithm)
    try:
        for content in _contents(file, member):
            found.update(content)
    except BrokenStreamError as error:
        raise BadZipError(label, error.message) from error
    digest = base64.urlsafe_b64encode(found.digest()).rstrip(b"=").decode()
    if digest != expected or (row.size and row.size != str(member.size)):
        raise BadZipError(label, f"{row.path} is not what its RECORD says")


def _contents(file: BinaryIO, member: ZipEntry) -> Iterator[bytes]:
    if member.method != DEFLATED:
        yield from _slices(file, member)
        return
    inflation = Inflation(member.name, member.size, member.crc32)
    yield from inflation.contents(_slices(file, member))


def _slices(file: BinaryIO, member: ZipEntry) -> Iterator[bytes]:
    for at in range(0, member.length, _READ):
        yield os.pread(file.fileno(), min(_READ, member.length - at), member.offset + at)
