"""What a profile's settings come to in its lock. Pure."""

from collections.abc import Mapping, Sequence

from basestore.lock.model import ImageConfig, PlatformLock
from basestore.profile.model import VENV, Profile

DEFAULT_PATH = f"{VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_CMD = ("python",)


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
