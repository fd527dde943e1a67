"""What is in the store: by kind, by profile, and the projects that it is kept for."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from basestore.digest import Digest
from basestore.errors import BasestoreError
from basestore.pipeline.store_roots import ProjectMarker, is_there
from basestore.store import Store, inventory
from basestore.store.collect import Amount
from basestore.store.inventory import Kind
from basestore.store.roots import DamagedRootError

_LARGEST = 5


@dataclass(frozen=True, slots=True)
class Share:
    """What one profile or service needs of what is in the store, in bytes.

    ``unique``: what nothing else needs. ``largest``: its largest blobs with their sizes.
    """

    project: Path
    name: str
    files: int
    bytes: int
    unique: int
    largest: tuple[tuple[Digest, int], ...]


@dataclass(frozen=True, slots=True)
class Root:
    """A registered project. ``state``: what keeps it from being counted, empty where nothing does.

    ``names``: the profiles and services whose needs are known.
    """

    project: Path
    state: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Info:
    """A whole store. ``largest``: its largest blobs with kind and size."""

    kinds: Mapping[Kind, Amount]
    largest: tuple[tuple[Digest, Kind, int], ...]
    shares: tuple[Share, ...]

    @property
    def bytes(self) -> int:
        """All bytes."""
        return sum(amount.bytes for amount in self.kinds.values())


def read_info(store: Store, marker: ProjectMarker) -> Info:
    """Look through a store; projects that can't be read have no shares."""
    kinds: defaultdict[Kind, Amount] = defaultdict(Amount)
    needs = dict(_needs(marker))
    wanted = frozenset[Digest]().union(*needs.values())
    sizes: dict[Digest, int] = {}
    largest: list[tuple[int, Digest, Kind]] = []
    for files in inventory.everything(store.root):
        for file in files:
            kinds[file.kind].add(file)
            digest = file.digest
            if digest is None or file.kind in (Kind.LAYER, Kind.RECIPE, Kind.PARTIAL):
                continue
            if digest in wanted:
                sizes[digest] = file.size
            largest = sorted((*largest, (file.size, digest, file.kind)), reverse=True)[:_LARGEST]
    shares = tuple(_shares(needs, sizes))
    return Info(dict(kinds), tuple((d, kind, size) for size, d, kind in largest), shares)


def read_roots(store: Store, marker: ProjectMarker) -> Iterator[Root]:
    """The registered projects, each with what can be told of it."""
    for file in store.roots.files():
        try:
            project = store.roots.project_of(file)
        except DamagedRootError as error:
            yield Root(file, error.message, ())
            continue
        yield _root(project, marker)


def _root(project: Path, marker: ProjectMarker) -> Root:
    try:
        if not is_there(project):
            return Root(project, "the folder is gone", ())
        return Root(project, "", tuple(sorted(next(marker.needs_of(project)))))
    except BasestoreError as error:
        return Root(project, error.message, ())


def _needs(marker: ProjectMarker) -> Iterator[tuple[tuple[Path, str], frozenset[Digest]]]:
    for project in marker.projects():
        for name, needed in _readable(project, marker).items():
            yield (project, name), needed


def _readable(project: Path, marker: ProjectMarker) -> Mapping[str, frozenset[Digest]]:
    try:
        return next(marker.needs_of(project))
    except BasestoreError:
        return {}


def _shares(
    needs: Mapping[tuple[Path, str], frozenset[Digest]], sizes: Mapping[Digest, int]
) -> Iterator[Share]:
    users = Counter(digest for needed in needs.values() for digest in needed)
    for (project, name), needed in sorted(needs.items()):
        there = {digest: sizes[digest] for digest in needed if digest in sizes}
        unique = sum(size for digest, size in there.items() if users[digest] == 1)
        largest = sorted(there.items(), key=lambda item: (-item[1], item[0]))[:_LARGEST]
        yield Share(project, name, len(there), sum(there.values()), unique, tuple(largest))
