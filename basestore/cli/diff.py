"""`basestore diff`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, find_store, start_of
from basestore.cli.settings import read_settings
from basestore.cli.terminal import print_json, say
from basestore.errors import UsageError
from basestore.profile.model import Project
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.pipeline.diff import ProfileDiff

Markdown = Annotated[
    bool, typer.Option("--markdown", help="Print Markdown for a pull request's comment.")
]


def diff(
    context: typer.Context,
    profiles: Profiles = None,
    old: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="REVISION|FILE",
            help="What to compare with: a revision that git knows, or a lock's file.",
        ),
    ] = "HEAD",
    json: Json = False,
    markdown: Markdown = False,
) -> None:
    """Say what has changed between two locks of a profile.

    The older one is git's or in a file, the newer one is what the profile has now. Tells packages,
    foundation, image settings, which layers are new and why, and what a node pulls that has the
    older image. Sizes of layers are those that this machine's store knows; of others, with
    a ~ before it, what their wheels and .debs are to be expected to give. Writes nothing.
    """
    one_form(json, markdown)
    found = _found(start_of(context).project(), tuple(profiles or ()), old)
    if json:
        from basestore.cli.diff_json import to_json

        print_json({"from": old, "profiles": [to_json(one) for one in found]})
        return
    if markdown:
        from basestore.cli.diff_markdown import lines_of
    else:
        from basestore.cli.diff_text import lines_of
    for one in found:
        for line in lines_of(one, old):
            say(line)


def one_form(json: bool, markdown: bool) -> None:
    """Raise UsageError where two forms of output are asked for."""
    if json and markdown:
        raise UsageError("--json and --markdown are two forms of output", "leave one of them out")


def _found(project: Project, names: tuple[str, ...], old: str) -> "tuple[ProfileDiff, ...]":
    from basestore.pipeline.diff import diff_from_file, diff_since

    settings = read_settings()
    if names:
        names = chosen_names(project, names)
    if Path(old).is_file():
        if len(names) > 1:
            raise UsageError(
                f"{old} is one lock, and {len(names)} profiles are named",
                "name one profile, or none to compare it with its own",
            )
        name = names[0] if names else None
        return (diff_from_file(project, name, Path(old), find_store(settings)),)
    from basestore.sources.git import Git

    git = Git(project.root, settings.environ, "name an older lock's file with --from")
    revision = git.revision(old)
    return diff_since(project, names, revision, find_store(settings))
