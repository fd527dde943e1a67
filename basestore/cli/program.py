"""The program: commands put together, and what stands before their names."""

from pathlib import Path
from typing import Annotated

import typer

from basestore.cli.commands import program
from basestore.cli.context import Start
from basestore.cli.terminal import say

app = program()


def _version(asked: bool) -> None:
    if asked:
        from basestore import __version__

        say(f"basestore {__version__}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project",
            "-C",
            metavar="FOLDER",
            help="The project's folder, or one in it, instead of this one.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Base images as a pure function of a lock, and services on them.

    A profile (profiles/NAME.toml) says what a base holds. `lock` resolves it to locks/NAME.lock,
    whose SHA-256 is the image's tag; `build` assembles the image from wheels and .debs, without a
    daemon and bit for bit the same anywhere; `push` sends only the layers that a registry lacks;
    `load`, `run` and `shell` take it to the local Docker Engine; `verify` proves that profile,
    lock, image, registry and engine agree. A service ([services.NAME] in basestore.toml) is a base
    with the packages that it lacks and an application on top; the same commands take it. `pin`
    keeps references to bases in the project's files. `status`, `graph`, `diff`, `plan`, `affected`
    and `why` say how things stand, what changes, what would be done, and what brought a package in.

    Exit codes: 0 done, 2 usage, 3 a check found disagreement, 4 bad input file, 5 integrity,
    6 unreachable, 7 no resolution, 8 forbidden by policy, 1 a bug; 130, 143 and 129 where SIGINT,
    SIGTERM or SIGHUP ended it.
    """
    del version
    context.obj = Start(project)
