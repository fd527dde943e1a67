"""The blobs of an image, each to be streamed as often as wanted and held to its digest."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from basestore.digest import Digest
from basestore.image.model import Descriptor, Image, Layer
from basestore.store import MissingBlobError, Realisation, Store, WrongDigestError

_HINT = (
    "the store, or its seed, was changed on the disk: run `basestore store verify --repair` there"
)


@dataclass(frozen=True, slots=True)
class ImageBlob:
    """A blob of an image: its descriptor, and ``open``, which gives its bytes from the start."""

    descriptor: Descriptor
    open: Callable[[], Iterator[bytes]]

    def checked(self) -> Iterator[bytes]:
        """The bytes; WrongDigestError at their end if they are not what the digest says."""
        sha256 = hashlib.sha256()
        for chunk in self.open():
            sha256.update(chunk)
            yield chunk
        found = Digest(sha256.hexdigest())
        if found != self.descriptor.digest:
            expected = str(self.descriptor.digest)
            raise WrongDigestError("a blob made from the store", expected, str(found), _HINT)


def layer_realisation(store: Store, layer: Layer) -> Realisation:
    """How a layer is made; raises MissingBlobError where the store can't make it."""
    realisation = store.realisations.of_layer(layer.descriptor.digest)
    if realisation is None:
        raise MissingBlobError(layer.descriptor.digest)
    return realisation


def layer_blob(store: Store, layer: Layer) -> ImageBlob:
    """A layer's blob; raises MissingBlobError where the store can't make it."""
    realisation = layer_realisation(store, layer)
    return ImageBlob(layer.descriptor, lambda: store.layer_stream(realisation))


def document_blob(store: Store, descriptor: Descriptor) -> ImageBlob:
    """The blob of a config, manifest or index; raises MissingBlobError."""
    data = store.blobs.read(descriptor.digest)
    return ImageBlob(descriptor, lambda: iter((data,)))


def image_blobs(store: Store, image: Image) -> Iterator[ImageBlob]:
    """Every blob of an image once: layers, configs, manifests, and the index if there is one."""
    for layer in image.layers:
        yield layer_blob(store, layer)
    documents = {platform.config.digest: platform.config for platform in image.platforms}
    documents |= {platform.manifest.digest: platform.manifest for platform in image.platforms}
    documents[image.digest] = image.top
    for descriptor in documents.values():
        yield document_blob(store, descriptor)
