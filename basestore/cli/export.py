"""`basestore export`."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from basestore.cli.build import warn_if_stale
from basestore.cli.context import Json, open_uv, reach, start_of
from basestore.cli.engine_build import check_export
from basestore.cli.output import open_stream
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say
from basestore.cli.watch import watching
from basestore.errors import UsageError
from basestore.image.model import Image, PlatformImage
from basestore.pipeline.export_place import (
    STANDARD_OUTPUT,
    check_place,
    descriptor,
    file_place,
    is_stream,
)
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.recorded import Recorded, Records
from basestore.profile.model import Project
from basestore.profile.project import chosen_names
from basestore.progress import Progress
from basestore.store import Store
from basestore.target import Platform

_IMAGE_FORMS = ("oci", "docker-archive", "rootfs")
_LOCK_FORMS = ("pylock", "requirements")
_FOLDER_FORMS = ("oci", "rootfs")

# PyPA specifications, "pylock.toml", "File Name": the names that installers know it by.
_PYLOCK_NAME = re.compile(r"pylock(\.[^.]+)?\.toml")


@dataclass(frozen=True, slots=True)
class _Target:
    """What is to be written where; ``platform`` is the one asked for, if any.

    ``shown``: the path as it was named; ``path`` is where links lead. ``stream``: the descriptor,
    or the pipe or device, if it is written to one.
    """

    form: str
    path: Path
    platform: str | None
    shown: str
    stream: Path | int | None = None


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
            "or requirements:FILE (with hashes). FILE may be a pipe, or - for standard output.",
        ),
    ],
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="OS/ARCH",
            help="One platform only; if absent, this machine's for the forms that hold one.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is there already.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a built image, or a lock, in a form that other tools take."""
    project = start_of(context).project()
    name = chosen_names(project, (profile,))[0]
    target = _placed(project, _target(to, platform), force)
    _check_output(target, json)
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
        print_json({"profile": name, "form": target.form, "path": target.shown, **digest})
    elif target.stream != STANDARD_OUTPUT:
        say(f"{name}: exported to {target.form}:{target.shown}")


def _target(to: str, platform: str | None) -> _Target:
    form, _, path = to.partition(":")
    if form not in (*_IMAGE_FORMS, *_LOCK_FORMS) or not path:
        forms = ", ".join(f"{known}:PATH" for known in (*_IMAGE_FORMS, *_LOCK_FORMS))
        raise UsageError(f"--to {to} names no form of export", f"write one of {forms}")
    if path == "-" and form in _FOLDER_FORMS:
        raise UsageError(
            f"{form}:- would be a folder, and standard output is none",
            f"name a folder, as in {form}:DIR; docker-archive:- writes an archive",
        )
    if form == "pylock" and path != "-" and not _PYLOCK_NAME.fullmatch(Path(path).name):
        raise UsageError(
            f"{Path(path).name} is no name for a pylock.toml: installers would take it for another "
            "kind of file",
            "call it pylock.toml, or pylock.NAME.toml with a NAME without dots (PEP 751)",
        )
    return _Target(form, Path(path), platform, str(Path(path)))


def _placed(project: Project, target: _Target, force: bool) -> _Target:
    """A target where links lead, once it is clear that it may be written."""
    if target.form in _FOLDER_FORMS:
        check_place(project, target.path)
        return target
    if target.shown == "-":
        return replace(target, stream=STANDARD_OUTPUT)
    if (number := descriptor(target.path)) is not None:
        return replace(target, stream=number)
    if is_stream(target.path):
        return replace(target, stream=target.path)
    return replace(target, path=file_place(project, target.path, force))


def _check_output(target: _Target, json: bool) -> None:
    """Raise UsageError where two things would be written to standard output, or none reads it."""
    if target.stream != STANDARD_OUTPUT:
        return
    if json:
        raise UsageError(
            "--json would mix its document with what is exported to standard output",
            "leave it out, or export to a file",
        )
    if target.form == "docker-archive" and os.isatty(STANDARD_OUTPUT):
        raise UsageError(
            "standard output is a terminal, and an archive is nothing to read",
            "name a file, or send it into a pipe: `| docker load`",
        )


def _write_lock(
    project: Project, locked: LockedProfile, target: _Target, progress: Progress
) -> None:
    from basestore.files import replace_file
    from basestore.pipeline.export import export_pylock, export_requirements, read_exported
    from basestore.profile.reader import read_profile

    warn_if_stale(project, locked.name)
    lock = read_exported(locked, target.platform)
    profile = read_profile(project, locked.name)
    if target.form == "pylock":
        uv = open_uv(read_settings())
        data = export_pylock(profile, lock, locked.digest, uv, progress)
    else:
        data = export_requirements(profile, lock, locked.digest)
    if target.stream is None:
        replace_file(target.path, data)
    else:
        with open_stream(target.stream) as file:
            file.write(data)


def _write_image(
    project: Project, recorded: Recorded, target: _Target, progress: Progress
) -> Image:
    from basestore.cli.sources import builder_of
    from basestore.pipeline.needed import needed_image

    settings = reach(offline=False)
    builder = builder_of(project, settings, progress)
    store, image = builder.store, needed_image(project, recorded, builder)
    if target.form == "oci":
        from basestore.image.layout import export_layout

        restricted = _restricted(image, target.platform)
        export_layout(store, restricted, recorded.tag, target.path, progress)
        return image
    one = _one(image, target.platform, settings.host)
    if target.form == "docker-archive":
        _write_archive(
            store, one, f"{project.image(recorded.name)}:{recorded.tag}", target, progress
        )
    else:
        from basestore.image.rootfs import export_rootfs

        export_rootfs(store, one, target.path, progress)
    return image


def _write_archive(
    store: Store, platform: PlatformImage, name: str, target: _Target, progress: Progress
) -> None:
    from basestore.image.archive import export_archive, send_archive

    if target.stream is None:
        export_archive(store, platform, name, target.path, progress)
    else:
        with open_stream(target.stream) as file:
            send_archive(store, platform, name, file, progress)


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
