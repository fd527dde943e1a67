"""A proxy on loopback that counts what its clients send."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench.serving import serving

CHUNK = 1 << 18


@dataclass
class Counter:
    """``address``: HOST:PORT, where it listens. ``sent``: bytes so far, headers included."""

    address: str = ""
    sent: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, count: int) -> None:
        """Count bytes; any thread may."""
        with self._lock:
            self.sent += count


@contextmanager
def counting(upstream: str) -> Iterator[Counter]:
    """Pass on what comes, to HOST:PORT and back, and count what goes there."""
    counter = Counter()
    host, _, port = upstream.rpartition(":")

    with serving(partial(_Forward, (host, int(port)), counter.add)) as address:
        counter.address = address
        yield counter


class _Forward(socketserver.BaseRequestHandler):
    """Passes on a connection's bytes, and counts those of the client."""

    def __init__(self, to: tuple[str, int], count: Callable[[int], None], *given: Any) -> None:
        self._to, self._count = to, count
        super().__init__(*given)

    def handle(self) -> None:
        with socket.create_connection(self._to) as upstream:
            back = threading.Thread(
                target=_pass, args=(upstream, self.request, _ignore), daemon=True
            )
            back.start()
            _pass(self.request, upstream, self._count)
            back.join()


def _ignore(_: int) -> None:
    """Answers aren't counted."""


def _pass(source: socket.socket, to: socket.socket, count: Callable[[int], None]) -> None:
    """Pass on bytes until their source ends, which is passed on too."""
    buffer = memoryview(bytearray(CHUNK))
    with suppress(OSError):  # either side may go when it likes
        while number := source.recv_into(buffer):
            count(number)
            to.sendall(buffer[:number])
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)
