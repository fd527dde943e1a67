"""Locks as bytes: one value, one file, down to the last byte.

`parse` takes nothing that `write` would not have written. So two locks with one meaning have one
digest, and whatever a hand, a merge or an editor changed shows with its line.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import zip_longest

from basestore.canonical import toml_key, toml_string, toml_strings, toml_table
from basestore.lock.decode import decode
from basestore.lock.model import FORMAT, Deb, ImageConfig, Lock, PlatformLock, Replaced, Wheel
from basestore.profile.document import DocumentError, read_document
from basestore.profile.model import Healthcheck

_COMMENT = "# Written by basestore. Its SHA-256 is the image tag. Do not edit."
_SERVICE_COMMENT = "# Written by basestore. Its SHA-256 is part of the image's tag. Do not edit."
_CONTEXT = 24  # characters shown before and after the first one that differs

MARK = b"# Written by basestore."
"""How every lock begins, of whatever kind and format."""

HEADS = tuple(f"{line}\nformat = {FORMAT}\n".encode() for line in (_COMMENT, _SERVICE_COMMENT))
"""How locks of the current format begin: those of profiles, those of services."""


class EditedLockError(DocumentError):
    """A lock is not as this tool writes it."""

    def __init__(self, file: str, reason: str, *, key: str = "", line: int | None = None) -> None:
        super().__init__(
            file,
            reason,
            "take the lock back from version control, or remove it and run `basestore lock`",
            key=key,
            line=line,
        )


class DifferingLineError(EditedLockError):
    """A lock means something, but its bytes are not those that this tool writes for it.

    ``expected`` and ``found`` are the first differing line around its first difference, empty at
    the end of the file.
    """

    def __init__(self, file: str, line: int, expected: str, found: str) -> None:
        super().__init__(
            file,
            "not as basestore writes it: "
            f"expected {expected or 'the end of the file'}, "
            f"found {found or 'the end of the file'}",
            line=line,
        )
        self.expected = expected
        self.found = found


def write(lock: Lock) -> bytes:
    """The lock file.

    Raises ValueError where the lineage doesn't end with the profile, or lacks a wheel's generation.
    """
    if lock.lineage[-1:] != (lock.profile,):
        raise ValueError(f"the lineage {lock.lineage} doesn't end with {lock.profile!r}")
    return ("\n".join(_lines(lock)) + "\n").encode()


def parse(data: bytes, file: str) -> Lock:
    """The lock that a file holds; ``file`` is its name in errors.

    Raises EditedLockError for all that `write` would not have written, NewerLockError.
    """
    if data.startswith(b"<<<<<<<") or b"\n<<<<<<<" in data:
        line = data.count(b"\n", 0, data.find(b"<<<<<<<")) + 1
        raise EditedLockError(file, "holds conflict markers of a merge", line=line)
    try:
        lock = decode(read_document(file, data))
    except DocumentError as error:
        raise EditedLockError(file, error.reason, key=error.key, line=error.line) from None
    expected = write(lock)
    if expected != data:
        raise _first_difference(file, expected, data)
    return lock


def _lines(lock: Lock) -> Iterator[str]:
    yield _SERVICE_COMMENT if lock.base else _COMMENT
    yield f"format = {lock.format}"
    if lock.base:
        yield f"service = {toml_string(lock.profile)}"
        yield f"base = {toml_string(lock.base)}"
    else:
        yield f"profile = {toml_string(lock.profile)}"
        yield from _strings("extends", lock.lineage[:-1])
    if lock.image != ImageConfig():
        yield ""
        yield "[image]"
        yield from _image(lock.image)
    if lock.path_conflicts:
        yield ""
        yield "[path-conflicts]"
        for path in sorted(lock.path_conflicts):
            yield f"{toml_key(path)} = {toml_strings(lock.path_conflicts[path])}"
    if lock.record_exceptions:
        yield ""
        yield "[record-exceptions]"
        for name in sorted(lock.record_exceptions):
            yield f"{toml_key(name)} = {toml_string(lock.record_exceptions[name])}"
    for platform in sorted(lock.platforms, key=lambda p: p.platform):
        yield ""
        yield "[[platforms]]"
        yield from _platform(platform, lock)


def _image(image: ImageConfig) -> Iterator[str]:
    yield from _strings("env", sorted(image.env, key=lambda entry: entry.partition("=")[0]))
    yield from _strings("entrypoint", image.entrypoint)
    yield from _strings("cmd", image.cmd)
    yield from _string("user", image.user)
    yield from _string("workdir", image.workdir)
    if image.labels:
        labels = [(name, toml_string(image.labels[name])) for name in sorted(image.labels)]
        yield f"labels = {toml_table(labels)}"
    if image.ports:
        yield f"ports = [{', '.join(map(str, sorted(image.ports)))}]"
    if image.healthcheck:
        yield f"healthcheck = {healthcheck_table(image.healthcheck)}"


def healthcheck_table(check: Healthcheck) -> str:
    """A health check as an inline table."""
    numbers = [
        ("interval", check.interval),
        ("timeout", check.timeout),
        ("start-period", check.start_period),
        ("retries", check.retries),
    ]
    stated = [(key, str(number)) for key, number in numbers if number]
    return toml_table([("command", toml_strings(check.command)), *stated])


def _platform(platform: PlatformLock, lock: Lock) -> Iterator[str]:
    lineage = lock.lineage
    yield f"platform = {toml_string(str(platform.platform))}"
    yield f"python = {toml_string(platform.python)}"
    yield f"glibc = {toml_string(platform.glibc)}"
    debs = sorted(platform.debs, key=lambda deb: deb.name)
    yield from _array("debs", [_deb(deb) for deb in debs])
    wheels = sorted(platform.wheels, key=lambda w: (lineage.index(w.generation), w.name))
    yield from _array("wheels", [_wheel(wheel, lock.base) for wheel in wheels])
    replaced = sorted(platform.replaced, key=lambda r: (lineage.index(r.generation), r.name))
    yield from _array("replaced", [_replaced(row) for row in replaced])


def _deb(deb: Deb) -> str:
    return toml_table(
        [
            ("name", toml_string(deb.name)),
            ("version", toml_string(deb.version)),
            ("architecture", toml_string(deb.architecture)),
            ("size", str(deb.size)),
            ("sha256", toml_string(deb.sha256.hex)),
        ]
    )


def _wheel(wheel: Wheel, base: str) -> str:
    """A wheel; those of a service are its own, and needn't say so."""
    generation = () if base else (("from", toml_string(wheel.generation)),)
    return toml_table(
        [
            ("name", toml_string(wheel.name)),
            ("version", toml_string(wheel.version)),
            ("file", toml_string(wheel.file)),
            ("size", str(wheel.size)),
            ("sha256", toml_string(wheel.sha256.hex)),
            *generation,
        ]
    )


def _replaced(row: Replaced) -> str:
    return toml_table(
        [
            ("name", toml_string(row.name)),
            ("size", str(row.size)),
            ("from", toml_string(row.generation)),
        ]
    )


def _string(key: str, value: str) -> Iterator[str]:
    if value:
        yield f"{key} = {toml_string(value)}"


def _strings(key: str, values: Sequence[str]) -> Iterator[str]:
    if values:
        yield f"{key} = {toml_strings(values)}"


def _array(key: str, rows: list[str]) -> Iterator[str]:
    """An array with one element a line; nothing where it is empty."""
    if rows:
        yield f"{key} = ["
        yield from (f"  {row}," for row in rows)
        yield "]"


def _first_difference(file: str, expected: bytes, found: bytes) -> DifferingLineError:
    rows = zip_longest(BytesIO(expected), BytesIO(found), fillvalue=b"")
    for number, (wanted, there) in enumerate(rows, start=1):
        if wanted != there:
            return DifferingLineError(file, number, *_around(wanted.decode(), there.decode()))
    raise ValueError("the files are the same")


def _around(expected: str, found: str) -> tuple[str, str]:
    """Both lines, quoted and cut to what is near their first difference."""
    same = 0
    while expected[same : same + 1] == found[same : same + 1]:
        same += 1
    return _near(expected, same), _near(found, same)


def _near(line: str, column: int) -> str:
    return repr(line[max(0, column - _CONTEXT) : column + _CONTEXT]) if line else ""
