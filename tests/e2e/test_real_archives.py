"""Every real wheel and .deb of the project's profiles passes the strict readers.

What a reader refuses wrongly, nobody can install: a false rejection is a failure as much as an
attack that passes. The archives are those of the locks under version control; the store brings
what it holds, and the package indexes the rest.
"""

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pytest

from basestore.cli.settings import read_settings
from basestore.cli.sources import bring_from
from basestore.errors import UnreachableError
from basestore.layer.deb.content import check_contents as check_deb
from basestore.layer.wheel.content import check_contents as check_wheel
from basestore.layer.wheel.install import Layout, wheel_entries
from basestore.lock.codec import parse
from basestore.lock.model import Deb, Lock, Wheel
from basestore.pipeline.locked import read_locked
from basestore.profile.project import read_project
from basestore.progress import Progress

PROJECT = Path(__file__).parents[2]
LARGEST = 60_000_000
"""The most that an archive fetched for this may have, in bytes."""

Archive = Wheel | Deb


@dataclass
class Tally:
    """What was read."""

    wheels: int = 0
    debs: int = 0
    files: int = 0
    size: int = 0
    absent: int = 0

    def __str__(self) -> str:
        return (
            f"{self.wheels} wheels and {self.debs} .debs, {self.size / 1e6:.0f} MB, accepted: "
            f"{self.files} files have their archive's own hash; {self.absent} not at hand"
        )


def archives_of(lock: Lock) -> list[Archive]:
    """The archives that a lock names, each once."""
    platforms = lock.platforms
    named = {a.sha256: a for platform in platforms for a in (*platform.wheels, *platform.debs)}
    return list(named.values())


def all_archives() -> list[Archive]:
    """The archives of all locks, each once."""
    files = sorted((PROJECT / "locks").glob("*.lock"))
    locks = [parse(file.read_bytes(), file.name) for file in files]
    named = {archive.sha256: archive for lock in locks for archive in archives_of(lock)}
    return list(named.values())


def check(archive: Archive, file: BinaryIO) -> int:
    """Hold an archive to every rule that there is; how many files had a hash of its own."""
    if isinstance(archive, Deb):
        return check_deb(file, archive.name).files
    assert wheel_entries(archive, file, Layout("3.11"))
    return check_wheel(file, archive.file)


def check_all(archives: Sequence[Archive], store: Path) -> Tally:
    """Check those archives that a store holds."""
    tally = Tally()
    for archive in archives:
        digest = archive.sha256.hex
        path = store / "blobs/sha256" / digest[:2] / digest
        if not path.exists():
            tally.absent += 1
            continue
        with path.open("rb", buffering=0) as file:
            tally.files += check(archive, file)
        tally.size += archive.size
        tally.wheels += isinstance(archive, Wheel)
        tally.debs += isinstance(archive, Deb)
    return tally


@pytest.mark.network
@pytest.mark.parametrize("name", ["runtime", "ml", "gpu"])
def test_no_real_archive_is_refused(name: str, tmp_path: Path) -> None:
    project = read_project(PROJECT)
    settings = replace(read_settings(), store=tmp_path / "store", offline=False)
    locked = read_locked(project, name)
    wanted = frozenset(a.sha256 for a in archives_of(locked.parse()) if a.size <= LARGEST)
    bring = bring_from(project, settings, Progress())
    _retried(lambda: bring(locked, locked.parse(), wanted))

    tally = check_all(archives_of(locked.parse()), settings.store)
    assert tally.wheels + tally.debs == len(wanted)
    assert tally.files > len(wanted)


def _retried(bring: Callable[[], None]) -> None:
    """Indexes that don't answer get three chances."""
    for _ in range(2):
        with contextlib.suppress(UnreachableError):
            return bring()
    return bring()


if __name__ == "__main__":  # python tests/e2e/test_real_archives.py STORE
    print(check_all(all_archives(), Path(sys.argv[1])))
