"""``pyproject.toml`` as a source of requirements: what a team's project declares it needs.

Dependencies and extras are those of ``[project]`` (PyPA, "pyproject.toml specification"), groups
those of ``[dependency-groups]`` (PEP 735). Of uv's settings those are heard that change what is
needed: its constraints hold, an index that a package is named for must be the profile's too, and
what takes a package from elsewhere is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from basestore.digest import Digest
from basestore.profile.direct import Refuse
from basestore.profile.document import DocumentError, Table, nearest, read_document, read_file
from basestore.profile.lines import KeyPath, key_lines
from basestore.profile.model import Index, Location, Requirement
from basestore.profile.names import normalised
from basestore.profile.requirement import parse_constraint, parse_requirement
from basestore.profile.requirement_files import relative

_KEYS = ("file", "extras", "groups", "only-groups")
_PATCHES = 64  # more than any minor release of Python has had
_BUILD = "build a wheel of it, put that into an index, and take it out of [tool.uv.sources]"
_AS_IT_IS = "take what uv made of it as it is: [from-lock] with the project's uv.lock"


class Projects(NamedTuple):
    """What projects ask for and bound, and the raw digest of each file."""

    requirements: list[Requirement]
    constraints: list[Requirement]
    files: dict[str, Digest]


def read_pyprojects(root: Path, table: Table, python: str, indexes: Sequence[Index]) -> Projects:
    """The ``[[pyproject]]`` of a profile's table. ``python`` and ``indexes``: the profile's.

    Raises DocumentError.
    """
    if isinstance(table.values.get("pyproject"), dict):
        raise table.error("one table", "write it with two brackets: [[pyproject]]", "pyproject")
    found = Projects([], [], {})
    for one in table.tables("pyproject"):
        one.only(*_KEYS)
        name = one.required("file", one.string("file"), 'add file = "../app/pyproject.toml"')
        refuse = one.refusal("file")
        file = relative(table.document.file, name, refuse)
        data = _read(root, file, refuse)
        document = read_document(file, data)
        lines = key_lines(document.document.text)
        project = _Project(document, one, frozenset(_named(indexes)), lines)
        project.check_python(python)
        found.requirements.extend(project.requirements())
        found.constraints.extend(project.constraints())
        found.files[file] = Digest.of(data)
    return found


def refuse_beside_only_groups(wish: Table) -> None:
    """Raise DocumentError for what asks for more where only groups are asked for."""
    for key, instead in (
        ("extras", "take one of them out"),
        ("groups", "name them in only-groups"),
    ):
        if wish.values.get(key):
            raise wish.error(f"{key} beside only-groups", instead, key)


def _read(root: Path, file: str, refuse: Refuse) -> bytes:
    data = read_file(root, file)
    if data is None:
        raise refuse(f"there is no {file}", "mend the path")
    return data


def _named(indexes: Sequence[Index]) -> Iterator[str]:
    return (package for index in indexes for package in index.packages)


@dataclass(frozen=True, slots=True)
class _Project:
    """A ``pyproject.toml``, and what a profile (``wish``) takes of it.

    ``indexed``: packages that the profile names for an index. ``lines``: of every key of the
    document. ``taken``: extras and groups that were taken already, since both may include others.
    """

    document: Table
    wish: Table
    indexed: frozenset[str]
    lines: Mapping[KeyPath, int]
    taken: set[tuple[str, str]] = field(default_factory=set)

    def check_python(self, python: str) -> None:
        """Raise DocumentError where the project is for no release of the profile's Python."""
        from packaging.specifiers import SpecifierSet

        project = self.document.table("project")
        wanted = project.string("requires-python") if project else None
        if project is None or wanted is None:
            return
        try:
            allowed = SpecifierSet(wanted)
            taken = any(allowed.contains(f"{python}.{patch}") for patch in range(_PATCHES))
        except ValueError:  # InvalidSpecifier is one, and so are thousands of digits
            hint = 'write it like ">=3.11"'
            raise project.error("no versions of Python", hint, "requires-python") from None
        if not taken:
            hint = f"widen it, or take a foundation with Python {wanted}"
            reason = f"not for Python {python}, which the profile has"
            raise project.error(reason, hint, "requires-python")

    def requirements(self) -> Iterator[Requirement]:
        """What is asked for; raises DocumentError."""
        only = self.wish.strings("only-groups")
        if only is None:
            yield from self._dependencies()
            for number, extra in enumerate(self.wish.strings("extras") or ()):
                yield from self._extra(extra, self.wish.refusal("extras", number))
        else:
            refuse_beside_only_groups(self.wish)
        for key in ("groups", "only-groups"):
            for number, group in enumerate(self.wish.strings(key) or ()):
                yield from self._group(group, (), self.wish.refusal(key, number))

    def constraints(self) -> Iterator[Requirement]:
        """What uv's settings bound; raises DocumentError."""
        tool = self._settings()
        if tool is None:
            return
        for key in ("override-dependencies", "exclude-dependencies"):
            if tool.values.get(key):
                raise tool.error("changes what packages say that they need", _AS_IT_IS, key)
        for number, text in enumerate(tool.strings("constraint-dependencies") or ()):
            place, refuse = self._place(tool, "constraint-dependencies", number)
            yield parse_constraint(text, place, refuse)

    def _dependencies(self) -> Iterator[Requirement]:
        project = self._declared("dependencies")
        for number, text in enumerate(project.strings("dependencies") or ()):
            yield from self._requirement(text, project, "dependencies", number)

    def _extra(self, extra: str, refuse: Refuse) -> Iterator[Requirement]:
        project = self._declared("optional-dependencies")
        optional = project.table("optional-dependencies")
        keys = {normalised(key): key for key in (optional.values if optional else ())}
        key = keys.get(normalised(extra))
        if optional is None or key is None:
            hint = nearest(extra, list(keys)) if keys else "take it out; there are none"
            raise self._lacking(f"no extra {extra!r}", hint, refuse)
        if ("extra", key) not in self.taken:
            self.taken.add(("extra", key))
            for number, text in enumerate(optional.strings(key) or ()):
                yield from self._requirement(text, optional, key, number)

    def _group(self, group: str, chain: tuple[str, ...], refuse: Refuse) -> Iterator[Requirement]:
        groups = self.document.table("dependency-groups")
        keys = {normalised(key): key for key in (groups.values if groups else ())}
        key = keys.get(normalised(group))
        if groups is None or key is None:
            hint = nearest(group, list(keys)) if keys else "take it out; there are none"
            raise self._lacking(f"no dependency group {group!r}", hint, refuse)
        if key in chain:
            raise refuse(f"goes in a circle: {' -> '.join((*chain, key))}", "take one include out")
        if ("group", key) not in self.taken:
            yield from self._members(groups, key, chain)
            self.taken.add(("group", key))

    def _lacking(self, what: str, hint: str, refuse: Refuse) -> DocumentError:
        """The error for what the file doesn't have, asked for by the profile or by itself."""
        error = refuse(f"{self._file} has {what}", hint)
        return refuse(f"there is {what}", hint) if error.file == self._file else error

    def _members(self, groups: Table, key: str, chain: tuple[str, ...]) -> Iterator[Requirement]:
        """PEP 735: strings are requirements, tables include another group."""
        items = groups.values[key]
        if not isinstance(items, list):
            raise groups.error("no array", "write it in brackets", key)
        for number, item in enumerate(items):
            refuse = groups.refusal(key, number)
            if isinstance(item, str):
                yield from self._requirement(item, groups, key, number)
            elif isinstance(item, dict) and isinstance(item.get("include-group"), str):
                yield from self._group(item["include-group"], (*chain, key), refuse)
            else:
                raise refuse(
                    "neither a requirement nor a group that is included",
                    'write "name>=1" or { include-group = "…" }',
                )

    def _requirement(self, text: str, table: Table, key: str, number: int) -> Iterator[Requirement]:
        place, refuse = self._place(table, key, number)
        one = parse_requirement(text, place, refuse)
        if one.name == self._name:
            yield from self._itself(one, refuse)
        else:
            self._check_source(one.name, refuse)
            yield one

    def _itself(self, one: Requirement, refuse: Refuse) -> Iterator[Requirement]:
        """A project that names itself with extras means these (``all = ["app[web,gpu]"]``)."""
        from packaging.requirements import Requirement as Parsed

        parsed = Parsed(one.text)
        if parsed.marker:
            raise refuse("the project itself with a marker", "put the marker to what it needs")
        for extra in sorted(parsed.extras):
            yield from self._extra(extra, refuse)

    def _check_source(self, name: str, refuse: Refuse) -> None:
        """uv's own sources: an index has to be the profile's too, anything else can't be taken."""
        for source in self._sources().get(name, ()):
            kind = next((k for k in ("git", "path", "url", "workspace") if k in source), "index")
            if kind == "url":
                hint = f"write {name} @ URL where it is asked for"
            elif kind != "index":
                hint = _BUILD
            elif name in self.indexed or source.get("index") is None:
                continue
            else:
                hint = f"name {name} under [indexes.NAME] packages of the profile"
            raise refuse(f"[tool.uv.sources] takes {name} from elsewhere ({kind})", hint)

    def _sources(self) -> Mapping[str, Sequence[Mapping[str, object]]]:
        tool = self._settings()
        stated = tool.table("sources") if tool else None
        found: dict[str, Sequence[Mapping[str, object]]] = {}
        for name, source in (stated.values if stated else {}).items():
            rows = source if isinstance(source, list) else [source]
            found[normalised(name)] = [row for row in rows if isinstance(row, dict)]
        return found

    def _settings(self) -> Table | None:
        tool = self.document.table("tool")
        return tool.table("uv") if tool else None

    def _declared(self, key: str) -> Table:
        """The ``[project]`` table, if what a key says stands in it."""
        project = self.document.table("project")
        if project is None:
            raise self.wish.error(
                f"{self._file} has no [project]",
                "name groups with only-groups, or let its own tool export a requirements file",
                "file",
            )
        if key in (project.strings("dynamic") or ()):
            raise project.error(
                f"{key} are made when the project is built",
                "write them down there, or name the requirements file that they come from",
                "dynamic",
            )
        return project

    def _place(self, table: Table, key: str, number: int) -> tuple[Location, Refuse]:
        path: KeyPath = (*table.path, key, number)
        return Location(self._file, self.lines.get(path, 1)), table.refusal(key, number)

    @property
    def _name(self) -> str:
        project = self.document.table("project")
        return normalised((project.string("name") if project else None) or "")

    @property
    def _file(self) -> str:
        return self.document.document.file
