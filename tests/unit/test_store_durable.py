"""What outlasts a loss of power: bytes are synced before they are named, names before records."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from services import need_program

WORK = """
import hashlib, sys
from pathlib import Path
from basestore.digest import Digest
from basestore.store import Realisation, Store

store = Store.open(Path(sys.argv[1]))
added = store.blobs.add(b"added")
with store.blobs.draft() as draft:
    draft.file.write(b"drafted")
    draft.keep(drafted := Digest.of(b"drafted"))
with store.blobs.partial(Digest.of(b"fetched"), 7, "it") as writer:
    writer.write(b"fetched")
store.realisations.record(
    Digest.of(b"recipe"), Realisation(added, added, 5, (added,), drafted, Digest.of(b"fetched"))
)
store.register(Path(sys.argv[1]))
"""
DIGEST = re.compile(r"[0-9a-f]{64}")
CALL = re.compile(r"\d+ +(\w+)\((.*)\) += (\d+)")
PATH = re.compile(r'<([^>]*)>|"([^"]*)"')


@dataclass
class Disk:
    """What isn't durable yet: files' bytes, and names. ``named``: by renaming, in order.

    ``held``: the digests that stand in the lease so far.
    """

    dirty: set[str] = field(default_factory=set)
    unsynced: set[str] = field(default_factory=set)
    named: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)

    def hold(self, *digests: str) -> None:
        self.held.update(digests)

    def write(self, path: str) -> None:
        self.dirty.add(path)

    def sync(self, path: str) -> None:
        self.dirty.discard(path)
        self.unsynced -= {name for name in self.unsynced if name.rpartition("/")[0] == path}

    def make(self, path: str) -> None:
        self.unsynced.add(path)

    def rename(self, old: str, new: str) -> None:
        assert old not in self.dirty, f"{new} gets its name before its bytes"
        if new.endswith(".json"):
            assert not self.unsynced, f"{new} is named before {self.unsynced}"
        if "/roots/" not in new:
            assert set(DIGEST.findall(new)) <= self.held, f"{new} is written before it is held"
        self.unsynced.add(new)
        self.named.append(new)


def calls(log: str, root: str) -> Iterator[tuple[str, list[str]]]:
    """The system calls that did something to a store's files, or to the folder that it lies in."""
    below = root.rpartition("/")[0]
    for line in log.splitlines():
        if call := CALL.match(line):
            found = [one or other for one, other in PATH.findall(call[2])]
            paths = [path for path in found if path.startswith(below)]
            if paths and paths[0].startswith(f"{root}/leases/"):
                yield "hold", DIGEST.findall(call[2])
            elif paths:
                yield call[1], paths


@pytest.fixture
def traced(tmp_path: Path) -> list[tuple[str, list[str]]]:
    root, log = tmp_path / "disk" / "store", tmp_path / "log"
    root.parent.mkdir()
    trace = "trace=write,fsync,mkdir,mkdirat,rename,renameat,renameat2"
    strace = [need_program("strace"), "-f", "-y", "-s", "4096", "-o", str(log), "-e", trace]
    subprocess.run([*strace, sys.executable, "-c", WORK, str(root)], check=True)
    return list(calls(log.read_text(), str(root)))


def test_a_name_stands_for_bytes_that_are_on_the_disk(
    tmp_path: Path, traced: list[tuple[str, list[str]]]
) -> None:
    disk = Disk()
    acts: dict[str, Callable[..., None]] = {
        "hold": disk.hold,
        "write": disk.write,
        "fsync": disk.sync,
        "mkdir": disk.make,
        "mkdirat": disk.make,
    }
    for name, paths in traced:
        acts.get(name, disk.rename)(*paths)

    assert disk.dirty == disk.unsynced == set()
    places = [Path(path).relative_to(tmp_path / "disk" / "store").parts[0] for path in disk.named]
    assert places == ["format", "blobs", "blobs", "blobs", "layers", "recipes", "roots"]
