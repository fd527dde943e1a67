"""What a command writes to pipes, devices and standard output: bytes that can't be taken back."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from basestore.cli.streams import BROKEN_PIPE


@contextmanager
def open_stream(target: Path | int) -> Iterator[BinaryIO]:
    """A pipe or device by its path, or an open descriptor, to write to; whoever reads may go."""
    with _opened(target) as file:
        try:
            yield file
            file.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())  # what is buffered goes there
            raise SystemExit(BROKEN_PIPE) from None


def _opened(target: Path | int) -> BinaryIO:
    if isinstance(target, Path):
        return target.open("wb")
    sys.stdout.flush()
    return os.fdopen(os.dup(target), "wb")
