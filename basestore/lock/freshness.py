"""Freshness: is a lock the one its origin describes, and are its inputs the profile's?

The usual answer is yes, and costs a few digests of small files: where the raw digest of every file
that the lock was resolved from is as it was, nothing is parsed but the origin's head. Nothing here
needs a network.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from basestore.digest import Digest
from basestore.errors import DisagreementError
from basestore.lock import codec, origin
from basestore.lock.files import lock_file, origin_file
from basestore.lock.inputs import Inputs, Part, inputs
from basestore.lock.origin import Head, Origin
from basestore.profile.document import read_file
from basestore.profile.model import PROJECT_FILE, Profile, Project
from basestore.profile.reader import profile_file, read_profile

if TYPE_CHECKING:
    from basestore.lock.policy import Hit, Verdict


class Why(Enum):
    """Why a lock is stale."""

    NO_LOCK = "it has no lock"
    NO_ORIGIN = "its lock has no origin"
    OTHER_LOCK = "its origin describes another lock, after a merge or an edit by hand"
    STALE_PARENT = "its parent is stale"
    CHANGED = "changed"
    ADDED = "requirements added"
    REMOVED = "requirements removed"
    UNKNOWN = "not found out yet for the policy"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, and the names it is about: parts of the inputs, packages, rules, the parent."""

    why: Why
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.why.value}: {', '.join(self.names)}" if self.names else self.why.value


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a check found. ``lock``: the lock digest, None without a lock.

    ``reasons``: empty where the lock is fresh. ``moved``: files of a fresh lock that were changed
    without changing its inputs, so that the next check has to parse them again. ``warnings``: what
    the policy only warns of, ``waived``: as in the origin's head; both only where they were looked
    for, since something was changed or is waived.
    """

    profile: str
    lock: Digest | None
    reasons: tuple[Reason, ...] = ()
    moved: tuple[str, ...] = ()
    warnings: "tuple[Hit, ...]" = ()
    waived: date | None = None

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


def check(project: Project, name: str, now: datetime | None = None) -> Freshness:
    """Whether a profile's lock is fresh, and whether the policy still admits it.

    Without ``now`` no exception from the policy has run out, and nothing is too young. Raises
    EditedLockError and NewerLockError for a lock that is not its origin's and not even a lock,
    MalformedOriginError, PolicyHitError, and what `read_profile` raises.
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
    judged = head.waived is None or now is None
    if judged and data.startswith(codec.HEAD) and _untouched(project, name, head):
        return Freshness(name, lock, tuple(_stale_parents(project, head, now)))
    return _Comparison(project, name, now).freshness(data, origin.parse(written, origin_file(name)))


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


def _stale_parents(project: Project, head: Head, now: datetime | None) -> Iterator[Reason]:
    """The parent, whose lock is one of the files, may be stale by its own parent's new lock."""
    for file in head.files:
        name = PurePosixPath(file).stem
        if file == lock_file(name) and not check(project, name, now).fresh:
            yield Reason(Why.STALE_PARENT, (name,))


def _raw(project: Project, file: str) -> Digest | None:
    data = read_file(project.root, file)
    return None if data is None else Digest.of(data)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Compares what a lock was made of with what there is now, its files parsed."""

    project: Project
    name: str
    now: datetime | None

    def freshness(self, data: bytes, how: Origin) -> Freshness:
        profile = read_profile(self.project, self.name)
        parent = check(self.project, profile.parent.name, self.now) if profile.parent else None
        parent_lock = parent.lock if parent else None
        reasons = [Reason(Why.STALE_PARENT, (parent.profile,))] if parent and parent.reasons else []
        reasons += _differences(how, profile, inputs(profile, parent_lock))
        verdict = self._judge(profile, data, how)
        if verdict and verdict.unknown:
            reasons.append(Reason(Why.UNKNOWN, verdict.unknown))
        files = source_files(profile, parent_lock)
        moved = {file for file, _ in files.items() ^ how.head.files.items()}
        return Freshness(
            self.name,
            how.head.lock,
            tuple(reasons),
            () if reasons else tuple(sorted(moved)),
            verdict.warnings if verdict else (),
            verdict.waived if verdict else None,
        )

    def _judge(self, profile: Profile, data: bytes, how: Origin) -> "Verdict | None":
        """The policy's verdict; None where there are no rules."""
        if not profile.policy.rules:
            return None
        # Not loaded where nothing has changed: start-up is most of what that costs.
        from basestore.lock import policy
        from basestore.lock.facts import facts

        file = lock_file(self.name)
        known = facts(profile, codec.parse(data, file), how.packages)
        verdict = policy.check(profile.policy, known, self.now)
        if verdict.hits:
            raise policy.PolicyHitError(file, verdict.hits)
        return verdict


def _differences(how: Origin, profile: Profile, now: Inputs) -> Iterator[Reason]:
    """What changed, as far as the origin tells."""
    changed = [part for part in Part if how.parts.get(part) != now.parts.get(part)]
    asked = {requirement.name for requirement in profile.requirements}
    known = how.direct.keys() if Part.REQUIREMENTS in changed else asked
    added, removed = sorted(asked - known), sorted(known - asked)
    if added:
        yield Reason(Why.ADDED, tuple(added))
    if removed:
        yield Reason(Why.REMOVED, tuple(removed))
    if added or removed:
        changed = [part for part in changed if part is not Part.REQUIREMENTS]
    if changed:
        yield Reason(Why.CHANGED, tuple(part.value for part in changed))
