"""A lock as a requirements file with hashes, for pip's hash-checking mode.

It names no index as an option: such a line would hold for all that is installed with the file, and
for other files too. Where packages come from another index than the default one, a comment says so.
"""

from collections.abc import Iterator, Sequence

from basestore.digest import Digest
from basestore.lock.export.pins import Pin, index_of, marker_of, pins
from basestore.lock.files import lock_file
from basestore.lock.model import Lock
from basestore.profile.model import Index


def requirements(lock: Lock, digest: Digest, indexes: Sequence[Index]) -> bytes:
    """The requirements file of a lock, or of the platforms that were left in it.

    ``digest`` is the whole lock's. ``indexes``: those that packages are named for.
    """
    return ("\n".join(_lines(lock, digest, indexes)) + "\n").encode()


def _lines(lock: Lock, digest: Digest, indexes: Sequence[Index]) -> Iterator[str]:
    yield f"# Written by basestore from {lock_file(lock.profile)},"
    yield f"# {digest}."
    yield f"# For {', '.join(str(one.platform) for one in lock.platforms)}. Install it with"
    yield "#     pip install --require-hashes --only-binary :all: --no-deps -r FILE"
    held = pins(lock)
    for index in indexes:
        names = dict.fromkeys(pin.name for pin in held if index_of(pin.name, indexes) == index)
        if names:
            yield f"# From the index {index.name}, {index.url}:"
            yield f"#     {', '.join(names)}"
    for pin in held:
        yield from _pin(pin, marker_of(pin, lock))


def _pin(pin: Pin, marker: str) -> Iterator[str]:
    condition = f" ; {marker}" if marker else ""
    hashes = [f"    --hash={digest}" for digest in sorted({str(w.sha256) for w in pin.wheels})]
    yield f"{pin.name}=={pin.version}{condition} \\"
    yield from (f"{line} \\" for line in hashes[:-1])
    yield hashes[-1]
