"""Images in the store: kept by their documents, read back from them."""

import json
from collections.abc import Callable
from typing import Any

from basestore.digest import Digest
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
from basestore.store import MissingBlobError, Store
from basestore.target import Platform


def keep_image(store: Store, assembled: Assembled) -> None:
    """Keep an image's documents; the layers are in the store as realisations."""
    for data in assembled.documents.values():
        store.blobs.add(data)


def read_image(store: Store, digest: Digest) -> Image:
    """An image that was kept; raises MissingBlobError where a document is gone."""
    data = store.blobs.read(digest)
    body = json.loads(data)
    if body["mediaType"] == MANIFEST:
        manifest = Descriptor(MANIFEST, digest, len(data))
        return Image(manifest, (_platform(store, manifest),))
    platforms = tuple(_platform(store, _descriptor(manifest)) for manifest in body["manifests"])
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
    except (ValueError, LookupError, TypeError):
        return None  # the digest of something else than an image
    if image is None or any(_lock(store, one) != lock.hex for one in image.platforms):
        return None
    return image


def _lock(store: Store, platform: PlatformImage) -> str:
    """What the label of a platform's config says of its lock, empty where there is none."""
    config = json.loads(store.blobs.read(platform.config.digest))
    label: str = config["config"]["Labels"].get(LOCK_LABEL, "")
    return label


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
    return Descriptor(body["mediaType"], Digest.parse(body["digest"]), body["size"])
