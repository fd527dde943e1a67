"""RECORD: a wheel's list of its own files (PyPA, "Recording installed projects", RECORD)."""

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from basestore.layer.names import shown
from basestore.layer.wheel.errors import BadZipError

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""Files beside RECORD that it need not list (PyPA binary distribution format)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of RECORD: a path relative to site-packages, ``sha256=...`` or empty, and a size."""

    path: str
    hash: str
    size: str


def parse_record(content: bytes, label: str) -> tuple[Row, ...]:
    """The rows of a RECORD; raises BadZipError."""
    try:
        text = content.decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadZipError(label, f"its RECORD can't be read ({error})") from error
    if any(len(row) != 3 for row in rows):
        raise BadZipError(label, "a line of its RECORD has not three fields")
    return tuple(Row(*row) for row in rows)


def unhashed(record: str) -> frozenset[str]:
    """RECORD itself and its signatures: the files that it can't hold to a hash."""
    folder = record.removesuffix("RECORD")
    return frozenset((record, *(f"{folder}{name}" for name in SIGNATURES)))


def check_names(rows: Sequence[Row], names: Iterable[str], record: str, label: str) -> None:
    """Hold RECORD to the archive's file names, both ways; raises BadZipError with the first."""
    free = unhashed(record)
    listed = [row.path for row in rows if row.path not in free]
    held = {name for name in names if name not in free}
    if len(set(listed)) != len(listed):
        raise BadZipError(label, "its RECORD lists a file twice")
    missing = sorted(held.difference(listed))
    if missing:
        raise BadZipError(label, f"its RECORD doesn't list {missing[0]}")
    absent = sorted(set(listed) - held)
    if absent:
        raise BadZipError(label, f"its RECORD lists {shown(absent[0])}, which it doesn't hold")


def row_for(path: str, content: bytes) -> Row:
    """The row of a file whose content is in memory."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return Row(path, f"sha256={digest.decode()}", str(len(content)))


def write_rows(rows: Iterable[Row]) -> bytes:
    """Rows as CSV with line feeds."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows((row.path, row.hash, row.size) for row in rows)
    return out.getvalue().encode()
