"""Checking: every blob is hashed again, and every record is held to what it names.

*damage*: bytes that are not what was written. *incomplete*: a record of a layer some of whose blobs
aren't there; it counts as absent and does no harm, and is left by collections and crashes.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self, TypeVar

from basestore.digest import Digest
from basestore.progress import Advance, Progress
from basestore.store import inventory
from basestore.store.blobs import DamagedBlobError, MissingBlobError
from basestore.store.inventory import StoredFile, open_quietly
from basestore.store.realisations import ROW, Realisation, parse_layer, parse_recipe
from basestore.store.roots import DamagedRootError
from basestore.store.store import Store

_CHUNK = 1024 * 1024
_AHEAD = 4  # pieces of work for each thread that wait for it

UNREADABLE = "can't be read"
BLOB, LAYER, RECIPE = "blob", "layer record", "recipe record"
OTHER_BYTES = "has other bytes than its name says"

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

CheckLayer = Callable[[Store, Realisation, Advance], str]
"""Looks at a layer whose blobs are all there and whole; says what is wrong with it, or nothing.

It tells as many bytes as the layer has.
"""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of the store with other bytes than it should have. ``digest``: that it is named by.

    ``inode``: that of the file which was looked at; what is written in its place has another one.
    """

    path: Path
    what: str
    digest: Digest | None
    reason: str
    inode: int

    @classmethod
    def of(cls, file: StoredFile, what: str, reason: str) -> Self:
        """What is wrong with a file that was found in the store."""
        return cls(file.path, what, file.digest, reason, file.inode)

    def __str__(self) -> str:
        return f"{self.what} {self.digest.hex if self.digest else self.path.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what was found. ``incomplete``: the layers of such records."""

    blobs: int
    bytes: int
    layers: int
    recipes: int
    roots: int
    damage: tuple[Damage, ...]
    incomplete: tuple[Digest, ...]


@dataclass(slots=True)
class Checker:
    """One check of a store. ``check_layer`` looks at what the store itself doesn't understand."""

    store: Store
    check_layer: CheckLayer
    jobs: int
    progress: Progress
    _damage: list[Damage] = field(default_factory=list)
    _incomplete: list[Digest] = field(default_factory=list)

    def run(self) -> Checked:
        """Check all of it. What is deleted meanwhile is passed over."""
        pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="check")
        try:
            blobs, size = self._blobs(pool)
            layers = self._layers(pool, frozenset(one.digest for one in self._damage))
        finally:
            pool.shutdown(cancel_futures=True)
        recipes, roots = self._recipes(), self._roots()
        damage = tuple(sorted(self._damage, key=str))
        return Checked(blobs, size, layers, recipes, roots, damage, tuple(self._incomplete))

    def _blobs(self, pool: ThreadPoolExecutor) -> tuple[int, int]:
        """Hash every blob; how many there are, and their bytes."""
        sizes = [file.size for files in inventory.blobs(self.store.root) for file in files]
        total = sum(sizes)
        with self.progress.task("check", f"{len(sizes)} blobs", total) as advance:
            every = (file for files in inventory.blobs(self.store.root) for file in files)
            for found in _mapped(pool, self.jobs, lambda file: _check_blob(file, advance), every):
                self._note(found)
        return len(sizes), total

    def _layers(self, pool: ThreadPoolExecutor, damaged: Collection[Digest | None]) -> int:
        """Hold the records of layers to the blobs that they name; how many there are."""
        whole: list[tuple[StoredFile, Realisation]] = []
        number = 0
        for file in _records(inventory.layers(self.store.root)):
            number += 1
            found = _layer_of(file)
            if isinstance(found, Damage):
                self._note(found)
            elif found and not all(map(self.store.blobs.has, found.needs)):
                self._incomplete.append(found.layer)
            elif found and not any(one in damaged for one in found.needs):
                whole.append((file, found))
        total = sum(one.size for _, one in whole)
        with self.progress.task("check", f"{len(whole)} layers", total) as advance:
            for wrong in _mapped(pool, self.jobs, lambda one: self._check(*one, advance), whole):
                self._note(wrong)
        return number

    def _check(self, file: StoredFile, realisation: Realisation, advance: Advance) -> Damage | None:
        try:
            reason = segments_fault(self.store, realisation) or self.check_layer(
                self.store, realisation, advance
            )
        except (MissingBlobError, DamagedBlobError):
            return None  # deleted a moment ago, or damaged since it was hashed
        return Damage.of(file, LAYER, reason) if reason else None

    def _recipes(self) -> int:
        number = 0
        for file in _records(inventory.recipes(self.store.root)):
            number += 1
            data = _read(file, RECIPE)
            if isinstance(data, Damage):
                self._note(data)
            elif data is not None and parse_recipe(data) is None:
                self._note(Damage.of(file, RECIPE, UNREADABLE))
        return number

    def _roots(self) -> int:
        number = 0
        for file in self.store.roots.files():
            number += 1
            try:
                inode = file.stat().st_ino
                self.store.roots.project_of(file)
            except FileNotFoundError:  # forgotten a moment ago
                continue
            except DamagedRootError:
                self._note(Damage(file, "root", None, UNREADABLE, inode))
        return number

    def _note(self, found: Damage | None) -> None:
        if found:
            self._damage.append(found)


def segments_fault(store: Store, realisation: Realisation) -> str:
    """What is wrong with a layer's segment table; empty where nothing is."""
    table = store.blobs.read(realisation.segments)
    if len(table) % ROW.size:
        return "its segment table ends within a row"
    sizes = [store.blobs.size(blob) for blob in realisation.blobs]
    total = 0
    for number, offset, length in ROW.iter_unpack(table):
        if number >= len(sizes) or offset + length > sizes[number]:
            return "its segment table cuts from beyond a blob's end"
        total += length
    return "" if total == realisation.size else f"its segments have {total} bytes"


def _check_blob(file: StoredFile, advance: Advance) -> Damage | None:
    try:
        with open_quietly(file.path) as opened:
            found = _hash(opened, advance)
    except FileNotFoundError:
        return None
    except OSError as error:  # the disk itself can't read it any more
        return Damage.of(file, BLOB, error.strerror or str(error))
    if file.digest is None:
        return Damage.of(file, BLOB, "named by no digest")
    return None if found == file.digest.hex else Damage.of(file, BLOB, OTHER_BYTES)


def _hash(file: BinaryIO, advance: Advance) -> str:
    sha256 = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    while count := file.readinto(buffer):  # type: ignore[attr-defined]
        sha256.update(buffer[:count])
        advance(count)
    return sha256.hexdigest()


def _layer_of(file: StoredFile) -> Realisation | Damage | None:
    """A layer's record; the damage where it can't be read, None where it went meanwhile."""
    data = _read(file, LAYER)
    if data is None or isinstance(data, Damage):
        return data
    found = parse_layer(file.digest, data) if file.digest else None
    return found or Damage.of(file, LAYER, UNREADABLE)


def _records(folders: Iterable[Iterable[StoredFile]]) -> Iterator[StoredFile]:
    """Records without what a write that was cut off left of one."""
    return (file for files in folders for file in files if not file.path.name.startswith("."))


def _read(file: StoredFile, what: str) -> bytes | Damage | None:
    """A record's bytes; the damage where the disk can't read it, None where it went meanwhile."""
    try:
        return file.path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Damage.of(file, what, error.strerror or str(error))


def _mapped(
    pool: ThreadPoolExecutor,
    jobs: int,
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
) -> Iterator[_Result]:
    """The results of work on items, in order; few of the items are out at a time."""
    waiting: deque[Future[_Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > _AHEAD * jobs:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
