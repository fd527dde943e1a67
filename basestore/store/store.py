"""One store: a folder with blobs, realisations, partials, scratch, leases and roots."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from basestore.errors import UnreachableError
from basestore.state import State
from basestore.store.blobs import Blobs
from basestore.store.folders import Folders
from basestore.store.format import FORMAT, Format
from basestore.store.leases import Lease, Leases, Unleased
from basestore.store.memory import Memory
from basestore.store.realisations import Realisation, Realisations, stream
from basestore.store.roots import Roots

_NO_STATE = State.none()


class StoreUnusableError(UnreachableError):
    """The store's folder can't be made, read or written."""

    def __init__(self, root: Path, reason: str) -> None:
        super().__init__(
            f"the store {root} can't be used: {reason}",
            "set BASESTORE_STORE to a folder that you can write, with room for the wheels",
        )


class NoSeedError(UnreachableError):
    """The store that is to be read beside one's own isn't there."""

    def __init__(self, seed: Path, reason: str) -> None:
        super().__init__(
            f"the seed {seed} can't be read: {reason}",
            "set BASESTORE_STORE_SEED to another machine's or user's store, or not at all",
        )


class Store:
    """A content-addressed store. Safe for many processes and threads at once.

    What it lacks is looked for in its ``seed``, another store that is never written. ``memory``:
    what of all this the user has seen; nothing else in it is believed.
    """

    def __init__(
        self,
        root: Path,
        lease: Lease | Unleased,
        seed: Path | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.root = root
        self.seed = seed
        self.lease = lease
        self.folders = Folders(root)
        self.leases = Leases(root / "leases", self.folders)
        self.roots = Roots(self.folders)
        self.memory = memory or Memory(State.none())
        self.blobs = Blobs(self.folders, lease, seed, self.memory)
        self.realisations = Realisations(self.folders, self.blobs, lease, seed, self.memory)

    @classmethod
    def open(
        cls,
        root: Path,
        seed: Path | None = None,
        form: Format = FORMAT,
        state: State = _NO_STATE,
    ) -> Self:
        """Open the store in a folder, made or migrated where need be, with a lease.

        The lease ends with this value, at the latest with the process. ``state``: the user's
        records; without them nothing counts that this process hasn't seen or made. Raises
        StoreUnusableError, StoreFormatError, OlderStoreError, StoreInUseError, NoSeedError and
        LockHeldError.
        """
        leases = Leases(root / "leases", Folders(root))
        with _usable(root, StoreUnusableError):
            form.settle(leases)
        _check_seed(root, seed, form)
        with _usable(root, StoreUnusableError):
            lease = Lease(leases)
        try:
            # Whoever migrates waits for leases, and this one may have come after that.
            with _usable(root, StoreUnusableError):
                form.check(root)
        except BaseException:
            lease.release()
            raise
        return cls(root, lease, seed, Memory(state))

    @classmethod
    def look(
        cls,
        root: Path,
        seed: Path | None = None,
        form: Format = FORMAT,
        state: State = _NO_STATE,
    ) -> Self:
        """A store that is there, for who writes nothing, and minds not what goes meanwhile.

        Raises as `open`.
        """
        with _usable(root, StoreUnusableError):
            form.check(root)
        _check_seed(root, seed, form)
        return cls(root, Unleased(), seed, Memory(state))

    def register(self, project: Path) -> None:
        """Keep what a project's locks name from now on; in a store that is only read nothing goes.

        Raises StoreUnusableError.
        """
        try:
            self.leases.prepare()
            with self.leases.gate(fcntl.LOCK_SH):
                self.roots.register(project)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT):
                raise StoreUnusableError(self.root, error.strerror or str(error)) from error

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A new folder on the store's file system, removed with all in it at the end.

        Raises StoreUnusableError where what is written meanwhile finds no space.
        """
        folder = self.root / "scratch"
        self.folders.make(folder)
        path = Path(tempfile.mkdtemp(dir=folder, prefix=f"{self.lease.name}-"))
        try:
            yield path
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise StoreUnusableError(self.root, os.strerror(error.errno)) from error
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def layer_stream(self, realisation: Realisation) -> Iterator[bytes]:
        """A layer's compressed bytes, cut from the blobs it is made of."""
        return stream(self.blobs, self.realisations.segments(realisation))


@contextmanager
def _usable(root: Path, unusable: type[StoreUnusableError | NoSeedError]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unusable(root, error.strerror or str(error)) from error


def _check_seed(root: Path, seed: Path | None, form: Format) -> None:
    if seed == root:
        raise NoSeedError(root, "it is the store itself")
    if seed:
        with _usable(seed, NoSeedError):
            form.check(seed)
