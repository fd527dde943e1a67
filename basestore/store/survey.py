"""The survey before a collection: what of that which nobody needs is to go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from basestore.digest import Digest
from basestore.store import inventory
from basestore.store.store import Store

Needed = Callable[[Digest], bool]
"""Whether a root or a running command needs a blob or a layer."""


class Digests(Protocol):
    """Some digests, of which one asks only whether another one is among them."""

    def __contains__(self, digest: object) -> bool:
        """Whether it is."""


class All:
    """Every digest there is."""

    def __contains__(self, digest: object) -> bool:
        """It is."""
        return isinstance(digest, Digest)


@dataclass(frozen=True, slots=True)
class Spare:
    """What may stay although nobody needs it.

    ``since``: what was used since then (seconds since the epoch). ``size``: as much as fits into a
    store of so many bytes, the last used first. With neither all goes, with both what either says.
    """

    since: float | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """Blobs and layers that go, as far as nobody needs them. ``before``: the bytes of the store.

    ``bytes``: those of the blobs that go.
    """

    blobs: Digests
    layers: Digests
    before: int
    bytes: int


@dataclass(frozen=True, slots=True, order=True)
class _Unneeded:
    used: float
    size: int
    digest: Digest


def survey(store: Store, needed: Needed, spare: Spare) -> Survey:
    """Look through a whole store; what nobody needs is remembered only where some of it stays."""
    before, unneeded, remembered = 0, 0, list[_Unneeded]()
    for files in inventory.everything(store.root):
        for file in files:
            before += file.size
            digest = file.digest if file.is_blob else None
            if digest and not needed(digest):
                unneeded += file.size
                if spare != Spare():
                    remembered.append(_Unneeded(file.used, file.size, digest))
    if spare == Spare():
        return Survey(All(), All(), before, unneeded)
    doomed = {one.digest: one.size for one in _chosen(remembered, spare, before)}
    layers = frozenset(_layers_of(store, needed, doomed.keys()))
    return Survey(doomed.keys(), layers, before, sum(doomed.values()))


def _chosen(unneeded: Sequence[_Unneeded], spare: Spare, before: int) -> Iterator[_Unneeded]:
    """Of these the ones to go: what was not used for long, and what is too much."""
    left = before
    for one in sorted(unneeded):
        old = spare.since is not None and one.used < spare.since
        if old or (spare.size is not None and left > spare.size):
            left -= one.size
            yield one


def _layers_of(store: Store, needed: Needed, doomed: Digests) -> Iterator[Digest]:
    """The layers whose records would name a blob that goes, or one that isn't there."""
    for files in inventory.layers(store.root):
        for file in files:
            layer = file.digest
            if layer is None or needed(layer):
                continue
            found = store.realisations.recorded(layer)
            if found is None or any(
                blob in doomed or not store.blobs.has(blob) for blob in found.needs
            ):
                yield layer
