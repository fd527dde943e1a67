"""Planned layers: those of a lock, as the store knows them before anything is made."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.lock.model import Lock, PlatformLock
from basestore.recipe.causes import Cause, Packages, causes
from basestore.recipe.model import ApplicationRecipe, FoundationRecipe, Recipe, WheelsRecipe, label
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store


@dataclass(frozen=True, slots=True)
class Bytes:
    """An amount; not ``exact`` where it is what wheels and .debs are to be expected to give."""

    size: int = 0
    exact: bool = True

    def __add__(self, other: "Bytes") -> "Bytes":
        return Bytes(self.size + other.size, self.exact and other.exact)


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """A layer of a plan; ``realisation``: what the store has of it, if it has."""

    recipe: Recipe
    realisation: Realisation | None

    @property
    def label(self) -> str:
        """The layer in a few words."""
        return label(self.recipe)

    @property
    def identity(self) -> Digest:
        """The layer's digest where it is known, else its recipe's."""
        return self.realisation.layer if self.realisation else self.recipe.digest

    @property
    def bytes(self) -> Bytes:
        """The layer's size as it is pulled; where it isn't made yet, what is to be expected."""
        if self.realisation:
            return Bytes(self.realisation.size)
        if isinstance(self.recipe, ApplicationRecipe):
            return Bytes(sum(file.size for file in self.recipe.files), exact=False)
        size = sum(size for _, size in artifacts(self.recipe))
        unpacked = isinstance(self.recipe, FoundationRecipe)
        return Bytes(expected_foundation(size) if unpacked else size, exact=False)


def expected_foundation(debs: int) -> int:
    """The bytes of a foundation's layer that .debs of so many bytes are to be expected to give.

    Measured on bookworm's Python: 1.74 on amd64, 1.80 on arm64. What .debs hold is xz; the layer
    is deflate, and has the standard library's bytecode besides.
    """
    return debs * 9 // 5


def artifacts(recipe: Recipe) -> Iterator[tuple[Digest, int]]:
    """The wheels or .debs that a layer is made from, by digest, with their bytes."""
    if isinstance(recipe, FoundationRecipe):
        yield from ((deb.sha256, deb.size) for deb in recipe.debs)
    elif isinstance(recipe, WheelsRecipe):
        yield from ((wheel.sha256, wheel.size) for wheel in recipe.wheels)


def planned_layers(
    lock: Lock, platform: PlatformLock, store: Store | None
) -> tuple[PlannedLayer, ...]:
    """The layers of one platform, the lowest first; raises TooManyLayersError."""
    return tuple(planned_layer(recipe, store) for recipe in plan(lock, platform))


def planned_layer(recipe: Recipe, store: Store | None) -> PlannedLayer:
    """A layer, and what the store has of it."""
    return PlannedLayer(recipe, store.realisations.of_recipe(recipe.digest) if store else None)


def total(layers: Iterable[PlannedLayer]) -> Bytes:
    """The bytes of layers together."""
    return sum((layer.bytes for layer in layers), Bytes())


def causes_of(
    layer: PlannedLayer, layers: Sequence[PlannedLayer], before: Sequence[Packages]
) -> list[Cause]:
    """Why a layer is none of an older image's, whose foundation is the lowest one, as ours is.

    A service's own layers have none.
    """
    after = [one.recipe.packages for one in layers]
    if not isinstance(layers[0].recipe, FoundationRecipe):
        return causes(layer.recipe.packages, before, after)
    if isinstance(layer.recipe, FoundationRecipe):
        return causes(layer.recipe.packages, before[:1], after[:1])
    return causes(layer.recipe.packages, before[1:], after[1:])
