"""What projects keep alive in the store: all that the files in their ``locks`` name."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from basestore.digest import Digest
from basestore.errors import BasestoreError, InputError
from basestore.lock import images, services
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE, parse_lock
from basestore.lock.model import Lock
from basestore.profile.document import read_file
from basestore.recipe.model import Recipe
from basestore.recipe.plan import TooManyLayersError, plan
from basestore.sources.git import Git, Revision
from basestore.store import Store
from basestore.store.blobs import DamagedBlobError, MissingBlobError
from basestore.store.roots import DamagedRootError

LOCKS = "locks"

_DOCUMENT = 4 * 1024 * 1024  # bytes of a manifest that registries take at most

Signature = tuple[tuple[str, int, int, int, int], ...]
"""The files of a project's ``locks``, such that it changes when one of them does."""


class UnreadableProjectError(InputError):
    """A project that used the store can't be read, so that nobody knows its needs."""

    def __init__(self, project: Path, cause: BasestoreError, commit: str = "") -> None:
        there = f" in its commit {commit[:12]}" if commit else ""
        super().__init__(
            f"nobody can tell what {project}{there} needs of the store: {cause.message}",
            f"mend that ({cause.hint}), leave the project out of account for once with "
            f"--ignore-project {project}, or for good with `basestore store roots --forget "
            f"{project}`",
        )
        self.project = project
        self.cause = cause


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

    def locks(self) -> Iterator[tuple[Lock, Digest]]:
        """The locks with their digests; raises EditedLockError, NewerLockError."""
        for name in self.names:
            if name.endswith(".lock") and not name.startswith("."):
                data = self.read(f"{LOCKS}/{name}")
                if data is not None:
                    yield parse_lock(data, name.removesuffix(".lock")), Digest.of(data)

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
    """What locks and images need of a store, by digest."""

    store: Store

    def of(self, files: LockFiles) -> Mapping[str, frozenset[Digest]]:
        """Blobs, layers and recipes by the profile or service that needs them, there or not."""
        found: dict[str, set[Digest]] = {}
        for lock, _ in files.locks():
            found.setdefault(lock.profile, set()).update(self.of_lock(lock))
        for name, image, others in files.images():
            needs = found.setdefault(name, set())
            for digest in (image, *others):
                needs.update(self.of_image(digest), self.of_layer(digest))
        return {name: frozenset(digests) for name, digests in found.items()}

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
        except (MissingBlobError, DamagedBlobError, ValueError):
            return {}
        return body if isinstance(body, dict) else {}


def _named(descriptors: Any) -> Iterator[Digest]:
    """What a list of descriptors points to; nothing where it is of another form."""
    for one in descriptors if isinstance(descriptors, list) else ():
        with suppress(TypeError, LookupError, ValueError, AttributeError):
            yield Digest.parse(one["digest"])


def recipes_of(lock: Lock) -> Iterator[Recipe]:
    """The recipes of all platforms of a lock; none of one that has too many layers to be built."""
    for part in lock.platforms:
        try:
            yield from plan(lock, part)
        except TooManyLayersError:
            continue


@dataclass(slots=True)
class ProjectMarker:
    """Marks what the registered projects need: of their locks now, and of earlier ones.

    ``revisions``: so many commits that changed ``locks`` count besides. ``besides``: projects that
    count although they aren't registered. ``ignored``: projects that are left out of account.
    ``gone``: the roots of projects that are there no more, once marked.
    """

    store: Store
    git: Callable[[Path], Git]
    revisions: int = 0
    besides: Collection[Path] = ()
    ignored: Collection[Path] = ()
    gone: dict[Path, Path] = field(default_factory=dict)
    _marked: tuple[tuple[Path, Signature], ...] = ()

    def mark(self) -> Collection[Digest]:
        """All that projects need. Raises UnreadableProjectError and DamagedRootError."""
        self._marked = self._signatures()
        found: set[Digest] = set()
        for project, _ in self._marked:
            for needs in self.needs_of(project):
                found.update(*needs.values())
        return found

    def projects(self) -> Iterator[Path]:
        """The projects that count, gone or not, but for those whose roots can't be read."""
        known = dict.fromkeys(self.besides)
        for file in self.store.roots.files():
            with suppress(DamagedRootError):
                known[self.store.roots.project_of(file)] = None
        return (project for project in known if project not in self.ignored)

    def stale(self) -> bool:
        """Whether a project came, went, or has other locks since."""
        return self._signatures() != self._marked

    def needs_of(self, project: Path) -> Iterator[Mapping[str, frozenset[Digest]]]:
        """What a project needs by profile, now and then as of each revision that counts.

        Raises UnreadableProjectError.
        """
        needs, commit = Needs(self.store), ""
        try:
            yield needs.of(LockFiles.of_folder(project))
            for revision in self._commits(project):
                commit = revision.commit
                yield needs.of(LockFiles.of_revision(revision))
        except BasestoreError as error:
            raise UnreadableProjectError(project, error, commit) from error

    def locks_of(self, project: Path) -> tuple[Lock, ...]:
        """The locks of a project as they are now; raises UnreadableProjectError."""
        try:
            return tuple(lock for lock, _ in LockFiles.of_folder(project).locks())
        except BasestoreError as error:
            raise UnreadableProjectError(project, error) from error

    def _commits(self, project: Path) -> Iterator[Revision]:
        if not self.revisions:
            return
        git = self.git(project)
        if not is_committed(git):
            return
        count = f"--max-count={self.revisions}"
        for commit in git.output("log", count, "--format=%H", "--", LOCKS).decode().split():
            yield Revision(git, commit, commit)

    def _signatures(self) -> tuple[tuple[Path, Signature], ...]:
        """The projects that count and the state of their locks; those that are gone are noted."""
        projects = dict.fromkeys(self.besides)
        for file in self.store.roots.files():
            project = self.store.roots.project_of(file)
            if project in self.ignored or is_there(project):
                projects[project] = None
            else:
                self.gone[file] = project
        return tuple((one, _signed(one)) for one in projects if one not in self.ignored)


def is_there(project: Path) -> bool:
    """Whether a project's folder exists; raises UnreadableProjectError where nobody may look."""
    try:
        project.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        cause = NoFolderError(project, error.strerror or str(error))
        raise UnreadableProjectError(project, cause) from error
    return True


def _signed(project: Path) -> Signature:
    try:
        return signature(project)
    except NoFolderError as error:
        raise UnreadableProjectError(project, error) from error


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


def is_committed(git: Git) -> bool:
    """Whether the project is in a repository that has a commit."""
    done = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    return done.returncode == 0
