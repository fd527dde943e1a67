"""Plan: what `build` and `push` would do, without doing it. Writes nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from basestore.digest import Digest
from basestore.errors import InputError
from basestore.image.model import Image
from basestore.pipeline.dockerfile import dockerfile_path
from basestore.pipeline.layers import Bytes, PlannedLayer, artifacts, causes_of, total
from basestore.pipeline.lock_state import LockFound, LockState, Reason
from basestore.pipeline.subject import Subject, Subjects
from basestore.profile.service import BuiltBy
from basestore.recipe.causes import Cause
from basestore.recipe.model import FoundationRecipe
from basestore.registry.auth import AccessRefusedError
from basestore.registry.client import RegistryClient
from basestore.registry.push import is_pushed, whole
from basestore.registry.standing import PARALLEL
from basestore.store import Realisation, Store
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
    """What `build` would do with the lock of a profile or service.

    ``image``: what is recorded for the lock, a service's base and its files. ``whole``: the store
    has all of it, so that nothing is to be done. ``before``: an earlier image that layers are
    compared with. ``fetch``: wheels and .debs to fetch, bytes by digest. ``fresh``: layers of no
    other recorded image. ``base``: the profile that a service stands on, whose layers are the
    lowest of these; ``base_image``: what is recorded for its lock, if the store has all of it.
    """

    image: Digest | None
    whole: bool
    before: Digest | None
    platforms: tuple[PlatformPlan, ...]
    fetch: Mapping[Digest, int]
    fresh: tuple[PlannedLayer, ...]
    base: str | None = None
    base_image: Digest | None = None

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
    """What would be done with a profile or service.

    ``tag``: the image's, as far as it can be told before it is built. ``build``: None where nothing
    can be built. ``dockerfile``: what an engine builds a service from, else empty. ``to_lock``: as
    in `LockFound`.
    """

    profile: str
    lock: LockState
    reasons: tuple[Reason, ...]
    tag: str | None
    build: BuildPlan | None
    to_lock: tuple[str, ...] = ()
    dockerfile: str = ""


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
    subjects: Subjects, name: str, found: LockFound, host: Platform | None
) -> ProfilePlan:
    """What `build` would do with a profile or service; ``host`` is what this machine runs.

    Files of a service that can't be taken are a reason. Raises TooManyLayersError.
    """
    nothing = ProfilePlan(name, found.state, found.reasons, None, None, found.to_lock)
    if found.tag is None or found.state in (LockState.REFUSED, LockState.FORBIDDEN):
        return nothing
    service = subjects.project.services.get(name)
    if service is None:
        return _planned(nothing, subjects.profile(name), subjects.store, host)
    if service.builder is BuiltBy.DOCKER:
        return replace(nothing, dockerfile=dockerfile_path(service))
    try:
        subject = subjects.service(name)
    except InputError as error:
        reasons = (*found.reasons, Reason(error.message))
        return replace(nothing, lock=LockState.REFUSED, reasons=reasons)
    return nothing if subject is None else _planned(nothing, subject, subjects.store, host)


def _planned(
    nothing: ProfilePlan, subject: Subject, store: Store | None, host: Platform | None
) -> ProfilePlan:
    return replace(nothing, tag=subject.tag, build=_Planner(subject, store, host).build())


def plan_push(
    plan: BuildPlan, tag: str | None, client: RegistryClient, siblings: Sequence[RegistryClient]
) -> PushPlan:
    """What `push` would send, asked of the registry; raises TagTakenError and what clients raise.

    ``tag``: None where it can't be told before building. ``siblings``: repositories that blobs
    would be mounted from.
    """
    repository = str(client.repository)
    if tag and plan.image and is_pushed(client, tag, plan.image) and whole(client, plan.image):
        return PushPlan(repository, pushed=True)
    if tag and plan.image is None and client.manifest_digest(tag):
        return PushPlan(repository, pushed=True)

    def lacks(layer: PlannedLayer) -> bool:
        made = layer.realisation
        if made is None:
            return True
        return not (_has(client, made) or any(_shows(one, made) for one in siblings))

    with ThreadPoolExecutor(PARALLEL) as pool:
        lacking = pool.map(lacks, plan.layers)
        sent = [layer for layer, lacks_it in zip(plan.layers, lacking, strict=True) if lacks_it]
    return PushPlan(repository, pushed=False, sent=tuple(sent))


@dataclass(frozen=True, slots=True)
class _Planner:
    subject: Subject
    store: Store | None
    host: Platform | None

    def build(self) -> BuildPlan:
        subject = self.subject
        platforms = tuple(self._platforms())
        made = [one.layer for platform in platforms for one in platform.made]
        known = set(subject.layers_of_others)
        return BuildPlan(
            image=subject.image,
            whole=subject.whole,
            before=subject.before.digest if subject.before else None,
            platforms=platforms,
            fetch=self._fetch(made),
            fresh=tuple(one for one in _once(platforms) if one.identity not in known),
            base=subject.base,
            base_image=subject.base_image,
        )

    def _platforms(self) -> Iterator[PlatformPlan]:
        for platform, layers in self.subject.layers.items():
            known = _packages(self.subject.before, platform)
            made = tuple(
                LayerToMake(layer, tuple(causes_of(layer, layers, known)) if known else ())
                for layer in layers
                if layer.realisation is None and not self.subject.whole
            )
            yield PlatformPlan(platform, layers, made)

    def _fetch(self, made: Sequence[PlannedLayer]) -> Mapping[Digest, int]:
        """The artifacts that the store lacks, as `build` would bring them."""
        recipes = [layer.recipe for layer in made]
        if any(isinstance(recipe, FoundationRecipe) for recipe in recipes):
            from basestore.layer.realise import runner_of

            recipes.append(runner_of(self.subject.foundation, self.host))
        wanted = {digest: size for recipe in recipes for digest, size in artifacts(recipe)}
        has: Callable[[Digest], bool] = self.store.blobs.has if self.store else lambda _: False
        return {digest: size for digest, size in wanted.items() if not has(digest)}


def _shows(sibling: RegistryClient, made: Realisation) -> bool:
    """Whether another repository has a blob and lets us see it."""
    try:
        return _has(sibling, made)
    except AccessRefusedError:
        return False


def _has(client: RegistryClient, made: Realisation) -> bool:
    """Whether a repository has a layer, in its size where that is told."""
    found = client.find_blob(made.layer, made.size)
    return found is not None and found.size in (None, made.size)


def _once(platforms: Iterable[PlatformPlan]) -> tuple[PlannedLayer, ...]:
    found = {layer.identity: layer for one in platforms for layer in one.layers}
    return tuple(found.values())


def _packages(image: Image | None, platform: Platform) -> tuple[tuple[str, ...], ...]:
    """The packages of each layer of an image's platform; nothing where it hasn't that one."""
    found = [one for one in image.platforms if one.platform == platform] if image else []
    return tuple(layer.packages for one in found for layer in one.layers)
