"""The snapshot archive: every file that Debian's archives ever had, by day and by name.

Source: the service's own description of its machine-readable interface.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import quote

from msgspec import DecodeError, Struct, json

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.lock.model import Deb
from basestore.reading import UNFIT
from basestore.transport import NotFoundError, Transport

SNAPSHOT = "https://snapshot.debian.org"
"""Where it lies, unless a mirror named ``snapshot`` says otherwise."""

_LIMIT = 4 * 1024 * 1024
_PARALLEL = 4
_SHA1 = re.compile(r"[0-9a-f]{40}")


class SnapshotAnswerError(UnreachableError):
    """The snapshot archive answered something else than it says it does."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} answered what can't be read: {reason}", "try again later")


class _Binary(Struct):
    """One file of that name and version; ``hash`` is its SHA-1."""

    hash: str
    architecture: str


class _File(Struct):
    size: int


class _Binaries(Struct):
    result: list[_Binary]
    fileinfo: dict[str, list[_File]]


def archive_at(base: str, archive: str, moment: datetime) -> str:
    """The base URL of an archive as it was; ``archive`` is ``debian`` or ``debian-security``."""
    return f"{base}/archive/{archive}/{moment:%Y%m%dT%H%M%SZ}"


def snapshot_urls(
    transport: Transport, base: str, debs: Sequence[Deb]
) -> Mapping[Digest, Sequence[str]]:
    """Where .debs lie, by their name, version, architecture and size; none that aren't there.

    Raises TransportError and SnapshotAnswerError.
    """
    with ThreadPoolExecutor(_PARALLEL) as pool:
        found = list(pool.map(lambda deb: _urls(transport, base, deb), debs))
    return {deb.sha256: urls for deb, urls in zip(debs, found, strict=True) if urls}


def _urls(transport: Transport, base: str, deb: Deb) -> list[str]:
    version = quote(deb.version, safe="")
    url = f"{base}/mr/binary/{deb.name}/{version}/binfiles?fileinfo=1"
    try:
        answer = transport.read(url, limit=_LIMIT)
    except NotFoundError:
        return []
    try:
        binaries = json.decode(answer, type=_Binaries)
    except (DecodeError, *UNFIT) as error:
        raise SnapshotAnswerError(url, str(error)) from error
    return [
        f"{base}/file/{binary.hash}"
        for binary in binaries.result
        if binary.architecture == deb.architecture
        and _SHA1.fullmatch(binary.hash)
        and deb.size in (file.size for file in binaries.fileinfo.get(binary.hash, ()))
    ]
