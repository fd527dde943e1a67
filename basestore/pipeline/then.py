"""Then: what a project's locks and records were in a revision that is trusted.

*trusted*: its locks were their profiles', and gave the images that were recorded there. *stands*: a
lock that is today what it was then.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.lock import images, services
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE, lock_file
from basestore.lock.images import ImageRecord
from basestore.lock.model import Lock
from basestore.lock.services import ServiceRecord
from basestore.pipeline.before import project_before
from basestore.pipeline.locked import LockedProfile
from basestore.profile.document import DocumentError
from basestore.profile.model import Project
from basestore.profile.names import is_plain
from basestore.sources.git import Changes, Entry, Revision


class UnreadableThenError(InputError):
    """A file of the revision can't be read by this version, so that nothing can be held to it."""

    def __init__(self, revision: str, error: InputError) -> None:
        super().__init__(
            f"{error.message}, in the revision {revision}",
            "name a later revision, or check without --since and build what changed",
        )


@dataclass(frozen=True, slots=True)
class Then:
    """A project in a revision. ``entries``: what that has below ``locks``, by path.

    ``project``: as ``basestore.toml`` said it; None where that can't be read today.
    """

    revision: Revision
    changes: Changes
    project: Project | None
    entries: Mapping[str, Entry]
    images: tuple[ImageRecord, ...]
    services: Mapping[str, ServiceRecord]
    _read: dict[str, bytes] = field(default_factory=dict, init=False)
    _stands: dict[str, bool] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, project: Project, revision: Revision) -> "Then":
        """What a revision had of a project.

        Raises UnreadableThenError for its records, and GitFailedError.
        """
        changes = revision.changes()
        entries = revision.entries(["locks"])
        kept = [entries[one] for one in (IMAGES_FILE, SERVICES_FILE) if one in entries]
        contents = revision.contents(kept)

        def content(file: str) -> bytes | None:
            return contents[entries[file].object] if file in entries else None

        images_then, services_then = content(IMAGES_FILE), content(SERVICES_FILE)
        try:
            return cls(
                revision=revision,
                changes=changes,
                project=project_before(project, revision, changes),
                entries=entries,
                images=images.parse(images_then, IMAGES_FILE) if images_then else (),
                services=services.parse(services_then, SERVICES_FILE) if services_then else {},
            )
        except DocumentError as error:
            raise UnreadableThenError(revision.name, error) from error

    @property
    def locks(self) -> Iterator[str]:
        """The profiles and services that had a lock."""
        for file in map(PurePosixPath, self.entries):
            if file.suffix == ".lock" and file.parent.name == "locks" and is_plain(file.stem):
                yield file.stem

    def stands(self, name: str) -> bool:
        """Whether a lock is as it was; not where there was none. Raises OSError."""
        if name not in self._stands:
            entry = self.entries.get(lock_file(name))
            now = self.revision.entry(lock_file(name)) if entry else None
            same = now is not None and entry is not None and now.object == entry.object
            self._stands[name] = same
        return self._stands[name]

    def locked(self, name: str) -> LockedProfile | None:
        """A lock as it was, None where there was none; raises GitFailedError."""
        data = self._content(name)
        return None if data is None else LockedProfile(name, data, Digest.of(data))

    def lock(self, name: str) -> Lock | None:
        """A lock as it was, read; None where there was none. Raises UnreadableThenError."""
        locked = self.locked(name)
        try:
            return locked.parse() if locked else None
        except InputError as error:
            raise UnreadableThenError(self.revision.name, error) from error

    def all_locked(self) -> Iterator[LockedProfile]:
        """Every lock as it was; raises GitFailedError."""
        self.read(self.locks)
        return filter(None, map(self.locked, self.locks))

    def read(self, names: Iterable[str]) -> None:
        """Read locks ahead, all by one git."""
        wanted = {name: self.entries.get(lock_file(name)) for name in names}
        lacking = {n: e for n, e in wanted.items() if e is not None and n not in self._read}
        contents = self.revision.contents(lacking.values())
        self._read.update({name: contents[entry.object] for name, entry in lacking.items()})

    def image(self, name: str) -> ImageRecord | None:
        """What was recorded of a profile's lock as it was."""
        rows = [row for row in self.images if row.profile == name]
        locked = self.locked(name) if rows else None
        return images.find(rows, name, locked.digest) if locked else None

    def service(self, name: str) -> ServiceRecord | None:
        """What was recorded of a service's lock, if on the base's image as it was."""
        row = self.services.get(name)
        locked = self.locked(name) if row and row.made else None
        if row is None or row.made is None or locked is None or row.made.lock != locked.digest:
            return None
        lock = self.lock(name)
        base = self.image(lock.base) if lock else None
        return row if base and base.image == row.base == row.made.base else None

    def _content(self, name: str) -> bytes | None:
        if name not in self._read and lock_file(name) in self.entries:
            if self.stands(name):  # then the file is at hand, and no git is asked
                return (self.revision.git.folder / lock_file(name)).read_bytes()
            self.read((name,))
        return self._read.get(name)
