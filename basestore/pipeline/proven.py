"""Proven: which layers recipes gave, told by images that a trusted revision recorded.

A manifest and its config, each by its digest, name layers in an order; the plan of the image's lock
names recipes in the same. That they belong together is proven where the lock, assembled anew with
these layers, gives the very image that was recorded.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Self

from basestore.digest import Digest
from basestore.errors import InputError, PolicyError
from basestore.image.assemble import Assembled, MadeLayer, Realised, assemble
from basestore.lock.model import Lock
from basestore.lock.services import ServiceRecord
from basestore.pipeline.assembled import manifests
from basestore.pipeline.build import Plans, UnknownPlatformError, plans_of
from basestore.pipeline.documents import Documents
from basestore.pipeline.locked import LockedProfile
from basestore.pipeline.then import Then
from basestore.recipe.model import ApplicationRecipe, Recipe, WheelsRecipe
from basestore.target import Platform

Layers = Mapping[Digest, MadeLayer]
"""Layers by the digests of the recipes that gave them."""

Assemble = Callable[[Mapping[Platform, Realised]], Assembled]


@dataclass(frozen=True, slots=True)
class ToldLayer:
    """A layer as a manifest and its config tell it."""

    layer: Digest
    diff_id: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Claim:
    """An image that was recorded: the plans of its lock, and the digests that it had to give.

    ``name``: whose repository has it. ``assemble``: how its lock makes an image of layers.
    """

    name: str
    plans: Plans
    image: Digest
    platforms: Mapping[Platform, Digest]
    assemble: Assemble
    _known: dict[Digest, Recipe] = field(default_factory=dict, init=False)

    @classmethod
    def of_profile(
        cls, locked: LockedProfile, image: Digest, platforms: Mapping[Platform, Digest]
    ) -> Self:
        """A profile's; raises what reading its lock and planning raises."""
        lock = locked.parse()

        def make(layers: Mapping[Platform, Realised]) -> Assembled:
            return assemble(lock.image, locked.digest, layers)

        return cls(locked.name, plans_of(lock, ()), image, platforms, make)

    def tells(self, recipe: Recipe) -> bool:
        """Whether it has a recipe, of artifacts with the same names and versions.

        A recipe's digest is of their bytes alone: what a lock calls them otherwise is to be made,
        which shows whether they are called so.
        """
        if not self._known:
            self._known.update({r.digest: r for plan in self.plans.values() for r in plan})
        known = self._known.get(recipe.digest)
        return known is not None and _names(known) == _names(recipe)

    def recipes(self, platform: Platform) -> AbstractSet[Digest]:
        """The recipes of a platform's layers, by digest; none where it hasn't that platform."""
        return {recipe.digest for recipe in self.plans.get(platform, ())}

    def proven(self, documents: Documents) -> Layers:
        """The layers of its recipes; none where they don't give the image.

        Raises what `Documents` raises.
        """
        told = {p: self._told(p, documents) for p in self.plans}
        if any(len(told[p]) != len(plan) for p, plan in self.plans.items()):
            return {}
        layers = {p: tuple(zip(plan, told[p], strict=True)) for p, plan in self.plans.items()}
        made = self.assemble(layers).image
        if (made.digest, manifests(made)) != (self.image, dict(self.platforms)):
            return {}
        both = (pair for one in layers.values() for pair in one)
        return {r.digest: layer for r, layer in both if not isinstance(r, ApplicationRecipe)}

    def _told(self, platform: Platform, documents: Documents) -> Sequence[ToldLayer]:
        """The layers of a platform's manifest, the lowest first; none where it can't be read."""
        if platform not in self.platforms:
            return ()
        data = documents.manifest(self.name, self.platforms[platform])
        try:
            manifest = json.loads(data)
            config = Digest.parse(manifest["config"]["digest"])
            return _layers(manifest, json.loads(documents.config(self.name, config)))
        except (ValueError, LookupError, TypeError, RecursionError):
            return ()


def service_claim(service: LockedProfile, base: LockedProfile, row: ServiceRecord) -> Claim:
    """A service's image that was made here: its base's layers, its own, its application's.

    The application's recipe isn't known: its files are those of a revision. Raises what reading
    locks and planning raises.
    """
    lock = service.parse()
    own = plans_of(lock, ())
    below = plans_of(base.parse(), tuple(own))
    plans = {p: (*below[p], *plan, UNKNOWN_APPLICATION) for p, plan in own.items()}
    application = row.made.application if row.made else None

    def make(layers: Mapping[Platform, Realised]) -> Assembled:
        return assemble(lock.image, service.digest, layers, application)

    return Claim(service.name, plans, row.image, row.platforms, make)


UNKNOWN_APPLICATION = ApplicationRecipe(())
"""Stands for an application whose files nobody knows any more; nothing is proven of it."""


def _names(recipe: Recipe) -> object:
    """What a recipe's lock says of its artifacts; which generation brought them is none of it."""
    if isinstance(recipe, WheelsRecipe):
        return [(one.name, one.version, one.file, one.size, one.sha256) for one in recipe.wheels]
    return recipe


def _layers(manifest: Any, config: Any) -> tuple[ToldLayer, ...]:
    pairs = zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True)
    return tuple(
        ToldLayer(Digest.parse(one["digest"]), Digest.parse(diff_id), one["size"])
        for one, diff_id in pairs
    )


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the images of a revision prove, each looked at once, and only where it is asked for."""

    then: Then
    documents: Documents
    _claims: dict[str, Claim | None] = field(default_factory=dict, init=False)
    _layers: dict[str, Layers] = field(default_factory=dict, init=False)

    def claim(self, name: str) -> Claim | None:
        """The image that the revision records of its lock; None for none that can be read today."""
        if name not in self._claims:
            try:
                self._claims[name] = self._claim(name)
            except (InputError, PolicyError, UnknownPlatformError):
                self._claims[name] = None
        return self._claims[name]

    def layers(self, name: str) -> Layers:
        """What that image proves, nothing where there is none; raises what `Documents` raises."""
        if name not in self._layers:
            claim = self.claim(name)
            self._layers[name] = claim.proven(self.documents) if claim else {}
        return self._layers[name]

    def relatives(self, lock: Lock) -> Iterator[str]:
        """Whose images may share layers with a profile's: its ancestors', the nearest first, and
        the other profiles'.
        """
        names = {row.profile for row in self.then.images}
        above = [name for name in reversed(lock.lineage) if name in names]
        yield from dict.fromkeys((*above, *sorted(names)))

    def _claim(self, name: str) -> Claim | None:
        row = self.then.image(name)
        service = None if row else self.then.service(name)
        locked = self.then.locked(name)
        if locked is None or not (row or service):
            return None
        if row:
            return Claim.of_profile(locked, row.image, row.platforms)
        lock = self.then.lock(name)
        base = self.then.locked(lock.base) if lock else None
        return service_claim(locked, base, service) if base and service else None
