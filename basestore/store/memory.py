"""What this user has seen of a store's bytes, and made of them: nothing else of it is believed.

*hashed*: under a blob's digest, the files of it that this user has hashed, as they were then.
*recipes*, *layers*: under a recipe's and a layer's digest, what this user wrote down of the layer.
The records lie in the user's `State`, never in the store. Where that keeps nothing, they last as
long as the process.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from basestore.canonical import Json
from basestore.digest import Digest
from basestore.state import State

_FILES = 8
"""Files of one digest that are remembered: those of so many stores; the oldest is forgotten."""

_WRITE_BITS = 0o222


@dataclass(frozen=True, slots=True)
class Memory:
    """Records of this process, and of this user's earlier ones."""

    state: State
    _here: dict[tuple[str, Digest], Json] = field(default_factory=dict)

    def is_hashed(self, digest: Digest, status: os.stat_result) -> bool:
        """Whether a file, open and with this status, is known to have the digest's bytes."""
        return is_keepable(status) and _row(status) in self._files(digest)

    def note_hashed(self, digest: Digest, status: os.stat_result) -> None:
        """A file that is only this user's to change has the digest's bytes; others are not noted.

        The caller has hashed it, and found the same status before and after.
        """
        if is_keepable(status):
            row = _row(status)
            others = [one for one in self._files(digest) if _place(one) != _place(row)]
            self._remember("hashed", digest, [*others, row][-_FILES:])

    def forget_hashed(self, digest: Digest, status: os.stat_result) -> None:
        """A file is gone."""
        place = _place(_row(status))
        files = self._files(digest)
        left = [one for one in files if _place(one) != place]
        if left != files:
            self._remember("hashed", digest, [*left]) if left else self._forget("hashed", digest)

    def has_made(self, kind: str, key: Digest, proof: Digest) -> bool:
        """Whether this user wrote down just that of a recipe or layer (``kind``)."""
        return bool(self._recall(kind, key) == proof.hex)

    def note_made(self, kind: str, key: Digest, proof: Digest) -> None:
        """This user wrote that down. ``proof``: the digest of what is recorded."""
        if not self.has_made(kind, key, proof):
            self._remember(kind, key, proof.hex)

    def forget_made(self, kind: str, key: Digest) -> None:
        """The record is gone."""
        self._forget(kind, key)

    def _files(self, digest: Digest) -> list[Any]:
        found = self._recall("hashed", digest)
        return found if isinstance(found, list) else []

    def _recall(self, kind: str, key: Digest) -> Any:
        found = self._here.get((kind, key))
        return self.state.recall(kind, key) if found is None else found

    def _remember(self, kind: str, key: Digest, value: Json) -> None:
        self._here[kind, key] = value
        self.state.remember(kind, key, value)

    def _forget(self, kind: str, key: Digest) -> None:
        self._here.pop((kind, key), None)
        self.state.forget(kind, key)


def is_keepable(status: os.stat_result) -> bool:
    """Whether a file's bytes stay as they are unless this user changes them, which shows.

    Nobody else may write it, and every change of bytes, mode or owner moves its ctime.
    """
    own = status.st_uid == os.geteuid() and stat.S_ISREG(status.st_mode)
    return own and not status.st_mode & _WRITE_BITS


def is_unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether a file was the same all the while."""
    return _row(before) == _row(after)


def _row(status: os.stat_result) -> Mapping[str, Json]:
    return {
        "ctime_ns": status.st_ctime_ns,
        "device": status.st_dev,
        "inode": status.st_ino,
        "mtime_ns": status.st_mtime_ns,
        "size": status.st_size,
    }


def _place(row: Any) -> Any:
    return (row.get("device"), row.get("inode")) if isinstance(row, dict) else None
