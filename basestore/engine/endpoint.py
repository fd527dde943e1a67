"""Where the engine is: what Docker's own client would speak to.

Sources: docker/cli, "Use the Docker command line" (environment variables) and ``cli/context/store``
(``contexts/meta/<SHA-256 of the name>/meta.json``, ``contexts/tls/<same>/docker/*.pem``). Its order
is DOCKER_HOST, DOCKER_CONTEXT, ``currentContext`` of config.json, the default socket.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from basestore.engine.errors import EndpointError
from basestore.reading import UNFIT
from basestore.transport.url import redact

DEFAULT = "unix:///var/run/docker.sock"

_FORWARD = (
    "forward its socket with `ssh -nNT -L /tmp/far.sock:/var/run/docker.sock HOST`, and set "
    "DOCKER_HOST to unix:///tmp/far.sock"
)


@dataclass(frozen=True, slots=True)
class Tls:
    """A folder with ``ca.pem``, ``cert.pem``, ``key.pem``; whether the engine's name must be in
    its certificate.
    """

    folder: Path
    verified: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An engine's address, as DOCKER_HOST has it, and what TLS needs, None without."""

    host: str
    tls: Tls | None = None

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return self.host if self.host.startswith("unix://") else redact(self.host)


def find_endpoint(environ: Mapping[str, str], config: Path) -> Endpoint:
    """The engine that an environment and Docker's folder (``~/.docker``) name.

    config.json is read only where the environment names none. Raises EndpointError.
    """
    if host := environ.get("DOCKER_HOST"):
        return Endpoint(_usable("DOCKER_HOST", host), _tls_of(environ, config))
    name = environ.get("DOCKER_CONTEXT") or _current_context(config / "config.json")
    if name in ("", "default"):
        return Endpoint(DEFAULT)
    return _context(name, config / "contexts")


def _tls_of(environ: Mapping[str, str], config: Path) -> Tls | None:
    verified = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not (verified or environ.get("DOCKER_TLS")):
        return None
    return Tls(Path(environ.get("DOCKER_CERT_PATH") or config), verified)


def _current_context(file: Path) -> str:
    """The context that config.json names; empty where there is no such file."""
    try:
        name = _object(file).get("currentContext", "")
    except FileNotFoundError:
        return ""
    if not isinstance(name, str):
        raise EndpointError(str(file), "currentContext is no string")
    return name


def _context(name: str, folder: Path) -> Endpoint:
    key = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "meta" / key / "meta.json"
    try:
        meta = _object(file)
    except FileNotFoundError:
        raise EndpointError(f"the Docker context {name!r}", f"{file} is missing") from None
    endpoints = meta.get("Endpoints")
    found = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = found.get("Host") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(host, str):
        raise EndpointError(str(file), "it has no Endpoints.docker.Host")
    tls = folder / "tls" / key / "docker"
    verified = not found.get("SkipTLSVerify")
    return Endpoint(_usable(str(file), host), Tls(tls, verified) if tls.is_dir() else None)


def _object(file: Path) -> Mapping[str, object]:
    """A file's JSON object; raises FileNotFoundError and EndpointError."""
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise EndpointError(str(file), error.strerror or "it can't be read") from None
    except UNFIT:
        raise EndpointError(str(file), "it is no JSON") from None
    if not isinstance(found, dict):
        raise EndpointError(str(file), "it is no JSON object")
    return found


def _usable(where: str, host: str) -> str:
    """The address, if it is one that the SDK can speak to without more programs."""
    scheme, separator, rest = host.partition("://")
    if scheme == "ssh":
        raise EndpointError(where, f"{redact(host)!r} wants ssh, which is not spoken", _FORWARD)
    if separator and (scheme not in ("unix", "tcp", "http", "https") or not rest):
        raise EndpointError(where, f"{redact(host)!r} is no such address")
    return host
