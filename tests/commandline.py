"""The command line as a user runs it: a process of its own, with a home and a store of its own."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LONGEST = 900
"""Seconds after which a command that hangs is ended."""


@dataclass(frozen=True)
class Done:
    """A finished command."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)

    def expect(self, code: int) -> "Done":
        """This command, which ended with that exit code."""
        shown = f"basestore {' '.join(self.words)}\n{self.out}\n{self.err}"
        assert self.code == code, f"exit code {self.code}, not {code}: {shown}"
        return self


@dataclass(frozen=True)
class CommandLine:
    """Runs basestore in a folder. ``environ`` is added to this process's own, but for what steers
    basestore itself; ``umask`` as os.umask takes it, -1 for this process's own. ``through``: the
    words of a program that runs it, such as strace.
    """

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    umask: int = -1
    through: tuple[str, ...] = ()

    def __call__(self, *words: str, **environ: str) -> Done:
        """Run a command to its end."""
        # Without bytecode each start would compile basestore anew.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("BASESTORE_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                [*self.through, sys.executable, "-m", "basestore", *words],
                cwd=self.folder,
                env={**inherited, "COLUMNS": "80", **self.environ, **environ},
                umask=self.umask,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
            _wait(process)
            return Done(words, process.returncode, _text(out), _text(err))


def closed_address() -> str:
    """``127.0.0.1:PORT`` where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def no_network() -> dict[str, str]:
    """An environment in which every index, archive and proxy is a port where nothing listens."""
    dead = f"http://{closed_address()}"
    mirrors = ("DEFAULT", "DEBIAN", "DEBIAN_SECURITY", "SNAPSHOT")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    return {
        **{f"BASESTORE_MIRROR_{name}": f"{dead}/{name.lower()}" for name in mirrors},
        **dict.fromkeys(proxies, dead),
        "UV_HTTP_RETRIES": "0",
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path, and every folder with a slash at its end."""
    return {
        f"{path.relative_to(folder)}{'/' if path.is_dir() else ''}": (
            b"" if path.is_dir() else path.read_bytes()
        )
        for path in sorted(folder.rglob("*"))
    }


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a process; one that hangs is ended."""
    try:
        process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _text(file: Any) -> str:
    file.seek(0)
    return file.read().decode()
