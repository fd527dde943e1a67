"""Transport: the one door to HTTP, and to ``file://``.

*request*, *response*: values that know nothing of the library underneath. *exchange*: a request
followed through redirects to its answer. *origin*: scheme, host and port, to which credentials
belong. *download*: a body that may take several connections to arrive. *backoff*: when a failed
request is tried again.

Nothing here reads the environment or a clock. No error, log or repr shows the credentials or the
query of a URL. The HTTP library is imported with the first request.
"""

from basestore.transport.client import Transport
from basestore.transport.connections import Timeouts
from basestore.transport.errors import (
    AccessDeniedError,
    BadUrlError,
    BrokenOffError,
    CaBundleError,
    NoConnectionError,
    NotFoundError,
    RedirectError,
    ServerFaultError,
    StalledError,
    StatusError,
    TooLargeError,
    TransportError,
    TruncatedError,
    UntrustedServerError,
    error_of_status,
    phrase,
)
from basestore.transport.message import Body, BodySizeError, Request, Response
from basestore.transport.offline import OfflineError, OfflineTransport
from basestore.transport.url import Credentials, Origin, host_of, is_loopback, origin, redact

__all__ = [
    "AccessDeniedError",
    "BadUrlError",
    "Body",
    "BodySizeError",
    "BrokenOffError",
    "CaBundleError",
    "Credentials",
    "NoConnectionError",
    "NotFoundError",
    "OfflineError",
    "OfflineTransport",
    "Origin",
    "RedirectError",
    "Request",
    "Response",
    "ServerFaultError",
    "StalledError",
    "StatusError",
    "Timeouts",
    "TooLargeError",
    "Transport",
    "TransportError",
    "TruncatedError",
    "UntrustedServerError",
    "error_of_status",
    "host_of",
    "is_loopback",
    "origin",
    "phrase",
    "redact",
]
