"""What is known before solving: the lock of the parent, the previous one, and their origins."""

from collections.abc import Mapping
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.errors import DisagreementError
from basestore.lock.inputs import Part, inputs
from basestore.lock.model import Lock, PlatformLock, Wheel
from basestore.lock.origin import Origin
from basestore.profile.model import Profile
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
    """A lock and how it came about; None where the origin is gone or another lock's."""

    lock: Lock
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Known:
    """The parent's lock, fresh, where there is a parent, and the profile's previous one."""

    parent: Locked | None = None
    previous: Locked | None = None

    def check(self, profile: Profile) -> None:
        """Raise ParentLockError where the parent's lock is missing or lacks a platform."""
        if profile.parent is None:
            return
        if self.parent is None:
            raise ParentLockError(profile, profile.parent, "is missing")
        for platform in profile.platforms:
            if _part(self.parent, platform) is None:
                raise ParentLockError(profile, profile.parent, f"is not for {platform}")

    def inherited(self, platform: Platform) -> Mapping[str, Wheel]:
        """The parent's wheels by name."""
        return _wheels(self.parent, platform)

    def locked(self, platform: Platform) -> Mapping[str, Wheel]:
        """The wheels there are for the platform, the parent's before the previous lock's."""
        return {**_wheels(self.previous, platform), **self.inherited(platform)}

    def pins(self, platform: Platform) -> Mapping[str, str]:
        """The previous versions, those of other platforms for what this one doesn't have yet."""
        others = self.previous.lock.platforms if self.previous else ()
        pins = {wheel.name: wheel.version for other in others for wheel in other.wheels}
        own = _wheels(self.previous, platform)
        return {**pins, **{name: wheel.version for name, wheel in own.items()}}

    def sizes(self) -> Mapping[Digest, int]:
        """The sizes of all wheels there are."""
        locks = [locked.lock for locked in (self.parent, self.previous) if locked]
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
        before = self.previous.origin if self.previous else None
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


def _foundation(locked: Locked | None, platform: Platform) -> SolvedFoundation | None:
    part = _part(locked, platform)
    if part is None or locked is None:
        return None
    debs = locked.origin.debs if locked.origin else {}
    here = {deb.name for deb in part.debs}
    requires = {
        name: tuple(needed for needed in debs[name].requires if needed in here)
        for name in sorted(here & debs.keys())
    }
    return SolvedFoundation(part.debs, part.python, part.glibc, requires)
