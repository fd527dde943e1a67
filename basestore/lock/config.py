"""What a profile's settings come to in its lock. Pure."""

from collections.abc import Collection, Mapping, Sequence

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


class ParentsRecordExceptionError(InputError):
    """A profile excepts a package from its RECORD that its parent brought."""

    def __init__(self, place: Location, package: str, generation: str) -> None:
        super().__init__(
            f"{place}: record-exceptions: the wheel of {package} is {generation}'s, whose layers "
            "are the same in all that extends it",
            f"write the exception into {profile_file(generation)}",
        )
        self.package = package
        self.generation = generation


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
    """The reasons of the exceptions that can be: each for a wheel that its own profile brought.

    What a child inherits may be for a platform that it doesn't have, or for a wheel that it
    replaces. A profile's own that is for nothing raises IdleRecordExceptionError; one for a wheel
    of its parent raises ParentsRecordExceptionError, since the layers of a parent are its child's.
    """
    brought = {(wheel.generation, wheel.name) for one in platforms for wheel in one.wheels}
    names = {generation.file: generation.name for generation in profile.lineage}
    held = {
        name: one.reason
        for name, one in profile.record_exceptions.items()
        if (names.get(one.place.file), name) in brought
    }
    for name, one in profile.record_exceptions.items():
        if name not in held and one.place.file == profile.file:
            raise _for_nothing(profile, name, one.place, brought)
    return held


def _for_nothing(
    profile: Profile, name: str, place: Location, brought: Collection[tuple[str, str]]
) -> InputError:
    from difflib import get_close_matches

    for generation, other in brought:
        if other == name:
            return ParentsRecordExceptionError(place, name, generation)
    base = profile.service.base if profile.service else ""
    near = get_close_matches(name, sorted({other for _, other in brought}), n=2, cutoff=0.6)
    return IdleRecordExceptionError(place, name, base, near)
