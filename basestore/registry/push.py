"""Pushing: what the registry lacks, blobs before manifests, the tag last.

Each blob and manifest is asked for, with its size, and asked for again where it was sent: some
registries accept an upload and keep what they have. A tag is never overwritten: where it names
another image already, that is a disagreement.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from basestore.digest import Digest
from basestore.errors import DisagreementError, IntegrityError
from basestore.progress import Advance, Progress
from basestore.registry.client import Manifest, RegistryClient, Upload
from basestore.registry.errors import WrongContentError
from basestore.registry.inspect import NoImageError, PromisedBlob, published_parts
from basestore.registry.reference import Reference, Repository
from basestore.registry.standing import PARALLEL, Seen, Standing, ask, ask_all


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


class KeptError(IntegrityError):
    """The registry accepted what was sent, and has not that afterwards; ``kept`` says what."""

    def __init__(self, repository: Repository, kept: Sequence[str]) -> None:
        others = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
        super().__init__(
            f"{repository} doesn't keep what it is sent: {kept[0]}{others}",
            "a registry may keep what it has under a digest, whatever it is sent: have its "
            "operator remove that from its storage (in docker-registry's the file "
            "blobs/sha256/../DIGITS/data), or push elsewhere with --to",
        )
        self.repository = repository
        self.kept = tuple(kept)


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
    """What a push did. ``tagged`` is false where the tag was there already.

    ``manifests``: how many were sent, without the tag. ``untold``: blobs that are there, but whose
    size the registry doesn't tell; all others have the right one.
    """

    digest: Digest
    tagged: bool
    uploaded: Tally = Tally()
    mounted: Tally = Tally()
    present: Tally = Tally()
    manifests: int = 0
    untold: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return self.tagged or bool(self.uploaded.count + self.mounted.count + self.manifests)


class _Way(Enum):
    UPLOADED = "uploaded"
    MOUNTED = "mounted"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a blob; ``kept`` says how it stands where it isn't what was sent."""

    way: _Way
    untold: bool = False
    kept: str = ""


class _StoppedError(Exception):
    """The push as a whole has failed; this blob has no use any more."""


def is_pushed(client: RegistryClient, tag: str, digest: Digest) -> bool:
    """Whether the tag is there with that digest; TagTakenError if it is there with another."""
    found = client.manifest_digest(tag)
    if found is not None and found != digest:
        raise TagTakenError(Reference(client.repository, tag), digest, found)
    return found is not None


def whole(client: RegistryClient, digest: Digest) -> PushReport | None:
    """That nothing is to be done for an image whose every part is there; else None.

    What its parts are is read of its manifests, which are held to their digests.
    """
    try:
        parts = published_parts(client, str(digest))
    except (NoImageError, WrongContentError):
        return None
    if parts is None:
        return None
    seen = ask_all(client, parts.blobs)
    if not all(one.stands for one in seen):
        return None
    size = sum(one.blob.size or 0 for one in seen)
    untold = sum(one.standing is Standing.UNTOLD for one in seen)
    return PushReport(digest, tagged=False, present=Tally(len(seen), size), untold=untold)


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
    tagged = is_pushed(client, tag, digest)
    blobs = list({blob.digest: blob for blob in image.blobs}.values())
    outcomes = _Push(client, siblings, progress).push_all(blobs)
    kept = [outcome.kept for outcome in outcomes if outcome.kept]
    if kept:
        raise KeptError(client.repository, kept)
    sent = _put_manifests(client, image)
    if not tagged:
        client.put_manifest(tag, image.top)
    tallies = {way: _tally(blobs, outcomes, way) for way in _Way}
    return PushReport(
        digest,
        tagged=not tagged,
        uploaded=tallies[_Way.UPLOADED],
        mounted=tallies[_Way.MOUNTED],
        present=tallies[_Way.PRESENT],
        manifests=sent,
        untold=sum(outcome.untold for outcome in outcomes),
    )


def _put_manifests(client: RegistryClient, image: PushImage) -> int:
    """Put what the registry lacks of the manifests, the index last; how many those are."""
    documents = (*image.manifests, *((image.index,) if image.index else ()))
    lacking = [manifest for manifest in documents if not _stands(client, manifest)]
    for manifest in lacking:
        client.put_manifest(str(manifest.digest), manifest)
    kept = [manifest for manifest in lacking if not _stands(client, manifest)]
    if kept:
        said = [f"the manifest {one.digest} isn't what was sent" for one in kept]
        raise KeptError(client.repository, said)
    return len(lacking)


def _stands(client: RegistryClient, manifest: Manifest) -> bool:
    """Whether the registry has the bytes of a manifest, which are few: they are read."""
    try:
        return client.manifest(str(manifest.digest)) is not None
    except WrongContentError:
        return False


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
        seen = self._ask(blob)
        if seen.stands:
            return _Outcome(_Way.PRESENT, seen.standing is Standing.UNTOLD)
        way = self._send(blob, self._holder(blob))
        seen = self._ask(blob)
        if way is _Way.MOUNTED and not seen.stands:
            way = self._send(blob, None)
            seen = self._ask(blob)
        return _Outcome(way, seen.standing is Standing.UNTOLD, "" if seen.stands else str(seen))

    def _ask(self, blob: PushBlob) -> Seen:
        return ask(self._client, PromisedBlob(blob.name, blob.digest, blob.size))

    def _holder(self, blob: PushBlob) -> str | None:
        """Whose repository a blob can be mounted from."""
        has = self._client.sibling_has_blob
        return next((p for p in self._siblings if has(p, blob.digest, blob.size)), None)

    def _send(self, blob: PushBlob, holder: str | None) -> _Way:
        with self._progress.task("push", blob.name, blob.size) as advance:
            upload = Upload(blob.digest, blob.size, self._counted(blob, advance))
            if holder is not None and self._client.mount(upload, holder):
                return _Way.MOUNTED
            if holder is None:
                self._client.upload(upload)
            return _Way.UPLOADED

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


def _tally(blobs: Sequence[PushBlob], outcomes: Sequence[_Outcome], way: _Way) -> Tally:
    sizes = [blob.size for blob, one in zip(blobs, outcomes, strict=True) if one.way is way]
    return Tally(len(sizes), sum(sizes))
