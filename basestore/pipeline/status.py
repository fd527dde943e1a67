"""Status: how a project's profiles, locks and images stand. Writes nothing, asks nobody."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from basestore.digest import Digest
from basestore.errors import BasestoreError, InputError, PolicyError
from basestore.image.model import Image
from basestore.image.stored import image_of
from basestore.lock import images
from basestore.lock.files import lock_file, read_images
from basestore.lock.freshness import Freshness, check
from basestore.lock.images import ImageRecord
from basestore.lock.policy import Hit, PolicyHitError
from basestore.lock.tally import Tally, tally
from basestore.profile.document import read_document, read_file
from basestore.profile.model import Project
from basestore.profile.project import profile_names
from basestore.profile.reader import profile_file
from basestore.store import Store
from basestore.target import Platform


class LockState(StrEnum):
    """How a profile's lock stands.

    ``FORBIDDEN``: the policy refuses it. ``REFUSED``: profile, lock or origin can't be taken.
    """

    FRESH = "fresh"
    STALE = "stale"
    FORBIDDEN = "forbidden"
    MISSING = "no lock"
    REFUSED = "refused"


_CANONICAL = (LockState.FRESH, LockState.STALE, LockState.FORBIDDEN)
"""With these the lock was found to be as this tool writes it."""


class ImageState(StrEnum):
    """How its image stands. ``ELSEWHERE``: it is recorded, and this store hasn't all of it."""

    BUILT = "built"
    ELSEWHERE = "elsewhere"
    NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a lock isn't fresh; ``file`` and ``line`` where that can be told."""

    text: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.text}" if place else self.text


@dataclass(frozen=True, slots=True)
class LockFound:
    """How a profile's lock stands, why it isn't fresh, its digest, and what a policy warns of."""

    state: LockState
    reasons: tuple[Reason, ...]
    tag: Digest | None
    warnings: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """How a profile stands.

    ``depth``: so many of its ancestors stand above it in the table. ``digest``: the image's, where
    it is recorded. ``sizes``: bytes of each platform's layers where the image is ``BUILT``, else
    of its wheels and .debs.
    """

    profile: str
    parent: str | None
    depth: int
    lock: LockState
    reasons: tuple[Reason, ...]
    tag: Digest | None
    image: ImageState
    digest: Digest | None
    sizes: Mapping[Platform, int] = field(default_factory=dict)
    packages: int = 0
    warnings: tuple[Hit, ...] = ()


def status(
    project: Project, names: Sequence[str], store: Store | None, now: datetime
) -> tuple[Status, ...]:
    """How profiles stand, parents before children. Raises DocumentError for the images file."""
    family = _Family(_parents(project), names)
    shelf = _Shelf(project, read_images(project), store)
    return tuple(
        _status(name, family, lock_state(project, name, now), shelf)
        for name in _in_family_order(family.parents)
        if name in names
    )


def family_order(project: Project, names: Collection[str]) -> tuple[str, ...]:
    """Profiles with parents before children, the children of one together."""
    return tuple(name for name in _in_family_order(_parents(project)) if name in names)


@dataclass(frozen=True, slots=True)
class _Family:
    parents: Mapping[str, str | None]
    shown: Sequence[str]

    def depth(self, name: str) -> int:
        return sum(ancestor in self.shown for ancestor in self._ancestors(name))

    def _ancestors(self, name: str) -> Iterator[str]:
        seen = {name}
        while (parent := self.parents.get(name)) and parent not in seen:
            yield parent
            seen.add(parent)
            name = parent


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where images are looked for."""

    project: Project
    records: Sequence[ImageRecord]
    store: Store | None

    def record(self, name: str, tag: Digest | None) -> ImageRecord | None:
        return images.find(self.records, name, tag) if tag else None

    def image(self, record: ImageRecord | None) -> Image | None:
        return image_of(self.store, record.image, record.lock) if self.store and record else None


def _status(name: str, family: _Family, found: LockFound, shelf: _Shelf) -> Status:
    counted = _tally(shelf.project, name) if found.state in _CANONICAL else None
    record = shelf.record(name, found.tag)
    image = shelf.image(record)
    return Status(
        profile=name,
        parent=family.parents[name],
        depth=family.depth(name),
        lock=found.state,
        reasons=found.reasons,
        tag=found.tag,
        image=_image_state(record, image),
        digest=record.image if record else None,
        sizes=_sizes(image, counted),
        packages=counted.packages if counted else 0,
        warnings=found.warnings,
    )


def lock_state(project: Project, name: str, now: datetime) -> LockFound:
    """How a profile's lock stands; ``now`` decides on ages and waivers of the policy."""
    data = read_file(project.root, lock_file(name))
    tag = None if data is None else Digest.of(data)
    try:
        freshness = check(project, name, now)
    except PolicyHitError as error:
        return LockFound(LockState.FORBIDDEN, tuple(map(_broken, error.hits)), tag)
    except (InputError, PolicyError) as error:
        return LockFound(LockState.REFUSED, (Reason(error.message),), tag)
    if freshness.fresh:
        return LockFound(LockState.FRESH, (), tag, freshness.warnings)
    state = LockState.STALE if tag else LockState.MISSING
    return LockFound(state, tuple(_reasons(project, freshness)), tag, freshness.warnings)


def _reasons(project: Project, freshness: Freshness) -> Iterator[Reason]:
    from basestore.lock.blame import blame
    from basestore.lock.files import read_lock, read_origin
    from basestore.profile.reader import read_profile

    name = freshness.profile
    origin = read_origin(project, name) if freshness.lock else None
    if origin is None or origin.head.lock != freshness.lock:
        yield from (Reason(str(reason)) for reason in freshness.reasons)
        return
    lock, profile = read_lock(project, name)[0], read_profile(project, name)
    for one in blame(project, profile, lock, origin, freshness):
        place = one.place
        yield Reason(one.text, place.file, place.line) if place else Reason(one.text)


def _broken(hit: Hit) -> Reason:
    """A rule that a lock breaks, at the rule's place."""
    ways = [f" ({' -> '.join(path.names)})" for path in hit.paths if len(path.names) > 1]
    place = hit.rule.place
    return Reason(f"{hit.what}{''.join(ways)}", place.file, place.line)


def _tally(project: Project, name: str) -> Tally | None:
    data = read_file(project.root, lock_file(name))
    return None if data is None else tally(data)


def _image_state(record: ImageRecord | None, image: Image | None) -> ImageState:
    if image:
        return ImageState.BUILT
    return ImageState.ELSEWHERE if record else ImageState.NOT_BUILT


def _sizes(image: Image | None, counted: Tally | None) -> Mapping[Platform, int]:
    if image:
        return {
            one.platform: sum(layer.descriptor.size for layer in one.layers)
            for one in image.platforms
        }
    return counted.bytes if counted else {}


def _parents(project: Project) -> Mapping[str, str | None]:
    return {name: _parent(project, name) for name in profile_names(project)}


def _parent(project: Project, name: str) -> str | None:
    """What a profile extends, as far as its file can be read; it is checked where it is used."""
    file = profile_file(name)
    try:
        data = read_file(project.root, file)
        return read_document(file, data).string("extends") if data else None
    except BasestoreError:
        return None


def _in_family_order(parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """Parents before children, the children of one together; what has no known parent is a root."""
    ordered: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in ordered:
            ordered[name] = None
            for child in sorted(parents):
                if parents[child] == name:
                    add(child)

    roots = [name for name in sorted(parents) if parents[name] not in parents]
    for name in (*roots, *sorted(parents)):  # what extends itself in a circle comes last
        add(name)
    return tuple(ordered)
