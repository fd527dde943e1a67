"""`basestore lock --check --resolve`: what comes of solving again, and how it is told."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from basestore.cli.context import find_store
from basestore.cli.settings import Settings
from basestore.cli.terminal import say
from basestore.cli.watch import watching
from basestore.errors import UsageError
from basestore.profile.family import ancestors, in_family_order, parents_of
from basestore.profile.model import Project

if TYPE_CHECKING:
    from basestore.pipeline.lock_again import Again


def check_options(check: bool, resolve: bool, since: str | None) -> None:
    """Raise UsageError for ``--resolve`` without ``--check``, and ``--since`` without that."""
    if resolve and not check:
        raise UsageError(
            "--resolve without --check, beside which alone it means something",
            "write `basestore lock --check --resolve`; `basestore lock` resolves what is stale",
        )
    if since is not None and not resolve:
        raise UsageError(
            "--since without --resolve, beside which alone it means something",
            "write `basestore lock --check --resolve --since REV`",
        )


def solve_again(
    project: Project, names: Sequence[str], since: str | None, settings: Settings, json: bool
) -> "Mapping[str, Again]":
    """Solve profiles and what they stand on again, whose locks are fresh, parents first."""
    from basestore.cli.sources import world
    from basestore.pipeline.archives import Archives
    from basestore.pipeline.lock_again import lock_again
    from basestore.sources.git import Git

    revision = Git(project.root, settings.environ).revision(since) if since is not None else None
    parents = parents_of(project)
    wanted = {one for name in names for one in (name, *ancestors(parents, name))}
    declare = Archives(find_store(settings)).deb
    found = {}
    with watching(json) as progress, world(project, settings, progress) as asked:
        for name in (one for one in in_family_order(parents) if one in wanted):
            with progress.task("solve", name):
                found[name] = lock_again(project, name, asked, revision, declare)
    return found


def tell_again(found: "Mapping[str, Again]") -> None:
    """Each lock in a line, and what differs below it."""
    for name, again in found.items():
        if again.as_at:
            said = f"as at {again.as_at}, not resolved again"
        else:
            said = "what resolving gives" if again.holds else "NOT what resolving gives"
        say(f"{name}: {said}")
        for line in (*again.differences, *(f"note: {note}" for note in again.notes)):
            say(f"  {line}")


def again_to_json(again: "Again | None") -> dict[str, object]:
    """What a lock's object has besides, where it was to be solved again."""
    if again is None:
        return {}
    return {
        "resolved": {
            "holds": again.holds,
            "as_at": again.as_at or None,
            "differences": list(again.differences),
            "notes": list(again.notes),
        }
    }
