"""Services that an engine builds: from their own Dockerfile, on the pinned image of their base.

Such an image is no function of what is locked: its layers have dates, and a `RUN` may do anything.
It is known by its ID, which the engine tells (decision 0037), and recorded as not reproducible.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from basestore.digest import Digest
from basestore.engine.build import BuildOrder, build
from basestore.engine.client import Engine, EngineImage
from basestore.engine.errors import EnginePlatformError, EngineRefusedError
from basestore.engine.exchange import has_pulled, pull
from basestore.errors import DisagreementError, InputError, UnreachableError
from basestore.layer.application.errors import NoContextError, OutsideProjectError
from basestore.lock.files import NoLockError, lock_digest, read_services
from basestore.lock.services import ServiceRecord
from basestore.pipeline.dockerfile import base_pin, dockerfile_path, known_service
from basestore.pipeline.engine_record import platform_of, record_engine_built
from basestore.profile.model import Project
from basestore.profile.reader import read_profile
from basestore.profile.service import Service
from basestore.progress import Progress
from basestore.registry.reference import Reference, Repository
from basestore.target import Platform

SERVICE_LABEL = "dev.basestore.service"
BASE_LABEL = "dev.basestore.base"
"""The label that names the image digest of the base."""


class NoDockerfileError(InputError):
    """A service that the engine is to build has no Dockerfile."""

    def __init__(self, service: Service, file: str) -> None:
        super().__init__(
            f"{service.place}: there is no {file}, which the engine is to build {service.name} of",
            f"begin with the one that `basestore dockerfile {service.name} --write` makes",
        )
        self.file = file


class NoBaseError(UnreachableError):
    """The engine can't get the image of a base."""

    def __init__(self, host: str, base: str, reference: Reference, reason: str) -> None:
        super().__init__(
            f"the Docker Engine at {host} can't get the base {reference}: {reason}",
            f"if it is not there, run `basestore push {base}`; else see that the engine reaches "
            f"{reference.repository.host} and may pull from it",
        )
        self.base = base
        self.reference = reference


class NotOnBaseError(DisagreementError):
    """The image that was built doesn't stand on the base that its service names."""

    def __init__(self, service: Service, file: str, base: Reference) -> None:
        super().__init__(
            f"{file} builds an image that doesn't stand on {base}",
            "let its last stage begin with FROM ${BASE_IMAGE}; or change `base` of "
            f"[services.{service.name}], if another one is meant",
        )
        self.base = base


class BuiltElsewhereError(UnreachableError):
    """The engine's client built an image, but not in the engine."""

    def __init__(self, service: str, host: str, image: Digest) -> None:
        super().__init__(
            f"the image {image} of {service} was built, but not in the Docker Engine at {host}",
            "the client uses a builder of its own: run `docker buildx use default`, and unset "
            "BUILDX_BUILDER",
        )
        self.image = image


@dataclass(frozen=True, slots=True)
class EngineBuilt:
    """An image that an engine built. ``names``: the engine's for it; ``changed``: whether
    something else was recorded before.
    """

    record: ServiceRecord
    base: Reference
    platform: Platform
    names: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class EngineBuilder:
    """Builds a project's services in an engine. ``environ``: what the engine's client gets."""

    project: Project
    engine: Engine
    environ: Mapping[str, str]
    progress: Progress

    def build(self, name: str, repository: Repository) -> EngineBuilt:
        """Build a service, tag and record it. ``repository``: of its base.

        Raises NoLockError and NotBuiltError for the base, NoContextError, NoDockerfileError,
        OutsideProjectError, EnginePlatformError, NoBaseError, NotOnBaseError, BuiltElsewhereError,
        and what building raises.
        """
        service = known_service(self.project, name)
        pin = base_pin(self.project, service.base, repository)
        platform = self._platform(name)
        file = _existing(self.project, service)
        base = self._base(service, pin)
        lock = _lock(self.project, name)
        with self.progress.task("build", name):
            image = build(self._order(service, file, pin), self.environ, self.progress.note)
        self._check_stands(service, pin, image, base)
        names = _names(self.project, name, image)
        for one in names:
            self.engine.tag(image, one)
        before = read_services(self.project).get(name)
        record = ServiceRecord(name, image, _digest(pin), engine_lock=lock)
        if before and before.made is None and before.image == image:
            record = replace(record, platforms=before.platforms)
        record_engine_built(self.project, record)
        return EngineBuilt(record, pin, platform, names, record != before)

    def _platform(self, name: str) -> Platform:
        platform, known = platform_of(self.engine), read_profile(self.project, name).platforms
        if platform is None or platform not in known:
            listed = ", ".join(map(str, known))
            raise EnginePlatformError(self.engine.host, self.engine.platform, listed)
        return platform

    def _base(self, service: Service, pin: Reference) -> EngineImage | None:
        """The base's image in the engine, pulled where it isn't there."""
        repository, digest = str(pin.repository), _digest(pin)
        if not has_pulled(self.engine, repository, digest):
            try:
                with self.progress.task("pull", repository):
                    pull(self.engine, repository, digest)
            except EngineRefusedError as error:
                raise NoBaseError(self.engine.host, service.base, pin, error.reason) from error
        return self.engine.image(f"{repository}@{digest}")

    def _order(self, service: Service, file: Path, pin: Reference) -> BuildOrder:
        filled = {
            "BASE_IMAGE": str(pin),
            "BASE_VERSION": f"{pin.tag}@{pin.digest}",
            "BASE_LOCK": pin.tag or "",
        }
        return BuildOrder(
            name=service.name,
            dockerfile=file,
            context=self.project.root / service.context,
            arguments={**service.build_args, **filled},
            labels={BASE_LABEL: str(pin.digest), SERVICE_LABEL: service.name},
        )

    def _check_stands(
        self, service: Service, pin: Reference, image: Digest, base: EngineImage | None
    ) -> None:
        found = self.engine.image(str(image))
        if found is None:
            raise BuiltElsewhereError(service.name, self.engine.host, image)
        if base and found.layers[: len(base.layers)] != base.layers:
            raise NotOnBaseError(service, dockerfile_path(service), pin)


def _existing(project: Project, service: Service) -> Path:
    """The Dockerfile; raises NoContextError, NoDockerfileError and OutsideProjectError."""
    if not (project.root / service.context).is_dir():
        raise NoContextError(service.place, service.context)
    file = dockerfile_path(service)
    if not (project.root / file).is_file():
        raise NoDockerfileError(service, file)
    root = project.root.resolve()
    for what, path in (("the context", service.context), ("the Dockerfile", file)):
        if not (root / path).resolve().is_relative_to(root):
            raise OutsideProjectError(service.place, f"{what} {path}", "the project")
    return project.root / file


def _lock(project: Project, name: str) -> Digest | None:
    """The digest of a service's lock; None where it has none, which a Dockerfile needn't."""
    try:
        return lock_digest(project, name)
    except NoLockError:
        return None


def _names(project: Project, name: str, image: Digest) -> tuple[str, ...]:
    """The names of an image in an engine: the short one, and the registry's, if there is one."""
    short = f"{project.image(name)}:{image.hex}"
    return (short, f"{project.registry.rstrip('/')}/{short}") if project.registry else (short,)


def _digest(pin: Reference) -> Digest:
    if pin.digest is None:
        raise ValueError(f"{pin} is no pin")
    return pin.digest
