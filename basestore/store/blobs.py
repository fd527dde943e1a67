"""Blobs: written to a temporary file beside their place, checked, synced, then renamed.

Order of every write: data, hash and size check, fsync of the file, rename, fsync of the folder. A
name in the blobs' folder therefore always stands for all of its bytes.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from basestore.digest import CHUNK, Digest, read_chunks
from basestore.errors import IntegrityError
from basestore.files import sync_folder


class MissingBlobError(IntegrityError):
    """A blob was asked for that the store doesn't hold."""

    def __init__(self, digest: Digest) -> None:
        super().__init__(
            f"the store doesn't hold {digest}", "run `basestore build` to fetch or make it again"
        )
        self.digest = digest


class DamagedBlobError(IntegrityError):
    """A blob of the store has other bytes than it was kept with."""

    def __init__(self, digest: Digest, path: Path) -> None:
        super().__init__(
            f"the store's blob {digest} is damaged",
            f"something changed it on the disk: remove {path}, and run `basestore build`",
        )
        self.digest = digest


class WrongDigestError(IntegrityError):
    """Bytes arrived that are not the ones their digest or size promised."""

    def __init__(self, what: str, expected: str, found: str) -> None:
        super().__init__(
            f"{what} is not what was asked for: expected {expected}, found {found}",
            "the source serves other bytes than were locked; don't trust it before you know why",
        )
        self.expected = expected
        self.found = found


class BlobWriter:
    """Takes a blob's bytes in order and hashes them on their way to the disk.

    ``size`` is the number of bytes taken so far, including those a resumed partial began with.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)
        self._sha256.update(data)
        self.size += len(data)

    def restart(self) -> None:
        """Forget all bytes taken so far; a server may refuse to resume."""
        self._file.seek(0)
        self._file.truncate()
        self._sha256 = hashlib.sha256()
        self.size = 0

    def resume(self) -> None:
        """Take over what an earlier, interrupted writer left in the file."""
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._sha256.update(chunk)
            self.size += len(chunk)

    @property
    def digest(self) -> Digest:
        """The digest of the bytes taken so far."""
        return Digest(self._sha256.hexdigest())

    def sync(self) -> None:
        """Make the bytes durable."""
        self._file.flush()
        os.fsync(self._file.fileno())


@dataclass(frozen=True, slots=True)
class Draft:
    """A blob in the making: an open file, to be kept under the digest its writer found."""

    blobs: "Blobs"
    path: Path
    file: BinaryIO

    def keep(self, digest: Digest) -> None:
        """Make the bytes durable and name them; the caller vouches for the digest."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.blobs.keep(self.path, digest)


class Blobs:
    """The folder ``blobs/sha256`` of a store."""

    def __init__(self, folder: Path, partials: Path) -> None:
        self._folder = folder
        self._partials = partials

    def path(self, digest: Digest) -> Path:
        """Where the blob lies, or would lie."""
        return self._folder / digest.hex[:2] / digest.hex

    def has(self, digest: Digest) -> bool:
        """Whether the store holds the blob."""
        return self.path(digest).is_file()

    def size(self, digest: Digest) -> int:
        """The blob's size in bytes; raises MissingBlobError."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            raise MissingBlobError(digest) from None

    def open(self, digest: Digest) -> BinaryIO:
        """The blob's bytes, unbuffered; raises MissingBlobError."""
        try:
            return self.path(digest).open("rb", buffering=0)
        except FileNotFoundError:
            raise MissingBlobError(digest) from None

    def read(self, digest: Digest) -> bytes:
        """A small blob's bytes, whole; raises MissingBlobError and DamagedBlobError."""
        with self.open(digest) as file:
            data = file.read()
        if Digest.of(data) != digest:
            raise DamagedBlobError(digest, self.path(digest))
        return data

    def check(self, digest: Digest) -> None:
        """Read a blob of any size whole; raises MissingBlobError and DamagedBlobError."""
        with self.open(digest) as file:
            found = Digest.of_stream(read_chunks(file))
        if found != digest:
            raise DamagedBlobError(digest, self.path(digest))

    def add(self, data: bytes) -> Digest:
        """Keep bytes that are in memory; a damaged blob of them is mended."""
        digest = Digest.of(data)
        if not self.has(digest) or self.path(digest).read_bytes() != data:
            with self.writer() as writer:
                writer.write(data)
        return digest

    @contextlib.contextmanager
    def writer(self) -> Iterator[BlobWriter]:
        """A writer for a blob whose digest is not known before; kept when the block ends well."""
        with self.draft() as draft:
            writer = BlobWriter(draft.file)
            yield writer
            draft.keep(writer.digest)

    @contextlib.contextmanager
    def draft(self) -> Iterator["Draft"]:
        """A blob in the making whose digest the caller computes itself, on its own way.

        Gone at the end of the block unless kept.
        """
        self._partials.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._partials, prefix="new-")
        try:
            with os.fdopen(descriptor, "w+b", buffering=CHUNK) as file:
                yield Draft(self, Path(name), file)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def partial(self, expected: Digest, size: int | None, what: str) -> Iterator[BlobWriter]:
        """A writer for a blob known by its digest, which takes up what an earlier run left.

        One process at a time holds it; the others wait. When the block ends well the bytes are
        checked and kept; WrongDigestError if they are not the blob's, and nothing remains. When it
        ends badly the bytes stay for the next run. ``what`` names the thing in errors. A caller
        that waited may find the blob there: then ``size`` of the writer is the blob's.
        """
        self._partials.mkdir(parents=True, exist_ok=True)
        path = self._partials / expected.hex
        with _locked(path) as file:
            writer = BlobWriter(file)
            if self.has(expected):
                writer.size = self.size(expected)
                yield writer
                path.unlink(missing_ok=True)
                return
            writer.resume()
            yield writer
            if size is not None and writer.size != size:
                path.unlink(missing_ok=True)
                raise WrongDigestError(what, f"{size} bytes", f"{writer.size} bytes")
            if writer.digest != expected:
                path.unlink(missing_ok=True)
                raise WrongDigestError(what, str(expected), str(writer.digest))
            writer.sync()
            self.keep(path, expected)

    def keep(self, temporary: Path, digest: Digest) -> None:
        """Give a synced file of this store's ``partials`` its place among the blobs."""
        place = self.path(digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.chmod(0o444)
        temporary.replace(place)
        sync_folder(place.parent)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading and writing, alone; whoever replaced it meanwhile is waited out."""
    while True:
        file = path.open("a+b")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                current = path.stat().st_ino == os.fstat(file.fileno()).st_ino
            except FileNotFoundError:
                current = False
            if current:
                yield file
                return
