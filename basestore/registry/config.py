"""Credentials from Docker's ``config.json`` and its credential helpers.

Sources: docker/cli ``config/configfile`` (``auths``, ``credsStore``, ``credHelpers``) and
docker/docker-credential-helpers (protocol of ``get``).
"""

import base64
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from basestore.errors import InputError, UnreachableError
from basestore.reading import UNFIT
from basestore.transport import Credentials

# Under these Docker keeps what was given for the Hub.
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

# The user's name that says "the secret is an identity token" in a helper's answer.
_TOKEN_USER = "<token>"  # noqa: S105
_PATIENCE = 60
"""Seconds that a helper may take; it may ask a person."""


class DockerConfigError(InputError):
    """Docker's config.json can't be understood."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} can't be used: {reason}", "mend the file, or log in with `docker login`"
        )
        self.path = path


class CredentialHelperError(UnreachableError):
    """A credential helper that config.json names doesn't give an answer."""

    def __init__(self, helper: str, host: str, reason: str) -> None:
        super().__init__(
            f"{helper} gives no credentials for {host}: {reason}",
            "install the helper, or take it out of Docker's config.json and log in again",
        )
        self.helper = helper
        self.host = host


@dataclass(frozen=True, slots=True)
class RegistryCredentials:
    """A user and password, or an identity token that buys access tokens; never shown."""

    basic: Credentials | None = None
    identity_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """The folder that ``DOCKER_CONFIG`` names, or ``~/.docker``; None: no credentials at all."""

    folder: Path | None

    def find(self, host: str) -> RegistryCredentials | None:
        """What was given for a registry's host, with its port.

        A helper for the host comes first, then the general one, then what stands in the file.
        Raises DockerConfigError and CredentialHelperError.
        """
        if self.folder is None:
            return None
        path = self.folder / "config.json"
        config = _read(path)
        helper = _text(path, _table(path, config, "credHelpers"), host)
        helper = helper or _text(path, config, "credsStore")
        if helper and (found := _ask_helper(helper, host)):
            return found
        return _from_file(path, config, host)


def _read(path: Path) -> Mapping[str, object]:
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise DockerConfigError(path, error.strerror or "it can't be read") from None
    except UNFIT:
        raise DockerConfigError(path, "it is no JSON") from None
    if not isinstance(config, dict):
        raise DockerConfigError(path, "it is no JSON object")
    return config


def _table(path: Path, config: Mapping[str, object], key: str) -> Mapping[str, object]:
    table = config.get(key)
    if table is not None and not isinstance(table, dict):
        raise DockerConfigError(path, f"{key} is no object")
    return table or {}


def _text(path: Path, table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise DockerConfigError(path, f"{key} is no string")
    return value or ""


def _from_file(path: Path, config: Mapping[str, object], host: str) -> RegistryCredentials | None:
    auths = _table(path, config, "auths")
    for key in auths:
        if key in _keys(host):
            return _entry(path, _table(path, auths, key))
    return None


def _keys(host: str) -> Iterator[str]:
    """The keys under which Docker keeps a host's credentials, old forms included."""
    if host == "docker.io":
        yield from _HUB_KEYS
    for scheme in ("", "https://", "http://"):
        for path in ("", "/", "/v1", "/v1/", "/v2", "/v2/"):
            yield f"{scheme}{host}{path}"


def _entry(path: Path, entry: Mapping[str, object]) -> RegistryCredentials | None:
    if token := _text(path, entry, "identitytoken"):
        return RegistryCredentials(identity_token=token)
    if auth := _text(path, entry, "auth"):
        return RegistryCredentials(_decode(path, auth))
    user, password = _text(path, entry, "username"), _text(path, entry, "password")
    return RegistryCredentials(Credentials(user, password)) if user else None


def _decode(path: Path, auth: str) -> Credentials:
    try:
        user, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except ValueError:
        raise DockerConfigError(path, "an auth is not base64") from None
    if not colon:
        raise DockerConfigError(path, "an auth has no ':' between user and password")
    return Credentials(user, password.rstrip("\0"))


def _ask_helper(name: str, host: str) -> RegistryCredentials | None:
    """What ``docker-credential-NAME get`` answers, None where it knows nothing of the host."""
    helper = f"docker-credential-{name}"
    if not _HELPER.fullmatch(name):
        raise CredentialHelperError(helper, host, "that is no helper's name")
    server = _HUB_KEYS[0] if host == "docker.io" else host
    try:
        done = subprocess.run(
            [helper, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        raise CredentialHelperError(helper, host, "no such program") from None
    except OSError as error:
        raise CredentialHelperError(helper, host, error.strerror or "it can't be run") from None
    except subprocess.TimeoutExpired:
        raise CredentialHelperError(helper, host, "no answer in time") from None
    if done.returncode:
        if b"credentials not found" in done.stdout:
            return None
        raise CredentialHelperError(helper, host, f"it ended with {done.returncode}")
    return _answer(helper, host, done.stdout)


def _answer(helper: str, host: str, output: bytes) -> RegistryCredentials | None:
    try:
        answer = json.loads(output)
        user, secret = answer["Username"], answer["Secret"]
    except UNFIT:
        raise CredentialHelperError(helper, host, "its answer can't be understood") from None
    if not (isinstance(user, str) and isinstance(secret, str)):
        raise CredentialHelperError(helper, host, "its answer can't be understood")
    if user == _TOKEN_USER:
        return RegistryCredentials(identity_token=secret)
    return RegistryCredentials(Credentials(user, secret)) if user else None
