"""Servers on loopback, in threads of this process, that run for the length of a block."""

import socketserver
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Handler = Callable[..., socketserver.BaseRequestHandler]
"""A handler's class, or what makes one from the same arguments."""

_POLL = 0.02
"""Seconds until the end of a block is noticed, at most."""


class _Threads(socketserver.ThreadingMixIn):
    """One thread a connection. None is waited for: clients may keep idle connections."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell a fault of the handler's. Clients may go as they like, and refuse a certificate."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)  # type: ignore[misc]


class _Port(_Threads, socketserver.TCPServer):
    allow_reuse_address = True


class _Socket(_Threads, socketserver.UnixStreamServer):
    pass


@contextmanager
def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """``HOST:PORT``, where a handler answers."""
    with _Port(("127.0.0.1", 0), handler) as server:
        if tls:  # each connection shakes hands in its own thread
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        with _running(server):
            yield f"127.0.0.1:{server.server_address[1]}"


@contextmanager
def serving_on(socket: Path, handler: Handler) -> Iterator[None]:
    """Where a handler answers is a unix socket that is made for it, at a short path."""
    with _Socket(str(socket), handler) as server, _running(server):
        yield


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(_POLL,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
