"""Tar headers with fixed metadata: POSIX ustar, and PAX records where ustar has no room.

IEEE Std 1003.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format".
"""

from basestore.errors import IntegrityError
from basestore.layer.entry import Encoded, Entry, Kind
from basestore.layer.names import is_whiteout

BLOCK = 512
"""Headers, and contents with their padding, come in multiples of this."""

MTIME = 315_532_800
"""1980-01-01T00:00:00Z, the one time in every layer: the oldest a zip can hold."""

END = bytes(2 * BLOCK)
"""The end of an archive: two blocks of zeros."""

_MTIME = b"%011o\0" % MTIME
_MAGIC = b"ustar\x0000"
_DEVICES = b"0000000\x000000000\0"
_NO_NAMES = bytes(64)
_MAX_OCTAL = 8**11
_FIXED_SUM = sum(_MAGIC + _DEVICES) + 8 * 0x20  # of the checksum, itself taken as spaces


class WhiteoutError(IntegrityError):
    """A layer is to hold a path that would delete files of the layers below."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"a layer is to hold /{path}, a name that deletes files of the layers below it",
            "no file of an image can be called so; take out the package that brings it",
        )
        self.path = path


def header(entry: Entry) -> bytes:
    """The header blocks of an entry: one, or three and more where PAX records are needed.

    Every path of every layer passes here, whoever brings it. Raises WhiteoutError.
    """
    if is_whiteout(entry.path):
        raise WhiteoutError(entry.path)
    name = entry.path.encode() + (b"/" if entry.kind is Kind.FOLDER else b"")
    target = entry.target.encode()
    size = entry.size
    if len(name) <= 100 and len(target) <= 100 and size < _MAX_OCTAL and (name + target).isascii():
        return _block(entry, name, b"", target, size)
    return _long_header(entry, name, target, size)


def file_header(path: str, size: int) -> bytes:
    """The header blocks of a plain file whose content follows from elsewhere."""
    return header(Entry(path, Kind.FILE, 0o644, (Encoded(size, lambda: iter(())),)))


def padding(size: int) -> bytes:
    """What fills a content of ``size`` bytes up to whole blocks."""
    return bytes(-size % BLOCK)


def _long_header(entry: Entry, name: bytes, target: bytes, size: int) -> bytes:
    records = b""
    prefix, short = _split(name)
    if short is None or not name.isascii():
        records += _record(b"path", name)
        prefix, short = b"", _ascii(name[-100:])
    if len(target) > 100 or not target.isascii():
        records += _record(b"linkpath", target)
        target = _ascii(target[:100])
    if size >= _MAX_OCTAL:
        records += _record(b"size", b"%d" % size)
        size = 0
    return _pax(records) + _block(entry, short, prefix, target, size)


def _split(name: bytes) -> tuple[bytes, bytes | None]:
    """A name as ustar's prefix and name, cut at a slash; None where no cut fits."""
    if len(name) <= 100:
        return b"", name
    cut = name.rfind(b"/", 0, min(156, len(name) - 1))
    if cut <= 0 or len(name) - cut - 1 > 100:
        return b"", None
    return name[:cut], name[cut + 1 :]


def _ascii(name: bytes) -> bytes:
    """A stand-in for readers that know no PAX."""
    return bytes(byte if byte < 0x80 else 0x5F for byte in name)


def _record(key: bytes, value: bytes) -> bytes:
    """A PAX record: its own length in decimal, a space, key=value and a newline."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _pax(records: bytes) -> bytes:
    if not records:
        return b""
    extended = _fields(b"PaxHeaders", b"", b"", 0o644, 0, 0, len(records), b"x")
    return extended + records + padding(len(records))


def _block(entry: Entry, name: bytes, prefix: bytes, target: bytes, size: int) -> bytes:
    flag = entry.kind.value
    return _fields(name, prefix, target, entry.mode, entry.uid, entry.gid, size, flag)


def _fields(  # the fields of one block, in no better grouping than the standard's
    name: bytes,
    prefix: bytes,
    target: bytes,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    flag: bytes,
) -> bytes:
    numbers = b"%07o\0%07o\0%07o\0%011o\0%s" % (mode, uid, gid, size, _MTIME)
    checksum = sum(name + numbers + flag + target + prefix) + _FIXED_SUM  # padding adds nothing
    return b"%s%s%06o\0 %s%s%s%s%s%s" % (
        name.ljust(100, b"\0"),
        numbers,
        checksum,
        flag,
        target.ljust(100, b"\0"),
        _MAGIC,
        _NO_NAMES,
        _DEVICES,
        prefix.ljust(167, b"\0"),
    )
