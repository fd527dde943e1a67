"""Pushing: what the registry lacks, blobs before manifests, the tag last.

A tag is never overwritten: where it names another image already, that is a disagreement.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from basestore.digest import Digest
from basestore.errors import DisagreementError
from basestore.progress import Advance, Progress
from basestore.registry.client import Manifest, RegistryClient, Upload
from basestore.registry.reference import Reference

PARALLEL = 8
"""Blobs at a time."""


class TagTakenError(DisagreementError):
    """The tag names another image already."""

    def __init__(self, reference: Reference, expected: Digest, found: Digest) -> None:
        super().__init__(
            f"{reference} is {found} in the registry, but {expected} here",
            "a tag is never overwritten: find out which of the two was built from this lock, "
            "`basestore verify --rebuild` says whether this one is",
        )
        self.reference = reference
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class PushBlob:
    """A config or layer: ``size`` bytes that ``open`` yields anew each time.

    ``name`` is for people.
    """

    name: str
    digest: Digest
    size: int
    open: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class PushImage:
    """An image: an index over several manifests, or one manifest alone; and all their blobs."""

    index: Manifest | None
    manifests: tuple[Manifest, ...]
    blobs: tuple[PushBlob, ...]

    def __post_init__(self) -> None:
        if self.index is None and len(self.manifests) != 1:
            raise ValueError("an image without an index has exactly one manifest")

    @property
    def top(self) -> Manifest:
        """What the tag names."""
        return self.index or self.manifests[0]


@dataclass(frozen=True, slots=True)
class Tally:
    """So many blobs, and their bytes."""

    count: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did. ``tagged`` is false where the tag was there already: nothing was done."""

    digest: Digest
    tagged: bool
    uploaded: Tally = Tally()
    mounted: Tally = Tally()
    present: Tally = Tally()


class _Outcome(Enum):
    UPLOADED = "uploaded"
    MOUNTED = "mounted"
    PRESENT = "present"


class _StoppedError(Exception):
    """The push as a whole has failed; this blob has no use any more."""


def is_pushed(client: RegistryClient, tag: str, digest: Digest) -> bool:
    """Whether the tag is there with that digest; TagTakenError if it is there with another."""
    found = client.manifest_digest(tag)
    if found is not None and found != digest:
        raise TagTakenError(Reference(client.repository, tag), digest, found)
    return found is not None


def push(
    client: RegistryClient,
    tag: str,
    image: PushImage,
    siblings: Sequence[str],
    progress: Progress,
) -> PushReport:
    """Bring an image to the client's repository under a tag.

    ``siblings``: paths of repositories of the same registry that may have some of the blobs.
    Raises TagTakenError before anything is sent, and the errors of the client.
    """
    digest = image.top.digest
    if is_pushed(client, tag, digest):
        return PushReport(digest, tagged=False)
    blobs = list({blob.digest: blob for blob in image.blobs}.values())
    outcomes = _Push(client, siblings, progress).push_all(blobs)
    if image.index is not None:
        for manifest in image.manifests:
            client.put_manifest(str(manifest.digest), manifest)
        client.put_manifest(str(digest), image.index)
    client.put_manifest(tag, image.top)
    tallies = {outcome: _tally(blobs, outcomes, outcome) for outcome in _Outcome}
    return PushReport(
        digest,
        tagged=True,
        uploaded=tallies[_Outcome.UPLOADED],
        mounted=tallies[_Outcome.MOUNTED],
        present=tallies[_Outcome.PRESENT],
    )


class _Push:
    """The blobs of one push under way."""

    def __init__(self, client: RegistryClient, siblings: Sequence[str], progress: Progress) -> None:
        self._client = client
        self._siblings = siblings
        self._progress = progress
        self._stop = threading.Event()

    def push_all(self, blobs: Sequence[PushBlob]) -> Sequence[_Outcome]:
        """Push each, the largest first; what became of each, in the order given."""
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="push")
        try:
            by_size = sorted(blobs, key=lambda blob: -blob.size)
            futures = {blob.digest: pool.submit(self._push, blob) for blob in by_size}
            for future in wait(futures.values(), return_when=FIRST_EXCEPTION).done:
                future.result()
            return [futures[blob.digest].result() for blob in blobs]
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _push(self, blob: PushBlob) -> _Outcome:
        client = self._client
        if client.has_blob(blob.digest):
            return _Outcome.PRESENT
        holder = next(
            (path for path in self._siblings if client.sibling_has_blob(path, blob.digest)), None
        )
        with self._progress.task("push", blob.name, blob.size) as advance:
            upload = Upload(blob.digest, blob.size, self._counted(blob, advance))
            if holder is not None and client.mount(upload, holder):
                return _Outcome.MOUNTED
            if holder is None:
                client.upload(upload)
            return _Outcome.UPLOADED

    def _counted(self, blob: PushBlob, advance: Advance) -> Callable[[], Iterator[bytes]]:
        """The blob's bytes; ``advance`` is told of those that no earlier try sent."""
        furthest = 0

        def chunks() -> Iterator[bytes]:
            nonlocal furthest
            sent = 0
            for chunk in blob.open():
                if self._stop.is_set():
                    raise _StoppedError
                yield chunk
                sent += len(chunk)
                if sent > furthest:
                    advance(sent - furthest)
                    furthest = sent

        return chunks


def _tally(blobs: Sequence[PushBlob], outcomes: Sequence[_Outcome], wanted: _Outcome) -> Tally:
    sizes = [blob.size for blob, outcome in zip(blobs, outcomes, strict=True) if outcome is wanted]
    return Tally(len(sizes), sum(sizes))
