"""What is planned: the layers that an image would have, and the images that are recorded."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from basestore.digest import Digest
from basestore.image.model import Image
from basestore.image.stored import image_of
from basestore.layer.application import read_application
from basestore.lock.files import NoLockError, read_lock
from basestore.lock.images import ImageRecord
from basestore.lock.model import Lock
from basestore.lock.services import Made
from basestore.pipeline.assembled import Assembler
from basestore.pipeline.layers import PlannedLayer, planned_layer, planned_layers
from basestore.pipeline.recorded import OtherImageError, Recorded, Records
from basestore.pipeline.standing import record_of
from basestore.profile.model import Project
from basestore.store import Store
from basestore.target import Platform


@dataclass(frozen=True, slots=True)
class Subject:
    """What is planned of a profile or service.

    ``tag``: its image's, as far as it can be told. ``layers``: of each platform, the lowest first.
    ``foundation``: the lock that has its .debs. ``image``: what is recorded of it as it is now;
    ``whole``: the store has all of that. ``before``: an earlier image of it that the store has.
    ``others``: images that are recorded of others. ``base``, ``base_image``: as in `BuildPlan`.
    """

    tag: str | None
    layers: Mapping[Platform, tuple[PlannedLayer, ...]]
    foundation: Lock
    image: Digest | None
    whole: bool
    before: Image | None
    others: tuple[Image, ...]
    base: str | None = None
    base_image: Digest | None = None

    @property
    def layers_of_others(self) -> Iterator[Digest]:
        """The layers of the other images."""
        return (layer.descriptor.digest for image in self.others for layer in image.layers)


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is planned in a project. What many of its services share is read once."""

    records: Records
    store: Store | None
    _images: dict[Digest, Image | None] = field(default_factory=dict, init=False)
    _bases: dict[str, "_Base | None"] = field(default_factory=dict, init=False)
    _assembler: Assembler | None = None

    @classmethod
    def of(cls, project: Project, store: Store | None) -> "Subjects":
        """Those of a project; raises DocumentError for the images file and the services file."""
        assembler = Assembler.of(project, store) if store else None
        return cls(Records.read(project), store, _assembler=assembler)

    @property
    def project(self) -> Project:
        """The project."""
        return self.records.project

    def profile(self, name: str) -> Subject:
        """A profile; raises NoLockError, EditedLockError."""
        lock, digest = read_lock(self.project, name)
        records = self.records.images
        here = [one for one in records if (one.profile, one.lock) == (name, digest)]
        recorded = Recorded.of_profile(here[0]) if here else None
        others = [one for one in records if one not in here]
        earlier = self._recorded(one for one in others if one.profile == name)
        return Subject(
            tag=digest.hex,
            layers={one.platform: planned_layers(lock, one, self.store) for one in lock.platforms},
            foundation=lock,
            image=here[0].image if here else None,
            whole=self._is_proven(recorded),
            before=earlier[0] if earlier else None,
            others=self._recorded(others),
        )

    def service(self, name: str) -> Subject | None:
        """A service that is built here; None where its base has no lock.

        Platforms that its base no longer has are left out. Raises NoLockError, EditedLockError, and
        InputError kinds for files that can't be taken.
        """
        service = self.project.services[name]
        lock, digest = read_lock(self.project, name)
        base = self._base(service.base)
        if base is None:
            return None
        recipe = read_application(self.project.root, service, lock.image.workdir or "/").recipe
        top = planned_layer(recipe, self.store)
        below, layer = base.recorded, top.realisation
        made = Made(digest, below.image, layer.layer) if below and layer else None
        record = record_of(self.records, name)
        there = record is not None and made is not None and record.made == made
        before = self._image(record.image, record.made.lock) if record and record.made else None
        return Subject(
            tag=made.tag if made else None,
            layers={
                one.platform: (
                    *base.layers[one.platform],
                    *planned_layers(lock, one, self.store),
                    top,
                )
                for one in lock.platforms
                if one.platform in base.layers
            },
            foundation=base.lock,
            image=record.image if record and there else None,
            whole=there and self._is_proven(self.records.find(name)),
            before=before,
            others=self._recorded(self.records.images),
            base=service.base,
            base_image=below.image if below and self._is_proven(below) else None,
        )

    def _base(self, name: str) -> "_Base | None":
        if name not in self._bases:
            try:
                lock = read_lock(self.project, name)[0]
            except NoLockError:
                self._bases[name] = None
            else:
                layers = {p.platform: planned_layers(lock, p, self.store) for p in lock.platforms}
                self._bases[name] = _Base(lock, self.records.find(name), layers)
        return self._bases[name]

    def _is_proven(self, recorded: Recorded | None) -> bool:
        """Whether the store has all of what is recorded, and the lock gives that."""
        if recorded is None or self._assembler is None:
            return False
        try:
            return self._assembler.proven(recorded) is not None
        except OtherImageError:
            return False

    def _image(self, image: Digest, lock: Digest) -> Image | None:
        """An image that was kept, if the store has all of it; nobody says that it was built."""
        if self.store and image not in self._images:
            self._images[image] = image_of(self.store, image, lock)
        return self._images.get(image)

    def _recorded(self, records: Iterable[ImageRecord]) -> tuple[Image, ...]:
        """Those of recorded images that the store has."""
        return tuple(filter(None, (self._image(one.image, one.lock) for one in records)))


@dataclass(frozen=True, slots=True)
class _Base:
    """A base: its lock, what is recorded for that, and the layers it would have."""

    lock: Lock
    recorded: Recorded | None
    layers: Mapping[Platform, tuple[PlannedLayer, ...]]
