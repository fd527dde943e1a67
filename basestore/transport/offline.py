"""A door to HTTP that stays shut; files of this machine are read all the same."""

from typing import NoReturn

from basestore.transport.client import Transport
from basestore.transport.errors import TransportError
from basestore.transport.exchange import FindCredentials
from basestore.transport.message import Request
from basestore.transport.url import host_of, redact


class OfflineError(TransportError):
    """A server would have to be asked."""

    def __init__(self, url: str) -> None:
        super().__init__(
            url,
            f"offline, and {host_of(url)} would have to be asked ({redact(url)})",
            "run the command without --offline (or UV_OFFLINE, or offline in uv.toml)",
        )


class OfflineTransport(Transport):
    """Opens ``file://`` URLs and no socket: every request raises OfflineError."""

    def _ask(self, request: Request, find: FindCredentials) -> NoReturn:
        del find
        raise OfflineError(request.url)
