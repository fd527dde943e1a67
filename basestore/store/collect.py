"""Collecting: what no root keeps alive and no running command relies on is deleted.

The argument that nothing else is stands in docs/store-format.md, "Collecting".
"""

import fcntl
import os
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from basestore.digest import Digest
from basestore.files import is_temporary, remove_unheld
from basestore.progress import Progress
from basestore.store import inventory
from basestore.store.inventory import Kind, StoredFile
from basestore.store.leases import Held
from basestore.store.realisations import parse_recipe
from basestore.store.store import Store
from basestore.store.survey import Digests, Spare, Survey, survey

_FILES, _BYTES = 64, 256 * 1024 * 1024
"""What one batch deletes at most: for so long the others wait at the gate.

Where there are more roots it is a file for each, since to look at those takes as long.
"""


class Marker(Protocol):
    """Tells what the roots keep alive."""

    def mark(self) -> Collection[Digest]:
        """The digests of all blobs and layers that roots need."""

    def stale(self) -> bool:
        """Whether a root has changed since the last `mark`; a look that costs little."""


@dataclass(slots=True)
class Amount:
    """Files of one kind, and their bytes."""

    files: int = 0
    bytes: int = 0

    def add(self, file: StoredFile) -> None:
        """Count one more."""
        self.files += 1
        self.bytes += file.size


@dataclass(frozen=True, slots=True)
class Collected:
    """What was deleted, or would be, by kind. ``before``: the bytes of the store until then."""

    kinds: Mapping[Kind, Amount]
    before: int

    @property
    def bytes(self) -> int:
        """The bytes that are gone."""
        return sum(amount.bytes for amount in self.kinds.values())

    @property
    def files(self) -> int:
        """The files that are gone."""
        return sum(amount.files for amount in self.kinds.values())

    @property
    def after(self) -> int:
        """The bytes that are left."""
        return self.before - self.bytes


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that may go, while neither a root nor a lease names one of these digests.

    ``target``: what it should have become; a lease that names that may be writing it.
    """

    file: StoredFile
    names: tuple[Digest, ...] = ()
    target: Digest | None = None


@dataclass(slots=True)
class Collector:
    """One collection of a store."""

    store: Store
    marker: Marker
    spare: Spare
    progress: Progress
    _live: Collection[Digest] = ()
    _gone: defaultdict[Kind, Amount] = field(default_factory=lambda: defaultdict(Amount))
    _before: int = 0

    @property
    def collected(self) -> Collected:
        """What is gone so far."""
        return Collected(dict(self._gone), self._before)

    def preview(self) -> Collected:
        """What `run` would delete if it were called now; nothing is. Raises what marking raises."""
        held = Held(self.store.leases)
        held.glance()
        for candidate in self._candidates(self._survey(held), held):
            self._gone[candidate.file.kind].add(candidate.file)
        return self.collected

    def run(self) -> Collected:
        """Delete what nobody needs. Raises LockHeldError and what marking raises."""
        with self.store.leases.alone():
            for _ in self.steps():
                pass
        return self.collected

    def steps(self) -> Iterator[None]:
        """Delete batch by batch, and yield after each; whoever iterates is `Leases.alone`."""
        with self.store.leases.gate(fcntl.LOCK_EX):
            self.store.leases.bury()
        held = Held(self.store.leases)
        held.refresh()
        found = self._survey(held)
        yield
        with self.progress.task("clear", str(self.store.root), found.bytes) as advance:
            for batch in _batches(self._candidates(found, held), self._batch()):
                advance(self._delete(batch, held))
                yield

    def _batch(self) -> int:
        return max(_FILES, sum(1 for _ in self.store.roots.files()))

    def _survey(self, held: Held) -> Survey:
        self._live = self.marker.mark()
        found = survey(self.store, lambda digest: self._needed(digest, held), self.spare)
        self._before = found.before
        return found

    def _needed(self, digest: Digest, held: Held) -> bool:
        return digest in self._live or digest in held

    def _delete(self, batch: Sequence[_Candidate], held: Held) -> int:
        """Delete those of a batch that nobody needs by now; their bytes.

        Leases are read before roots: what a command relied on that ends in between, it has named
        in a root before it ended.
        """
        while True:
            with self.store.leases.gate(fcntl.LOCK_EX):
                held.refresh()
                if not self.marker.stale():
                    return sum(self._remove(candidate, held) for candidate in batch)
            self._live = self.marker.mark()

    def _remove(self, candidate: _Candidate, held: Held) -> int:
        file = candidate.file
        if candidate.target and candidate.target in held:
            return 0
        if any(self._needed(digest, held) for digest in candidate.names):
            return 0
        if is_temporary(file.path.name):
            gone = remove_unheld(file.path)
        elif file.kind is Kind.PARTIAL and (file.digest or candidate.target):
            gone = remove_unheld(file.path) or _unlink_others(file, held)
        elif held.owns(file.path.name):
            gone = False
        else:
            self._forget(file)
            gone = _unlink(file.path)
        if gone:
            self._gone[file.kind].add(file)
        return file.size if gone else 0

    def _forget(self, file: StoredFile) -> None:
        """What this user knew of a file that is gone has no use any more."""
        memory, digest = self.store.memory, file.digest
        if digest is None:
            return
        if file.is_blob:
            with suppress(FileNotFoundError):
                memory.forget_hashed(digest, file.path.lstat())
        elif file.kind in (Kind.RECIPE, Kind.LAYER):
            memory.forget_made("recipes" if file.kind is Kind.RECIPE else "layers", digest)

    def _candidates(self, found: Survey, held: Held) -> Iterator[_Candidate]:
        """All that may go: records before what they name, so that none is left without it."""
        root = self.store.root
        for files in inventory.recipes(root):
            yield from self._recipes(files, found, held)
        for files in inventory.layers(root):
            yield from self._named(files, found.layers, held)
        for files in inventory.blobs(root):
            yield from self._named(files, found.blobs, held)
        yield from self._partials(held)
        for file in (*inventory.scratch(root), *inventory.quarantine(root)):
            if not held.owns(file.path.name):
                yield _Candidate(file)
        yield from map(_Candidate, inventory.unfinished(root))

    def _recipes(
        self, files: Sequence[StoredFile], found: Survey, held: Held
    ) -> Iterator[_Candidate]:
        """Records of recipes whose layer goes, or has gone."""
        for file in files:
            if file.digest is None:
                yield from self._named([file], found.layers, held)
                continue
            layer = parse_recipe(_read(file.path))
            if layer and (self._needed(layer, held) or not self._goes(layer, found)):
                continue
            if not self._needed(file.digest, held):
                yield _Candidate(file, tuple(filter(None, (file.digest, layer))))

    def _goes(self, layer: Digest, found: Survey) -> bool:
        return layer in found.layers or not self.store.realisations.recorded(layer)

    def _named(
        self, files: Sequence[StoredFile], doomed: Digests, held: Held
    ) -> Iterator[_Candidate]:
        """Files that are doomed by their name, and what a write that was cut off left of one."""
        for file in files:
            digest = file.digest
            if digest and digest in doomed and not self._needed(digest, held):
                yield _Candidate(file, (digest,))
            if not digest and (target := _target(file.path)):
                yield _Candidate(file, target=target)

    def _partials(self, held: Held) -> Iterator[_Candidate]:
        """What a later run can't go on with, or nobody asks for."""
        for file in inventory.partials(self.store.root):
            digest = file.digest
            if digest is None:
                if not held.owns(file.path.name):
                    yield _Candidate(file, target=_target(file.path))
            elif self.store.blobs.has(digest):
                yield _Candidate(file)
            elif not self._needed(digest, held):
                yield _Candidate(file, (digest,))


def _batches(candidates: Iterator[_Candidate], files: int) -> Iterator[Sequence[_Candidate]]:
    batch: list[_Candidate] = []
    size = 0
    for candidate in candidates:
        _ = candidate.file.kind  # read before the gate is closed
        batch.append(candidate)
        size += candidate.file.size
        if len(batch) >= files or size >= _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _target(path: Path) -> Digest | None:
    """What a file ``.DIGEST.json-*`` should have become, or ``DIGEST``, a download of before users
    had their own; None for any other file.
    """
    try:
        return Digest(path.name.removeprefix(".").partition(".")[0])
    except ValueError:
        return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _unlink_others(file: StoredFile, held: Held) -> bool:
    """Remove another user's download, which only he can open; his lease names it if it goes on."""
    with suppress(FileNotFoundError):
        if file.digest and file.digest not in held and not _is_own(file.path):
            return _unlink(file.path)
    return False


def _is_own(path: Path) -> bool:
    return path.lstat().st_uid == os.geteuid()


def _unlink(path: Path) -> bool:
    """Remove a file, or a folder with all in it; whether it is gone by that."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
