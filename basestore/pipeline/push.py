"""Push: an image goes to a registry, which is asked first whether it has all of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basestore.image.blobs import ImageBlob, document_blob, layer_blob
from basestore.image.model import Image
from basestore.pipeline.recorded import Recorded
from basestore.progress import Progress
from basestore.registry.client import Manifest, RegistryClient
from basestore.registry.push import PushBlob, PushImage, PushReport, push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from basestore.store import Store


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed image: where, under which tag and digest, and what was sent."""

    recorded: Recorded
    repository: str
    report: PushReport


def push_image(
    recorded: Recorded,
    image: Image,
    client: RegistryClient,
    siblings: "Sequence[str]",
    store: "Store",
    progress: Progress,
) -> Pushed:
    """Push a recorded image, as it was assembled; its blobs and documents are in the store.

    Raises TagTakenError, KeptError, WrongDigestError where the store is damaged, and what the
    client raises.
    """
    report = push(client, recorded.tag, _push_image(store, image), siblings, progress)
    return Pushed(recorded, str(client.repository), report)


def _push_image(store: "Store", image: Image) -> PushImage:
    manifests = tuple(
        Manifest(store.blobs.read(one.manifest.digest), one.manifest.media_type)
        for one in image.platforms
    )
    has_index = image.digest not in {one.manifest.digest for one in image.platforms}
    index = Manifest(store.blobs.read(image.digest), image.top.media_type) if has_index else None
    return PushImage(index, manifests, tuple(_push_blobs(store, image)))


def _push_blobs(store: "Store", image: Image) -> Iterator[PushBlob]:
    for layer in image.layers:
        yield _push_blob(_name(layer.packages), layer_blob(store, layer))
    for one in image.platforms:
        yield _push_blob(f"config {one.platform}", document_blob(store, one.config))


def _push_blob(name: str, blob: ImageBlob) -> PushBlob:
    return PushBlob(name, blob.descriptor.digest, blob.descriptor.size, blob.checked)


def _name(packages: tuple[str, ...]) -> str:
    if not packages:
        return "a layer of no packages"
    return packages[0] if len(packages) == 1 else f"{packages[0]} and {len(packages) - 1} more"
