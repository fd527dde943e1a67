"""What is made once a run and used by all of its workers."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_once(place: Path) -> Iterator[bool]:
    """Hold a folder's lock; whether it is still to be made. Workers that come later wait."""
    with place.with_name(f"{place.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = place / ".done"
        missing = not done.exists()
        if missing:
            # What a worker left whose making failed.
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
        yield missing
        done.touch()
