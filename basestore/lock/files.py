"""The files in ``locks/``: where they lie, and how they are read and replaced."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from basestore.digest import Digest
from basestore.errors import DisagreementError, InputError, UnreachableError
from basestore.files import locked_folder, replace_files
from basestore.lock import codec, images, origin, services
from basestore.lock.codec import EditedLockError
from basestore.lock.images import ImageRecord
from basestore.lock.model import Lock
from basestore.lock.origin import Origin
from basestore.lock.services import ServiceRecord
from basestore.profile.document import read_file
from basestore.profile.family import ancestors, parents_of
from basestore.profile.inside import real_path, real_paths
from basestore.profile.model import Project

IMAGES_FILE = "locks/images.toml"
SERVICES_FILE = "locks/services.toml"
_ATTRIBUTES = "locks/.gitattributes"
_NO_CONVERSION = b"* -text\n"  # gitattributes(5): no line-ending setting changes a tag


class NoLockError(DisagreementError):
    """A profile has no lock."""

    def __init__(self, project: Project, name: str) -> None:
        kind = "service" if name in project.services else "profile"
        super().__init__(
            f"the {kind} {name} has no lock: there is no {lock_file(name)}",
            f"run `basestore lock {' '.join(_unlocked(project, name))}`",
        )
        self.name = name


class UnreadableLockError(InputError):
    """A lock that was made would be refused when it is read back, so that it isn't written."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"what would become {lock_file(name)} can't be read back: {reason}",
            "look for an odd character in what the profile or a package says there; this is also "
            "a bug in basestore: please report it",
        )
        self.name = name


class UnwritableError(UnreachableError):
    """A file of the project can't be written."""

    def __init__(self, files: Iterable[str], reason: str) -> None:
        super().__init__(
            f"{' and '.join(files)} can't be written: {reason}",
            "make the folder one that you can write, with room on its disk; nothing was changed",
        )


def lock_file(name: str) -> str:
    """A profile's lock, relative to the project."""
    return f"locks/{name}.lock"


def origin_file(name: str) -> str:
    """The origin of a profile's lock, relative to the project."""
    return f"locks/{name}.origin.toml"


def read_lock(project: Project, name: str) -> tuple[Lock, Digest]:
    """A profile's lock and its digest; raises NoLockError, EditedLockError, NewerLockError."""
    data = read_file(project.root, lock_file(name))
    if data is None:
        raise NoLockError(project, name)
    return parse_lock(data, name), Digest.of(data)


def parse_lock(data: bytes, name: str) -> Lock:
    """The lock of a profile out of its file's bytes; raises EditedLockError, NewerLockError."""
    lock = codec.parse(data, lock_file(name))
    if lock.profile != name:
        reason = f"the lock of {lock.profile!r}, under the name of another profile"
        raise EditedLockError(lock_file(name), reason, key="profile")
    return lock


def read_origin(project: Project, name: str) -> Origin | None:
    """The origin of a profile's lock, None where there is none; raises MalformedOriginError."""
    data = read_file(project.root, origin_file(name))
    return None if data is None else origin.parse(data, origin_file(name))


def write_lock(project: Project, lock: Lock, how: Origin) -> Digest:
    """Replace a profile's lock and origin, both or neither; the lock digest.

    Files that hold these bytes already are left alone. Raises UnwritableError, LeadsOutError,
    UnreadableLockError for a lock that `codec.parse` would refuse, and ValueError for an origin
    that describes another.
    """
    data = codec.write(lock)
    digest = Digest.of(data)
    if how.head.lock != digest:
        raise ValueError(f"the origin describes {how.head.lock}, the lock is {digest}")
    _check_reads_back(data, lock)
    _replace(
        project,
        {lock_file(lock.profile): data, origin_file(lock.profile): origin.write(how)},
    )
    return digest


def lock_digest(project: Project, name: str) -> Digest:
    """The digest of a profile's lock, which is not parsed; raises NoLockError."""
    data = read_file(project.root, lock_file(name))
    if data is None:
        raise NoLockError(project, name)
    return Digest.of(data)


def lock_digests(project: Project) -> Mapping[str, Digest]:
    """The digest of every lock there is, by the profile's name."""
    files = sorted((project.locks).glob("*.lock"))
    return {file.stem: Digest.of_file(file) for file in files if not file.name.startswith(".")}


def read_images(project: Project) -> tuple[ImageRecord, ...]:
    """The project's images file, empty where there is none; raises DocumentError."""
    data = read_file(project.root, IMAGES_FILE)
    return () if data is None else images.parse(data, IMAGES_FILE)


def write_images(project: Project, records: Iterable[ImageRecord]) -> None:
    """Replace the project's images file, unless it holds this; raises as `write_lock`."""
    _replace(project, {IMAGES_FILE: images.write(records)})


def read_services(project: Project) -> Mapping[str, ServiceRecord]:
    """The project's services file by service, empty where there is none; raises DocumentError."""
    data = read_file(project.root, SERVICES_FILE)
    return {} if data is None else services.parse(data, SERVICES_FILE)


def write_services(project: Project, records: Iterable[ServiceRecord]) -> None:
    """Replace the project's services file, unless it holds this; raises as `write_lock`."""
    _replace(project, {SERVICES_FILE: services.write(records)})


@contextmanager
def alone_with_locks(project: Project) -> Iterator[None]:
    """Alone with ``locks/``, as `locked_folder`; raises LeadsOutError."""
    with locked_folder(real_path(project.root, "locks")):
        yield


def _check_reads_back(data: bytes, lock: Lock) -> None:
    try:
        found = codec.parse(data, lock_file(lock.profile))
    except EditedLockError as error:
        at = f" (line {error.line})" if error.line else ""
        reason = ": ".join(filter(None, (error.key, error.reason)))
        raise UnreadableLockError(lock.profile, f"{reason}{at}") from None
    if found != lock:
        raise UnreadableLockError(lock.profile, "it would say something else")


def _unlocked(project: Project, name: str) -> tuple[str, ...]:
    """A profile, and before it those of its ancestors that have no lock either."""
    above = tuple(ancestors(parents_of(project), name))[::-1]
    return (*(one for one in above if not (project.root / lock_file(one)).exists()), name)


def _replace(project: Project, contents: Mapping[str, bytes]) -> None:
    if read_file(project.root, _ATTRIBUTES) is None:
        contents = {_ATTRIBUTES: _NO_CONVERSION, **contents}
    changed = {
        file: data for file, data in contents.items() if read_file(project.root, file) != data
    }
    places = real_paths(project.root, changed)
    try:
        replace_files({places[file]: data for file, data in changed.items()})
    except OSError as error:
        raise UnwritableError(contents, error.strerror or str(error)) from error
