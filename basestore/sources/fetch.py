"""Fetching: what the store lacks, from wherever it lies, checked by its digest alone."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.errors import BasestoreError, IntegrityError, UnreachableError
from basestore.progress import Progress
from basestore.store import BlobWriter, Store, StoreUnusableError, WrongDigestError
from basestore.transport import Transport, host_of

PARALLEL = 8
"""Downloads at a time."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file known by its digest. ``name`` is for people; ``size`` in bytes, where known."""

    name: str
    digest: Digest
    size: int | None


Locate = Callable[[Sequence[Artifact]], Mapping[Digest, Sequence[str]]]
"""Says where artifacts lie today: candidate URLs by digest, best first; none where unknown."""


def locate_nowhere(artifacts: Sequence[Artifact]) -> Mapping[Digest, Sequence[str]]:
    """Where there is no other place."""
    del artifacts
    return {}


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What was fetched, in the order asked for, and what the store had already."""

    fetched: tuple[Artifact, ...]
    present: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an artifact can't be had: one error a candidate URL; none if it was found nowhere."""

    artifact: Artifact
    causes: tuple[BasestoreError, ...]

    def __str__(self) -> str:
        reasons = "; ".join(cause.message for cause in self.causes)
        return f"{self.artifact.name}: {reasons or 'no index or archive lists it'}"


class ArtifactsUnreachableError(UnreachableError):
    """Some artifacts can't be had from anywhere."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__(
            _sentence(failures), "check the network, indexes and mirrors; what was fetched is kept"
        )
        self.failures = tuple(failures)


class WrongArtifactsError(IntegrityError):
    """Of the artifacts that can't be had, at least one is served with other bytes than locked."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        super().__init__(
            _sentence(failures),
            "the source serves other bytes than were locked; don't trust it before you know why",
        )
        self.failures = tuple(failures)


class _StoppedError(Exception):
    """The fetch as a whole has ended; this download has no use any more."""


def fetch(
    store: Store,
    transport: Transport,
    artifacts: Sequence[Artifact],
    locate: Locate,
    progress: Progress,
    otherwise: Locate = locate_nowhere,
) -> FetchReport:
    """Bring into the store what it lacks of the artifacts, several at a time.

    ``locate`` is asked once, for the missing ones only, and not at all where nothing is missing;
    ``otherwise`` likewise for those that can't be had from where they should lie. Raises
    ArtifactsUnreachableError or WrongArtifactsError, which name every artifact that can't be had,
    after all others are in the store, and StoreUnusableError at once.
    """
    unique = list({artifact.digest: artifact for artifact in artifacts}.values())
    missing = [artifact for artifact in unique if not store.blobs.has(artifact.digest)]
    if missing:
        failures = _Fetcher(store, transport, locate(missing), progress).fetch_all(missing)
        elsewhere = otherwise([one.artifact for one in failures]) if failures else {}
        sought = [one.artifact for one in failures if elsewhere.get(one.artifact.digest)]
        again = _Fetcher(store, transport, elsewhere, progress).fetch_all(sought)
        _raise_failures(_both(failures, again, sought))
    lacked = {artifact.digest for artifact in missing}
    present = tuple(artifact for artifact in unique if artifact.digest not in lacked)
    return FetchReport(tuple(missing), present)


class _Fetcher:
    """One fetch under way."""

    def __init__(
        self,
        store: Store,
        transport: Transport,
        places: Mapping[Digest, Sequence[str]],
        progress: Progress,
    ) -> None:
        self._store = store
        self._transport = transport
        self._places = places
        self._progress = progress
        self._stop = threading.Event()

    def fetch_all(self, artifacts: Sequence[Artifact]) -> list[Failure]:
        """Fetch each, the largest first; the failures in the order asked for."""
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="fetch")
        try:
            by_size = sorted(artifacts, key=lambda artifact: -(artifact.size or 0))
            futures = {a.digest: pool.submit(self._fetch, a) for a in by_size}
            for future in wait(futures.values(), return_when=FIRST_EXCEPTION).done:
                future.result()
            failures = [futures[artifact.digest].result() for artifact in artifacts]
            return [failure for failure in failures if failure]
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _fetch(self, artifact: Artifact) -> Failure | None:
        causes: list[BasestoreError] = []
        for url in self._places.get(artifact.digest, ()):
            try:
                self._fetch_from(artifact, url)
            except (UnreachableError, WrongDigestError) as error:
                if isinstance(error, StoreUnusableError):
                    raise
                causes.append(error)
            except OSError as error:
                reason = error.strerror or str(error)
                raise StoreUnusableError(self._store.root, reason) from error
            else:
                return None
        return Failure(artifact, tuple(causes))

    def _fetch_from(self, artifact: Artifact, url: str, tries: int = 2) -> None:
        """Download from one place, once more and afresh where a resumed one gave other bytes.

        What an earlier download left may be another place's, or another day's, bytes; and servers
        that share a name need not have the same file.
        """
        pieces = 0
        try:
            with self._store.blobs.partial(
                artifact.digest, artifact.size, f"the file from {host_of(url)}"
            ) as writer:
                if not self._store.blobs.has(artifact.digest):
                    pieces = 2 if writer.size else 1
                    pieces = max(self._download(artifact, url, writer), pieces)
        except WrongDigestError:
            if pieces < 2 or tries < 2:
                raise
            self._fetch_from(artifact, url, tries - 1)

    def _download(self, artifact: Artifact, url: str, writer: BlobWriter) -> int:
        with self._progress.task("fetch", artifact.name, artifact.size) as advance:

            def advance_unless_stopped(amount: int) -> None:
                if self._stop.is_set():
                    raise _StoppedError
                advance(amount)

            advance_unless_stopped(writer.size)
            return self._transport.download(url, writer, advance_unless_stopped, size=artifact.size)


def _both(
    first: Sequence[Failure], again: Sequence[Failure], sought: Sequence[Artifact]
) -> list[Failure]:
    """What failed everywhere, with the causes of both tries."""
    causes = {failure.artifact.digest: failure.causes for failure in again}
    had = {artifact.digest for artifact in sought} - causes.keys()
    return [
        Failure(one.artifact, (*one.causes, *causes.get(one.artifact.digest, ())))
        for one in first
        if one.artifact.digest not in had
    ]


def _raise_failures(failures: Sequence[Failure]) -> None:
    if not failures:
        return
    causes = [cause for failure in failures for cause in failure.causes]
    if any(isinstance(cause, WrongDigestError) for cause in causes):
        raise WrongArtifactsError(failures)
    raise ArtifactsUnreachableError(failures)


def _sentence(failures: Sequence[Failure]) -> str:
    if len(failures) == 1:
        return f"{failures[0].artifact.name} can't be had: {str(failures[0]).partition(': ')[2]}"
    listed = "".join(f"\n  {failure}" for failure in failures)
    return f"{len(failures)} artifacts can't be had:{listed}"
