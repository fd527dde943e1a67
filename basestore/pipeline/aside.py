"""Layers made apart: in a store of their own, which goes when it has served.

Nothing that another store has recorded is believed here, and its blobs are hashed before they are
used. So what comes out depends on recipes and on bytes that have their digests, and on no more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from basestore.digest import Digest
from basestore.layer.apart import make_all
from basestore.layer.listing import Listing
from basestore.layer.realise import Workshop, make, wheels_listing
from basestore.lock.model import Lock
from basestore.pipeline.build import Builder
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

    def make(
        self, recipes: Iterable[Recipe], source: Source, workshop: Workshop
    ) -> Mapping[Digest, Realisation]:
        """The layers of recipes by their digests, each made once, artifacts being a lock's.

        Raises what fetching and making raise.
        """
        wanted = {recipe.digest: recipe for recipe in recipes}
        lacking = [recipe for digest, recipe in wanted.items() if digest not in self.made]
        needed = {digest for recipe in lacking for digest in recipe.inputs}
        if any(isinstance(recipe, FoundationRecipe) for recipe in lacking):
            needed.update(workshop.runner.inputs)
        self.take(needed, source)
        here = replace(workshop, store=self.store)
        made = make_all(lacking, here, make, self._watch, self.builder.jobs)
        self.made.update({recipe.digest: found for recipe, found in made.items()})
        return {digest: self.made[digest] for digest in wanted}

    def take(self, digests: Iterable[Digest], source: Source) -> None:
        """Have artifacts of a lock here, hashed; raises what fetching raises, DamagedBlobError."""
        lacking = frozenset(one for one in digests if not self.store.blobs.has(one))
        if lacking:
            self.builder.bring(*source, lacking)
        for digest in sorted(lacking):
            self.store.blobs.adopt(digest, self.builder.store.blobs)

    def listings(
        self, recipes: Sequence[Recipe], source: Source, workshop: Workshop
    ) -> Mapping[Digest, Listing]:
        """What the layers of recipes hold, by the recipes' digests.

        Of wheels it is read from their directories; any other layer is made. Raises as `make`.
        """
        unmade = [one for one in recipes if one.digest not in self.made]
        wheels = [one for one in unmade if isinstance(one, WheelsRecipe)]
        self.take({digest for one in wheels for digest in one.inputs}, source)
        self.make([one for one in unmade if one not in wheels], source, workshop)
        return {one.digest: self._listing(one) for one in recipes}

    def _listing(self, recipe: Recipe) -> Listing:
        if recipe.digest not in self._listings:
            self._listings[recipe.digest] = self._look(recipe)
        return self._listings[recipe.digest]

    def _look(self, recipe: Recipe) -> Listing:
        if isinstance(recipe, WheelsRecipe) and recipe.digest not in self.made:
            return wheels_listing(recipe, self.store)
        return Listing.from_bytes(self.store.blobs.read(self.made[recipe.digest].listing))

    def _watch(self, recipe: Recipe) -> AbstractContextManager[object]:
        return self.builder.progress.task("layer", label(recipe))


@contextmanager
def aside(builder: Builder) -> Iterator[Aside]:
    """A place to make layers apart in, beside the builder's store; gone at the end."""
    with builder.store.scratch() as scratch:
        store = Store.open(Path(scratch) / "store")
        try:
            yield Aside(store, builder)
        finally:
            store.lease.release()
