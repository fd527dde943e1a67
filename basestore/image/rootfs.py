"""Export as a root file system: the layers of one platform unpacked over each other."""

import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from gzip import BadGzipFile
from pathlib import Path

from isal import igzip

from basestore.errors import InputError
from basestore.files import filled_folder
from basestore.image.blobs import ImageBlob, layer_blob
from basestore.image.model import PlatformImage
from basestore.layer.inflate import InflateError
from basestore.progress import Advance, Progress
from basestore.store import Store

_COPY = 1024 * 1024


class NotEmptyError(InputError):
    """The folder to unpack into holds something."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is not empty", "name a new or an empty folder")


def export_rootfs(store: Store, platform: PlatformImage, folder: Path, progress: Progress) -> None:
    """Unpack an image into a new or empty folder, whole or not at all.

    Owners are set where the process may (as root), modes and times always. Raises NotEmptyError,
    MissingBlobError, WrongDigestError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise NotEmptyError(folder)
    with filled_folder(folder) as beside:
        folders: dict[Path, tarfile.TarInfo] = {}
        for layer in platform.layers:
            name = layer.descriptor.digest.hex[:12]
            with progress.task("unpack", name, layer.descriptor.size) as advance:
                source = _ChunkReader(layer_blob(store, layer), advance)
                _unpack_checked(source, beside, folders)
        for path, info in reversed(folders.items()):
            _own(path, info)
            path.chmod(info.mode)
            os.utime(path, (info.mtime, info.mtime))
        beside.chmod(0o755)


class _ChunkReader(io.RawIOBase):
    """A layer's compressed bytes as a file; its digest is checked when it is read to the end."""

    def __init__(self, blob: ImageBlob, advance: Advance) -> None:
        self._chunks: Iterator[bytes] = blob.checked()
        self._rest = b""
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = next(self._chunks, b"")
            self._advance(len(self._rest))
        piece = self._rest[: len(buffer)]
        buffer[: len(piece)] = piece
        self._rest = self._rest[len(piece) :]
        return len(piece)

    def drain(self) -> None:
        """Read the rest; raises WrongDigestError if the layer isn't what its digest says."""
        for _ in self._chunks:
            pass


def _unpack_checked(source: _ChunkReader, root: Path, folders: dict[Path, tarfile.TarInfo]) -> None:
    """Unpack a layer; what can't be read of it is told by its digest, if that is wrong, too."""
    try:
        _unpack(source, root, folders)
    except (BadGzipFile, EOFError, InflateError, tarfile.TarError):
        source.drain()
        raise


def _unpack(source: _ChunkReader, root: Path, folders: dict[Path, tarfile.TarInfo]) -> None:
    with igzip.open(io.BufferedReader(source), "rb") as inflated:  # type: ignore[no-untyped-call]
        with tarfile.open(fileobj=inflated, mode="r|", encoding="utf-8") as archive:
            for info in archive:
                path = root / info.name
                if info.isdir():
                    path.mkdir(exist_ok=True)
                    folders[path] = info
                    continue
                _place(archive, info, path, root)
        while inflated.read(_COPY):
            pass  # to the very end, where the digest is checked


def _place(archive: tarfile.TarFile, info: tarfile.TarInfo, path: Path, root: Path) -> None:
    path.unlink(missing_ok=True)
    if info.issym():
        path.symlink_to(info.linkname)
        _own(path, info)
    elif info.islnk():
        path.hardlink_to(root / info.linkname)
    else:
        content = archive.extractfile(info)
        with path.open("xb") as file:
            if content:
                shutil.copyfileobj(content, file, _COPY)
        _own(path, info)
        path.chmod(info.mode)
        os.utime(path, (info.mtime, info.mtime))


def _own(path: Path, info: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:
        os.chown(path, info.uid, info.gid, follow_symlinks=False)
