"""What is recorded of a profile's or a service's image, and that image out of the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.errors import DisagreementError, IntegrityError
from basestore.lock import images
from basestore.lock.files import NoLockError, lock_digest, read_images, read_services
from basestore.lock.services import Made, ServiceRecord
from basestore.profile.model import Project
from basestore.target import Platform


class NotBuiltError(DisagreementError):
    """The image of a current lock is not recorded, or its layers are none that this user made."""

    def __init__(self, name: str, reason: str = "") -> None:
        super().__init__(
            reason or f"the store lacks layers of {name}'s lock, or this user hasn't made them",
            f"run `basestore build {name}`",
        )
        self.name = name


class OtherImageError(IntegrityError):
    """A lock gives another image than it is recorded to have given.

    ``file``: what records it; ``what``: profile or service by name, and maybe a platform.
    ``recorded``, ``given``: None where there is none.
    """

    def __init__(self, file: str, what: str, recorded: Digest | None, given: Digest | None) -> None:
        super().__init__(
            f"{what}: {file} records {recorded or 'nothing'} for its lock, which gives "
            f"{given or 'nothing'}",
            f"if {file} was edited, or merged by hand, take its line back; if another version of "
            "basestore made what it records, in another layer format, drop the line and build "
            "again",
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """The image of a profile's or service's current lock.

    ``lock``: its lock digest. ``tag``: the image's. ``image``: the image digest, and ``platforms``
    those of the manifests. ``made``: what a service's image is a function of.
    """

    name: str
    lock: Digest
    tag: str
    image: Digest
    platforms: Mapping[Platform, Digest]
    made: Made | None = None

    @classmethod
    def of_profile(cls, record: images.ImageRecord) -> "Recorded":
        """What the images file says."""
        return cls(record.profile, record.lock, record.lock.hex, record.image, record.platforms)


@dataclass(frozen=True, slots=True)
class Records:
    """What a project's images file and services file say."""

    project: Project
    images: Sequence[images.ImageRecord]
    services: Mapping[str, ServiceRecord]

    @classmethod
    def read(cls, project: Project) -> "Records":
        """The records of a project; raises DocumentError where they can't be read."""
        return cls(project, read_images(project), read_services(project))

    def find(self, name: str) -> Recorded | None:
        """The image of a profile's or service's current lock; None where none is recorded.

        A service's must stand on its base's current image, too. Raises NoLockError.
        """
        lock = lock_digest(self.project, name)
        if name not in self.project.services:
            record = images.find(self.images, name, lock)
            return Recorded.of_profile(record) if record else None
        found = self.services.get(name)
        if found is None or not self._stands(found, lock):
            return None
        return Recorded(name, lock, found.tag, found.image, found.platforms, found.made)

    def required(self, name: str) -> Recorded:
        """As `find`; raises NotBuiltError where nothing is recorded."""
        found = self.find(name)
        if found is None:
            raise NotBuiltError(name, f"no image of {name}'s lock is recorded")
        return found

    def _stands(self, record: ServiceRecord, lock: Digest) -> bool:
        """Whether a service's image is of its current lock, and on its base's current image."""
        return record.made is not None and record.made.lock == lock and self.is_on_base(record)

    def is_on_base(self, record: ServiceRecord) -> bool:
        """Whether a service's image is on its base's current image; not where that has no lock."""
        name = self.project.services[record.service].base
        if name in self.project.services:
            return False  # which is no base, as reading it says
        try:
            base = self.find(name)
        except NoLockError:
            return False
        return base is not None and base.image == record.base
