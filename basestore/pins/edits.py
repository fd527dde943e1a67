"""Edits: what of a file is replaced, and nothing else."""

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """Bytes ``start`` to ``end`` of a file, and what they become."""

    file: str
    start: int
    end: int
    new: str


def rewrite(data: bytes, edits: Iterable[Edit]) -> bytes:
    """A file's bytes after edits of it, each once; raises ValueError for edits that overlap."""
    parts, at = [], 0
    for edit in sorted(set(edits)):
        if edit.start < at:
            raise ValueError(f"two edits of byte {edit.start} of {edit.file}")
        parts += [data[at : edit.start], edit.new.encode()]
        at = edit.end
    return b"".join([*parts, data[at:]])
