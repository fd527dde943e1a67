"""RECORD: a wheel's list of its own files (PyPA, "Recording installed projects", RECORD)."""

import base64
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from basestore.layer.names import shown
from basestore.layer.wheel.errors import BadRecordError, BadZipError
from basestore.layer.wheel.zip import ZipEntry

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""Files beside RECORD that it need not list (PyPA binary distribution format)."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of RECORD: a path relative to site-packages, ``sha256=...`` or empty, and a size."""

    path: str
    hash: str
    size: str


Rows = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a wheel says it holds, beside what it holds.

    ``file``: the wheel's name. ``path`` and ``content``: RECORD's, the latter None where there is
    none. ``rows``: what RECORD lists. ``members``: the archive's files by name.
    """

    file: str
    path: str
    content: bytes | None
    rows: Rows
    members: Mapping[str, ZipEntry]

    @classmethod
    def of(
        cls, file: str, path: str, content: bytes | None, members: Mapping[str, ZipEntry]
    ) -> Self:
        """What this RECORD says; raises BadZipError where it can't be read."""
        rows = () if content is None else parse_record(content, file)
        return cls(file, path, content, rows, members)


Rule = Callable[[Claim], Rows]
"""What comes of a claim: the rows that hold, `strict` or `mended`; raises BadRecordError."""


def parse_record(content: bytes, label: str) -> Rows:
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


def strict(claim: Claim) -> Rows:
    """RECORD as it is; raises BadRecordError where it doesn't list exactly the archive's files."""
    for fault in faults(claim):
        raise BadRecordError(claim.file, fault)
    return claim.rows


def mended(claim: Claim) -> Rows:
    """RECORD as far as it is true of the archive, and a bare row for each file it says nothing of.

    Nothing is hashed: a row stays as it is where nothing contradicts it. Bare too is the row of a
    file that has two different ones, or one with another size (PyPA, "The RECORD file": either
    field may be empty). Signatures need no row. In RECORD's order, then by path.
    """
    said: dict[str, set[Row]] = {}
    for row in claim.rows:
        said.setdefault(row.path, set()).add(row)
    there = {claim.path, *claim.members}
    unlisted = there.difference(said, unhashed(claim.path) - {claim.path})
    paths = [*(path for path in said if path in there), *sorted(unlisted)]
    return tuple(_true_row(path, said.get(path, set()), claim) for path in paths)


def _true_row(path: str, said: set[Row], claim: Claim) -> Row:
    if len(said) == 1 and path != claim.path:
        (row,) = said
        if row.size in ("", str(claim.members[path].size)):
            return row
    return Row(path, "", "")


def faults(claim: Claim) -> Iterator[str]:
    """Where RECORD's names are not the archive's, a clause each."""
    if claim.content is None:
        yield f"it has no {claim.path}"
        return
    free = unhashed(claim.path)
    listed = Counter(row.path for row in claim.rows if row.path not in free)
    held = {name for name in claim.members if name not in free}
    for path in sorted(path for path, times in listed.items() if times > 1):
        yield f"its RECORD lists {shown(path)} twice"
    for path in sorted(held.difference(listed)):
        yield f"its RECORD doesn't list {path}"
    for path in sorted(listed.keys() - held):
        yield f"its RECORD lists {shown(path)}, which it doesn't hold"


def row_for(path: str, content: bytes) -> Row:
    """The row of a file whose content is in memory."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return Row(path, f"sha256={digest.decode()}", str(len(content)))


def write_rows(rows: Iterable[Row]) -> bytes:
    """Rows as CSV with line feeds."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows((row.path, row.hash, row.size) for row in rows)
    return out.getvalue().encode()
