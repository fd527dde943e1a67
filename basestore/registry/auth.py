"""Authorisation with a registry: Basic, or Bearer tokens from the realm it names.

Sources: distribution/distribution ``docs/spec/auth`` (token, oauth, scope). Credentials go to the
registry itself and to its realm, the latter over https, or to this machine if the registry is here
too.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from basestore.errors import UnreachableError
from basestore.reading import UNFIT
from basestore.registry.challenge import Challenge, parse_challenges
from basestore.registry.config import DockerConfig, RegistryCredentials
from basestore.registry.reference import Repository
from basestore.transport import Body, Request, Response, Transport, host_of, is_loopback

_CLIENT = "basestore"
_LARGEST_ANSWER = 1024 * 1024


class AccessRefusedError(UnreachableError):
    """The registry, or its token server, doesn't let us in."""

    def __init__(self, repository: Repository, reason: str) -> None:
        super().__init__(
            f"{repository.host} refuses access to {repository.path}: {reason}",
            f"log in with `docker login {repository.host}`, as somebody who may do this",
        )
        self.repository = repository
        self.reason = reason


class UnsafeRealmError(UnreachableError):
    """The registry wants credentials sent to where they could be overheard."""

    def __init__(self, repository: Repository, realm: str) -> None:
        super().__init__(
            f"{repository.host} sends us for a token to {host_of(realm)}, which is not https",
            "tell the registry's operator; credentials are not sent there",
        )


@dataclass(frozen=True, slots=True)
class Access:
    """What a token must allow: to read or to write a repository, and to mount from siblings."""

    repository: Repository
    scopes: tuple[str, ...]

    @classmethod
    def to_read(cls, repository: Repository) -> "Access":
        """Access for looking and pulling."""
        return cls(repository, (f"repository:{repository.path}:pull",))

    @classmethod
    def to_write(cls, repository: Repository, siblings: Sequence[str] = ()) -> "Access":
        """Access for pushing, mounting from repositories with these paths."""
        own = f"repository:{repository.path}:pull,push"
        return cls(repository, (own, *(f"repository:{path}:pull" for path in siblings)))


class Authorisation:
    """The ``Authorization`` header of one registry and access. Safe for threads.

    Nothing is looked up before the registry asks for it.
    """

    def __init__(self, transport: Transport, config: DockerConfig, access: Access) -> None:
        self._transport = transport
        self._config = config
        self._access = access
        self._lock = threading.Lock()
        self._header: str | None = None

    @property
    def header(self) -> str | None:
        """What to send now, None as long as nothing was asked for."""
        return self._header

    def renew(self, refused: str | None, response: Response) -> str:
        """The header to try after the one that the response (401) refused.

        Several threads refused at once get one new header. Raises AccessRefusedError,
        UnsafeRealmError, and the errors of the transport and of Docker's config.
        """
        with self._lock:
            if self._header == refused:
                self._header = self._answer(response.headers.get("www-authenticate", ""))
            if self._header is None or self._header == refused:
                raise AccessRefusedError(self._access.repository, "401 Unauthorized")
            return self._header

    def _answer(self, demand: str) -> str | None:
        challenges = {challenge.scheme: challenge for challenge in parse_challenges(demand)}
        credentials = self._config.find(self._access.repository.host)
        if "bearer" in challenges:
            return f"Bearer {self._token(challenges['bearer'], credentials)}"
        if "basic" in challenges and credentials and credentials.basic:
            return credentials.basic.basic
        return None

    def _token(self, challenge: Challenge, credentials: RegistryCredentials | None) -> str:
        realm = challenge.parameters.get("realm", "")
        self._check_realm(realm)
        fields = [("scope", scope) for scope in self._scopes(challenge)]
        if service := challenge.parameters.get("service"):
            fields.insert(0, ("service", service))
        if credentials and credentials.identity_token:
            request = _refresh_request(realm, fields, credentials.identity_token)
        else:
            request = _token_request(realm, fields, credentials)
        return self._read_token(request)

    def _scopes(self, challenge: Challenge) -> Sequence[str]:
        demanded = challenge.parameters.get("scope", "").split()
        own = self._access.scopes
        # Asked for reading where writing is ours already, the demand adds nothing.
        known = {scope.rpartition(":")[0] for scope in own}
        return [*own, *(scope for scope in demanded if scope.rpartition(":")[0] not in known)]

    def _check_realm(self, realm: str) -> None:
        repository = self._access.repository
        try:
            parts = urlsplit(realm)
            scheme, host = parts.scheme, parts.hostname or ""
        except ValueError:
            scheme, host = "", ""
        if not host or scheme not in ("http", "https"):
            raise AccessRefusedError(repository, "the token server it names is no web address")
        if scheme == "https":
            return
        if not (is_loopback(host) and repository.url.startswith("http://")):
            raise UnsafeRealmError(repository, realm)

    def _read_token(self, request: Request) -> str:
        repository = self._access.repository
        with self._transport.request(request) as response:
            if response.status != 200:
                reason = f"the token server {host_of(request.url)} answered {response.status}"
                raise AccessRefusedError(repository, reason)
            token = _token_of(response.read(_LARGEST_ANSWER))
        if not token:
            raise AccessRefusedError(repository, "its token server's answer holds no token")
        return token


def _token_request(
    realm: str, fields: Sequence[tuple[str, str]], credentials: RegistryCredentials | None
) -> Request:
    headers = {}
    if credentials and credentials.basic:
        headers["Authorization"] = credentials.basic.basic
        fields = [*fields, ("account", credentials.basic.user)]
    separator = "&" if urlsplit(realm).query else "?"
    return Request("GET", f"{realm}{separator}{urlencode(fields)}" if fields else realm, headers)


def _refresh_request(realm: str, fields: Sequence[tuple[str, str]], identity: str) -> Request:
    scopes = " ".join(value for name, value in fields if name == "scope")
    service = "".join(value for name, value in fields if name == "service")
    form = {
        "grant_type": "refresh_token",
        "service": service,
        "scope": scopes,
        "client_id": _CLIENT,
        "refresh_token": identity,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", realm, headers, Body.of(urlencode(form).encode()), redirects=0)


def _token_of(answer: bytes) -> str | None:
    """``token``, or its later name ``access_token``; only what a header can carry."""
    try:
        fields = json.loads(answer)
        token = fields.get("token") or fields.get("access_token")
    except UNFIT:
        return None
    printable = isinstance(token, str) and token.isascii() and token.isprintable()
    return token if printable and " " not in token else None
