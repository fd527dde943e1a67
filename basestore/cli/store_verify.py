"""`basestore store verify`."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from basestore.cli.context import Json, Offline, reach
from basestore.cli.settings import Settings
from basestore.cli.store_marker import marker_of, store_here
from basestore.cli.store_report import Report, show, to_json
from basestore.cli.store_watch import watching_bytes
from basestore.cli.terminal import print_json
from basestore.cli.watch import watching
from basestore.errors import ExitCode
from basestore.progress import Progress

if TYPE_CHECKING:
    from basestore.pipeline.build import Builder
    from basestore.pipeline.store_packages import Packages
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
    report = _report(store, settings, checked, repaired, packages)
    if json:
        print_json(to_json(report))
    else:
        show(report)
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
    from basestore.cli.sources import builder_of
    from basestore.profile.project import read_project

    project = read_project(root)
    return project, builder_of(project, settings, progress)


def _report(
    store: "Store",
    settings: Settings,
    checked: "Checked",
    repaired: "tuple[Repaired, ...]",
    packages: "Packages | None",
) -> Report:
    from basestore.pipeline.store_info import package_names, read_roots

    marker = marker_of(settings, store)
    names = package_names(marker) if checked.damage else {}
    return Report(checked, repaired, packages, tuple(read_roots(store, marker)), names)
