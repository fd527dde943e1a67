"""Assembling: a lock and its realised layers become config, manifest and index. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.image.model import (
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
from basestore.recipe.model import FoundationRecipe, Recipe
from basestore.store import Realisation
from basestore.target import Platform

CREATED = "1980-01-01T00:00:00Z"
"""The one time of every image, that of its files."""

Realised = Sequence[tuple[Recipe, Realisation]]


@dataclass(frozen=True, slots=True)
class Assembled:
    """An image, and the bytes of its configs, manifests and index by digest."""

    image: Image
    documents: Mapping[Digest, bytes]


def assemble(config: ImageConfig, lock: Digest, realised: Mapping[Platform, Realised]) -> Assembled:
    """The image of a lock (by digest) over its realised layers, platforms in sorted order."""
    documents: dict[Digest, bytes] = {}
    platforms = tuple(
        _platform(platform, realised[platform], _config(config, lock), documents)
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
    layers = tuple(_layer(recipe, realisation) for recipe, realisation in realised)
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


def _layer(recipe: Recipe, realisation: Realisation) -> Layer:
    descriptor = Descriptor(LAYER, realisation.layer, realisation.size)
    return Layer(descriptor, realisation.diff_id, recipe.packages)


def _history(recipe: Recipe) -> dict[str, Json]:
    """A line of `docker history`: the layer's packages (OCI image-spec, "config", history)."""
    kind = "foundation" if isinstance(recipe, FoundationRecipe) else "wheels"
    return {
        "comment": f"basestore {kind}",
        "created": CREATED,
        "created_by": ", ".join(recipe.packages),
    }


def _config(config: ImageConfig, lock: Digest) -> dict[str, Json]:
    """The execution parameters, absent where empty (OCI image-spec, "config", properties)."""
    body: dict[str, Json] = {
        "Cmd": list(config.cmd),
        "Entrypoint": list(config.entrypoint),
        "Env": list(config.env),
        "Labels": {**config.labels, LOCK_LABEL: lock.hex},
        "User": config.user,
        "WorkingDir": config.workdir,
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
