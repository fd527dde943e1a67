"""Quarantine: damaged files are moved aside, where nothing reads them, for people to look at."""

import contextlib
from collections.abc import Collection, Iterator

from basestore.digest import Digest
from basestore.store import inventory
from basestore.store.check import Damage
from basestore.store.inventory import StoredFile
from basestore.store.realisations import parse_layer, parse_recipe
from basestore.store.store import Store


def set_aside(store: Store, damage: Damage) -> None:
    """Move a damaged file to the quarantine, unless a running command has replaced it by now."""
    aside = store.root / "quarantine" / damage.path.name
    store.folders.make(aside.parent)
    with contextlib.suppress(FileNotFoundError):
        if damage.path.lstat().st_ino == damage.inode:
            # Renaming one name of a file to another one of it does nothing (rename(2)).
            aside.unlink(missing_ok=True)
            damage.path.replace(aside)
            if aside.lstat().st_ino != damage.inode:  # replaced between the look and the move
                aside.replace(damage.path)


def drop_records(store: Store, lost: Collection[Digest]) -> None:
    """Remove the records that name blobs or layers which are damaged and did not come back.

    Running commands may bring them back at any time: it is looked once more for each.
    """
    gone = set(lost)
    for file in _files(inventory.layers(store.root)):
        found = parse_layer(file.digest, file.path.read_bytes()) if file.digest else None
        if found and any(one in gone and not store.blobs.has(one) for one in found.needs):
            gone.add(found.layer)
            file.path.unlink(missing_ok=True)
    for file in _files(inventory.recipes(store.root)):
        layer = parse_recipe(file.path.read_bytes())
        if layer in gone and not store.realisations.recorded(layer):
            file.path.unlink(missing_ok=True)


def _files(folders: Iterator[Collection[StoredFile]]) -> Iterator[StoredFile]:
    return (file for files in folders for file in files if not file.path.name.startswith("."))
