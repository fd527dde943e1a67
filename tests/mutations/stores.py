"""Damage in a store: each kind of blob and record, in each way. Found by `store verify`."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mutations.forging import lock_of
from mutations.model import Check, Copy, Mutation

from basestore.digest import Digest
from basestore.lock.images import parse as parse_images
from basestore.recipe.plan import plan
from basestore.store import Realisation, Store
from basestore.target import Platform

AMD64 = Platform("amd64")
DAMAGED = frozenset({5})


@dataclass(frozen=True)
class Kept:
    """What there is of each kind in the copy's store, by the kind's name."""

    store: Path
    blobs: Mapping[str, Digest]
    recipes: Mapping[str, Digest]
    layers: Mapping[str, Realisation]

    def blob(self, kind: str) -> Path:
        """A blob's file."""
        hexed = self.blobs[kind].hex
        return self.store / "blobs/sha256" / hexed[:2] / hexed

    def recipe(self, kind: str) -> Path:
        """The record of what a recipe gave."""
        hexed = self.recipes[kind].hex
        return self.store / "recipes" / hexed[:2] / f"{hexed}.json"

    def layer(self, kind: str) -> Path:
        """The record of a layer."""
        hexed = self.layers[kind].layer.hex
        return self.store / "layers" / hexed[:2] / f"{hexed}.json"


def kept(copy: Copy) -> Kept:
    """Look into the copy's store."""
    store = Store.look(copy.store)
    lock = lock_of(copy, "base")
    row = next(
        one
        for one in parse_images(copy.path("locks/images.toml").read_bytes(), "")
        if one.profile == "base"
    )
    found = plan(lock, lock.platform(AMD64))
    recipes = {"foundation": found[0].digest, "wheels": found[-1].digest}
    layers = {}
    for kind, recipe in recipes.items():
        layer = store.realisations.layer_of(recipe)
        assert layer
        realisation = store.realisations.recorded(layer)
        assert realisation
        layers[kind] = realisation
    manifest = row.platforms[AMD64]
    config = json.loads(_read(copy.store, manifest))["config"]["digest"]
    wheels = layers["wheels"]
    blobs = {
        "wheel": next(w.sha256 for w in lock.platforms[0].wheels if w.name == "alpha"),
        "deb": next(d.sha256 for d in lock.platforms[0].debs if d.name == "libuuid1"),
        "inline": wheels.blobs[0],
        "foundation-inline": layers["foundation"].blobs[0],
        "segments": wheels.segments,
        "listing": wheels.listing,
        "config": Digest.parse(config),
        "manifest": manifest,
        "index": row.image,
    }
    return Kept(copy.store, blobs, recipes, layers)


def _read(store: Path, digest: Digest) -> bytes:
    return (store / "blobs/sha256" / digest.hex[:2] / digest.hex).read_bytes()


BLOBS = (
    "wheel",
    "deb",
    "inline",
    "foundation-inline",
    "segments",
    "listing",
    "config",
    "manifest",
    "index",
)
"""Kinds of blobs."""


def rewrite(path: Path, data: bytes) -> None:
    """Other bytes under a name, with the old mode."""
    mode = path.stat().st_mode
    path.unlink()
    path.write_bytes(data)
    path.chmod(mode)


def flipped(data: bytes) -> bytes:
    """One bit is another."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "flipped": flipped,
    "truncated": lambda data: data[:-1],
    "emptied": lambda _: b"",
    "longer": lambda data: data + b"\0",
}


def _damage(kind: str, how: str, copy: Copy) -> None:
    path = kept(copy).blob(kind)
    rewrite(path, DAMAGES[how](path.read_bytes()))


def _other(kind: str, copy: Copy) -> None:
    """Another valid blob's bytes."""
    there = kept(copy)
    others = {"wheel": "config", "config": "manifest", "manifest": "config", "index": "manifest"}
    rewrite(there.blob(kind), there.blob(others.get(kind, "wheel")).read_bytes())


def _in_place(kind: str, copy: Copy) -> None:
    """A bit is another in the very file, with its old times."""
    path = kept(copy).blob(kind)
    status, mode = path.stat(), path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(flipped(path.read_bytes()))
    path.chmod(mode)
    import os

    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


Edit = Callable[[dict[str, Any]], object]

NOTHING = str(Digest.of(b"nothing that there is"))

LAYERS: Mapping[str, tuple[str, Edit]] = {
    "diff-id": ("another diffID", lambda found: found.update(diff_id=NOTHING)),
    "size": ("another size", lambda found: found.update(size=found["size"] + 1)),
    "listing": ("another blob's name for the listing",
                lambda found: found.update(listing=found["segments"])),
    "segments": ("another blob's name for the segment table",
                 lambda found: found.update(segments=found["listing"])),
    "blob-order": ("the blobs in another order",
                   lambda found: found["blobs"].reverse()),
    "blob-less": ("a blob less", lambda found: found["blobs"].pop()),
    "blob-other": ("another blob", lambda found: found["blobs"].__setitem__(
        0, found["listing"])),
    "unknown-key": ("a key less", lambda found: found.pop("size")),
}  # fmt: skip


def _layer(kind: str, edit: Edit, copy: Copy) -> None:
    path = kept(copy).layer(kind)
    found = json.loads(path.read_bytes())
    edit(found)
    rewrite(path, json.dumps(found, separators=(",", ":"), sort_keys=True).encode())


def _layer_bytes(data: bytes, copy: Copy) -> None:
    rewrite(kept(copy).layer("wheels"), data)


def _recipe_bytes(data: bytes, copy: Copy) -> None:
    rewrite(kept(copy).recipe("wheels"), data)


def _exchanged(copy: Copy) -> None:
    """The record of a layer is another layer's."""
    there = kept(copy)
    rewrite(there.layer("wheels"), there.layer("foundation").read_bytes())


def mutations() -> Iterator[Mutation]:
    """Every damage."""

    def found(name: str, said: str, change: Callable[[Copy], None], *also: int) -> Mutation:
        return Mutation(f"store/{name}", said, change, Check.STORE, DAMAGED | set(also))

    for kind in BLOBS:
        for how in DAMAGES:
            yield found(f"{kind}-{how}", f"{kind}: {how}", partial(_damage, kind, how))
        yield found(f"{kind}-other", f"{kind}: another blob's bytes", partial(_other, kind))
        yield found(f"{kind}-in-place", f"{kind}: a bit, its times as before",
                    partial(_in_place, kind))  # fmt: skip
    for what, (said, edit) in LAYERS.items():
        one = found(f"layer-{what}", f"layer's record: {said}", partial(_layer, "wheels", edit))
        yield replace(one, check=Check.DEEP) if what == "diff-id" else one
    yield found("layer-foundation-size", "the foundation's record: another size",
                partial(_layer, "foundation", LAYERS["size"][1]))  # fmt: skip
    exchanged = found("layer-exchanged", "layer's record: another's", _exchanged)
    yield replace(exchanged, check=Check.DEEP)
    for what, data in (("garbage", b"\xff{"), ("emptied", b""), ("list", b"[]")):
        yield found(f"layer-{what}", f"layer's record: {what}", partial(_layer_bytes, data))
        yield found(f"recipe-{what}", f"recipe's record: {what}", partial(_recipe_bytes, data))
    yield found("named-by-nothing", "a blob that no digest names", _nameless)


def _nameless(copy: Copy) -> None:
    (kept(copy).blob("wheel").parent / "not-a-digest").write_bytes(b"x")
