"""Build: a lock becomes an image in the store. What is recorded and whole is not made again."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basestore.digest import Digest
from basestore.errors import DisagreementError, IntegrityError, UsageError
from basestore.files import locked_folder
from basestore.image.model import Image
from basestore.image.stored import image_of
from basestore.lock import images
from basestore.lock.files import lock_digests, read_images, write_images
from basestore.lock.model import Lock
from basestore.pipeline.locked import LockedProfile
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


class NotBuiltError(DisagreementError):
    """The image of a profile's lock is not recorded, or the store lacks a part of it."""

    def __init__(self, profile: str) -> None:
        super().__init__(
            f"the image of profile {profile}'s lock is not in the store",
            f"run `basestore build {profile}`",
        )


class OtherImageError(IntegrityError):
    """A lock gave another image than it is recorded to have given."""

    def __init__(self, profile: str, recorded: Digest, built: Digest) -> None:
        super().__init__(
            f"profile {profile} is not reproducible: locks/images.toml records {recorded} for its "
            f"lock, and this build made {built}",
            "compare versions of basestore; if it changed its layer format, drop the line from "
            "locks/images.toml and build again",
        )


@dataclass(frozen=True, slots=True)
class Built:
    """What a build gave: the image, and which of its layers the store had already.

    ``missing``: libraries that ELF files of the image need and the image lacks, as sentences.
    """

    locked: LockedProfile
    image: Image
    kept_layers: frozenset[Digest]
    missing: tuple[str, ...] = ()

    @property
    def reused(self) -> bool:
        """Whether there was nothing to do."""
        return all(layer.descriptor.digest in self.kept_layers for layer in self.image.layers)


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

    def recorded(self, project: Project, locked: LockedProfile) -> Built | None:
        """The image that is recorded for a lock, if the store has all of it."""
        image = stored_image(project, locked, self.store)
        if image is None:
            return None
        return Built(locked, image, frozenset(one.descriptor.digest for one in image.layers))

    def build(self, locked: LockedProfile, platforms: Sequence[Platform], make: Make) -> Built:
        """Build a lock's image; of ``platforms`` only, where some are named.

        Raises what fetching and realising raise, and UnknownPlatformError.
        """
        from basestore.image.assemble import assemble
        from basestore.image.check import check_image
        from basestore.image.stored import keep_image
        from basestore.layer.realise import realise

        lock = locked.parse()
        plans = _plans(lock, platforms)
        recipes = list(dict.fromkeys(r for plan in plans.values() for r in plan))
        kept = self._kept(recipes)
        lacking = [recipe for recipe in recipes if make is not realise or recipe not in kept]
        made = {**kept, **self._realise(locked, lock, lacking, make)}
        realised = {p: [(r, made[r]) for r in plan] for p, plan in plans.items()}
        missing = [
            line for p, layers in realised.items() for line in check_image(self.store, p, layers)
        ]
        assembled = assemble(lock.image, locked.digest, realised)
        keep_image(self.store, assembled)
        kept_layers = frozenset(realisation.layer for realisation in kept.values())
        return Built(locked, assembled.image, kept_layers, tuple(missing))

    def _kept(self, recipes: Sequence["Recipe"]) -> Mapping["Recipe", Realisation]:
        recorded = {one: self.store.realisations.of_recipe(one.digest) for one in recipes}
        return {recipe: found for recipe, found in recorded.items() if found}

    def _realise(
        self, locked: LockedProfile, lock: Lock, recipes: Sequence["Recipe"], make: Make
    ) -> Mapping["Recipe", Realisation]:
        """Fetch what these recipes need, and make their layers, several at a time."""
        from basestore.layer.apart import make_all
        from basestore.layer.realise import Workshop, runner_of
        from basestore.recipe.model import FoundationRecipe

        workshop = Workshop(self.store, runner_of(lock, self.host))
        needed = {digest for recipe in recipes for digest in recipe.inputs}
        if any(isinstance(recipe, FoundationRecipe) for recipe in recipes):
            needed.update(workshop.runner.inputs)
        self.bring(locked, lock, frozenset(needed))
        return make_all(recipes, workshop, make, self._watch, self.jobs)

    def _watch(self, recipe: "Recipe") -> AbstractContextManager[object]:
        from basestore.recipe.model import label

        return self.progress.task("layer", label(recipe))


def recorded_image(project: Project, locked: LockedProfile) -> images.ImageRecord | None:
    """What the images file says that a lock gave."""
    return images.find(read_images(project), locked.name, locked.digest)


def stored_image(project: Project, locked: LockedProfile, store: Store) -> Image | None:
    """The image that is recorded for a lock, if the store has all of it."""
    record = recorded_image(project, locked)
    return image_of(store, record.image, locked.digest) if record else None


def record_image(project: Project, built: Built) -> None:
    """Record a lock's image in the images file; entries of locks that are gone are dropped.

    Raises OtherImageError where the lock is recorded to have given another image.
    """
    locked = built.locked
    platforms = {one.platform: one.manifest.digest for one in built.image.platforms}
    new = images.ImageRecord(locked.name, locked.digest, built.image.digest, platforms)
    with locked_folder(project.locks):
        records = read_images(project)
        record = images.find(records, locked.name, locked.digest)
        if record and record.image != built.image.digest:
            raise OtherImageError(locked.name, record.image, built.image.digest)
        there = lock_digests(project).values()
        write_images(project, images.record_image(records, new, there))


def _plans(lock: Lock, platforms: Sequence[Platform]) -> Mapping[Platform, tuple["Recipe", ...]]:
    from basestore.recipe.plan import plan

    known = {candidate.platform: candidate for candidate in lock.platforms}
    for platform in platforms:
        if platform not in known:
            raise UnknownPlatformError(lock.profile, platform, lock)
    return {p: plan(lock, known[p]) for p in (platforms or known)}
