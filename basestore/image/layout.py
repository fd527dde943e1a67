"""Export as an OCI image layout (OCI image-spec, "Image Layout")."""

import contextlib
import json
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest
from basestore.errors import InputError
from basestore.files import filled_folder, is_temporary, replace_file, streamed_file
from basestore.image.blobs import ImageBlob, image_blobs
from basestore.image.model import Descriptor, Image
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

    ``index.json`` comes last, so that a reader sees the image whole or not at all; what was written
    goes where that fails. Raises NotALayoutError, MissingBlobError, WrongDigestError.
    """
    if not folder.exists():
        with filled_folder(folder) as beside:
            _fill(store, image, tag, beside, progress)
            beside.chmod(0o755)
        return
    _check_is_layout(folder)
    _fill(store, image, tag, folder, progress)


def _check_is_layout(folder: Path) -> None:
    """Raise NotALayoutError for what is none, and for one that links lead out of."""
    is_one = (folder / "oci-layout").exists() or _is_empty(folder)
    if not is_one or any(path.is_symlink() for path in _folders(folder)):
        raise NotALayoutError(folder)


def _folders(folder: Path) -> tuple[Path, ...]:
    """The folders below a layout's own, the lowest first."""
    return folder / "blobs" / "sha256", folder / "blobs"


def _fill(store: Store, image: Image, tag: str, folder: Path, progress: Progress) -> None:
    index = json_bytes(layout_index(image, tag, _others(folder, tag)))
    marker = folder / "oci-layout"
    with _taken_back(folder, index) as written:
        if not marker.exists():
            written.append(marker)
        replace_file(marker, LAYOUT)  # first, so that an export that was killed can go on
        for blob in image_blobs(store, image):
            path = _folders(folder)[0] / blob.descriptor.digest.hex
            if not _is_whole(path, blob.descriptor):
                written.append(path)
                _write(path, blob, progress)
        replace_file(folder / "index.json", index)


@contextlib.contextmanager
def _taken_back(folder: Path, index: bytes) -> Iterator[list[Path]]:
    """A list of what is written in the block: it goes if that ends badly, before the index."""
    missing = [path for path in _folders(folder) if not path.exists()]
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        if _read_index(folder) != index:
            for path in written:
                path.unlink(missing_ok=True)
            for path in missing:
                with contextlib.suppress(OSError):
                    path.rmdir()
        raise


def _read_index(folder: Path) -> bytes | None:
    try:
        return (folder / "index.json").read_bytes()
    except OSError:
        return None


def _is_whole(path: Path, descriptor: Descriptor) -> bool:
    """Whether a blob is there already: a file, and the bytes that its name says."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != descriptor.size:
        return False
    return Digest.of_file(path) == descriptor.digest


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
    size, name = blob.descriptor.size, blob.descriptor.digest.hex[:12]
    with progress.task("export", name, size) as advance, streamed_file(path) as file:
        for chunk in blob.checked():
            file.write(chunk)
            advance(len(chunk))
