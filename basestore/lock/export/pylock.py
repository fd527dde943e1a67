"""A lock as ``pylock.toml`` (PyPA specifications, "pylock.toml" version 1.0, first PEP 751)."""

from collections.abc import Iterator, Mapping, Sequence

from basestore.canonical import toml_string, toml_strings, toml_table
from basestore.digest import Digest
from basestore.lock.export.pins import Pin, index_of, marker, marker_of, pins
from basestore.lock.files import lock_file
from basestore.lock.model import Lock, Wheel
from basestore.profile.model import Index


def pylock(
    lock: Lock, digest: Digest, indexes: Sequence[Index], urls: Mapping[Digest, str]
) -> bytes:
    """The ``pylock.toml`` of a lock, or of the platforms that were left in it.

    ``digest`` is the whole lock's. ``indexes``: those that packages are named for. ``urls``: where
    each wheel lies, without credentials. Raises KeyError for a wheel that it lacks.
    """
    return ("\n".join(_lines(lock, digest, indexes, urls)) + "\n").encode()


def _lines(
    lock: Lock, digest: Digest, indexes: Sequence[Index], urls: Mapping[Digest, str]
) -> Iterator[str]:
    yield f"# Written by basestore from {lock_file(lock.profile)},"
    yield f"# {digest}. Install it with"
    if lock.base:  # `uv pip sync` would take away what the base has
        yield f"#     uv pip install --no-deps -r FILE      on top of the base {lock.base},"
    else:
        yield "#     uv pip sync FILE"
    yield "# or, from pip 26.1 on, with"
    yield "#     pip install --no-deps -r FILE"
    yield 'lock-version = "1.0"'
    environments = [
        f"implementation_name == 'cpython' and {marker([one.platform])}" for one in lock.platforms
    ]
    yield from _array("environments", map(toml_string, environments))
    yield from _requires_python(lock)
    yield 'created-by = "basestore"'
    held = pins(lock)
    if not held:
        yield "packages = []"
    for pin in held:
        yield ""
        yield from _package(pin, marker_of(pin, lock), index_of(pin.name, indexes), urls)
    yield ""
    yield "[tool.basestore]"
    yield f"profile = {toml_string(lock.profile)}"
    yield f"lock = {toml_string(str(digest))}"
    yield f"platforms = {toml_strings([str(one.platform) for one in lock.platforms])}"


def _package(
    pin: Pin, condition: str, index: Index | None, urls: Mapping[Digest, str]
) -> Iterator[str]:
    yield "[[packages]]"
    yield f"name = {toml_string(pin.name)}"
    yield f"version = {toml_string(pin.version)}"
    if condition:
        yield f"marker = {toml_string(condition)}"
    if index:
        yield f"index = {toml_string(index.url)}"
    yield from _array("wheels", (_wheel(wheel, urls[wheel.sha256]) for wheel in pin.wheels))


def _wheel(wheel: Wheel, url: str) -> str:
    # The name is said even where the URL ends with it, since not all readers undo its escapes.
    return toml_table(
        [
            ("name", toml_string(wheel.file)),
            ("url", toml_string(url)),
            ("size", str(wheel.size)),
            ("hashes", toml_table([("sha256", toml_string(wheel.sha256.hex))])),
        ]
    )


def _array(key: str, rows: Iterator[str]) -> Iterator[str]:
    yield f"{key} = ["
    yield from (f"  {row}," for row in rows)
    yield "]"


def _requires_python(lock: Lock) -> Iterator[str]:
    """The minor version of Python: wheels with machine code are for that one.

    The patch release is left open. It decided which packages are in the lock, and those are said.
    """
    minors = {".".join(one.python.split(".")[:2]) for one in lock.platforms}
    if len(minors) == 1:
        yield f"requires-python = {toml_string(f'=={minors.pop()}.*')}"
