"""The one door to Docker's SDK: what of it is used, and its errors turned into ours.

The SDK has no types and takes 170 ms to import: everything else speaks to ``Api``.
"""

import errno
import os
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, cast

from basestore.engine.endpoint import Endpoint, Tls
from basestore.engine.errors import (
    EndpointError,
    EngineRefusedError,
    NoEngineError,
    NotAnEngineError,
    OldEngineError,
)
from basestore.reading import UNFIT

if TYPE_CHECKING:
    import docker

OLDEST_API = "1.41"
"""Of Docker 20.10, the oldest engine that this is tried with."""

_PATIENCE = 60
"""Seconds for the first answer. After it there is no limit: unpacking gigabytes takes its time."""

_LONGEST_REASON = 400

_CONFIG = "DOCKER_CONFIG"

_RIGHT = "you need the right to use its socket: often that is membership of the group docker"
_TLS = "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem"
_AGAIN = "see whether it still runs (its log says more), then run the command again"


class Api(Protocol):
    """What is used of the SDK's ``APIClient``. Answers are what the engine's JSON holds."""

    def version(self, api_version: bool) -> Any:
        """The engine's versions, of itself and of its API."""

    def info(self) -> Any:
        """What the engine says of itself."""

    def images(self, *, filters: Mapping[str, str]) -> Any:
        """The images with some label."""

    def inspect_image(self, image: str) -> Any:
        """An image by name or ID."""

    def load_image(self, data: Iterable[bytes], quiet: bool) -> Iterator[Any]:
        """Send a docker-archive; what the engine tells while it unpacks, if it may tell it."""

    def tag(self, image: str, repository: str, tag: str) -> bool:
        """Give an image a name."""

    def pull(self, repository: str, tag: str, *, stream: bool, decode: bool) -> Iterator[Any]:
        """Pull a tag, or a digest in its place; what the engine tells meanwhile."""

    def push(self, repository: str, tag: str, *, stream: bool, decode: bool) -> Iterator[Any]:
        """Push a tag; what the engine tells meanwhile."""

    def create_host_config(self, **options: object) -> Any:
        """What of a container is its host's side."""

    def create_container(self, image: str, **options: object) -> Any:
        """A container that doesn't run yet."""

    def attach_socket(self, container: str, params: Mapping[str, object]) -> Any:
        """A connection to a container's streams."""

    def start(self, container: str) -> None:
        """Run a container."""

    def wait(self, container: str) -> Any:
        """How a container ended, once it has."""

    def kill(self, container: str, signal: str) -> None:
        """Send a container a signal."""

    def resize(self, container: str, height: int, width: int) -> None:
        """Tell a container how large its terminal is."""

    def remove_container(self, container: str, *, v: bool, force: bool) -> None:
        """End a container and forget it; ``v``: with its anonymous volumes."""

    def close(self) -> None:
        """Close all connections."""


def connect(endpoint: Endpoint) -> tuple[Api, Mapping[str, Any]]:
    """A client that speaks an API version that both sides know, and the engine's versions.

    Raises EndpointError, NoEngineError, NotAnEngineError, OldEngineError.
    """
    from docker.constants import DEFAULT_DOCKER_API_VERSION as NEWEST_API

    with speaking(endpoint.shown, "say its version"):
        probe = _client(endpoint, OLDEST_API, _PATIENCE)
        try:
            versions = probe.version(api_version=False)
        finally:
            probe.close()
    try:
        found, least = versions["ApiVersion"], versions.get("MinAPIVersion") or OLDEST_API
        spoken = max(min(found, NEWEST_API, key=_ordered), least, key=_ordered)
        too_old = _ordered(found) < _ordered(OLDEST_API)
    except UNFIT:
        raise NotAnEngineError(endpoint.shown, "it says no API version") from None
    if too_old:
        raise OldEngineError(endpoint.shown, found, OLDEST_API)
    return cast(Api, _client(endpoint, spoken, None)), versions


@contextmanager
def speaking(host: str, what: str) -> Iterator[None]:
    """Turn the SDK's errors into EngineRefusedError, NoEngineError and NotAnEngineError."""
    from docker.errors import APIError, DockerException, StreamParseError
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except APIError as error:
        reason = _words(error.explanation or error.response.reason)
        raise EngineRefusedError(host, what, reason, error.status_code) from error
    except (StreamParseError, RecursionError, UnicodeError) as error:
        raise NotAnEngineError(host, "its answer can't be understood") from error
    except (RequestException, HTTPError, DockerException) as error:
        raise _unreachable(host, error) from error


def refused(host: str, what: str, answer: object) -> EngineRefusedError | None:
    """The error that stands in a stream's piece, if one does."""
    if not isinstance(answer, dict):
        return None
    reason = answer.get("error") or answer.get("message")
    return EngineRefusedError(host, what, _words(reason)) if reason else None


def _client(endpoint: Endpoint, version: str, timeout: int | None) -> "docker.APIClient":
    import docker
    from docker.errors import DockerException, TLSParameterError

    tls = _tls_config(endpoint.tls) if endpoint.tls and "unix:" not in endpoint.host else False
    make = partial(docker.APIClient, endpoint.host, version=version, timeout=timeout, tls=tls)
    try:
        client = _made(make)
    except TLSParameterError as error:
        raise EndpointError(endpoint.shown, _words(error.msg)) from error
    except (DockerException, ValueError) as error:
        raise EndpointError(endpoint.shown, _words(error)) from error
    # requests would let REQUESTS_CA_BUNDLE stand for the certificates of the endpoint.
    client.trust_env = False
    return client


def _made(make: "Callable[[], docker.APIClient]") -> "docker.APIClient":
    """A client, also where config.json can't be taken: of it only the proxies would matter here.

    The SDK reads that file by itself, and may fail on one of another form than it knows.
    """
    from docker.errors import DockerException

    try:
        return make()
    except (DockerException, *UNFIT):
        with _empty_config():
            return make()


@contextmanager
def _empty_config() -> Iterator[None]:
    """Show the SDK an empty config.json; only a variable can name it another one."""
    before = os.environ.get(_CONFIG)
    with TemporaryDirectory(prefix="basestore-") as folder:
        Path(folder, "config.json").write_text("{}")
        os.environ[_CONFIG] = folder
        try:
            yield
        finally:
            del os.environ[_CONFIG]
            if before is not None:
                os.environ[_CONFIG] = before


def _tls_config(tls: Tls) -> "docker.tls.TLSConfig":
    import docker

    ca, cert, key = (tls.folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
    return docker.tls.TLSConfig(
        client_cert=(str(cert), str(key)) if cert.exists() and key.exists() else None,
        ca_cert=str(ca) if ca.exists() else None,
        verify=tls.verified,
    )


def _unreachable(host: str, error: BaseException) -> NoEngineError | NotAnEngineError:
    """The words for what lies at the bottom of a failed request."""
    from requests.exceptions import JSONDecodeError

    if isinstance(error, JSONDecodeError):
        return NotAnEngineError(host, "its answer is no JSON")
    reason = _system_error(error)
    if reason is None:
        return NoEngineError(host, "the connection broke off", _AGAIN)
    if reason.errno == errno.ENOENT:
        return NoEngineError(host, "there is no such socket")
    if isinstance(reason, ssl.SSLError):
        return NoEngineError(host, f"TLS fails: {_words(reason.reason or reason)}", _TLS)
    words = (reason.strerror or str(reason)).lower()
    hints = {errno.EACCES: _RIGHT, errno.EPERM: _RIGHT, errno.ECONNREFUSED: ""}
    return NoEngineError(host, words, hints.get(reason.errno or 0, _AGAIN))


def _system_error(error: BaseException | None) -> OSError | None:
    """The operating system's error below wrapped ones, which hold it as cause or as argument."""
    from requests.exceptions import RequestException

    seen: list[object] = [error]
    for one in seen:
        if isinstance(one, OSError) and not isinstance(one, RequestException):
            return one
        if isinstance(one, BaseException) and len(seen) < 50:
            seen += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return None


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _words(reason: object) -> str:
    """An engine's own words, as one printable line."""
    line = " ".join(str(reason).split())
    return "".join(c for c in line if c.isprintable())[:_LONGEST_REASON].rstrip(". ")
