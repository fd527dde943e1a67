"""Leases: what running commands rely on, so that no collection takes it from under them.

A *lease* is a file that its process holds a lock of, with the digests of all blobs, layers and
recipes that the process has looked for or written. Whoever shares the opening (forked processes)
shares the lease, and the kernel frees it when the last of them ends. The *gate* is passed by a
process for the moment in which it adds to its lease, and closed by a collection for the moment of
one batch of deletions. So what `Lease.hold` was called with stays, until the process ends.
"""

import contextlib
import fcntl
import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from basestore.digest import Digest
from basestore.store.folders import Folders
from basestore.waiting import LockHeldError, holder, taken, wait

_GATE = ".gate"
_COLLECTOR = ".collector"
_DIGITS = 64  # of a digest


class Lease:
    """What one process relies on. ``name``: that of its file; drafts and scratch folders bear it.

    Where the lease can't be written (a full disk, a store that may only be read) the gate is held
    open instead for as long as the process lives: then nothing at all is collected.
    """

    writes = True
    """Whether who has it may write into the store."""

    def __init__(self, leases: "Leases") -> None:
        self._leases = leases
        self._held: set[str] = set()
        self._open: int | None = None
        self._gates: list[Callable[[], object]] = []
        self.name = f"{os.getpid()}-{os.urandom(6).hex()}"
        self._end = weakref.finalize(self, _end, None, os.getpid(), leases, self.name)
        try:
            self._begin()
        except OSError:
            self._hold_everything()

    def hold(self, digests: Iterable[Digest]) -> None:
        """From now on these stay, if they are there.

        Raises LockHeldError; and OSError where there is a gate that can't even be opened.
        """
        new = {digest.hex for digest in digests} - self._held
        if not new or self._open is None:
            return
        try:
            gate = self._leases.enter()
            try:
                self._write("".join(f"{digits}\n" for digits in new).encode())
            finally:
                os.close(gate)
        except OSError:
            self._hold_everything()
        self._held |= new

    def release(self) -> None:
        """Rely on nothing any more."""
        self._end()
        self._open = None
        for gate in self._gates:
            gate()

    def _begin(self) -> None:
        self._leases.prepare()
        with self._leases.gate(fcntl.LOCK_SH):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            descriptor = self._own(os.open(self._leases.folder / self.name, flags, 0o644))
            os.fchmod(descriptor, 0o644)  # another user's collection must be able to read it
            self._write(f"{holder(os.getpid())}\n".encode())
        self._leases.tidy()

    def _own(self, descriptor: int) -> int:
        """Hold the lock of an open file until the end."""
        self._end.detach()
        self._open = descriptor
        self._end = weakref.finalize(self, _end, descriptor, os.getpid(), self._leases, self.name)
        # Whoever asks just now whether it is dead has a shared lock for a moment.
        wait(descriptor, fcntl.LOCK_EX, f"the lease {self.name}")
        return descriptor

    def _write(self, data: bytes) -> None:
        if self._open is None or os.write(self._open, data) != len(data):
            raise OSError("the lease was not written whole")

    def _hold_everything(self) -> None:
        """Keep the gate open. Without a gate nothing was ever collected there.

        Raises OSError where there is one that can't be opened (too many open files).
        """
        try:
            gate = self._leases.enter()
        except OSError:
            if (self._leases.folder / _GATE).exists():
                raise
        else:
            self._gates.append(weakref.finalize(self, os.close, gate))
        self._open = None


class Unleased:
    """In the place of a lease for those who only look, and don't mind what goes meanwhile."""

    name = "0-0"
    writes = False

    def hold(self, digests: Iterable[Digest]) -> None:
        """Rely on nothing."""

    def release(self) -> None:
        """Nothing was held."""


@dataclass(frozen=True, slots=True)
class Leases:
    """The folder of a store's leases, its gate, and the lock of whoever tidies the store."""

    folder: Path
    folders: Folders

    def prepare(self) -> None:
        """Make the folder where it is missing."""
        self.folders.make(self.folder)

    @property
    def _the_gate(self) -> str:
        return f"the gate of the store {self.folder.parent}"

    def enter(self) -> int:
        """Pass the gate; it is left by closing the file. As `gate`, made for being quick."""
        descriptor = self.open(_GATE)
        if not taken(descriptor, fcntl.LOCK_SH):
            try:
                wait(descriptor, fcntl.LOCK_SH, self._the_gate)
            except LockHeldError:
                os.close(descriptor)
                raise
        return descriptor

    @contextlib.contextmanager
    def gate(self, operation: int) -> Iterator[None]:
        """Pass the gate (``LOCK_SH``), or close it (``LOCK_EX``); raises LockHeldError."""
        with self._locked(_GATE, operation, self._the_gate):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who collects or mends; raises LockHeldError."""
        self.prepare()
        what = f"the store {self.folder.parent}, which one command at a time may clear or mend,"
        with self._locked(_COLLECTOR, fcntl.LOCK_EX, what):
            yield

    def open(self, name: str) -> int:
        """Open one of the two files to lock, made where it is missing and may be made.

        On local file systems any opening can be locked, on network ones only a writing one.
        """
        path = f"{self.folder}/{name}"
        try:
            return os.open(path, os.O_RDWR)
        except FileNotFoundError:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, self.folders.file_mode)
        except OSError:
            return os.open(path, os.O_RDONLY)
        with contextlib.suppress(PermissionError):  # another user was the first, and does this
            os.fchmod(descriptor, self.folders.file_mode)  # the umask may have left out the group
        return descriptor

    def names(self) -> frozenset[str]:
        """The leases whose files are there, of living and of dead processes."""
        with contextlib.suppress(FileNotFoundError):
            return frozenset(name for name in os.listdir(self.folder) if name[0] != ".")
        return frozenset()

    def living(self) -> Iterator[tuple[str, str]]:
        """The names of leases that are held, and who holds them, in words."""
        for name in sorted(self.names()):
            if not self._is_dead(name):
                path = self.folder / name
                with contextlib.suppress(OSError), path.open(errors="replace") as file:
                    yield name, file.readline().strip()

    def bury(self) -> None:
        """Remove the leases of dead processes; the gate must be closed."""
        for name in self.names():
            if self._is_dead(name):
                (self.folder / name).unlink(missing_ok=True)

    def tidy(self) -> None:
        """The same if nobody collects or passes the gate just now; and else another time."""
        if len(self.names()) < 2:
            return
        with self._at_once(_COLLECTOR, fcntl.LOCK_SH) as alone, self._at_once(_GATE) as closed:
            if alone and closed:
                self.bury()

    def remove(self, name: str) -> None:
        """Remove a lease at its end, unless somebody collects, who still needs to know it."""
        with self._at_once(_COLLECTOR, fcntl.LOCK_SH) as nobody_collects:
            if nobody_collects:
                (self.folder / name).unlink(missing_ok=True)

    def _is_dead(self, name: str) -> bool:
        try:
            descriptor = os.open(self.folder / name, os.O_RDONLY)
        except FileNotFoundError:
            return True
        except PermissionError:  # its process was killed before it gave the file its mode
            return False
        try:
            return taken(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _locked(self, name: str, operation: int, what: str) -> Iterator[None]:
        descriptor = self.open(name)
        try:
            wait(descriptor, operation, what)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _at_once(self, name: str, operation: int = fcntl.LOCK_EX) -> Iterator[bool]:
        """Whether a lock was to be had without waiting; it is held for the block if so."""
        descriptor = self.open(name)
        try:
            yield taken(descriptor, operation)
        finally:
            os.close(descriptor)


class Held:
    """What leases have named since a collection began, also those that have ended meanwhile.

    Only a collection removes leases while it runs, and it removes those that were dead at its
    beginning; so what a command relied on that ended a moment ago still counts.
    """

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._read: dict[str, int] = {}
        self._digests: set[str] = set()

    def __contains__(self, digest: Digest) -> bool:
        return digest.hex in self._digests

    def owns(self, file: str) -> bool:
        """Whether a draft or scratch folder of that name is one of these leases'."""
        return any(f"{lease}-" in file for lease in self._read)

    def refresh(self) -> None:
        """Read what was added; with the gate closed this is all that anybody relies on."""
        for name in self._leases.names():
            self._read_on(name)

    def glance(self) -> None:
        """Read what running commands rely on, for who deletes nothing and keeps nobody waiting."""
        for name, _ in self._leases.living():
            with contextlib.suppress(FileNotFoundError):  # it ended a moment ago
                self._read_on(name)

    def _read_on(self, name: str) -> None:
        """Read the whole lines that were added to a lease.

        A line ends with its digest, also where a write that was cut off left something before it.
        """
        start = self._read.get(name, 0)
        with (self._leases.folder / name).open("rb") as file:
            file.seek(start)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].decode("ascii", "replace").split("\n")
        self._digests.update(line[-_DIGITS:] for line in lines)
        self._read[name] = start + whole


def _end(descriptor: int | None, owner: int, leases: Leases, name: str) -> None:
    """Close a lease; only the process that began it takes its file away."""
    if descriptor is None:
        return
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            leases.remove(name)
    os.close(descriptor)
