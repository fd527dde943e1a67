"""`basestore store verify`."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Offline, open_store, reach
from basestore.cli.settings import Settings
from basestore.cli.store_marker import marker_of, store_here
from basestore.cli.store_watch import watching_bytes
from basestore.cli.terminal import count, hint, print_json, say, size, warn
from basestore.cli.watch import watching
from basestore.errors import ExitCode
from basestore.progress import Progress

if TYPE_CHECKING:
    from basestore.pipeline.build import Builder
    from basestore.pipeline.store_info import Root
    from basestore.pipeline.store_packages import Naming, Packages
    from basestore.pipeline.store_repair import Repaired
    from basestore.profile.model import Project
    from basestore.store import Store
    from basestore.store.check import Checked, Damage

Repair = Annotated[
    bool,
    typer.Option(
        "--repair",
        help="Set aside what is damaged, and fetch or make it again where a project needs it.",
    ),
]
Deep = Annotated[
    bool,
    typer.Option(
        "--deep",
        help="Put every layer together, and hold it to its digests; hold the packages of all "
        "projects' locks to their own lists of files.",
    ),
]


def verify(
    repair: Repair = False, deep: Deep = False, offline: Offline = False, json: Json = False
) -> None:
    """Read all of the store, and tell what is damaged.

    Every blob is hashed; every layer's record is held to its blobs; every root is read. Exits 5
    while there is damage. A layer of which a blob is gone is no damage: it counts as not there,
    and is made again when somebody needs it. Neither is a package that isn't what it lists itself;
    but --deep exits 5 for it, too, unless every lock that names it excepts it.
    """
    settings = reach(offline)
    store = store_here(settings)
    with store.leases.alone() if repair else nullcontext():
        checked = _check(store, settings, deep, json)
        repaired = _repair(store, settings, checked, json) if repair and checked.damage else ()
    left = () if repair else checked.damage
    packages = _packages(store, settings, left, json) if deep else None
    roots = _roots(store, settings)
    if json:
        print_json(_to_json(checked, repaired, roots) | _packages_json(packages))
    else:
        _show(checked, repaired, roots)
        _show_packages(packages)
    if left or _is_lost(repaired) or (packages and packages.untrue):
        raise typer.Exit(ExitCode.INTEGRITY)


def _check(store: "Store", settings: Settings, deep: bool, json: bool) -> "Checked":
    from basestore.pipeline.store_verify import check_bytes, check_listing
    from basestore.store.check import Checker

    check_layer = check_bytes if deep else check_listing
    with watching_bytes(json) as progress:
        return Checker(store, check_layer, settings.jobs, progress).run()


def _packages(
    store: "Store", settings: Settings, damage: "Sequence[Damage]", json: bool
) -> "Packages":
    from basestore.pipeline.store_packages import PackageChecker

    with watching_bytes(json) as progress:
        checker = PackageChecker(store, marker_of(settings, store), settings.jobs, progress)
        return checker.run(frozenset(one.digest for one in damage))


def _is_lost(repaired: "Sequence[Repaired]") -> bool:
    if not repaired:
        return False
    from basestore.pipeline.store_repair import lost

    return bool(lost(repaired))


def _repair(
    store: "Store", settings: Settings, checked: "Checked", json: bool
) -> "tuple[Repaired, ...]":
    from basestore.pipeline.store_repair import Repair

    with watching(json) as progress:

        def open_project(root: Path) -> "tuple[Project, Builder]":
            return _open_project(root, settings, progress)

        marker = marker_of(settings, store)
        return Repair(store, marker, open_project, progress).run(checked.damage)


def _open_project(root: Path, settings: Settings, progress: Progress) -> "tuple[Project, Builder]":
    from basestore.cli.sources import bring_from
    from basestore.pipeline.build import Builder
    from basestore.profile.project import read_project

    project = read_project(root)
    bring = bring_from(project, settings, progress)
    opened = open_store(settings, project)
    return project, Builder(opened, bring, progress, settings.jobs, settings.host)


def _roots(store: "Store", settings: Settings) -> "tuple[Root, ...]":
    from basestore.pipeline.store_info import read_roots

    return tuple(read_roots(store, marker_of(settings, store)))


def _show(checked: "Checked", repaired: "tuple[Repaired, ...]", roots: "tuple[Root, ...]") -> None:
    say(
        f"{count(checked.blobs, 'blob')} with {size(checked.bytes)}, "
        f"{count(checked.layers, 'layer')}, {count(checked.recipes, 'recipe')}, "
        f"{count(checked.roots, 'root')}: {count(len(checked.damage), 'damaged file')}"
    )
    for one in repaired:
        say(f"  {one.damage}")
        say(f"    {one.outcome}")
    reasons = dict.fromkeys(reason for one in repaired for reason in one.reasons)
    for reason in reasons:
        warn(reason)
    if reasons:
        hint(
            "what could not be brought back comes with the next `basestore build` that can have it"
        )
    for damage in checked.damage if not repaired else ():
        say(f"  {damage}")
    if checked.damage and not repaired:
        hint("run `basestore store verify --repair`")
    if checked.incomplete:
        say(f"  {count(len(checked.incomplete), 'layer')} not whole, counted as not there")
    for root in roots:
        if root.state:
            warn(f"{root.project}: {root.state}")


def _show_packages(packages: "Packages | None") -> None:
    if packages is None:
        return
    say(
        f"{count(packages.checked, 'package')} held to their own lists of files: "
        f"{len(packages.untrue)} untrue, {len(packages.excepted)} excepted"
    )
    for untrue in packages.untrue:
        named = ", ".join(map(str, untrue.package.strict))
        say(f"  {untrue.error.message}; locked by {named}")
    for one in packages.excepted:
        reasons = ", ".join(f"by {by}: {by.reason}" for by in one.package.namings)
        say(f"  {one.package.label}: {one.compared}; excepted {reasons}")
    for way_out in dict.fromkeys(untrue.error.hint for untrue in packages.untrue):
        hint(way_out)


def _packages_json(packages: "Packages | None") -> dict[str, object]:
    if packages is None:
        return {}
    return {
        "packages": packages.checked,
        "untrue": [
            {
                "package": one.package.label,
                "digest": str(one.package.artifact.sha256),
                "reason": one.error.message,
                "hint": one.error.hint,
                "named_by": [_naming_json(naming) for naming in one.package.namings],
            }
            for one in packages.untrue
        ],
        "excepted": [
            {
                "package": one.package.label,
                "digest": str(one.package.artifact.sha256),
                "files": one.compared.files,
                "faults": list(one.compared.faults),
                "named_by": [_naming_json(naming) for naming in one.package.namings],
            }
            for one in packages.excepted
        ],
    }


def _naming_json(naming: "Naming") -> dict[str, str]:
    """A lock; ``exception``: why it excepts the package, empty where it doesn't."""
    return {
        "project": str(naming.project),
        "profile": naming.name,
        "exception": naming.reason,
    }


def _to_json(
    checked: "Checked", repaired: "tuple[Repaired, ...]", roots: "tuple[Root, ...]"
) -> dict[str, object]:
    outcomes = {one.damage.path: one for one in repaired}
    return {
        "blobs": checked.blobs,
        "bytes": checked.bytes,
        "layers": checked.layers,
        "recipes": checked.recipes,
        "damage": [
            {
                "what": one.what,
                "path": str(one.path),
                "reason": one.reason,
                **(
                    {"outcome": found.outcome.name.lower(), "causes": list(found.reasons)}
                    if (found := outcomes.get(one.path))
                    else {}
                ),
            }
            for one in checked.damage
        ],
        "incomplete": list(map(str, checked.incomplete)),
        "roots": [{"project": str(one.project), "state": one.state} for one in roots],
    }
