"""What this user has seen with their own eyes: the one folder whose records are believed.

``$XDG_STATE_HOME/basestore``, else ``~/.local/state/basestore`` (XDG Base Directory Specification,
"XDG_STATE_HOME"). A store, a seed, a restored cache and a pull request are others' words; a record
here is this user's own, so it never lies in a store or a cache, and nothing of it is copied between
machines. It is a memory, not a truth: whatever is missing or can't be read is looked at anew.

*record*: a few bytes of JSON of one kind under a digest. *kind*: what it says, and the name of its
folder.
"""

import contextlib
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from basestore.canonical import Json, json_bytes
from basestore.digest import Digest

_FOLDER_MODE = 0o700
_LARGEST = 1 << 20
"""Bytes of a record; nothing here has a use for more."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class State:
    """Records of this user. ``folder``: None where there is none that only this user can write.

    Without a folder nothing is remembered, and everything is looked at each time.
    """

    folder: Path | None

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The state in a folder, made where it is missing; none where others may write there."""
        try:
            _make(folder)
            return cls(folder if _is_own(folder) else None)
        except OSError:
            return cls(None)

    @classmethod
    def none(cls) -> Self:
        """No memory."""
        return cls(None)

    def recall(self, kind: str, key: Digest) -> Any:
        """What was remembered: a JSON value, None where nothing that can be read was."""
        if self.folder is None:
            return None
        try:
            descriptor = os.open(self._place(self.folder, kind, key), _OPEN)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
                    return None
                return json.loads(file.read(_LARGEST) or b"")
            except (OSError, ValueError, RecursionError):
                return None

    def remember(self, kind: str, key: Digest, value: Json) -> None:
        """Remember a value in the place of an earlier one, mode 0600; it is whole or not there.

        Not durable: what a loss of power takes is looked at anew. A folder that can't be written,
        or a full disk, is no error: nothing is remembered then.
        """
        if self.folder is None:
            return
        place = self._place(self.folder, kind, key)
        with contextlib.suppress(OSError):
            for folder in (place.parent.parent, place.parent):
                _make(folder)
            descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(json_bytes(value))
                Path(name).replace(place)
            except BaseException:
                Path(name).unlink()
                raise

    def forget(self, kind: str, key: Digest) -> None:
        """Remember nothing under a digest."""
        if self.folder is not None:
            with contextlib.suppress(OSError):
                self._place(self.folder, kind, key).unlink()

    @staticmethod
    def _place(folder: Path, kind: str, key: Digest) -> Path:
        return folder / f"{kind}/{key.hex[:2]}/{key.hex}"  # one join: pathlib's are slow


def _make(folder: Path) -> None:
    """Make a folder for this user alone; those above it as they come."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(_FOLDER_MODE)


def _is_own(folder: Path) -> bool:
    """Whether a folder is this user's, and nobody else may write or read it."""
    status = folder.lstat()
    own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return own and not status.st_mode & 0o077
