"""Contents of a wheel's files: small ones whole, and all of them against RECORD's hashes."""

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from isal import isal_zlib

from basestore.layer.inflate import BrokenStreamError, Inflation, whole
from basestore.layer.wheel.errors import BadRecordError, BadZipError
from basestore.layer.wheel.record import Claim, Row, faults, unhashed
from basestore.layer.wheel.zip import DEFLATED, ZipEntry, read_zip
from basestore.progress import Advance

LIMIT = 64 * 1024 * 1024
"""The most that a file which is read whole may hold, in bytes: RECORD, or a script."""

SMALL = 4 * 1024 * 1024
"""The most that WHEEL, METADATA or entry_points.txt may hold, in bytes."""

_READ = 64 * 1024
_TOLD = 3  # things that are untrue, in a sentence

# PyPA, "Recording installed projects": sha256 or better of the guaranteed algorithms.
_ALGORITHMS = ("sha256", "sha384", "sha512")


def _untold(_amount: int) -> None:
    """Tell nobody."""


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


@dataclass(frozen=True, slots=True)
class Compared:
    """A wheel beside its RECORD: how many files have the hash that it gives, and what is untrue."""

    files: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        told = [f"{self.files} files have RECORD's hashes", *self.faults[:_TOLD]]
        more = len(self.faults) - _TOLD
        told += [f"{more} more such"] if more > 0 else []
        return "; ".join(told if self.faults else [*told, "nothing in it is untrue"])


def check_contents(file: BinaryIO, label: str, advance: Advance = _untold) -> int:
    """Hold every file of a wheel to RECORD's hash and size; how many there were.

    ``advance`` is told of the bytes read. Raises BadRecordError with the first file that differs,
    that RECORD gives no hash for, or that only one of the two has; BadZipError where the wheel
    can't be read.
    """
    files = 0
    for fault in _compared(file, label, advance):
        if fault:
            raise BadRecordError(label, fault)
        files += 1
    return files


def compare_contents(file: BinaryIO, label: str, advance: Advance = _untold) -> Compared:
    """The same of a wheel whose RECORD need not be true; raises BadZipError."""
    found = list(_compared(file, label, advance))
    return Compared(found.count(""), tuple(filter(None, found)))


def _compared(file: BinaryIO, label: str, advance: Advance) -> Iterator[str]:
    """What is untrue in RECORD, a clause each, and for each file that has its hash an empty one."""
    claim = _claim(file, label)
    yield from faults(claim)
    free = unhashed(claim.path)
    for row in dict.fromkeys(claim.rows):
        member = claim.members.get(row.path)
        if member and row.path not in free:
            yield _fault(file, member, row, label)
            advance(member.length)


def _claim(file: BinaryIO, label: str) -> Claim:
    members = {member.name: member for member in read_zip(file, label)}
    records = [
        name for name in members if name.endswith(".dist-info/RECORD") and name.count("/") == 1
    ]
    if len(records) > 1:
        raise BadZipError(label, f"it has {len(records)} RECORD files instead of one")
    path = records[0] if records else "RECORD"
    content = read_content(file, members[path], label) if records else None
    return Claim.of(label, path, content, members)


def _fault(file: BinaryIO, member: ZipEntry, row: Row, label: str) -> str:
    """In what a file isn't what its row says; empty where it is. Raises BadZipError."""
    algorithm, _, expected = row.hash.partition("=")
    if algorithm not in _ALGORITHMS:
        return f"its RECORD has no strong hash of {row.path}"
    found = hashlib.new(algorithm)
    try:
        for content in _contents(file, member):
            found.update(content)
    except BrokenStreamError as error:
        raise BadZipError(label, error.message) from error
    digest = base64.urlsafe_b64encode(found.digest()).rstrip(b"=").decode()
    # Builders of their own, gmsh's, write it in hexadecimal: longer, so never taken for base64.
    same = expected in (digest, found.hexdigest()) and row.size in ("", str(member.size))
    return "" if same else f"{row.path} is not what its RECORD says"


def _contents(file: BinaryIO, member: ZipEntry) -> Iterator[bytes]:
    if member.method == DEFLATED:
        inflation = Inflation(member.name, member.size, member.crc32)
        yield from inflation.contents(_slices(file, member))
        return
    crc32 = 0
    for content in _slices(file, member):
        crc32 = isal_zlib.crc32(content, crc32)
        yield content
    if crc32 != member.crc32:
        raise BrokenStreamError(member.name, "its content's CRC-32 is not the one recorded")


def _slices(file: BinaryIO, member: ZipEntry) -> Iterator[bytes]:
    for at in range(0, member.length, _READ):
        yield os.pread(file.fileno(), min(_READ, member.length - at), member.offset + at)
