"""Git repositories of tests: nobody's configuration, always the same author."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

GIT: Mapping[str, str] = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "t"),
    **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "t@example.com"),
}
"""The environment that git runs in."""


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", "-C", str(folder), *words], env=GIT, check=True, capture_output=True)


def commit(folder: Path) -> None:
    """Commit all that there is."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a commit")
