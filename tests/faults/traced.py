"""Commands under strace: which calls change files, and the same command with one of them failing.

strace counts a call by its name within each thread, so a *point* is a name and a number: the fault
strikes the first thread that makes so many calls of that name.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commandline import LONGEST, CommandLine

CALLS = (
    *("openat", "write", "pwrite64", "ftruncate", "copy_file_range", "fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat"),
    *("chmod", "fchmod", "fchmodat", "utimensat"),
)
"""Whatever changes a file, a folder, or what of it outlasts a loss of power."""

_LINE = re.compile(r"(\d+) +(\w+)\((.*?)(?:\) += (-?\d+|\?).*| <unfinished \.\.\.>)$")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*\) += (-?\d+|\?).*)")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|<(/[^>]*)>')
_DATA = ("write", "pwrite64")  # their words are no paths
_WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")


@dataclass(frozen=True)
class Call:
    """A call in the order of its beginning. ``number``: of that name in its thread, from 1.

    ``paths``: what it names, absolute; those behind its descriptors too. ``done``: it succeeded;
    ``refused``: by the fault.
    """

    thread: int
    name: str
    number: int
    paths: tuple[str, ...]
    arguments: str
    done: bool
    refused: bool

    @property
    def changes(self) -> bool:
        """Whether it is there to change something: opening is only where it is for writing."""
        return self.name != "openat" or any(flag in self.arguments for flag in _WRITING)


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
    """Run a command under strace; ``fault``: what befalls it at the point, in strace's words."""
    inject = [f"--inject={point.name}:{fault}:when={point.number}"] if point else []
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BASESTORE_")}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "trace"
        strace = ["strace", "-f", "-y", "-s", "4096", "-o", str(log)]
        if "signal" not in fault:  # strace 6.1 forgets the signals where it is quick
            strace.append("--seccomp-bpf")
        strace += ["-e", f"trace={','.join(CALLS)}", *inject]
        done = subprocess.run(
            [*strace, sys.executable, "-m", "basestore", *words],
            cwd=run.folder,
            env={**inherited, **run.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        lines = log.read_text(errors="replace").splitlines()
        struck = any("(INJECTED)" in line or "killed by SIGKILL" in line for line in lines)
        return Ended(done.returncode, done.stderr, struck, list(_calls(lines)))


def points(calls: Sequence[Call], folders: Sequence[Path]) -> list[Point]:
    """The points at which a call changes something below these folders, in the calls' order.

    Where another thread makes as many calls of that name before, the fault would strike that one.
    """
    below = tuple(f"{folder}/" for folder in folders)
    first = {(call.name, call.number): call for call in reversed(calls)}
    return [
        Point(call.name, call.number)
        for call in calls
        if call is first[call.name, call.number]
        and call.changes
        and any(path.startswith(below) for path in call.paths)
    ]


def _calls(lines: Sequence[str]) -> Iterator[Call]:
    """The calls of a trace; one that others interrupted is put together again."""
    ends = _ends(lines)
    counts: dict[tuple[int, str], int] = {}
    for line in lines:
        if not (found := _LINE.match(line)):
            continue
        thread, name, arguments, code = int(found[1]), found[2], found[3], found[4]
        number = counts[thread, name] = counts.get((thread, name), 0) + 1
        rest = ""
        if code is None:
            rest, code = ends.get((thread, name, number), ("", "?"))
            arguments += rest
        words = _WORD.findall(arguments)[: 1 if name in _DATA else None]
        # What a relative path is relative to isn't told; basestore names files from the root.
        paths = tuple(q or behind for q, behind in words if behind or q.startswith("/"))
        refused = "(INJECTED)" in line or "(INJECTED)" in rest
        yield Call(thread, name, number, paths, arguments, code not in ("?", "-1"), refused)


def _ends(lines: Sequence[str]) -> dict[tuple[int, str, int], tuple[str, str]]:
    """The ends of interrupted calls, by thread, name and number."""
    counts: dict[tuple[int, str], int] = {}
    ends = {}
    for line in lines:
        if resumed := _RESUMED.match(line):
            key = (int(resumed[1]), resumed[2])
            ends[(*key, counts.get(key, 0))] = (resumed[3], resumed[4])
        elif found := _LINE.match(line):
            key = (int(found[1]), found[2])
            counts[key] = counts.get(key, 0) + 1
    return ends
