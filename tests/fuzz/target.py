"""A target: a reader as a function of bytes, and what it may raise."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from basestore.errors import BasestoreError


@dataclass(frozen=True)
class Target:
    """A reader. ``seal``: whether tar checksums in its inputs are to be made right at times."""

    run: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = (BasestoreError,)
    seal: bool = False
    tokens: tuple[bytes, ...] = ()


@cache
def scratch() -> Path:
    """A folder for readers that open files themselves; gone with the process."""
    folder = tempfile.TemporaryDirectory(prefix="basestore-fuzz-")
    scratch.folder = folder  # type: ignore[attr-defined]  # keeps it
    return Path(folder.name)
