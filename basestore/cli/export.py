"""`basestore export`."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from basestore.cli.build import warn_if_stale
from basestore.cli.context import Json, open_store, open_uv, start_of
from basestore.cli.engine_build import check_export
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say
from basestore.cli.watch import watching
from basestore.errors import UsageError
from basestore.files import replace_file
from basestore.image.model import Image, PlatformImage
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.recorded import Recorded, Records
from basestore.profile.model import Project
from basestore.profile.project import chosen_names
from basestore.progress import Progress
from basestore.target import Platform

_IMAGE_FORMS = ("oci", "docker-archive", "rootfs")
_LOCK_FORMS = ("pylock", "requirements")

# PyPA specifications, "pylock.toml", "File Name": the names that installers know it by.
_PYLOCK_NAME = re.compile(r"pylock(\.[^.]+)?\.toml")


@dataclass(frozen=True, slots=True)
class _Target:
    """What is to be written where; ``platform`` is the one asked for, if any."""

    form: str
    path: Path
    platform: str | None


def export(
    context: typer.Context,
    profile: Annotated[
        str, typer.Argument(metavar="PROFILE", help="The profile whose image or lock is wanted.")
    ],
    to: Annotated[
        str,
        typer.Option(
            metavar="FORM:PATH",
            help="The image as oci:DIR (an OCI layout, all platforms), docker-archive:FILE (for "
            "`docker load`) or rootfs:DIR (unpacked); the lock's wheels as pylock:FILE (PEP 751) "
            "or requirements:FILE (with hashes).",
        ),
    ],
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="OS/ARCH",
            help="One platform only; if absent, this machine's for the forms that hold one.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write a built image, or a lock, in a form that other tools take."""
    project = start_of(context).project()
    name = chosen_names(project, (profile,))[0]
    target = _target(to, platform)
    if target.form in _IMAGE_FORMS:
        check_export(project, name)
    locked = read_locked(project, name)
    with watching(json) as progress:
        if target.form in _LOCK_FORMS:
            _write_lock(project, locked, target, progress)
            digest = {"lock": str(locked.digest)}
        else:
            image = _write_image(project, Records.read(project).required(name), target, progress)
            digest = {"digest": str(image.digest)}
    if json:
        print_json({"profile": name, "form": target.form, "path": str(target.path), **digest})
    else:
        say(f"{name}: exported to {target.form}:{target.path}")


def _target(to: str, platform: str | None) -> _Target:
    form, _, path = to.partition(":")
    if form not in (*_IMAGE_FORMS, *_LOCK_FORMS) or not path:
        forms = ", ".join(f"{known}:PATH" for known in (*_IMAGE_FORMS, *_LOCK_FORMS))
        raise UsageError(f"--to {to} names no form of export", f"write one of {forms}")
    if form == "pylock" and not _PYLOCK_NAME.fullmatch(Path(path).name):
        raise UsageError(
            f"{Path(path).name} is no name for a pylock.toml: installers would take it for another "
            "kind of file",
            "call it pylock.toml, or pylock.NAME.toml with a NAME without dots (PEP 751)",
        )
    return _Target(form, Path(path), platform)


def _write_lock(
    project: Project, locked: LockedProfile, target: _Target, progress: Progress
) -> None:
    from basestore.pipeline.export import export_pylock, export_requirements, read_exported
    from basestore.profile.reader import read_profile

    path = _plain_file(target.path)
    warn_if_stale(project, locked.name)
    lock = read_exported(locked, target.platform)
    profile = read_profile(project, locked.name)
    if target.form == "pylock":
        uv = open_uv(read_settings())
        data = export_pylock(profile, lock, locked.digest, uv, progress)
    else:
        data = export_requirements(profile, lock, locked.digest)
    replace_file(path, data)


def _plain_file(path: Path) -> Path:
    """Where a file is to be written: what links lead to, and nothing that is no file."""
    found = Path(os.path.realpath(path))
    if found.exists() and not found.is_file():
        raise UsageError(f"{path} is no file", "name a file; it is written whole")
    return found


def _write_image(
    project: Project, recorded: Recorded, target: _Target, progress: Progress
) -> Image:
    from basestore.pipeline.assembled import required_image

    settings = read_settings()
    store = open_store(settings, project)
    image = required_image(project, recorded, store)
    if target.form == "oci":
        from basestore.image.layout import export_layout

        restricted = _restricted(image, target.platform)
        export_layout(store, restricted, recorded.tag, target.path, progress)
        return image
    one = _one(image, target.platform, settings.host)
    if target.form == "docker-archive":
        from basestore.image.archive import export_archive

        name = f"{project.image(recorded.name)}:{recorded.tag}"
        export_archive(store, one, name, target.path, progress)
    else:
        from basestore.image.rootfs import export_rootfs

        export_rootfs(store, one, target.path, progress)
    return image


def _restricted(image: Image, platform: str | None) -> Image:
    if platform is None:
        return image
    one = _one(image, platform, None)
    return Image(one.manifest, (one,))


def _one(image: Image, platform: str | None, host: Platform | None) -> PlatformImage:
    wanted = platform or (str(host) if host else "")
    if not platform and len(image.platforms) == 1:
        return image.platforms[0]
    for one in image.platforms:
        if str(one.platform) == wanted:
            return one
    known = ", ".join(str(one.platform) for one in image.platforms)
    raise UsageError(f"the image has no platform {wanted}", f"pass --platform with one of {known}")
