"""Wishes: what `lock` is asked for, looked at as a whole before anything is resolved or written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from basestore.errors import UsageError
from basestore.lock.files import NoLockError, read_lock
from basestore.lock.freshness import StaleLockError, check
from basestore.lock.stale import to_lock
from basestore.profile.family import Parents, ancestors, in_family_order, parents_of
from basestore.profile.model import Profile, Project
from basestore.profile.reader import read_profile
from basestore.resolve.ports import SolveOptions

EVERYTHING = "*"
"""What stands for all packages where packages are named for an upgrade."""


class UnknownUpgradeError(UsageError):
    """A package is to be upgraded that no lock holds."""

    def __init__(self, package: str, profiles: Sequence[str], near: Sequence[str]) -> None:
        one = len(profiles) == 1
        holders = (
            f"lock of {profiles[0]} doesn't" if one else f"locks of {', '.join(profiles)} don't"
        )
        guess = f"did you mean {' or '.join(near)}?" if near else "check the spelling,"
        super().__init__(
            f"{package} is to be upgraded, but the {holders} hold it",
            f"{guess} or add it to a profile's requirements",
        )
        self.package = package


class InheritedUpgradeError(UsageError):
    """A package is to be upgraded in a profile that has it from an ancestor, which isn't locked."""

    def __init__(self, package: str, profile: str, owner: str, names: Sequence[str]) -> None:
        super().__init__(
            f"{package} is in the lock of {profile} as its ancestor {owner} has it, so that it can "
            "only be upgraded there",
            f"run `basestore lock {' '.join(names)} --upgrade-package {package}`, or let {profile} "
            f'bring its own: replaces = ["{package}"]',
        )
        self.package = package
        self.owner = owner


class SkippedProfileError(UsageError):
    """An upgrade names a profile and its descendant, but not the one between them."""

    def __init__(self, skipped: str, names: Sequence[str]) -> None:
        super().__init__(
            f"{skipped} stands between the profiles named, and an upgrade above it makes it stale",
            f"name it too: {' '.join(names)}",
        )
        self.skipped = skipped


class TakenAsItIsError(UsageError):
    """An upgrade is asked of a profile that takes the lock of another tool."""

    def __init__(self, option: str, profile: str, file: str) -> None:
        super().__init__(
            f"{option} has no meaning for {profile}, which takes {file} as it is ([from-lock])",
            f"change {file} with its own tool, then run `basestore lock {profile}`",
        )
        self.profile = profile


def in_order(
    project: Project, names: Sequence[str], wish: SolveOptions, now: datetime
) -> tuple[str, ...]:
    """The profiles to lock, parents before children, if nothing known stands against it.

    Raises UnknownUpgradeError, InheritedUpgradeError, SkippedProfileError, TakenAsItIsError,
    StaleLockError for an ancestor that is not named and not fresh, PolicyHitError for one that the
    policy refuses, and what reading profiles raises. So none of several is written then.
    """
    family = _Family(parents_of(project), names)
    profiles = {name: read_profile(project, name) for name in family.order()}
    _check_upgrades(project, family, profiles, sorted(wish.upgrade - {EVERYTHING}))
    _check_taken(profiles, wish)
    for name in family.unnamed():
        freshness = check(project, name, now)
        if not freshness.fresh:
            above = to_lock(project, family.unnamed(), now)
            raise StaleLockError(freshness, family.order(*above))
        if (wish.upgrade or wish.upgrade_foundation) and family.is_between(name):
            raise SkippedProfileError(name, family.order(name))
    return tuple(profiles)


@dataclass(frozen=True, slots=True)
class _Family:
    """The profiles named, among all there are."""

    parents: Parents
    named: Sequence[str]

    def order(self, *others: str) -> tuple[str, ...]:
        """Those named and others, parents before children."""
        wanted = {*self.named, *others}
        return tuple(name for name in in_family_order(self.parents) if name in wanted)

    def unnamed(self) -> tuple[str, ...]:
        """Their ancestors that aren't named, parents before children."""
        above = {one for name in self.named for one in ancestors(self.parents, name)}
        return tuple(one for one in in_family_order(self.parents) if one in above - {*self.named})

    def is_between(self, name: str) -> bool:
        """Whether an ancestor of it is named."""
        return bool({*ancestors(self.parents, name)} & {*self.named})

    def down_from(self, owner: str) -> tuple[str, ...]:
        """An ancestor, those named, and what stands between them."""
        between = {
            one
            for name in self.named
            for one in ancestors(self.parents, name)
            if owner in ancestors(self.parents, one)
        }
        return self.order(owner, *between)


def _check_upgrades(
    project: Project, family: _Family, profiles: Mapping[str, Profile], packages: Sequence[str]
) -> None:
    """Each package to upgrade has to be a lock's, and brought by a profile that resolves it."""
    brought = {name: _brought(project, one) for name, one in profiles.items()} if packages else {}
    above = {one: read_profile(project, one) for one in family.unnamed()} if packages else {}
    inherited = {name: _brought(project, one) for name, one in above.items()}
    for package in packages:
        owners = {
            name: held[package] for name, held in (brought | inherited).items() if package in held
        }
        if not owners:
            known = sorted({one for held in brought.values() for one in held})
            raise UnknownUpgradeError(package, family.order(), _near(package, known))
        named = [profiles[owner] for owner in owners.values() if owner in profiles]
        if not named:
            owner = next(iter(owners.values()))
            name = next(one for one in family.order() if owner in ancestors(family.parents, one))
            raise InheritedUpgradeError(package, name, owner, family.down_from(owner))
        if taken := _all_taken(named):
            raise TakenAsItIsError(f"--upgrade-package {package}", *taken)


def _brought(project: Project, profile: Profile) -> Mapping[str, str]:
    """The wheels of a profile's lock, each with the profile that brings it; none without a lock."""
    try:
        lock, _ = read_lock(project, profile.name)
    except NoLockError:
        return {}
    theirs = {one.name for one in profile.lineage}  # a lock may be of before a change of parents
    return {
        wheel.name: wheel.generation
        if wheel.generation in theirs and wheel.name not in profile.replaces
        else profile.name
        for one in lock.platforms
        for wheel in one.wheels
    }


def _check_taken(profiles: Mapping[str, Profile], wish: SolveOptions) -> None:
    """What is taken as it is can't be upgraded; in a list of several the others may be meant."""
    option = "--upgrade" if EVERYTHING in wish.upgrade else "--exclude-newer"
    asked = EVERYTHING in wish.upgrade or wish.before is not None
    if asked and (taken := _all_taken(list(profiles.values()))):
        raise TakenAsItIsError(option, *taken)


def _all_taken(profiles: Sequence[Profile]) -> tuple[str, str] | None:
    """The first profile and the file that it takes, if each of them takes one."""
    files = [(one.name, one.team_lock.file) for one in profiles if one.team_lock]
    return files[0] if files and len(files) == len(profiles) else None


def _near(package: str, known: Sequence[str]) -> Sequence[str]:
    from difflib import get_close_matches

    return get_close_matches(package, known, n=2, cutoff=0.7)


def taken_as_they_are(project: Project, names: Sequence[str]) -> Mapping[str, str]:
    """The profiles that take a lock of another tool, and its file."""
    profiles = (read_profile(project, name) for name in names)
    return {one.name: one.team_lock.file for one in profiles if one.team_lock}
