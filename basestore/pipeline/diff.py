"""Diff: what changes between an older lock of a profile and the one that it has, down to layers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath

from basestore.digest import Digest
from basestore.errors import DisagreementError, InputError
from basestore.lock import codec
from basestore.lock.diff import LockDiff, compare_locks
from basestore.lock.files import NoLockError, lock_file
from basestore.lock.model import Lock
from basestore.lock.stale import to_lock
from basestore.pipeline.layers import Bytes, PlannedLayer, causes_of, planned_layers, total
from basestore.profile.document import read_file
from basestore.profile.model import Project
from basestore.profile.names import is_plain
from basestore.profile.project import all_names, chosen_names
from basestore.profile.service import BuiltBy
from basestore.recipe.causes import Cause
from basestore.sources.git import Revision
from basestore.store import Store
from basestore.target import Platform


class NoLocksError(DisagreementError):
    """A profile has a lock neither before nor now."""

    def __init__(self, profile: str, revision: str, wanted: Sequence[str]) -> None:
        super().__init__(
            f"the profile {profile} has no lock, neither now nor in {revision}",
            f"run `basestore lock {' '.join(wanted)}`",
        )


class NotALockError(InputError):
    """A file was named that is no lock."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} is no lock that basestore wrote",
            "name a lock (locks/NAME.lock, or a copy of one), or a revision that git knows",
        )
        self.file = file


@dataclass(frozen=True, slots=True)
class Side:
    """A lock to compare, and its digest; ``base``: of a service's base, if that has one."""

    lock: Lock
    digest: Digest
    base: "Side | None" = None


@dataclass(frozen=True, slots=True)
class NewLayer:
    """A layer that the older image hasn't, and why; no causes where only its files are others."""

    layer: PlannedLayer
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class LayersDiff:
    """The layers of one platform, a service's without its application.

    ``made`` and ``kept``: of a service its own; ``below``: the new ones of its base. ``pull``: what
    a node pulls that has the older image. ``pull_in_order``: what one pulls that takes every layer
    above the first new one again, as Docker's graph drivers do.
    """

    platform: Platform
    made: tuple[NewLayer, ...]
    kept: int
    below: tuple[PlannedLayer, ...]
    pull: Bytes
    pull_in_order: Bytes


@dataclass(frozen=True, slots=True)
class ProfileDiff:
    """All that changes of a profile or service.

    ``old``, ``new``: lock digests, None without a lock. ``base``: the profile that a service stands
    on, else empty; ``base_changed``: it has another lock. ``dockerfile``: what an engine builds a
    service from, else empty; its layers nobody knows, and ``layers`` has none.
    """

    profile: str
    base: str
    base_changed: bool
    old: Digest | None
    new: Digest | None
    lock: LockDiff
    layers: tuple[LayersDiff, ...]
    dockerfile: str = ""


def diff_since(
    project: Project, names: Sequence[str], revision: Revision, store: Store | None
) -> tuple[ProfileDiff, ...]:
    """What has changed since a revision, parents before children.

    ``names``: profiles, or none for all there are and were. ``store`` tells the sizes of layers
    that were made, None where there is none. Raises NoLocksError for a profile named, and what
    reading locks and planning raises.
    """
    wanted = names or sorted({*all_names(project), *_locked_in(revision)})
    then, now = _reader_in(revision), _reader_of(project)
    sides = {name: (_with_base(name, then), _with_base(name, now)) for name in wanted}
    for name in names:
        if sides[name] == (None, None):
            raise NoLocksError(name, revision.name, to_lock(project, [name]))
    there = [name for name in wanted if sides[name] != (None, None)]
    there.sort(key=lambda name: _lineage(*sides[name]))
    return tuple(_known(project, diff_profile(name, *sides[name], store)) for name in there)


def diff_from_file(
    project: Project, name: str | None, file: Path, store: Store | None
) -> ProfileDiff:
    """What changes from the lock in any file to that of the profile named, or of its own profile.

    Raises NotALockError, NoLockError, UnknownProfileError and what reading locks and planning
    raises.
    """
    old = _side_of(file)
    (name,) = chosen_names(project, (name or old.lock.profile,))
    new = side_now(project, name)
    if new is None:
        raise NoLockError(project, name)
    # What the base was then nobody tells: all that is compared is the service's own.
    return _known(project, diff_profile(name, replace(old, base=new.base), new, store))


def side_now(project: Project, name: str) -> Side | None:
    """The lock that a profile or service has, None where it has none; raises EditedLockError."""
    return _with_base(name, _reader_of(project))


def diff_profile(name: str, old: Side | None, new: Side | None, store: Store | None) -> ProfileDiff:
    """What changes from one lock of a profile to another; raises TooManyLayersError."""
    before, after = (side.lock if side else None for side in (old, new))
    difference = compare_locks(before, after)
    layers = tuple(
        _layers(platform.platform, old, new, store)
        for platform in difference.platforms
        if new and platform.new
    )
    bases = [side.base.digest if side and side.base else None for side in (old, new)]
    side = new or old
    return ProfileDiff(
        profile=name,
        base=side.lock.base if side else "",
        base_changed=bool(old and new) and bases[0] != bases[1],
        old=old.digest if old else None,
        new=new.digest if new else None,
        lock=difference,
        layers=layers,
    )


def _known(project: Project, diff: ProfileDiff) -> ProfileDiff:
    """A diff without layers where an engine makes them, as the project has it now."""
    service = project.services.get(diff.profile)
    if service is None or service.builder is not BuiltBy.DOCKER:
        return diff
    from basestore.pipeline.dockerfile import dockerfile_path

    return replace(diff, layers=(), dockerfile=dockerfile_path(service))


def _locked_in(revision: Revision) -> set[str]:
    """The profiles whose locks a revision has."""
    files = map(PurePosixPath, revision.files("locks"))
    return {file.stem for file in files if file.suffix == ".lock" and is_plain(file.stem)}


_Reader = Callable[[str], Side | None]
"""Reads a lock by name, each once: many services have one base."""


def _reader_in(revision: Revision) -> _Reader:
    @cache
    def read(name: str) -> Side | None:
        data = revision.read(lock_file(name))
        return None if data is None else _side(data, f"{revision.name}:{lock_file(name)}")

    return read


def _reader_of(project: Project) -> _Reader:
    @cache
    def read(name: str) -> Side | None:
        data = read_file(project.root, lock_file(name))
        return None if data is None else _side(data, lock_file(name))

    return read


def _with_base(name: str, read: _Reader) -> Side | None:
    """A lock, a service's with that of its base."""
    side = read(name)
    return replace(side, base=read(side.lock.base)) if side and side.lock.base else side


def _side_of(file: Path) -> Side:
    """The lock in a file that people named, which may be none."""
    data = file.read_bytes()
    if not data.startswith(codec.MARK):
        raise NotALockError(file)
    return _side(data, str(file))


def _lineage(old: Side | None, new: Side | None) -> tuple[str, ...]:
    """What sorts parents before children, and the children of one together."""
    side = new or old
    if side is None:
        return ()
    below = side.base.lock.lineage if side.base else ()
    return (*below, *side.lock.lineage)


def _side(data: bytes, file: str) -> Side:
    return Side(codec.parse(data, file), Digest.of(data))


def _layers(platform: Platform, old: Side | None, new: Side, store: Store | None) -> LayersDiff:
    before, after = _planned(old, platform, store), _planned(new, platform, store)
    made = _lacking(before, after)
    packages = [layer.recipe.packages for layer in before]
    lower_before = _planned(old.base if old else None, platform, store)
    lower = _planned(new.base, platform, store)
    below = _lacking(lower_before, lower)
    both = (*lower, *after)
    return LayersDiff(
        platform=platform,
        made=tuple(NewLayer(one, tuple(causes_of(one, after, packages))) for one in made),
        kept=len(after) - len(made),
        below=below,
        pull=total((*below, *made)),
        pull_in_order=total(both[_common((*lower_before, *before), both) :]),
    )


def _lacking(
    before: Sequence[PlannedLayer], after: Sequence[PlannedLayer]
) -> tuple[PlannedLayer, ...]:
    there = {layer.identity for layer in before}
    return tuple(layer for layer in after if layer.identity not in there)


def _planned(
    side: Side | None, platform: Platform, store: Store | None
) -> tuple[PlannedLayer, ...]:
    """The layers of a lock's platform; none where it hasn't that one."""
    locks = side.lock.platforms if side else ()
    found = [one for one in locks if one.platform == platform]
    return planned_layers(side.lock, found[0], store) if side and found else ()


def _common(before: Sequence[PlannedLayer], after: Sequence[PlannedLayer]) -> int:
    """How many of the lowest layers are the same."""
    pairs = zip(before, after, strict=False)
    same = (number for number, (a, b) in enumerate(pairs) if a.identity != b.identity)
    return next(same, min(len(before), len(after)))
