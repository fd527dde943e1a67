"""Transport: the client that everything that speaks HTTP is given."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from basestore.progress import Advance
from basestore.store import BlobWriter
from basestore.transport import files
from basestore.transport.backoff import Backoff, retry_after
from basestore.transport.connections import Connections, Timeouts
from basestore.transport.download import Download, Target
from basestore.transport.errors import error_of_status
from basestore.transport.exchange import FindCredentials, exchange
from basestore.transport.message import Request, Response
from basestore.transport.netrc import Netrc

_NO_HEAD = (405, 501)


class Transport:
    """The one door to HTTP. Safe for threads; a context manager that closes its connections.

    ``netrc``: credentials by host. ``ca_bundle``: certificates to trust instead of the system's.
    ``proxies``: proxy URLs by scheme (``http``, ``https``), and under ``no`` a comma-separated
    list of hosts that need none. ``sleep`` waits so many seconds before a further try; ``clock``
    tells seconds, from any moment on.
    """

    def __init__(
        self,
        *,
        netrc: Path | None = None,
        ca_bundle: Path | None = None,
        proxies: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connections = Connections(ca_bundle, proxies or {}, timeouts or Timeouts(), clock)
        self._netrc = Netrc(netrc)
        self.backoff = Backoff(sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    def read(self, url: str, *, limit: int) -> bytes:
        """A small document whole. Raises TooLargeError beyond ``limit`` bytes, TransportError."""
        if files.is_file(url):
            return files.read(url, limit)

        def once() -> bytes:
            with self._expect_ok(Request("GET", url)) as response:
                return response.read(limit)

        return self.backoff.retry(once)

    def size(self, url: str) -> int | None:
        """How many bytes lie there, None where the server doesn't tell. Raises TransportError."""
        if files.is_file(url):
            return files.size(url)

        def once() -> int | None:
            with self._ask(Request("HEAD", url), self._netrc.find) as response:
                if response.status in _NO_HEAD:
                    return None
                return _ok(response).length

        return self.backoff.retry(once)

    def download(
        self, url: str, writer: BlobWriter, advance: Advance, *, size: int | None = None
    ) -> int:
        """Write what lies there, going on from ``writer.size``; of how many pieces it is made.

        ``size``: how many bytes there must be in all; WrongDigestError where the server tells or
        sends another number. ``advance`` is told of bytes never seen before only. Raises
        TransportError: TruncatedError where the body stayed short after all tries.
        """
        target = Target(writer, advance, size)
        if files.is_file(url):
            files.download(url, target)
            return 1
        download = Download(url, target, self._get)
        download.run(self.backoff)
        return download.connections

    def request(self, request: Request) -> Response:
        """Send what may be asked twice, without credentials but those it brings.

        The status is the caller's affair, unless the server is busy or out of order: then the
        request is repeated, and at the end ServerFaultError raised. Raises TransportError.
        """
        return self.backoff.retry(lambda: self.send(request))

    def send(self, request: Request) -> Response:
        """Send what must not be repeated blindly: as ``request``, but once."""
        return _settled(self._ask(request, _no_credentials))

    def _get(self, url: str, headers: Mapping[str, str]) -> Response:
        return self._ask(Request("GET", url, headers), self._netrc.find)

    def _expect_ok(self, request: Request) -> Response:
        return _ok(self._ask(request, self._netrc.find))

    def _ask(self, request: Request, find: FindCredentials) -> Response:
        return exchange(self._connections, request, find)


def _no_credentials(host: str) -> None:
    del host


def _ok(response: Response) -> Response:
    """The response, if its status is 200; else the error that its status stands for."""
    if response.status == 200:
        return response
    response.drain()
    raise error_of_status(response.url, response.status, retry_after(response.headers))


def _settled(response: Response) -> Response:
    """The response, unless its status says that another try may fare better."""
    error = error_of_status(response.url, response.status, retry_after(response.headers))
    if not error.retries:
        return response
    response.drain()
    raise error
