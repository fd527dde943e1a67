"""What is known before solving: the lock of the parent, the previous one, and their origins."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

from basestore.digest import Digest
from basestore.errors import DisagreementError
from basestore.lock.foundation import foundation_digest
from basestore.lock.inputs import Part, inputs
from basestore.lock.model import Lock, PlatformLock, Replaced, Wheel
from basestore.lock.origin import Origin, PackageOrigin
from basestore.profile.model import Profile
from basestore.resolve.family import check_moved, check_replaces
from basestore.resolve.foundation import SolvedFoundation
from basestore.target import Platform


class ParentLockError(DisagreementError):
    """The parent has no lock, or one without a platform that the child wants."""

    def __init__(self, profile: Profile, parent: Profile, what: str) -> None:
        super().__init__(
            f"profile {profile.name} extends {parent.name}, whose lock {what}",
            f"run `basestore lock {parent.name}`",
        )


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock and how it came about; None where the origin is gone or another lock's.

    ``earlier``: in the latter case the origin, if that other lock had the very same foundation.
    """

    lock: Lock
    origin: Origin | None
    earlier: Origin | None = None

    @classmethod
    def of(cls, lock: Lock, digest: Digest, origin: Origin | None) -> Self:
        """A lock, and what its file of origin holds."""
        if origin is None or origin.head.lock == digest:
            return cls(lock, origin)
        same = origin.foundation is not None and origin.foundation == foundation_digest(lock)
        return cls(lock, None, origin if same else None)

    @property
    def foundation_origin(self) -> Origin | None:
        """What tells how its foundation came about."""
        return self.origin or self.earlier


@dataclass(frozen=True, slots=True)
class Known:
    """The parent's lock, fresh, where there is a parent, and the profile's previous one.

    ``doubted``: the previous lock only says what is preferred, and what digests, sizes and facts it
    and its origin tell is found out anew, but for what ``since``, an earlier one, has. ``gone``:
    packages that are as ``since`` or the parent has them, and whose version no index has any more:
    they stay, and what they require is asked for in their stead.
    """

    parent: Locked | None = None
    previous: Locked | None = None
    doubted: bool = False
    since: Locked | None = None
    gone: frozenset[str] = frozenset()

    @property
    def believed(self) -> Locked | None:
        """The lock whose digests, sizes and facts are taken as they are, beside the parent's."""
        return self.since if self.doubted else self.previous

    def check(self, profile: Profile) -> None:
        """Raise what stands between a profile and its parent's lock.

        ParentLockError where that is missing or lacks a platform, NothingToReplaceError and
        MovedPackageError where it doesn't hold what the profile supposes.
        """
        if profile.parent is None:
            return
        if self.parent is None:
            raise ParentLockError(profile, profile.parent, "is missing")
        for platform in profile.platforms:
            if _part(self.parent, platform) is None:
                raise ParentLockError(profile, profile.parent, f"is not for {platform}")
        held = {name for one in profile.platforms for name in self.parents(one)}
        check_replaces(profile, profile.parent, held)
        check_moved(profile, profile.parent, held)

    def parents(self, platform: Platform) -> Mapping[str, Wheel]:
        """The parent's wheels by name."""
        return _wheels(self.parent, platform)

    def parents_requires(self) -> Mapping[str, tuple[str, ...]]:
        """Who requires whom in the parent's lock, as far as its origin tells."""
        return {name: origin.requires for name, origin in self.parents_origins().items()}

    def parents_origins(self) -> Mapping[str, PackageOrigin]:
        """How the packages of the parent's lock got in, as far as its origin tells."""
        return self.parent.origin.packages if self.parent and self.parent.origin else {}

    def told(self) -> Mapping[Digest, bool]:
        """Of all wheels there are, whether an index told their digest; what no origin says is."""
        found: dict[Digest, bool] = {}
        for locked in (self.believed, self.parent):
            origins = locked.origin.packages if locked and locked.origin else {}
            for one in locked.lock.platforms if locked else ():
                for wheel in one.wheels:
                    origin = origins.get(wheel.name)
                    # An origin has what its own profile brings; of the rest the parent's knows.
                    found.setdefault(wheel.sha256, origin.told if origin else True)
        return found

    def replaced(self, platform: Platform) -> tuple[Replaced, ...]:
        """What the parent's lock has as replaced."""
        part = _part(self.parent, platform)
        return part.replaced if part else ()

    def inherited(self, platform: Platform, replaces: Collection[str]) -> Mapping[str, Wheel]:
        """The parent's wheels by name, but for those that are replaced."""
        parents = self.parents(platform)
        return {name: wheel for name, wheel in parents.items() if name not in replaces}

    def own(self, profile: Profile, platform: Platform) -> Mapping[str, Wheel]:
        """The previous lock's wheels by name; of what is replaced only the profile's own."""
        return _own(self.previous, profile, platform)

    def seen(self, profile: Profile, platform: Platform) -> Mapping[str, Wheel]:
        """The same of the lock whose digests are believed."""
        return _own(self.believed, profile, platform)

    def kept_origins(self) -> Mapping[str, PackageOrigin]:
        """How the packages that are gone had got in, as far as their origins tell."""
        since = self.since.origin.packages if self.since and self.since.origin else {}
        origins = {**self.parents_origins(), **since}
        return {name: origins[name] for name in sorted(self.gone & origins.keys())}

    def kept_extras(self, name: str) -> tuple[str, ...]:
        """The extras with which a package was taken before and is now: with which of them by what
        is gone, nobody tells.
        """
        before, now = (
            set(locked.origin.packages[name].extras)
            if locked and locked.origin and name in locked.origin.packages
            else set[str]()
            for locked in (self.since, self.previous)
        )
        return tuple(sorted(before & now))

    def settled(self, profile: Profile) -> frozenset[str]:
        """The packages of the previous lock that are locked as they are believed to be."""
        platforms = self.previous.lock.platforms if self.previous else ()
        pairs = [
            (self.own(profile, one.platform), self.seen(profile, one.platform)) for one in platforms
        ]
        names = {name for own, _ in pairs for name in own}
        return frozenset(
            name for name in names if all(own.get(name) == seen.get(name) for own, seen in pairs)
        )

    def pins(self, profile: Profile, platform: Platform) -> Mapping[str, str]:
        """The previous versions, those of other platforms for what this one doesn't have yet."""
        others = self.previous.lock.platforms if self.previous else ()
        wheels = [self.own(profile, one.platform) for one in others]
        wheels.append(self.own(profile, platform))
        return {name: wheel.version for part in wheels for name, wheel in part.items()}

    def sizes(self) -> Mapping[Digest, int]:
        """The sizes of all wheels there are."""
        locks = [locked.lock for locked in (self.parent, self.believed) if locked]
        platforms = [platform for lock in locks for platform in lock.platforms]
        return {wheel.sha256: wheel.size for one in platforms for wheel in one.wheels}

    def parents_foundation(self, profile: Profile, platform: Platform) -> SolvedFoundation | None:
        """The parent's foundation, if the profile asks for the same."""
        parent = profile.parent
        if parent is None or (parent.foundation, parent.python) != (
            profile.foundation,
            profile.python,
        ):
            return None
        return _foundation(self.parent, platform)

    def previous_foundation(self, profile: Profile, platform: Platform) -> SolvedFoundation | None:
        """The previous foundation, if it was solved from what the profile still asks for."""
        before = self.previous.foundation_origin if self.previous else None
        now = inputs(profile, None).parts
        if before is None or any(
            before.parts.get(part) != now[part] for part in (Part.FOUNDATION, Part.PYTHON)
        ):
            return None
        return _foundation(self.previous, platform)


def _part(locked: Locked | None, platform: Platform) -> PlatformLock | None:
    platforms = locked.lock.platforms if locked else ()
    return next((one for one in platforms if one.platform == platform), None)


def _wheels(locked: Locked | None, platform: Platform) -> dict[str, Wheel]:
    part = _part(locked, platform)
    return {wheel.name: wheel for wheel in part.wheels} if part else {}


def _own(locked: Locked | None, profile: Profile, platform: Platform) -> dict[str, Wheel]:
    return {
        name: wheel
        for name, wheel in _wheels(locked, platform).items()
        if wheel.generation == profile.name or name not in profile.replaces
    }


def _foundation(locked: Locked | None, platform: Platform) -> SolvedFoundation | None:
    part = _part(locked, platform)
    if part is None or locked is None:
        return None
    origin = locked.foundation_origin
    debs = origin.debs if origin else {}
    here = {deb.name for deb in part.debs}
    requires = {
        name: tuple(needed for needed in debs[name].requires if needed in here)
        for name in sorted(here & debs.keys())
    }
    provides = {name: debs[name].provides for name in here & debs.keys() if debs[name].provides}
    return SolvedFoundation(part.debs, part.python, part.glibc, requires, provides)
