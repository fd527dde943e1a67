"""`basestore run`."""

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
from basestore.cli.context import open_store, reach, start_of
from basestore.cli.edited import warn_if_edited
from basestore.cli.engine import open_engine
from basestore.cli.engine_build import by_engine
from basestore.cli.watch import watching
from basestore.errors import UsageError
from basestore.pipeline.recorded import Records
from basestore.profile.project import chosen_names

# Containers of these have no ports of their own to publish.
_NO_PORTS = ("none", "host", "container")


def run(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="PROFILE", help="The profile or service whose image is run.")
    ],
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- COMMAND...]", help="What to run in it; the image's own command if absent."
        ),
    ] = None,
    env: Env = None,
    volume: Volume = None,
    workdir: Workdir = None,
    network: Network = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            metavar="NUMBER",
            help="Where on this machine a service's port is reached; its own number if absent.",
        ),
    ] = None,
) -> None:
    """Run a command in a container from a built image.

    Loads the image first where the engine lacks it, and removes the container at the end. As with
    `docker run --rm -i`, and -t on a terminal: input, output, errors, signals and the exit code are
    the container's. 127 and 126 mean that the image has no such program. A service that runs its
    own command is reached at its port, from this machine alone.
    """
    from basestore.cli.sources import builder_of
    from basestore.engine.container import Wish
    from basestore.pipeline.run import check_built, image_to_run, service_port

    project = start_of(context).project()
    chosen = chosen_names(project, (name,))[0]
    settings = reach(offline=False)
    listens = service_port(project, chosen)
    if port and not listens:
        raise UsageError(
            f"--port {port}: {chosen} listens on no port", "add port = 8000 to its service"
        )
    wish = Wish(
        command=tuple(command or ()),
        environment=tuple(variables(env or (), settings.environ)),
        volumes=tuple(map(volume_of, volume or ())),
        network=network,
        workdir=workdir,
        stdin=has_input(),
        tty=on_terminal(),
        ports=_published(listens, port, network) if port or not command else {},
    )
    check_built(project, chosen)
    store = open_store(settings, project)
    if not by_engine(project, chosen):
        warn_if_edited(project, store, Records.read(project).required(chosen))
    with open_engine(settings) as engine:
        with watching(json=False) as progress:
            builder = builder_of(project, settings, progress)
            image = image_to_run(project, chosen, engine, builder)
            for inside, outside in wish.ports.items():
                progress.note(f"{chosen}: its port {inside} is at 127.0.0.1:{outside}")
        raise typer.Exit(run_first(engine, [replace(wish, image=str(image))]))


def _published(listens: int | None, port: int | None, network: str | None) -> dict[int, int]:
    """The container's port and this machine's, where a container has ports of its own."""
    if listens is None or (network or "").partition(":")[0] in _NO_PORTS:
        return {}
    return {listens: port or listens}
