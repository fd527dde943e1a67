"""The foundation's own Python, run in place: no root, no chroot, nothing of the host's Python."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from basestore.errors import UnreachableError
from basestore.layer.foundation.tree import Tree
from basestore.layer.foundation.venv import NoPythonError, short
from basestore.target import Platform


class InterpreterUnusableError(UnreachableError):
    """The foundation's interpreter doesn't run on this host."""

    def __init__(self, platform: Platform, reason: str) -> None:
        super().__init__(
            f"the Python of the foundation for {platform} can't be run here: {reason}",
            "its standard library is compiled by the foundation's own Python; build on a Linux "
            "host of one of the profile's platforms, with the store on a file system that allows "
            "programs to run, or pull the image",
        )
        self.platform = platform


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A command line that starts the interpreter of an unpacked foundation.

    It runs in ``folder``; ``home`` is the prefix of its library, relative to that: both the linker
    and Python split absolute paths at colons.
    """

    platform: Platform
    command: tuple[str, ...]
    home: str
    folder: Path

    def run(self, script: str, data: bytes) -> bytes:
        """Run a script with ``data`` as its input; its output. Raises InterpreterUnusableError.

        Neither the host's environment nor its site-packages reach it.
        """
        environment = {
            "LC_ALL": "C",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONHOME": self.home,
            "PYTHONSAFEPATH": "1",
            "PYTHONUTF8": "1",
            "TZ": "UTC",
        }
        try:
            done = subprocess.run(
                [*self.command, "-S", "-s", "-W", "ignore", "-c", script],
                input=data,
                capture_output=True,
                env=environment,
                cwd=self.folder,
                check=False,
            )
        except OSError as error:
            raise InterpreterUnusableError(self.platform, error.strerror or str(error)) from error
        if done.returncode:
            raise InterpreterUnusableError(self.platform, _last_line(done))
        return done.stdout


def interpreter_of(tree: Tree, platform: Platform, python: str) -> Interpreter:
    """The interpreter of an unpacked tree.

    It is started by the tree's own linker, which gets the tree's libraries and not the host's
    cache. Raises NoPythonError and InterpreterUnusableError.
    """
    loader = tree.file(platform.loader)
    binary = tree.file(f"usr/bin/python{short(python)}")
    if binary is None:
        raise NoPythonError(python)
    if loader is None:
        raise InterpreterUnusableError(platform, f"it has no {platform.loader}")
    libraries = f"usr/lib/{platform.multiarch}:usr/lib"
    command = (str(loader), "--inhibit-cache", "--library-path", libraries, str(binary))
    return Interpreter(platform, command, "usr", tree.root)


def _last_line(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with status {done.returncode}"
