"""Load: an image gets into an engine, which is sent only the layers that it lacks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.engine.client import Engine, EngineImage, shared_chain
from basestore.engine.errors import EnginePlatformError, EngineRefusedError
from basestore.image.archive import archive_stream
from basestore.image.model import Image, Layer, PlatformImage
from basestore.progress import Advance, Progress
from basestore.store import Store


@dataclass(frozen=True, slots=True)
class LoadReport:
    """An image in an engine: its ID there, its names, and what it took to get it there.

    ``sent``: how many layers; ``size``: bytes of archives; ``named``: names that it did not have.
    """

    platform: PlatformImage
    id: Digest
    names: tuple[str, ...]
    sent: int = 0
    size: int = 0
    named: tuple[str, ...] = ()


def engine_platform(engine: Engine, image: Image) -> PlatformImage:
    """The image of the engine's platform; raises EnginePlatformError."""
    for one in image.platforms:
        if str(one.platform) == engine.platform:
            return one
    known = ", ".join(str(one.platform) for one in image.platforms)
    raise EnginePlatformError(engine.host, engine.platform, known)


def is_image(found: EngineImage | None, platform: PlatformImage) -> bool:
    """Whether an engine's image is this one: by its config, or by its manifest."""
    return found is not None and found.id in (platform.config.digest, platform.manifest.digest)


def load(
    engine: Engine, store: Store, platform: PlatformImage, names: Sequence[str], progress: Progress
) -> LoadReport:
    """Bring one platform's image into an engine, under names (``repository:tag``).

    Nothing is sent where the engine has the image; names that it lacks, or has for another image,
    are set. Raises EngineRefusedError, NoEngineError, MissingBlobError, WrongDigestError.
    """
    sent, size = 0, 0
    present = _present(engine, platform, names)
    lacked = tuple(name for name in names if not is_image(engine.image(name), platform))
    if present is None:
        sent, size = _Loading(engine, store, platform, names[0], progress).run()
        present = _present(engine, platform, names)
    if present is None:
        reason = f"it was loaded, and {names[0]} is another image"
        raise EngineRefusedError(engine.host, "load an image", reason)
    for name in lacked:
        if not is_image(engine.image(name), platform):
            engine.tag(present.id, name)
    return LoadReport(platform, present.id, tuple(names), sent, size, lacked)


def _present(engine: Engine, platform: PlatformImage, names: Sequence[str]) -> EngineImage | None:
    """The image, if the engine has it, under whatever name or none."""
    for name in (names[0], str(platform.config.digest), str(platform.manifest.digest)):
        found = engine.image(name)
        if is_image(found, platform):
            return found
    return None


@dataclass(slots=True)
class _Loading:
    """One image on its way into an engine. ``size``: bytes sent so far."""

    engine: Engine
    store: Store
    platform: PlatformImage
    name: str
    progress: Progress
    size: int = 0

    def run(self) -> tuple[int, int]:
        """Send it; how many layers and how many bytes that took.

        What other images have of it is left out at first. Where the engine then lacks something
        nevertheless, it says so, keeps nothing, and gets everything.
        """
        layers = self.platform.layers
        shared = self._shared()
        lacking = layers[len(shared) :]
        if shared:
            try:
                self._send(lacking)
            except EngineRefusedError:
                lacking = layers
                self._send(layers)
        else:
            self._send(layers)
        return len(lacking), self.size

    def _shared(self) -> tuple[Layer, ...]:
        if not self.engine.keeps_chains():
            return ()
        layers = self.platform.layers
        diff_ids = [layer.diff_id for layer in layers]
        return layers[: shared_chain(diff_ids, self.engine.locked_images())]

    def _send(self, layers: Sequence[Layer]) -> None:
        sent = {layer.descriptor.digest for layer in layers}
        omitted = {layer.descriptor.digest for layer in self.platform.layers} - sent
        total = sum(layer.descriptor.size for layer in layers)
        archive = archive_stream(self.store, self.platform, self.name, omitted)
        short = self.name.rpartition(":")[0]
        with self.progress.task("send", short, total) as advance:
            unpacked = self.engine.load(self._counted(archive, advance))
        with self.progress.task("unpack", short, total) as advance:
            for amount in unpacked:
                advance(amount)

    def _counted(self, archive: Iterator[bytes], advance: Advance) -> Iterator[bytes]:
        for chunk in archive:
            self.size += len(chunk)
            advance(len(chunk))
            yield chunk
