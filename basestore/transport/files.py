"""Files behind ``file://`` URLs (RFC 8089), which local indexes and mirrors have."""

from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from basestore.digest import read_chunks
from basestore.transport.download import Target
from basestore.transport.errors import (
    BadUrlError,
    NotFoundError,
    TooLargeError,
    TransportError,
)


class UnreadableFileError(TransportError):
    """A file is there but can't be read."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, f"{url} can't be read: {reason}", "check the file and its mode")


def is_file(url: str) -> bool:
    """Whether a URL names a file of this machine."""
    return url[:5].lower() == "file:"


def read(url: str, limit: int) -> bytes:
    """The file whole; TooLargeError if it has more than ``limit`` bytes."""
    with _open(url) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise TooLargeError(url, limit)
    return data


def size(url: str) -> int:
    """The file's size in bytes."""
    with _open(url) as file:
        return file.seek(0, 2)


def download(url: str, target: Target) -> None:
    """Append what the writer lacks of the file."""
    with _open(url) as file:
        file.seek(target.writer.size)
        for chunk in read_chunks(file):
            target.writer.write(chunk)
            target.advance(len(chunk))


def _open(url: str) -> BinaryIO:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise BadUrlError(url, "a file:// URL can't name another machine")
    try:
        return Path(unquote(parts.path)).open("rb")
    except FileNotFoundError:
        raise NotFoundError(url) from None
    except OSError as error:
        raise UnreadableFileError(url, error.strerror or str(error)) from error
