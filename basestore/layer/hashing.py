"""SHA-256 of bytes that come in pieces, beside the work that makes them.

What is hashed here is made by inflating, which is as slow as hashing: one after the other they
would make the largest wheel a serial chain. So much data is hashed by a thread of its own, which
the interpreter's lock doesn't hinder: inflating and hashing both release it. Little data isn't
worth a thread.
"""

import hashlib
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from basestore.digest import Digest

BATCH = 256 * 1024
"""Small pieces are joined to so many bytes; the most that a thread takes at a time."""

ALONE = 64 * 1024 * 1024
"""After so many bytes a thread of its own goes on: an eighth of a second's work at most."""

WAITING = 16
"""Pieces of at most ``BATCH`` bytes that may wait for the thread."""

_BIG = 64 * 1024


class _Sha256(Protocol):
    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...


class BatchedHash:
    """A SHA-256 that takes small pieces in batches, and after many bytes runs in a thread.

    ``alone``: after how many. Bytes that were handed over must not change. Whoever makes one closes
    it.
    """

    def __init__(self, alone: int = ALONE) -> None:
        self._alone = alone
        self._sha256 = hashlib.sha256()
        self._batch = bytearray()
        self._helper: _Helper | None = None
        self.size = 0

    def update(self, data: bytes | bytearray) -> None:
        """Take the next bytes."""
        self.size += len(data)
        if len(data) >= _BIG:
            self._flush()
            self._hash(data)
            return
        self._batch += data
        if len(self._batch) >= BATCH:
            self._flush()

    def copy(self) -> "BatchedHash":
        """A hash that has taken the same bytes so far."""
        self._settle()
        twin = BatchedHash(self._alone)
        twin._sha256 = self._sha256.copy()
        twin.size = self.size
        return twin

    def digest(self) -> Digest:
        """The digest of the bytes taken so far."""
        self._settle()
        return Digest(self._sha256.hexdigest())

    def close(self) -> None:
        """End the thread, if there is one."""
        if self._helper:
            self._helper.close()
            self._helper = None

    def _settle(self) -> None:
        self._flush()
        if self._helper:
            self._helper.settle()

    def _flush(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, bytearray()
            self._hash(batch)

    def _hash(self, data: bytes | bytearray) -> None:
        if self._helper is None and self.size >= self._alone:
            self._helper = _Helper(self._sha256)
        (self._helper or self._sha256).update(data)


class _Helper:
    """A thread that updates a hash.

    Both queues are unbounded, which makes them cheap; what bounds memory is that each piece takes
    one of ``WAITING`` tickets, which comes back when the piece is hashed.
    """

    def __init__(self, sha256: _Sha256) -> None:
        self._sha256 = sha256
        self._pieces: SimpleQueue[memoryview | None] = SimpleQueue()
        self._tickets: SimpleQueue[None] = SimpleQueue()
        for _ in range(WAITING):
            self._tickets.put(None)
        # A daemon, so that nothing waits for it where an interrupt comes before it is closed.
        self._thread = Thread(target=self._run, name="hash", daemon=True)
        self._thread.start()

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Hand over bytes; waits while too many are waiting."""
        view = memoryview(data)
        for at in range(0, len(view), BATCH):
            self._tickets.get()
            self._pieces.put(view[at : at + BATCH])

    def settle(self) -> None:
        """Wait until all bytes are hashed: then all tickets are back."""
        for _ in range(WAITING):
            self._tickets.get()
        for _ in range(WAITING):
            self._tickets.put(None)

    def close(self) -> None:
        """Wait for the thread to end."""
        self._pieces.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (piece := self._pieces.get()) is not None:
            self._sha256.update(piece)
            del piece  # or its bytes stay in memory until the next one comes
            self._tickets.put(None)
