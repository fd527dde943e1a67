"""`basestore lock`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Offline, Profiles, reach, start_of
from basestore.cli.duplicates import duplicates_to_json, find_duplicates, tell_duplicates
from basestore.cli.duplicates import fix as take_out_duplicates
from basestore.cli.lock_again import again_to_json, check_options, solve_again, tell_again
from basestore.cli.policy import hits_to_json, tell_warnings
from basestore.cli.settings import Settings, own_state
from basestore.cli.terminal import count, hint, print_json, say, show_error, warn
from basestore.cli.watch import watching
from basestore.errors import ExitCode, PolicyError, UsageError
from basestore.profile.cutoff import HINT, moment_of, parse_cutoff
from basestore.profile.model import Project
from basestore.profile.names import package_name
from basestore.profile.project import chosen_names

if TYPE_CHECKING:
    from basestore.lock.freshness import Freshness
    from basestore.pipeline.duplicates import Duplicate
    from basestore.pipeline.lock import Locked
    from basestore.pipeline.lock_again import Again
    from basestore.resolve.ports import SolveOptions


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
    exclude_newer: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Let no version in that was uploaded later: a day, a moment, or a time such as "
            '"7 days". What is locked stays.',
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Take what its base has already out of a service's requirements first."
        ),
    ] = False,
    resolve: Annotated[
        bool,
        typer.Option(
            "--resolve",
            help="With --check: resolve again, versions and hashes held, and compare; nothing is "
            "written.",
        ),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="REV",
            help="With --resolve: only what isn't as at this git revision, which is believed.",
        ),
    ] = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Resolve profiles and services to their locks.

    The foundation is solved first, over Debian's signed index, then the wheels by uv for exactly
    its Python, C library and platform. Versions that are locked stay unless an upgrade is asked
    for. Where a lock is fresh, nothing is resolved. A service's lock holds what its base lacks.
    """
    if check:
        _alone(
            {
                "--upgrade": upgrade,
                "--upgrade-package": upgrade_package,
                "--upgrade-foundation": upgrade_foundation,
                "--exclude-newer": exclude_newer is not None,
                "--fix": fix,
            }
        )
    check_options(check, resolve, since)
    before = _before(exclude_newer)
    project = start_of(context).project()
    names = chosen_names(project, tuple(profiles or ()))
    if check:
        _check(project, names, json, _Resolving(since, reach(offline), json) if resolve else None)
        return
    from basestore.resolve.ports import SolveOptions

    packages = frozenset(package_name(package) for package in upgrade_package or ())
    wheels = packages | {"*"} if upgrade else packages
    wish = SolveOptions(wheels, upgrade_foundation, before)
    if fix:
        project = take_out_duplicates(project, names, not json)
    _lock(project, names, wish, reach(offline), json)


def _alone(options: Mapping[str, object]) -> None:
    """Raise UsageError for an option that means nothing beside ``--check``."""
    for option in (name for name, value in options.items() if value):
        raise UsageError(
            f"{option} beside --check, which resolves nothing",
            "leave one of them out: `lock --check` only says whether the locks are fresh",
        )


def _before(text: str | None) -> datetime | None:
    """The moment that ``--exclude-newer`` stands for."""
    if text is None:
        return None
    try:
        return moment_of(parse_cutoff(text), datetime.now(UTC))
    except ValueError as error:
        raise UsageError(f"--exclude-newer: {error}", HINT) from error


@dataclass(frozen=True, slots=True)
class _Resolving:
    """How to resolve again what is fresh."""

    since: str | None
    settings: Settings
    json: bool

    def __call__(self, project: Project, names: tuple[str, ...]) -> "Mapping[str, Again]":
        return solve_again(project, names, self.since, self.settings, self.json)


def _check(
    project: Project, names: tuple[str, ...], json: bool, resolving: _Resolving | None = None
) -> None:
    from basestore.lock.freshness import Checks, Freshness

    checks = Checks(project, now := datetime.now(UTC), own_state())
    found: list[Freshness] = []
    refused: dict[str, PolicyError] = {}
    for name in names:
        try:
            found.append(checks.of(name))
        except PolicyError as error:
            refused[name] = error
    stale = [one.profile for one in found if not one.fresh]
    again = resolving(project, names) if resolving and not stale and not refused else {}
    if json:
        locks = [
            {**_to_json(project, one), **again_to_json(again.get(one.profile))} for one in found
        ]
        above = {name: one for name, one in again.items() if name not in names}
        print_json(
            {
                "locks": locks + _refused_to_json(refused),
                **(
                    {"above": [{"profile": n, **again_to_json(above[n])} for n in above]}
                    if above
                    else {}
                ),
            }
        )
    else:
        for one in found:
            tell_warnings(one.profile, one.warnings)
            reasons = "; ".join(map(str, one.reasons))
            say(f"{one.profile}: {'fresh' if one.fresh else f'stale: {reasons}'}")
            for line in _lines(project, one):
                say(f"  {line}")
        tell_again(again)
    if stale:
        from basestore.lock.stale import to_lock

        hint(f"run `basestore lock {' '.join(to_lock(project, stale, now))}`")
    for refusal in {one.message: one for one in refused.values()}.values():
        show_error(refusal)  # a child's is its parent's, where that one is refused
    if refused:
        raise typer.Exit(ExitCode.POLICY)
    if stale or not all(one.holds for one in again.values()):
        raise typer.Exit(ExitCode.DISAGREEMENT)


def _lines(project: Project, found: "Freshness") -> list[str]:
    """The lines and files that made a lock stale, and what the reasons don't say already."""
    if found.fresh:
        return []
    from basestore.lock.stale import blamed

    said = {str(reason) for reason in found.reasons}
    return [str(one) for one in blamed(project, found) if str(one) not in said]


def _to_json(project: Project, found: "Freshness") -> dict[str, object]:
    return {
        "profile": found.profile,
        "digest": str(found.lock) if found.lock else None,
        "fresh": found.fresh,
        "reasons": [str(reason) for reason in found.reasons],
        "lines": _lines(project, found),
        "warnings": hits_to_json(found.warnings),
        "hits": [],
    }


def _refused_to_json(refused: Mapping[str, PolicyError]) -> list[dict[str, object]]:
    from basestore.lock.policy import PolicyHitError

    return [
        {
            "profile": name,
            "digest": None,
            "fresh": False,
            "reasons": [error.message],
            "warnings": [],
            "hits": hits_to_json(error.hits if isinstance(error, PolicyHitError) else ()),
        }
        for name, error in refused.items()
    ]


def _lock(
    project: Project,
    names: tuple[str, ...],
    wish: "SolveOptions",
    settings: Settings,
    json: bool,
) -> None:
    from basestore.cli.sources import world
    from basestore.pipeline.lock import Locked, idle_waivers, lock_profile, stale_below
    from basestore.pipeline.wish import in_order, taken_as_they_are

    order = in_order(project, names, wish, datetime.now(UTC))
    results: list[Locked] = []
    try:
        with watching(json) as progress, world(project, settings, progress) as asked:
            for name in order:
                with progress.task("lock", name):
                    results.append(lock_profile(project, name, wish, asked))
    except BaseException:
        _tell(results, (), json, ())  # what was written stays written
        raise
    stale = stale_below(project, names)
    _tell(results, stale, json, found := find_duplicates(project, names))
    tell_duplicates(found)
    for waiver in idle_waivers(project, results):
        warn(f"{waiver.place}: this exception from {waiver.rule} excepts nothing: {waiver.subject}")
    if wish.upgrade or wish.before:
        for name, file in taken_as_they_are(project, order).items():
            warn(f"{name} takes the wheels of {file} as they are, whatever is asked here")
    if stale:
        hint(f"stale now: {', '.join(stale)}; run `basestore lock {' '.join(stale)}`")


def _tell(
    results: "Sequence[Locked]", stale: Sequence[str], json: bool, found: "Sequence[Duplicate]"
) -> None:
    """What was locked; for machines nothing where nothing was."""
    if json and results:
        print_json(
            {
                "locks": [_locked_to_json(one) for one in results],
                "stale": list(stale),
                "duplicates": duplicates_to_json(found),
            }
        )
    for one in results if not json else ():
        tell_warnings(one.profile, one.warnings)
        state = "locked" if one.changed else "unchanged"
        say(f"{one.profile}: {state}, {count(one.packages, 'package')}")
        say(f"  lock  {one.digest}")


def _locked_to_json(one: "Locked") -> dict[str, object]:
    return {
        "profile": one.profile,
        "digest": str(one.digest),
        "changed": one.changed,
        "packages": one.packages,
        "warnings": hits_to_json(one.warnings),
    }
