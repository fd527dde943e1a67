"""`basestore store info` and `basestore store roots`."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, start_of
from basestore.cli.settings import read_settings
from basestore.cli.store_marker import marker_of, project_here, store_here
from basestore.cli.terminal import columns, print_json, say, size, warn
from basestore.errors import BasestoreError, UsageError
from basestore.progress import Progress

if TYPE_CHECKING:
    from basestore.pipeline.store_info import Info, Large, Root
    from basestore.store import Store

Forget = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Don't keep what this project needs any longer."),
]


class UnknownRootError(UsageError):
    """A project isn't one that the store is kept for."""

    def __init__(self, project: Path) -> None:
        super().__init__(
            f"the store isn't kept for {project}", "`basestore store roots` lists those it is"
        )


def info(context: typer.Context, json: Json = False) -> None:
    """Say what is in the store: by kind, and by profile of every project that uses it.

    A profile's bytes are those of what it needs; unique are those that nothing else needs.
    """
    from basestore.pipeline.store_gc import NoRootsError, preview
    from basestore.pipeline.store_info import read_info
    from basestore.store.survey import Spare

    settings = read_settings()
    store = store_here(settings)
    here = project_here(start_of(context))
    found = read_info(store, marker_of(settings, store, besides=here))
    free: int | None = None
    try:
        marker = marker_of(settings, store, besides=here)
        free = preview(store, marker, Spare(), Progress()).collected.bytes
    except NoRootsError:
        free = found.bytes
    except BasestoreError as error:
        warn(f"`store gc` would stop: {error.message}")
    if json:
        print_json(_info_json(store, found, free))
    else:
        _show_info(store, found, free)
        if settings.seed:
            say(f"what lies in the seed {settings.seed} is not counted")


def roots(forget: Forget = None, json: Json = False) -> None:
    """List the projects and running commands that the store is kept for."""
    from basestore.pipeline.store_info import read_roots

    settings = read_settings()
    store = store_here(settings)
    if forget and not store.roots.forget(forget):
        raise UnknownRootError(forget)
    found = tuple(read_roots(store, marker_of(settings, store)))
    running = tuple(who for _, who in store.leases.living())
    if json:
        print_json({"projects": [_root_json(one) for one in found], "running": list(running)})
        return
    for one in found:
        say(f"{one.project}  {one.state or ', '.join(one.names) or 'no locks'}")
    for who in running:
        say(who)


def _show_info(store: "Store", found: "Info", free: int | None) -> None:
    say(f"{store.root}: {size(found.bytes)}")
    kinds = sorted(found.kinds.items(), key=lambda item: -item[1].bytes)
    rows = [(f"  {kind}", str(amount.files), size(amount.bytes)) for kind, amount in kinds]
    for line in columns(rows, right=(1, 2)) if rows else ():
        say(line)
    if free is not None:
        say(f"  `store gc` would free {size(free)}")
    for projects, shares in groupby(found.shares, key=lambda one: one.projects):
        for project in projects:
            say(str(project))
        cells = [
            (f"  {one.name}", str(one.files), size(one.bytes), f"unique {size(one.unique)}")
            for one in shares
        ]
        for line in columns(cells, right=(1, 2)):
            say(line)
    if found.largest:
        say("largest")
        large = [(f"  {size(one.size)}", _shown(one, kind)) for one, kind in found.largest]
        for line in columns(large, right=(0,)):
            say(line)


def _shown(large: "Large", kind: str) -> str:
    """What a blob is called, else its kind and the digits that its digest begins with."""
    return large.name or f"{kind}: {large.digest.hex[:12]}"


def _info_json(store: "Store", found: "Info", free: int | None) -> dict[str, object]:
    return {
        "path": str(store.root),
        "bytes": found.bytes,
        "free": free,
        "kinds": {
            str(kind): {"files": amount.files, "bytes": amount.bytes}
            for kind, amount in sorted(found.kinds.items())
        },
        "largest": [{**_large_json(one), "kind": str(kind)} for one, kind in found.largest],
        "profiles": [
            {
                "project": str(one.projects[0]),
                "projects": list(map(str, one.projects)),
                "profile": one.name,
                "files": one.files,
                "bytes": one.bytes,
                "unique": one.unique,
                "largest": list(map(_large_json, one.largest)),
            }
            for one in found.shares
        ],
    }


def _large_json(large: "Large") -> dict[str, object]:
    return {"digest": str(large.digest), "size": large.size, "name": large.name or None}


def _root_json(root: "Root") -> dict[str, object]:
    return {"project": str(root.project), "state": root.state, "profiles": list(root.names)}
