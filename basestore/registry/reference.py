"""References: ``HOST[:PORT]/PATH[:TAG][@sha256:DIGITS]``.

Grammar: OCI distribution-spec 1.1, "Pulling manifests" (name and tag). A host is told from a path
as Docker does: it has a dot or a port, or is ``localhost``.
"""

import re
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.errors import UsageError
from basestore.transport import is_loopback

_HOST = re.compile(
    r"(?P<name>[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]{1,5}))?"
)
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")

# Clients commonly allow no more ("Pulling manifests").
_LONGEST_NAME = 255

# Docker Hub's API answers under another name than people write.
_API_HOSTS = {"docker.io": "registry-1.docker.io"}


class BadReferenceError(UsageError):
    """Not a repository or reference as the grammar has it."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(
            f"{_without_userinfo(text)!r} is no image reference: {reason}",
            "write HOST[:PORT]/PATH, with :TAG or @sha256:DIGITS where one is asked for",
        )
        self.reason = reason


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """A registry's host, with its port where it has one, and a path in it.

    Raises BadReferenceError.
    """

    host: str
    path: str

    def __post_init__(self) -> None:
        found = _HOST.fullmatch(self.host)
        if not found or not _is_port(found["port"]):
            raise BadReferenceError(str(self), f"{self.host!r} is no host")
        if not _PATH.fullmatch(self.path):
            raise BadReferenceError(
                str(self),
                f"the path {self.path!r} must be lower-case words with '.', '_' or '-' between",
            )
        if len(str(self)) > _LONGEST_NAME:
            raise BadReferenceError(str(self), f"it is longer than {_LONGEST_NAME} characters")

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"

    @property
    def api(self) -> str:
        """The URL below which the registry answers, without a final slash."""
        return f"{self._base}/v2"

    @property
    def url(self) -> str:
        """The URL below which the repository's blobs and manifests lie, without a final slash."""
        return f"{self.api}/{self.path}"

    @property
    def _base(self) -> str:
        scheme = "http" if is_loopback(_host_name(self.host)) else "https"
        return f"{scheme}://{_API_HOSTS.get(self.host, self.host)}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository with a tag, a digest or both. Raises BadReferenceError."""

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    def __post_init__(self) -> None:
        if self.tag is not None and not _TAG.fullmatch(self.tag):
            raise BadReferenceError(str(self), f"{self.tag!r} is no tag")

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def parse_repository(text: str) -> Repository:
    """Read ``HOST[:PORT]/PATH``; raises BadReferenceError."""
    if "@" in text:
        raise BadReferenceError(text, "credentials have no place in it; use `docker login`")
    if "://" in text:
        raise BadReferenceError(text, "a scheme has no place in it")
    host, separator, path = text.partition("/")
    if not separator:
        raise BadReferenceError(text, "it has no path")
    if not ("." in host or ":" in host or host == "localhost"):
        raise BadReferenceError(text, f"it must begin with a registry's host; {host!r} is none")
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    return Repository(host, path)


def parse_reference(text: str) -> Reference:
    """Read a repository with a tag, a digest, both or neither; raises BadReferenceError."""
    name, at, digits = text.rpartition("@")
    digest = _parse_digest(text, digits) if at else None
    rest = name if at else text
    slash, colon = rest.rfind("/"), rest.rfind(":")
    tag = rest[colon + 1 :] if colon > slash else None
    return Reference(parse_repository(rest[:colon] if colon > slash else rest), tag, digest)


def _parse_digest(text: str, digits: str) -> Digest:
    try:
        return Digest.parse(digits)
    except ValueError:
        raise BadReferenceError(text, "what follows the @ is no sha256 digest") from None


def _without_userinfo(text: str) -> str:
    """The text as it may be shown: what stands before an @ may be a password, even with a slash."""
    name, at, digest = text.rpartition("@")
    if at and digest.startswith("sha256:"):
        return f"{name.rpartition('@')[2]}@{digest}"
    return digest


def _is_port(text: str | None) -> bool:
    return text is None or (len(text) <= len("65535") and 0 < int(text) < 65536)


def _host_name(host: str) -> str:
    found = _HOST.fullmatch(host)
    return found["name"] if found else host
