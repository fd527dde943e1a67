"""Gzip members with fixed bytes (RFC 1952) and the one encoder of the layer format.

The encoder is libdeflate, through the ``deflate`` package pinned exactly: one level, one call a
member. Its version is part of the layer format.
"""

import struct
import zlib

import deflate

LEVEL = 6
"""libdeflate's level for everything encoded here."""

MEMBER = 4 * 1024 * 1024
"""The most content that goes into one encoded member, in bytes."""

# ID1 ID2, CM 8 (deflate), no flags, no time, no extra flags, OS unknown (RFC 1952, 2.3.1).
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

STORED_BLOCK = 0xFFFF
"""The most content one stored deflate block takes, in bytes (RFC 1951, 3.2.4)."""


def trailer(crc32: int, size: int) -> bytes:
    """CRC-32 and size modulo 2^32 of a member's content."""
    return struct.pack("<II", crc32, size & 0xFFFFFFFF)


def member(content: bytes | bytearray) -> bytes:
    """A whole member of at most ``MEMBER`` bytes of content."""
    body = deflate.deflate_compress(content, LEVEL)
    return HEADER + body + trailer(zlib.crc32(content), len(content))


def stored_header(length: int, last: bool) -> bytes:
    """The five bytes before the content of a stored deflate block."""
    return struct.pack("<BHH", last, length, length ^ 0xFFFF)
