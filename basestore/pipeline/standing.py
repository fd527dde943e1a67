"""How images that are recorded stand to the locks and bases of today. Asks no store."""

from enum import StrEnum

from basestore.digest import Digest
from basestore.lock.files import NoLockError, lock_digest
from basestore.lock.services import ServiceRecord
from basestore.pipeline.recorded import Recorded, Records
from basestore.profile.service import BuiltBy


class Standing(StrEnum):
    """How the image that is recorded of a profile or service stands."""

    CURRENT = "current"
    OLD_LOCK = "of an old lock"
    OLD_BASE = "on an old base"
    NONE = "not built"


def recorded_of(records: Records, name: str) -> Recorded | None:
    """As `Records.find`, and what an engine built; None too where it has no lock."""
    try:
        lock = lock_digest(records.project, name)
        if name not in records.project.services:
            return records.find(name)
    except NoLockError:
        return None
    record = record_of(records, name)
    if record is None or not (record.is_of(lock) and records.is_on_base(record)):
        return None
    return Recorded(name, lock, record.tag, record.image, record.platforms, record.made)


def record_of(records: Records, name: str) -> ServiceRecord | None:
    """What is recorded of a service, if that was built by what builds it now."""
    service, record = records.project.services.get(name), records.services.get(name)
    if service is None or record is None:
        return None
    return record if (record.made is None) == (service.builder is BuiltBy.DOCKER) else None


def standing(records: Records, name: str) -> Standing:
    """How the image of a profile or service stands.

    Of an image that an engine built its base is known, and its lock, unless an old line has none.
    """
    if recorded_of(records, name):
        return Standing.CURRENT
    record = record_of(records, name)
    if record is None:
        return Standing.NONE
    try:
        lock = lock_digest(records.project, name)
    except NoLockError:
        return Standing.OLD_LOCK
    return Standing.OLD_BASE if record.is_of(lock) else Standing.OLD_LOCK


def base_image(records: Records, name: str) -> Digest | None:
    """The image of the base that a service's recorded image stands on; None for a profile."""
    record = record_of(records, name)
    return record.base if record else None
