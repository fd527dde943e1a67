"""What is recorded of an image that an engine built, and that image in an engine."""

from basestore.digest import Digest
from basestore.engine.client import Engine
from basestore.engine.exchange import pull
from basestore.errors import DisagreementError
from basestore.lock.files import alone_with_locks, lock_digest, read_services, write_services
from basestore.lock.services import ServiceRecord, record_service
from basestore.pipeline.recorded import NotBuiltError, Records
from basestore.profile.model import Project
from basestore.progress import Progress
from basestore.target import KNOWN, Platform


class NotInEngineError(DisagreementError):
    """The recorded image of a service is not in the engine."""

    def __init__(self, service: str, host: str, image: Digest) -> None:
        super().__init__(
            f"the Docker Engine at {host} has no image {image}, which {service} is recorded as",
            f"run `basestore build {service}`; an image that an engine built is in that engine "
            "alone, and in the registries that it was pushed to",
        )
        self.image = image


def engine_built(project: Project, name: str) -> ServiceRecord:
    """The image that is recorded for a service that an engine builds.

    Raises NotBuiltError where there is none, or it is of another lock or on an old base, and
    NoLockError where its lock is gone.
    """
    records = Records.read(project)
    record = records.services.get(name)
    if record is None or record.made is not None:
        raise NotBuiltError(name, f"no image of {name} that an engine built is recorded")
    if record.lock and not record.is_of(lock_digest(project, name)):
        raise NotBuiltError(name, f"the image of {name} that an engine built is of an old lock")
    if not records.is_on_base(record):
        raise NotBuiltError(name, f"the image of {name} that an engine built is on an old base")
    return record


def record_engine_built(project: Project, record: ServiceRecord) -> None:
    """Record a service's image in the services file, in the place of the last one."""
    with alone_with_locks(project):
        records = read_services(project)
        write_services(project, record_service(records, record, project.services))


def image_in_engine(project: Project, name: str, engine: Engine, progress: Progress) -> Digest:
    """The ID of a service's recorded image, which is pulled where it is elsewhere than here.

    Raises what `engine_built` raises, NotInEngineError, EngineRefusedError and NoEngineError.
    """
    record = engine_built(project, name)
    platform = platform_of(engine)
    manifest = record.platforms.get(platform) if platform else None
    if engine.image(str(record.image)) is None and manifest and project.registry:
        repository = f"{project.registry.rstrip('/')}/{project.image(name)}"
        with progress.task("pull", repository):
            pull(engine, repository, manifest)
    if engine.image(str(record.image)) is None:
        raise NotInEngineError(name, engine.host, record.image)
    return record.image


def platform_of(engine: Engine) -> Platform | None:
    """What an engine's containers run on; None for what no image here is for."""
    return next((one for one in map(Platform.parse, KNOWN) if str(one) == engine.platform), None)
