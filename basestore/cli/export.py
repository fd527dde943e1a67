"""`basestore export`."""

from pathlib import Path
from typing import Annotated

import typer

from basestore.cli.context import Json, open_store, start_of
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say
from basestore.cli.watch import watching
from basestore.errors import UsageError
from basestore.image.model import Image, PlatformImage
from basestore.pipeline.build import NotBuiltError, stored_image
from basestore.pipeline.locked import read_locked
from basestore.profile.project import chosen_profiles
from basestore.target import Platform

_FORMS = ("oci", "docker-archive", "rootfs")


def export(
    context: typer.Context,
    profile: Annotated[
        str, typer.Argument(metavar="PROFILE", help="The profile whose image is wanted.")
    ],
    to: Annotated[
        str,
        typer.Option(
            metavar="FORM:PATH",
            help="oci:DIR (an OCI layout, all platforms), docker-archive:FILE (for `docker load`) "
            "or rootfs:DIR (unpacked).",
        ),
    ],
    platform: Annotated[
        str | None,
        typer.Option(
            metavar="OS/ARCH",
            help="Which platform, for the forms that hold one; this machine's if absent.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write a built image in a form that other tools take."""
    project = start_of(context).project()
    name = chosen_profiles(project, (profile,))[0]
    form, path = _target(to)
    settings = read_settings()
    store = open_store(settings)
    locked = read_locked(project, name)
    image, tag = stored_image(project, locked, store), locked.tag
    if image is None:
        raise NotBuiltError(name)
    with watching(json) as progress:
        if form == "oci":
            from basestore.image.layout import export_layout

            export_layout(store, _restricted(image, platform), tag, path, progress)
        elif form == "docker-archive":
            from basestore.image.archive import export_archive

            one = _one(image, platform, settings.host)
            export_archive(store, one, f"{project.image(name)}:{tag}", path, progress)
        else:
            from basestore.image.rootfs import export_rootfs

            export_rootfs(store, _one(image, platform, settings.host), path, progress)
    if json:
        print_json({"profile": name, "form": form, "path": str(path), "digest": str(image.digest)})
    else:
        say(f"{name}: exported to {form}:{path}")


def _target(text: str) -> tuple[str, Path]:
    form, _, path = text.partition(":")
    if form not in _FORMS or not path:
        forms = ", ".join(f"{known}:PATH" for known in _FORMS)
        raise UsageError(f"--to {text} names no form of export", f"write one of {forms}")
    return form, Path(path)


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
