"""Credentials by host from a netrc file, read when first asked for."""

import threading
from collections.abc import Mapping
from pathlib import Path

from basestore.reading import UNFIT, clause
from basestore.transport.errors import NetrcError
from basestore.transport.url import Credentials


class Netrc:
    """The ``machine`` entries of a netrc file; ``default`` ones would go to just any host."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries: Mapping[str, Credentials] | None = None

    def find(self, host: str) -> Credentials | None:
        """The credentials for a host without port. Raises NetrcError."""
        with self._lock:
            if self._entries is None:
                self._entries = _read(self._path) if self._path else {}
        return self._entries.get(host)


def _read(path: Path) -> Mapping[str, Credentials]:
    from netrc import NetrcParseError, netrc

    try:
        hosts = netrc(str(path)).hosts
    except FileNotFoundError:
        return {}
    except NetrcParseError as error:
        # Its text may quote a word of the file, which may be a password.
        raise NetrcError(str(path), f"line {error.lineno} can't be understood") from None
    except OSError as error:
        raise NetrcError(str(path), error.strerror or "it can't be read") from None
    except UNFIT as error:
        raise NetrcError(str(path), clause(error)) from None
    return {
        host: Credentials(user or "", password or "")
        for host, (user, _, password) in hosts.items()
        if host != "default"
    }
