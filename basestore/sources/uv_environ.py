"""What of the caller's environment uv gets to see, and the credentials that indexes are given."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, urlsplit, urlunsplit

from basestore.sources.pylock import IndexedPackage
from basestore.transport.url import Credentials, Origin, origin, take_credentials

REACHING = frozenset(
    {
        "UV_CACHE_DIR",
        "UV_CONCURRENT_DOWNLOADS",
        "UV_CREDENTIALS_DIR",
        "UV_DEFAULT_INDEX",
        "UV_GCS_ENDPOINT_URL",
        "UV_HTTP_CONNECT_TIMEOUT",
        "UV_HTTP_RETRIES",
        "UV_HTTP_TIMEOUT",
        "UV_INDEX_URL",
        "UV_INSECURE_HOST",
        "UV_KEYRING_PROVIDER",
        "UV_LOCK_TIMEOUT",
        "UV_NATIVE_TLS",
        "UV_NO_CACHE",
        "UV_OFFLINE",
        "UV_REQUEST_TIMEOUT",
        "UV_S3_ENDPOINT_URL",
        "UV_STACK_SIZE",
        "UV_SYSTEM_CERTS",
    }
)
"""The variables of uv that it gets to see: how an index is reached, never what is taken from it."""

ELSEWHERE = ("UV_INDEX", "UV_EXTRA_INDEX_URL")
"""Variables that name further indexes: uv doesn't see them, but credentials in them count."""


def environ_for_uv(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that uv runs in: a lock follows from its profile and the indexes alone."""
    kept = {name: value for name, value in environ.items() if _reaches(name)}
    # Its settings files have been read by `user_settings`, for what may count.
    kept["UV_NO_CONFIG"] = "1"
    # Its messages are read line by line; it would wrap them to COLUMNS.
    kept["UV_NO_WRAP"] = "1"
    return kept


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


def credentials_variables(name: str, credentials: Credentials) -> dict[str, str]:
    """The variables that give uv the credentials of an index of that name."""
    user, password = _variables(name)
    return {user: credentials.user, password: credentials.password}


def with_credentials(url: str, known: Mapping[Origin, Credentials]) -> str:
    """The URL with the credentials of its origin, unless it has its own."""
    try:
        parts, credentials = urlsplit(url), known.get(origin(url))
    except ValueError:
        return url  # whoever asks there says what is wrong with it
    if credentials is None or parts.username is not None:
        return url
    userinfo = f"{quote(credentials.user, safe='')}:{quote(credentials.password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{userinfo}@{parts.netloc}"))


def bare(url: str) -> str:
    """A URL as it is compared: without credentials and trailing slash."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}".rstrip("/")


def _reaches(name: str) -> bool:
    if not name.startswith("UV_"):
        return True
    of_index = name.startswith("UV_INDEX_") and name.endswith(("_USERNAME", "_PASSWORD"))
    return name in REACHING or of_index


def _note(known: dict[Origin, Credentials], url: str, named: Credentials | None) -> None:
    try:
        bare, inside = take_credentials(url)
        whose = origin(bare)
    except ValueError:
        return
    if credentials := inside or named:
        known[whose] = credentials


def _named(name: str, environ: Mapping[str, str]) -> Credentials | None:
    user, password = (environ.get(variable) for variable in _variables(name))
    return None if user is None else Credentials(user, password or "")


def _variables(name: str) -> tuple[str, str]:
    stem = "UV_INDEX_" + "".join(c if c.isalnum() else "_" for c in name).upper()
    return f"{stem}_USERNAME", f"{stem}_PASSWORD"


def _urls_in(environ: Mapping[str, str]) -> Iterator[str]:
    for variable in (*ELSEWHERE, "UV_INDEX_URL", "UV_DEFAULT_INDEX"):
        for word in environ.get(variable, "").split():
            # An index may be written with its name in front: NAME=URL.
            url = word if "://" in word.partition("=")[0] else word.partition("=")[2]
            if "://" in url:
                yield url


def readable(package: IndexedPackage, known: Mapping[Origin, Credentials]) -> IndexedPackage:
    """The package with URLs that open: uv leaves out an index's credentials."""
    wheels = (replace(wheel, url=with_credentials(wheel.url, known)) for wheel in package.wheels)
    others = (replace(wheel, url=with_credentials(wheel.url, known)) for wheel in package.unhashed)
    return replace(package, wheels=tuple(wheels), unhashed=tuple(others)) if known else package
