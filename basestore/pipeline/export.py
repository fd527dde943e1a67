"""Export: a profile's lock in the forms that other installers read; no image is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from basestore.digest import Digest
from basestore.errors import UnreachableError, UsageError
from basestore.lock.export.pylock import pylock
from basestore.lock.export.requirements import requirements
from basestore.lock.files import lock_file
from basestore.lock.model import Lock, Wheel
from basestore.pipeline.locked import LockedProfile
from basestore.profile.model import Profile
from basestore.profile.names import DEFAULT_INDEX
from basestore.progress import Progress
from basestore.sources.direct import team_direct_places, team_places, written_places
from basestore.sources.locate import locate_wheels
from basestore.sources.uv import Uv
from basestore.transport.url import host_of, redact, take_credentials


class NotInLockError(UsageError):
    """The lock hasn't the platform that was asked for."""

    def __init__(self, profile: str, platform: str, lock: Lock) -> None:
        known = ", ".join(str(one.platform) for one in lock.platforms)
        super().__init__(
            f"{lock_file(profile)} has no platform {platform}",
            f"pass --platform with one of {known}, or none for all of them",
        )


class NowhereError(UnreachableError):
    """No index has some wheels of a lock any more."""

    def __init__(self, wheels: Sequence[Wheel]) -> None:
        files = ", ".join(wheel.file for wheel in wheels)
        super().__init__(
            f"no index lists {files} with the locked hash",
            "check indexes and mirrors; requirements:FILE needs no index",
        )
        self.wheels = tuple(wheels)


class SecretUrlError(UnreachableError):
    """An index gives a URL that can't be written down."""

    def __init__(self, wheel: Wheel, url: str) -> None:
        super().__init__(
            f"the URL that {host_of(url)} gives for {wheel.file} has a query, which may hold a "
            f"secret or expire: {redact(url)}",
            "name an index or a mirror with plain URLs; requirements:FILE names none of an index",
        )
        self.wheel = wheel


def read_exported(locked: LockedProfile, platform: str | None) -> Lock:
    """A lock with all its platforms, or with one alone; raises NotInLockError."""
    lock = locked.parse()
    if platform is None:
        return lock
    chosen = tuple(one for one in lock.platforms if str(one.platform) == platform)
    if not chosen:
        raise NotInLockError(locked.name, platform, lock)
    return replace(lock, platforms=chosen)


def export_requirements(profile: Profile, lock: Lock, digest: Digest) -> bytes:
    """The lock, of that whole lock's digest, as a requirements file with hashes.

    What is asked for by URL stands there by its URL; raises SecretUrlError.
    """
    wheels = {wheel.sha256: wheel for one in lock.platforms for wheel in one.wheels}
    written = {one: urls[0] for one, urls in written_places(profile, wheels.values()).items()}
    teams = team_direct_places(profile, wheels.keys() - written.keys())
    public = {one: _public(wheels[one], urls[0]) for one, urls in teams.items()}
    return requirements(lock, digest, profile.indexes, {**public, **written})


def export_pylock(
    profile: Profile, lock: Lock, digest: Digest, uv: Uv, progress: Progress
) -> bytes:
    """The lock, of that whole lock's digest, as ``pylock.toml``; asks the indexes for URLs.

    Raises NowhereError, SecretUrlError, and what locating raises.
    """
    wheels = {wheel.sha256: wheel for one in lock.platforms for wheel in one.wheels}
    with progress.task("locate", f"{len(wheels)} wheels"):
        places = _places(profile, lock, wheels, uv)
    missing = [wheel for sha256, wheel in wheels.items() if not places.get(sha256)]
    if missing:
        raise NowhereError(missing)
    indexes = {DEFAULT_INDEX, *(index.name for index in profile.indexes)}
    if mirrored := sorted(indexes.intersection(uv.mirrors)):
        progress.note(f"its URLs are those of this machine's mirrors of {', '.join(mirrored)}")
    return pylock(lock, digest, profile.indexes, _public_urls(wheels, places))


def _places(
    profile: Profile, lock: Lock, wheels: Mapping[Digest, Wheel], uv: Uv
) -> Mapping[Digest, Sequence[str]]:
    """By URLs that the profile itself asks for, its indexes, and last the locks it takes."""
    written = written_places(profile, wheels.values())
    rest = frozenset(wheels) - written.keys()
    found = locate_wheels(uv, profile.indexes, lock.platforms, rest)
    return {**team_places(profile, rest), **found, **written}


def _public_urls(
    wheels: Mapping[Digest, Wheel], places: Mapping[Digest, Sequence[str]]
) -> Mapping[Digest, str]:
    return {sha256: _public(wheel, places[sha256][0]) for sha256, wheel in wheels.items()}


def _public(wheel: Wheel, url: str) -> str:
    """A URL without credentials; installers have those that the index wants from elsewhere."""
    bare, _ = take_credentials(url)
    if "?" in bare:
        raise SecretUrlError(wheel, bare)
    return bare
