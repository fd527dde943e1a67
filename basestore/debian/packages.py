"""Packages: the index of a suite's binary packages, read where it is asked and not before.

An index of Debian's main component is 50 MB with 60,000 stanzas, of which a foundation needs a few
hundred: loading only finds where the stanzas of each name begin.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from basestore.debian.control import parse_stanza, spans
from basestore.debian.relations import Clause, Relation, parse_clauses, parse_relations
from basestore.debian.version import Version
from basestore.digest import Digest
from basestore.errors import IntegrityError

_NAME = re.compile(rb"^Package:[ \t]*([^\s]+)", re.MULTILINE | re.IGNORECASE)
_PROVIDES = re.compile(rb"^Provides:([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE | re.IGNORECASE)
_PROVIDED = re.compile(rb"(?:^|,)\s*([a-z0-9][a-z0-9+.-]*)")
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*")

# apt's and dpkg's order of the values of Priority (policy 2.5).
_PRIORITIES = ("required", "important", "standard", "optional", "extra")


class MalformedStanzaError(IntegrityError):
    """A stanza of a signed index isn't what policy says it is."""

    def __init__(self, archive: str, name: str, reason: str) -> None:
        super().__init__(
            f"the index of {archive} describes the package {name} wrongly: {reason}",
            "report it to the archive's keepers, or use a mirror with another index",
        )
        self.archive = archive
        self.name = name


@dataclass(frozen=True, slots=True)
class BinaryPackage:
    """One version of a package, as an index lists it.

    ``depends``: Pre-Depends, then Depends. ``conflicts``: Conflicts, then Breaks. ``priority``:
    0 (required) to 5 (none). ``multiarch``: the value of Multi-Arch or empty. ``filename``: below
    the archive's base URL ``archive``. ``size`` in bytes.
    """

    name: str
    version: Version
    architecture: str
    size: int
    sha256: Digest
    archive: str
    filename: str
    depends: tuple[Clause, ...]
    conflicts: tuple[Relation, ...]
    provides: tuple[Relation, ...]
    essential: bool
    priority: int
    multiarch: str

    def satisfies(self, relation: Relation) -> bool:
        """Whether this package meets a relation, by its own name or by its Provides."""
        if relation.qualifier == "any" and self.multiarch != "allowed":
            return False
        if relation.qualifier not in ("", "any", self.architecture):
            return False
        if relation.name == self.name and relation.accepts(self.version):
            return True
        return any(
            provided.name == relation.name and relation.accepts(provided.version)
            for provided in self.provides
        )


class PackagesIndex:
    """The Packages file of one archive. ``archive`` is the base URL of what it lists."""

    def __init__(self, archive: str, data: bytes | bytearray) -> None:
        self.archive = archive
        self._data = data
        self._stanzas: dict[bytes, list[tuple[int, int]]] = {}
        starts, names = [], []
        for span in spans(data):
            match = _NAME.search(data, span.start, span.end)
            if match is not None:
                self._stanzas.setdefault(match[1], []).append((span.start, span.end))
                starts.append(span.start)
                names.append(match[1])
        self._providers = _providers(data, starts, names)

    def names(self) -> Iterator[str]:
        """Every package name, in the index's order."""
        return (name.decode(errors="replace") for name in self._stanzas)

    def packages(self, name: str) -> Iterator[BinaryPackage]:
        """All versions of a package that the index lists; raises MalformedStanzaError."""
        for start, end in self._stanzas.get(name.encode(), ()):
            yield self._parse(name, start, end)

    def providers(self, name: str) -> tuple[str, ...]:
        """The names of the packages a version of which provides a virtual package."""
        found = self._providers.get(name.encode(), ())
        return tuple(provider.decode(errors="replace") for provider in found)

    def filename(self, digest: Digest) -> str | None:
        """The path below the archive's base URL of a file the index lists.

        Raises MalformedStanzaError.
        """
        found = self._data.find(b"\nSHA256: " + digest.hex.encode())
        if found < 0:
            return None
        start = self._data.rfind(b"\n\n", 0, found) + 1
        end = self._data.find(b"\n\n", found)
        try:
            fields = parse_stanza(self._data[start : end if end >= 0 else None].strip(b"\n"))
        except ValueError as error:
            raise MalformedStanzaError(self.archive, digest.hex, str(error)) from error
        return fields.get("filename")

    def _parse(self, name: str, start: int, end: int) -> BinaryPackage:
        try:
            return _package(self.archive, parse_stanza(self._data[start:end]))
        except KeyError as error:
            raise MalformedStanzaError(self.archive, name, f"no field {error}") from error
        except ValueError as error:
            raise MalformedStanzaError(self.archive, name, str(error)) from error


class SuiteIndex:
    """All archives of a suite for one architecture: one candidate a name."""

    def __init__(self, suite: str, archives: Sequence[PackagesIndex]) -> None:
        self.suite = suite
        self._archives = tuple(archives)
        self._candidates: dict[str, BinaryPackage | None] = {}

    @property
    def bases(self) -> tuple[str, ...]:
        """The archives' base URLs."""
        return tuple(archive.archive for archive in self._archives)

    def names(self) -> Iterator[str]:
        """Every package name, with repetitions."""
        for archive in self._archives:
            yield from archive.names()

    def candidate(self, name: str) -> BinaryPackage | None:
        """The highest version of a package; of equal ones the first archive's."""
        if name not in self._candidates:
            packages = (package for index in self._archives for package in index.packages(name))
            self._candidates[name] = max(
                packages, key=lambda package: package.version, default=None
            )
        return self._candidates[name]

    def listed(self, name: str) -> Iterator[BinaryPackage]:
        """All versions of a package that the archives list; raises MalformedStanzaError."""
        for index in self._archives:
            yield from index.packages(name)

    def providers(self, name: str) -> tuple[BinaryPackage, ...]:
        """The candidates that provide a name: Essential ones, then by Priority, then the last by
        name. (apt's last resort is the order in which its cache met the names, which hangs on
        packages that have nothing to do with them.)
        """
        names = {provider for index in self._archives for provider in index.providers(name)}
        candidates = (self.candidate(provider) for provider in names)
        by_name = sorted((p for p in candidates if p is not None), key=_name, reverse=True)
        return tuple(sorted(by_name, key=lambda package: (not package.essential, package.priority)))

    def matches(self, relation: Relation) -> tuple[BinaryPackage, ...]:
        """The candidates that meet a relation: the package of that name, then its providers."""
        real = self.candidate(relation.name)
        others = (package for package in self.providers(relation.name) if package != real)
        found = (*others,) if real is None else (real, *others)
        return tuple(package for package in found if package.satisfies(relation))

    def location(self, digest: Digest) -> str | None:
        """The URL of a .deb that one of the archives lists today."""
        for index in self._archives:
            filename = index.filename(digest)
            if filename is not None:
                return f"{index.archive}/{quote(filename, safe='/+~:')}"
        return None


def read_package(archive: str, fields: Mapping[str, str]) -> BinaryPackage:
    """A package out of the fields of its stanza, by lower-case name.

    Raises ValueError, and KeyError for a field that is missing.
    """
    return _package(archive, fields)


def _name(package: BinaryPackage) -> str:
    return package.name


def _package(archive: str, fields: Mapping[str, str]) -> BinaryPackage:
    name, architecture = fields["package"], fields["architecture"]
    if not _PLAIN_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no package name")
    return BinaryPackage(
        name=name,
        version=Version.parse(fields["version"]),
        architecture=architecture,
        size=int(fields["size"]),
        sha256=Digest(fields["sha256"]),
        archive=archive,
        filename=fields["filename"],
        depends=_clauses(fields, "pre-depends") + _clauses(fields, "depends"),
        conflicts=_relations(fields, "conflicts") + _relations(fields, "breaks"),
        provides=_relations(fields, "provides"),
        essential=fields.get("essential") == "yes",
        priority=_priority(fields.get("priority", "")),
        multiarch=fields.get("multi-arch", ""),
    )


def _clauses(fields: Mapping[str, str], name: str) -> tuple[Clause, ...]:
    return parse_clauses(fields.get(name, ""))


def _relations(fields: Mapping[str, str], name: str) -> tuple[Relation, ...]:
    return parse_relations(fields.get(name, ""))


def _priority(value: str) -> int:
    return _PRIORITIES.index(value) if value in _PRIORITIES else len(_PRIORITIES)


def _providers(
    data: bytes | bytearray, starts: list[int], names: list[bytes]
) -> dict[bytes, list[bytes]]:
    """Virtual package -> packages that provide it, found without parsing the stanzas."""
    providers: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for field in _PROVIDES.finditer(data):
        number = bisect_right(starts, field.start())
        if not number:
            continue  # of a stanza without a name
        provider = names[number - 1]
        for provided in _PROVIDED.finditer(field[1]):
            providers[provided[1]].append(provider)
    return dict(providers)
