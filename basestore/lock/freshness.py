"""Freshness: is a lock the one its origin describes, made of the profile's inputs, and held to it?

Everything in a project may be one stranger's words, and is read and held against each other
(`lock.held`). What passed is remembered by whoever saw it: then the usual answer costs a few
digests of small files, and nothing is parsed but the origin's head. Nothing here needs a network.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from basestore.digest import Digest
from basestore.errors import BasestoreError, DisagreementError, InputError, PolicyError
from basestore.lock import codec, origin
from basestore.lock.files import lock_file, origin_file, parse_lock
from basestore.lock.inputs import Inputs, Part, inputs
from basestore.lock.model import Lock
from basestore.lock.origin import Head, Origin
from basestore.lock.remembered import Checked, recall, remember
from basestore.profile.document import read_file
from basestore.profile.model import PROJECT_FILE, Profile, Project
from basestore.profile.project import all_names
from basestore.profile.reader import read_profile
from basestore.state import State

if TYPE_CHECKING:
    from basestore.lock.held import Finding
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
    UNLIKE = "not its profile's"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, and the names it is about: parts of the inputs, packages, rules, the parent.

    Of ``UNLIKE`` that is the whole sentence of one finding.
    """

    why: Why
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.why is Why.UNLIKE:
            return "; ".join(self.names)
        return f"{self.why.value}: {', '.join(self.names)}" if self.names else self.why.value


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a check found. ``lock``: the lock digest, None without a lock.

    ``reasons``: empty where the lock is fresh. ``moved``: files of a fresh lock that were changed
    without changing its inputs, so that the next check has to parse them again. ``warnings``: what
    the policy only warns of, ``waived``: as in the origin's head; both only where they were looked
    for, since something was changed or is waived. ``findings``: where the lock isn't its profile's
    though the inputs are as they were, what disagrees.
    """

    profile: str
    lock: Digest | None
    reasons: tuple[Reason, ...] = ()
    moved: tuple[str, ...] = ()
    warnings: "tuple[Hit, ...]" = ()
    waived: date | None = None
    findings: "tuple[Finding, ...]" = ()

    @property
    def fresh(self) -> bool:
        """Whether the lock is fresh."""
        return not self.reasons


class StaleLockError(DisagreementError):
    """A lock is not fresh. ``to_lock``: all that has to be locked then, in that order."""

    def __init__(self, freshness: Freshness, to_lock: Sequence[str] = ()) -> None:
        reasons = "; ".join(map(str, freshness.reasons))
        super().__init__(
            f"the lock of {freshness.profile} is stale: {reasons}"
            if freshness.lock
            else f"the profile {freshness.profile} has no lock",
            f"run `basestore lock {' '.join(to_lock or (freshness.profile,))}`",
        )
        self.freshness = freshness


def check(
    project: Project, name: str, now: datetime | None = None, state: State | None = None
) -> Freshness:
    """As `Checks.of`, for one lock alone."""
    return Checks(project, now, state or State.none()).of(name)


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks of a project's locks at one moment, each made once: many stand on the same bases.

    Without ``now`` no exception from the policy has run out, and nothing is too young. ``state``:
    what this user remembers of checks that passed.
    """

    project: Project
    now: datetime | None = None
    state: State = field(default_factory=State.none)
    _known: dict[str, Freshness | BasestoreError] = field(default_factory=dict, init=False)
    _locks: dict[Digest, Lock] = field(default_factory=dict, init=False)

    def of(self, name: str) -> Freshness:
        """Whether a profile's lock is fresh, and whether the policy still admits it.

        Raises EditedLockError and NewerLockError for a lock that is not its origin's and not even
        a lock, MalformedOriginError, PolicyHitError, and what `read_profile` raises.
        """
        if name not in self._known:
            try:
                self._known[name] = self._check(name)
            except (InputError, PolicyError) as error:
                self._known[name] = error
        found = self._known[name]
        if isinstance(found, Freshness):
            return found
        raise found

    def _check(self, name: str) -> Freshness:
        data = read_file(self.project.root, lock_file(name))
        if data is None:
            read_profile(self.project, name)
            return Freshness(name, None, (Reason(Why.NO_LOCK),))
        lock = Digest.of(data)
        written = read_file(self.project.root, origin_file(name))
        head = origin.parse_head(written, origin_file(name)) if written is not None else None
        if written is None or head is None or head.lock != lock:
            codec.parse(data, lock_file(name))
            return Freshness(name, lock, (Reason(Why.OTHER_LOCK if head else Why.NO_ORIGIN),))
        checked = Checked(name, lock, Digest.of(written), all_names(self.project))
        if recall(self.state, checked, self.now) and _untouched(self.project, name, head):
            return Freshness(name, lock, tuple(self._stale_parents(head)))
        how = origin.parse(written, origin_file(name))
        return _Comparison(self, checked).freshness(data, how)

    def lock_of(self, name: str, data: bytes) -> Lock:
        """A lock out of its file's bytes, parsed once; raises EditedLockError, NewerLockError."""
        digest = Digest.of(data)
        if digest not in self._locks:
            self._locks[digest] = parse_lock(data, name)
        return self._locks[digest]

    def _stale_parents(self, head: Head) -> Iterator[Reason]:
        """The parent, whose lock is one of the files, may be stale by its own parent's new lock."""
        for file in head.files:
            name = PurePosixPath(file).stem
            if file == lock_file(name) and not self.of(name).fresh:
                yield Reason(Why.STALE_PARENT, (name,))


def source_files(profile: Profile, parent_lock: Digest | None) -> Mapping[str, Digest]:
    """The raw digest of every file that a profile's lock is resolved from, for its origin."""
    if profile.parent is None or parent_lock is None:
        return profile.files
    return {**profile.files, lock_file(profile.parent.name): parent_lock}


def _untouched(project: Project, name: str, head: Head) -> bool:
    """Whether each file is as the origin has it, and no project file has come or gone."""
    said, files = project.said_of(name), head.files
    if project.file_of(name) not in files or files.get(PROJECT_FILE) != said:
        return False
    raw = (file for file in files if file != PROJECT_FILE)
    return all(_raw(project, file) == files[file] for file in raw)


def _raw(project: Project, file: str) -> Digest | None:
    data = read_file(project.root, file)
    return None if data is None else Digest.of(data)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Compares what a lock was made of with what there is now, its files parsed."""

    checks: Checks
    checked: Checked

    @property
    def name(self) -> str:
        """The profile's or service's."""
        return self.checked.name

    def freshness(self, data: bytes, how: Origin) -> Freshness:
        profile = read_profile(self.checks.project, self.name)
        parent = self.checks.of(profile.parent.name) if profile.parent else None
        parent_lock = parent.lock if parent else None
        reasons = [Reason(Why.STALE_PARENT, (parent.profile,))] if parent and parent.reasons else []
        ignored = {Part.PARENT} if reasons else set()  # its lock is to change anyway
        reasons += _differences(how, profile, inputs(profile, parent_lock), ignored)
        lock = self.checks.lock_of(self.name, data)
        verdict = self._judge(profile, lock, how)
        if verdict and verdict.unknown:
            reasons.append(Reason(Why.UNKNOWN, verdict.unknown))
        files = source_files(profile, parent_lock)
        moved = {file for file, _ in files.items() ^ how.head.files.items()}
        findings = () if reasons else self._held(profile, lock, how, bool(moved))
        reasons += [Reason(Why.UNLIKE, (str(finding),)) for finding in findings]
        since = _for_good(profile, verdict, self.checks.now)
        if since and not reasons and not moved:
            remember(self.checks.state, self.checked, since)
        return Freshness(
            self.name,
            how.head.lock,
            tuple(reasons),
            () if reasons else tuple(sorted(moved)),
            verdict.warnings if verdict else (),
            verdict.waived if verdict else None,
            findings,
        )

    def _held(
        self, profile: Profile, lock: Lock, how: Origin, moved: bool
    ) -> "tuple[Finding, ...]":
        """What disagrees in a lock whose inputs are the profile's, and whose parent is fresh."""
        from basestore.lock.held import Case, held

        above, digest = None, None
        if profile.parent:
            name = profile.parent.name
            data = read_file(self.checks.project.root, lock_file(name)) or b""
            above, digest = self.checks.lock_of(name, data), Digest.of(data)
        return held(Case(profile, lock, how, above, digest, moved))

    def _judge(self, profile: Profile, lock: Lock, how: Origin) -> "Verdict | None":
        """The policy's verdict; None where there are no rules."""
        if not profile.policy.rules:
            return None
        # Not loaded where nothing has changed: start-up is most of what that costs.
        from basestore.lock import policy
        from basestore.lock.facts import facts

        known = facts(profile, lock, how.packages)
        verdict = policy.check(profile.policy, known, self.checks.now)
        if verdict.hits:
            raise policy.PolicyHitError(lock_file(self.name), verdict.hits)
        return verdict


def _for_good(profile: Profile, verdict: "Verdict | None", now: datetime | None) -> date | None:
    """From when on a verdict holds whatever day it is; None where an exception is to run out."""
    if verdict is None:
        return date.min
    from basestore.profile.policy import MinimumAge

    if verdict.waived or verdict.warnings:
        return None
    if any(isinstance(rule, MinimumAge) for rule in profile.policy.rules):
        return now.date() if now else None
    return date.min


def _differences(
    how: Origin, profile: Profile, now: Inputs, ignored: Collection[Part]
) -> Iterator[Reason]:
    """What changed, as far as the origin tells."""
    parts = (part for part in Part if part not in ignored)
    changed = [part for part in parts if how.parts.get(part) != now.parts.get(part)]
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
