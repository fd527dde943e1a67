"""Export as an archive that `docker load` takes, and that is an OCI layout as well.

Docker before 25 reads ``manifest.json`` (Docker image specification v1.2, "Combined Image JSON"),
newer engines and podman read the layout. One platform only: an archive is for one engine.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.files import streamed_file
from basestore.image.blobs import image_blobs
from basestore.image.layout import LAYOUT
from basestore.image.model import Image, PlatformImage
from basestore.layer import tar
from basestore.progress import Progress
from basestore.store import Store

# Of the layout's index: the tag (OCI image-spec), and the whole name, without which engines that
# keep images as containerd does would call the image by its tag alone.
_TAG, _FULL_NAME = "org.opencontainers.image.ref.name", "io.containerd.image.name"


def export_archive(
    store: Store, platform: PlatformImage, name: str, path: Path, progress: Progress
) -> None:
    """Write one platform's image as ``name`` (repository:tag) to a file, whole or not at all.

    Raises MissingBlobError, WrongDigestError.
    """
    label, size = path.name, _size(platform)
    with progress.task("export", label, size) as advance, streamed_file(path) as file:
        for chunk in archive_stream(store, platform, name):
            file.write(chunk)
            advance(len(chunk))


def send_archive(
    store: Store, platform: PlatformImage, name: str, file: BinaryIO, progress: Progress
) -> None:
    """Write the same to what is open and can't be taken back: a pipe, a device.

    So every blob is looked at before the first byte is written; raises as `export_archive`.
    """
    with progress.task("check", name, _size(platform)) as advance:
        for blob in image_blobs(store, Image(platform.manifest, (platform,))):
            for chunk in blob.checked():
                advance(len(chunk))
    with progress.task("export", name, _size(platform)) as advance:
        for chunk in archive_stream(store, platform, name):
            file.write(chunk)
            advance(len(chunk))


def _size(platform: PlatformImage) -> int:
    return sum(layer.descriptor.size for layer in platform.layers)


def archive_stream(
    store: Store,
    platform: PlatformImage,
    name: str,
    omitted: Collection[Digest] = (),
) -> Iterator[bytes]:
    """The archive's bytes, without the ``omitted`` layers, which whoever reads it must have."""
    image = Image(platform.manifest, (platform,))
    for blob in image_blobs(store, image):
        if blob.descriptor.digest in omitted:
            continue
        yield tar.file_header(_path(blob.descriptor.digest.hex), blob.descriptor.size)
        yield from blob.checked()
        yield tar.padding(blob.descriptor.size)
    documents = {
        "index.json": json_bytes(_index(platform, name)),
        "manifest.json": json_bytes(_manifest(platform, name)),
        "oci-layout": LAYOUT,
    }
    for path, data in documents.items():
        yield tar.file_header(path, len(data)) + data + tar.padding(len(data))
    yield tar.END


def _path(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _index(platform: PlatformImage, name: str) -> Json:
    annotations: Json = {_FULL_NAME: _full_name(name), _TAG: name.rpartition(":")[2]}
    entry: Json = {**platform.manifest.to_json(), "annotations": annotations}
    return {"manifests": [entry], "schemaVersion": 2}


def _full_name(name: str) -> str:
    """A name with its registry's host, as Docker completes it: ``docker.io/library/`` before it.

    distribution/reference, "Familiar names".
    """
    host, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if "." in host or ":" in host or host == "localhost" else f"docker.io/{name}"


def _manifest(platform: PlatformImage, name: str) -> Json:
    layers = [_path(layer.descriptor.digest.hex) for layer in platform.layers]
    return [{"Config": _path(platform.config.digest.hex), "Layers": layers, "RepoTags": [name]}]
