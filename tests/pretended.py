"""Images that nobody built: records and documents of a build, layers that have but a size."""

from pathlib import Path

from basestore.digest import Digest
from basestore.image.assemble import assemble
from basestore.image.model import Image
from basestore.image.stored import keep_image
from basestore.layer.listing import Listing
from basestore.pipeline.assembled import manifests
from basestore.pipeline.build import Built, record_image
from basestore.pipeline.locked import read_locked
from basestore.pipeline.recorded import Recorded
from basestore.profile.project import read_project
from basestore.recipe.model import Recipe
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store

SIZE = 1_000_000
"""Bytes of every layer."""


def pretend_build(root: Path, name: str, store: Store) -> Image:
    """Record what a build of a profile's lock would have recorded."""
    project = read_project(root)
    locked = read_locked(project, name)
    lock = locked.parse()
    realised = {
        one.platform: [(recipe, pretend_layer(store, recipe)) for recipe in plan(lock, one)]
        for one in lock.platforms
    }
    assembled = assemble(lock.image, locked.digest, realised)
    keep_image(store, assembled)
    image = assembled.image
    recorded = Recorded(name, locked.digest, locked.digest.hex, image.digest, manifests(image))
    record_image(project, Built(recorded, image, frozenset()))
    return image


def pretend_layer(store: Store, recipe: Recipe, size: int = SIZE) -> Realisation:
    """Record a layer that has no bytes."""
    nothing = store.blobs.add(b"")
    listing = store.blobs.add(Listing(files={}, links={}, dynamic={}).to_bytes())
    layer = Digest.of(f"layer {recipe.digest}".encode())
    made = Realisation(layer, layer, size, (), nothing, listing)
    store.realisations.record(recipe.digest, made)
    return made
