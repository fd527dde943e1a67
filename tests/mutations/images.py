"""Images that no lock gives: a recorded one with a layer more, pushed by somebody who may push."""

import gzip
import io
import json
import tarfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Forged:
    """An image of one platform: its manifest, and the blobs that no other image has."""

    manifest: bytes
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return f"sha256:{sha256(self.manifest).hexdigest()}"


def with_a_layer_more(store: Path, image: str, lock: str | None = None) -> Forged:
    """A stored image of one platform, with another layer on top of it, and another lock's label."""
    manifest = json.loads(_blob(store, image))
    config = json.loads(_blob(store, manifest["config"]["digest"]))
    tar = _tar("opt/venv/lib/python3.11/site-packages/evil.pth", b"import os\n")
    layer = gzip.compress(tar, mtime=0)
    config["rootfs"]["diff_ids"].append(_digest(tar))
    if lock:
        config["config"]["Labels"]["dev.basestore.lock"] = lock
    encoded = _json(config)
    manifest["config"].update(digest=_digest(encoded), size=len(encoded))
    manifest["layers"].append({"mediaType": LAYER, "digest": _digest(layer), "size": len(layer)})
    return Forged(_json(manifest), {_digest(layer): layer, _digest(encoded): encoded})


def push(address: str, repository: str, tag: str, forged: Forged, mounted_from: str) -> None:
    """Push it under a tag, and have its other blobs mounted from another repository."""
    for layer in json.loads(forged.manifest)["layers"]:
        if layer["digest"] not in forged.blobs:
            query = f"mount={layer['digest']}&from={mounted_from}"
            _ask("POST", f"http://{address}/v2/{repository}/blobs/uploads/?{query}")
    for digest, data in forged.blobs.items():
        place = _ask("POST", f"http://{address}/v2/{repository}/blobs/uploads/")["Location"]
        _ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest}", data)
    url = f"http://{address}/v2/{repository}/manifests/{tag}"
    _ask("PUT", url, forged.manifest, MANIFEST)


def _ask(method: str, url: str, data: bytes = b"", kind: str = "application/octet-stream") -> Any:
    request = urllib.request.Request(url, data, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.headers


def _blob(store: Path, digest: str) -> bytes:
    hexed = digest.removeprefix("sha256:")
    return (store / "blobs/sha256" / hexed[:2] / hexed).read_bytes()


def _tar(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def _digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
