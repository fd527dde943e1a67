"""The memory of a program and of all that it starts, by the kernel's account and by looking."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from command import CommandError, inherited

EVERY = 0.01  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes at most: of one process, and of all at a time, shared pages counted once."""

    process: int
    together: int


def peak_memory(words: Sequence[str], environ: Mapping[str, str]) -> Peak:
    """Run a program to its end, not timed; raises CommandError."""
    most, before, ended = 0, 0, 0
    process = subprocess.Popen(
        words,
        env={**inherited(), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not ended:
        now = sum(map(_shared_out, _family(process.pid)))
        # In two looks: between vfork and exec a process counts twice.
        most, before = max(most, min(before, now)), now
        time.sleep(EVERY)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandError(words, process.returncode, "")
    # The kernel's own account, which misses no peak between two looks; it begins with what this
    # process has, which is less.
    return Peak(usage.ru_maxrss * 1024, most)


def _family(process: int) -> Iterator[int]:
    """A process and its descendants."""
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _read(task).split():
            yield from _family(int(child))


def _shared_out(process: int) -> int:
    """A process's memory in bytes, pages that it shares by its part; 0 where it has ended."""
    for line in _read(Path(f"/proc/{process}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
