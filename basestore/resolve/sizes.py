"""The sizes of wheels, which indexes seldom tell: asked from the servers that have the files."""

import os
from collections.abc import Mapping, Sequence

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.progress import Progress
from basestore.sources.fetch import Artifact, fetch
from basestore.sources.pylock import IndexedWheel
from basestore.store import Store
from basestore.transport import Transport

PARALLEL = 8
"""Requests at a time."""


def measure(
    store: Store, transport: Transport, wheels: Sequence[IndexedWheel], progress: Progress
) -> Mapping[Digest, int]:
    """The sizes of wheels in bytes by digest.

    From the store, from the index, or asked for with HEAD; where a server doesn't tell, the wheel
    is fetched into the store. Raises what `fetch` raises.
    """
    unique = {wheel.sha256: wheel for wheel in wheels}
    sizes = {digest: _known(store, wheel) for digest, wheel in unique.items()}
    asked = [wheel for digest, wheel in unique.items() if sizes[digest] is None]
    sizes |= _ask(transport, asked, progress)
    untold = [wheel for wheel in asked if sizes[wheel.sha256] is None]
    places = {wheel.sha256: (wheel.url,) for wheel in untold}
    artifacts = [Artifact(wheel.file, wheel.sha256, None) for wheel in untold]
    fetch(store, transport, artifacts, lambda _: places, progress)
    return {d: _measured(store, d) if size is None else size for d, size in sizes.items()}


def _known(store: Store, wheel: IndexedWheel) -> int | None:
    return _measured(store, wheel.sha256) if store.blobs.has(wheel.sha256) else wheel.size


def _measured(store: Store, digest: Digest) -> int:
    """The size of a wheel in the store, which is what its digest says."""
    with store.blobs.verified(digest) as file:
        return os.fstat(file.fileno()).st_size


def _ask(
    transport: Transport, wheels: Sequence[IndexedWheel], progress: Progress
) -> dict[Digest, int | None]:
    from concurrent.futures import ThreadPoolExecutor

    def size(wheel: IndexedWheel) -> int | None:
        try:
            return transport.size(wheel.url)
        except UnreachableError:
            return None  # some servers refuse HEAD; fetching finds out what is wrong

    if not wheels:
        return {}
    with (
        progress.task("measure", f"{len(wheels)} wheels"),
        ThreadPoolExecutor(PARALLEL, thread_name_prefix="size") as pool,
    ):
        found = pool.map(size, wheels)
        return dict(zip((wheel.sha256 for wheel in wheels), found, strict=True))
