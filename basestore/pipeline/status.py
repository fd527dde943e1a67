"""Status: how profiles and services, their locks and images stand. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.image.model import Image
from basestore.lock.files import lock_file
from basestore.lock.policy import Hit
from basestore.lock.tally import Tally, tally
from basestore.pipeline.application import CodeState, code_state
from basestore.pipeline.assembled import Assembler
from basestore.pipeline.layers import expected_foundation
from basestore.pipeline.lock_state import Locks, LockState, Reason
from basestore.pipeline.recorded import OtherImageError, Recorded, Records
from basestore.pipeline.standing import recorded_of, standing
from basestore.profile.document import read_file
from basestore.profile.family import ancestors, in_family_order
from basestore.profile.model import Project
from basestore.state import State
from basestore.store import Store
from basestore.target import Platform

_CANONICAL = (LockState.FRESH, LockState.STALE, LockState.FORBIDDEN)
"""With these the lock was found to be as this tool writes it."""

_FILES_UNKNOWN = Reason("an engine built it: whether its files have changed since is not checked")


class ImageState(StrEnum):
    """How an image stands.

    ``CODE_CHANGED``: a service copies other files by now. ``OLD_BASE``, ``OLD_LOCK``: what is
    recorded of a service stands on another image of its base, or is of another lock.
    ``ELSEWHERE``: it is recorded, and this store hasn't all of it, or not of this user's making.
    """

    BUILT = "built"
    CODE_CHANGED = "code changed"
    OLD_BASE = "on an old base"
    OLD_LOCK = "of an old lock"
    ELSEWHERE = "elsewhere"
    NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True)
class Status:
    """How a profile or service stands.

    ``depth``: so many of its ancestors stand above it in the table. ``lock_digest``: of its lock;
    ``tag`` and ``digest``: the image's, where they are known; a profile's tag always is, where it
    has a lock. ``sizes``: bytes of each platform's layers where the store has the image, else what
    its wheels and .debs are to be expected to give; of a service without the layers of its base.
    """

    profile: str
    parent: str | None
    depth: int
    service: bool
    lock: LockState
    reasons: tuple[Reason, ...]
    lock_digest: Digest | None
    image: ImageState
    tag: str | None
    digest: Digest | None
    exact: bool = False
    sizes: Mapping[Platform, int] = field(default_factory=dict)
    packages: int = 0
    warnings: tuple[Hit, ...] = ()
    to_lock: tuple[str, ...] = ()


def status(
    project: Project,
    names: Sequence[str],
    store: Store | None,
    now: datetime,
    state: State | None = None,
) -> tuple[Status, ...]:
    """How profiles and services stand, parents before children; ``state``: as in `Locks.of`.

    Raises DocumentError for the images file and the services file.
    """
    locks = Locks.of(project, now, state)
    assembler = Assembler.of(project, store) if store else None
    shelf = _Shelf(project, Records.read(project), store, assembler)
    depths = {name: _depth(locks, names, name) for name in names}
    return tuple(
        _status(name, depths[name], locks, shelf)
        for name in in_family_order(locks.parents)
        if name in depths
    )


def _depth(locks: Locks, shown: Sequence[str], name: str) -> int:
    return sum(one in shown for one in ancestors(locks.parents, name))


def _status(name: str, depth: int, locks: Locks, shelf: "_Shelf") -> Status:
    found = locks.found(name)
    counted = _tally(shelf.project, name) if found.state in _CANONICAL else None
    kept = shelf.look(name)
    is_service = name in shelf.project.services
    tag = kept.recorded.tag if kept.recorded else None
    return Status(
        profile=name,
        parent=locks.parents[name],
        depth=depth,
        service=is_service,
        lock=found.state,
        reasons=(*found.reasons, *kept.reasons),
        lock_digest=found.tag,
        image=kept.state,
        tag=tag if is_service else _hex(found.tag),
        digest=kept.recorded.image if kept.recorded else None,
        exact=kept.sizes is not None,
        sizes=_expected(counted) if kept.sizes is None else kept.sizes,
        packages=counted.packages if counted else 0,
        warnings=found.warnings,
        to_lock=found.to_lock,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is recorded and kept of an image; ``sizes``: None where the store lacks some of it."""

    state: ImageState
    recorded: Recorded | None = None
    sizes: Mapping[Platform, int] | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where images are assembled: each one once."""

    project: Project
    records: Records
    store: Store | None
    assembler: Assembler | None
    _images: dict[Digest, Image | None] = field(default_factory=dict, init=False)

    def look(self, name: str) -> _Kept:
        """How the image of a profile or service stands."""
        recorded = recorded_of(self.records, name)
        if recorded is None:
            return _Kept(ImageState(standing(self.records, name).value))
        try:
            image = self._image(recorded)
            sizes = None if image is None else self._sizes(name, image)
        except OtherImageError as error:
            return _Kept(ImageState.NOT_BUILT, recorded, None, (Reason(error.message),))
        except InputError:  # an edited lock, which is told as such
            image = sizes = None
        state = ImageState.ELSEWHERE if image is None else ImageState.BUILT
        if recorded.made is None:
            reasons = (_FILES_UNKNOWN,) if name in self.project.services else ()
            return _Kept(state, recorded, sizes, reasons)
        if self.store is None:
            return _Kept(state, recorded, sizes)
        try:
            code = code_state(self.project, self.store, name, recorded.made)
        except InputError as error:
            reasons = (Reason(error.message),)
            return _Kept(ImageState.CODE_CHANGED, recorded, sizes, reasons)
        changed = code is CodeState.CHANGED
        return _Kept(ImageState.CODE_CHANGED if changed else state, recorded, sizes)

    def _image(self, recorded: Recorded | None) -> Image | None:
        """An image, if the store has all of it; raises OtherImageError."""
        if self.assembler is None or recorded is None:
            return None
        if recorded.image not in self._images:
            found = self.assembler.proven(recorded)
            self._images[recorded.image] = found.image if found else None
        return self._images[recorded.image]

    def _sizes(self, name: str, image: Image) -> Mapping[Platform, int]:
        """The bytes of each platform's layers, of a service's without those of its base."""
        service = self.project.services.get(name)
        base = self._image(recorded_of(self.records, service.base)) if service else None
        below = {layer.descriptor.digest for layer in base.layers} if base else set()
        return {
            one.platform: sum(
                layer.descriptor.size
                for layer in one.layers
                if layer.descriptor.digest not in below
            )
            for one in image.platforms
        }


def _hex(digest: Digest | None) -> str | None:
    return digest.hex if digest else None


def _tally(project: Project, name: str) -> Tally | None:
    data = read_file(project.root, lock_file(name))
    return None if data is None else tally(data, lock_file(name))


def _expected(counted: Tally | None) -> Mapping[Platform, int]:
    if counted is None:
        return {}
    return {
        platform: wheels + expected_foundation(counted.debs[platform])
        for platform, wheels in counted.wheels.items()
    }
