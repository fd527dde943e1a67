"""Where a zip's central directory lies: the records at its end, which have to agree.

PKWARE APPNOTE 6.3.10; section numbers below are its.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from basestore.layer.window import Window

Refuse = Callable[[str], Exception]
"""Makes the error for a reason; the caller knows the zip's name."""

_END = struct.Struct("<4sHHHHIIH")  # 4.3.16
_END64_LOCATOR = struct.Struct("<4sIQI")  # 4.3.15
_END64 = struct.Struct("<4sQHHIIQQQQ")  # 4.3.14
_SIGNATURE = b"PK\x05\x06"
_LOCATOR = b"PK\x06\x07"
_FULL32, _FULL16 = 0xFFFFFFFF, 0xFFFF
_LONGEST = 64 * 1024 * 1024  # the largest one seen, torch's, has 1.4 MB

_LONGEST_COMMENT = 255
"""In bytes: how far from the end readers look for the end record differs, but not this little.

Real wheels have one: a Rust library that maturin used wrote its name, ``zip-rs``.
"""


@dataclass(frozen=True, slots=True)
class Directory:
    """A central directory: where it starts, its bytes, and how many entries it has."""

    start: int
    content: bytes
    count: int


def find_directory(window: Window, size: int, refuse: Refuse) -> Directory:
    """The central directory of a zip of ``size`` bytes; raises what ``refuse`` makes."""
    if size < _END.size:
        raise refuse("it is too short for a zip")
    at = _end_of(window, size, refuse)
    _, disk, start_disk, here, count, length, start, _ = _END.unpack(window.read(at, _END.size))
    if disk or start_disk or here != count:
        raise refuse("it is a part of a split zip")
    if count == _FULL16 or _FULL32 in (length, start):
        at, *real = _wide(window, at, refuse)
        told = zip((count, length, start), (_FULL16, _FULL32, _FULL32), real, strict=True)
        if any(value not in (full, wide) for value, full, wide in told):
            raise refuse("its two end of central directory records differ")
        count, length, start = real
    elif window.read(max(at - _END64_LOCATOR.size, 0), 4) == _LOCATOR:
        raise refuse("it holds a ZIP64 record that its end record doesn't announce")
    if start + length != at or length > _LONGEST:
        raise refuse("its central directory isn't where its end record says")
    return Directory(start, window.read(start, length), count)


def _end_of(window: Window, size: int, refuse: Refuse) -> int:
    """Where the end record stands: the last thing, but for a comment of printable ASCII.

    The last signature there is begins it, whichever way a reader looks for it: signatures have
    control characters, so no comment that is taken can hold a part of one.
    """
    tail = window.read(max(size - _END.size - _LONGEST_COMMENT, 0), _END.size + _LONGEST_COMMENT)
    found = tail.rfind(_SIGNATURE)
    record, comment = tail[found:][: _END.size], tail[found:][_END.size :]
    if found < 0 or len(record) < _END.size or _END.unpack(record)[-1] != len(comment):
        raise refuse("it doesn't end with an end of central directory record")
    if not (comment.isascii() and comment.decode("latin-1").isprintable()):
        raise refuse("its comment is more than a line of printable ASCII")
    return size - len(comment) - _END.size


def _wide(window: Window, at: int, refuse: Refuse) -> tuple[int, int, int, int]:
    """Where the ZIP64 end record before the one at ``at`` stands; its count, length and start."""
    at -= _END64_LOCATOR.size
    locator = _exactly(window, max(at, 0), _END64_LOCATOR.size, refuse)
    signature, disk, offset, disks = _END64_LOCATOR.unpack(locator)
    if signature != _LOCATOR or disk or disks > 1 or offset + _END64.size != at:
        raise refuse("its ZIP64 end of central directory isn't where its locator says")
    record = _exactly(window, offset, _END64.size, refuse)
    signature, size, _, _, disk, start_disk, here, count, length, start = _END64.unpack(record)
    if signature != b"PK\x06\x06" or size != _END64.size - 12 or here != count:
        raise refuse("its ZIP64 end of central directory is malformed")
    if disk or start_disk:
        raise refuse("it is a part of a split zip")
    return offset, count, length, start


def _exactly(window: Window, offset: int, length: int, refuse: Refuse) -> bytes:
    data = window.read(offset, length)
    if len(data) != length:
        raise refuse("it ends too early")
    return data
