"""What following a sequence of images costs, by layers' keys and sizes alone. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer: equal keys are equal bytes. ``size`` in bytes."""

    key: str
    size: int


Image = tuple[Layer, ...]
"""Layers, the lowest first."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Bytes moved over a whole replay, the first image included, and numbers of layers.

    ``pushed``: what the registry lacked, which is also what a node pulls that keeps blobs.
    ``pulled``: what an engine with a graph driver pulls; it knows a layer by all that lies below.
    """

    pushed: int
    pulled: int
    layers: int
    most_layers: int


def follow(images: Sequence[Image]) -> Costs:
    """Push every image to a registry that forgets nothing, and pull it to a node likewise."""
    return Costs(
        pushed=_moved(images),
        pulled=_moved([tuple(chained(image)) for image in images]),
        layers=len(images[-1]),
        most_layers=max(map(len, images)),
    )


def chained(image: Image) -> Iterator[Layer]:
    """The layers under keys that name everything below too (OCI image-spec, "ChainID")."""
    below = ""
    for layer in image:
        below = f"{below} {layer.key}" if below else layer.key
        yield Layer(below, layer.size)


def _moved(images: Sequence[Image]) -> int:
    """The bytes of every layer that none of the images before had."""
    sizes: dict[str, int] = {}
    for image in images:
        sizes |= {layer.key: layer.size for layer in image}
    return sum(sizes.values())
