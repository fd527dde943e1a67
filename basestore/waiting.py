"""Waiting for a lock of a file: bounded, and whoever is waited for is named.

All locks here are those of flock(2): the kernel frees one when the last process that has the file
open through the same opening ends, however it ends.
"""

import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from basestore.errors import UnreachableError

PATIENCE = 60.0
"""Seconds that a lock is waited for whose holders should need moments."""

_FIRST, _LONGEST = 0.0005, 0.05  # seconds between two tries
_UNNAMED = "a process that this machine doesn't show"


class LockHeldError(UnreachableError):
    """Somebody holds a lock for longer than it should take."""

    def __init__(self, what: str, holders: tuple["Holder", ...], seconds: float) -> None:
        named = " and ".join(map(str, holders)) or _UNNAMED
        super().__init__(
            f"{what} is held by {named}, and was waited for {seconds:.0f} s",
            "let it come to its end, or end it if it hangs; then run the command again",
        )
        self.holders = holders


@dataclass(frozen=True, slots=True)
class Holder:
    """A process: its id, what it runs as far as that may be shown, and the machine's name."""

    pid: int
    command: str
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}) on {self.host}"


def wait(
    descriptor: int,
    operation: int,
    what: str,
    moves: Callable[[], object] = lambda: None,
    patience: float = PATIENCE,
) -> None:
    """Take a lock of an open file (``LOCK_EX`` or ``LOCK_SH``), and wait for it where one must.

    ``what`` names the thing in errors. As long as what ``moves`` tells changes, the holder is at
    work and the waiting begins anew. Waiting is counted by what was slept, since a clock may jump.
    Raises LockHeldError.
    """
    seen, waited, pause = moves(), 0.0, _FIRST
    while not taken(descriptor, operation):
        if (now := moves()) != seen:
            seen, waited = now, 0.0
        if waited >= patience:
            raise LockHeldError(what, holders_of(descriptor), patience)
        time.sleep(pause)
        waited += pause
        pause = min(pause * 1.5, _LONGEST)


def taken(descriptor: int, operation: int) -> bool:
    """Take a lock if that needs no waiting; whether it did."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holders_of(descriptor: int) -> tuple[Holder, ...]:
    """Who holds a lock of an open file, as far as this machine's kernel tells (proc(5), locks)."""
    inode = str(os.fstat(descriptor).st_ino)
    try:
        rows = [row.split() for row in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return ()
    # "1: FLOCK ADVISORY WRITE 1234 fd:01:5678 0 EOF"; "->" in the place of FLOCK for who waits
    held = (row for row in rows if len(row) > 5 and row[1] == "FLOCK")
    pids = dict.fromkeys(int(row[4]) for row in held if row[5].rpartition(":")[2] == inode)
    return tuple(holder(pid) for pid in pids if pid != os.getpid())


def holder(pid: int) -> Holder:
    """A process of this machine, with the name of its program and command but no arguments."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        words, name = [], "ended"
    return Holder(pid, _command(words) or name, os.uname().nodename)


def _command(words: list[str]) -> str:
    """``basestore build`` out of a command line; further words may be secrets."""
    for number, word in enumerate(words):
        if word.rpartition("/")[2] in ("basestore", "basestore.exe", "__main__.py"):
            verbs = [one for one in words[number + 1 : number + 3] if one.isalpha()]
            stored = verbs[:1] == ["store"]
            return " ".join(["basestore", *verbs[: 2 if stored else 1]])
    return ""
