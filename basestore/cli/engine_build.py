"""What `build` and `push` do for services that an engine builds, and how they tell it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from basestore.cli.engine import open_engine
from basestore.cli.registry import repository_of
from basestore.cli.settings import Settings
from basestore.cli.terminal import say, warn
from basestore.errors import UsageError
from basestore.profile.model import Project
from basestore.profile.service import BuiltBy
from basestore.progress import Progress
from basestore.target import Platform

if TYPE_CHECKING:
    from basestore.pipeline.engine_build import EngineBuilt
    from basestore.pipeline.engine_push import EnginePushed
    from basestore.registry.client import RegistryClient


class OfflineEngineError(UsageError):
    """A service whose engine would ask servers is to be built offline."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} can't be built offline: an engine builds it, which may ask servers",
            "leave --offline out, or name what else is to be built",
        )


class EnginePlatformsError(UsageError):
    """A service that an engine builds is asked for on a platform by name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} can't be built for a platform that is named: an engine builds it for its own",
            "leave --platform out, or name what else is to be built",
        )


class EngineExportError(UsageError):
    """The image of a service that an engine builds is to be exported, and the store hasn't it."""

    def __init__(self, name: str, image: str) -> None:
        super().__init__(
            f"the image of {name} can't be exported: an engine builds it, and has it alone",
            f'`docker save {image}` writes it; or leave out builder = "docker" of '
            f"[services.{name}], if no RUN is needed",
        )


def by_engine(project: Project, name: str) -> bool:
    """Whether a name is that of a service that an engine builds."""
    service = project.services.get(name)
    return service is not None and service.builder is BuiltBy.DOCKER


def check_options(name: str, settings: Settings, platforms: Sequence[Platform]) -> None:
    """Raise for options of `build` that an engine can't follow."""
    if settings.offline:
        raise OfflineEngineError(name)
    if platforms:
        raise EnginePlatformsError(name)


def check_export(project: Project, name: str) -> None:
    """Raise EngineExportError for the image of a service that an engine builds."""
    if not by_engine(project, name):
        return
    from basestore.lock.files import read_services

    record = read_services(project).get(name)
    tag = f":{record.tag}" if record and record.made is None else ""
    raise EngineExportError(name, project.image(name) + tag)


def build_by_engine(
    project: Project, name: str, settings: Settings, progress: Progress
) -> "EngineBuilt":
    """Build a service in the engine that Docker's own client would speak to."""
    from basestore.pipeline.engine_build import EngineBuilder

    repository = repository_of(project, project.services[name].base, None)
    with open_engine(settings) as engine:
        return EngineBuilder(project, engine, settings.environ, progress).build(name, repository)


def warn_of_rebuild(name: str) -> None:
    """Say that there is nothing to compare."""
    warn(f"{name}: an engine builds it, so that no rebuild can be compared")


def show_built(built: "EngineBuilt") -> None:
    """Tell people what was built."""
    record = built.record
    say(f"{record.service}: {'built by the engine' if built.changed else 'nothing new'}")
    for name in built.names:
        say(f"  image     {name}")
    say(f"  digest    {record.image}, not reproducible")
    say(f"  base      {built.base}")
    say(f"  platform  {built.platform}")


def built_json(built: "EngineBuilt") -> dict[str, object]:
    """What was built, for machines; ``digest`` is the engine's ID of it."""
    record = built.record
    return {
        "profile": record.service,
        "tag": record.tag,
        "reference": built.names[-1],
        "digest": str(record.image),
        "base": str(built.base),
        "reproducible": False,
        "reused": not built.changed,
        "platforms": [{"platform": str(built.platform)}],
    }


def push_by_engine(
    project: Project,
    name: str,
    client: "RegistryClient",
    settings: Settings,
    progress: Progress,
) -> "EnginePushed":
    """Let the engine push a service's image to the client's repository."""
    from basestore.pipeline.engine_push import push_engine_built

    return push_engine_built(project, name, lambda: open_engine(settings), client, progress)


def show_pushed(pushed: "EnginePushed") -> None:
    """Tell people what was pushed."""
    record = pushed.record
    say(f"{record.service}: {'pushed by the engine' if pushed.sent else 'nothing to do'}")
    say(f"  {pushed.repository}:{record.tag}@{pushed.digest}")


def pushed_json(pushed: "EnginePushed") -> dict[str, object]:
    """What was pushed, for machines."""
    record = pushed.record
    return {
        "profile": record.service,
        "reference": f"{pushed.repository}:{record.tag}@{pushed.digest}",
        "digest": str(pushed.digest),
        "changed": pushed.sent,
        "reproducible": False,
    }
