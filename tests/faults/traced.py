"""Commands under strace: which calls change files, and the same command with one of them failing.

strace counts a call by its name within each thread, so a *point* is a name and a number: the fault
strikes the first thread that makes so many calls of that name.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from commandline import LONGEST, CommandLine
from faults.calls import CHANGING, CHANGING_IF, Call, calls_of

CALLS = (*sorted(CHANGING), *(name for name in sorted(CHANGING_IF) if "open" in name))
"""What is written down of a command."""
EVERYTHING = ("%file", "%desc", "%memory")
"""All calls that take a path or a descriptor."""


@dataclass(frozen=True)
class Point:
    """Where a fault strikes: the call of that name with that number in its thread."""

    name: str
    number: int


@dataclass(frozen=True)
class Ended:
    """A traced command's end; ``struck``: the fault came about."""

    code: int
    err: str
    struck: bool
    calls: Sequence[Call]

    @property
    def astray(self) -> bool:
        """Whether the fault struck a call that only reads: runs differ by a few such calls."""
        return any(call.refused and not call.changes for call in self.calls)


def traced(
    run: CommandLine, words: Sequence[str], fault: str = "", point: Point | None = None
) -> Ended:
    """Run a command under strace; ``fault``: what befalls it at the point, in strace's words.

    Programs that it starts go their own way, so that their calls don't count.
    """
    inject = [f"--inject={point.name}:{fault}:when={point.number}"] if point else []
    return _strace(run, words, CALLS, ["-b", "execve", *inject])


def watched(run: CommandLine, words: Sequence[str]) -> Ended:
    """Run a command under strace to its end; all that it and what it starts does with files."""
    return _strace(run, words, EVERYTHING, ())


def names_for_strace(calls: Collection[str]) -> str:
    """What strace is to write down; what another architecture lacks is no mistake."""
    return f"trace={','.join(name if name.startswith('%') else f'?{name}' for name in calls)}"


def _strace(
    run: CommandLine, words: Sequence[str], calls: Sequence[str], options: Sequence[str]
) -> Ended:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BASESTORE_")}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "trace"
        strace = ["strace", "-f", "-y", "-s", "4096", "-o", str(log), "-e", names_for_strace(calls)]
        done = subprocess.run(
            [*strace, *options, sys.executable, "-m", "basestore", *words],
            cwd=run.folder,
            env={**inherited, **run.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        lines = log.read_text(errors="replace").splitlines()
    struck = any("(INJECTED)" in line for line in lines)
    return Ended(done.returncode, done.stderr, struck, list(calls_of(lines, run.folder)))


def points(calls: Sequence[Call], folders: Collection[Path]) -> list[Point]:
    """The points at which a call changes something below these folders, in the calls' order.

    Where another thread makes as many calls of that name before, the fault would strike that one.
    """
    first = {(call.name, call.number): call for call in reversed(calls)}
    return [
        Point(call.name, call.number)
        for call in calls
        if call is first[call.name, call.number] and call.changes and call.below(folders)
    ]
