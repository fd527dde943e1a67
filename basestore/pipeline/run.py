"""Run: which image of the engine a profile or service is, brought there if need be."""

from basestore.digest import Digest
from basestore.engine.client import Engine
from basestore.pipeline.build import Builder
from basestore.pipeline.engine_record import engine_built, image_in_engine
from basestore.pipeline.load import load_image
from basestore.pipeline.recorded import Records
from basestore.profile.model import Project
from basestore.profile.reader import read_profile
from basestore.profile.service import BuiltBy


def image_to_run(project: Project, name: str, engine: Engine, builder: Builder) -> Digest:
    """The ID of a name's recorded image in an engine, which is given it where it lacks it.

    Raises NoLockError, NotBuiltError, NotInEngineError, EnginePlatformError and what loading and
    pulling raise.
    """
    if _by_engine(project, name):
        return image_in_engine(project, name, engine, builder.progress)
    recorded = Records.read(project).required(name)
    return load_image(project, recorded, engine, builder).report.id


def check_built(project: Project, name: str) -> None:
    """Raise NoLockError or NotBuiltError where no image of a name is recorded that may be run."""
    if _by_engine(project, name):
        engine_built(project, name)
    else:
        Records.read(project).required(name)


def service_port(project: Project, name: str) -> int | None:
    """The TCP port that a service listens on; None for profiles and services without one."""
    if name not in project.services:
        return None
    return next(iter(read_profile(project, name).image.ports), None)


def _by_engine(project: Project, name: str) -> bool:
    service = project.services.get(name)
    return service is not None and service.builder is BuiltBy.DOCKER
