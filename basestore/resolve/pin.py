"""Pinning: a wheel for which an index tells no SHA-256 is fetched once, hashed and locked.

Trust on first use: what the file is on that day is what the lock says from then on.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.lock.model import Wheel
from basestore.progress import Progress
from basestore.resolve.known import Known
from basestore.resolve.wheels import Closure, run_on
from basestore.sources.pylock import IndexedPackage, IndexedWheel, MissingHashError, UnhashedWheel
from basestore.sources.simple import LIMIT, page_url, read_unhashed
from basestore.sources.uv import Target
from basestore.store import Store
from basestore.transport import Transport

PARALLEL = 8
"""Requests at a time."""

Tells = Callable[[str, str, str], bool]
"""Whether an index, by its URL, tells a SHA-256 for a project's file."""

Pin = Callable[[UnhashedWheel], IndexedWheel]
"""Finds out a wheel's digest."""


def pin_nothing(wheel: UnhashedWheel) -> IndexedWheel:
    """Where nothing can be fetched: raises MissingHashError."""
    raise MissingHashError(wheel.file, wheel.url)


def tells_all(index: str, project: str, file: str) -> bool:
    """Where nobody can be asked: as if each index told each hash."""
    del index, project, file
    return True


class Pinner:
    """Fetches wheels into a store, each once, to hash them. Safe for threads."""

    def __init__(self, store: Store, transport: Transport, progress: Progress) -> None:
        self._store = store
        self._transport = transport
        self._progress = progress
        self._lock = threading.Lock()
        self._known: dict[str, IndexedWheel] = {}

    def __call__(self, wheel: UnhashedWheel) -> IndexedWheel:
        """The wheel with its digest and size. Raises TransportError."""
        with self._lock:
            if wheel.url not in self._known:
                self._known[wheel.url] = self._fetch(wheel)
            return self._known[wheel.url]

    def _fetch(self, wheel: UnhashedWheel) -> IndexedWheel:
        with (
            self._progress.task("fetch", wheel.file, wheel.size) as advance,
            self._store.blobs.writer() as writer,
        ):
            self._transport.download(wheel.url, writer, advance, size=wheel.size)
            return replace(wheel.hashed(writer.digest), size=writer.size)


def tells(transport: Transport, index: str, project: str, file: str) -> bool:
    """Whether an index tells a SHA-256 for a project's file; true where that can't be seen.

    uv downloads and hashes what has no hash at all, and doesn't say so.
    """
    url = page_url(index, project)
    try:
        return file not in read_unhashed(transport.read(url, limit=LIMIT), url)
    except UnreachableError:
        return True  # it would only have made the origin tell more


def find_untold(
    known: Known,
    chosen: Sequence[tuple[Closure, Mapping[str, IndexedWheel]]],
    asks: Tells,
    trusted: Collection[str],
) -> frozenset[Digest]:
    """The digests of chosen wheels that no index told.

    What is locked already is as its origin has it; ``trusted`` are the names of indexes that need
    not be asked.
    """
    from concurrent.futures import ThreadPoolExecutor

    before = known.told()
    wheels = {
        wheel.sha256: (wheel, name, "" if closure.indexes[name] in trusted else closure.urls[name])
        for closure, wheels in chosen
        for name, wheel in wheels.items()
    }
    told = {
        digest: wheel.told and before.get(digest, True) for digest, (wheel, *_) in wheels.items()
    }
    asked = [
        (digest, wheel, name, url)
        for digest, (wheel, name, url) in wheels.items()
        if url and told[digest] and digest not in before
    ]
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="told") as pool:
        answers = pool.map(lambda one: asks(one[3], one[2], one[1].file), asked)
        told |= zip((digest for digest, *_ in asked), answers, strict=True)
    return frozenset(digest for digest, yes in told.items() if not yes)


def with_hashes(
    package: IndexedPackage, kept: Wheel | None, target: Target, pin: Pin
) -> IndexedPackage:
    """The package with a digest for the best of its wheels, if need be for that one alone.

    ``kept``: the wheel of an earlier lock that is to stay; its digest is the lock's, and is not
    looked at again before it is fetched. Raises what ``pin`` raises.
    """
    unhashed = {wheel.file: wheel for wheel in package.unhashed}
    runs = run_on([*(wheel.file for wheel in package.wheels), *unhashed], target)
    if kept and kept.file in unhashed and kept.file in runs:
        wheel = replace(unhashed[kept.file].hashed(kept.sha256), size=kept.size)
    else:
        best = max(runs, key=lambda file: (-runs[file][0], runs[file][1], file), default="")
        if best not in unhashed:
            return package
        wheel = pin(unhashed[best])
    return replace(package, wheels=(*package.wheels, wheel), unhashed=())
