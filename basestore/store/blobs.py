"""Blobs: written to a temporary file beside their place, checked, synced, then renamed.

Order of every write: data, hash and size check, fsync of the file, rename, fsync of the folder. A
name in the blobs' folder therefore stands for all of its bytes, whatever a loss of power does.

It stands for nothing where others may write: a shared store, a seed, a restored cache. What layers
are made of is opened by `Blobs.verified`, which gives no byte that this user has not hashed.
"""

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from basestore.digest import CHUNK, Digest, read_chunks
from basestore.errors import IntegrityError
from basestore.files import sync_folder
from basestore.progress import Advance
from basestore.store.folders import Folders
from basestore.store.locking import locked
from basestore.store.memory import Memory, is_keepable, is_unchanged

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO in a blob's place isn't waited for
_UNWRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)
_HASHED = 1024 * 1024  # bytes at a time

_OTHER_SOURCE = "the source serves other bytes than were locked; don't trust it before you know why"


class Lease(Protocol):
    """What keeps blobs from being collected; see `basestore.store.leases`."""

    name: str
    writes: bool

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

    def status(self) -> os.stat_result:
        """That of the file."""
        return os.fstat(self._file.fileno())


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

    def __init__(self, folders: Folders, lease: Lease, seed: Path | None, memory: Memory) -> None:
        self._folders = folders
        self._lease = lease
        self._memory = memory
        self._folder = folders.root / "blobs" / "sha256"
        self._partials = folders.root / "partials"
        self._seed = seed / "blobs" / "sha256" if seed else None
        self._folders_of_blobs = tuple(map(str, filter(None, (self._folder, self._seed))))

    def path(self, digest: Digest) -> Path:
        """Where the blob lies, or would lie."""
        return self._folder / _name(digest)

    def has(self, digest: Digest) -> bool:
        """Whether the store holds the blob, or its seed does."""
        self._lease.hold((digest,))
        name = _name(digest)
        return any(_is_file(f"{folder}/{name}") for folder in self._folders_of_blobs)

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
            if file := _opened(path):
                return file
        raise MissingBlobError(digest)

    def verified(self, digest: Digest, advance: Advance = lambda _: None) -> BinaryIO:
        """The blob's bytes, unbuffered, of a file that this user has hashed.

        Once is enough for a file that nobody else can change. Any other one (another user's, a
        seed's, one with write bits, what a link leads to) is copied into this store while it is
        hashed, and the copy is given. ``advance`` is told of the bytes hashed. Raises
        MissingBlobError and DamagedBlobError.
        """
        own = self._own(digest)
        if own is None:
            return self._copied(digest, advance)
        try:
            if not self._is_hashed(digest, own) and not self._hash(digest, own, advance):
                own.close()
                return self._copied(digest, advance)
        except BaseException:
            own.close()
            raise
        own.seek(0)
        return own

    def is_verified(self, digest: Digest) -> bool:
        """Whether `verified` would hash nothing."""
        own = self._own(digest)
        if own is None:
            return False
        with own:
            return self._is_hashed(digest, own)

    def verify(self, digest: Digest, advance: Advance) -> None:
        """Hash a blob that wasn't yet; raises as `verified`."""
        self.verified(digest, advance).close()

    def read(self, digest: Digest) -> bytes:
        """A small blob's bytes, whole; raises MissingBlobError and DamagedBlobError."""
        with self.open(digest) as file:
            data = file.read()
            if Digest.of(data) != digest:
                raise DamagedBlobError(digest, self._name_of(digest, file))
        return data

    def check(self, digest: Digest) -> None:
        """Read a blob of any size whole; raises MissingBlobError and DamagedBlobError."""
        with self.open(digest) as file:
            if Digest.of_stream(read_chunks(file)) != digest:
                raise DamagedBlobError(digest, self._name_of(digest, file))

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

        One process of this user at a time holds it; the others wait, as long as bytes arrive, and
        LockHeldError says whom for when none do. Other users have their own. When the block ends
        well the bytes are checked and kept; WrongDigestError if they are not the blob's, and
        nothing remains. When it ends badly the bytes stay for the next run. ``what`` names the
        thing in errors. A caller that waited may find the blob there: then ``size`` of the writer
        is the blob's.
        """
        self._folders.make(self._partials)
        self._lease.hold((expected,))
        path = self._partials / partial_name(expected)
        with locked(path, what) as file:
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
            self._memory.note_hashed(expected, writer.status())

    def keep(self, temporary: Path, digest: Digest) -> None:
        """Give a file of this store's ``partials``, finished, its place among the blobs."""
        self._lease.hold((digest,))
        place = self.path(digest)
        self._folders.make(place.parent)
        temporary.replace(place)
        sync_folder(place.parent)

    def _own(self, digest: Digest) -> BinaryIO | None:
        """The file in this store, if it is one whose bytes stay unless this user changes them."""
        self._lease.hold((digest,))
        file = _opened(self.path(digest), os.O_NOFOLLOW)
        if file and not is_keepable(os.fstat(file.fileno())):
            file.close()
            return None
        return file

    def _is_hashed(self, digest: Digest, file: BinaryIO) -> bool:
        return self._memory.is_hashed(digest, os.fstat(file.fileno()))

    def _hash(self, digest: Digest, file: BinaryIO, advance: Advance) -> bool:
        """Hash an open file and note it; whether it stayed as it was meanwhile.

        A page that a process has mapped and changed gives its file no new time until it is written
        back, and the next change after that does: so it is synced first. Raises DamagedBlobError.
        """
        before = os.fstat(file.fileno())
        try:
            os.fsync(file.fileno())
        except OSError:
            return False
        found = Digest.of_stream(_told(file, advance))
        after = os.fstat(file.fileno())
        if found != digest:
            raise DamagedBlobError(digest, self.path(digest))
        if not is_unchanged(before, after):
            return False
        self._memory.note_hashed(digest, after)
        return True

    def _copied(self, digest: Digest, advance: Advance) -> BinaryIO:
        """A copy, hashed on its way: of this store, or of nowhere where that isn't written."""
        with self.open(digest) as source:
            path = self._name_of(digest, source)
            if self._lease.writes:
                try:
                    return self._copied_here(digest, source, path, advance)
                except OSError as error:
                    if error.errno not in _UNWRITABLE:
                        raise
            with tempfile.TemporaryFile() as file:
                source.seek(0)
                _copy(source, file, digest, path, advance)
                return _again(file.fileno())

    def _copied_here(
        self, digest: Digest, source: BinaryIO, path: Path, advance: Advance
    ) -> BinaryIO:
        with self.draft() as draft:
            _copy(source, draft.file, digest, path, advance)
            draft.keep(digest)
            descriptor = draft.file.fileno()
            self._memory.note_hashed(digest, os.fstat(descriptor))
            return _again(descriptor)

    def _name_of(self, digest: Digest, file: BinaryIO) -> Path:
        """Where an open blob lies."""
        status = os.fstat(file.fileno())
        for path in self._places(digest):
            with contextlib.suppress(OSError):
                if os.path.samestat(path.stat(), status):
                    return path
        return self.path(digest)

    def _places(self, digest: Digest) -> Iterator[Path]:
        """Where the blob may lie: here, else in the seed."""
        yield self.path(digest)
        if self._seed:
            yield self._seed / _name(digest)

    def _has_whole(self, digest: Digest, data: bytes) -> bool:
        try:
            with self.open(digest) as file:
                return file.read() == data
        except (MissingBlobError, OSError):  # a disk may not read any more what it has
            return False


def partial_name(digest: Digest) -> str:
    """What a download of this user is called: another user's could change under one's hands."""
    return f"{os.geteuid()}-{digest.hex}"


def _name(digest: Digest) -> str:
    """Where a blob lies in a folder of blobs."""
    return f"{digest.hex[:2]}/{digest.hex}"


def _is_file(path: str) -> bool:
    """As `Path.is_file`, which is asked for hundreds of blobs where nothing is to be done."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EBADF):
            return False
        raise


def _finish(file: BinaryIO) -> None:
    """Make a file's bytes and mode durable; blobs are nobody's to write."""
    file.flush()
    os.fchmod(file.fileno(), 0o444)
    os.fsync(file.fileno())


def _opened(path: Path, flags: int = 0) -> BinaryIO | None:
    """A regular file, unbuffered; None where there is none."""
    try:
        descriptor = os.open(path, _READ | flags)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
            return None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return os.fdopen(descriptor, "rb", buffering=0)


def _told(file: BinaryIO, advance: Advance) -> Iterator[bytes]:
    """A file's bytes, told as they go by."""
    for piece in read_chunks(file, _HASHED):
        yield piece
        advance(len(piece))


def _copy(source: BinaryIO, target: BinaryIO, digest: Digest, path: Path, advance: Advance) -> None:
    """Copy a blob and hash what is written; raises DamagedBlobError, which names ``path``."""
    sha256 = hashlib.sha256()
    for piece in _told(source, advance):
        sha256.update(piece)
        target.write(piece)
    target.flush()
    if sha256.hexdigest() != digest.hex:
        raise DamagedBlobError(digest, path)


def _again(descriptor: int) -> BinaryIO:
    """The file of a descriptor once more, from its start; the two share where they stand."""
    file = os.fdopen(os.dup(descriptor), "rb", buffering=0)
    file.seek(0)
    return file
