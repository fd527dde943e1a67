"""Debian's archives on loopback: each file is asked for once of where the host's apt has it from.

They are real, since only Debian's own keys count; and what was answered once stays the answer, so
that nothing moves while mutations are tried.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Lock

from bench.serving import serving
from mutations.servers import LackingError

from basestore.debian.packages import SuiteIndex
from basestore.errors import BasestoreError
from basestore.progress import Progress
from basestore.sources.apt import host_apt, run_program
from basestore.sources.debian import Debian
from basestore.store import Store
from basestore.target import Platform
from basestore.transport import Transport

_LARGEST = 64 * 1024 * 1024
_SECURITY = "debian-security"


@contextmanager
def mirrors(folder: Path, suite: str) -> Iterator[Mapping[str, str]]:
    """The environment in which Debian is asked for here; raises LackingError without a way there.

    ``folder``: where answers are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Transport() as transport:
        known = _Known(folder, transport, _bases(suite))

        class Handler(_Handler):
            answers = known

        with serving(Handler) as address:
            yield {
                "BASESTORE_MIRROR_DEBIAN": f"http://{address}/debian",
                "BASESTORE_MIRROR_DEBIAN_SECURITY": f"http://{address}/{_SECURITY}",
            }


def _bases(suite: str) -> Mapping[str, str]:
    """Where the two archives are, by their names."""
    said = {
        "debian": os.environ.get("BASESTORE_MIRROR_DEBIAN"),
        _SECURITY: os.environ.get("BASESTORE_MIRROR_DEBIAN_SECURITY"),
    }
    apt = host_apt(run_program)
    for archive, asked in (("debian", suite), (_SECURITY, f"{suite}-security")):
        if not said[archive]:
            said[archive] = next(iter(apt.bases(asked)), None)
    found = {archive: base.rstrip("/") for archive, base in said.items() if base}
    if len(found) < len(said):
        raise LackingError(f"needs a machine whose apt knows Debian's {suite}, or mirrors of it")
    return found


class _Known:
    """Answers by path, each fetched once; None is one, too: that there is no such file."""

    def __init__(self, folder: Path, transport: Transport, bases: Mapping[str, str]) -> None:
        self._folder = folder
        self._transport = transport
        self._bases = bases
        self._locks: dict[str, Lock] = {}

    def read(self, path: str) -> bytes | None:
        """The file at ``/ARCHIVE/PATH``."""
        kept = self._folder / sha256(path.encode()).hexdigest()
        with self._locks.setdefault(path, Lock()):
            if not kept.exists():
                kept.write_bytes(self._fetch(path))
            return kept.read_bytes() or None

    def _fetch(self, path: str) -> bytes:
        archive, _, rest = path.lstrip("/").partition("/")
        try:
            return self._transport.read(f"{self._bases[archive]}/{rest}", limit=_LARGEST)
        except (BasestoreError, KeyError):
            return b""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: _Known

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        body = self.answers.read(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET" and body:
            self.wfile.write(body)


def signed_index(environ: Mapping[str, str], folder: Path, architecture: str) -> SuiteIndex:
    """What the suite lists for an architecture; ``folder``: a store that it is kept in."""
    found = {
        "debian": environ["BASESTORE_MIRROR_DEBIAN"],
        _SECURITY: environ["BASESTORE_MIRROR_DEBIAN_SECURITY"],
    }
    with Transport() as transport:
        debian = Debian(Store.open(folder), transport, datetime.now(UTC), found)
        return debian.index("bookworm", Platform(architecture), Progress())
