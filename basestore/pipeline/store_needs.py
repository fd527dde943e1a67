"""What the files in a project's ``locks`` need of the store."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.lock import images, services
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE, parse_lock
from basestore.lock.model import Lock
from basestore.profile.document import read_file
from basestore.reading import UNFIT
from basestore.recipe.model import Recipe
from basestore.recipe.plan import TooManyLayersError, plan
from basestore.sources.git import Revision
from basestore.store import Store
from basestore.store.blobs import DamagedBlobError, MissingBlobError

LOCKS = "locks"

_DOCUMENT = 4 * 1024 * 1024  # bytes of a manifest that registries take at most

Signature = tuple[tuple[str, int, int, int, int], ...]
"""The files of a project's ``locks``, such that it changes when one of them does."""


class NoFolderError(InputError):
    """A project's folder can't be looked into."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"{folder} can't be read: {reason}", "change its permissions")


@dataclass(frozen=True, slots=True)
class LockFiles:
    """The files of a project's ``locks``, now or as a commit has them."""

    names: tuple[str, ...]
    read: Callable[[str], bytes | None]

    @classmethod
    def of_folder(cls, project: Path) -> "LockFiles":
        """Those that lie there; raises NoFolderError."""
        names = tuple(name for name, *_ in signature(project))
        return cls(names, lambda file: read_file(project, file))

    @classmethod
    def of_revision(cls, revision: Revision) -> "LockFiles":
        """Those of a commit; raises GitFailedError."""
        names = tuple(file.rpartition("/")[2] for file in revision.files(LOCKS))
        return cls(names, revision.read)

    def locks(self) -> Iterator[tuple[str, bytes]]:
        """The bytes of the locks, by the name of the profile or service."""
        for name in self.names:
            if name.endswith(".lock") and not name.startswith("."):
                data = self.read(f"{LOCKS}/{name}")
                if data is not None:
                    yield name.removesuffix(".lock"), data

    def images(self) -> Iterator[tuple[str, Digest, Collection[Digest]]]:
        """The images of profiles and services: name, image, and further digests; DocumentError."""
        if data := self.read(IMAGES_FILE):
            for image in images.parse(data, IMAGES_FILE):
                yield image.profile, image.image, tuple(image.platforms.values())
        if data := self.read(SERVICES_FILE):
            for name, record in services.parse(data, SERVICES_FILE).items():
                own = (record.made.application,) if record.made else ()
                yield name, record.image, (record.base, *record.platforms.values(), *own)


@dataclass(frozen=True, slots=True)
class Needs:
    """What locks and images need of a store at a time, by digest.

    Many projects have the same locks and images: each is looked into once.
    """

    store: Store
    _parsed: dict[Digest, Lock] = field(default_factory=dict, init=False)
    _locks: dict[Digest, frozenset[Digest]] = field(default_factory=dict, init=False)
    _images: dict[Digest, frozenset[Digest]] = field(default_factory=dict, init=False)

    def of(self, files: LockFiles) -> Mapping[str, frozenset[Digest]]:
        """Blobs, layers and recipes by the profile or service that needs them, there or not.

        Raises EditedLockError, NewerLockError and DocumentError.
        """
        found: dict[str, set[Digest]] = {}
        for lock, digest in self.locks(files):
            if digest not in self._locks:
                self._locks[digest] = frozenset(self.of_lock(lock))
            found.setdefault(lock.profile, set()).update(self._locks[digest])
        for name, image, others in files.images():
            needs = found.setdefault(name, set())
            needs.update(*map(self._of_named, (image, *others)))
        return {name: frozenset(digests) for name, digests in found.items()}

    def locks(self, files: LockFiles) -> Iterator[tuple[Lock, Digest]]:
        """The locks with their digests; raises EditedLockError, NewerLockError."""
        for name, data in files.locks():
            digest = Digest.of(data)
            if digest not in self._parsed:
                self._parsed[digest] = parse_lock(data, name)
            yield self._parsed[digest], digest

    def _of_named(self, digest: Digest) -> frozenset[Digest]:
        """What an image, or a layer, needs."""
        if digest not in self._images:
            needed = (*self.of_image(digest), *self.of_layer(digest))
            self._images[digest] = frozenset(needed)
        return self._images[digest]

    def of_lock(self, lock: Lock) -> Iterator[Digest]:
        """Wheels, .debs, and layers that were made of them, with their blobs."""
        for part in lock.platforms:
            yield from (deb.sha256 for deb in part.debs)
            yield from (wheel.sha256 for wheel in part.wheels)
        for recipe in recipes_of(lock):
            yield recipe.digest
            if layer := self.store.realisations.layer_of(recipe.digest):
                yield from self.of_layer(layer)

    def of_layer(self, layer: Digest) -> Iterator[Digest]:
        """A layer, and the blobs that its record names."""
        yield layer
        if found := self.store.realisations.recorded(layer):
            yield from found.needs

    def of_image(self, image: Digest) -> Iterator[Digest]:
        """An image's documents and layers, as far as the store can read them."""
        yield image
        body = self._document(image)
        for manifest in _named(body.get("manifests")):
            yield from self.of_image(manifest)
        yield from _named([body.get("config")])
        for layer in _named(body.get("layers")):
            yield from self.of_layer(layer)

    def _document(self, digest: Digest) -> Mapping[str, Any]:
        """An index or manifest; nothing where it can't be read, or is none."""
        try:
            if self.store.blobs.size(digest) > _DOCUMENT:
                return {}
            body = json.loads(self.store.blobs.read(digest))
        except (MissingBlobError, DamagedBlobError, *UNFIT):
            return {}
        return body if isinstance(body, dict) else {}


def _named(descriptors: Any) -> Iterator[Digest]:
    """What a list of descriptors points to; nothing where it is of another form."""
    for one in descriptors if isinstance(descriptors, list) else ():
        with suppress(*UNFIT):
            yield Digest.parse(one["digest"])


def recipes_of(lock: Lock) -> Iterator[Recipe]:
    """The recipes of all platforms of a lock; none of one that has too many layers to be built."""
    for part in lock.platforms:
        try:
            yield from plan(lock, part)
        except TooManyLayersError:
            continue


def signature(project: Path) -> Signature:
    """The state of a project's ``locks``, empty where there is none; raises NoFolderError."""
    folder = project / LOCKS
    try:
        status = {file.name: file.stat() for file in sorted(folder.iterdir())}
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise NoFolderError(folder, error.strerror or str(error)) from error
    return tuple(
        (name, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns)
        for name, one in status.items()
    )
