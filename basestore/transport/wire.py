"""The wire: what urllib3 reads of a server and sends it comes to an end, whatever the server does.

A time-out of a socket starts anew with each byte, and what http.client skips for its own ends (the
lines of a head, answers 100, the lines around the chunks of a body, a proxy's answer to CONNECT)
it skips for as long as somebody sends it. So all reading is done in *steps*: the head of an answer,
and each look for more of its body. A step takes only so long and so many bytes.

Sending and the handshake of TLS need none of that: there a time-out is for the whole call, which is
of a piece of a body at most. Imported with the first request, since urllib3 is.
"""

import errno
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from socket import socket

    from _typeshed import WriteableBuffer

HEAD = 256 * 1024
"""The most bytes of an answer's head, and of what may surround a piece of its body."""


@dataclass(frozen=True, slots=True)
class Wait:
    """``answer``: seconds for each step of reading; ``sent``: for each piece that is sent.

    What is done with the bytes meanwhile doesn't count. ``clock``: seconds, from any moment on.
    """

    answer: float
    sent: float
    clock: Callable[[], float]


class Stepped(io.RawIOBase):
    """The bytes of a connection, step by step. Reading raises OSError where a step has no end."""

    def __init__(self, raw: io.RawIOBase, wait: Wait) -> None:
        self._raw = raw
        self._wait = wait
        self.step("the head", HEAD)

    def step(self, what: str, most: int) -> None:
        """Begin another step, of ``most`` bytes."""
        self._what, self._most = what, most
        self._waited = 0.0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """What is there, of a connection that is waited for."""
        before = self._wait.clock()
        count: int | None = self._raw.readinto(buffer)
        self._waited += self._wait.clock() - before
        self._most -= count or 0
        if self._most < 0:
            raise OSError(errno.EMSGSIZE, f"{self._what} of its answer doesn't end")
        if count and self._waited > self._wait.answer:
            took = f"took more than {self._wait.answer:.0f} s"
            raise TimeoutError(errno.ETIMEDOUT, f"{self._what} of its answer {took}")
        return count

    def fileno(self) -> int:
        """The connection's."""
        return self._raw.fileno()

    def close(self) -> None:
        """Close this side of it."""
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer that is read in steps."""

    def __init__(self, sock: "socket", *args: Any, wait: Wait, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._steps = Stepped(self.fp.detach(), wait)
        self.fp = io.BufferedReader(self._steps)

    def begin(self) -> None:
        """Read the head of the answer itself.

        Interim answers come before it, as many as the server likes (RFC 9110 15.2); http.client
        passes over those of status 100 alone, and would leave what follows to the next request.
        What has no body by its status has none, whatever its head says (RFC 9112 6.3): since the
        server may think otherwise, its connection serves no more.
        """
        super().begin()
        while 100 <= self.status < 200:
            self.headers = None  # type: ignore[assignment]
            super().begin()
        if self.chunked and self.status in (204, 304):
            self.chunked, self.will_close = False, True

    def read1(self, n: int = -1) -> bytes:
        """What comes next of the body."""
        self._steps.step("a piece", max(n, 0) + HEAD)
        return super().read1(n)


class _Plain(HTTPConnection):
    """A connection whose answers are read in steps, and on which each sending has an end."""

    def __init__(self, *args: Any, wait: Wait, **options: Any) -> None:
        super().__init__(*args, **options)
        self._wait = wait
        self.response_class = partial(_Answer, wait=wait)  # type: ignore[assignment]

    def send(self, data: Any) -> None:
        """Send a piece."""
        if self.sock is not None:
            self.sock.settimeout(self._wait.sent)
        super().send(data)


class _Secure(_Plain, HTTPSConnection):
    """The same under TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


def patient(pools: PoolManager, wait: Wait) -> PoolManager:
    """The same pools, whose connections wait so long and no longer."""
    pools.pool_classes_by_scheme = {
        "http": partial(_PlainPool, wait=wait),  # type: ignore[dict-item]
        "https": partial(_SecurePool, wait=wait),  # type: ignore[dict-item]
    }
    return pools


def in_pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes, at most ``size`` at a time."""
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]
