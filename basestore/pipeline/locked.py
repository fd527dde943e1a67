"""A profile's lock as it lies on the disk, with its digest, parsed only where that is needed."""

from dataclasses import dataclass

from basestore.digest import Digest
from basestore.lock.files import NoLockError, lock_file, parse_lock
from basestore.lock.model import Lock
from basestore.profile.document import read_file
from basestore.profile.model import Project


@dataclass(frozen=True, slots=True)
class LockedProfile:
    """A profile's name and its lock's bytes; their digest is the image's tag."""

    name: str
    data: bytes
    digest: Digest

    @property
    def tag(self) -> str:
        """The image's tag."""
        return self.digest.hex

    def parse(self) -> Lock:
        """The lock; raises EditedLockError where it isn't canonical, or another profile's."""
        return parse_lock(self.data, self.name)


def read_locked(project: Project, name: str) -> LockedProfile:
    """Read a profile's lock; raises NoLockError."""
    data = read_file(project.root, lock_file(name))
    if data is None:
        raise NoLockError(project, name)
    return LockedProfile(name, data, Digest.of(data))
