"""Whether the dynamic linker will find what files need (ld.so(8)).

Works on any set of files: the foundation asks for its own, and a wheel's libraries can be asked for
against the foundation they will run on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from basestore.errors import InputError
from basestore.layer.elf import Elf

Libraries = Callable[[str], bool]
"""Whether an absolute path leads to a library of the right machine, all links followed."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A file, by its absolute path, that needs a library that can't be found."""

    path: str
    library: str


@dataclass(frozen=True, slots=True)
class Linker:
    """The search of the dynamic linker.

    ``folders``: where it looks for every file, absolute. ``names``: sonames and file names of all
    libraries there are, wherever they lie: a library that a program loads by itself, from a folder
    of its own, satisfies those that are loaded after it, so only what nobody brings is missing.
    """

    machine: int
    folders: tuple[str, ...]
    names: frozenset[str]
    has: Libraries

    def missing(self, path: str, elf: Elf) -> Iterator[Missing]:
        """What a file at an absolute path needs in vain; nothing for files of other machines."""
        if elf.machine != self.machine:
            return
        for library in elf.needed:
            if not self._finds(library, path, elf):
                yield Missing(path, library)

    def _finds(self, library: str, path: str, elf: Elf) -> bool:
        if "/" in library:
            return self.has(library)
        own = (_expanded(folder, path) for folder in elf.folders)
        return library in self.names or any(
            self.has(f"{folder}/{library}") for folder in (*own, *self.folders)
        )


def _expanded(folder: str, path: str) -> str:
    """ld.so(8), "Rpath token expansion"."""
    origin = path.rpartition("/")[0]
    for token in ("$ORIGIN", "${ORIGIN}"):
        folder = folder.replace(token, origin)
    return folder


class MissingLibraryError(InputError):
    """Files need libraries that no package brings."""

    def __init__(self, missing: tuple[Missing, ...], owner: str) -> None:
        first = missing[0]
        others = len({found.library for found in missing}) - 1
        more = f", and {others} more libraries are missing" if others else ""
        super().__init__(
            f"{first.path} of {owner} needs {first.library}, which nothing in the image "
            f"brings{more}",
            f"add the Debian package that holds {first.library} to the profile's "
            "[foundation] packages",
        )
        self.missing = missing
