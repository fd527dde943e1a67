"""Freshness: is a lock the one its origin describes, and are its inputs the profile's?

The usual answer is yes, and costs a few digests of small files: where the raw digest of every file
that the lock was resolved from is as it was, nothing is parsed but the origin's head. Nothing here
needs a network.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from basestore.digest import Digest
from basestore.errors import DisagreementError, PolicyError
from basestore.lock import codec, origin
from basestore.lock.files import lock_file, origin_file
from basestore.lock.inputs import Inputs, Part, inputs
from basestore.lock.model import Lock
from basestore.lock.origin import Head, Origin
from basestore.profile.document import read_file
from basestore.profile.model import PROJECT_FILE, Profile, Project
from basestore.profile.names import matches
from basestore.profile.reader import profile_file, read_profile


class Why(Enum):
    """Why a lock is stale."""

    NO_LOCK = "it has no lock"
    NO_ORIGIN = "its lock has no origin"
    OTHER_LOCK = "its origin describes another lock, after a merge or an edit by hand"
    STALE_PARENT = "its parent is stale"
    CHANGED = "changed"
    ADDED = "requirements added"
    REMOVED = "requirements removed"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with the names it is about: of parts of the inputs, packages or the parent."""

    why: Why
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.why.value}: {', '.join(self.names)}" if self.names else self.why.value


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a check found. ``lock``: the lock digest, None without a lock.

    ``reasons``: empty where the lock is fresh. ``moved``: files of a fresh lock that were changed
    without changing its inputs, so that the next check has to parse them again.
    """

    profile: str
    lock: Digest | None
    reasons: tuple[Reason, ...] = ()
    moved: tuple[str, ...] = ()

    @property
    def fresh(self) -> bool:
        """Whether the lock is fresh."""
        return not self.reasons


class StaleLockError(DisagreementError):
    """A lock is not fresh."""

    def __init__(self, freshness: Freshness) -> None:
        reasons = "; ".join(map(str, freshness.reasons))
        super().__init__(
            f"the lock of {freshness.profile} is stale: {reasons}",
            f"run `basestore lock {freshness.profile}`",
        )
        self.freshness = freshness


class ForbiddenInLockError(PolicyError):
    """A lock holds a package that the policy forbids by now."""

    def __init__(self, file: str, package: str, pattern: str) -> None:
        super().__init__(
            f"{file} holds {package}, which the policy forbids as {pattern!r}",
            "run `basestore lock` to see who requires it, or change `forbid` under [policy]",
        )
        self.file = file
        self.package = package
        self.pattern = pattern


def check(project: Project, name: str) -> Freshness:
    """Whether a profile's lock is fresh.

    Raises EditedLockError and NewerLockError for a lock that is not its origin's and not even a
    lock, MalformedOriginError, ForbiddenInLockError, and what `read_profile` raises.
    """
    data = read_file(project.root, lock_file(name))
    if data is None:
        read_profile(project, name)
        return Freshness(name, None, (Reason(Why.NO_LOCK),))
    lock = Digest.of(data)
    written = read_file(project.root, origin_file(name))
    head = origin.parse_head(written, origin_file(name)) if written is not None else None
    if written is None or head is None or head.lock != lock:
        codec.parse(data, lock_file(name))
        return Freshness(name, lock, (Reason(Why.OTHER_LOCK if head else Why.NO_ORIGIN),))
    if data.startswith(codec.HEAD) and _untouched(project, name, head):
        return Freshness(name, lock, tuple(_stale_parents(project, head)))
    return _compare(project, name, data, origin.parse(written, origin_file(name)))


def source_files(profile: Profile, parent_lock: Digest | None) -> Mapping[str, Digest]:
    """The raw digest of every file that a profile's lock is resolved from, for its origin."""
    if profile.parent is None or parent_lock is None:
        return profile.files
    return {**profile.files, lock_file(profile.parent.name): parent_lock}


def _untouched(project: Project, name: str, head: Head) -> bool:
    """Whether each file is as the origin has it, and no project file has come or gone."""
    if profile_file(name) not in head.files or head.files.get(PROJECT_FILE) != project.digest:
        return False
    return all(_raw(project, file) == digest for file, digest in head.files.items())


def _stale_parents(project: Project, head: Head) -> Iterator[Reason]:
    """The parent, whose lock is one of the files, may be stale by its own parent's new lock."""
    for file in head.files:
        name = PurePosixPath(file).stem
        if file == lock_file(name) and not check(project, name).fresh:
            yield Reason(Why.STALE_PARENT, (name,))


def _raw(project: Project, file: str) -> Digest | None:
    data = read_file(project.root, file)
    return None if data is None else Digest.of(data)


def _compare(project: Project, name: str, data: bytes, how: Origin) -> Freshness:
    profile = read_profile(project, name)
    parent = check(project, profile.parent.name) if profile.parent else None
    parent_lock = parent.lock if parent else None
    reasons = [Reason(Why.STALE_PARENT, (parent.profile,))] if parent and parent.reasons else []
    now = inputs(profile, parent_lock)
    if now.digest != how.head.inputs:
        _check_policy(name, data, profile)
        reasons += _differences(how, profile, now)
    files = source_files(profile, parent_lock)
    moved = {file for file, _ in files.items() ^ how.head.files.items()}
    return Freshness(name, how.head.lock, tuple(reasons), () if reasons else tuple(sorted(moved)))


def _differences(how: Origin, profile: Profile, now: Inputs) -> Iterator[Reason]:
    """What changed, as far as the origin tells."""
    asked = {requirement.name for requirement in profile.requirements}
    added, removed = sorted(asked - how.direct.keys()), sorted(how.direct.keys() - asked)
    if added:
        yield Reason(Why.ADDED, tuple(added))
    if removed:
        yield Reason(Why.REMOVED, tuple(removed))
    changed = [part for part in Part if how.parts.get(part) != now.parts.get(part)]
    if added or removed:
        changed = [part for part in changed if part is not Part.REQUIREMENTS]
    if changed or not (added or removed):
        yield Reason(Why.CHANGED, tuple(part.value for part in changed))


def _check_policy(name: str, data: bytes, profile: Profile) -> None:
    if not profile.forbid:
        return
    lock: Lock = codec.parse(data, lock_file(name))
    for package in sorted({wheel.name for p in lock.platforms for wheel in p.wheels}):
        if pattern := matches(package, profile.forbid):
            raise ForbiddenInLockError(lock_file(name), package, pattern)
