"""Export as an OCI image layout (OCI image-spec, "Image Layout")."""

import json
from collections.abc import Sequence
from pathlib import Path

from basestore.canonical import Json, json_bytes
from basestore.errors import InputError
from basestore.files import is_temporary, replace_file, streamed_file
from basestore.image.blobs import ImageBlob, image_blobs
from basestore.image.model import Image
from basestore.progress import Progress
from basestore.reading import UNFIT
from basestore.store import Store

LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_REFERENCE = "org.opencontainers.image.ref.name"


class NotALayoutError(InputError):
    """The folder to export into holds something else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is not empty and no OCI image layout", "name a new or an empty folder"
        )


def export_layout(store: Store, image: Image, tag: str, folder: Path, progress: Progress) -> None:
    """Write an image under a tag into a layout, a new one or one that is there.

    ``index.json`` comes last, so that a reader sees the image whole or not at all. Raises
    NotALayoutError, MissingBlobError, WrongDigestError.
    """
    marker = folder / "oci-layout"
    if folder.exists() and not marker.exists() and not _is_empty(folder):
        raise NotALayoutError(folder)
    replace_file(marker, LAYOUT)  # first, so that an export that was broken off can go on
    for blob in image_blobs(store, image):
        _write(folder / "blobs" / "sha256" / blob.descriptor.digest.hex, blob, progress)
    replace_file(folder / "index.json", json_bytes(layout_index(image, tag, _others(folder, tag))))


def _is_empty(folder: Path) -> bool:
    """Whether there is nothing, but for what an export that was killed at once had begun."""
    return all(is_temporary(path.name) for path in folder.iterdir())


def layout_index(image: Image, tag: str, others: Sequence[Json] = ()) -> dict[str, Json]:
    """The ``index.json`` of a layout that holds an image beside ``others``."""
    entry: dict[str, Json] = {**image.top.to_json(), "annotations": {_REFERENCE: tag}}
    return {"manifests": [*others, entry], "schemaVersion": 2}


def _others(folder: Path, tag: str) -> list[Json]:
    """What the layout holds already; another image under the tag gives way."""
    try:
        old = json.loads((folder / "index.json").read_bytes())["manifests"]
        return [entry for entry in old if entry.get("annotations", {}).get(_REFERENCE) != tag]
    except FileNotFoundError:
        return []
    except UNFIT as error:
        raise NotALayoutError(folder) from error


def _write(path: Path, blob: ImageBlob, progress: Progress) -> None:
    if path.exists():
        return
    size, name = blob.descriptor.size, blob.descriptor.digest.hex[:12]
    with progress.task("export", name, size) as advance, streamed_file(path) as file:
        for chunk in blob.checked():
            file.write(chunk)
            advance(len(chunk))
