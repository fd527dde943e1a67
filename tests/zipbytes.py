"""Zip archives made byte by byte (PKWARE APPNOTE 6.3.10), so that tests can make every wrong one.

Streams come from libdeflate, whose bytes are the same everywhere: archives made here have one
digest, unlike those of a zlib that the platform brings.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import deflate

STORED, DEFLATED = 0, 8
FULL32 = 0xFFFFFFFF
UTF8, DESCRIPTOR = 0x0800, 0x0008

Fields = Mapping[str, int | bytes]
"""What a header says instead of the truth, by the names used in this file."""


@dataclass(frozen=True)
class Item:
    """A file of an archive. ``local`` and ``central`` replace fields of its two headers.

    ``data``: other compressed bytes than the content's. ``before`` and ``after``: bytes around the
    entry, a data descriptor for instance.
    """

    name: str
    content: bytes = b""
    method: int = DEFLATED
    mode: int = 0o100644
    flags: int = 0
    data: bytes | None = None
    local: Fields = field(default_factory=dict)
    central: Fields = field(default_factory=dict)
    before: bytes = b""
    after: bytes = b""

    @property
    def stream(self) -> bytes:
        """The compressed bytes."""
        if self.data is not None:
            return self.data
        return deflated(self.content) if self.method == DEFLATED else self.content

    @property
    def crc32(self) -> int:
        """The CRC-32 of the content."""
        return zlib.crc32(self.content)

    def truth(self) -> dict[str, int | bytes]:
        """The fields that both headers have."""
        return {
            "signature": b"",
            "version": 20,
            "flags": self.flags,
            "method": self.method,
            "time": 0,
            "date": 0x21,
            "crc32": self.crc32,
            "length": len(self.stream),
            "size": len(self.content),
            "name": self.name.encode(),
            "extra": b"",
        }


def deflated(content: bytes) -> bytes:
    """The raw deflate stream of a content."""
    return bytes(deflate.deflate_compress(content, 6))


def extra(kind: int, data: bytes) -> bytes:
    """An extra field (4.5.1)."""
    return struct.pack("<HH", kind, len(data)) + data


def wide(*values: int) -> bytes:
    """A ZIP64 extra field (4.5.3)."""
    return extra(1, struct.pack(f"<{len(values)}Q", *values))


def descriptor(item: Item, *, signature: bool, eight: bool) -> bytes:
    """An item's data descriptor (4.3.9), with 8-byte sizes where wanted."""
    form = "<IQQ" if eight else "<III"
    body = struct.pack(form, item.crc32, len(item.stream), len(item.content))
    return (b"PK\x07\x08" if signature else b"") + body


def zip_bytes(
    items: Sequence[Item],
    *,
    gap: bytes = b"",
    end: Fields | None = None,
    zip64: Fields | None = None,
    tail: bytes = b"",
) -> bytes:
    """The archive. ``gap`` comes before the directory, ``tail`` behind everything.

    ``end`` replaces fields of the end record; ``zip64``, where given, adds the two ZIP64 records
    and replaces fields of them.
    """
    body, directory = bytearray(), bytearray()
    for item in items:
        body += item.before
        directory += central_header(item, len(body))
        body += local_header(item) + item.stream + item.after
    body += gap
    truth = {"count": len(items), "length": len(directory), "start": len(body)}
    records = b"" if zip64 is None else zip64_records({**truth, **zip64})
    return bytes(body + directory + records + end_record({**truth, **(end or {})}) + tail)


def local_header(item: Item) -> bytes:
    """4.3.7."""
    f = item.truth() | {"signature": b"PK\x03\x04"} | dict(item.local)
    names = f["name"], f["extra"]
    numbers = [f[key] for key in ("version", "flags", "method", "time", "date")]
    sizes = [f[key] for key in ("crc32", "length", "size")]
    fixed = struct.pack("<4sHHHHHIIIHH", f["signature"], *numbers, *sizes, *map(len, names))
    return fixed + b"".join(names)


def central_header(item: Item, offset: int) -> bytes:
    """4.3.12."""
    own = {"signature": b"PK\x01\x02", "made_by": 0x0314, "comment": b"", "disk": 0}
    place = {"inner": 0, "attributes": item.mode << 16, "offset": offset}
    f = item.truth() | own | place | dict(item.central)
    names = f["name"], f["extra"], f["comment"]
    numbers = [f[key] for key in ("made_by", "version", "flags", "method", "time", "date")]
    sizes = [f[key] for key in ("crc32", "length", "size")]
    last = [f[key] for key in ("disk", "inner", "attributes", "offset")]
    lengths = map(len, names)
    fixed = struct.pack("<4sHHHHHHIIIHHHHHII", f["signature"], *numbers, *sizes, *lengths, *last)
    return fixed + b"".join(names)


def end_record(fields: Fields) -> bytes:
    """4.3.16."""
    f = {"signature": b"PK\x05\x06", "disk": 0, "start_disk": 0, "comment": b"", **fields}
    counts = [f["disk"], f["start_disk"], f.get("here", f["count"]), f["count"]]
    comment = f["comment"]
    fixed = struct.pack(
        "<4sHHHHIIH", f["signature"], *counts, f["length"], f["start"], len(comment)
    )
    return fixed + comment


def zip64_records(fields: Fields) -> bytes:
    """4.3.14 and 4.3.15: the end record, and the locator that names its place."""
    f = {"signature": b"PK\x06\x06", "record": 44, "disk": 0, "start_disk": 0, **fields}
    counts = [f["disk"], f["start_disk"], f.get("here", f["count"]), f["count"]]
    record = struct.pack(
        "<4sQHHIIQQQQ", f["signature"], f["record"], 45, 45, *counts, f["length"], f["start"]
    )
    g = {"locator": b"PK\x06\x07", "on_disk": 0, "at": fields["start"] + fields["length"]}
    g = (
        g
        | {"disks": 1}
        | {key: f[key] for key in f if key in ("locator", "on_disk", "at", "disks")}
    )
    return record + struct.pack("<4sIQI", g["locator"], g["on_disk"], g["at"], g["disks"])
