"""Runs programs inside an unpacked image: in bubblewrap, or as root in a chroot."""

import os
import platform
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runtime_base import Tree
from services import lacking


@dataclass(frozen=True)
class Inside:
    """Runs programs that see the tree as their root, /dev/null and no network."""

    tree: Tree
    prefix: Sequence[str]

    def __call__(self, *words: str) -> str:
        """What a program that ends well writes to its standard output."""
        environ = {**self.tree.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [*self.prefix, *words], check=False, env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def python(self, code: str) -> str:
        """What a piece of Python prints, run by the python that the image's PATH finds."""
        return self("/usr/bin/env", "python", "-c", code).rstrip("\n")


def inside(tree: Tree) -> Inside:
    """The way into a tree that this machine offers."""
    if platform.machine() != "x86_64":
        lacking("runs linux/amd64's programs")
    ways: tuple[Callable[[Path], list[str]], ...] = (_bubblewrap, _chroot)
    for way in ways:
        prefix = way(tree.root)
        if prefix and _works(prefix):
            return Inside(tree, prefix)
    return lacking("needs bubblewrap, or root for a chroot")


def _bubblewrap(root: Path) -> list[str]:
    program = shutil.which("bwrap")
    if program is None:
        return []
    binds = ["--ro-bind", str(root), "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]
    return [program, "--unshare-all", "--die-with-parent", *binds]


def _chroot(root: Path) -> list[str]:
    program = shutil.which("chroot")
    if program is None or os.geteuid() != 0:
        return []
    null = root / "dev/null"
    if not null.exists():
        null.parent.mkdir(exist_ok=True)
        os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        null.chmod(0o666)
    return [program, str(root)]


def _works(prefix: Sequence[str]) -> bool:
    return subprocess.run([*prefix, "/bin/true"], check=False, capture_output=True).returncode == 0
