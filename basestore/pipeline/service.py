"""Services: a base's layers as they are, then the packages that it lacks, then the application."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basestore.lock.files import alone_with_locks, read_services, write_services
from basestore.lock.freshness import StaleLockError, Why, check
from basestore.lock.inputs import Part
from basestore.lock.model import Lock
from basestore.lock.services import Made, ServiceRecord, record_service
from basestore.lock.stale import to_lock
from basestore.pipeline.assembled import check_same, manifests
from basestore.pipeline.build import (
    Builder,
    Built,
    Layers,
    Make,
    plans_of,
    record_image,
)
from basestore.pipeline.locked import LockedProfile, read_locked
from basestore.pipeline.recorded import Recorded, Records
from basestore.profile.model import Project
from basestore.profile.service import Service
from basestore.target import Platform

if TYPE_CHECKING:
    from basestore.layer.application import Application
    from basestore.recipe.model import FoundationRecipe


@dataclass(frozen=True, slots=True)
class _Order:
    """A service to build. ``platforms``: only these, all of them where it is empty."""

    service: Service
    locked: LockedProfile
    lock: Lock
    platforms: tuple[Platform, ...]
    make: Make


@dataclass(frozen=True, slots=True)
class ServiceBuilder:
    """Builds a project's services with a builder of locks."""

    project: Project
    builder: Builder

    def build(self, name: str, platforms: Sequence[Platform], make: Make) -> Built:
        """Build a service's image, and first its base's where the store lacks that.

        Nothing is made where lock, base and application are those of the recorded image, unless
        ``make`` makes again. Raises what reading the application, fetching and realising raise.
        """
        from basestore.layer.application import read_application
        from basestore.layer.realise import realise

        service = self.project.services[name]
        check_base(self.project, name)
        locked = read_locked(self.project, name)
        order = _Order(service, locked, locked.parse(), tuple(platforms), make)
        workdir = order.lock.image.workdir or "/"
        application = read_application(self.project.root, service, workdir)
        base = self._base(service.base)
        if make is realise and not platforms:
            there = self._there(locked, base, application)
            if there:
                return there
        return self._build(order, application, base)

    def _base(self, name: str) -> Built:
        """The base's image, built and recorded where it isn't there."""
        from basestore.layer.realise import realise

        recorded = Records.read(self.project).find(name)
        if there := self.builder.there(self.project, recorded):
            return there
        built = self.builder.build(read_locked(self.project, name), (), realise)
        record_image(self.project, built)
        return built

    def _there(
        self, locked: LockedProfile, base: Built, application: "Application"
    ) -> Built | None:
        """The recorded image, if it is of these three and whole."""
        record = read_services(self.project).get(locked.name)
        layer = self.builder.store.realisations.of_recipe(application.recipe.digest)
        if record is None or layer is None:
            return None
        if record.made != Made(locked.digest, base.image.digest, layer.layer):
            return None
        return self.builder.there(self.project, recorded_service(record, record.made))

    def _build(self, order: _Order, application: "Application", base: Built) -> Built:
        from basestore.image.assemble import assemble
        from basestore.image.check import check_image
        from basestore.image.stored import keep_image
        from basestore.layer.realise import Workshop

        builder, lock = self.builder, order.lock
        lower, runner = self._base_layers(order)
        workshop = Workshop(builder.store, runner, application.sources)
        own = plans_of(lock, order.platforms)
        plans = {p: (*plan, application.recipe) for p, plan in own.items()}
        upper = builder.layers(order.locked, lock, plans, order.make, workshop)
        layers = lower.under(upper)
        missing = [
            line
            for platform, realised in layers.platforms.items()
            for line in check_image(
                builder.store, platform, realised, len(lower.platforms[platform])
            )
        ]
        top = next(iter(upper.platforms.values()))[-1][1].layer
        made = Made(order.locked.digest, base.image.digest, top)
        assembled = assemble(lock.image, made.lock, layers.platforms, top)
        keep_image(builder.store, assembled)
        image = assembled.image
        record = ServiceRecord(lock.profile, image.digest, made.base, made, manifests(image))
        before = read_services(self.project).get(lock.profile)
        renewed = before is None or before.image != image.digest
        recorded = recorded_service(record, made)
        return Built(recorded, image, layers.kept, tuple(missing), renewed)

    def _base_layers(self, order: _Order) -> tuple[Layers, "FoundationRecipe"]:
        """The layers of the base's image on the service's platforms, and its foundation."""
        from basestore.layer.realise import Workshop, realise, runner_of

        locked = read_locked(self.project, order.service.base)
        lock = locked.parse()
        runner = runner_of(lock, self.builder.host)
        wanted = order.platforms or tuple(one.platform for one in order.lock.platforms)
        workshop = Workshop(self.builder.store, runner)
        layers = self.builder.layers(locked, lock, plans_of(lock, wanted), realise, workshop)
        return layers, runner


def check_base(project: Project, name: str) -> None:
    """Raise StaleLockError for a service that was locked on another lock of its base.

    What it lacks there may be there now, or in another version than it needs.
    """
    freshness = check(project, name)
    for reason in freshness.reasons:
        if reason.why is Why.CHANGED and Part.PARENT.value in reason.names:
            raise StaleLockError(freshness, to_lock(project, [name]))


def recorded_service(record: ServiceRecord, made: Made) -> Recorded:
    """What the services file says of an image that was made here."""
    return Recorded(record.service, made.lock, record.tag, record.image, record.platforms, made)


def record_built(project: Project, built: Built) -> None:
    """Record a service's image in the services file, in the place of the last one.

    Raises OtherImageError where lock, base and application are recorded to have given another.
    """
    found, made = built.recorded, built.recorded.made
    if made is None:
        raise ValueError(f"{found.name} is no service that was made here")
    new = ServiceRecord(found.name, found.image, made.base, made, found.platforms)
    with alone_with_locks(project):
        records = read_services(project)
        last = records.get(found.name)
        if last and last.made == made:
            check_same(recorded_service(last, made), built.image)
        write_services(project, record_service(records, new, project.services))
