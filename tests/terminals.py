"""The command line on a terminal."""

import os
import pty
import subprocess
import sys

from commandline import CommandLine


def on_terminal(basestore: CommandLine, *words: str, **environ: str) -> list[str]:
    """What a terminal of 80 columns shows, without colours."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "basestore", *words],
        cwd=basestore.folder,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", **basestore.environ, **environ},
        stdout=theirs,
        stderr=theirs,
        check=False,
    )
    os.close(theirs)
    assert done.returncode == 0
    data = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return data.decode().splitlines()


def _read(terminal: int) -> bytes:
    """Linux says EIO where the other end of a terminal is closed and all is read."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
