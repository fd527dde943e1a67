"""Programs that are measured: run to their end, with the time they took."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec
from wheels import ROOT


class CommandError(Exception):
    """A program that had to end well did not."""

    def __init__(self, words: Sequence[str], code: int, err: str) -> None:
        super().__init__(f"exit code {code} of {' '.join(words)}\n{err[-2000:]}")


@dataclass(frozen=True, slots=True)
class Done:
    """A finished program. ``wall`` and ``cpu``: seconds; ``cpu`` is of its children too."""

    wall: float
    cpu: float
    out: bytes

    @property
    def json(self) -> Any:
        """The JSON document that it printed."""
        return msgspec.json.decode(self.out)


def run(words: Sequence[str], environ: Mapping[str, str], given: IO[bytes] | None = None) -> Done:
    """Run a program to its end; raises CommandError.

    ``environ`` is added to this process's own. ``given``: its standard input.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            words,
            env={**inherited(), **environ},
            stdin=given or subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise CommandError(words, process.returncode, err.read().decode(errors="replace"))
        return Done(wall, usage.ru_utime + usage.ru_stime, out.read())


def inherited() -> dict[str, str]:
    """This process's environment, but for what would keep programs from their usual start."""
    # Without bytecode each start would compile basestore anew.
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Basestore:
    """basestore as a user runs it, in a project, with a store."""

    project: Path
    store: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *words: str) -> Done:
        """Run a command to its end; raises CommandError."""
        return run(self.words(*words), {"BASESTORE_STORE": str(self.store), **self.environ})

    def words(self, *words: str) -> list[str]:
        """A command's line."""
        return [sys.executable, "-m", "basestore", "--project", str(self.project), *words]


def project(folder: Path) -> Path:
    """A project with the profiles and locks of this one, and no images recorded."""
    for name in ("profiles", "locks"):
        (folder / name).mkdir(parents=True)
        for file in (ROOT / name).iterdir():
            if file.is_file() and file.name != "images.toml":
                (folder / name / file.name).write_bytes(file.read_bytes())
    return folder
