"""Export as a root file system: the layers of one platform unpacked over each other."""

import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from gzip import BadGzipFile
from pathlib import Path
from typing import IO

from isal import igzip

from basestore.errors import InputError, IntegrityError
from basestore.files import filled_folder
from basestore.image.blobs import ImageBlob, layer_blob
from basestore.image.model import PlatformImage
from basestore.layer.inflate import InflateError
from basestore.layer.names import shown
from basestore.progress import Advance, Progress
from basestore.store import Store

_COPY = 1024 * 1024


class NotEmptyError(InputError):
    """The folder to unpack into holds something."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is not empty", "name a new or an empty folder")


class UnfitLayerError(IntegrityError):
    """A layer that is what its digest says holds what basestore puts into none."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"a layer {reason}",
            "basestore makes no such layer: see who else writes into the store, and run "
            "`basestore store verify --repair`",
        )


def export_rootfs(store: Store, platform: PlatformImage, folder: Path, progress: Progress) -> None:
    """Unpack an image into a new or empty folder, whole or not at all.

    Owners are set where the process may (as root), modes and times always. A layer's digest is
    known only at its end: until every one was right all is in a folder of another name, which
    nothing leads out of. Raises NotEmptyError, MissingBlobError, WrongDigestError, UnfitLayerError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise NotEmptyError(folder)
    with filled_folder(folder) as beside:
        tree = _Tree(beside)
        for layer in platform.layers:
            name = layer.descriptor.digest.hex[:12]
            with progress.task("unpack", name, layer.descriptor.size) as advance:
                source = _ChunkReader(layer_blob(store, layer), advance)
                _unpack_checked(source, tree)
        tree.finish()
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


class _Tree:
    """What is unpacked so far, below a folder that no entry leads out of."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._folders: dict[Path, tarfile.TarInfo] = {}
        self._real = {self._root}

    def place(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
        """Unpack an entry over what is there; raises UnfitLayerError."""
        path = self._inside(info.name)
        if info.isdir():
            path = self._followed(info.name, path)
            path.mkdir(exist_ok=True)
            self._folders[path] = info
            return
        path.unlink(missing_ok=True)
        if info.issym():
            path.symlink_to(info.linkname)
            _own(path, info)
        elif info.islnk():
            os.link(self._linked(info), path, follow_symlinks=False)
        elif info.isreg():
            _write(path, archive.extractfile(info))
            _own(path, info)
            path.chmod(info.mode)
            os.utime(path, (info.mtime, info.mtime))
        else:
            raise UnfitLayerError(f"holds {shown(info.name)}, neither file, folder nor link")

    def finish(self) -> None:
        """Give the folders their owners, modes and times, which writing into them changes."""
        for path, info in reversed(self._folders.items()):
            _own(path, info)
            path.chmod(info.mode)
            os.utime(path, (info.mtime, info.mtime))

    def _inside(self, name: str) -> Path:
        """Where an entry lies, without links on the way."""
        parts = name.split("/")
        if not {"", ".", ".."}.isdisjoint(parts):
            raise UnfitLayerError(f"holds {shown(name)}, which is no path in a folder")
        parent = self._root.joinpath(*parts[:-1])
        return self._followed(name, parent) / parts[-1]

    def _followed(self, name: str, folder: Path) -> Path:
        """A folder, or where the link leads that stands there; a real one stays one."""
        if folder in self._real:
            return folder
        real = Path(os.path.realpath(folder))
        if not real.is_relative_to(self._root):
            raise UnfitLayerError(f"holds {shown(name)} behind a link that leads out of the image")
        if real == folder and folder.is_dir():
            self._real.add(folder)
        return real

    def _linked(self, info: tarfile.TarInfo) -> Path:
        """What a hard link is another name of: what was unpacked before, and no folder."""
        target = self._inside(info.linkname)
        if not os.path.lexists(target) or (target.is_dir() and not target.is_symlink()):
            what = f"{shown(info.name)}, a hard link to {shown(info.linkname)}"
            raise UnfitLayerError(f"holds {what}, which is no file of the image")
        return target


def _unpack_checked(source: _ChunkReader, tree: _Tree) -> None:
    """Unpack a layer; what can't be unpacked of it is told by its digest, if that is wrong."""
    try:
        _unpack(source, tree)
    except (BadGzipFile, EOFError, InflateError, OverflowError, ValueError, tarfile.TarError) as e:
        source.drain()
        raise UnfitLayerError(f"can't be unpacked: {e}") from e
    except (UnfitLayerError, OSError):
        source.drain()
        raise


def _unpack(source: _ChunkReader, tree: _Tree) -> None:
    with igzip.open(io.BufferedReader(source), "rb") as inflated:  # type: ignore[no-untyped-call]
        with tarfile.open(fileobj=inflated, mode="r|", encoding="utf-8") as archive:
            for info in archive:
                tree.place(archive, info)
        while inflated.read(_COPY):
            pass  # to the very end, where the digest is checked


def _write(path: Path, content: IO[bytes] | None) -> None:
    with path.open("xb") as file:
        if content:
            shutil.copyfileobj(content, file, _COPY)


def _own(path: Path, info: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:
        os.chown(path, info.uid, info.gid, follow_symlinks=False)
