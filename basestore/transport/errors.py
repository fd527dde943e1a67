"""What can go wrong on the way to a server. URLs in messages are redacted.

``retries`` of an error says how often the same request is worth trying again after it.
"""

from typing import ClassVar

from basestore.errors import InputError, UnreachableError
from basestore.transport.url import host_of, redact

# RFC 9110 15.5.9, 15.6.1, 15.6.3 to 15.6.5 and RFC 6585 4: the same request may fare better later.
_PASSING = (408, 429, 500, 502, 503, 504)

NETWORK_HINT = "check the network, the proxy settings and the address, then run the command again"


class TransportError(UnreachableError):
    """A request didn't give what it was for. ``url`` is redacted, ``host`` as in the URL."""

    retries: ClassVar[int] = 0
    retry_after: float = 0.0

    def __init__(self, url: str, message: str, hint: str = NETWORK_HINT) -> None:
        super().__init__(message, hint)
        self.url = redact(url)
        self.host = host_of(url)


class NoConnectionError(TransportError):
    """No connection came about: no such host, refused, no answer in time."""

    retries = 2

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, f"{host_of(url)} can't be reached: {reason} ({redact(url)})")


class UntrustedServerError(TransportError):
    """The server's certificate doesn't stand."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            url,
            f"the certificate of {host_of(url)} is not trusted: {reason}",
            "name the certificates of your network with SSL_CERT_FILE",
        )


class BrokenOffError(TransportError):
    """The connection broke, or fell silent, before the answer was whole."""

    retries = 5

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, f"{host_of(url)} broke off: {reason} ({redact(url)})")


class TruncatedError(BrokenOffError):
    """The body ended before its end; ``found`` of ``expected`` bytes are there."""

    def __init__(self, url: str, found: int, expected: int) -> None:
        super().__init__(url, f"{found} of {expected} bytes arrived")
        self.found = found
        self.expected = expected


class StalledError(BrokenOffError):
    """Bytes still come, but too few to wait for: ``found`` in ``seconds``."""

    def __init__(self, url: str, found: int, seconds: int) -> None:
        super().__init__(url, f"only {found} bytes arrived in {seconds} s")
        self.found = found
        self.seconds = seconds


class StatusError(TransportError):
    """The server answered, but not with what was asked for."""

    def __init__(self, url: str, status: int, hint: str = NETWORK_HINT) -> None:
        super().__init__(url, f"{host_of(url)} answered {phrase(status)} to {redact(url)}", hint)
        self.status = status


class NotFoundError(StatusError):
    """There is nothing at that URL (404, 410)."""

    def __init__(self, url: str, status: int = 404) -> None:
        super().__init__(url, status, "check the address; what lay there may have been removed")


class AccessDeniedError(StatusError):
    """The server wants credentials, or others (401, 403, 407)."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            url, status, f"give credentials for {host_of(url)} in ~/.netrc or in the index's URL"
        )


class ServerFaultError(StatusError):
    """The server can't at the moment; ``retry_after``: seconds it asks to wait, 0 if it doesn't."""

    retries = 5

    def __init__(self, url: str, status: int, retry_after: float = 0.0) -> None:
        super().__init__(url, status, "the server is out of order or busy; try again later")
        self.retry_after = retry_after


class RedirectError(TransportError):
    """A redirect that is not followed."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, f"{redact(url)} redirects {reason}", "check the address")


class TooLargeError(TransportError):
    """A document is larger than such documents may be."""

    def __init__(self, url: str, limit: int) -> None:
        super().__init__(
            url,
            f"{redact(url)} is larger than the {limit} bytes that it may have",
            "check the address; a small document was expected there",
        )
        self.limit = limit


class BadUrlError(InputError):
    """Not a URL that can be fetched."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"{redact(url)} is no usable URL: {reason}", "write https://, http:// or file://"
        )


class NetrcError(InputError):
    """The netrc file can't be read or understood."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} can't be used: {reason}", "mend the file, or move it away")


class ProxyError(InputError):
    """What a variable names as the proxy is none. Its value isn't shown: it may hold a password."""

    def __init__(self, scheme: str) -> None:
        super().__init__(
            f"the proxy for {scheme} servers is no usable URL",
            f"write http://HOST:PORT into the variable {scheme}_proxy, or unset it",
        )
        self.scheme = scheme


class CaBundleError(InputError):
    """The file with the certificates to trust can't be used."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"the certificates in {path} can't be used: {reason}",
            "name a PEM file with SSL_CERT_FILE, or none",
        )


def phrase(status: int) -> str:
    """A status code with its words: ``404 Not Found``."""
    from http import HTTPStatus

    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def error_of_status(url: str, status: int, retry_after: float = 0.0) -> StatusError:
    """The error that a status code outside 2xx and 3xx stands for."""
    if status in (404, 410):
        return NotFoundError(url, status)
    if status in (401, 403, 407):
        return AccessDeniedError(url, status)
    if status in _PASSING:
        return ServerFaultError(url, status, retry_after)
    return StatusError(url, status)
