"""URLs: what of them may be shown, whose they are, and the credentials in them (RFC 3986)."""

import base64
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: who may see credentials that were given for it (RFC 6454)."""

    scheme: str
    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password; never shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an ``Authorization`` header (RFC 7617)."""
        pair = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()


def origin(url: str) -> Origin:
    """The URL's origin; raises ValueError for what is no URL."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return Origin(scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(scheme))


def take_credentials(url: str) -> tuple[str, Credentials | None]:
    """The URL without its userinfo and fragment, and the credentials that stood in it."""
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=_host_and_port(parts), fragment=""))
    if not (parts.username or parts.password):
        return bare, None
    return bare, Credentials(unquote(parts.username or ""), unquote(parts.password or ""))


def redact(url: str) -> str:
    """The URL as it may be shown: without userinfo, query and fragment."""
    try:
        parts = urlsplit(url)
        shown = parts._replace(netloc=_host_and_port(parts), query="", fragment="")
    except ValueError:
        return "a malformed URL"
    return urlunsplit(shown) + ("?…" if parts.query else "")


def has_query(url: str) -> bool:
    """Whether a URL has a query; not what is no URL."""
    try:
        return bool(urlsplit(url).query)
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The host, and the port where it stands in the URL, as people know it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    return _host_and_port(parts) or f"{parts.scheme or 'no'} scheme"


def is_loopback(host: str) -> bool:
    """Whether a host without port is this machine: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_and_port(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
