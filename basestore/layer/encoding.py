"""Encoding ahead: members in their order, of which threads make the large ones meanwhile.

Encoding is the slowest thing done to a byte. The content of .debs is encoded, and with more
processors than processes their layer would be what a build waits for.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from basestore.layer import gzip

THREADS = 3
"""More than what reads the contents can feed would only wait."""

WORTH = 32 * 1024
"""The least content that is given to a thread, in bytes; less is encoded sooner than given."""

WAITING = 8 * 1024 * 1024
"""Beyond so many bytes of content that wait, the oldest member is waited for."""

Take = Callable[[bytes], None]
"""Takes the members, in the order of their contents."""


class Encoder:
    """Gives members to ``take``, each after those before it. Whoever makes one closes it."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._threads: ThreadPoolExecutor | None = None
        self._waiting: deque[tuple[Callable[[], bytes], int]] = deque()
        self._size = 0

    def member(self, content: bytes | bytearray) -> None:
        """The next member's content, at most ``gzip.MEMBER`` bytes, which must not change."""
        if len(content) >= WORTH:
            self._append(self._pool().submit(gzip.member, content).result, len(content))
        elif self._waiting:
            made = gzip.member(content)
            self._append(lambda: made, len(content))
        else:
            self._take(gzip.member(content))

    def settle(self) -> None:
        """Wait until all members are made and taken."""
        self._shrink(0)

    def close(self) -> None:
        """End the threads; what was not settled is lost."""
        if self._threads:
            self._threads.shutdown(cancel_futures=True)

    def _append(self, member: Callable[[], bytes], size: int) -> None:
        self._waiting.append((member, size))
        self._size += size
        self._shrink(WAITING)

    def _shrink(self, size: int) -> None:
        while self._size > size:
            member, length = self._waiting.popleft()
            self._size -= length
            self._take(member())

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="encode")
        return self._threads
