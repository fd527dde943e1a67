"""Push what an engine built: the engine sends it, and the registry tells what came of it."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from basestore.digest import Digest
from basestore.engine.client import Engine
from basestore.engine.exchange import push
from basestore.errors import UnreachableError
from basestore.lock.services import ServiceRecord
from basestore.pipeline.engine_record import NotInEngineError, engine_built, record_engine_built
from basestore.profile.model import Project
from basestore.progress import Progress
from basestore.registry.client import RegistryClient
from basestore.registry.inspect import PublishedParts, published_manifest, published_parts
from basestore.registry.push import KeptError, TagTakenError
from basestore.registry.reference import Reference
from basestore.registry.standing import Seen, ask_all
from basestore.target import Platform


class LostPushError(UnreachableError):
    """An engine pushed an image, and the registry that is asked from here hasn't that one."""

    def __init__(self, host: str, reference: Reference) -> None:
        super().__init__(
            f"the Docker Engine at {host} pushed {reference}, but the registry doesn't have it",
            f"see whether {reference.repository.host} is the same registry for the engine as here",
        )
        self.reference = reference


@dataclass(frozen=True, slots=True)
class EnginePushed:
    """An image that an engine pushed. ``digest``: the manifest's; ``sent``: whether it had to."""

    record: ServiceRecord
    repository: str
    digest: Digest
    sent: bool


OpenEngine = Callable[[], AbstractContextManager[Engine]]
"""Opens the engine; raises what opening it raises."""


def push_engine_built(
    project: Project, name: str, engine: OpenEngine, client: RegistryClient, progress: Progress
) -> EnginePushed:
    """Let an engine push a service's recorded image, and record its manifest's digest.

    The registry is asked first, and the engine opened only where that lacks the image or a blob of
    it. Raises what `engine_built` raises, NotInEngineError, TagTakenError, LostPushError,
    KeptError, EngineRefusedError, NoEngineError, and what the client raises.
    """
    record = engine_built(project, name)
    published = _published(record, client)
    sent = published is None or bool(_lacking(published, client))
    if published is None or sent:
        with engine() as opened:
            published = _send(record, opened, client, progress)
    pushed = replace(record, platforms=_manifests(published, record, client))
    if pushed != record:
        record_engine_built(project, pushed)
    return EnginePushed(pushed, str(client.repository), published.digest, sent)


def _send(
    record: ServiceRecord, engine: Engine, client: RegistryClient, progress: Progress
) -> PublishedParts:
    """Let an engine push an image; what the registry has of it then."""
    if engine.image(str(record.image)) is None:
        raise NotInEngineError(record.service, engine.host, record.image)
    repository = str(client.repository)
    engine.tag(record.image, f"{repository}:{record.tag}")
    with progress.task("push", repository):
        digest = push(engine, repository, record.tag)
    published = _published(record, client)
    if published is None or published.digest != digest:
        raise LostPushError(engine.host, Reference(client.repository, record.tag, digest))
    if lacking := _lacking(published, client):
        raise KeptError(client.repository, [str(one) for one in lacking])
    return published


def _published(record: ServiceRecord, client: RegistryClient) -> PublishedParts | None:
    """What the registry has under the tag; raises TagTakenError where it is another image."""
    found = published_parts(client, record.tag)
    if found is None:
        return None
    if record.image not in {found.digest, *(one.config.digest for one in found.manifests)}:
        raise TagTakenError(Reference(client.repository, record.tag), record.image, found.digest)
    return found


def _lacking(published: PublishedParts, client: RegistryClient) -> tuple[Seen, ...]:
    """The blobs that the registry hasn't, or not in their size."""
    return tuple(one for one in ask_all(client, published.blobs) if not one.stands)


def _manifests(
    published: PublishedParts, record: ServiceRecord, client: RegistryClient
) -> Mapping[Platform, Digest]:
    read = [published_manifest(client, record.tag, one) for one in published.manifests]
    return {Platform.parse(one.platform): one.digest for one in read}
