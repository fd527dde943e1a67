"""Export as an archive that `docker load` takes, and that is an OCI layout as well.

Docker before 25 reads ``manifest.json`` (Docker image specification v1.2, "Combined Image JSON"),
newer engines and podman read the layout. One platform only: an archive is for one engine.
"""

from collections.abc import Iterator
from pathlib import Path

from basestore.canonical import Json, json_bytes
from basestore.files import streamed_file
from basestore.image.blobs import image_blobs
from basestore.image.layout import LAYOUT, layout_index
from basestore.image.model import Image, PlatformImage
from basestore.layer import tar
from basestore.progress import Progress
from basestore.store import Store


def export_archive(
    store: Store, platform: PlatformImage, name: str, path: Path, progress: Progress
) -> None:
    """Write one platform's image as ``name`` (repository:tag) to a file, whole or not at all.

    Raises MissingBlobError, WrongDigestError.
    """
    total = sum(layer.descriptor.size for layer in platform.layers)
    with progress.task("export", path.name, total) as advance, streamed_file(path) as file:
        for chunk in archive_stream(store, platform, name):
            file.write(chunk)
            advance(len(chunk))


def archive_stream(store: Store, platform: PlatformImage, name: str) -> Iterator[bytes]:
    """The archive's bytes."""
    image = Image(platform.manifest, (platform,))
    for blob in image_blobs(store, image):
        yield tar.file_header(_path(blob.descriptor.digest.hex), blob.descriptor.size)
        yield from blob.checked()
        yield tar.padding(blob.descriptor.size)
    documents = {
        "index.json": json_bytes(layout_index(image, name.rpartition(":")[2])),
        "manifest.json": json_bytes(_manifest(platform, name)),
        "oci-layout": LAYOUT,
    }
    for path, data in documents.items():
        yield tar.file_header(path, len(data)) + data + tar.padding(len(data))
    yield tar.END


def _path(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _manifest(platform: PlatformImage, name: str) -> Json:
    layers = [_path(layer.descriptor.digest.hex) for layer in platform.layers]
    return [{"Config": _path(platform.config.digest.hex), "Layers": layers, "RepoTags": [name]}]
