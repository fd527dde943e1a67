"""The recorder: writes a layer's listing while the layer is written."""

from pathlib import Path
from tempfile import SpooledTemporaryFile

from isal import isal_zlib

from basestore.layer.elf import MalformedElfError, read_elf
from basestore.layer.entry import Encoded, Entry, Kind
from basestore.layer.listing import Dynamic, Listing

_ELF = b"\x7fELF"
_IN_MEMORY = 32 * 1024 * 1024  # bytes of an ELF file beyond which it goes to disk meanwhile


class Recorder:
    """An observer of the layer writer that notes what goes by.

    ELF files are kept aside while they pass, larger ones in ``scratch``, because what they need
    can only be read when they are complete.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._files: dict[str, tuple[int, int]] = {}
        self._links: dict[str, str] = {}
        self._dynamic: dict[str, Dynamic] = {}
        self._entry: Entry | None = None
        self._crc32: int | None = None
        self._begun = False
        self._elf: SpooledTemporaryFile[bytes] | None = None

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
                self._elf = SpooledTemporaryFile(_IN_MEMORY, dir=str(self._scratch))  # noqa: SIM115
        if self._elf:
            self._elf.write(data)

    def end(self) -> None:
        """The entry is complete."""
        entry = self._entry
        if entry is None or entry.kind is not Kind.FILE:
            return
        self._files[entry.path] = (entry.size, self._crc32_of(entry))
        if self._elf:
            with self._elf as file:
                file.seek(0)
                self._note_elf(entry.path, file)
            self._elf = None

    def listing(self) -> Listing:
        """What was recorded so far."""
        return Listing(files=self._files, links=self._links, dynamic=self._dynamic)

    def _note_elf(self, path: str, file: "SpooledTemporaryFile[bytes]") -> None:
        try:
            found = read_elf(file)  # type: ignore[arg-type]
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
