"""Plan: what `build` and `push` would do, without doing it. Writes nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.image.model import Image
from basestore.image.stored import image_of
from basestore.lock import images
from basestore.lock.files import read_images
from basestore.lock.images import ImageRecord
from basestore.lock.model import Lock
from basestore.pipeline.layers import (
    Bytes,
    PlannedLayer,
    artifacts,
    causes_of,
    planned_layers,
    total,
)
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.status import LockFound, LockState, Reason
from basestore.profile.model import Project
from basestore.recipe.causes import Cause
from basestore.recipe.model import FoundationRecipe
from basestore.registry.auth import AccessRefusedError
from basestore.registry.client import RegistryClient
from basestore.registry.push import PARALLEL, is_pushed
from basestore.store import Store
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class LayerToMake:
    """A layer that the store lacks; ``causes``: why it is none of the image recorded before.

    Those are empty too where only files differ, or where no earlier image is known.
    """

    layer: PlannedLayer
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class PlatformPlan:
    """The layers of one platform, the lowest first, and those of them that are to be made."""

    platform: Platform
    layers: tuple[PlannedLayer, ...]
    made: tuple[LayerToMake, ...]


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What `build` would do with a profile's lock.

    ``image``: what is recorded for the lock. ``whole``: the store has all of it, so that nothing is
    to be done. ``before``: the image of an earlier lock that layers are compared with. ``fetch``:
    wheels and .debs to fetch, bytes by digest. ``fresh``: layers of no other recorded image.
    """

    image: Digest | None
    whole: bool
    before: Digest | None
    platforms: tuple[PlatformPlan, ...]
    fetch: Mapping[Digest, int]
    fresh: tuple[PlannedLayer, ...]

    @property
    def layers(self) -> tuple[PlannedLayer, ...]:
        """Every layer of every platform once."""
        return _once(self.platforms)

    @property
    def made(self) -> tuple[LayerToMake, ...]:
        """Every layer to make once."""
        found = {one.layer.identity: one for platform in self.platforms for one in platform.made}
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class ProfilePlan:
    """What would be done with a profile. ``build``: None without a lock that can be built."""

    profile: str
    lock: LockState
    reasons: tuple[Reason, ...]
    tag: str | None
    build: BuildPlan | None


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What `push` would send. ``pushed``: the tag is there, with the image if that is recorded.

    ``sent``: layers that neither the repository nor a sibling of it has.
    """

    repository: str
    pushed: bool
    sent: tuple[PlannedLayer, ...] = ()

    @property
    def bytes(self) -> Bytes:
        """How much that is."""
        return total(self.sent)


def plan_profile(
    project: Project, name: str, found: LockFound, store: Store | None, host: Platform | None
) -> ProfilePlan:
    """What `build` would do; ``host`` is what this machine runs.

    Raises DocumentError for the images file, TooManyLayersError.
    """
    state, reasons, tag = found.state, found.reasons, found.tag
    if tag is None or state in (LockState.REFUSED, LockState.FORBIDDEN):
        return ProfilePlan(name, state, reasons, tag.hex if tag else None, None)
    locked = read_locked(project, name)
    planner = _Planner(project, locked, locked.parse(), store, host)
    return ProfilePlan(name, state, reasons, locked.tag, planner.build())


def plan_push(
    plan: BuildPlan, tag: str, client: RegistryClient, siblings: Sequence[RegistryClient]
) -> PushPlan:
    """What `push` would send, asked of the registry; raises TagTakenError and what clients raise.

    ``siblings``: repositories that blobs would be mounted from.
    """
    repository = str(client.repository)
    if plan.image and is_pushed(client, tag, plan.image):
        return PushPlan(repository, pushed=True)
    if plan.image is None and client.manifest_digest(tag):
        return PushPlan(repository, pushed=True)

    def lacks(layer: PlannedLayer) -> bool:
        made = layer.realisation
        if made is None:
            return True
        return not (client.has_blob(made.layer) or any(_shows(one, made.layer) for one in siblings))

    with ThreadPoolExecutor(PARALLEL) as pool:
        lacking = pool.map(lacks, plan.layers)
        sent = [layer for layer, lacks_it in zip(plan.layers, lacking, strict=True) if lacks_it]
    return PushPlan(repository, pushed=False, sent=tuple(sent))


@dataclass(frozen=True, slots=True)
class _Planner:
    project: Project
    locked: LockedProfile
    lock: Lock
    store: Store | None
    host: Platform | None

    def build(self) -> BuildPlan:
        records = read_images(self.project)
        record = images.find(records, self.locked.name, self.locked.digest)
        whole = record is not None and self._image(record) is not None
        before = self._before(records)
        platforms = tuple(self._platforms(whole, before))
        made = [one.layer for platform in platforms for one in platform.made]
        known = set(self._layers_of_others(records))
        return BuildPlan(
            image=record.image if record else None,
            whole=whole,
            before=before.digest if before else None,
            platforms=platforms,
            fetch=self._fetch(made),
            fresh=tuple(one for one in _once(platforms) if one.identity not in known),
        )

    def _platforms(self, whole: bool, before: Image | None) -> Iterator[PlatformPlan]:
        for platform in self.lock.platforms:
            layers = planned_layers(self.lock, platform, self.store)
            known = _packages(before, platform.platform)
            made = tuple(
                LayerToMake(layer, tuple(causes_of(layer, layers, known)) if known else ())
                for layer in layers
                if layer.realisation is None and not whole
            )
            yield PlatformPlan(platform.platform, layers, made)

    def _before(self, records: Iterable[ImageRecord]) -> Image | None:
        """The image of another lock of the profile, recorded and in the store."""
        earlier = (one for one in self._others(records) if one.profile == self.locked.name)
        return next(filter(None, map(self._image, earlier)), None)

    def _layers_of_others(self, records: Iterable[ImageRecord]) -> Iterator[Digest]:
        for image in filter(None, map(self._image, self._others(records))):
            yield from (layer.descriptor.digest for layer in image.layers)

    def _others(self, records: Iterable[ImageRecord]) -> Iterator[ImageRecord]:
        """What is recorded of other locks."""
        mine = (self.locked.name, self.locked.digest)
        return (one for one in records if (one.profile, one.lock) != mine)

    def _image(self, record: ImageRecord) -> Image | None:
        return image_of(self.store, record.image, record.lock) if self.store else None

    def _fetch(self, made: Sequence[PlannedLayer]) -> Mapping[Digest, int]:
        """The artifacts that the store lacks, as `build` would bring them."""
        recipes = [layer.recipe for layer in made]
        if any(isinstance(recipe, FoundationRecipe) for recipe in recipes):
            from basestore.layer.realise import runner_of

            recipes.append(runner_of(self.lock, self.host))
        wanted = {digest: size for recipe in recipes for digest, size in artifacts(recipe)}
        has: Callable[[Digest], bool] = self.store.blobs.has if self.store else lambda _: False
        return {digest: size for digest, size in wanted.items() if not has(digest)}


def _shows(sibling: RegistryClient, layer: Digest) -> bool:
    """Whether another repository has a blob and lets us see it."""
    try:
        return sibling.has_blob(layer)
    except AccessRefusedError:
        return False


def _once(platforms: Iterable[PlatformPlan]) -> tuple[PlannedLayer, ...]:
    found = {layer.identity: layer for one in platforms for layer in one.layers}
    return tuple(found.values())


def _packages(image: Image | None, platform: Platform) -> tuple[tuple[str, ...], ...]:
    """The packages of each layer of an image's platform; nothing where it hasn't that one."""
    found = [one for one in image.platforms if one.platform == platform] if image else []
    return tuple(layer.packages for one in found for layer in one.layers)
