"""Origins: how a lock came about. For people and for `lock` itself; never hashed.

An origin decides nothing about an image. The check for freshness needs only its head, the keys
above the first table, so that is read apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from basestore.canonical import toml_key, toml_string, toml_strings, toml_table
from basestore.digest import Digest
from basestore.lock.inputs import Part
from basestore.profile.document import DocumentError, Table, read_document
from basestore.profile.model import Location

_COMMENT = "# Written by basestore: how the lock came about. It decides nothing about the image."

_HEAD = ("lock", "inputs", "files", "resolver", "resolved")


class MalformedOriginError(DocumentError):
    """An origin is not what this tool writes."""

    def __init__(self, cause: DocumentError) -> None:
        super().__init__(
            cause.file,
            cause.reason,
            "take it back from version control, or remove it and run `basestore lock`",
            key=cause.key,
            line=cause.line,
        )


@dataclass(frozen=True, slots=True)
class Head:
    """What the check for freshness needs.

    ``lock``: digest of the lock described. ``inputs``: digest of all that it was resolved from.
    ``files``: raw digests of those files, by path relative to the project.
    """

    lock: Digest
    inputs: Digest
    files: Mapping[str, Digest]


@dataclass(frozen=True, slots=True)
class PackageOrigin:
    """How a package got into the lock: the index by name, the packages it requires.

    ``uploaded``: when its newest locked wheel was uploaded, where the index tells.
    """

    index: str
    requires: tuple[str, ...] = ()
    uploaded: datetime | None = None


@dataclass(frozen=True, slots=True)
class DebOrigin:
    """How a .deb got into the lock: the suite that has it, the packages it requires."""

    suite: str = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """How a lock came about; what differs between platforms is merged.

    ``resolver`` with its version. ``resolved``: when the lock last changed, whole seconds.
    ``parts``: a digest of each part of the inputs. ``direct``: where each package that people ask
    for is asked for.
    """

    head: Head
    resolver: str
    resolved: datetime
    parts: Mapping[Part, Digest] = field(default_factory=dict)
    direct: Mapping[str, tuple[Location, ...]] = field(default_factory=dict)
    packages: Mapping[str, PackageOrigin] = field(default_factory=dict)
    debs: Mapping[str, DebOrigin] = field(default_factory=dict)


def write(origin: Origin) -> bytes:
    """The origin file."""
    return ("\n".join(_lines(origin)) + "\n").encode()


def parse(data: bytes, file: str) -> Origin:
    """The origin that a file holds; raises MalformedOriginError."""
    try:
        return _origin(read_document(file, data))
    except DocumentError as error:
        raise MalformedOriginError(error) from None


def parse_head(data: bytes, file: str) -> Head:
    """Only what stands above an origin's first table; raises MalformedOriginError."""
    try:
        return _head(read_document(file, data.partition(b"\n[")[0] + b"\n"))
    except DocumentError as error:
        raise MalformedOriginError(error) from None


def merge_packages(
    platforms: Sequence[Mapping[str, PackageOrigin]],
) -> Mapping[str, PackageOrigin]:
    """One origin a package out of those of several platforms: all it requires, its last upload."""
    merged: dict[str, PackageOrigin] = {}
    for name, origin in (item for platform in platforms for item in platform.items()):
        known = merged.get(name, origin)
        uploads = [moment for moment in (known.uploaded, origin.uploaded) if moment]
        requires = tuple(sorted({*known.requires, *origin.requires}))
        merged[name] = PackageOrigin(known.index, requires, max(uploads, default=None))
    return merged


def merge_debs(platforms: Sequence[Mapping[str, DebOrigin]]) -> Mapping[str, DebOrigin]:
    """One origin a .deb out of those of several platforms: all it requires, the first's suite."""
    merged: dict[str, DebOrigin] = {}
    for name, origin in (item for platform in platforms for item in platform.items()):
        known = merged.get(name, origin)
        requires = tuple(sorted({*known.requires, *origin.requires}))
        merged[name] = DebOrigin(known.suite, requires)
    return merged


def _lines(origin: Origin) -> Iterator[str]:
    head = origin.head
    yield _COMMENT
    yield f"lock = {toml_string(str(head.lock))}"
    yield f"inputs = {toml_string(str(head.inputs))}"
    files = [(name, toml_string(str(head.files[name]))) for name in sorted(head.files)]
    yield f"files = {toml_table(files)}"
    yield f"resolver = {toml_string(origin.resolver)}"
    yield f"resolved = {_moment(origin.resolved)}"
    yield from _section("parts", {p: toml_string(str(d)) for p, d in origin.parts.items()})
    direct = {name: toml_strings(list(map(str, at))) for name, at in origin.direct.items()}
    yield from _section("direct", direct)
    for name in sorted(origin.packages):
        yield from _package(name, origin.packages[name])
    for name in sorted(origin.debs):
        yield from _deb(name, origin.debs[name])


def _section(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"[{title}]"
        yield from (f"{toml_key(name)} = {rows[name]}" for name in sorted(rows))


def _package(name: str, package: PackageOrigin) -> Iterator[str]:
    yield ""
    yield f"[packages.{toml_key(name)}]"
    yield f"index = {toml_string(package.index)}"
    if package.requires:
        yield f"requires = {toml_strings(package.requires)}"
    if package.uploaded:
        yield f"uploaded = {_moment(package.uploaded)}"


def _deb(name: str, deb: DebOrigin) -> Iterator[str]:
    yield ""
    yield f"[debs.{toml_key(name)}]"
    if deb.suite:
        yield f"suite = {toml_string(deb.suite)}"
    if deb.requires:
        yield f"requires = {toml_strings(deb.requires)}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _origin(table: Table) -> Origin:
    table.only(*_HEAD, "parts", "direct", "packages", "debs")
    return Origin(
        head=_head(table),
        resolver=table.required("resolver", table.string("resolver"), ""),
        resolved=table.required("resolved", table.moment("resolved"), ""),
        parts=_parts(table),
        direct=_direct(table),
        packages={name: _read_package(row) for name, row in table.members("packages").items()},
        debs={name: _read_deb(row) for name, row in table.members("debs").items()},
    )


def _head(table: Table) -> Head:
    lock, inputs = _digest(table, "lock"), _digest(table, "inputs")
    files = table.required("files", table.table("files"), "")
    return Head(lock, inputs, {name: _digest(files, name) for name in files.values})


def _parts(table: Table) -> Mapping[Part, Digest]:
    parts = table.table("parts")
    if parts is None:
        return {}
    parts.only(*Part)
    return {part: _digest(parts, part) for part in Part if part in parts.values}


def _direct(table: Table) -> Mapping[str, tuple[Location, ...]]:
    return {
        name: tuple(_location(table, text, name) for text in texts)
        for name, texts in (table.strings_map("direct") or {}).items()
    }


def _location(table: Table, text: str, name: str) -> Location:
    file, _, line = text.rpartition(":")
    if not file or not line.isdecimal():
        raise table.error(f"{text!r} is no file and line", "", "direct", name)
    return Location(file, int(line))


def _read_package(row: Table) -> PackageOrigin:
    row.only("index", "requires", "uploaded")
    index = row.required("index", row.string("index"), "")
    return PackageOrigin(index, row.strings("requires") or (), row.moment("uploaded"))


def _read_deb(row: Table) -> DebOrigin:
    row.only("suite", "requires")
    return DebOrigin(row.string("suite") or "", row.strings("requires") or ())


def _digest(table: Table, key: str) -> Digest:
    text = table.required(key, table.string(key), "")
    try:
        return Digest.parse(text)
    except ValueError as error:
        raise table.error(str(error), "", key) from None
