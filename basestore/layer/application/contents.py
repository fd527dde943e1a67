"""Contents of a working folder: hashed once while reading it, read again while encoding."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from basestore.digest import CHUNK, Digest
from basestore.layer.application.errors import ChangedFileError, UnreadableFileError
from basestore.layer.entry import Encoded


def digest_of(path: Path, size: int, shown: str) -> Digest:
    """The digest of a file's content. ``size``: what it had; ``shown``: its name in errors.

    Raises ChangedFileError where it has another size now, and UnreadableFileError.
    """
    sha256, left = hashlib.sha256(), size
    for chunk in _chunks(path, shown):
        sha256.update(chunk)
        left -= len(chunk)
    if left:
        raise ChangedFileError(shown)
    return Digest(sha256.hexdigest())


def content_of(path: Path, size: int, digest: Digest) -> Encoded:
    """A payload that is read from a file, and must be what it was when it was hashed.

    Reading it raises ChangedFileError and UnreadableFileError.
    """
    return Encoded(size, _reader(path, size, digest))


def _reader(path: Path, size: int, digest: Digest) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        sha256, left = hashlib.sha256(), size
        for chunk in _chunks(path, str(path)):
            left -= len(chunk)
            if left < 0:
                break
            sha256.update(chunk)
            yield chunk
        if left or sha256.hexdigest() != digest.hex:
            raise ChangedFileError(str(path))

    return read


def _chunks(path: Path, shown: str) -> Iterator[bytes]:
    """A file's bytes; a link that stands in its place now is not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ChangedFileError(shown) from None
    except OSError as error:
        raise UnreadableFileError(shown, (error.strerror or str(error)).lower()) from None
    try:
        while chunk := os.read(descriptor, CHUNK):
            yield chunk
    except OSError as error:
        raise UnreadableFileError(shown, (error.strerror or str(error)).lower()) from None
    finally:
        os.close(descriptor)
