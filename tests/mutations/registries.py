"""Damage in a registry: each kind of blob, gone, short or changed; other manifests under a tag."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from mutations.model import Check, Copy, Mutation
from mutations.servers import Registry, registry
from mutations.stores import flipped

from basestore.lock.images import ImageRecord, parse
from basestore.lock.services import parse as parse_services
from basestore.target import Platform

AMD64, ARM64 = Platform("amd64"), Platform("arm64")
DISAGREES = frozenset({3, 5})


@contextmanager
def own_registry(copy: Copy) -> Iterator[Registry]:
    """A registry with all that the world's has, which the copy may damage."""
    folder = copy.folder / "registry"
    shutil.copytree(copy.world.registry.data, folder / "data")
    with registry(folder) as served:
        copy.registry = served.address
        yield served


def _root(copy: Copy) -> Path:
    return copy.folder / "registry/data/docker/registry/v2"


def _blob(copy: Copy, digest: str) -> Path:
    hexed = digest.removeprefix("sha256:")
    return _root(copy) / "blobs/sha256" / hexed[:2] / hexed / "data"


def _row(copy: Copy, name: str = "base") -> ImageRecord:
    rows = parse(copy.path("locks/images.toml").read_bytes(), "")
    return next(row for row in rows if row.profile == name)


def _json(copy: Copy, digest: str) -> Any:
    return json.loads(_blob(copy, digest).read_bytes())


def blobs(copy: Copy) -> Mapping[str, str]:
    """A blob of each kind, by its digest."""
    row = _row(copy)
    amd64, arm64 = (str(row.platforms[one]) for one in (AMD64, ARM64))
    services = parse_services(copy.path("locks/services.toml").read_bytes(), "")
    service = str(services["job"].platforms[AMD64])
    manifest = _json(copy, amd64)
    return {
        "index": str(row.image),
        "manifest": amd64,
        "other-manifest": arm64,
        "config": manifest["config"]["digest"],
        "foundation": manifest["layers"][0]["digest"],
        "wheels": manifest["layers"][-1]["digest"],
        "service-config": _json(copy, service)["config"]["digest"],
        "application": _json(copy, service)["layers"][-1]["digest"],
    }


KINDS = (
    "index",
    "manifest",
    "other-manifest",
    "config",
    "foundation",
    "wheels",
    "service-config",
    "application",
)
LAYERS = ("foundation", "wheels", "application")
MANIFESTS = ("index", "manifest", "other-manifest")


def _gone(kind: str, copy: Copy) -> None:
    shutil.rmtree(_blob(copy, blobs(copy)[kind]).parent)


def _changed(kind: str, how: Callable[[bytes], bytes], copy: Copy) -> None:
    path = _blob(copy, blobs(copy)[kind])
    path.write_bytes(how(path.read_bytes()))


def _short(data: bytes) -> bytes:
    return data[:-1]


def _emptied(_: bytes) -> bytes:
    return b""


def _longer(data: bytes) -> bytes:
    return data + b"\0"


def _tags(copy: Copy, name: str) -> Path:
    return _root(copy) / "repositories/team" / name / "_manifests/tags"


def _keep_manifest(copy: Copy, name: str, data: bytes) -> str:
    """Have the registry know a manifest; its digest."""
    digest = sha256(data).hexdigest()
    path = _blob(copy, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    revision = _tags(copy, name).parent / "revisions/sha256" / digest / "link"
    revision.parent.mkdir(parents=True, exist_ok=True)
    revision.write_text(f"sha256:{digest}")
    return f"sha256:{digest}"


def _keep_blob(copy: Copy, name: str, data: bytes) -> str:
    digest = sha256(data).hexdigest()
    path = _blob(copy, digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    link = _tags(copy, name).parents[1] / "_layers/sha256" / digest / "link"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.write_text(f"sha256:{digest}")
    return f"sha256:{digest}"


def _move_tag(copy: Copy, name: str, tag: str, digest: str) -> None:
    folder = _tags(copy, name) / tag
    (folder / "current/link").write_text(digest)
    link = folder / "index/sha256" / digest.removeprefix("sha256:") / "link"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.write_text(digest)


def _other_tag(copy: Copy) -> None:
    """The tag names one platform's manifest."""
    row = _row(copy)
    _move_tag(copy, "base-base", row.lock.hex, str(row.platforms[AMD64]))


def _no_tag(copy: Copy) -> None:
    shutil.rmtree(_tags(copy, "base-base") / _row(copy).lock.hex)


def _other_index(copy: Copy) -> None:
    """An index that lacks a platform."""
    row = _row(copy)
    index = _json(copy, str(row.image))
    del index["manifests"][1:]
    digest = _keep_manifest(copy, "base-base", json.dumps(index).encode())
    _move_tag(copy, "base-base", row.lock.hex, digest)


def _other_config(copy: Copy) -> None:
    """A manifest with another config under the tag: another user, the same label."""
    row = _row(copy, "ml")
    manifest = _json(copy, str(row.image))
    config = _json(copy, manifest["config"]["digest"])
    config["config"]["User"] = "0"
    data = json.dumps(config).encode()
    manifest["config"].update(digest=_keep_blob(copy, "base-ml", data), size=len(data))
    digest = _keep_manifest(copy, "base-ml", json.dumps(manifest).encode())
    _move_tag(copy, "base-ml", row.lock.hex, digest)


def _other_label(copy: Copy) -> None:
    """Another profile's image under the tag."""
    row, other = _row(copy, "ml"), _row(copy, "deep")
    data = _blob(copy, str(other.image)).read_bytes()
    digest = _keep_manifest(copy, "base-ml", data)
    _move_tag(copy, "base-ml", row.lock.hex, digest)


def _unlinked(copy: Copy) -> None:
    """The repository doesn't know a layer any more that the registry still has."""
    digest = blobs(copy)["wheels"].removeprefix("sha256:")
    shutil.rmtree(_root(copy) / "repositories/team/base-base/_layers/sha256" / digest)


def mutations() -> Iterator[Mutation]:
    """Every damage."""

    def found(
        check: Check, name: str, said: str, change: Callable[[Copy], None], *codes: int
    ) -> Mutation:
        what = f"registry/{name}" + ("-push" if check is Check.PUSH else "")
        allowed = DISAGREES | set(codes)
        return Mutation(what, said, change, check, allowed, own_registry)

    ways: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
        "short": ("a byte short", _short),
        "emptied": ("empty", _emptied),
        "longer": ("a byte long", _longer),
    }
    for kind in KINDS:
        yield found(Check.REGISTRY, f"{kind}-gone", f"{kind}: gone", partial(_gone, kind))
        for way, (said, how) in ways.items():
            # docker-registry looks at a manifest's size itself, and answers 500.
            also = (6,) if kind in MANIFESTS else ()
            yield found(Check.REGISTRY, f"{kind}-{way}", f"{kind}: {said}",
                        partial(_changed, kind, how), *also)  # fmt: skip
        check = Check.CONTENT if kind in LAYERS else Check.REGISTRY
        yield found(check, f"{kind}-changed", f"{kind}: a bit", partial(_changed, kind, flipped))
    yield found(Check.REGISTRY, "tag-other", "the tag names another manifest", _other_tag)
    yield found(Check.REGISTRY, "tag-gone", "the tag is gone", _no_tag)
    yield found(Check.REGISTRY, "index-other", "an index without a platform", _other_index)
    yield found(Check.REGISTRY, "config-other", "a manifest with another config", _other_config)
    yield found(Check.REGISTRY, "image-other", "another profile's image", _other_label)
    yield found(Check.REGISTRY, "layer-unlinked", "a layer that its repository lost", _unlinked)
    yield found(Check.PUSH, "tag-other", "the tag names another manifest", _other_tag)
    yield found(Check.PUSH, "config-other", "a manifest with another config", _other_config)
