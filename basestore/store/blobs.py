"""Blobs: written to a temporary file beside their place, checked, synced, then renamed.

Order of every write: data, hash and size check, fsync of the file, rename, fsync of the folder. A
name in the blobs' folder therefore always stands for all of its bytes.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from basestore.digest import CHUNK, Digest, read_chunks
from basestore.errors import IntegrityError
from basestore.files import sync_folder
from basestore.store.folders import Folders
from basestore.store.locking import locked

_OTHER_SOURCE = "the source serves other bytes than were locked; don't trust it before you know why"


class Lease(Protocol):
    """What keeps blobs from being collected; see `basestore.store.leases`."""

    name: str

    def hold(self, digests: Iterable[Digest]) -> None:
        """From now on these stay, if they are there."""


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
        root = path.parents[3]  # the store's own, or that of its seed
        super().__init__(
            f"the store's blob {digest} is damaged",
            f"something changed {path} on the disk: run "
            f"`BASESTORE_STORE={root} basestore store verify --repair`",
        )
        self.digest = digest


class WrongDigestError(IntegrityError):
    """Bytes arrived that are not the ones their digest or size promised."""

    def __init__(self, what: str, expected: str, found: str, hint: str = _OTHER_SOURCE) -> None:
        super().__init__(
            f"{what} is not what was asked for: expected {expected}, found {found}", hint
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

    def finish(self) -> None:
        """Make the bytes durable, and nobody's to write."""
        _finish(self._file)


@dataclass(frozen=True, slots=True)
class Draft:
    """A blob in the making: an open file, to be kept under the digest its writer found."""

    blobs: "Blobs"
    path: Path
    file: BinaryIO

    def keep(self, digest: Digest) -> None:
        """Make the bytes durable and name them; the caller vouches for the digest."""
        _finish(self.file)
        self.blobs.keep(self.path, digest)


class Blobs:
    """The folder ``blobs/sha256`` of a store, and that of another store that is only read.

    Whatever is asked for or kept is held by the lease first, so that nobody collects it meanwhile.
    """

    def __init__(self, folders: Folders, lease: Lease, seed: Path | None = None) -> None:
        self._folders = folders
        self._lease = lease
        self._folder = folders.root / "blobs" / "sha256"
        self._partials = folders.root / "partials"
        self._seed = seed / "blobs" / "sha256" if seed else None

    def path(self, digest: Digest) -> Path:
        """Where the blob lies, or would lie."""
        return self._folder / digest.hex[:2] / digest.hex

    def has(self, digest: Digest) -> bool:
        """Whether the store holds the blob, or its seed does."""
        self._lease.hold((digest,))
        return any(path.is_file() for path in self._places(digest))

    def size(self, digest: Digest) -> int:
        """The blob's size in bytes; raises MissingBlobError."""
        self._lease.hold((digest,))
        for path in self._places(digest):
            with contextlib.suppress(FileNotFoundError):
                return path.stat().st_size
        raise MissingBlobError(digest)

    def open(self, digest: Digest) -> BinaryIO:
        """The blob's bytes, unbuffered; raises MissingBlobError."""
        self._lease.hold((digest,))
        for path in self._places(digest):
            with contextlib.suppress(FileNotFoundError):
                return path.open("rb", buffering=0)
        raise MissingBlobError(digest)

    def read(self, digest: Digest) -> bytes:
        """A small blob's bytes, whole; raises MissingBlobError and DamagedBlobError."""
        with self.open(digest) as file:
            data = file.read()
            if Digest.of(data) != digest:
                raise DamagedBlobError(digest, Path(file.name))
        return data

    def check(self, digest: Digest) -> None:
        """Read a blob of any size whole; raises MissingBlobError and DamagedBlobError."""
        with self.open(digest) as file:
            if Digest.of_stream(read_chunks(file)) != digest:
                raise DamagedBlobError(digest, Path(file.name))

    def add(self, data: bytes) -> Digest:
        """Keep bytes that are in memory; a damaged blob of them is mended."""
        digest = Digest.of(data)
        if not self._has_whole(digest, data):
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
        self._folders.make(self._partials)
        prefix = f"new-{self._lease.name}-"
        descriptor, name = tempfile.mkstemp(dir=self._partials, prefix=prefix)
        try:
            with os.fdopen(descriptor, "w+b", buffering=CHUNK) as file:
                yield Draft(self, Path(name), file)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def partial(self, expected: Digest, size: int | None, what: str) -> Iterator[BlobWriter]:
        """A writer for a blob known by its digest, which takes up what an earlier run left.

        One process at a time holds it; the others wait, as long as bytes arrive, and LockHeldError
        says whom for when none do. When the block ends well the bytes are checked and kept;
        WrongDigestError if they are not the blob's, and nothing remains. When it ends badly the
        bytes stay for the next run. ``what`` names the thing in errors. A caller that waited may
        find the blob there: then ``size`` of the writer is the blob's.
        """
        self._folders.make(self._partials)
        self._lease.hold((expected,))
        path = self._partials / expected.hex
        with locked(path, self._folders.file_mode, what) as file:
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
            writer.finish()
            self.keep(path, expected)

    def keep(self, temporary: Path, digest: Digest) -> None:
        """Give a file of this store's ``partials``, finished, its place among the blobs."""
        self._lease.hold((digest,))
        place = self.path(digest)
        self._folders.make(place.parent)
        temporary.replace(place)
        sync_folder(place.parent)

    def _places(self, digest: Digest) -> Iterator[Path]:
        """Where the blob may lie: here, else in the seed."""
        yield self.path(digest)
        if self._seed:
            yield self._seed / digest.hex[:2] / digest.hex

    def _has_whole(self, digest: Digest, data: bytes) -> bool:
        try:
            with self.open(digest) as file:
                return file.read() == data
        except (MissingBlobError, OSError):  # a disk may not read any more what it has
            return False


def _finish(file: BinaryIO) -> None:
    """Make a file's bytes and mode durable; blobs are nobody's to write."""
    file.flush()
    with contextlib.suppress(PermissionError):  # a download that another user had begun
        os.fchmod(file.fileno(), 0o444)
    os.fsync(file.fileno())
