"""Build: a lock becomes an image in the store. What is recorded and whole is not made again."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basestore.digest import Digest
from basestore.errors import UsageError
from basestore.image.model import Image
from basestore.image.stored import keep_image
from basestore.lock import images
from basestore.lock.files import alone_with_locks, lock_digests, read_images, write_images
from basestore.lock.model import Lock
from basestore.pipeline.assembled import Assembler, check_same, manifests
from basestore.pipeline.locked import LockedProfile
from basestore.pipeline.recorded import Recorded
from basestore.profile.model import Project
from basestore.progress import Progress
from basestore.store import Realisation, Store
from basestore.target import Platform

if TYPE_CHECKING:
    from basestore.layer.realise import Workshop
    from basestore.recipe.model import Recipe


class UnknownPlatformError(UsageError):
    """The lock hasn't the platform that was asked for."""

    def __init__(self, profile: str, platform: Platform, lock: Lock) -> None:
        known = ", ".join(str(candidate.platform) for candidate in lock.platforms)
        super().__init__(
            f"locks/{profile}.lock has no {platform}, only {known}",
            "add it to `platforms` in the profile and lock again",
        )


Plans = Mapping[Platform, Sequence["Recipe"]]
"""The recipes of each platform's layers, the lowest first."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of each platform, the lowest first, and which of them were there before."""

    platforms: Mapping[Platform, Sequence[tuple["Recipe", Realisation]]]
    kept: frozenset[Digest]

    def under(self, upper: "Layers") -> "Layers":
        """These, and on each platform of ``upper`` its layers on top."""
        both = {p: (*self.platforms[p], *layers) for p, layers in upper.platforms.items()}
        return Layers(both, self.kept | upper.kept)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build gave: the image, and which of its layers the store had already.

    ``renewed``: whether another image than before was recorded, of layers that were there.
    ``missing``: libraries that ELF files of the image need and the image lacks, as sentences.
    """

    recorded: Recorded
    image: Image
    kept_layers: frozenset[Digest]
    missing: tuple[str, ...] = ()
    renewed: bool = False

    @property
    def reused(self) -> bool:
        """Whether there was nothing to do."""
        layers = {layer.descriptor.digest for layer in self.image.layers}
        return not self.renewed and layers <= self.kept_layers


Bring = Callable[[LockedProfile, Lock, frozenset[Digest]], None]
"""Brings artifacts of a lock, by digest, into the store from wherever they lie today."""

Make = Callable[["Recipe", "Workshop"], Realisation]
"""`realise` to take what is recorded, `remake` to make it again and compare."""


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds locks into a store. ``jobs``: layers at a time; ``host``: what this machine runs."""

    store: Store
    bring: Bring
    progress: Progress
    jobs: int
    host: Platform | None

    def there(self, project: Project, recorded: Recorded | None) -> Built | None:
        """The image that is recorded, if this user made all of it; its documents are kept.

        Raises OtherImageError, and what reading locks raises.
        """
        assembled = Assembler.of(project, self.store).proven(recorded) if recorded else None
        if recorded is None or assembled is None:
            return None
        keep_image(self.store, assembled)
        layers = assembled.image.layers
        return Built(recorded, assembled.image, frozenset(one.descriptor.digest for one in layers))

    def build(self, locked: LockedProfile, platforms: Sequence[Platform], make: Make) -> Built:
        """Build a lock's image; of ``platforms`` only, where some are named.

        Raises what fetching and realising raise, and UnknownPlatformError.
        """
        from basestore.image.assemble import assemble
        from basestore.image.check import check_image
        from basestore.layer.realise import Workshop, runner_of

        lock = locked.parse()
        workshop = Workshop(self.store, runner_of(lock, self.host))
        layers = self.layers(locked, lock, plans_of(lock, platforms), make, workshop)
        missing = [
            line
            for platform, realised in layers.platforms.items()
            for line in check_image(self.store, platform, realised)
        ]
        assembled = assemble(lock.image, locked.digest, layers.platforms)
        keep_image(self.store, assembled)
        image = assembled.image
        recorded = Recorded(
            locked.name, locked.digest, locked.digest.hex, image.digest, manifests(image)
        )
        return Built(recorded, image, layers.kept, tuple(missing))

    def layers(
        self, locked: LockedProfile, lock: Lock, plans: Plans, make: Make, workshop: "Workshop"
    ) -> Layers:
        """The layers of plans for a lock, those made that are not there; artifacts are fetched.

        Raises what fetching and realising raise.
        """
        from basestore.layer.realise import realise

        recipes = list(dict.fromkeys(recipe for plan in plans.values() for recipe in plan))
        kept = self._kept(recipes)
        lacking = [recipe for recipe in recipes if make is not realise or recipe not in kept]
        made = {**kept, **self._realise(locked, lock, lacking, make, workshop)}
        realised = {p: [(r, made[r]) for r in plan] for p, plan in plans.items()}
        return Layers(realised, frozenset(realisation.layer for realisation in kept.values()))

    def _kept(self, recipes: Sequence["Recipe"]) -> Mapping["Recipe", Realisation]:
        recorded = {one: self.store.realisations.of_recipe(one.digest) for one in recipes}
        return {recipe: found for recipe, found in recorded.items() if found}

    def _realise(
        self,
        locked: LockedProfile,
        lock: Lock,
        recipes: Sequence["Recipe"],
        make: Make,
        workshop: "Workshop",
    ) -> Mapping["Recipe", Realisation]:
        """Fetch what these recipes need, and make their layers, several at a time."""
        from basestore.layer.apart import make_all
        from basestore.pipeline.inputs import verify_inputs
        from basestore.recipe.model import FoundationRecipe

        needed = {digest for recipe in recipes for digest in recipe.inputs}
        if any(isinstance(recipe, FoundationRecipe) for recipe in recipes):
            needed.update(workshop.runner.inputs)
        self.bring(locked, lock, frozenset(needed))
        verify_inputs(self.store, needed, self.progress)
        return make_all(recipes, workshop, make, self._watch, self.jobs)

    def _watch(self, recipe: "Recipe") -> AbstractContextManager[object]:
        from basestore.recipe.model import label

        return self.progress.task("layer", label(recipe))


def record_image(project: Project, built: Built) -> None:
    """Record a lock's image in the images file; entries of locks that are gone are dropped.

    Raises OtherImageError where the lock is recorded to have given another image.
    """
    made = built.recorded
    new = images.ImageRecord(made.name, made.lock, made.image, made.platforms)
    with alone_with_locks(project):
        records = read_images(project)
        record = images.find(records, made.name, made.lock)
        if record:
            check_same(Recorded.of_profile(record), built.image)
        there = lock_digests(project).values()
        write_images(project, images.record_image(records, new, there))


def plans_of(lock: Lock, platforms: Sequence[Platform]) -> Plans:
    """The plans of a lock's platforms, or of those named; raises UnknownPlatformError."""
    from basestore.recipe.plan import plan

    known = {candidate.platform: candidate for candidate in lock.platforms}
    for platform in platforms:
        if platform not in known:
            raise UnknownPlatformError(lock.profile, platform, lock)
    return {p: plan(lock, known[p]) for p in (platforms or known)}
