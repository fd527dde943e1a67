"""Vouched: records of others that a trusted revision's images prove are believed like one's own.

A restored cache or a seed says which layers its recipes gave. Where an image of the revision says
the same, only what the record says besides is open: what the layer is cut from, which shows when
its bytes are read, and what it holds, which is compared here.
"""

from collections.abc import Iterable

from basestore.errors import IntegrityError
from basestore.layer.listing import Listing
from basestore.layer.realise import wheels_listing
from basestore.pipeline.proven import Proofs
from basestore.recipe.model import WheelsRecipe
from basestore.store import Realisation, Store
from basestore.store.realisations import proof


def vouch(proofs: Proofs, names: Iterable[str], store: Store) -> int:
    """Believe the store's records that the images of profiles and services prove; how many.

    Only those of wheels: what a foundation holds is not known without making it. Raises what
    `Proofs.layers` raises.
    """
    found = 0
    for name in names:
        claim = proofs.claim(name)
        recipes = {r.digest: r for plan in claim.plans.values() for r in plan} if claim else {}
        unknown = {
            digest: (recipe, said)
            for digest, recipe in recipes.items()
            if isinstance(recipe, WheelsRecipe)
            and not store.realisations.of_recipe(digest)
            and (said := store.realisations.claimed(digest))
        }
        layers = proofs.layers(name) if unknown else {}
        for digest, (recipe, said) in unknown.items():
            told = layers.get(digest)
            same = told and (told.layer, told.diff_id, told.size) == (
                said.layer,
                said.diff_id,
                said.size,
            )
            if same and _lists_truly(recipe, said, store):
                store.realisations.believe(digest, said.layer, proof(said))
                found += 1
    return found


def _lists_truly(recipe: WheelsRecipe, said: Realisation, store: Store) -> bool:
    """Whether a record lists what its wheels hold; not where one of them can't be read."""
    try:
        listed = Listing.from_bytes(store.blobs.read(said.listing))
        holds = wheels_listing(recipe, store)
    except IntegrityError:
        return False
    return (listed.files, listed.links) == (holds.files, holds.links)
