"""One store: a folder with blobs, realisations, partials and scratch."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from basestore.errors import InputError, UnreachableError
from basestore.files import replace_file
from basestore.store.blobs import Blobs
from basestore.store.realisations import Realisation, Realisations, stream

FORMAT = b"basestore store 1\n"


class StoreUnusableError(UnreachableError):
    """The store's folder can't be made, read or written."""

    def __init__(self, root: Path, reason: str) -> None:
        super().__init__(
            f"the store {root} can't be used: {reason}",
            "set BASESTORE_STORE to a folder that you can write, with room for the wheels",
        )


class StoreFormatError(InputError):
    """The folder is a store of another format, or none."""

    def __init__(self, root: Path, found: str) -> None:
        super().__init__(
            f"the store {root} has the unknown format {found!r}",
            "use the version of basestore that wrote it, or another folder in BASESTORE_STORE",
        )


class Store:
    """A content-addressed store. Safe for many processes and threads at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = Blobs(root / "blobs" / "sha256", root / "partials")
        self.realisations = Realisations(root, self.blobs)

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open the store in a folder, made where it is missing.

        Raises StoreUnusableError and StoreFormatError.
        """
        marker = root / "format"
        try:
            if not marker.exists():
                replace_file(marker, FORMAT)
            found = marker.read_bytes()
        except OSError as error:
            raise StoreUnusableError(root, error.strerror or str(error)) from error
        if found != FORMAT:
            raise StoreFormatError(root, found[:40].decode(errors="replace").strip())
        return cls(root)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A new folder on the store's file system, removed with all in it at the end."""
        folder = self.root / "scratch"
        folder.mkdir(exist_ok=True)
        path = Path(tempfile.mkdtemp(dir=folder))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def layer_stream(self, realisation: Realisation) -> Iterator[bytes]:
        """A layer's compressed bytes, cut from the blobs it is made of."""
        return stream(self.blobs, self.realisations.segments(realisation))
