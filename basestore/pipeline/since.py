"""Since: what a change brings is held to a trusted revision, and made where that doesn't have it.

What stands as it did has to have the image that it had. Of what changed the image is assembled anew
(`given`), so that nothing is believed that the change itself says of images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.layer.application import read_application
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE
from basestore.lock.services import Made
from basestore.pipeline.assembled import manifests
from basestore.pipeline.code import Code
from basestore.pipeline.downgrades import Downgrades
from basestore.pipeline.given import Given, Giver
from basestore.pipeline.locked import read_locked
from basestore.pipeline.recorded import Recorded, Records
from basestore.pipeline.same_bytes import other_bytes
from basestore.pipeline.then import Then
from basestore.pipeline.verify import Finding
from basestore.profile.model import Project
from basestore.profile.service import BuiltBy, Service
from basestore.target import Platform

_ATTRIBUTES = ".gitattributes"


@dataclass(frozen=True, slots=True)
class Since:
    """The checks of a project against a revision. ``giver``: what its locks give now."""

    then: Then
    records: Records
    giver: Giver

    @property
    def project(self) -> Project:
        """The project as it is now."""
        return self.records.project

    def findings(self, name: str) -> tuple[Finding, ...]:
        """What a profile or service with a lock is held to.

        No image's finding where none is recorded now or then. Raises what assembling and making its
        image raise, which is what `build` would raise.
        """
        packages = () if self.then.stands(name) else tuple(self._packages(name))
        return (*packages, *self._image(name))

    def _packages(self, name: str) -> Iterator[Finding]:
        """Of a lock that isn't the revision's: no other bytes under a known name, no way back."""
        locked, old = read_locked(self.project, name), self.then.lock(name)
        lock = locked.parse()
        found = tuple(other_bytes(lock, old, self.then))
        same = f"every file name has the bytes that it had in {self._named}"
        yield Finding("bytes", not found, "; ".join(found) or same)
        if old:
            lower = Downgrades(self.project, self.then.revision, self.giver.aside, (locked, lock))
            found = tuple(lower.unforced(old))
            yield Finding("versions", not found, "; ".join(found) or "none was lowered unforced")

    def _image(self, name: str) -> Iterator[Finding]:
        service = self.project.services.get(name)
        if service is None:
            yield from self._profile(name)
        elif service.builder is BuiltBy.DOCKER:
            yield self._by_engine(service)
        else:
            yield from self._service(service)

    def _profile(self, name: str) -> Iterator[Finding]:
        row, old = self.records.find(name), self.then.image(name)
        if old and self.then.stands(name):
            yield self._as_then(IMAGES_FILE, Recorded.of_profile(old), row)
        elif row:
            yield _held(row, self.giver.profile(name), IMAGES_FILE)

    def _service(self, service: Service) -> Iterator[Finding]:
        row = self.records.find(service.name)
        stands = self._stands_on_base(service) and self._code_stands(service)
        old = self.then.service(service.name) if stands else None
        if old and old.made:
            was = Recorded(service.name, old.made.lock, old.tag, old.image, old.platforms, old.made)
            yield self._as_then(SERVICES_FILE, was, row)
        elif row and row.made:
            given = self._given(service)
            if given.of != row.made:
                yield _other_parts(row.made, given.of, service.name)
            yield _held(row, given, SERVICES_FILE)

    def _given(self, service: Service) -> Given:
        """What a service gives that isn't as it was."""
        workdir = read_locked(self.project, service.name).parse().image.workdir
        application = read_application(self.project.root, service, workdir or "/")
        old, before = self._then_service(service.name), self.then.lock(service.name)
        same = old and before and before.image.workdir == workdir
        adds = not (old and same) or self._code.adds(old, service)
        return self.giver.service(service.name, application, adds)

    def _then_service(self, name: str) -> Service | None:
        """A service as the revision describes it; None where it doesn't, or can't be read."""
        return self.then.project.services.get(name) if self.then.project else None

    def _by_engine(self, service: Service) -> Finding:
        """An engine's image: nobody can say more of it than whether its line is as it was."""
        row, old = self.records.services.get(service.name), self.then.services.get(service.name)
        stands = self._stands_on_base(service) and self._code_stands(service)
        if row is None or not stands:
            return Finding("image", None, "unproven: an engine built it, and no build proves it")
        same = row == old
        told = "as in" if same else "another than in"
        return Finding("image", same, f"{SERVICES_FILE} has {told} {self._named}")

    def _as_then(self, file: str, old: Recorded, row: Recorded | None) -> Finding:
        """Whether a record is the revision's, whose lock, base and files are today's."""
        if row == old:
            return Finding("image", True, f"{row.image} as in {self._named}")
        now = f"{file} has {_shown(row.image, row.platforms)}" if row else f"{file} lost the image"
        detail = (
            f"{now}, and {self._named} records {_shown(old.image, old.platforms)} for what is the "
            f"same today; take its line from there"
        )
        return Finding("image", False, detail)

    def _stands_on_base(self, service: Service) -> bool:
        """Whether a service's lock and its base's image are what they were."""
        if not (self.then.stands(service.name) and self.then.stands(service.base)):
            return False
        row, old = self.records.find(service.base), self.then.image(service.base)
        return row is not None and old is not None and row == Recorded.of_profile(old)

    def _code_stands(self, service: Service) -> bool:
        """Whether a service copies what it copied; raises InputError kinds for its files.

        Attributes decide how git checks files out: where they changed, nothing is known of files
        that didn't.
        """
        changes = self.then.changes
        old = self._then_service(service.name)
        paths = (*changes.tracked, *changes.untracked)
        if old is None or any(path.rpartition("/")[2] == _ATTRIBUTES for path in paths):
            return False
        return old.builder is service.builder and not self._code.changed(old, service)

    @property
    def _code(self) -> Code:
        return Code(self.project.root.resolve(), self.then.revision, self.then.changes)

    @property
    def _named(self) -> str:
        return self.then.revision.name


def _held(row: Recorded, given: Given, file: str) -> Finding:
    """Whether a record names the image that is given, with each of its platforms."""
    image, platforms = given.image.digest, manifests(given.image)
    if (row.image, row.platforms) == (image, platforms):
        layers = len(given.image.layers)
        return Finding("image", True, f"{image} of {layers} layers, {given.made} of them made")
    detail = (
        f"{file} has {_shown(row.image, row.platforms)}, and the lock gives "
        f"{_shown(image, platforms)}; take the line out and run `basestore build {row.name}`"
    )
    return Finding("image", False, detail)


def _other_parts(recorded: Made, given: Made | None, name: str) -> Finding:
    """That a service's image was made of something else than lies here."""
    parts = ("lock", "base", "application")
    found = (
        f"{part} {getattr(given, part)}, recorded is {getattr(recorded, part)}"
        for part in parts
        if getattr(recorded, part) != getattr(given, part)
    )
    way_out = f"run `basestore build {name}`"
    return Finding("files", False, f"what is there gives {'; '.join(found)}; {way_out}")


def _shown(image: Digest, platforms: Mapping[Platform, Digest]) -> str:
    listed = ", ".join(f"{platform} {platforms[platform]}" for platform in sorted(platforms))
    return f"{image} ({listed})"
