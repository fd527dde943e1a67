"""What is in the store: by kind, by profile, and the projects that it is kept for."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from basestore.digest import Digest
from basestore.errors import BasestoreError
from basestore.pipeline.store_roots import ProjectMarker, UnreadableProjectError, is_there
from basestore.store import Store, inventory
from basestore.store.collect import Amount
from basestore.store.inventory import Kind
from basestore.store.roots import DamagedRootError

_LARGEST = 5


@dataclass(frozen=True, slots=True)
class Large:
    """A blob and its size in bytes. ``name``: a wheel's file or a .deb, empty of what has none."""

    digest: Digest
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one profile or service needs of what is in the store, in bytes.

    ``projects``: those that have it and need the very same for it, as copies of one project do.
    ``unique``: what no other profile needs. ``largest``: its largest blobs.
    """

    projects: tuple[Path, ...]
    name: str
    files: int
    bytes: int
    unique: int
    largest: tuple[Large, ...]


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
    """A whole store. ``largest``: its largest blobs with their kinds."""

    kinds: Mapping[Kind, Amount]
    largest: tuple[tuple[Large, Kind], ...]
    shares: tuple[Share, ...]

    @property
    def bytes(self) -> int:
        """All bytes."""
        return sum(amount.bytes for amount in self.kinds.values())


def read_info(store: Store, marker: ProjectMarker) -> Info:
    """Look through a store; projects that can't be read have no shares."""
    kinds: defaultdict[Kind, Amount] = defaultdict(Amount)
    needs = _needs(marker)
    wanted = frozenset[Digest]().union(*(needed for _, needed in needs))
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
    names = package_names(marker)
    shares = tuple(_shares(needs, sizes, names))
    named = tuple((Large(d, size, names.get(d, "")), kind) for size, d, kind in largest)
    return Info(dict(kinds), named, shares)


def read_roots(store: Store, marker: ProjectMarker) -> Iterator[Root]:
    """The registered projects, each with what can be told of it."""
    for file in store.roots.files():
        try:
            project = store.roots.project_of(file)
        except DamagedRootError:
            yield Root(file, "doesn't say any more which project it stands for", ())
            continue
        yield _root(project, marker)


def _root(project: Path, marker: ProjectMarker) -> Root:
    try:
        if not is_there(project):
            return Root(project, "the folder is gone", ())
        return Root(project, "", tuple(sorted(next(marker.needs_of(project)))))
    except UnreadableProjectError as error:
        return Root(project, error.cause.message, ())


_Needed = tuple[str, frozenset[Digest]]
"""A profile or service by name, and what it needs."""


def _needs(marker: ProjectMarker) -> Mapping[_Needed, Sequence[Path]]:
    """What is needed, and by which projects; those that can't be read are left out."""
    found: defaultdict[_Needed, list[Path]] = defaultdict(list)
    for project in marker.projects():
        with suppress(BasestoreError):
            for needed in next(marker.needs_of(project)).items():
                found[needed].append(project)
    return found


def package_names(marker: ProjectMarker) -> Mapping[Digest, str]:
    """What packages are called, as locks name them."""
    found: dict[Digest, str] = {}
    for project in marker.projects():
        with suppress(BasestoreError):
            for part in (part for lock in marker.locks_of(project) for part in lock.platforms):
                found.update((deb.sha256, f"{deb.name} {deb.version}") for deb in part.debs)
                found.update((wheel.sha256, wheel.file) for wheel in part.wheels)
    return found


def _shares(
    needs: Mapping[_Needed, Sequence[Path]],
    sizes: Mapping[Digest, int],
    names: Mapping[Digest, str],
) -> Iterator[Share]:
    """The shares, those of the same projects together."""
    users = Counter(digest for _, needed in needs for digest in needed)
    ordered = sorted(needs.items(), key=lambda item: (sorted(item[1]), item[0][0]))
    for (name, needed), projects in ordered:
        there = {digest: sizes[digest] for digest in needed if digest in sizes}
        unique = sum(size for digest, size in there.items() if users[digest] == 1)
        largest = sorted(there.items(), key=lambda item: (-item[1], item[0]))[:_LARGEST]
        yield Share(
            tuple(sorted(projects)),
            name,
            len(there),
            sum(there.values()),
            unique,
            tuple(Large(digest, size, names.get(digest, "")) for digest, size in largest),
        )
