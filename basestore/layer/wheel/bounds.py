"""What a wheel's METADATA asks of other packages (core metadata, "Requires-Dist")."""

from email.parser import BytesHeaderParser
from typing import BinaryIO

from basestore.layer.wheel.content import SMALL, read_content
from basestore.layer.wheel.errors import BadZipError
from basestore.layer.wheel.zip import read_zip


def required_texts(file: BinaryIO, label: str) -> tuple[str, ...]:
    """The requirements in a wheel's METADATA as they are written; raises BadZipError.

    ``file``: the open wheel; ``label``: its name in errors.
    """
    for entry in read_zip(file, label):
        folder, _, name = entry.name.partition("/")
        if folder.endswith(".dist-info") and name == "METADATA":
            headers = BytesHeaderParser().parsebytes(read_content(file, entry, label, SMALL))
            return tuple(map(str, headers.get_all("Requires-Dist", ())))
    raise BadZipError(label, "it has no METADATA")
