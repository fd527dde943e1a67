"""Diff: what changes between an older lock of a profile and the one that it has, down to layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from basestore.digest import Digest
from basestore.errors import DisagreementError
from basestore.lock import codec
from basestore.lock.diff import LockDiff, PlatformDiff, compare_locks
from basestore.lock.files import NoLockError, lock_file
from basestore.lock.model import Lock, PlatformLock
from basestore.pipeline.layers import Bytes, PlannedLayer, causes_of, planned_layers, total
from basestore.profile.document import read_file
from basestore.profile.model import Project
from basestore.profile.names import is_plain
from basestore.profile.project import chosen_profiles, profile_names
from basestore.recipe.causes import Cause
from basestore.sources.git import Revision
from basestore.store import Store
from basestore.target import Platform


class NoLocksError(DisagreementError):
    """A profile has a lock neither before nor now."""

    def __init__(self, profile: str, revision: str) -> None:
        super().__init__(
            f"the profile {profile} has no lock, neither now nor in {revision}",
            f"run `basestore lock {profile}`",
        )


@dataclass(frozen=True, slots=True)
class Side:
    """A lock to compare, and its digest."""

    lock: Lock
    digest: Digest


@dataclass(frozen=True, slots=True)
class NewLayer:
    """A layer that the older image hasn't, and why; no causes where only its files are others."""

    layer: PlannedLayer
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class LayersDiff:
    """The layers of one platform.

    ``pull``: what a node pulls that has the older image. ``pull_in_order``: what one pulls that
    takes every layer above the first new one again, as Docker's graph drivers do.
    """

    platform: Platform
    made: tuple[NewLayer, ...]
    kept: int
    pull: Bytes
    pull_in_order: Bytes


@dataclass(frozen=True, slots=True)
class ProfileDiff:
    """All that changes of a profile. ``old``, ``new``: lock digests, None without a lock."""

    profile: str
    old: Digest | None
    new: Digest | None
    lock: LockDiff
    layers: tuple[LayersDiff, ...]


def diff_since(
    project: Project, names: Sequence[str], revision: Revision, store: Store | None
) -> tuple[ProfileDiff, ...]:
    """What has changed since a revision, parents before children.

    ``names``: profiles, or none for all there are and were. ``store`` tells the sizes of layers
    that were made, None where there is none. Raises NoLocksError for a profile named, and what
    reading locks and planning raises.
    """
    wanted = names or sorted({*profile_names(project), *_locked_in(revision)})
    sides = {name: (_side_in(revision, name), side_now(project, name)) for name in wanted}
    for name in names:
        if sides[name] == (None, None):
            raise NoLocksError(name, revision.name)
    there = [name for name in wanted if sides[name] != (None, None)]
    there.sort(key=lambda name: _lineage(*sides[name]))
    return tuple(diff_profile(name, *sides[name], store) for name in there)


def diff_from_file(
    project: Project, name: str | None, file: Path, store: Store | None
) -> ProfileDiff:
    """What changes from the lock in any file to that of the profile named, or of its own profile.

    Raises NoLockError, UnknownProfileError and what reading locks and planning raises.
    """
    old = _side(file.read_bytes(), str(file))
    (name,) = chosen_profiles(project, (name or old.lock.profile,))
    new = side_now(project, name)
    if new is None:
        raise NoLockError(name)
    return diff_profile(name, old, new, store)


def side_now(project: Project, name: str) -> Side | None:
    """The lock that a profile has, None where it has none; raises EditedLockError."""
    data = read_file(project.root, lock_file(name))
    return None if data is None else _side(data, lock_file(name))


def diff_profile(name: str, old: Side | None, new: Side | None, store: Store | None) -> ProfileDiff:
    """What changes from one lock of a profile to another; raises TooManyLayersError."""
    before, after = (side.lock if side else None for side in (old, new))
    difference = compare_locks(before, after)
    layers = tuple(
        _layers(platform, before, after, store)
        for platform in difference.platforms
        if after and platform.new
    )
    return ProfileDiff(
        profile=name,
        old=old.digest if old else None,
        new=new.digest if new else None,
        lock=difference,
        layers=layers,
    )


def _locked_in(revision: Revision) -> set[str]:
    """The profiles whose locks a revision has."""
    files = map(PurePosixPath, revision.files("locks"))
    return {file.stem for file in files if file.suffix == ".lock" and is_plain(file.stem)}


def _side_in(revision: Revision, name: str) -> Side | None:
    data = revision.read(lock_file(name))
    return None if data is None else _side(data, f"{revision.name}:{lock_file(name)}")


def _lineage(old: Side | None, new: Side | None) -> tuple[str, ...]:
    """What sorts parents before children, and the children of one together."""
    side = new or old
    return side.lock.lineage if side else ()


def _side(data: bytes, file: str) -> Side:
    return Side(codec.parse(data, file), Digest.of(data))


def _layers(platform: PlatformDiff, old: Lock | None, new: Lock, store: Store | None) -> LayersDiff:
    before = _planned(old, platform.old, store)
    after = _planned(new, platform.new, store)
    there = {layer.identity for layer in before}
    made = [layer for layer in after if layer.identity not in there]
    packages = [layer.recipe.packages for layer in before]
    return LayersDiff(
        platform=platform.platform,
        made=tuple(NewLayer(one, tuple(causes_of(one, after, packages))) for one in made),
        kept=len(after) - len(made),
        pull=total(made),
        pull_in_order=total(after[_common(before, after) :]),
    )


def _planned(
    lock: Lock | None, platform: PlatformLock | None, store: Store | None
) -> tuple[PlannedLayer, ...]:
    return planned_layers(lock, platform, store) if lock and platform else ()


def _common(before: Sequence[PlannedLayer], after: Sequence[PlannedLayer]) -> int:
    """How many of the lowest layers are the same."""
    pairs = zip(before, after, strict=False)
    same = (number for number, (a, b) in enumerate(pairs) if a.identity != b.identity)
    return next(same, min(len(before), len(after)))
