"""Clearing the store: what no project needs and no running command relies on goes."""

import fcntl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from basestore.errors import UsageError
from basestore.pipeline.store_roots import ProjectMarker, is_there
from basestore.progress import Progress
from basestore.store import Store
from basestore.store.collect import Collected, Collector
from basestore.store.survey import Spare


@dataclass(frozen=True, slots=True)
class Clearing:
    """What was deleted, or would be; and the projects that are gone and count no more."""

    collected: Collected
    gone: Sequence[Path]


class NoRootsError(UsageError):
    """No project is known to use the store, so that nothing at all would stay in it."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            f"no project is known to use the store {root}, so that nothing would stay",
            "run it in a project that uses the store; or empty the store by removing its folder",
        )


def preview(store: Store, marker: ProjectMarker, spare: Spare, progress: Progress) -> Clearing:
    """What `clear` would do now. Raises as `clear`, but for LockHeldError."""
    _check(store, marker)
    collected = Collector(store, marker, spare, progress).preview()
    return Clearing(collected, sorted(marker.gone.values()))


def clear(store: Store, marker: ProjectMarker, spare: Spare, progress: Progress) -> Clearing:
    """Delete it. The store itself must be one that is only looked at, without lease and seed.

    Raises NoRootsError, LockHeldError, UnreadableProjectError and DamagedRootError; what is deleted
    by then was needed by nobody.
    """
    _check(store, marker)
    collected = Collector(store, marker, spare, progress).run()
    gone = [project for file, project in marker.gone.items() if _drop(store, file, project)]
    return Clearing(collected, sorted(gone))


def _drop(store: Store, file: Path, project: Path) -> bool:
    """Drop the root of a project that is gone; it may have come back, and registers at the gate."""
    with store.leases.gate(fcntl.LOCK_EX):
        if is_there(project):
            return False
        store.roots.drop(file)
    return True


def _check(store: Store, marker: ProjectMarker) -> None:
    if not marker.besides and not any(store.roots.files()):
        raise NoRootsError(store.root)
