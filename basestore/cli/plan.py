"""`basestore plan`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, find_store, open_transport, start_of
from basestore.cli.diff import Markdown, one_form
from basestore.cli.registry import AsksRegistry
from basestore.cli.settings import Settings, own_state, read_settings
from basestore.cli.terminal import print_json, say
from basestore.errors import ExitCode
from basestore.profile.family import family_order
from basestore.profile.model import Project
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.pipeline.plan import ProfilePlan, PushPlan


COMMAND = AsksRegistry


def plan(
    context: typer.Context,
    profiles: Profiles = None,
    registry: Annotated[
        str | None,
        typer.Option(
            metavar="[REGISTRY[/PATH]]",
            help="Ask the registry which layers it lacks, another than the one in basestore.toml "
            "if it is named. Without this nobody is asked.",
        ),
    ] = None,
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Say what `build` and `push` would do and why, without doing it.

    Tells whether the lock is stale, which layers would be made and what has changed in them since
    the image recorded before, what would be fetched, and what sent; of a service also what it
    stands on, and whether the files that it copies have changed. Writes nothing. Exits 4 where a
    profile, lock, origin or a service's files can't be taken as they are, 8 where the policy
    refuses a lock: those would not be built.
    """
    from basestore.pipeline.lock_state import Locks, LockState
    from basestore.pipeline.plan import plan_profile
    from basestore.pipeline.subject import Subjects

    one_form(json, markdown)
    project = start_of(context).project()
    settings = read_settings()
    names = family_order(project, chosen_names(project, tuple(profiles or ())))
    locks = Locks.of(project, datetime.now(UTC), own_state())
    subjects = Subjects.of(project, find_store(settings))
    plans = [plan_profile(subjects, name, locks.found(name), settings.host) for name in names]
    pushes = {} if registry is None else _pushes(project, plans, settings, registry)
    if json:
        from basestore.cli.plan_json import to_json

        print_json({"profiles": [to_json(one, pushes.get(one.profile)) for one in plans]})
    else:
        _show(plans, pushes, markdown)
    if any(one.lock is LockState.REFUSED for one in plans):
        raise typer.Exit(ExitCode.BAD_INPUT)
    if any(one.lock is LockState.FORBIDDEN for one in plans):
        raise typer.Exit(ExitCode.POLICY)


def _show(plans: "list[ProfilePlan]", pushes: "Mapping[str, PushPlan]", markdown: bool) -> None:
    if markdown:
        from basestore.cli.plan_markdown import lines_of
    else:
        from basestore.cli.plan_text import lines_of
    for one in plans:
        for line in lines_of(one, pushes.get(one.profile)):
            say(line)


def _pushes(
    project: Project, plans: "list[ProfilePlan]", settings: Settings, named: str
) -> "Mapping[str, PushPlan]":
    """What the registry says of each profile that has a lock."""
    from basestore.cli.registry import repository_of, siblings_of
    from basestore.pipeline.plan import plan_push
    from basestore.registry.client import RegistryClient
    from basestore.registry.config import DockerConfig

    config = DockerConfig(settings.docker_config)
    pushes = {}
    with open_transport(settings) as transport:

        def client_of(name: str) -> RegistryClient:
            return RegistryClient.reader(transport, repository_of(project, name, named), config)

        for one in plans:
            if one.build:
                siblings = [client_of(name) for name in siblings_of(project, one.profile)]
                client = client_of(one.profile)
                pushes[one.profile] = plan_push(one.build, one.tag, client, siblings)
    return pushes
