"""Origins: how a lock came about. For people and for `lock` itself; never hashed.

An origin decides nothing about an image. The check for freshness needs only its head, the keys
above the first table, so that is read apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from basestore.canonical import toml_key, toml_string, toml_strings, toml_table
from basestore.digest import Digest
from basestore.lock.inputs import Part
from basestore.lock.texts import Texts
from basestore.profile.document import DocumentError, Table, read_document
from basestore.profile.model import Location
from basestore.reading import reading

_COMMENT = "# Written by basestore: how the lock came about. It decides nothing about the image."

_FROM_FILE = "file"  # and not from the index, which needs no word
_HEAD = ("lock", "inputs", "files", "waived", "foundation", "resolver", "resolved")

OFFERED = "offered"
"""How a package stands whose index offers it without reserve; else ``yanked: REASON``."""

UNTOLD = "untold"
"""How a package stands whose index nobody knows, so that it can't be asked."""


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
    ``files``: raw digests of those files, by path relative to the project. ``waived``: the last day
    of the exception from the policy that ends first, None where the lock needs none.
    """

    lock: Digest
    inputs: Digest
    files: Mapping[str, Digest]
    waived: date | None = None


@dataclass(frozen=True, slots=True)
class PackageOrigin:
    """How a package got into the lock: the index by name, the packages it requires.

    ``uploaded``: when its newest locked wheel was uploaded, where the index tells. Where a policy
    has asked: ``licences`` as SPDX expressions, empty where its metadata tells none, and
    ``standing``, `OFFERED` or ``yanked: REASON``, as its index showed it. ``told``: whether the
    index told the SHA-256, which else is what the file had when it was fetched to be locked.
    ``extras``: with which it was taken, normalised and sorted, by all that ask for it here; empty
    in origins of before they were noted, and for what a team's lock has.
    """

    index: str
    requires: tuple[str, ...] = ()
    uploaded: datetime | None = None
    licences: tuple[str, ...] | None = None
    standing: str | None = None
    told: bool = True
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DebOrigin:
    """How a .deb got into the lock: the suite that has it, the packages it requires.

    ``provides``: the names in the profile's foundation that no package has, and it stands for.
    """

    suite: str = ""
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """How a lock came about; what differs between platforms is merged.

    ``resolver`` with its version. ``resolved``: when the lock last changed, whole seconds.
    ``parts``: a digest of each part of the inputs. ``direct``: where each package that people ask
    for is asked for. ``stated``: how the requirements of each place read, ``bounds``: the
    constraints likewise; both are empty in origins of before these were noted. ``foundation``: the
    digest of the lock's foundation; None of a service's lock, and in origins of before.
    """

    head: Head
    resolver: str
    resolved: datetime
    parts: Mapping[Part, Digest] = field(default_factory=dict)
    direct: Mapping[str, tuple[Location, ...]] = field(default_factory=dict)
    packages: Mapping[str, PackageOrigin] = field(default_factory=dict)
    debs: Mapping[str, DebOrigin] = field(default_factory=dict)
    stated: Texts = field(default_factory=dict)
    bounds: Texts = field(default_factory=dict)
    foundation: Digest | None = None


def write(origin: Origin) -> bytes:
    """The origin file."""
    return ("\n".join(_lines(origin)) + "\n").encode()


def parse(data: bytes, file: str) -> Origin:
    """The origin that a file holds; raises MalformedOriginError."""
    try:
        with reading(lambda reason: DocumentError(file, reason, "")):
            return _origin(read_document(file, data))
    except DocumentError as error:
        raise MalformedOriginError(error) from None


def parse_head(data: bytes, file: str) -> Head:
    """Only what stands above an origin's first table; raises MalformedOriginError."""
    try:
        with reading(lambda reason: DocumentError(file, reason, "")):
            return _head(read_document(file, data.partition(b"\n[")[0] + b"\n"))
    except DocumentError as error:
        raise MalformedOriginError(error) from None


def _lines(origin: Origin) -> Iterator[str]:
    head = origin.head
    yield _COMMENT
    yield f"lock = {toml_string(str(head.lock))}"
    yield f"inputs = {toml_string(str(head.inputs))}"
    files = [(name, toml_string(str(head.files[name]))) for name in sorted(head.files)]
    yield f"files = {toml_table(files)}"
    if head.waived:
        yield f"waived = {head.waived.isoformat()}"
    if origin.foundation:
        yield f"foundation = {toml_string(str(origin.foundation))}"
    yield f"resolver = {toml_string(origin.resolver)}"
    yield f"resolved = {_moment(origin.resolved)}"
    yield from _section("parts", {p: toml_string(str(d)) for p, d in origin.parts.items()})
    direct = {name: toml_strings(list(map(str, at))) for name, at in origin.direct.items()}
    yield from _section("direct", direct)
    for title, texts in (("stated", origin.stated), ("bounds", origin.bounds)):
        yield from _table(title, {str(at): toml_strings(texts[at]) for at in sorted(texts)})
    for name in sorted(origin.packages):
        yield from _package(name, origin.packages[name])
    for name in sorted(origin.debs):
        yield from _deb(name, origin.debs[name])


def _section(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    yield from _table(title, {name: rows[name] for name in sorted(rows)})


def _table(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    if rows:
        yield ""
        yield f"[{title}]"
        yield from (f"{toml_key(name)} = {value}" for name, value in rows.items())


def _package(name: str, package: PackageOrigin) -> Iterator[str]:
    yield ""
    yield f"[packages.{toml_key(name)}]"
    yield f"index = {toml_string(package.index)}"
    if package.extras:
        yield f"extras = {toml_strings(package.extras)}"
    if package.requires:
        yield f"requires = {toml_strings(package.requires)}"
    if package.uploaded:
        yield f"uploaded = {_moment(package.uploaded)}"
    if package.licences is not None:
        yield f"licences = {toml_strings(package.licences)}"
    if package.standing is not None:
        yield f"standing = {toml_string(package.standing)}"
    if not package.told:
        yield f"sha256-from = {toml_string(_FROM_FILE)}"


def _deb(name: str, deb: DebOrigin) -> Iterator[str]:
    yield ""
    yield f"[debs.{toml_key(name)}]"
    if deb.suite:
        yield f"suite = {toml_string(deb.suite)}"
    if deb.requires:
        yield f"requires = {toml_strings(deb.requires)}"
    if deb.provides:
        yield f"provides = {toml_strings(deb.provides)}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _origin(table: Table) -> Origin:
    table.only(*_HEAD, "parts", "direct", "stated", "bounds", "packages", "debs")
    return Origin(
        head=_head(table),
        resolver=table.required("resolver", table.string("resolver"), ""),
        resolved=table.required("resolved", table.moment("resolved"), ""),
        parts=_parts(table),
        direct=_direct(table),
        packages={name: _read_package(row) for name, row in table.members("packages").items()},
        debs={name: _read_deb(row) for name, row in table.members("debs").items()},
        stated=_texts(table, "stated"),
        bounds=_texts(table, "bounds"),
        foundation=_digest(table, "foundation") if "foundation" in table.values else None,
    )


def _head(table: Table) -> Head:
    lock, inputs = _digest(table, "lock"), _digest(table, "inputs")
    files = table.required("files", table.table("files"), "")
    digests = {name: _digest(files, name) for name in files.values}
    return Head(lock, inputs, digests, table.day("waived"))


def _parts(table: Table) -> Mapping[Part, Digest]:
    parts = table.table("parts")
    if parts is None:
        return {}
    parts.only(*Part)
    return {part: _digest(parts, part) for part in Part if part in parts.values}


def _direct(table: Table) -> Mapping[str, tuple[Location, ...]]:
    return {
        name: tuple(_location(table, text, "direct", name) for text in texts)
        for name, texts in (table.strings_map("direct") or {}).items()
    }


def _texts(table: Table, key: str) -> Texts:
    stated = table.strings_map(key) or {}
    return {_location(table, at, key, at): stated[at] for at in stated}


def _location(table: Table, text: str, *inner: str) -> Location:
    file, _, line = text.rpartition(":")
    if not file or not line.isdecimal():
        raise table.error(f"{text!r} is no file and line", "", *inner)
    return Location(file, int(line))


def _read_package(row: Table) -> PackageOrigin:
    row.only("index", "extras", "requires", "uploaded", "licences", "standing", "sha256-from")
    return PackageOrigin(
        index=row.required("index", row.string("index"), ""),
        requires=row.strings("requires") or (),
        uploaded=row.moment("uploaded"),
        licences=row.strings("licences"),
        standing=row.string("standing"),
        told=_told(row),
        extras=row.strings("extras") or (),
    )


def _told(row: Table) -> bool:
    source = row.string("sha256-from")
    if source not in (None, _FROM_FILE):
        raise row.error(f"is not {_FROM_FILE!r}", "", "sha256-from")
    return source is None


def _read_deb(row: Table) -> DebOrigin:
    row.only("suite", "requires", "provides")
    requires, provides = row.strings("requires") or (), row.strings("provides") or ()
    return DebOrigin(row.string("suite") or "", requires, provides)


def _digest(table: Table, key: str) -> Digest:
    text = table.required(key, table.string(key), "")
    try:
        return Digest.parse(text)
    except ValueError as error:
        raise table.error(str(error), "", key) from None
