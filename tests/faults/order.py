"""The order of what a command did to the disk: data, their sync, the name, its sync, the record.

A loss of power keeps no order but that of the syncs. So a file's bytes must be durable before it
takes its name, and its name before anything that refers to it takes its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.calls import Call

_DIGEST = re.compile(rb"[0-9a-f]{64}")
_RENAMING = ("rename", "renameat", "renameat2", "link", "linkat")
_WRITING = ("write", "pwrite64", "ftruncate", "copy_file_range")
_MAKING = ("mkdir", "mkdirat")
_REMOVING = ("unlink", "unlinkat", "rmdir")
_SYNCING = ("fsync", "fdatasync")
_SYNCING_ALL = ("sync", "syncfs")


@dataclass
class Order:
    """What was found: how many files took their names, and what came too early."""

    blobs: int = 0
    records: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        named = f"{self.blobs} blobs and {self.records} records named"
        return f"{named}, {len(self.wrong)} out of order{''.join(f'; {w}' for w in self.wrong)}"


def order_of(calls: Sequence[Call], project: Path, store: Path) -> Order:
    """Judge the calls of a command that ended well; what it wrote must still be there."""
    disk = _Disk(store)
    for call in calls:
        ours = any(_lasts(path, project, store) for path in call.paths[-1:])
        if call.name in _SYNCING_ALL or (call.done and ours):
            disk.follow(call)
    disk.order.wrong += [f"the name of {path} was never synced" for path in sorted(disk.unsynced)]
    return disk.order


def _lasts(path: str, project: Path, store: Path) -> bool:
    """Whether a path has to outlast a loss of power.

    Leases end with their processes. What was set aside is for people to look at: back in its place
    it would be found once more.
    """
    if path in map(str, (project, store, store.parent)) or path.startswith(f"{project}/"):
        return True
    passing = tuple(f"{store}/{folder}/" for folder in ("leases", "quarantine"))
    return path.startswith(f"{store}/") and not path.startswith(passing)


class _Disk:
    """What is durable so far. ``dirty``: files with bytes, ``unsynced``: names, that aren't."""

    def __init__(self, store: Path) -> None:
        self.order = Order()
        self.dirty: set[str] = set()
        self.unsynced: set[str] = set()
        self._blobs = store / "blobs" / "sha256"

    def follow(self, call: Call) -> None:
        if call.name in _WRITING:
            self.dirty.add(call.paths[0])
        elif call.name in _SYNCING_ALL:
            self.dirty.clear()
            self.unsynced.clear()
        elif call.name in _SYNCING:
            self.dirty.discard(call.paths[0])
            folder = f"{call.paths[0]}/"
            self.unsynced -= {n for n in self.unsynced if n.rpartition("/")[0] + "/" == folder}
        elif call.name in _MAKING:
            self.unsynced.add(call.paths[-1])
        elif call.name in _REMOVING:
            self.unsynced.discard(call.paths[-1])
        elif call.name in _RENAMING:
            self._name(*call.paths[-2:])

    def _name(self, old: str, new: str) -> None:
        if old in self.dirty:
            self.order.wrong.append(f"{new} took its name before its bytes were synced")
        if new.startswith(f"{self._blobs}/"):
            self.order.blobs += 1
        else:
            self.order.records += 1
            self._refer(Path(new))
        self.unsynced.add(new)

    def _refer(self, record: Path) -> None:
        for digest in _DIGEST.findall(record.read_bytes() if record.is_file() else b""):
            hexadecimal = digest.decode()
            if str(self._blobs / hexadecimal[:2] / hexadecimal) in self.unsynced:
                self.order.wrong.append(f"{record} names {hexadecimal} before it is durable")
