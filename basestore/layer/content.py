"""The content of entries, read again where a check needs it, which is rare."""

import os
from collections.abc import Iterator

from isal import isal_zlib

from basestore.digest import Digest
from basestore.layer.entry import Copied, Encoded, Entry, Payload, Stored
from basestore.layer.inflate import Inflation
from basestore.store.blobs import Blobs

_READ = 64 * 1024


def same_content(one: Entry, other: Entry, blobs: Blobs) -> bool:
    """Whether two files hold the same bytes; CRCs only speed up a no, for they can be forged.

    Raises BrokenStreamError and MissingBlobError.
    """
    if one.size != other.size:
        return False
    checksums = {_crc32(one), _crc32(other)} - {None}
    if len(checksums) > 1:
        return False
    return content_digest(one, blobs) == content_digest(other, blobs)


def content_digest(entry: Entry, blobs: Blobs) -> Digest:
    """The digest of a file's content; raises BrokenStreamError and MissingBlobError."""
    return Digest.of_stream(_whole(entry, blobs))


def content_crc32(entry: Entry, blobs: Blobs) -> int:
    """The CRC-32 of a file's content, which is read only where the entry doesn't tell it."""
    told = _crc32(entry)
    if told is not None:
        return told
    crc32 = 0
    for chunk in _whole(entry, blobs):
        crc32 = isal_zlib.crc32(chunk, crc32)
    return crc32


def content_range(entry: Entry, blobs: Blobs, offset: int, length: int) -> bytes:
    """A part of a file's content, fewer bytes where it ends; what lies before is read, too.

    Raises BrokenStreamError and MissingBlobError.
    """
    found = bytearray()
    for chunk in _whole(entry, blobs):
        found += chunk[max(offset, 0) :][: length - len(found)]
        offset -= len(chunk)
        if len(found) == length:
            break
    return bytes(found)


def _whole(entry: Entry, blobs: Blobs) -> Iterator[bytes]:
    return (chunk for part in entry.payload for chunk in _content(part, entry.path, blobs))


def _crc32(entry: Entry) -> int | None:
    """The content's CRC-32, where the entry tells it."""
    parts = entry.payload
    return None if len(parts) != 1 or isinstance(parts[0], Encoded) else parts[0].crc32


def _content(part: Payload, path: str, blobs: Blobs) -> Iterator[bytes]:
    if isinstance(part, Encoded):
        yield from part.read()
    elif isinstance(part, Stored):
        yield from _slices(part, part.size, blobs)
    else:
        inflation = Inflation(path, part.size, part.crc32)
        yield from inflation.contents(_slices(part, part.length, blobs))


def _slices(part: Copied | Stored, length: int, blobs: Blobs) -> Iterator[bytes]:
    with blobs.verified(part.blob) as file:
        for at in range(0, length, _READ):
            yield os.pread(file.fileno(), min(_READ, length - at), part.offset + at)
