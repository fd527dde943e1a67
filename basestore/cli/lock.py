"""`basestore lock`."""

from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Profiles, start_of
from basestore.cli.terminal import count, hint, print_json, say
from basestore.cli.watch import watching
from basestore.errors import ExitCode
from basestore.profile.model import Project
from basestore.profile.names import normalised
from basestore.profile.project import chosen_profiles

if TYPE_CHECKING:
    from basestore.resolve.solve import SolveOptions


def lock(
    context: typer.Context,
    profiles: Profiles = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Only say whether each lock is fresh; offline, exit 3 if not."
        ),
    ] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest wheels that the profile allows.")
    ] = False,
    upgrade_package: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Take the newest wheel of this package (repeatable)."),
    ] = None,
    upgrade_foundation: Annotated[
        bool, typer.Option("--upgrade-foundation", help="Take the newest .debs of the suite.")
    ] = False,
    json: Json = False,
) -> None:
    """Resolve profiles to their locks.

    The foundation is solved first, over Debian's signed index, then the wheels by uv for exactly
    its Python, C library and platform. Versions that are locked stay unless an upgrade is asked
    for. Where a lock is fresh, nothing is resolved.
    """
    project = start_of(context).project()
    names = chosen_profiles(project, tuple(profiles or ()))
    if check:
        _check(project, names, json)
        return
    from basestore.resolve.solve import SolveOptions

    packages = frozenset(normalised(package) for package in upgrade_package or ())
    wheels = frozenset(["*"]) if upgrade else packages
    _lock(project, names, SolveOptions(wheels, upgrade_foundation), json)


def _check(project: Project, names: tuple[str, ...], json: bool) -> None:
    from basestore.lock.freshness import check

    found = [check(project, name) for name in names]
    if json:
        print_json(
            {
                "locks": [
                    {
                        "profile": one.profile,
                        "digest": str(one.lock) if one.lock else None,
                        "fresh": one.fresh,
                        "reasons": [str(reason) for reason in one.reasons],
                    }
                    for one in found
                ]
            }
        )
    else:
        for one in found:
            reasons = "; ".join(map(str, one.reasons))
            say(f"{one.profile}: {'fresh' if one.fresh else f'stale: {reasons}'}")
    stale = [one.profile for one in found if not one.fresh]
    if stale:
        hint(f"run `basestore lock {' '.join(stale)}`")
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _lock(
    project: Project,
    names: tuple[str, ...],
    wish: "SolveOptions",
    json: bool,
) -> None:
    from basestore.cli.settings import read_settings
    from basestore.cli.sources import world
    from basestore.pipeline.lock import check_upgrade, family_order, lock_profile, stale_below

    check_upgrade(project, names, wish.upgrade - {"*"})
    settings = read_settings()
    results = []
    with watching(json) as progress, world(settings, progress) as asked:
        for name in family_order(project, names):
            with progress.task("lock", name):
                results.append(lock_profile(project, name, wish, asked))
    stale = stale_below(project, names)
    if json:
        print_json(
            {
                "locks": [
                    {
                        "profile": one.profile,
                        "digest": str(one.digest),
                        "changed": one.changed,
                        "packages": one.packages,
                    }
                    for one in results
                ],
                "stale": list(stale),
            }
        )
        return
    for one in results:
        state = "locked" if one.changed else "unchanged"
        say(f"{one.profile}: {state}, {count(one.packages, 'package')}")
        say(f"  lock  {one.digest}")
    if stale:
        hint(f"stale now: {', '.join(stale)}; run `basestore lock {' '.join(stale)}`")
