"""Images in the store: kept by their documents, read back from them."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from basestore.digest import Digest
from basestore.errors import IntegrityError
from basestore.image.assemble import Assembled
from basestore.image.model import (
    INDEX,
    LOCK_LABEL,
    MANIFEST,
    Descriptor,
    Image,
    Layer,
    PlatformImage,
)
from basestore.reading import UNFIT, reading
from basestore.store import MissingBlobError, Store
from basestore.target import Platform


class NotAnImageError(IntegrityError):
    """A document in the store is not one of an image."""

    def __init__(self, digest: Digest) -> None:
        super().__init__(
            f"{digest} in the store is no document of an image",
            "the digest was taken from a file that names something else; take that back from "
            "version control, or run `basestore build`",
        )
        self.digest = digest


def keep_image(store: Store, assembled: Assembled) -> None:
    """Keep an image's documents; the layers are in the store as realisations."""
    for data in assembled.documents.values():
        store.blobs.add(data)


def read_image(store: Store, digest: Digest) -> Image:
    """An image that was kept.

    Raises MissingBlobError where a document is gone, and NotAnImageError where one is none.
    """
    data = store.blobs.read(digest)
    with reading(lambda _: NotAnImageError(digest)):
        body = json.loads(data)
        if body["mediaType"] == MANIFEST:
            manifest = Descriptor(MANIFEST, digest, len(data))
            return Image(manifest, (_platform(store, manifest),))
        platforms = tuple(_platform(store, _descriptor(one)) for one in body["manifests"])
        return Image(Descriptor(INDEX, digest, len(data)), platforms)


HasLayer = Callable[[Digest], bool]
"""Whether a store has a layer; who asks for many images need not find out twice."""


def whole_image(store: Store, digest: Digest, has_layer: HasLayer | None = None) -> Image | None:
    """An image all of whose bytes are in the store, as documents or as realisations; or None."""
    try:
        image = read_image(store, digest)
    except MissingBlobError:
        return None
    has = has_layer or (lambda layer: store.realisations.of_layer(layer) is not None)
    complete = all(has(layer.descriptor.digest) for layer in image.layers)
    return image if complete else None


def image_of(
    store: Store, digest: Digest, lock: Digest, has_layer: HasLayer | None = None
) -> Image | None:
    """The whole image with that digest, if it is one of that lock (by digest); or None.

    Who asks has the digest from a file, which a merge or a hand may have changed.
    """
    try:
        image = whole_image(store, digest, has_layer)
    except NotAnImageError:
        return None
    if image is None or any(_lock(store, one) != lock.hex for one in image.platforms):
        return None
    return image


def _lock(store: Store, platform: PlatformImage) -> str:
    """What the label of a platform's config says of its lock, empty where there is none."""
    with suppress(*UNFIT):
        config = json.loads(store.blobs.read(platform.config.digest))
        return str(config["config"]["Labels"][LOCK_LABEL])
    return ""


def _platform(store: Store, manifest: Descriptor) -> PlatformImage:
    body = json.loads(store.blobs.read(manifest.digest))
    config_descriptor = _descriptor(body["config"])
    config = json.loads(store.blobs.read(config_descriptor.digest))
    layers = tuple(
        Layer(
            _descriptor(descriptor),
            Digest.parse(diff_id),
            tuple(history["created_by"].split(", ")),
        )
        for descriptor, diff_id, history in zip(
            body["layers"], config["rootfs"]["diff_ids"], config["history"], strict=True
        )
    )
    return PlatformImage(Platform(config["architecture"]), manifest, config_descriptor, layers)


def _descriptor(body: Any) -> Descriptor:
    size = body["size"]
    if type(size) is not int or size < 0:
        raise ValueError("no number of bytes")
    return Descriptor(str(body["mediaType"]), Digest.parse(body["digest"]), size)
