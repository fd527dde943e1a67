"""`basestore shell`."""

from dataclasses import replace
from typing import Annotated

import typer

from basestore.cli.container import (
    Env,
    Network,
    Volume,
    Workdir,
    has_input,
    on_terminal,
    run_first,
    variables,
    volume_of,
)
from basestore.cli.context import reach, start_of
from basestore.cli.engine import open_engine
from basestore.cli.watch import watching
from basestore.profile.project import chosen_names

_SHELLS = (
    # bash where it is there, else what else is a shell; and what every image has.
    ("/bin/sh", "-c", 'exec "$(command -v bash || echo /bin/sh)"'),
    ("python",),
)


def shell(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="PROFILE", help="The profile or service to look into.")
    ],
    user: Annotated[
        str | None,
        typer.Option("--user", "-u", metavar="NAME", help="Who to be in it; root to change it."),
    ] = None,
    env: Env = None,
    volume: Volume = None,
    workdir: Workdir = None,
    network: Network = None,
) -> None:
    """Open a shell in a container from a built image; Python where it has no shell.

    Loads the image first where the engine lacks it, and removes the container, with all that was
    changed in it, at the end. A script may be piped in.
    """
    from basestore.cli.sources import builder_of
    from basestore.engine.container import Wish
    from basestore.pipeline.run import check_built, image_to_run

    project = start_of(context).project()
    chosen = chosen_names(project, (name,))[0]
    settings = reach(offline=False)
    wish = Wish(
        environment=tuple(variables(env or (), settings.environ)),
        volumes=tuple(map(volume_of, volume or ())),
        network=network,
        workdir=workdir,
        user=user,
        stdin=has_input(),
        tty=on_terminal(),
    )
    check_built(project, chosen)
    with open_engine(settings) as engine:
        with watching(json=False) as progress:
            builder = builder_of(project, settings, progress)
            image = image_to_run(project, chosen, engine, builder)
        wishes = [replace(wish, image=str(image), entrypoint=words) for words in _SHELLS]
        raise typer.Exit(run_first(engine, wishes))
