"""Every real wheel and .deb of the project's profiles passes the strict readers.

What a reader refuses wrongly, nobody can install: a false rejection is a failure as much as an
attack that passes. The archives are those of the locks under version control; the store brings
what it holds, and the package indexes the rest. Run by hand it takes whole folders of others:

    PYTHONPATH=tests python tests/e2e/test_real_archives.py [STORE] [--folder DIR]...
"""

import argparse
import contextlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import debbytes as d
import pytest
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from wheelmaker import make_wheel

from basestore.cli.settings import read_settings
from basestore.cli.sources import bring_from
from basestore.digest import Digest
from basestore.errors import IntegrityError, UnreachableError
from basestore.layer.deb.archive import DebArchive
from basestore.layer.deb.content import check_contents as check_deb_contents
from basestore.layer.deb.control import parse_control
from basestore.layer.wheel.content import check_contents as check_wheel_contents
from basestore.layer.wheel.errors import BadZipError
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

Check = Callable[[BinaryIO], int]
"""Holds an open archive to every rule; how many files had a hash of its own there."""


@dataclass(frozen=True)
class Sample:
    """An archive on disk and the rules for it."""

    path: Path
    suffix: str
    check: Check


@dataclass
class Tally:
    """What was read; ``refused``: the messages by reason, names and numbers left out of it."""

    wheels: int = 0
    debs: int = 0
    files: int = 0
    size: int = 0
    absent: int = 0
    refused: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        accepted = (
            f"{self.wheels} wheels and {self.debs} .debs, {self.size / 1e6:.0f} MB, accepted: "
            f"{self.files} files have their archive's own hash; {self.absent} not at hand"
        )
        most_first = sorted(self.refused.items(), key=lambda item: -len(item[1]))
        reasons = [f"{len(texts)} refused: {reason}" for reason, texts in most_first]
        examples = [f"  such as {texts[0]}" for _, texts in most_first]
        pairs = zip(reasons, examples, strict=True)
        return "\n".join([accepted, *(line for pair in pairs for line in pair)])

    def judge(self, sample: Sample) -> None:
        """Count an archive as accepted or refused."""
        try:
            with sample.path.open("rb", buffering=0) as file:
                self.files += sample.check(file)
        except IntegrityError as error:
            reason = re.sub(r"'[^']*'|\S*[\d/]\S*", "...", getattr(error, "reason", error.message))
            self.refused.setdefault(reason, []).append(error.message)
            return
        self.size += sample.path.stat().st_size
        self.wheels += sample.suffix == ".whl"
        self.debs += sample.suffix == ".deb"


def archives_of(lock: Lock) -> list[Archive]:
    """The archives that a lock names, each once."""
    platforms = lock.platforms
    found: list[Archive] = [a for p in platforms for a in (*p.wheels, *p.debs)]
    return list({archive.sha256: archive for archive in found}.values())


def all_archives() -> list[Archive]:
    """The archives of all locks, each once."""
    files = sorted((PROJECT / "locks").glob("*.lock"))
    locks = [parse(file.read_bytes(), file.name) for file in files]
    named = {archive.sha256: archive for lock in locks for archive in archives_of(lock)}
    return list(named.values())


def check_wheel(wheel: Wheel, file: BinaryIO) -> int:
    """As a build does, and every file against RECORD."""
    assert wheel_entries(wheel, file, Layout("3.11"))
    return check_wheel_contents(file, wheel.file)


def check_deb(label: str, file: BinaryIO) -> int:
    """As a build does, and every file against md5sums."""
    parse_control(DebArchive(file, label).control()["control"], label)
    file.seek(0)
    return check_deb_contents(file, label).files


def locked_sample(archive: Archive, store: Path) -> Sample:
    """An archive of a lock in a store."""
    digest = archive.sha256.hex
    path = store / "blobs/sha256" / digest[:2] / digest
    if isinstance(archive, Deb):
        return Sample(path, ".deb", partial(check_deb, archive.name))
    return Sample(path, ".whl", partial(check_wheel, archive))


def folder_sample(path: Path) -> Sample:
    """A wheel or a .deb in a folder, which nothing but its file name describes."""
    if path.suffix == ".deb":
        return Sample(path, ".deb", partial(check_deb, path.name))
    return Sample(path, ".whl", partial(check_wheel_called, path.name))


def check_wheel_called(file_name: str, file: BinaryIO) -> int:
    """Check the wheel that a file name tells of."""
    try:
        name, version, *_ = parse_wheel_filename(file_name)
    except InvalidWheelFilename:
        raise BadZipError(file_name, "its file name is none of a wheel") from None
    return check_wheel(Wheel(name, str(version), file_name, 0, Digest.of(b""), ""), file)


def in_folder(folder: Path) -> Iterator[Sample]:
    """The wheels and .debs below a folder, links to files followed."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".whl", ".deb"))
    return (folder_sample(path) for path in paths)


def check_all(samples: Iterable[Sample]) -> Tally:
    """Check those archives that are there."""
    tally = Tally()
    for sample in samples:
        if sample.path.exists():
            tally.judge(sample)
        else:
            tally.absent += 1
    return tally


def check_locked(archives: Sequence[Archive], store: Path) -> Tally:
    """Check those archives that a store holds."""
    return check_all(locked_sample(archive, store) for archive in archives)


@pytest.mark.long
@pytest.mark.network
@pytest.mark.parametrize("name", ["runtime", "ml", "gpu"])
def test_no_real_archive_is_refused(name: str, tmp_path: Path) -> None:
    project = read_project(PROJECT)
    settings = replace(read_settings(), store=tmp_path / "store", offline=False)
    locked = read_locked(project, name)
    wanted = frozenset(a.sha256 for a in archives_of(locked.parse()) if a.size <= LARGEST)
    bring = bring_from(project, settings, Progress())
    _retried(lambda: bring(locked, locked.parse(), wanted))

    tally = check_locked(archives_of(locked.parse()), settings.store)
    assert not tally.refused
    assert tally.wheels + tally.debs == len(wanted)
    assert tally.files > len(wanted)


def _retried(bring: Callable[[], None]) -> None:
    """Indexes that don't answer get three chances."""
    for _ in range(2):
        with contextlib.suppress(UnreachableError):
            return bring()
    return bring()


def test_a_folder_is_tallied_by_reason(tmp_path: Path) -> None:
    control = d.control("pkg")
    good = make_wheel("demo")
    good.write(tmp_path / "wheels")
    for name in ("one", "two"):
        wheel = make_wheel(name)
        cut = replace(wheel, data=wheel.data[:-1])
        cut.write(tmp_path / "wheels")
    (tmp_path / "demo.whl").write_bytes(good.data)
    (tmp_path / "pkg_1_all.deb").write_bytes(d.deb(control, []))
    (tmp_path / "bad_1_all.deb").write_bytes(b"x" * 100)
    (tmp_path / "notes.txt").write_bytes(b"neither")

    tally = check_all(in_folder(tmp_path))

    assert (tally.wheels, tally.debs, tally.files, tally.absent) == (1, 1, 3, 0)
    assert {reason: len(texts) for reason, texts in tally.refused.items()} == {
        "it doesn't end with an end of central directory record": 2,
        "its file name is none of a wheel": 1,
        "it is not an ar archive": 1,
    }
    assert str(tally).splitlines()[1].startswith("2 refused: it doesn't end with")


def main(arguments: Sequence[str]) -> int:
    """Print what was found; 1 where something was refused."""
    parser = argparse.ArgumentParser(description="Hold real archives to the strict readers.")
    parser.add_argument("store", nargs="?", type=Path, help="of the locks' archives")
    parser.add_argument("--folder", action="append", default=[], type=Path, metavar="DIR")
    asked = parser.parse_args(arguments)
    tallies = [check_locked(all_archives(), asked.store)] if asked.store else []
    tallies += [check_all(in_folder(folder)) for folder in asked.folder]
    print(*tallies, sep="\n")
    return int(any(tally.refused for tally in tallies))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
