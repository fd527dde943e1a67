"""Digest: the name of bytes. A value of its own, never a string.

Only SHA-256 exists here (OCI image-spec, "Descriptors", registered algorithm ``sha256``).
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

CHUNK = 256 * 1024
"""Bytes read at a time where a file is hashed."""

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A SHA-256 digest; ``hex`` is its 64 lower-case digits, ``str()`` its OCI form."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise ValueError(f"{self.hex!r} is not 64 lower-case hexadecimal digits")

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``sha256:<64 digits>``; raises ValueError for anything else."""
        algorithm, separator, digits = text.partition(":")
        if algorithm != "sha256" or not separator:
            raise ValueError(f"{text!r} is not a digest of the form sha256:<64 digits>")
        return cls(digits)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The digest of bytes in memory."""
        return cls(hashlib.sha256(data).hexdigest())

    @classmethod
    def of_stream(cls, chunks: Iterable[bytes]) -> Self:
        """The digest of bytes that pass by once."""
        sha256 = hashlib.sha256()
        for chunk in chunks:
            sha256.update(chunk)
        return cls(sha256.hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """The digest of a file's content, read in pieces."""
        with path.open("rb") as file:
            return cls.of_stream(read_chunks(file))


def read_chunks(file: BinaryIO, size: int = CHUNK) -> Iterable[bytes]:
    """Yield a file's bytes from where it stands to its end, ``size`` at a time."""
    while chunk := file.read(size):
        yield chunk
