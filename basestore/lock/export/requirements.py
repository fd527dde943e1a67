"""A lock as a requirements file with hashes, for pip's hash-checking mode.

It names no index as an option: such a line would hold for all that is installed with the file, and
for other files too. Where packages come from another index than the default one, a comment says so.
What no index has stands there by its URL (PEP 508), and its hash beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from basestore.digest import Digest
from basestore.lock.export.pins import Pin, index_of, marker_of, pins
from basestore.lock.files import lock_file
from basestore.lock.model import Lock
from basestore.profile.model import Index

_NOWHERE: Mapping[Digest, str] = MappingProxyType({})


def requirements(
    lock: Lock, digest: Digest, indexes: Sequence[Index], urls: Mapping[Digest, str] = _NOWHERE
) -> bytes:
    """The requirements file of a lock, or of the platforms that were left in it.

    ``digest`` is the whole lock's. ``indexes``: those that packages are named for. ``urls``: of the
    wheels that are asked for by URL; ``${NAME}`` in them stands for a variable of the environment,
    as pip and uv read it.
    """
    return ("\n".join(_lines(lock, digest, indexes, urls)) + "\n").encode()


def _lines(
    lock: Lock, digest: Digest, indexes: Sequence[Index], urls: Mapping[Digest, str]
) -> Iterator[str]:
    yield f"# Written by basestore from {lock_file(lock.profile)},"
    yield f"# {digest}."
    yield f"# For {', '.join(str(one.platform) for one in lock.platforms)}. Install it with"
    yield "#     pip install --require-hashes --only-binary :all: --no-deps -r FILE"
    held = [one for pin in pins(lock) for one in _apart(pin, lock, urls)]
    listed = [pin for pin in held if not _url(pin, urls)]
    for index in indexes:
        names = dict.fromkeys(pin.name for pin in listed if index_of(pin.name, indexes) == index)
        if names:
            yield f"# From the index {index.name}, {index.url}:"
            yield f"#     {', '.join(names)}"
    if by_url := dict.fromkeys(pin.name for pin in held if _url(pin, urls)):
        yield "# From no index, but by URL:"
        yield f"#     {', '.join(by_url)}"
    for pin in held:
        yield from _pin(pin, marker_of(pin, lock), _url(pin, urls))


def _apart(pin: Pin, lock: Lock, urls: Mapping[Digest, str]) -> Iterator[Pin]:
    """A pin, or one for each of its wheels where some have a URL of their own."""
    if not any(wheel.sha256 in urls for wheel in pin.wheels):
        yield pin
        return
    for wheel in pin.wheels:
        own = (one.platform for one in lock.platforms if wheel in one.wheels)
        yield replace(pin, wheels=(wheel,), platforms=tuple(own))


def _url(pin: Pin, urls: Mapping[Digest, str]) -> str:
    return urls.get(pin.wheels[0].sha256, "")


def _pin(pin: Pin, marker: str, url: str) -> Iterator[str]:
    condition = f" ; {marker}" if marker else ""
    hashes = [f"    --hash={digest}" for digest in sorted({str(w.sha256) for w in pin.wheels})]
    what = f"{pin.name} @ {url}" if url else f"{pin.name}=={pin.version}"
    yield f"{what}{condition} \\"
    yield from (f"{line} \\" for line in hashes[:-1])
    yield hashes[-1]
