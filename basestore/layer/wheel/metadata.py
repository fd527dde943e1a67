"""A wheel's METADATA, and what it asks of other packages (core metadata, "Requires-Dist")."""

from email.parser import BytesHeaderParser
from typing import BinaryIO

from basestore.layer.wheel.content import SMALL, read_content
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.zip import read_zip


def read_metadata(file: BinaryIO, label: str) -> bytes:
    """The METADATA of an open wheel; ``label``: its name in errors. Raises BadZipError."""
    for entry in read_zip(file, label):
        folder, _, name = entry.name.partition("/")
        if folder.endswith(".dist-info") and name == "METADATA":
            return read_content(file, entry, label, SMALL)
    raise BadZipError(label, "it has no METADATA")


def required_texts(file: BinaryIO, label: str) -> tuple[str, ...]:
    """The requirements in a wheel's METADATA as they are written; raises BadZipError.

    ``file``: the open wheel; ``label``: its name in errors.
    """
    headers = BytesHeaderParser().parsebytes(read_metadata(file, label))
    return tuple(map(str, headers.get_all("Requires-Dist", ())))
