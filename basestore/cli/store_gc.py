"""`basestore store gc`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, start_of
from basestore.cli.settings import read_settings
from basestore.cli.store_marker import marker_of, project_here, store_here
from basestore.cli.terminal import columns, count, print_json, say, size, warn
from basestore.cli.watch import watching
from basestore.errors import UsageError

if TYPE_CHECKING:
    from basestore.pipeline.store_gc import Clearing
    from basestore.store import Store
    from basestore.store.survey import Spare

_LONGEST = 100 * 365  # days; nothing in a store is older

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be deleted.")]
MaxSize = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Delete only as much as it takes for the store to have at most SIZE, what was used "
        "last at the end.",
    ),
]
KeepDays = Annotated[
    int | None,
    typer.Option(min=0, metavar="N", help="Delete only what was not used for N days."),
]
Revisions = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Keep also what the last N commits of each project need that changed its locks.",
    ),
]
IgnoreProject = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FOLDER",
        help="Leave this project out of account (repeatable): what only it needs goes. It stays "
        "registered.",
    ),
]


def gc(
    context: typer.Context,
    dry_run: DryRun = False,
    max_size: MaxSize = None,
    keep_days: KeepDays = None,
    revisions: Revisions = 0,
    ignore_project: IgnoreProject = None,
    json: Json = False,
) -> None:
    """Delete what no project needs.

    What the locks, images.toml and services.toml of a project name stays, of every project that
    used this store (`basestore store roots`), and so does what running commands have looked for or
    written. Exports are copies and need nothing. All that is deleted can be fetched or made again.
    """
    from basestore.pipeline.store_gc import clear, preview

    settings = read_settings()
    spare = _spare(max_size, keep_days, datetime.now(UTC))
    store = store_here(settings)
    here = project_here(start_of(context))
    marker = marker_of(settings, store, revisions, here, ignore_project or ())
    for project in _unknown(store, ignore_project or ()):
        warn(f"the store isn't kept for {project}, which --ignore-project names")
    with watching(json) as progress:
        if not dry_run:
            for project in here:
                store.register(project)
        done = (preview if dry_run else clear)(store, marker, spare, progress)
    if json:
        print_json(_to_json(done, dry_run))
    else:
        _show(done, dry_run)
    if spare.size is not None and done.collected.after > spare.size:
        warn(
            f"the store has still more than {size(spare.size)}: projects need the rest, or it is "
            "in use"
        )


def _spare(max_size: str | None, keep_days: int | None, now: datetime) -> "Spare":
    from basestore.profile.sizes import SIZE_HINT, parse_size
    from basestore.store.survey import Spare

    days = None if keep_days is None else timedelta(days=min(keep_days, _LONGEST))
    since = None if days is None else (now - days).timestamp()
    try:
        return Spare(since, None if max_size is None else parse_size(max_size))
    except ValueError as error:
        raise UsageError(f"--max-size: {error}", SIZE_HINT) from None


def _unknown(store: "Store", projects: Sequence[Path]) -> Sequence[Path]:
    """Those that the store isn't kept for, perhaps misspelt; raises DamagedRootError."""
    known = frozenset(store.roots.projects()) if projects else frozenset()
    return [project for project in projects if project.resolve() not in known]


def _show(done: "Clearing", dry_run: bool) -> None:
    for project in done.gone:
        warn(f"{project} is gone: what only it needed is not kept")
    collected = done.collected
    rows = [
        (f"  {kind}", str(amount.files), size(amount.bytes))
        for kind, amount in sorted(collected.kinds.items(), key=lambda item: -item[1].bytes)
    ]
    verb = "would delete" if dry_run else "deleted"
    amount = f"{size(collected.bytes)} of {size(collected.before)}"
    say(f"{verb} {count(collected.files, 'file')}, {amount}")
    if rows:
        for line in columns(rows, right=(1, 2)):
            say(line)


def _to_json(done: "Clearing", dry_run: bool) -> dict[str, object]:
    collected = done.collected
    return {
        "dry_run": dry_run,
        "before": collected.before,
        "after": collected.after,
        "deleted": {"files": collected.files, "bytes": collected.bytes},
        "kinds": {
            str(kind): {"files": amount.files, "bytes": amount.bytes}
            for kind, amount in sorted(collected.kinds.items())
        },
        "gone_projects": list(map(str, done.gone)),
    }
