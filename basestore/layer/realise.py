"""Realise: a recipe and the blobs it names become a layer. Opens no socket."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from basestore.digest import Digest
from basestore.errors import InputError, IntegrityError
from basestore.layer.content import content_crc32, same_content
from basestore.layer.entry import Entry, Kind, folder
from basestore.layer.inflate import BrokenStreamError
from basestore.layer.listing import Listing
from basestore.layer.recorder import Recorder
from basestore.layer.wheel.install import Layout, wheel_entries
from basestore.layer.wheel.record import mended, strict
from basestore.layer.writer import LayerWriter
from basestore.lock.model import Lock, Wheel
from basestore.recipe.model import (
    APPLICATION,
    VENV,
    ApplicationRecipe,
    FoundationRecipe,
    Recipe,
    WheelsRecipe,
    label,
)
from basestore.store import Realisation, Store
from basestore.target import Platform

FOUNDATION = "the foundation"
"""What brings the paths of .debs, in errors."""

THE_APPLICATION = f"the {APPLICATION}"
"""What brings the files of a service's project, in errors."""

Brought = tuple[str, Entry | None]
"""A package's name, and its entry of some path; no entry for the foundation's."""


class PathConflictError(InputError):
    """Two packages bring one path with different content."""

    def __init__(self, path: str, first: str, second: str) -> None:
        super().__init__(
            f"{first} and {second} both bring {path}, with different content",
            _way_out(path, first, second),
        )
        self.path = path
        self.packages = (first, second)


def _way_out(path: str, first: str, second: str) -> str:
    if THE_APPLICATION in (first, second):
        return "copy it elsewhere with `to` in the service's `files`: it may only add to its base"
    if first == FOUNDATION:
        return f"drop {second}: nothing may replace what the virtual environment stands on"
    return (
        "drop one of them, or let the last one win: in the profile, [path-conflicts] "
        f'"{path.removeprefix(VENV + "/")}" = ["{first}", "{second}"]'
    )


class NotReproducibleError(IntegrityError):
    """A layer made again came out other than it is recorded."""

    def __init__(self, recipe: Recipe, recorded: Realisation, made: Realisation) -> None:
        super().__init__(
            f"the layer of {label(recipe)} is not reproducible: recorded {recorded.layer}, "
            f"made again {made.layer}",
            "report it with both layers: a recipe must always give one layer",
        )
        self.recorded = recorded
        self.made = made


@dataclass(frozen=True, slots=True)
class Workshop:
    """What realising needs besides the recipe: the store, and a foundation this host can run.

    ``runner`` compiles the standard library's bytecode; its bytes don't depend on which one does.
    ``sources``: files of the working folder with the contents of applications.
    """

    store: Store
    runner: FoundationRecipe
    sources: Mapping[Digest, Path] = field(default_factory=dict)


def runner_of(lock: Lock, host: Platform | None) -> FoundationRecipe:
    """The foundation of a lock whose interpreter this host can run, else the lock's first.

    ``host``: the platform this machine runs, None for one that is none of ours.
    """
    first = lock.platforms[0]
    chosen = next((candidate for candidate in lock.platforms if candidate.platform == host), first)
    return FoundationRecipe(chosen.platform, chosen.python, chosen.debs)


def realise(recipe: Recipe, workshop: Workshop) -> Realisation:
    """The recipe's layer: taken from the store's records, or made and recorded.

    Raises MissingBlobError and DamagedBlobError, and BadZipError, BrokenStreamError,
    ChangedFileError and the like for bad inputs.
    """
    recorded = workshop.store.realisations.of_recipe(recipe.digest)
    return recorded or make(recipe, workshop)


def remake(recipe: Recipe, workshop: Workshop) -> Realisation:
    """Make the layer again whatever is recorded; NotReproducibleError if it comes out other.

    What it is made of and what the record keeps is read whole before; raises DamagedBlobError.
    That record may be anybody's. A layer that comes out other is not recorded: the next remaking is
    held to the same record.
    """
    recorded = workshop.store.realisations.claimed(recipe.digest)
    for digest in dict.fromkeys((*recipe.inputs, *(recorded.needs if recorded else ()))):
        workshop.store.blobs.check(digest)
    made = _made(recipe, workshop)
    if recorded and (recorded.layer, recorded.diff_id) != (made.layer, made.diff_id):
        raise NotReproducibleError(recipe, recorded, made)
    workshop.store.realisations.record(recipe.digest, made)
    return made


def make(recipe: Recipe, workshop: Workshop) -> Realisation:
    """Make the layer and record it, whatever is recorded."""
    made = _made(recipe, workshop)
    workshop.store.realisations.record(recipe.digest, made)
    return made


def _made(recipe: Recipe, workshop: Workshop) -> Realisation:
    """The layer, its blobs in the store, not yet recorded.

    Where an input is refused, the store is asked first whether it holds the right bytes:
    DamagedBlobError if it doesn't.
    """
    try:
        return _write(recipe, workshop)
    except BrokenStreamError as error:
        _check_inputs(recipe, workshop.store)
        file = _file_with(recipe, error.path, workshop.store)
        raise BrokenStreamError(error.path, error.reason, file) from error
    except IntegrityError:
        _check_inputs(recipe, workshop.store)
        raise


def _check_inputs(recipe: Recipe, store: Store) -> None:
    for digest in recipe.inputs:
        store.blobs.check(digest)


def _file_with(recipe: Recipe, path: str, store: Store) -> str:
    """The name of the wheel that brings a path; empty where none does."""
    if not isinstance(recipe, WheelsRecipe):
        return ""
    return next((wheel.file for wheel, e in _installed(recipe, store) if e.path == path), "")


def _write(recipe: Recipe, workshop: Workshop) -> Realisation:
    store = workshop.store
    with store.scratch() as scratch:
        recorder = Recorder(store.blobs)
        entries = _entries(recipe, workshop, scratch)
        written = LayerWriter(store, recorder).write(_complete(entries))
    listing = store.blobs.add(recorder.listing().to_bytes())
    return Realisation(
        layer=written.layer,
        diff_id=written.diff_id,
        size=written.size,
        blobs=written.blobs,
        segments=written.segments,
        listing=listing,
    )


def _entries(recipe: Recipe, workshop: Workshop, scratch: Path) -> Iterable[Entry]:
    if isinstance(recipe, FoundationRecipe):
        from basestore.layer.foundation import foundation_entries

        return foundation_entries(recipe, workshop.runner, workshop.store.blobs, scratch)
    if isinstance(recipe, ApplicationRecipe):
        from basestore.layer.application.realise import application_entries

        return application_entries(recipe, workshop.sources)
    return _wheels(recipe, workshop.store)


def _wheels(recipe: WheelsRecipe, store: Store) -> list[Entry]:
    """The entries of several wheels, each path once."""
    owners: dict[str, tuple[Entry, Wheel]] = {}
    for wheel, entry in _installed(recipe, store):
        other = owners.setdefault(entry.path, (entry, wheel))
        if not _same(other[0], entry, store):
            raise PathConflictError(entry.path, other[1].name, wheel.name)
    _check_folders({path: wheel.name for path, (_, wheel) in owners.items()})
    return [entry for entry, _ in owners.values()]


def _installed(recipe: WheelsRecipe, store: Store) -> Iterator[tuple[Wheel, Entry]]:
    """Each wheel with its entries, without those that it leaves to another one."""
    layout = Layout(recipe.python)
    for wheel, omitted in zip(recipe.wheels, recipe.omitted, strict=True):
        rule = mended if wheel.name in recipe.record_exceptions else strict
        with store.blobs.verified(wheel.sha256) as file:
            for entry in wheel_entries(wheel, file, layout, rule):
                if entry.path not in omitted:
                    yield wheel, entry


def wheels_listing(recipe: WheelsRecipe, store: Store) -> Listing:
    """What the layer of wheels holds, without making it: its files and links.

    Read from the wheels' directories. What ELF files need isn't looked at. Raises MissingBlobError
    and BadZipError.
    """
    entries = {entry.path: entry for _, entry in _installed(recipe, store)}
    return Listing(
        files={
            path: (entry.size, content_crc32(entry, store.blobs))
            for path, entry in entries.items()
            if entry.kind is Kind.FILE
        },
        links={path: e.target for path, e in entries.items() if e.kind is Kind.SYMLINK},
    )


def _check_folders(owners: Mapping[str, str]) -> None:
    """Raise PathConflictError where one wheel has a file in the place of another one's folder."""
    folders: set[str] = set()
    for path, name in owners.items():
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            if parent in owners:
                raise PathConflictError(parent, owners[parent], name)
            folders.add(parent)
            parent = parent.rpartition("/")[0]


def brought(recipe: Recipe, path: str, store: Store) -> Brought:
    """The package of a recipe that brings a path, and the path's entry."""
    if isinstance(recipe, ApplicationRecipe):
        return THE_APPLICATION, None
    if isinstance(recipe, WheelsRecipe):
        for wheel, entry in _installed(recipe, store):
            if entry.path == path:
                return wheel.name, entry
    return FOUNDATION, None


def _same(one: Entry, other: Entry, store: Store) -> bool:
    return one is other or (one.mode == other.mode and same_content(one, other, store.blobs))


def _complete(entries: Iterable[Entry]) -> list[Entry]:
    """The entries with all their parent folders, sorted by path, byte-wise."""
    complete = {entry.path: entry for entry in entries}
    for path in list(complete):
        parent = path.rpartition("/")[0]
        while parent and parent not in complete:
            complete[parent] = folder(parent)
            parent = parent.rpartition("/")[0]
    return [complete[path] for path in sorted(complete)]
