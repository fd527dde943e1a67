"""`basestore dockerfile`."""

from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.build import warn_if_stale
from basestore.cli.context import Json, start_of
from basestore.cli.registry import repository_of
from basestore.cli.terminal import hint, print_json, say

if TYPE_CHECKING:
    from basestore.pipeline.dockerfile import Written


def dockerfile(
    context: typer.Context,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="A service of basestore.toml.")],
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Write it, a .dockerignore and the locked requirements into the context.",
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace files, too, that basestore did not write."),
    ] = False,
    json: Json = False,
) -> None:
    """Print a Dockerfile that builds a service elsewhere, or a start for one of your own.

    It stands on the pinned image of the service's base, installs what the base lacks by hash, with
    uv and a cache that stays out of the image, copies the service's files and runs as a user who is
    not root. BuildKit is needed (Docker 20.10 or later). Files that --write wrote begin with a
    comment that says so; it replaces those only.
    """
    from basestore.pipeline.dockerfile import (
        keep_written,
        known_service,
        replace_written,
        write_dockerfile,
    )

    project = start_of(context).project()
    base = known_service(project, service).base
    written = write_dockerfile(project, service, repository_of(project, base, None))
    warn_if_stale(project, service)
    if write or force:
        keep = replace_written if force else keep_written
        keep(project, written)
    if json:
        print_json(_to_json(written, write or force))
    elif write or force:
        for file in written.files:
            say(f"{service}: wrote {file}")
    else:
        _show(written)


def _show(written: "Written") -> None:
    say(written.dockerfile.decode().rstrip("\n"))
    if len(written.files) > 1:
        others = ", ".join(list(written.files)[1:])
        hint(f"it wants {others} beside it: --write writes them all")


def _to_json(written: "Written", kept: bool) -> dict[str, object]:
    return {
        "service": written.service,
        "base": str(written.base),
        "written": kept,
        "files": [{"path": path, "content": data.decode()} for path, data in written.files.items()],
    }
