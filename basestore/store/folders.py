"""The folders of a store, made such that those who share the store may all use them."""

import stat
from dataclasses import dataclass
from pathlib import Path

from basestore.files import replace_file, sync_folder


@dataclass(frozen=True, slots=True)
class Folders:
    """Makes folders below a store's root.

    Where the group may write the root, it may write all of them, whatever the umask of who makes
    them; the root's setgid bit, which makes what is new the group's, is handed down.
    """

    root: Path

    def make(self, folder: Path) -> None:
        """Make a folder and those above it where they are missing, durably."""
        if folder.is_dir():
            return
        if folder != self.root:
            self.make(folder.parent)
        try:
            folder.mkdir()
        except FileExistsError:
            return
        shared = stat.S_IMODE(self.root.stat().st_mode)
        if shared & stat.S_IWGRP:
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o070 | shared & stat.S_ISGID)
            sync_folder(folder)
        sync_folder(folder.parent)

    def replace(self, path: Path, data: bytes) -> None:
        """Write a file whole or not at all, as `replace_file` does, in a folder made like this."""
        self.make(path.parent)
        replace_file(path, data)

    @property
    def file_mode(self) -> int:
        """The mode of files that whoever shares the store may go on with."""
        return 0o664 if self.root.stat().st_mode & stat.S_IWGRP else 0o644
