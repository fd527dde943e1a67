"""Quarantine: damaged files are moved aside, where nothing reads them, for people to look at."""

from collections.abc import Collection, Iterator
from pathlib import Path

from basestore.digest import Digest
from basestore.store import inventory
from basestore.store.inventory import StoredFile
from basestore.store.realisations import parse_layer, parse_recipe
from basestore.store.store import Store


def set_aside(store: Store, path: Path) -> None:
    """Move a file of the store to its quarantine; one that is gone by now is none."""
    folder = store.root / "quarantine"
    store.folders.make(folder)
    try:
        path.replace(folder / path.name)
    except FileNotFoundError:
        return


def drop_records(store: Store, lost: Collection[Digest]) -> None:
    """Remove the records that name blobs or layers which are damaged and did not come back."""
    gone = set(lost)
    for file in _files(inventory.layers(store.root)):
        found = parse_layer(file.digest, file.path.read_bytes()) if file.digest else None
        if found and not gone.isdisjoint(found.needs):
            gone.add(found.layer)
            file.path.unlink(missing_ok=True)
    for file in _files(inventory.recipes(store.root)):
        if parse_recipe(file.path.read_bytes()) in gone:
            file.path.unlink(missing_ok=True)


def _files(folders: Iterator[Collection[StoredFile]]) -> Iterator[StoredFile]:
    return (file for files in folders for file in files if not file.path.name.startswith("."))
