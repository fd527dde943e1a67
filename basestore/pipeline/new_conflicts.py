"""New conflicts: paths of layers that a revision's image doesn't have, against those of all others.

Two layers that one image had were held against each other when it was built.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from basestore.digest import Digest
from basestore.image.check import check_conflicts
from basestore.layer.foundation.venv import venv_listing
from basestore.layer.listing import Listing
from basestore.layer.realise import Workshop
from basestore.pipeline.aside import Aside, Source
from basestore.recipe.model import VENV, ApplicationRecipe, FoundationRecipe, Recipe

Part = tuple[Sequence[Recipe], Source]
"""Layers of an image, and the lock that names what they are made of."""


def check_new(
    aside: Aside, parts: Sequence[Part], new: AbstractSet[Digest], workshop: Workshop
) -> None:
    """Raise PathConflictError where a new layer of an image conflicts with any other.

    ``new``: the recipes whose layers are new, by digest. Wheels lie in the virtual environment, so
    that of a foundation that stands only that is held against them; an application may lie
    anywhere. Raises what fetching and making raise.
    """
    recipes = [recipe for part, _ in parts for recipe in part]
    fresh = [recipe for recipe in recipes if recipe.digest in new]
    if not fresh:
        return
    applications = [one for one in fresh if isinstance(one, ApplicationRecipe)]
    wheels = len(applications) < len(fresh) or any(map(_is_in_venv, applications))
    found: dict[Digest, Listing] = {}
    for part, source in parts:
        looked = [one for one in part if _matters(one, aside, bool(applications), wheels)]
        found.update(aside.listings(looked, source, workshop))
    listings = [found.get(recipe.digest) or _outline(recipe) for recipe in recipes]
    check_conflicts(aside.builder.store, recipes, listings)


def _matters(recipe: Recipe, aside: Aside, application: bool, wheels: bool) -> bool:
    """Whether a layer's listing is needed, or there anyway."""
    if aside.known(recipe.digest):
        return True
    return application if isinstance(recipe, FoundationRecipe) else wheels


def _outline(recipe: Recipe) -> Listing:
    """What matters of a layer that isn't listed."""
    return venv_listing(recipe.python) if isinstance(recipe, FoundationRecipe) else Listing()


def _is_in_venv(recipe: ApplicationRecipe) -> bool:
    """Whether an application has anything at, above or in the virtual environment."""
    paths = (*(file.path for file in recipe.files), *(link.path for link in recipe.links))
    return any(f"{path}/".startswith(f"{VENV}/") or VENV.startswith(f"{path}/") for path in paths)
