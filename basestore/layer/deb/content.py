"""A whole package held to its own md5sums, as a wheel is to its RECORD.

deb-md5sums(5). MD5 proves nothing against who made the package; it tells a package that was put
together wrongly. What the bytes are is the lock's matter.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.errors import MalformedDebError
from basestore.layer.deb.tar import Item
from basestore.layer.entry import Kind
from basestore.layer.names import shown

_PRIVILEGES = 0o6000  # set-user-ID and set-group-ID, chmod(2)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a whole package was found to be.

    ``files``: how many files were held to a digest. ``privileged``: absolute paths of the files
    that run with their owner's or group's rights, whoever starts them. They are allowed: ``su``
    and ``passwd`` are such.
    """

    files: int
    privileged: tuple[str, ...]


def check_contents(file: BinaryIO, label: str) -> Checked:
    """Read all of a package; hold every file that its md5sums lists to that.

    Raises MalformedDebError, also where md5sums lists what isn't there. Conffiles and packages
    without md5sums are held to nothing, as by dpkg --verify.
    """
    archive = DebArchive(file, label)
    expected = _md5sums(archive.control().get("md5sums", b""), label)
    left, privileged = dict(expected), []
    for item, content in archive.data():
        if item.kind is Kind.FILE and item.mode & _PRIVILEGES:
            privileged.append(f"/{item.path}")
        if item.path in expected and _digest(item, content, expected) != left.pop(item.path):
            raise MalformedDebError(label, f"{item.path} is not what its md5sums says")
    if left:
        raise MalformedDebError(
            label, f"its md5sums lists {shown(min(left))}, which it doesn't hold"
        )
    return Checked(len(expected), tuple(sorted(privileged)))


def _digest(item: Item, content: Iterable[memoryview], expected: Mapping[str, str]) -> str:
    if item.kind is Kind.HARDLINK:  # its content is the earlier file's
        return expected.get(item.target, "")
    found = hashlib.md5(usedforsecurity=False)
    for piece in content:
        found.update(piece)
    return found.hexdigest()


def _md5sums(data: bytes, label: str) -> dict[str, str]:
    """Paths and digests, 32 hexadecimal digits and two blanks before each path."""
    found: dict[str, str] = {}
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise MalformedDebError(label, "its md5sums is not UTF-8") from None
    for line in filter(None, lines):
        digest, blanks, path = line[:32], line[32:34], line[34:]
        if blanks != "  " or not path or path in found:
            raise MalformedDebError(label, f"its md5sums has the broken line {line[:200]!r}")
        found[path.removeprefix("./")] = digest
    return found
