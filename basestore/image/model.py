"""The frozen values of images."""

from collections.abc import Iterator
from dataclasses import dataclass

from basestore.canonical import Json
from basestore.digest import Digest
from basestore.target import Platform

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"

LOCK_LABEL = "dev.basestore.lock"
"""The label that names the lock's digest, as 64 digits."""


APPLICATION_LABEL = "dev.basestore.application"
"""The label that names the digest of a service's application layer, as 64 digits."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """OCI image-spec, "Content Descriptors": what a blob is, its digest, its size in bytes."""

    media_type: str
    digest: Digest
    size: int

    def to_json(self) -> dict[str, Json]:
        """The descriptor as it stands in manifests."""
        return {"digest": str(self.digest), "mediaType": self.media_type, "size": self.size}


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an image: its descriptor, its diffID, and ``name version`` of its packages."""

    descriptor: Descriptor
    diff_id: Digest
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """One platform: descriptors of its manifest and config, and its layers, lowest first."""

    platform: Platform
    manifest: Descriptor
    config: Descriptor
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A whole image: ``top`` is what the tag names, an index or the only platform's manifest."""

    top: Descriptor
    platforms: tuple[PlatformImage, ...]

    @property
    def digest(self) -> Digest:
        """The image digest."""
        return self.top.digest

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer of every platform once."""
        found = {layer.descriptor.digest: layer for layer in self._all_layers()}
        return tuple(found.values())

    def platform(self, platform: Platform) -> PlatformImage:
        """One platform's image; raises KeyError where there is none."""
        for candidate in self.platforms:
            if candidate.platform == platform:
                return candidate
        raise KeyError(str(platform))

    def _all_layers(self) -> Iterator[Layer]:
        for platform in self.platforms:
            yield from platform.layers
