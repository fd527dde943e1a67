"""Looking at a published image without pulling it: index, manifests and configs, no layer.

Types: OCI image-spec 1.1 ("Image Index", "Image Manifest", "Image Configuration"); what isn't
needed of them is not read. Docker's older media types have the same fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from basestore.digest import Digest
from basestore.errors import UnreachableError
from basestore.reading import UNFIT
from basestore.registry.client import Manifest, RegistryClient
from basestore.registry.reference import Repository

_LARGEST_CONFIG = 4 * 1024 * 1024
_MOST_IMAGES = 64  # of an index; each takes two requests


class NoImageError(UnreachableError):
    """What the registry has there can't be read as an image."""

    def __init__(self, repository: Repository, name: str, reason: str) -> None:
        super().__init__(
            f"{repository} has no image under {name}: {reason}",
            "look at it with `skopeo inspect --raw`",
        )
        self.repository = repository
        self.name = name


@dataclass(frozen=True, slots=True)
class PublishedManifest:
    """One platform's image. ``platform`` such as ``linux/amd64``; ``layers`` in their order."""

    platform: str
    digest: Digest
    config: Digest
    labels: Mapping[str, str]
    layers: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class PromisedBlob:
    """A blob that a manifest names. ``size``: bytes, None where it says none that can be."""

    name: str
    digest: Digest
    size: int | None


@dataclass(frozen=True, slots=True)
class NamedManifest:
    """One platform's manifest by its digest, and what it names: the config, then the layers."""

    digest: Digest
    config: PromisedBlob
    layers: tuple[PromisedBlob, ...]


@dataclass(frozen=True, slots=True)
class PublishedParts:
    """What a tag or digest names: ``digest`` is its own, ``manifests`` those of the platforms."""

    digest: Digest
    manifests: tuple[NamedManifest, ...]

    @property
    def blobs(self) -> tuple[PromisedBlob, ...]:
        """Each blob that the manifests name, once."""
        named = [blob for one in self.manifests for blob in (one.config, *one.layers)]
        return tuple({blob.digest: blob for blob in named}.values())


@dataclass(frozen=True, slots=True)
class PublishedImage:
    """What a tag names. ``digest`` is the index's, or the manifest's where it stands alone."""

    digest: Digest
    manifests: tuple[PublishedManifest, ...]


class _Platform(msgspec.Struct):
    os: str
    architecture: str
    variant: str = ""


class _Descriptor(msgspec.Struct):
    digest: str
    platform: _Platform | None = None
    size: int | None = None


class _Document(msgspec.Struct):
    """An index or a manifest; which one, its fields tell."""

    manifests: list[_Descriptor] | None = None
    config: _Descriptor | None = None
    layers: list[_Descriptor] = []


class _Settings(msgspec.Struct):
    labels: dict[str, str] | None = msgspec.field(name="Labels", default=None)


class _Config(_Platform):
    config: _Settings | None = None


def inspect_image(client: RegistryClient, tag: str) -> PublishedImage | None:
    """What a tag names, None where it names nothing.

    Everything read is checked against its digest. Raises NoImageError, WrongContentError and the
    errors of the client.
    """
    parts = published_parts(client, tag)
    if parts is None:
        return None
    manifests = tuple(published_manifest(client, tag, one) for one in parts.manifests)
    return PublishedImage(parts.digest, manifests)


def published_parts(client: RegistryClient, name: str) -> PublishedParts | None:
    """What a tag or digest (``sha256:…``) names, None where it names nothing; no config is read.

    Raises as `inspect_image` does.
    """
    top = client.manifest(name)
    if top is None:
        return None
    inspector = _Inspector(client, name)
    return PublishedParts(top.digest, tuple(map(inspector.named, inspector.documents(top))))


def published_manifest(client: RegistryClient, tag: str, named: NamedManifest) -> PublishedManifest:
    """One platform's image with what its config says; raises as `inspect_image` does."""
    config = _Inspector(client, tag).config(named.config.digest)
    labels = (config.config.labels if config.config else None) or {}
    return PublishedManifest(
        platform=_shown(_platform(config)),
        digest=named.digest,
        config=named.config.digest,
        labels={name: _shown(text) for name, text in labels.items()},
        layers=tuple(layer.digest for layer in named.layers),
    )


_Type = TypeVar("_Type")


@dataclass(frozen=True, slots=True)
class _Inspector:
    client: RegistryClient
    tag: str

    def documents(self, top: Manifest) -> tuple[Manifest, ...]:
        """The manifests of the platforms."""
        document = self._decode(top.data, _Document)
        if document.manifests is None:
            return (top,)
        images = [entry for entry in document.manifests if not _is_attestation(entry)]
        if len(images) > _MOST_IMAGES:
            raise self._error(f"its index names {len(images)} images")
        return tuple(map(self._fetch, images))

    def named(self, manifest: Manifest) -> NamedManifest:
        """What a manifest names."""
        document = self._decode(manifest.data, _Document)
        if document.config is None:
            raise self._error(f"{manifest.digest} has no config")
        layers = tuple(self._promised("layer", layer) for layer in document.layers)
        return NamedManifest(manifest.digest, self._promised("config", document.config), layers)

    def config(self, digest: Digest) -> _Config:
        """A config, of which little is read."""
        return self._decode(self.client.blob(digest, _LARGEST_CONFIG), _Config)

    def _fetch(self, entry: _Descriptor) -> Manifest:
        manifest = self.client.manifest(str(self._digest(entry)))
        if manifest is None:
            raise self._error(f"its manifest {entry.digest} is missing")
        return manifest

    def _promised(self, name: str, entry: _Descriptor) -> PromisedBlob:
        size = entry.size if entry.size is not None and entry.size >= 0 else None
        return PromisedBlob(name, self._digest(entry), size)

    def _decode(self, data: bytes, kind: type[_Type]) -> _Type:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, *UNFIT) as error:
            raise self._error(str(error)) from None

    def _digest(self, entry: _Descriptor) -> Digest:
        try:
            return Digest.parse(entry.digest)
        except ValueError as error:
            raise self._error(str(error)) from None

    def _error(self, reason: str) -> NoImageError:
        return NoImageError(self.client.repository, self.tag, reason)


def _platform(platform: _Platform) -> str:
    parts = (platform.os, platform.architecture, platform.variant)
    return "/".join(part for part in parts if part)


def _shown(text: str) -> str:
    """A text that may go to a terminal, whatever the registry says."""
    return text if text.isprintable() else repr(text)


def _is_attestation(entry: _Descriptor) -> bool:
    """BuildKit's attestations stand in an index as images for an unknown platform."""
    return entry.platform is not None and entry.platform.os == "unknown"
