"""Assembling: a lock and its realised layers become config, manifest and index. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.image.model import (
    APPLICATION_LABEL,
    CONFIG,
    INDEX,
    LAYER,
    LOCK_LABEL,
    MANIFEST,
    Descriptor,
    Image,
    Layer,
    PlatformImage,
)
from basestore.lock.model import ImageConfig
from basestore.profile.model import Healthcheck
from basestore.recipe.model import ApplicationRecipe, FoundationRecipe, Recipe, WheelsRecipe
from basestore.target import Platform

CREATED = "1980-01-01T00:00:00Z"
"""The one time of every image, that of its files."""

_SECOND = 1_000_000_000  # in nanoseconds


class MadeLayer(Protocol):
    """What an image says of a layer: its digest and size as compressed, its tar's digest."""

    @property
    def layer(self) -> Digest:
        """The layer's digest."""

    @property
    def diff_id(self) -> Digest:
        """The digest of its tar."""

    @property
    def size(self) -> int:
        """Its bytes."""


Realised = Sequence[tuple[Recipe, MadeLayer]]


@dataclass(frozen=True, slots=True)
class Assembled:
    """An image, and the bytes of its configs, manifests and index by digest."""

    image: Image
    documents: Mapping[Digest, bytes]


def assemble(
    config: ImageConfig,
    lock: Digest,
    realised: Mapping[Platform, Realised],
    application: Digest | None = None,
) -> Assembled:
    """The image of a lock (by digest) over its realised layers, platforms in sorted order.

    ``application``: the digest of a service's topmost layer.
    """
    labels = {LOCK_LABEL: lock.hex}
    if application:
        labels[APPLICATION_LABEL] = application.hex
    documents: dict[Digest, bytes] = {}
    platforms = tuple(
        _platform(platform, realised[platform], _config(config, labels), documents)
        for platform in sorted(realised)
    )
    if len(platforms) == 1:
        return Assembled(Image(platforms[0].manifest, platforms), documents)
    top = _add(documents, INDEX, _index(platforms))
    return Assembled(Image(top, platforms), documents)


def _platform(
    platform: Platform,
    realised: Realised,
    config: dict[str, Json],
    documents: dict[Digest, bytes],
) -> PlatformImage:
    layers = tuple(_layer(recipe, made) for recipe, made in realised)
    history: list[Json] = [_history(recipe) for recipe, _ in realised]
    body: dict[str, Json] = {
        "architecture": platform.architecture,
        "config": config,
        "created": CREATED,
        "history": history,
        "os": "linux",
        "rootfs": {"diff_ids": [str(layer.diff_id) for layer in layers], "type": "layers"},
    }
    config_descriptor = _add(documents, CONFIG, body)
    manifest: dict[str, Json] = {
        "config": config_descriptor.to_json(),
        "layers": [layer.descriptor.to_json() for layer in layers],
        "mediaType": MANIFEST,
        "schemaVersion": 2,
    }
    return PlatformImage(platform, _add(documents, MANIFEST, manifest), config_descriptor, layers)


def _layer(recipe: Recipe, made: MadeLayer) -> Layer:
    return Layer(Descriptor(LAYER, made.layer, made.size), made.diff_id, recipe.packages)


_KINDS = {FoundationRecipe: "foundation", WheelsRecipe: "wheels", ApplicationRecipe: "application"}


def _history(recipe: Recipe) -> dict[str, Json]:
    """A line of `docker history`: the layer's packages (OCI image-spec, "config", history)."""
    kind = _KINDS[type(recipe)]
    return {
        "comment": f"basestore {kind}",
        "created": CREATED,
        "created_by": ", ".join(recipe.packages),
    }


def _config(config: ImageConfig, labels: Mapping[str, str]) -> dict[str, Json]:
    """The execution parameters, absent where empty (OCI image-spec, "config", properties).

    ``Healthcheck`` is of Docker's image specification 1.2, with times in nanoseconds.
    """
    body: dict[str, Json] = {
        "Cmd": list(config.cmd),
        "Entrypoint": list(config.entrypoint),
        "Env": list(config.env),
        "ExposedPorts": {f"{port}/tcp": {} for port in config.ports},
        "Healthcheck": _healthcheck(config.healthcheck),
        "Labels": {**config.labels, **labels},
        "User": config.user,
        "WorkingDir": config.workdir,
    }
    return {key: value for key, value in body.items() if value}


def _healthcheck(check: Healthcheck | None) -> dict[str, Json]:
    if check is None:
        return {}
    body: dict[str, Json] = {
        "Interval": check.interval * _SECOND,
        "Retries": check.retries,
        "StartPeriod": check.start_period * _SECOND,
        "Test": ["CMD", *check.command],
        "Timeout": check.timeout * _SECOND,
    }
    return {key: value for key, value in body.items() if value}


def _index(platforms: Sequence[PlatformImage]) -> dict[str, Json]:
    return {
        "manifests": [
            {
                **image.manifest.to_json(),
                "platform": {"architecture": image.platform.architecture, "os": "linux"},
            }
            for image in platforms
        ],
        "mediaType": INDEX,
        "schemaVersion": 2,
    }


def _add(documents: dict[Digest, bytes], media_type: str, body: dict[str, Json]) -> Descriptor:
    data = json_bytes(body)
    digest = Digest.of(data)
    documents[digest] = data
    return Descriptor(media_type, digest, len(data))
