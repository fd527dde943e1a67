"""What a registry has of an image's blobs: asked for each, or each read and hashed.

HEAD tells what is gone or of another size. What is as long as it should be and yet other bytes is
seen by nobody who doesn't read it.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from basestore.progress import Progress
from basestore.registry.client import RegistryClient
from basestore.registry.inspect import PromisedBlob
from basestore.transport import TruncatedError

PARALLEL = 8
"""Blobs at a time."""


class Standing(Enum):
    """How a blob stands. UNTOLD: it is there, and nobody says how large it is."""

    RIGHT = "right"
    GONE = "gone"
    WRONG = "wrong"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Seen:
    """A blob as the registry has it; ``said`` tells people of it, unless it is right."""

    blob: PromisedBlob
    standing: Standing
    said: str = ""

    @property
    def stands(self) -> bool:
        """Whether nothing speaks against it."""
        return self.standing in (Standing.RIGHT, Standing.UNTOLD)

    def __str__(self) -> str:
        return f"{self.blob.name} {self.blob.digest} {self.said}"


def ask(client: RegistryClient, blob: PromisedBlob) -> Seen:
    """How a blob stands, by what the registry says of it; raises what the client raises."""
    found = client.find_blob(blob.digest, blob.size)
    if found is None:
        return Seen(blob, Standing.GONE, "is gone")
    if found.size is None:
        return Seen(blob, Standing.UNTOLD, "is there, and the registry doesn't tell its size")
    if blob.size is None:
        return Seen(blob, Standing.UNTOLD, f"has {found.size} bytes, and its manifest tells none")
    if found.size != blob.size:
        return Seen(blob, Standing.WRONG, f"has {found.size} of its {blob.size} bytes")
    return Seen(blob, Standing.RIGHT)


def ask_all(client: RegistryClient, blobs: Sequence[PromisedBlob]) -> tuple[Seen, ...]:
    """How each blob stands, by what the registry says; raises what the client raises."""
    return _each(lambda blob, _: ask(client, blob), blobs)


def hash_all(
    client: RegistryClient, blobs: Sequence[PromisedBlob], progress: Progress
) -> tuple[Seen, ...]:
    """How each blob stands, by its bytes; raises what the client raises."""
    return _each(lambda blob, stop: _hash(client, blob, progress, stop), blobs)


class _StoppedError(Exception):
    """The others are of no use any more."""


def _hash(
    client: RegistryClient, blob: PromisedBlob, progress: Progress, stop: threading.Event
) -> Seen:
    if blob.size is None:
        return Seen(blob, Standing.UNTOLD, "isn't read: its manifest tells no size")
    try:
        with progress.task("hash", f"{blob.name} {blob.digest.hex[:12]}", blob.size) as advance:

            def advance_unless_stopped(amount: int) -> None:
                if stop.is_set():
                    raise _StoppedError
                advance(amount)

            found = client.hash_blob(blob.digest, blob.size, advance_unless_stopped)
    except TruncatedError as error:  # what remembers a size, and no longer has so many bytes
        ends = f"breaks off after {error.found} of its {blob.size} bytes, however often it is read"
        return Seen(blob, Standing.WRONG, ends)
    if found is None:
        return Seen(blob, Standing.GONE, "is gone")
    if found.size > blob.size:
        return Seen(blob, Standing.WRONG, f"has more than its {blob.size} bytes")
    if found.size < blob.size:
        return Seen(blob, Standing.WRONG, f"has {found.size} of its {blob.size} bytes")
    if found.digest != blob.digest:
        return Seen(blob, Standing.WRONG, f"has other bytes, which hash to {found.digest}")
    return Seen(blob, Standing.RIGHT)


def _each(
    look: Callable[[PromisedBlob, threading.Event], Seen], blobs: Iterable[PromisedBlob]
) -> tuple[Seen, ...]:
    from concurrent.futures import ThreadPoolExecutor

    pool, stop = ThreadPoolExecutor(PARALLEL, thread_name_prefix="ask"), threading.Event()
    try:
        return tuple(pool.map(lambda blob: look(blob, stop), blobs))
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
