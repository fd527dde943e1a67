"""Commands killed at any one of the calls by which they change something.

strace writes each call into a pipe as it ends, and holds its thread up for a moment; in that moment
whoever reads the pipe kills. Now and then a call or two slips through: then it is killed there.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from commandline import CommandLine
from faults.calls import CHANGING, CHANGING_IF, RESUMED, UNFINISHED, Call, calls_of
from faults.traced import Ended, names_for_strace

_HELD_UP = 1000
"""Microseconds, after each call: so long is there to kill."""


@dataclass(frozen=True)
class Moment:
    """The end of that many calls that change something.

    ``alone``: only who made the last is killed, and not all processes of the command.
    """

    number: int
    alone: bool

    def __str__(self) -> str:
        return f"call {self.number}{', alone' if self.alone else ''}"


def killed(
    run: CommandLine, words: Sequence[str], folders: Collection[Path], moment: Moment
) -> Ended:
    """Run a command until that moment; programs that it starts are not looked at, but die too."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BASESTORE_")}
    reading, writing = os.pipe()
    with tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(
            [*_strace(writing), sys.executable, "-m", "basestore", *words],
            cwd=run.folder,
            env={**inherited, **run.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        calls = []
        with os.fdopen(reading, errors="replace") as trace:
            for call in _Joined().calls(trace, run.folder):
                if call.changes and call.below(folders):
                    calls.append(call)
                    if len(calls) == moment.number:
                        _kill(process.pid, call.thread, moment)
        process.wait()
        err.seek(0)
        return Ended(process.returncode, err.read(), len(calls) >= moment.number, calls)


def _strace(log: int) -> Sequence[str]:
    changing = ",".join(f"?{name}" for name in sorted(CHANGING))
    held_up = f"--inject={changing}:delay_exit={_HELD_UP}"
    traced = names_for_strace((*CHANGING, *CHANGING_IF))
    return ("strace", "-f", "-y", "-b", "execve", "-o", f"/dev/fd/{log}", "-e", traced, held_up)


def _kill(group: int, thread: int, moment: Moment) -> None:
    with contextlib.suppress(ProcessLookupError):  # it slipped through, to its end
        if moment.alone:
            os.kill(thread, signal.SIGKILL)  # any thread stands for its process
        else:
            os.killpg(group, signal.SIGKILL)


@dataclass
class _Joined:
    """Puts calls together that others interrupted, each when it ends."""

    _begun: dict[str, str] = field(default_factory=dict)

    def calls(self, lines: Iterator[str], start: Path) -> Iterator[Call]:
        for line in map(str.rstrip, lines):
            thread, _, said = line.partition(" ")
            if said.endswith(UNFINISHED):
                self._begun[thread] = said.removesuffix(UNFINISHED)
            elif resumed := RESUMED.match(line):
                yield from calls_of([f"{thread} {self._begun.pop(thread, '')}{resumed[3]}"], start)
            else:
                yield from calls_of([line], start)
