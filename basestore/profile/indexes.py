"""The ``[indexes]`` of a profile: which packages come from where, on top of its parent's.

Credentials never stand in a project: a URL that holds one is refused, and not shown.
"""

from collections.abc import Iterator, Mapping, Sequence

from basestore.profile.document import Table
from basestore.profile.model import Index
from basestore.profile.names import RESERVED_INDEXES, is_index_name, is_normalised, normalised

_NO_SECRETS = (
    "leave credentials out of the project: netrc, or uv's variables "
    "UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD, hold them"
)


def read_indexes(table: Table, inherited: Sequence[Index]) -> tuple[Index, ...]:
    """All indexes by name; a parent's may be given further packages, not another URL.

    Raises DocumentError.
    """
    indexes = {index.name: index for index in inherited}
    for name, stated in table.members("indexes").items():
        stated.only("url", "packages")
        if not is_index_name(name):
            raise stated.error(
                f"{name!r} is no name for an index",
                "use lower-case letters and digits with single '-' between them, and none of "
                + ", ".join(sorted(RESERVED_INDEXES)),
            )
        indexes[name] = _index(name, stated, indexes.get(name))
    _refuse_shared(table, indexes)
    return tuple(indexes[name] for name in sorted(indexes))


def _index(name: str, stated: Table, inherited: Index | None) -> Index:
    url = _url(stated)
    packages = set(_packages(stated))
    if inherited is None:
        url = stated.required("url", url, 'add url = "https://…"')
        if not packages:
            raise stated.error("names no packages", 'add packages = ["…"]: only they come from it')
        return Index(name, url, tuple(sorted(packages)))
    if url not in (None, inherited.url):
        raise stated.error(
            "not the URL that the parent gives this index",
            "leave it out, or give the index another name",
            "url",
        )
    return Index(name, inherited.url, tuple(sorted(packages.union(inherited.packages))))


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


def _refuse_shared(table: Table, indexes: Mapping[str, Index]) -> None:
    owners: dict[str, str] = {}
    for index in indexes.values():
        for package in index.packages:
            other = owners.setdefault(package, index.name)
            if other != index.name:
                raise table.error(
                    f"{package} is to come from {other} and from {index.name}",
                    "name it in one of them",
                    "indexes",
                    index.name,
                )
