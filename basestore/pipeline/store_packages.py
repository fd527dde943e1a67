"""Verifying the store: wheels and .debs held to what they say of their own files.

A package's digest says that its bytes are those that were locked. Whether those are what the
package itself lists (RECORD, md5sums) is another matter, and no damage of the store.
"""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from basestore.digest import Digest
from basestore.errors import IntegrityError
from basestore.layer.deb.content import check_contents as check_deb
from basestore.layer.wheel.content import Compared, check_contents, compare_contents
from basestore.lock.model import Deb, Lock, Wheel
from basestore.pipeline.store_roots import ProjectMarker, UnreadableProjectError
from basestore.progress import Advance, Progress
from basestore.store import MissingBlobError, Store

Artifact = Wheel | Deb


@dataclass(frozen=True, slots=True)
class Naming:
    """A lock that names a package. ``reason``: why it excepts it, empty where it doesn't."""

    project: Path
    name: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.name} of {self.project}"


@dataclass(frozen=True, slots=True)
class Named:
    """A wheel or .deb and the locks that name it."""

    artifact: Artifact
    namings: tuple[Naming, ...]

    @property
    def label(self) -> str:
        """What it is called in messages."""
        one = self.artifact
        return one.file if isinstance(one, Wheel) else f"{one.name} {one.version}"

    @property
    def strict(self) -> tuple[Naming, ...]:
        """The locks that don't except it."""
        return tuple(one for one in self.namings if not one.reason)


@dataclass(frozen=True, slots=True)
class Untrue:
    """A package that isn't what it says of itself, though the store has it as it was locked."""

    package: Named
    error: IntegrityError


@dataclass(frozen=True, slots=True)
class Excepted:
    """A wheel that every lock which names it excepts, and what is untrue in its RECORD."""

    package: Named
    compared: Compared


@dataclass(frozen=True, slots=True)
class Packages:
    """How many packages were looked at, and what was found. Sorted by what they are called."""

    checked: int
    untrue: tuple[Untrue, ...]
    excepted: tuple[Excepted, ...]


@dataclass(frozen=True, slots=True)
class PackageChecker:
    """Checks those packages of a store that its projects' locks name. Others can't be told apart.

    ``store``: that whose blobs are read. ``marker``: knows the projects; those that can't be read
    are passed over.
    """

    store: Store
    marker: ProjectMarker
    jobs: int
    progress: Progress

    def run(self, damaged: Collection[Digest | None] = ()) -> Packages:
        """Check each package once, but for those whose blobs are ``damaged`` or not there.

        A wheel is held to its RECORD unless every lock that names it excepts it.
        """
        named = [
            package
            for digest, package in self._named().items()
            if digest not in damaged and self.store.blobs.has(digest)
        ]
        total = sum(one.artifact.size for one in named)
        with (
            self.progress.task("check", f"{len(named)} packages", total) as advance,
            ThreadPoolExecutor(self.jobs, thread_name_prefix="check") as pool,
        ):
            found = list(pool.map(lambda one: self._check(one, advance), named))
        untrue = tuple(one for one in found if isinstance(one, Untrue))
        return Packages(len(named), untrue, tuple(o for o in found if isinstance(o, Excepted)))

    def _named(self) -> Mapping[Digest, Named]:
        """The packages of all locks, sorted by what they are called."""
        found: dict[Digest, Named] = {}
        for project, lock in self._locks():
            for digest, artifact in _artifacts(lock).items():
                naming = Naming(project, lock.profile, _exception(lock, artifact))
                known = found[digest].namings if digest in found else ()
                found[digest] = Named(artifact, (*known, naming))
        return dict(sorted(found.items(), key=lambda item: (item[1].label, item[0])))

    def _locks(self) -> Iterator[tuple[Path, Lock]]:
        for project in self.marker.projects():
            with suppress(UnreadableProjectError):
                yield from ((project, lock) for lock in self.marker.locks_of(project))

    def _check(self, package: Named, advance: Advance) -> Untrue | Excepted | None:
        try:
            with self.store.blobs.open(package.artifact.sha256) as file:
                return _compare(package, file, advance)
        except MissingBlobError:  # deleted a moment ago
            return None
        except IntegrityError as error:
            return Untrue(package, error)


def _compare(package: Named, file: BinaryIO, advance: Advance) -> Excepted | None:
    """Hold an open package to its own list; raises BadZipError and MalformedDebError."""
    if isinstance(package.artifact, Deb):
        check_deb(file, package.label)
        advance(package.artifact.size)
    elif package.strict:
        check_contents(file, package.label, advance)
    else:
        return Excepted(package, compare_contents(file, package.label, advance))
    return None


def _artifacts(lock: Lock) -> Mapping[Digest, Artifact]:
    """The wheels and .debs of all platforms of a lock, each once."""
    found: dict[Digest, Artifact] = {}
    for part in lock.platforms:
        found.update((deb.sha256, deb) for deb in part.debs)
        found.update((wheel.sha256, wheel) for wheel in part.wheels)
    return found


def _exception(lock: Lock, artifact: Artifact) -> str:
    """Why a lock excepts an artifact; empty where it doesn't."""
    return lock.record_exceptions.get(artifact.name, "") if isinstance(artifact, Wheel) else ""
