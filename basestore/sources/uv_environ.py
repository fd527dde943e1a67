"""What of the caller's environment concerns uv, and the credentials that indexes are given."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from basestore.transport.url import Credentials, Origin, origin, take_credentials

STEERING = frozenset(
    {
        "UV_BUILD_CONSTRAINT",
        "UV_CONSTRAINT",
        "UV_EXCLUDE",
        "UV_FORK_STRATEGY",
        "UV_INDEX_STRATEGY",
        "UV_NO_BINARY",
        "UV_NO_BINARY_PACKAGE",
        "UV_NO_SOURCES",
        "UV_NO_SOURCES_PACKAGE",
        "UV_OVERRIDE",
        "UV_PRERELEASE",
        "UV_PROJECT",
        "UV_PYTHON",
        "UV_RESOLUTION",
        "UV_SYSTEM_PYTHON",
        "UV_TORCH_BACKEND",
        "UV_WORKING_DIR",
        "UV_WORKING_DIRECTORY",
    }
)
"""Variables that uv doesn't get to see: a lock follows from its profile and the indexes alone."""


def credentials_of(
    indexes: Mapping[str, str], environ: Mapping[str, str]
) -> dict[Origin, Credentials]:
    """The credentials of indexes (name to URL) by origin.

    They stand in the URLs, in ``UV_INDEX_<NAME>_USERNAME`` and ``_PASSWORD``, and in uv's
    variables with URLs of indexes ("Environment variables" of uv's reference).
    """
    known: dict[Origin, Credentials] = {}
    for url in _urls_in(environ):
        _note(known, url, None)
    for name, url in indexes.items():
        _note(known, url, _named(name, environ))
    return known


def with_credentials(url: str, known: Mapping[Origin, Credentials]) -> str:
    """The URL with the credentials of its origin, unless it has its own."""
    parts = urlsplit(url)
    credentials = known.get(origin(url))
    if credentials is None or parts.username is not None:
        return url
    userinfo = f"{quote(credentials.user, safe='')}:{quote(credentials.password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{userinfo}@{parts.netloc}"))


def _note(known: dict[Origin, Credentials], url: str, named: Credentials | None) -> None:
    bare, inside = take_credentials(url)
    if credentials := inside or named:
        known[origin(bare)] = credentials


def _named(name: str, environ: Mapping[str, str]) -> Credentials | None:
    stem = "UV_INDEX_" + "".join(c if c.isalnum() else "_" for c in name).upper()
    user, password = environ.get(f"{stem}_USERNAME"), environ.get(f"{stem}_PASSWORD", "")
    return None if user is None else Credentials(user, password)


def _urls_in(environ: Mapping[str, str]) -> Iterator[str]:
    for variable in ("UV_EXTRA_INDEX_URL", "UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        for word in environ.get(variable, "").split():
            # An index may be written with its name in front: NAME=URL.
            yield word if "://" in word.partition("=")[0] else word.partition("=")[2]
