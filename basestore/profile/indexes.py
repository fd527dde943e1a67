"""The ``[indexes]`` of a profile: which packages come from where, on top of its parent's.

A child may name a package for another index than its parent does; ``default``, the index that uv
asks by default, is one of those. Whether it may have the package from there is seen when it is
locked: what stays the parent's has to come from where it came.

Credentials never stand in a project: a URL that holds one is refused, and not shown.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from basestore.profile.document import Table
from basestore.profile.lines import key_lines
from basestore.profile.model import Index, Location
from basestore.profile.names import (
    DEFAULT_INDEX,
    RESERVED_INDEXES,
    is_index_name,
    is_normalised,
    normalised,
)

_NO_SECRETS = (
    "leave credentials out of the project: netrc, or uv's variables "
    "UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD, hold them"
)


def read_indexes(table: Table, inherited: Sequence[Index]) -> tuple[Index, ...]:
    """All indexes by name; a parent's may be given further packages, not another URL.

    Raises DocumentError.
    """
    stated = table.members("indexes")
    named = {name: frozenset(_packages(one)) for name, one in stated.items()}
    _refuse_shared(table, named)
    moved = frozenset().union(*named.values())
    indexes = {index.name: _without(index, moved) for index in inherited}
    for name, one in stated.items():
        one.only("url", "packages", "exclude-newer")
        if name == DEFAULT_INDEX and inherited:
            _check_default(one, named[name], inherited)
            continue
        if not is_index_name(name):
            raise one.error(
                f"{name!r} is no name for an index",
                "use lower-case letters and digits with single '-' between them, and none of "
                + ", ".join(sorted(RESERVED_INDEXES)),
            )
        indexes[name] = _index(one, named[name], indexes.get(name), name)
    return tuple(indexes[name] for name in sorted(indexes))


def read_index_places(table: Table) -> Mapping[str, Location]:
    """Where a profile's own table names packages for indexes, by their names."""
    stated = table.members("indexes")
    lines = key_lines(table.document.text) if stated else {}
    return {
        normalised(text): Location(table.document.file, lines["indexes", name, "packages", number])
        for name, one in stated.items()
        for number, text in enumerate(one.strings("packages") or ())
    }


def _without(index: Index, moved: Collection[str]) -> Index:
    return replace(index, packages=tuple(name for name in index.packages if name not in moved))


def _check_default(stated: Table, packages: frozenset[str], inherited: Sequence[Index]) -> None:
    """The default index needs no word but to take back what a parent's index is named for."""
    if "url" in stated.values:
        hint = "take it out: uv's settings and mirrors say which index is the default one"
        raise stated.error("the default index has no URL in a profile", hint, "url")
    if "exclude-newer" in stated.values:
        hint = "take it out: exclude-newer stands for the default index at the top of the profile"
        raise stated.error("not a key of the default index", hint, "exclude-newer")
    known = {name for index in inherited for name in index.packages}
    for name in sorted(packages - known):
        raise stated.error(
            f"{name} comes from there anyway: no index of the parent is named for it",
            "take it out",
            "packages",
        )


def _index(stated: Table, packages: Collection[str], inherited: Index | None, name: str) -> Index:
    url, dated = _url(stated), _dated(stated)
    if inherited is None:
        url = stated.required("url", url, 'add url = "https://…"')
        if not packages:
            raise stated.error("names no packages", 'add packages = ["…"]: only they come from it')
        return Index(name, url, tuple(sorted(packages)), dated)
    if url not in (None, inherited.url):
        raise stated.error(
            "not the URL that the parent gives this index",
            "leave it out, or give the index another name",
            "url",
        )
    together = tuple(sorted({*packages, *inherited.packages}))
    return Index(name, inherited.url, together, dated and inherited.dated)


def _dated(stated: Table) -> bool:
    """Whether ``exclude-newer`` holds for an index; the key can only say that it does not."""
    if stated.values.get("exclude-newer", False) is not False:
        hint = "write exclude-newer = false for an index that tells no upload times, else nothing"
        raise stated.error("is not false", hint, "exclude-newer")
    return "exclude-newer" not in stated.values


def _url(stated: Table) -> str | None:
    from urllib.parse import urlsplit

    url = stated.string("url")
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise stated.error("holds a credential, a query or a fragment", _NO_SECRETS, "url")
    known = parts.scheme in {"http", "https"} and parts.hostname
    local = parts.scheme == "file" and parts.path.startswith("/")
    if not (known or local) or not url.isprintable() or " " in url:
        raise stated.error("no URL of an index", "write it like https://host/path", "url")
    return url


def _packages(stated: Table) -> Iterator[str]:
    for number, text in enumerate(stated.strings("packages") or ()):
        name = normalised(text)
        if not is_normalised(name):
            raise stated.error(
                f"{text!r} is no package's name", "write the name alone", "packages", number
            )
        yield name


def _refuse_shared(table: Table, named: Mapping[str, Collection[str]]) -> None:
    owners: dict[str, str] = {}
    for index, packages in named.items():
        for package in sorted(packages):
            other = owners.setdefault(package, index)
            if other != index:
                raise table.error(
                    f"{package} is to come from {other} and from {index}",
                    "name it in one of them",
                    "indexes",
                    index,
                )
