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
    top = client.manifest(tag)
    if top is None:
        return None
    inspector = _Inspector(client, tag)
    return PublishedImage(top.digest, inspector.manifests(top))


_Type = TypeVar("_Type")


@dataclass(frozen=True, slots=True)
class _Inspector:
    client: RegistryClient
    tag: str

    def manifests(self, top: Manifest) -> tuple[PublishedManifest, ...]:
        document = self._decode(top.data, _Document)
        if document.manifests is None:
            return (self._manifest(top),)
        images = [entry for entry in document.manifests if not _is_attestation(entry)]
        if len(images) > _MOST_IMAGES:
            raise self._error(f"its index names {len(images)} images")
        return tuple(self._manifest(self._fetch(entry)) for entry in images)

    def _fetch(self, entry: _Descriptor) -> Manifest:
        manifest = self.client.manifest(str(self._digest(entry)))
        if manifest is None:
            raise self._error(f"its manifest {entry.digest} is missing")
        return manifest

    def _manifest(self, manifest: Manifest) -> PublishedManifest:
        document = self._decode(manifest.data, _Document)
        if document.config is None:
            raise self._error(f"{manifest.digest} has no config")
        digest = self._digest(document.config)
        config = self._decode(self.client.blob(digest, _LARGEST_CONFIG), _Config)
        labels = (config.config.labels if config.config else None) or {}
        return PublishedManifest(
            platform=_shown(_platform(config)),
            digest=manifest.digest,
            config=digest,
            labels={name: _shown(text) for name, text in labels.items()},
            layers=tuple(self._digest(layer) for layer in document.layers),
        )

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
