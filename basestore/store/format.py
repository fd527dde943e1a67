"""The format of a store: the line in its file ``format``, and how an older one becomes today's.

Whatever the number, these mean what they mean today: the file ``format``, and in ``leases`` the
files of running commands, the gate and the collector's lock. By them versions of this program that
know other formats keep out of each other's way.
"""

import contextlib
import errno
import fcntl
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from basestore.errors import InputError, UnreachableError
from basestore.files import make_folder, replace_file
from basestore.store.leases import Leases
from basestore.waiting import PATIENCE

Step = Callable[[Path], None]
"""Makes of a store's folder one of the next format.

It may find its work done in part, by one that was killed, and does the rest. When it returns, what
it did is durable.
"""

_LINE = re.compile(rb"basestore store (0|[1-9][0-9]{0,5})\n")
_PAUSE = 0.05  # seconds between two looks whether the others have ended


class StoreFormatError(InputError):
    """The folder is a store of another format, or none."""


class UnknownFormatError(StoreFormatError):
    """The store has a format that is newer, or from which no steps lead here."""

    def __init__(self, root: Path, found: int) -> None:
        super().__init__(
            f"the store {root} has the unknown format {found}",
            "use the version of basestore that wrote it, or another folder in BASESTORE_STORE",
        )


class UnreadableFormatError(StoreFormatError):
    """The file ``format`` doesn't say which format the store has, or the folder is no store."""

    def __init__(self, root: Path, found: bytes, wanted: int) -> None:
        super().__init__(
            f"{root / 'format'} doesn't say which format the store has: "
            f"{found[:40].decode(errors='replace')!r}",
            f"if it is a store of this version, write the line `basestore store {wanted}` into "
            "that file; else set BASESTORE_STORE to another folder",
        )


class OlderStoreError(InputError):
    """The store has an older format, and is only to be read, or can't be written."""

    def __init__(self, root: Path, found: int, wanted: int) -> None:
        super().__init__(
            f"the store {root} has the older format {found}, and nothing is written there that "
            f"would make it {wanted}",
            f"let somebody who may write it run `BASESTORE_STORE={root} basestore build` once, or "
            "use another folder",
        )
        self.found = found
        self.wanted = wanted


class StoreInUseError(UnreachableError):
    """Commands that know the older format only are at work in a store."""

    def __init__(self, root: Path, holders: tuple[str, ...], seconds: float) -> None:
        super().__init__(
            f"the store {root} is to be brought to a newer format, but is used by "
            f"{' and '.join(holders)}, for which was waited {seconds:.0f} s",
            "let them come to their end, or end what hangs; then run the command again",
        )
        self.holders = holders


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its ``number``. ``steps``: by number, what makes of an older one the next."""

    number: int
    steps: Mapping[int, Step]

    def check(self, root: Path) -> None:
        """See that a store has this format; raises StoreFormatError, OlderStoreError, OSError."""
        if (found := self._read(root)) != self.number:
            raise OlderStoreError(root, found, self.number)

    def settle(self, leases: Leases, patience: float = PATIENCE) -> None:
        """Give a new store this format, and bring an older one to it.

        Raises StoreFormatError, OlderStoreError for one that can't be written, StoreInUseError
        after ``patience`` seconds, LockHeldError, and OSError.
        """
        root = leases.folder.parent
        if not (root / "format").exists():
            _begin(leases, self.number)
        if (found := self._read(root)) == self.number:
            return
        try:
            self._migrate(leases, patience)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            raise OlderStoreError(root, found, self.number) from error

    def _migrate(self, leases: Leases, patience: float) -> None:
        """Step by step, alone; a step counts when the format says so, and else is done again."""
        root = leases.folder.parent
        with leases.alone(), _nobody_else(leases, patience):
            while (number := self._read(root)) < self.number:
                self.steps[number](root)
                replace_file(root / "format", _line(number + 1))

    def _read(self, root: Path) -> int:
        """The number of a store's format: this one, or one from which steps lead here."""
        data = (root / "format").read_bytes()
        if not (line := _LINE.fullmatch(data)):
            raise UnreadableFormatError(root, data, self.number)
        number = int(line[1])
        if number > self.number or not self.steps.keys() >= set(range(number, self.number)):
            raise UnknownFormatError(root, number)
        return number


FORMAT = Format(1, {})
"""Today's format. It is the first, so that there is nothing to migrate."""


def _line(number: int) -> bytes:
    return f"basestore store {number}\n".encode()


def _begin(leases: Leases, number: int) -> None:
    """Make a store, unless another process, perhaps of another version, does at the same time."""
    root = leases.folder.parent
    make_folder(root)
    with leases.alone():
        if not (root / "format").exists():
            replace_file(root / "format", _line(number))


@contextlib.contextmanager
def _nobody_else(leases: Leases, patience: float) -> Iterator[None]:
    """Wait until no command has a lease, and let none begin one within the block."""
    waited = 0.0
    while True:
        with leases.gate(fcntl.LOCK_EX):
            leases.bury()
            if not (holders := tuple(who for _, who in leases.living())):
                yield
                return
        if waited >= patience:
            raise StoreInUseError(leases.folder.parent, holders, patience)
        time.sleep(_PAUSE)
        waited += _PAUSE
