"""Planned layers: those of a lock, as the store knows them before anything is made."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.lock.model import Lock, PlatformLock
from basestore.recipe.causes import Cause, Packages, causes
from basestore.recipe.model import FoundationRecipe, Recipe, label
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store


@dataclass(frozen=True, slots=True)
class Bytes:
    """An amount; not ``exact`` where the sizes of wheels and .debs stand for a layer's."""

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
        """The layer's size as it is pulled; that of its wheels or .debs where it isn't made yet."""
        if self.realisation:
            return Bytes(self.realisation.size)
        return Bytes(sum(size for _, size in artifacts(self.recipe)), exact=False)


def artifacts(recipe: Recipe) -> Iterator[tuple[Digest, int]]:
    """The wheels or .debs that a layer is made from, by digest, with their bytes."""
    if isinstance(recipe, FoundationRecipe):
        yield from ((deb.sha256, deb.size) for deb in recipe.debs)
    else:
        yield from ((wheel.sha256, wheel.size) for wheel in recipe.wheels)


def planned_layers(
    lock: Lock, platform: PlatformLock, store: Store | None
) -> tuple[PlannedLayer, ...]:
    """The layers of one platform, the lowest first; raises TooManyLayersError."""
    return tuple(
        PlannedLayer(one, store.realisations.of_recipe(one.digest) if store else None)
        for one in plan(lock, platform)
    )


def total(layers: Iterable[PlannedLayer]) -> Bytes:
    """The bytes of layers together."""
    return sum((layer.bytes for layer in layers), Bytes())


def causes_of(
    layer: PlannedLayer, layers: Sequence[PlannedLayer], before: Sequence[Packages]
) -> list[Cause]:
    """Why a layer is none of an older image's, whose foundation is the lowest one, as ours is."""
    after = [one.recipe.packages for one in layers]
    if isinstance(layer.recipe, FoundationRecipe):
        return causes(layer.recipe.packages, before[:1], after[:1])
    return causes(layer.recipe.packages, before[1:], after[1:])
