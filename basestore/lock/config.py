"""What a profile's settings come to in its lock. Pure."""

from collections.abc import Mapping, Sequence

from basestore.errors import InputError
from basestore.lock.model import ImageConfig, PlatformLock
from basestore.profile.model import VENV, Location, Profile, profile_file

DEFAULT_PATH = f"{VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_CMD = ("python",)


class IdleRecordExceptionError(InputError):
    """A profile excepts a package from its RECORD of which its lock has no wheel."""

    def __init__(self, place: Location, package: str, base: str, near: Sequence[str]) -> None:
        guess = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
        elsewhere = f"; what its base brings is excepted in {profile_file(base)}" if base else ""
        super().__init__(
            f"{place}: record-exceptions: the lock has no wheel of {package}",
            f"{guess}take it out if nothing needs {package} any more{elsewhere}",
        )
        self.package = package
        self.near = tuple(near)


def image_config(profile: Profile) -> ImageConfig:
    """The image's config, complete.

    ``LANG`` and ``PATH`` give way to the profile's own. An entrypoint without a ``cmd`` gets none.
    The user root and the folder ``/`` are what an image without any has, and are left out.
    """
    settings = profile.image
    env = {"LANG": "C.UTF-8", "PATH": DEFAULT_PATH, **settings.env, "VIRTUAL_ENV": VENV}
    cmd = settings.cmd
    if cmd is None:
        cmd = () if settings.entrypoint else DEFAULT_CMD
    return ImageConfig(
        env=tuple(f"{name}={env[name]}" for name in sorted(env)),
        entrypoint=settings.entrypoint,
        cmd=cmd,
        user="" if settings.user == "root" else settings.user,
        workdir="" if settings.workdir == "/" else settings.workdir,
        labels=settings.labels,
        ports=settings.ports,
        healthcheck=settings.healthcheck,
    )


def path_conflicts(
    profile: Profile, platforms: Sequence[PlatformLock]
) -> Mapping[str, tuple[str, ...]]:
    """The allowed conflicts that can be: of each the packages that are locked, if two or more."""
    locked = {wheel.name for platform in platforms for wheel in platform.wheels}
    possible = {
        path: tuple(name for name in names if name in locked)
        for path, names in profile.path_conflicts.items()
    }
    return {path: names for path, names in possible.items() if len(names) > 1}


def record_exceptions(profile: Profile, platforms: Sequence[PlatformLock]) -> Mapping[str, str]:
    """The reasons of the exceptions that can be: of those packages that are locked.

    What a child inherits may be for a platform that it doesn't have; a profile's own that is for
    nothing raises IdleRecordExceptionError.
    """
    locked = {wheel.name for platform in platforms for wheel in platform.wheels}
    for name, one in profile.record_exceptions.items():
        if name not in locked and one.place.file == profile.file:
            from difflib import get_close_matches

            base = profile.service.base if profile.service else ""
            near = get_close_matches(name, sorted(locked), n=2, cutoff=0.6)
            raise IdleRecordExceptionError(one.place, name, base, near)
    return {n: one.reason for n, one in profile.record_exceptions.items() if n in locked}
