"""The recorder: writes a layer's listing while the layer is written."""

from isal import isal_zlib

from basestore.layer.content import content_range
from basestore.layer.elf import MalformedElfError, read_elf
from basestore.layer.entry import Encoded, Entry, Kind, folder
from basestore.layer.excerpt import Excerpt
from basestore.layer.listing import Dynamic, Listing
from basestore.store.blobs import Blobs

_ELF = b"\x7fELF"


class Recorder:
    """An observer of the layer writer that notes what goes by.

    What ELF files need can only be read when they are complete, so excerpts are kept of them.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._files: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        self._dynamic: dict[str, Dynamic] = {}
        self._entry = folder("")  # none yet
        self._crc32: int | None = None
        self._begun = False
        self._elf: Excerpt | None = None

    def begin(self, entry: Entry) -> None:
        """An entry begins."""
        self._entry = entry
        self._crc32 = _known_crc32(entry)
        self._begun = False
        if entry.kind in (Kind.SYMLINK, Kind.HARDLINK):
            self._links[entry.path] = entry.target

    def content(self, data: bytes) -> None:
        """A piece of its content."""
        if self._crc32 is not None:
            self._crc32 = isal_zlib.crc32(data, self._crc32)
        if not self._begun:
            self._begun = True
            if data.startswith(_ELF):
                self._elf = Excerpt(self._read_again)
        if self._elf:
            self._elf.take(data)

    def end(self) -> None:
        """The entry is complete."""
        entry = self._entry
        if entry.kind is not Kind.FILE:
            return
        self._files[entry.path] = (entry.size, self._crc32_of(entry))
        if self._elf:
            self._note_elf(entry.path, self._elf)
            self._elf = None

    def listing(self) -> Listing:
        """What was recorded so far."""
        return Listing(files=self._files, links=self._links, dynamic=self._dynamic)

    def _read_again(self, offset: int, length: int) -> bytes:
        return content_range(self._entry, self._blobs, offset, length)

    def _note_elf(self, path: str, file: Excerpt) -> None:
        try:
            found = read_elf(file)
        except MalformedElfError:
            return  # data that looks like a program: test suites hold some
        if found:
            self._dynamic[path] = Dynamic(found.soname, found.needed)

    def _crc32_of(self, entry: Entry) -> int:
        if self._crc32 is not None:
            return self._crc32
        part = entry.payload[0]
        return 0 if isinstance(part, Encoded) else part.crc32


def _known_crc32(entry: Entry) -> int | None:
    """None where the entry itself tells its CRC-32, else the start of a running one."""
    told = len(entry.payload) == 1 and not isinstance(entry.payload[0], Encoded)
    return None if told else 0
