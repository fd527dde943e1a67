"""The size of an application, and where most of it lies."""

from collections import Counter
from collections.abc import Iterable, Mapping

from basestore.layer.application.context import Context, Found
from basestore.layer.application.errors import TooLargeError, in_words
from basestore.layer.application.take import Placed
from basestore.profile.service import Service

_NAMED = 3
_MOST = 0.8  # a folder with so much of the whole says less than what lies in it


def check_size(context: Context, service: Service, placed: Mapping[str, Placed]) -> int:
    """The bytes of all that is placed; raises TooLargeError beyond the service's limit."""
    size = sum(one.found.size for one in placed.values())
    if size > service.limit:
        largest = largest_of([one.found for one in placed.values()])
        named = [f"{context.shown(path)} ({in_words(part)})" for path, part in largest]
        raise TooLargeError(service.place, size, service.limit, named)
    return size


def largest_of(found: Iterable[Found]) -> list[tuple[str, int]]:
    """The files and folders (with a final slash) that hold most bytes, the largest first."""
    files, folder = list(found), ""
    while True:
        parts = _parts(files, folder)
        path, size = parts.most_common(1)[0]
        if not path.endswith("/") or size < _MOST * parts.total():
            return parts.most_common(_NAMED)
        files = [file for file in files if file.path.startswith(path)]
        folder = path


def _parts(files: Iterable[Found], folder: str) -> Counter[str]:
    """The bytes of each file and folder directly in a folder (empty or with a final slash)."""
    parts: Counter[str] = Counter()
    for file in files:
        name, slash, _ = file.path.removeprefix(folder).partition("/")
        parts[folder + name + slash] += file.size
    return parts
