"""Layers made aside: in a store of their own, which goes when it has served.

What this user has made before is taken from his store; of what anybody else has recorded nothing is
believed, and blobs are hashed before they are used. So what comes out depends on recipes and on
bytes that have their digests, and on no more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

from basestore.digest import Digest
from basestore.layer.apart import make_all
from basestore.layer.listing import Listing
from basestore.layer.realise import Workshop, make, wheels_listing
from basestore.lock.model import Lock
from basestore.pipeline.build import Builder
from basestore.pipeline.inputs import verify_inputs
from basestore.pipeline.locked import LockedProfile
from basestore.recipe.model import FoundationRecipe, Recipe, WheelsRecipe, label
from basestore.store import Realisation, Store

Source = tuple[LockedProfile, Lock]
"""A lock that names artifacts, and its bytes."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Makes layers in ``store``, of artifacts that a builder's store has or is brought.

    ``made``: those that were made so far, by the digests of their recipes.
    """

    store: Store
    builder: Builder
    made: dict[Digest, Realisation] = field(default_factory=dict, init=False)
    _listings: dict[Digest, Listing] = field(default_factory=dict, init=False)

    def layers(
        self, recipes: Iterable[Recipe], source: Source, workshop: Workshop
    ) -> Mapping[Digest, Realisation]:
        """The layers of recipes by their digests, each made once, artifacts being a lock's.

        Raises what fetching and making raise.
        """
        wanted = {recipe.digest: recipe for recipe in recipes}
        there = {digest: found for digest in wanted if (found := self.known(digest))}
        lacking = [recipe for digest, recipe in wanted.items() if digest not in there]
        return {**there, **self._make(lacking, source, workshop)}

    def known(self, recipe: Digest) -> Realisation | None:
        """What this user has made of a recipe, here or before."""
        return self.made.get(recipe) or self.builder.store.realisations.of_recipe(recipe)

    def take(self, digests: Iterable[Digest], source: Source) -> None:
        """Have artifacts of a lock in the builder's store, hashed; raises what fetching raises."""
        wanted = frozenset(digests)
        if wanted:
            self.builder.bring(*source, wanted)
            verify_inputs(self.builder.store, wanted, self.builder.progress)

    def listings(
        self, recipes: Sequence[Recipe], source: Source, workshop: Workshop
    ) -> Mapping[Digest, Listing]:
        """What the layers of recipes hold, by the recipes' digests.

        Of wheels it is read from their directories; any other layer is made. Raises as `layers`.
        """
        unknown = [one for one in recipes if not self.known(one.digest)]
        wheels = [one for one in unknown if isinstance(one, WheelsRecipe)]
        self.take({digest for one in wheels for digest in one.inputs}, source)
        self._make([one for one in unknown if one not in wheels], source, workshop)
        return {one.digest: self._listing(one) for one in recipes}

    def _make(
        self, recipes: Sequence[Recipe], source: Source, workshop: Workshop
    ) -> Mapping[Digest, Realisation]:
        needed = {digest for recipe in recipes for digest in recipe.inputs}
        if any(isinstance(recipe, FoundationRecipe) for recipe in recipes):
            needed.update(workshop.runner.inputs)
        self.take(needed, source)
        here = replace(workshop, store=self.store)
        made = make_all(recipes, here, make, self._watch, self.builder.jobs) if recipes else {}
        found = {recipe.digest: realisation for recipe, realisation in made.items()}
        self.made.update(found)
        return found

    def _listing(self, recipe: Recipe) -> Listing:
        if recipe.digest not in self._listings:
            self._listings[recipe.digest] = self._look(recipe)
        return self._listings[recipe.digest]

    def _look(self, recipe: Recipe) -> Listing:
        found = self.known(recipe.digest)
        if found is None and isinstance(recipe, WheelsRecipe):
            return wheels_listing(recipe, self.builder.store)
        store = self.store if recipe.digest in self.made else self.builder.store
        return Listing.from_bytes(store.blobs.read(found.listing)) if found else Listing()

    def _watch(self, recipe: Recipe) -> AbstractContextManager[object]:
        return self.builder.progress.task("layer", label(recipe))


@contextmanager
def aside(builder: Builder) -> Iterator[Aside]:
    """A place to make layers aside in, beside the builder's store; gone at the end."""
    with builder.store.scratch() as scratch:
        store = Store.open(scratch / "store", seed=builder.store.root)
        try:
            yield Aside(store, builder)
        finally:
            store.lease.release()
