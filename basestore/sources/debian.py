"""Debian's archives: a suite's signed index, and where its .debs lie.

Nothing here knows where Debian's archives are: a mirror says so, or the host's own apt, of whose
sources only those count whose Release Debian has signed; else the snapshot archive is asked.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from basestore.debian.packages import PackagesIndex, SuiteIndex
from basestore.debian.release import Release
from basestore.digest import Digest
from basestore.errors import IntegrityError, NoResolutionError, UnreachableError
from basestore.layer.deb.stream import decompressed
from basestore.lock.model import Deb
from basestore.progress import Progress
from basestore.sources.apt import HostApt
from basestore.sources.debian_keys import debian_keyring
from basestore.sources.debian_release import (
    ForeignReleaseError,
    Place,
    ReleaseReader,
    SuiteNotFoundError,
)
from basestore.sources.fetch import Artifact, fetch
from basestore.sources.signature import Keyring, UnknownSignerError
from basestore.sources.snapshot import SNAPSHOT, archive_at, snapshot_urls
from basestore.store import Store
from basestore.target import KNOWN, Platform
from basestore.transport import Transport, TransportError, host_of, redact

_LARGEST_INDEX = 1024**3
"""Debian's main has 50 MB; where an index only locates, nobody has signed what it unpacks to."""

# Suites that are never released and so have neither updates nor a security suite.
_ROLLING = ("sid", "unstable")


class NoSuchIndexError(NoResolutionError):
    """A suite has no packages for a platform."""

    def __init__(self, suite: str, platform: Platform) -> None:
        super().__init__(
            f"the suite {suite} has no packages for {platform}",
            f"take the platform out of the profile; known are {', '.join(KNOWN)}",
        )


class CorruptIndexError(IntegrityError):
    """An index is the one that its Release names, but can't be unpacked."""

    def __init__(self, artifact: Artifact, base: str, reason: str) -> None:
        super().__init__(
            f"{artifact.name} of {redact(base)} can't be unpacked: {reason}", "use another mirror"
        )


class DebsGoneError(UnreachableError):
    """.debs of a lock that no archive has any more."""

    def __init__(self, suite: str, debs: Sequence[Deb], reason: str) -> None:
        named = ", ".join(deb_file(deb) for deb in debs)
        super().__init__(
            f"the archives of {suite} no longer list {named}, and {reason}",
            "solve the foundation again: basestore lock --upgrade-foundation",
        )
        self.suite = suite
        self.debs = tuple(debs)


@dataclass(frozen=True, slots=True)
class _Index:
    """One archive's Packages: the artifact, where it lies, and the base URL of what it lists."""

    base: str
    artifact: Artifact
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Debian:
    """Debian's archives, as this machine reaches them.

    ``mirrors``: ``debian``, ``debian-security`` or ``snapshot`` to the base URL asked instead.
    ``now``: an aware datetime. ``apt`` tells the host's own sources, and is asked only where no
    mirror stands for an archive. ``keyring``: whose signatures count.
    """

    store: Store
    transport: Transport
    now: datetime
    mirrors: Mapping[str, str] = field(default_factory=dict)
    apt: Callable[[], HostApt] = HostApt
    keyring: Keyring = field(default_factory=debian_keyring, repr=False)

    def index(self, suite: str, platform: Platform, progress: Progress) -> SuiteIndex:
        """The packages of a suite with its updates and security suites, for one platform.

        Raises SignatureError, WrongReleaseError, ExpiredReleaseError, SuiteNotFoundError,
        NoSuchIndexError, CorruptIndexError, TransportError and what ``fetch`` raises.
        """
        return self._index(_Question(suite, platform, self.now, self.keyring), progress)

    def locate(
        self, suite: str, debs: Sequence[Deb], progress: Progress
    ) -> Mapping[Digest, Sequence[str]]:
        """Where .debs of a lock lie today, by digest.

        The suite's index of today first; the snapshot archive is asked only for what that doesn't
        list. Signatures and age of an index don't matter here, for the digests decide. Raises what
        ``index`` raises, but for those, and DebsGoneError.
        """
        urls = dict(self._listed(suite, debs, progress))
        gone = [deb for deb in debs if deb.sha256 not in urls]
        return {**urls, **self._snapshots(suite, gone)} if gone else urls

    def _index(self, asked: "_Question", progress: Progress) -> SuiteIndex:
        archives = _archives(asked.suite)
        mirrored = all(name in self.mirrors for name, _ in archives)
        finder = _Finder(self, HostApt() if mirrored else self.apt(), asked)
        indexes = [finder.find(archive, name) for archive, name in archives]
        places = {index.artifact.digest: index.urls for index in indexes}
        artifacts = [index.artifact for index in indexes]
        fetch(self.store, self.transport, artifacts, lambda _: places, progress)
        return SuiteIndex(asked.suite, [self._load(index) for index in indexes])

    @property
    def snapshot(self) -> str:
        """The base URL of the snapshot archive."""
        return self.mirrors.get("snapshot", SNAPSHOT).rstrip("/")

    def _load(self, index: _Index) -> PackagesIndex:
        def refuse(reason: str) -> CorruptIndexError:
            return CorruptIndexError(index.artifact, index.base, reason)

        data = bytearray()
        with self.store.blobs.verified(index.artifact.digest) as blob:
            size = os.fstat(blob.fileno()).st_size
            for piece in decompressed(blob, size, ".xz", refuse):
                data += piece
                if len(data) > _LARGEST_INDEX:
                    raise refuse(f"it has more than {_LARGEST_INDEX} bytes")
        return PackagesIndex(index.base, data)

    def _listed(
        self, suite: str, debs: Sequence[Deb], progress: Progress
    ) -> Iterator[tuple[Digest, tuple[str, ...]]]:
        """What the suite's indexes list today."""
        for platform in _platforms(debs):
            try:
                index = self._index(_Question(suite, platform, None, None), progress)
            except SuiteNotFoundError:
                continue
            for deb in debs:
                url = index.location(deb.sha256)
                if url is not None:
                    yield deb.sha256, (url,)

    def _snapshots(self, suite: str, debs: Sequence[Deb]) -> Mapping[Digest, Sequence[str]]:
        try:
            urls = snapshot_urls(self.transport, self.snapshot, debs)
        except UnreachableError as error:
            raise DebsGoneError(suite, debs, error.message) from error
        lost = [deb for deb in debs if deb.sha256 not in urls]
        if lost:
            raise DebsGoneError(suite, lost, f"{host_of(self.snapshot)} doesn't have them either")
        return urls


@dataclass(frozen=True, slots=True)
class _Question:
    """Which index is wanted. ``valid_at``: when its Release must be valid; None: any age.

    ``keyring``: whose signature its Release must have; None: anybody's.
    """

    suite: str
    platform: Platform
    valid_at: datetime | None
    keyring: Keyring | None


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds the archives of one suite."""

    debian: Debian
    apt: HostApt
    asked: _Question

    def find(self, archive: str, suite: str) -> _Index:
        platform = self.asked.platform
        base, release = self._release(archive, suite)
        folder = f"main/binary-{platform.architecture}"
        file = release.files.get(f"{folder}/Packages.xz")
        if file is None:
            raise NoSuchIndexError(suite, platform)
        here = f"{base}/dists/{suite}/{folder}"
        by_hash = (f"{here}/by-hash/SHA256/{file.digest.hex}",) if release.by_hash else ()
        what = f"index of {suite} for {platform.architecture}"
        artifact = Artifact(what, file.digest, file.size)
        return _Index(base, artifact, (*by_hash, f"{here}/Packages.xz"))

    def _release(self, archive: str, suite: str) -> tuple[str, Release]:
        """The base URL of the archive that holds a suite, and the suite's Release."""
        if archive in self.debian.mirrors:
            base = self.debian.mirrors[archive].rstrip("/")
            return base, self._read(Place(base, self.asked.valid_at), suite)
        asked: list[str] = []
        failed: UnreachableError | None = None
        for base in self.apt.bases(suite):
            try:
                return base, self._read(self._host_place(base), suite)
            except (SuiteNotFoundError, UnknownSignerError, ForeignReleaseError):
                asked.append(base)
            except UnreachableError as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return self._of_snapshot(archive, suite, asked)

    def _of_snapshot(self, archive: str, suite: str, asked: list[str]) -> tuple[str, Release]:
        base = archive_at(self.debian.snapshot, archive, self.debian.now)
        try:
            return base, self._read(Place(base, self.asked.valid_at), suite)
        except SuiteNotFoundError as error:
            raise SuiteNotFoundError(suite, [*asked, base]) from error
        except TransportError as error:
            if not asked:
                raise
            raise SuiteNotFoundError(suite, asked, f", and {error.message}") from error

    def _host_place(self, base: str) -> Place:
        return Place(base, self.asked.valid_at if self.apt.minds_expiry else None)

    def _read(self, place: Place, suite: str) -> Release:
        debian = self.debian
        reader = ReleaseReader(debian.store, debian.transport, self.asked.keyring)
        return reader.read(place, suite)


def deb_file(deb: Deb) -> str:
    """The usual file name of a .deb, without the version's epoch (as in an archive's pool)."""
    return f"{deb.name}_{deb.version.partition(':')[2] or deb.version}_{deb.architecture}.deb"


def deb_artifacts(debs: Sequence[Deb]) -> list[Artifact]:
    """.debs as what ``fetch`` takes."""
    return [Artifact(deb_file(deb), deb.sha256, deb.size) for deb in debs]


def _archives(suite: str) -> tuple[tuple[str, str], ...]:
    """The archives that make up a suite, each with the name that the suite has there."""
    if suite in _ROLLING:
        return (("debian", suite),)
    return (
        ("debian", suite),
        ("debian", f"{suite}-updates"),
        ("debian-security", f"{suite}-security"),
    )


def _platforms(debs: Sequence[Deb]) -> list[Platform]:
    """The platforms whose indexes list some .debs; every index lists those for all of them."""
    architectures = sorted({deb.architecture for deb in debs} - {"all"})
    return [Platform(a) for a in architectures] or [Platform.parse(KNOWN[0])]
