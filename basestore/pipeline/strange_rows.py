"""Rows of the images and services file that a change brings, for locks and services there aren't.

`build` drops such rows when it writes the file, so that none comes up but by hand. One that waits
there would be found by a lock that comes later.
"""

from collections.abc import Iterator

from basestore.errors import DisagreementError
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE, lock_digests
from basestore.pipeline.recorded import Records
from basestore.pipeline.then import Then


class StrangeRowError(DisagreementError):
    """A record of an image has no lock or service that it could be of, and is new."""

    def __init__(self, file: str, what: str, revision: str) -> None:
        super().__init__(
            f"{file} records an image of {what}, which isn't there; {revision} has no such line",
            "take the line out",
        )
        self.file = file


def check_rows(records: Records, then: Then) -> None:
    """Raise StrangeRowError for the first row of nothing that the revision hasn't."""
    for file, what in _strange(records, then):
        raise StrangeRowError(file, what, then.revision.name)


def _strange(records: Records, then: Then) -> Iterator[tuple[str, str]]:
    locks = lock_digests(records.project)
    for image in records.images:
        if locks.get(image.profile) != image.lock and image not in then.images:
            yield IMAGES_FILE, f"the lock {image.lock} of {image.profile}"
    for name, service in records.services.items():
        if name not in records.project.services and then.services.get(name) != service:
            yield SERVICES_FILE, f"the service {name}"
