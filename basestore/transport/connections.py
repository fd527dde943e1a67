"""Connections: one exchange with one server, through pools that threads share."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from basestore import __version__
from basestore.reading import reading
from basestore.transport.errors import (
    BadUrlError,
    BrokenOffError,
    CaBundleError,
    NoConnectionError,
    ProxyError,
    TransportError,
    UntrustedServerError,
)
from basestore.transport.message import Request, Response, reason_of
from basestore.transport.pace import Pace
from basestore.transport.url import Origin, is_loopback, origin, take_credentials

if TYPE_CHECKING:
    import ssl

    from urllib3 import PoolManager

CONNECTIONS = 16
"""Connections kept to one host."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, and for the next bytes on it.

    ``stall``: and for ``least`` bytes of a body to come or go; a kilobyte a second does over the
    slowest lines. ``answer``: and for an answer's head, or what surrounds a piece of its body.
    """

    connect: float = 10.0
    read: float = 60.0
    stall: float = 60.0
    least: int = 60 * 1024
    answer: float = 120.0


class Connections:
    """Pools by proxy. ``proxies``: URLs by scheme; under ``no`` a comma-separated list of hosts.

    ``clock``: seconds, from any moment on.
    """

    def __init__(
        self,
        ca_bundle: Path | None,
        proxies: Mapping[str, str],
        timeouts: Timeouts,
        clock: Callable[[], float],
    ) -> None:
        self._ca_bundle = ca_bundle
        self._proxies = proxies
        self._timeouts = timeouts
        self._pace = Pace(timeouts.least, timeouts.stall, clock)
        self._lock = threading.Lock()
        self._pools: dict[str, PoolManager] = {}

    def send(self, request: Request) -> Response:
        """One exchange: no redirect is followed, no status is an error.

        Raises NoConnectionError, UntrustedServerError, BrokenOffError and ProxyError.
        """
        import urllib3

        from basestore.transport.wire import in_pieces

        timeouts, body = self._timeouts, request.body
        pool = self._pool_to(origin(request.url))
        try:
            raw = pool.request(
                request.method,
                request.url,
                body=in_pieces(body.chunks(), timeouts.least) if body else None,
                headers=_headers(request),
                timeout=urllib3.Timeout(connect=timeouts.connect, read=timeouts.read),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except urllib3.exceptions.LocationValueError:
            raise BadUrlError(request.url, "it names no host") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _error_of(request.url, error) from None
        return Response(request.url, raw, self._pace)

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()

    def _pool_to(self, target: Origin) -> "PoolManager":
        """The connections to an origin; raises ProxyError."""
        with reading(lambda _: ProxyError(target.scheme)):
            return self._pool(proxy_of(target, self._proxies))

    def _pool(self, proxy: str) -> "PoolManager":
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = self._make_pool(proxy)
            return self._pools[proxy]

    def _make_pool(self, proxy: str) -> "PoolManager":
        import urllib3

        from basestore.transport.wire import Wait, patient

        context = _tls_context(self._ca_bundle) if self._ca_bundle else None
        wait = Wait(self._timeouts.answer, self._timeouts.stall, self._pace.clock)
        if not proxy:
            return patient(urllib3.PoolManager(maxsize=CONNECTIONS, ssl_context=context), wait)
        address, credentials = take_credentials(proxy)
        if not urlsplit(address).hostname:
            raise ValueError("a proxy without a host")
        headers = {"Proxy-Authorization": credentials.basic} if credentials else None
        manager = urllib3.ProxyManager(
            address,
            maxsize=CONNECTIONS,
            ssl_context=context,
            proxy_ssl_context=context,
            proxy_headers=headers,
        )
        return patient(manager, wait)


def proxy_of(target: Origin, proxies: Mapping[str, str]) -> str:
    """The proxy for an origin, empty where there is none; this machine never needs one."""
    exempt = [entry.strip().lstrip(".") for entry in proxies.get("no", "").split(",")]
    if is_loopback(target.host) or "*" in exempt:
        return ""
    if any(entry and _is_within(target, entry) for entry in exempt):
        return ""
    proxy = proxies.get(target.scheme, "")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _is_within(target: Origin, entry: str) -> bool:
    names = (target.host, f"{target.host}:{target.port}")
    return any(name == entry or name.endswith(f".{entry}") for name in names)


def _headers(request: Request) -> dict[str, str]:
    headers = {
        "User-Agent": f"basestore/{__version__}",
        "Accept": "*/*",
        # Digests and sizes are those of the file itself.
        "Accept-Encoding": "identity",
        **request.headers,
    }
    if request.body is not None:
        headers["Content-Length"] = str(request.body.size)
    return headers


def _error_of(url: str, error: Exception) -> TransportError:
    from urllib3 import exceptions

    if isinstance(error, exceptions.ProxyError) and isinstance(error.original_error, Exception):
        error = error.original_error
    if isinstance(error, exceptions.SSLError):
        return _tls_error(url, error)
    if isinstance(error, exceptions.NameResolutionError):
        return NoConnectionError(url, "no such host")
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.NewConnectionError):
        return NoConnectionError(url, reason_of(error))
    return BrokenOffError(url, reason_of(error))


def _tls_context(bundle: Path) -> "ssl.SSLContext":
    from urllib3.util import create_urllib3_context

    context = create_urllib3_context()
    try:
        context.load_verify_locations(bundle)
    except OSError as error:  # ssl.SSLError is one.
        raise CaBundleError(str(bundle), error.strerror or "it holds no certificate") from None
    return context


def _tls_error(url: str, error: Exception) -> TransportError:
    from ssl import SSLCertVerificationError

    for cause in error.args:
        if isinstance(cause, SSLCertVerificationError):
            return UntrustedServerError(url, cause.verify_message)
    return NoConnectionError(url, "it doesn't speak TLS as expected")
