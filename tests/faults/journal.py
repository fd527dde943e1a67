"""What a command did to files, call by call and byte by byte, as strace tells it.

A *step* is a call that came to its end, in the order in which calls ended. strace sees a call's
beginning and its end, and between the two of one thread those of others.
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
from faults.traced import Point

_CHANGING = (
    *("openat", "creat", "truncate", "ftruncate", "fallocate", "mknod", "mknodat"),
    *("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "copy_file_range"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
    *("unlink", "unlinkat", "rmdir", "mkdir", "mkdirat"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat"),
    *("fsync", "fdatasync", "sync", "syncfs", "sync_file_range"),
)
_LONGEST_DATA = 1 << 24  # bytes of a single write

_END = r"\) += (-?\d+|\?)(?:<[^>]*>)?(?: .*)?"
_WHOLE = re.compile(rf"(\d+) +(\w+)\((.*){_END}", re.DOTALL)
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*?) *<unfinished \.\.\.>", re.DOTALL)
_RESUMED = re.compile(rf"(\d+) +<\.\.\. (\w+) resumed>(.*){_END}", re.DOTALL)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?|(?:AT_FDCWD|\d+)<([^>]*)>|([^,\s"]+)', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}


class Behind(str):
    """The path behind a descriptor, absolute; with `` (deleted)`` where it has no name any more."""

    __slots__ = ()


Word = bytes | Behind | str
"""Of a call's arguments: the bytes of a string, a descriptor, or other text as strace puts it."""


@dataclass(frozen=True)
class Step:
    """A call with its arguments. ``gave``: what it returned, None where the process ended within
    it, so that nobody knows. ``began`` and ``ended`` are numbers of lines of the trace.
    """

    name: str
    words: Sequence[Word]
    gave: int | None
    began: int
    ended: int


@dataclass(frozen=True)
class Journal:
    """A command's end, and all its steps that didn't fail."""

    code: int
    err: str
    steps: Sequence[Step]


def recorded(run: CommandLine, words: Sequence[str], kill: Point | None = None) -> Journal:
    """Run a command under strace; ``kill``: the call that it is killed at."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BASESTORE_")}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "trace"
        strace = ["strace", "-f", "-y", "-s", str(_LONGEST_DATA), "-o", str(log)]
        strace += ["-e", f"trace={','.join(_CHANGING)}"]
        # strace 6.1 forgets the signals where it is quick
        strace += [f"--inject={kill.name}:signal=KILL:when={kill.number}"] if kill else []
        strace += [] if kill else ["--seccomp-bpf"]
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
        lines = log.read_bytes().decode("latin-1").splitlines()
    steps = (step for step in _steps(lines) if step.gave != -1)
    return Journal(done.returncode, done.stderr, sorted(steps, key=lambda step: step.ended))


def _steps(lines: Sequence[str]) -> Iterator[Step]:
    begun: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(lines):
        if found := _RESUMED.fullmatch(line):
            name, text, began = begun.pop(found[1])
            yield Step(name, _words(text + found[3]), _number(found[4]), began, number)
        elif found := _BEGUN.fullmatch(line):
            begun[found[1]] = (found[2], found[3], number)
        elif found := _WHOLE.fullmatch(line):
            yield Step(found[2], _words(found[3]), _number(found[4]), number, number)
    for name, text, began in begun.values():
        yield Step(name, _words(text), None, began, len(lines))


def _number(text: str) -> int | None:
    return None if text == "?" else int(text)


def _words(arguments: str) -> tuple[Word, ...]:
    return tuple(_word(found) for found in _WORD.finditer(arguments))


def _word(found: re.Match[str]) -> Word:
    quoted, cut, behind, other = found.groups()
    if cut:
        raise ValueError(f"strace cut off {quoted[:80]!r}")
    if quoted is not None:
        return _unescaped(quoted)
    return Behind(os.fsdecode(_unescaped(behind))) if behind is not None else str(other)


def _unescaped(text: str) -> bytes:
    """The bytes that strace put as a C string."""

    def one(found: re.Match[bytes]) -> bytes:
        octal, letter = found.groups()
        return bytes([int(octal, 8)]) if octal else _NAMED.get(letter, letter)

    return _ESCAPE.sub(one, text.encode("latin-1"))
