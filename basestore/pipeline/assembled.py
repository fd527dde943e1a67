"""Assembled: an image is put together from its lock and the layers of its recipes, never found.

A record, a store and a registry say which image a lock gave. What it gives follows from the lock
alone once the layers of its recipes are known, and those are what this user recorded (or what
somebody else vouches for, who gives another `Find`). It takes some hundredths of a second.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from basestore.digest import Digest
from basestore.image.assemble import Assembled, MadeLayer, assemble
from basestore.image.model import Image
from basestore.image.stored import keep_image
from basestore.lock.files import IMAGES_FILE, SERVICES_FILE, read_lock
from basestore.lock.model import Lock
from basestore.lock.services import Made
from basestore.pipeline.recorded import NotBuiltError, OtherImageError, Recorded
from basestore.profile.model import Project
from basestore.recipe.model import ApplicationRecipe, Recipe
from basestore.recipe.plan import TooManyLayersError, plan
from basestore.store import Store
from basestore.target import Platform

Find = Callable[[Recipe], MadeLayer | None]
"""The layer that a recipe gave, as far as it is known for certain."""

FindApplication = Callable[[Digest], MadeLayer | None]
"""A service's topmost layer by its digest, likewise."""

Layers = Mapping[Platform, tuple[tuple[Recipe, MadeLayer], ...]]
"""The layers of each platform, the lowest first."""

_APPLICATION = ApplicationRecipe(())
"""An image says nothing of an application but that it is one."""


@dataclass(frozen=True, slots=True)
class Assembler:
    """Puts a project's images together. What many services share, their base, is read once."""

    project: Project
    find: Find
    application: FindApplication
    _locks: dict[str, tuple[Lock, Digest]] = field(default_factory=dict, init=False)
    _layers: dict[str, Layers | None] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, project: Project, store: Store) -> Self:
        """From layers that this user recorded in a store."""
        realisations = store.realisations
        return cls(
            project,
            lambda recipe: realisations.of_recipe(recipe.digest),
            realisations.made_layer,
        )

    def proven(self, recorded: Recorded) -> Assembled | None:
        """The image of a profile or service; None where some of its layers aren't known.

        None as well for one that an engine built: nothing gives it again.

        Raises OtherImageError where it is none of what is recorded, NoLockError, EditedLockError
        and NewerLockError.
        """
        name, made = recorded.name, recorded.made
        if made is None and name in self.project.services:
            return None
        found = self.service(name, made) if made else self.profile(name)
        if found:
            check_same(recorded, found.image)
        return found

    def profile(self, name: str) -> Assembled | None:
        """A profile's image; raises as `proven`, but for OtherImageError."""
        lock, digest = self._lock(name)
        layers = self._layers_of(name)
        return assemble(lock.image, digest, layers) if layers else None

    def service(self, name: str, made: Made) -> Assembled | None:
        """A service's image of a lock, on a base, with an application; raises as `proven`."""
        lock, digest = self._lock(name)
        base = self.project.services[name].base
        below, own = self.profile(base), self._layers_of(name)
        top = self.application(made.application)
        lower = self._layers_of(base)
        if below is None or lower is None or own is None or top is None:
            return None
        what = f"service {name}"
        if made.base != below.image.digest:
            raise OtherImageError(SERVICES_FILE, f"{what}, its base", made.base, below.image.digest)
        if made.lock != digest:
            raise OtherImageError(SERVICES_FILE, f"{what}, its lock", made.lock, digest)
        layers = {p: (*lower[p], *own[p], (_APPLICATION, top)) for p in own if p in lower}
        return assemble(lock.image, digest, layers, made.application)

    def _lock(self, name: str) -> tuple[Lock, Digest]:
        if name not in self._locks:
            self._locks[name] = read_lock(self.project, name)
        return self._locks[name]

    def _layers_of(self, name: str) -> Layers | None:
        """The layers of a lock's own recipes, if all of them are known."""
        if name not in self._layers:
            self._layers[name] = self._found(self._lock(name)[0])
        return self._layers[name]

    def _found(self, lock: Lock) -> Layers | None:
        layers = {}
        for one in lock.platforms:
            try:
                recipes = plan(lock, one)
            except TooManyLayersError:  # which nobody has built
                return None
            found = tuple((recipe, self.find(recipe)) for recipe in recipes)
            known = tuple((recipe, layer) for recipe, layer in found if layer is not None)
            if len(known) != len(found):
                return None
            layers[one.platform] = known
        return layers


def required_image(project: Project, recorded: Recorded, store: Store) -> Image:
    """A recorded image, put together again, its documents in the store.

    Raises NotBuiltError where this user hasn't made its layers, or the store lacks some of them,
    and what `Assembler.proven` raises.
    """
    found = Assembler.of(project, store).proven(recorded)
    if found is None:
        raise NotBuiltError(recorded.name)
    keep_image(store, found)
    return found.image


def check_same(recorded: Recorded, image: Image) -> None:
    """Raise OtherImageError where an image, or one of its platforms, isn't what is recorded."""
    for what, said, given in _differences(recorded, image):
        raise OtherImageError(file_of(recorded), what, said, given)


def file_of(recorded: Recorded) -> str:
    """The file that records an image."""
    return SERVICES_FILE if recorded.made else IMAGES_FILE


def manifests(image: Image) -> Mapping[Platform, Digest]:
    """The digest of each platform's manifest."""
    return {one.platform: one.manifest.digest for one in image.platforms}


def _differences(
    recorded: Recorded, image: Image
) -> Iterator[tuple[str, Digest | None, Digest | None]]:
    """What differs: its name, and the two digests; None for what there is not."""
    what = f"{'service' if recorded.made else 'profile'} {recorded.name}"
    if recorded.image != image.digest:
        yield what, recorded.image, image.digest
    given = manifests(image)
    for platform in sorted(recorded.platforms.keys() | given.keys()):
        said, made = recorded.platforms.get(platform), given.get(platform)
        if said != made:
            yield f"{what}, {platform}", said, made
