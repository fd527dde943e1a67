"""What a profile says about the image's config, on top of its parent's."""

import posixpath
import re
from collections.abc import Mapping

from basestore.profile.document import Table
from basestore.profile.model import VENV, ImageSettings

# OCI image-spec, "config", User: user, uid, user:group, uid:gid, uid:group, user:gid.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_image(table: Table, inherited: ImageSettings) -> ImageSettings:
    """The ``[image]`` of a profile's table, each key on top of the inherited one's.

    Variables and labels are merged one by one. Raises DocumentError.
    """
    image = table.table("image")
    if image is None:
        return inherited
    image.only("user", "workdir", "env", "entrypoint", "cmd", "labels")
    return read_settings(image, inherited)


def read_settings(image: Table, inherited: ImageSettings) -> ImageSettings:
    """The settings among a table's keys, likewise; raises DocumentError."""
    entrypoint = image.strings("entrypoint")
    cmd = image.strings("cmd")
    return ImageSettings(
        user=_user(image) or inherited.user,
        workdir=_workdir(image) or inherited.workdir,
        env={**inherited.env, **_env(image)},
        entrypoint=inherited.entrypoint if entrypoint is None else entrypoint,
        cmd=inherited.cmd if cmd is None else cmd,
        labels={**inherited.labels, **(image.string_map("labels") or {})},
    )


def _user(image: Table) -> str | None:
    user = image.string("user")
    if user is None or _USER.fullmatch(user):
        return user
    raise image.error(
        f"{user!r} is no user",
        'write a name or number, and a group if need be: "1000:1000"',
        "user",
    )


def _workdir(image: Table) -> str | None:
    workdir = image.string("workdir")
    if workdir is None or (workdir.startswith("/") and posixpath.normpath(workdir) == workdir):
        return workdir
    raise image.error(
        f"{workdir!r} is no plain absolute path", 'write it like "/srv/app"', "workdir"
    )


def _env(image: Table) -> Mapping[str, str]:
    env = image.string_map("env") or {}
    for name, value in env.items():
        if not _ENV_NAME.fullmatch(name):
            raise image.error("no name for a variable", "use letters, digits and _", "env", name)
        if "\0" in value:
            raise image.error("holds a NUL", "take it out", "env", name)
    if "VIRTUAL_ENV" in env:
        raise image.error(
            f"every image has its virtual environment in {VENV}",
            "take it out",
            "env",
            "VIRTUAL_ENV",
        )
    if f"{VENV}/bin" not in env.get("PATH", f"{VENV}/bin").split(":"):
        raise image.error(
            f"leaves out {VENV}/bin, so that nothing installed would be found",
            f"write the whole path with {VENV}/bin in it; variables are not expanded",
            "env",
            "PATH",
        )
    return env
